using Exchange.Crypto.Ledger;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Release;

/// <summary>
/// Erases payloads that nobody is owed any more: every copy of the dispatch ended as many days ago as the policy in force keeps payloads of its level.
/// Header, receipts and entries stay, so everything said about it can still be proven.
/// </summary>
sealed class ErasePayloads(Shared shared)
{
    const int AtOnce = 100;
    readonly ILogger log = shared.Log<ErasePayloads>();

    /// <returns>How many were erased, at most a hundred of a level: the others next time.</returns>
    public async Task<int> Step(DateTimeOffset now)
    {
        var erased = 0;
        foreach (var level in shared.Worlds.Current.Policy.Content.Levels)
        {
            if (level.Handling.PayloadDays is not { } days) continue;
            var before = now.AddDays(-days).ToUnixTimeMilliseconds();
            IReadOnlyList<RetainedDispatch> ended;
            using (var reader = shared.Engine.Reader()) ended = PayloadRetention.Due(reader, level.Class, before, AtOnce);
            foreach (var dispatch in ended) await Erase(dispatch, now, before);
            erased += ended.Count;
        }
        return erased;
    }

    async Task Erase(RetainedDispatch dispatch, DateTimeOffset now, long before)
    {
        var entry = LedgerEntry.Create(new PayloadErasedDetail(dispatch.Sender, dispatch.Envelope, dispatch.Ctx) { Time = now.ToUnixTimeMilliseconds() });

        // ONE commit: the row says erased, and the ledger. Bytes in the row go with it.
        var erased = await shared.Journal.Commit(b =>
        {
            if (!PayloadRetention.Erase(b, dispatch.Id, before)) return false;
            b.Log(entry, EntryKind.PayloadErased, dispatch.Id);
            return true;
        }, settle: true);
        if (!erased) return;

        // Only now the file. A crash before this leaves a blob that no row names any more: the blob sweep finishes it.
        shared.Blobs.Remove(dispatch.Id);
        log.PayloadWasErased(dispatch.Id);
    }
}

static partial class ErasureLog
{
    [LoggerMessage(3005, LogLevel.Information, "The payload of dispatch {Dispatch} was erased: all its copies ended long enough ago")]
    public static partial void PayloadWasErased(this ILogger log, Guid dispatch);
}
