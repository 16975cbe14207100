using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;

namespace Exchange.Gateway.Stamping;

/// <summary>What it takes to ask: who, by which way, and whose word counts at that moment.</summary>
sealed record StampAuthorities(TimeStampOptions Options, AuthorityClient Client, Func<CertificateCheck> Trust);

/// <summary>
/// Has the newest head time-stamped every so many minutes while the ledger grows, and at each day's end. What is due stands in the guard before anybody is asked, so that an outage, however long, forgets no day's end; tokens are kept
/// there once they are verified whole. Nothing waits for it.
/// </summary>
sealed class StampCheckpoints(StampAuthorities authorities, Stamps stamps, Func<PublishedCheckpoint?> newest, string origin, PendingTimeStamps pending, Meters meters, TimeProvider clock, ILogger log, CancellationToken stopping)
{
    const int AtOnce = 100;
    static readonly TimeSpan First = TimeSpan.FromSeconds(5), Longest = TimeSpan.FromMinutes(5);
    DateTimeOffset next = DateTimeOffset.MinValue;
    TimeSpan pause = First;
    // What the guard said last; nobody else writes there. null: not asked yet.
    (StampTurn? Last, IReadOnlyList<WaitingHead> Waiting)? kept;

    public async Task Step(DateTimeOffset now)
    {
        try
        {
            // 1. What is due is durable before it is asked for. A crash here: the next start finds it waiting.
            Plan(now);
            // Set back by an hour or more, the clock must not silence it.
            if (next - now > Longest) next = now;
            if (now < next) return;
            // 2. Smallest first, so that times rise with the heads; who is away for one is away for all.
            while (kept is { Waiting: [var head, ..] } && await Stamp(head, now)) Look();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested) { }
        // The token is lost, and another is asked for.
        catch (StoreFull) { Wait(now, "the guard has no room"); }
    }

    void Plan(DateTimeOffset now)
    {
        if (kept is null) Look();
        if (newest() is { Size: > 0 } head && StampSchedule.Of(now, authorities.Options, kept!.Value.Last, head.Size) is { } due)
        {
            stamps.Queue(due.Size, now, due.Day);
            Look();
        }
    }

    void Look()
    {
        var waiting = stamps.Waiting(AtOnce);
        kept = (stamps.Last, waiting);
        pending.Wait(waiting.Count > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(waiting.Min(w => w.Since)) : null, waiting.Count);
    }

    async Task<bool> Stamp(WaitingHead head, DateTimeOffset now)
    {
        var checkpoint = new Checkpoint(origin, head.Size, head.Root);
        var faults = new List<string>();
        var refused = false;
        foreach (var url in authorities.Options.Urls)
        {
            var query = new TimeStampQuery(CheckpointStamp.ImprintOf(checkpoint), authorities.Options.Policy);
            var verdict = await authorities.Client.Ask(url, query.Der, stopping);
            if (verdict is AuthorityVerdict.Failed failed) { faults.Add($"{url}: {failed.Why}"); continue; }
            try
            {
                // 3. Nonce, policy, time, imprint, key usage, chain and revocation; then against what is kept.
                var trust = authorities.Trust();
                var token = query.Read(((AuthorityVerdict.Answer)verdict).Body, trust, clock.GetUtcNow());
                var time = StampTime.Of(CheckpointStamp.Run(token, checkpoint, trust));
                // Of two authorities one may be slow: who kept both would hold evidence against itself.
                if (stamps.Newest is { } before && time.IsBefore(DateTimeOffset.FromUnixTimeMilliseconds(before.Floor))) throw new RefusedException(Refusal.TimeStamp, "earlier than the token of a smaller head");
                // 4. Durable. A crash before it: asked again.
                stamps.Keep(head.Size, token, time);
                meters.TimeStamped.Add(1, new KeyValuePair<string, object?>("outcome", "stamped"));
                (next, pause) = (DateTimeOffset.MinValue, First);
                return true;
            }
            catch (RefusedException e)
            {
                refused = true;
                faults.Add($"{url}: {e.Refusal.Code} {e.Detail}");
            }
        }
        meters.TimeStamped.Add(1, new KeyValuePair<string, object?>("outcome", refused ? "refused" : "failed"));
        Wait(now, string.Join("; ", faults));
        log.CheckpointIsNotStamped(head.Size, string.Join("; ", faults), next);
        return false;
    }

    void Wait(DateTimeOffset now, string why)
    {
        next = now + pause;
        pause = pause * 2 < Longest ? pause * 2 : Longest;
        pending.Failed(why);
    }
}

static partial class StampLog
{
    [LoggerMessage(EventId = 9056, Level = LogLevel.Warning, Message = "No authority gave a time-stamp for the checkpoint of size {Size}: {Why}. Asked again at {Next:O}")]
    public static partial void CheckpointIsNotStamped(this ILogger log, long size, string why, DateTimeOffset next);
}
