using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Mailbox;

/// <summary>Which copy ends, and of what.</summary>
sealed record EndingParcel(Guid Parcel, Guid Dispatch, string Office, Digest Key, string Sender, Guid Envelope, Digest Ctx, Digest ManifestDigest);

/// <summary>A copy ends undelivered: its state, our receipt to the sender and the entry, in one commit.</summary>
sealed class EndParcel(Shared shared)
{
    readonly ILogger log = shared.Log<EndParcel>();

    /// <returns>False: the copy had ended already, in whatever way; nothing was changed.</returns>
    public async Task<bool> End(EndingParcel parcel, ParcelState state, Refusal reason, DecisionRow? decision)
    {
        var now = shared.Clock.GetUtcNow();
        var entry = LedgerEntry.Create(new ConsignmentFailureDetail(parcel.Sender, parcel.Envelope, parcel.Ctx, parcel.Office, parcel.Key, reason.Code, decision?.Digest)
        {
            Time = now.ToUnixTimeMilliseconds(),
        });
        var receipt = shared.Evidence.Sign(ReceiptEvent.ContentConsignmentFailure, reason.Code,
            new(parcel.Sender, parcel.Envelope, parcel.Ctx, parcel.ManifestDigest, parcel.Office, parcel.Key), entry, shared.Worlds.Current.Policy.Ref, now);

        // ONE commit. Before: still available, and the next look ends it. After: ended, and the sender finds the receipt.
        var ended = await shared.Journal.Commit(b =>
        {
            if (!ParcelTable.Move(b, parcel.Parcel, ParcelState.Available, state, reason.Code)) return false;
            b.Log(entry, EntryKind.ConsignmentFailure, parcel.Parcel).Add(ReceiptRows.Of(receipt, parcel.Dispatch, parcel.Parcel));
            if (decision is not null) b.Add(decision);
            return true;
        }, receipt.Der.Length, settle: true);

        if (!ended) return false;
        log.ParcelEndedUndelivered(parcel.Parcel, parcel.Office, state, reason.Code);
        shared.Meters.Parcels.Add(1, new KeyValuePair<string, object?>("state", state.ToString()));
        return true;
    }
}

static partial class MailboxLog
{
    [LoggerMessage(3001, LogLevel.Warning, "Parcel {Parcel} for {Office} ended as {State}: {Code}")]
    public static partial void ParcelEndedUndelivered(this ILogger log, Guid parcel, string office, ParcelState state, string code);

    [LoggerMessage(3002, LogLevel.Information, "Parcel {Parcel} was handed over to {Office}")]
    public static partial void ParcelWasHandedOver(this ILogger log, Guid parcel, string office);

    [LoggerMessage(3003, LogLevel.Information, "{Office} reported {Event} of parcel {Parcel}: {Code}")]
    public static partial void OfficeReported(this ILogger log, string office, string @event, Guid parcel, string code);

    [LoggerMessage(3004, LogLevel.Warning, "A receipt of {Office} for parcel {Parcel} was refused: {Detail}")]
    public static partial void ReceiptWasRefused(this ILogger log, string office, Guid parcel, string detail);
}
