using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Release;

/// <summary>Which copy ends, and of what.</summary>
sealed record EndingParcel(Guid Parcel, Guid Dispatch, string Office, Digest Key, string Sender, Guid Envelope, Digest Ctx, Digest ManifestDigest);

/// <summary>A copy ends undelivered: its state, our receipt to the sender and the entry, in one commit.</summary>
sealed class EndParcel(Shared shared)
{
    readonly ILogger log = shared.Log<EndParcel>();

    /// <param name="attempt">The attempt that ended it, to be written if its claim still holds; null: no worker is concerned.</param>
    /// <returns>False: the copy had ended already, or a worker holds it, or the claim is lost; nothing was changed.</returns>
    public async Task<bool> End(EndingParcel parcel, ParcelState state, Refusal reason, DecisionRow? decision, AttemptRow? attempt = null)
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
            if (!Leave(b, parcel.Parcel, state, reason, attempt)) return false;
            b.Log(entry, EntryKind.ConsignmentFailure, parcel.Parcel).Add(ReceiptRows.Of(receipt, parcel.Dispatch, parcel.Parcel));
            if (decision is not null) b.Add(decision);
            if (attempt is not null) b.Add(attempt with { Leaf = entry.Leaf });
            return true;
        }, receipt.Der.Length, settle: true);

        if (!ended) return false;
        log.ParcelEndedUndelivered(parcel.Parcel, parcel.Office, state, reason.Code);
        shared.Meters.Parcels.Add(1, new KeyValuePair<string, object?>("state", state.ToString()));
        return true;
    }

    // A copy that a worker carries at this moment is his to end: what he brings back decides.
    static bool Leave(Batch b, Guid parcel, ParcelState state, Refusal reason, AttemptRow? attempt)
    {
        if (attempt is null && ParcelTable.Move(b, parcel, ParcelState.Available, state, reason.Code)) return true;
        if (!(attempt is null ? JobTable.Drop(b, parcel) : JobTable.End(b, parcel, attempt.Fence))) return false;
        return ParcelTable.Move(b, parcel, ParcelState.Queued, state, reason.Code) ? true : throw new InvalidOperationException("A job of a parcel that is not queued.");
    }
}

static partial class ReleaseLog
{
    [LoggerMessage(3001, LogLevel.Warning, "Parcel {Parcel} for {Office} ended as {State}: {Code}")]
    public static partial void ParcelEndedUndelivered(this ILogger log, Guid parcel, string office, ParcelState state, string code);
}
