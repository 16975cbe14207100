using Exchange.Adapters;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Intake;

/// <summary>
/// What is signed about a submission after its answer goes back by the channel that brought it, to where the office is reached so now. What cannot go waits, at most an hour from one try to the next and for as long as it takes;
/// an office that is not reached so any more finds all of it by its own connection.
/// </summary>
sealed class SendReplies(IIntake channel, Shared shared, CancellationToken stopping)
{
    const int AtOnce = 50, MostFailed = 3;
    static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(30), LongestWait = TimeSpan.FromHours(1);
    readonly ILogger log = shared.Log<SendReplies>();
    // Lost with the process: it only spares an office that did not take the last one.
    readonly Dictionary<string, (int Failed, DateTimeOffset Due)> waiting = new(StringComparer.Ordinal);

    public string Name => channel.Name;

    public async Task Step(DateTimeOffset now)
    {
        // What was sent has to be written down, or it is sent for ever.
        if (shared.Journal.RefusesFull) return;
        IReadOnlyList<string> offices;
        using (var reader = shared.Engine.Reader()) offices = ReplyTable.Offices(reader, channel.Name);
        var failed = 0;
        foreach (var office in offices.Where(o => !waiting.TryGetValue(o, out var last) || last.Due <= now))
        {
            if (shared.Worlds.Current.Standing.Find(office)?.Channels.FirstOrDefault(c => c.Adapter == channel.Name) is not { } reached) continue;
            if (await Send(office, reached.Settings) is not { } why)
            {
                waiting.Remove(office);
                continue;
            }
            var times = waiting.GetValueOrDefault(office).Failed;
            waiting[office] = (times + 1, now + TimeSpan.FromTicks(Math.Min(LongestWait.Ticks, FirstWait.Ticks << Math.Min(times, 10))));
            if (times == 0) log.RepliesWait(office, channel.Name, why);
            // Maybe it is the relay, and no office's fault: those that are left have their turn in the next round.
            if (++failed == MostFailed) return;
        }
    }

    /// <returns>null: all of them, or as many as one round takes. Else why the next one stays.</returns>
    async Task<string?> Send(string office, IReadOnlyDictionary<string, string> settings)
    {
        IReadOnlyList<OwedReply> owed;
        using (var reader = shared.Engine.Reader()) owed = ReplyTable.Of(reader, channel.Name, office, AtOnce);
        foreach (var reply in owed)
        {
            if (stopping.IsCancellationRequested) return null;
            if (await channel.ReplyAsync(new IntakeReply(office, settings, $"{reply.Receipt}", reply.Der), stopping) is { } why) return why;

            // ONE commit: it went, with its entry. A crash before it: it goes once more, under the same name, by which the office knows it.
            var entry = LedgerEntry.Create(new ReplyDetail(reply.Sender, reply.Envelope, reply.Sha256, channel.Name) { Time = shared.Clock.GetUtcNow().ToUnixTimeMilliseconds() });
            await shared.Journal.Commit(b =>
            {
                if (!ReplyTable.Remove(b, reply.Receipt)) return false;
                b.Log(entry, EntryKind.Reply, reply.Receipt);
                return true;
            }, settle: true);
        }
        return null;
    }
}
