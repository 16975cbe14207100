using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Release;

/// <summary>A copy ends undelivered: its state, our receipt to the sender and the entry, in one commit.</summary>
sealed class EndParcel(Shared shared)
{
    readonly ILogger log = shared.Log<EndParcel>();

    /// <param name="attempt">The attempt that ended it, to be written if its claim still holds; null: no worker is concerned.</param>
    /// <param name="also">In the same commit, if the copy ends.</param>
    /// <returns>False: the copy had ended already, or a worker holds it, or the claim is lost; nothing was changed.</returns>
    public async Task<bool> End(EndingParcel parcel, ParcelState state, Refusal reason, DecisionRow? decision, AttemptRow? attempt = null, Action<Batch>? also = null)
    {
        var now = shared.Clock.GetUtcNow();
        var entry = LedgerEntry.Create(new ConsignmentFailureDetail(parcel.Sender, parcel.Envelope, parcel.Ctx, parcel.Office, parcel.Key, reason.Code, decision?.Digest)
        {
            Time = now.ToUnixTimeMilliseconds(),
        });
        var receipt = shared.Evidence.Sign(ReceiptEvent.ContentConsignmentFailure, reason.Code,
            new(parcel.Sender, parcel.Envelope, parcel.Ctx, parcel.ManifestDigest, parcel.Office, parcel.Key), entry, shared.Worlds.Current.Policy.Ref, now);

        // ONE commit. Before: still under way, and the next look ends it. After: ended, and the sender finds the receipt.
        var ended = await shared.Journal.Commit(b =>
        {
            if (!Leave(b, parcel, state, reason, attempt)) return false;
            b.Log(entry, EntryKind.ConsignmentFailure, parcel.Parcel).Add(ReceiptRows.Of(receipt, parcel.Dispatch, parcel.Parcel));
            if (decision is not null) b.Add(decision);
            if (attempt is not null) b.Add(attempt with { Leaf = entry.Leaf });
            also?.Invoke(b);
            return true;
        }, receipt.Der.Length, settle: true);

        if (!ended) return false;
        log.ParcelEndedUndelivered(parcel.Parcel, parcel.Office, state, reason.Code);
        shared.Meters.Parcels.Add(1, new KeyValuePair<string, object?>("state", state.ToString()));
        if (state == ParcelState.Dead) shared.Alarms.Raise(new(AlarmCode.ParcelDead, parcel.Office, $"parcel {parcel.Parcel}: {reason.Code}"));
        return true;
    }

    // A copy that a worker carries at this moment is his to end: what he brings back decides.
    static bool Leave(Batch b, EndingParcel copy, ParcelState state, Refusal reason, AttemptRow? attempt)
    {
        if (attempt is null && ParcelTable.Move(b, copy.Parcel, ParcelState.Available, state, reason.Code)) return true;
        // Dead may come back: whatever waits for it in its conversation waits on, and its fence goes on rising.
        var dead = state == ParcelState.Dead;
        var fence = dead ? JobTable.FenceOf(b, copy.Parcel) : null;
        if (!(attempt is null ? JobTable.Drop(b, copy.Parcel, blocks: dead) : JobTable.End(b, copy.Parcel, attempt.Fence, blocks: dead))) return false;
        if (!ParcelTable.Move(b, copy.Parcel, ParcelState.Queued, state, reason.Code)) throw new InvalidOperationException("A job of a parcel that is not queued.");
        if (dead) DeadTable.Add(b, new() { Parcel = copy.Parcel, Office = copy.Office, Reason = reason.Code, DiedAt = b.Now.ToUnixTimeMilliseconds(), Fence = fence!.Value });
        return true;
    }
}

static partial class ReleaseLog
{
    [LoggerMessage(3001, LogLevel.Warning, "Parcel {Parcel} for {Office} ended as {State}: {Code}")]
    public static partial void ParcelEndedUndelivered(this ILogger log, Guid parcel, string office, ParcelState state, string code);
}
