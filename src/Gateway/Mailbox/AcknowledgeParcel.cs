using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Release;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Mailbox;

enum Acknowledged { New, Repeat }

/// <summary>POST /mailbox/{parcel}/receipts: what the office says happened to its copy comes in, and reaches the sender.</summary>
sealed class AcknowledgeParcel(HandedOut handedOut, Shared shared)
{
    readonly TimeProvider clock = shared.Clock;
    readonly ILogger log = shared.Log<AcknowledgeParcel>();


    public async Task<Acknowledged> Acknowledge(string office, Guid parcel, byte[] der)
    {
        while (true)
        {
            // 1. Only one's own copies are visible. The same bytes again: the first answer was lost on the way.
            var (row, dispatch, earlier) = Find(office, parcel, der);
            if (earlier is not null) return Acknowledged.Repeat;

            // 2. The receipt must be this office's, by a key of now, about exactly this copy.
            var world = shared.Worlds.Current;
            Receipt receipt;
            try { receipt = OfficeReceipts.Verify(row, dispatch, der, world, clock.GetUtcNow(), shared.Options.Limits.ClockSkewSeconds); }
            catch (RefusedException e)
            {
                log.ReceiptWasRefused(office, parcel, e.Message);
                throw;
            }

            // 3. A step that is on record already is not recorded twice, even when its receipt was signed anew (a crash in the office between signing and keeping).
            if (OnRecord(office, parcel, receipt, row)) return Acknowledged.Repeat;
            // A copy on its way is handed over when its office says so, whatever its channel knows. That it was opened is heard afterwards: the office says it again.
            if (row.State == ParcelState.Queued && receipt.Event != ReceiptEvent.ContentHandover) throw new RefusedException(Refusal.Busy, "its delivery is not settled yet");
            var handsOver = receipt.Event == ReceiptEvent.ContentHandover && row.State is ParcelState.Available or ParcelState.Queued;
            // Recalled while it was being fetched: it did not end as delivered, and the office has it all the same. That is on record, so that the sender knows, and asks.
            var late = row.State == ParcelState.Recalled && (receipt.Event == ReceiptEvent.ContentHandover || HasHandover(office, parcel));
            if (!handsOver && !late && row.State != ParcelState.Delivered)
                throw new RefusedException(Refusal.Receipt, $"{receipt.Event} of a copy that is {row.State}");

            // 4. ONE commit: for a handover from the mailbox or on the way the copy is delivered and the sender gets our ContentConsignment; else the office's receipt is filed. With its entry.
            // Before it: the office has no answer and sends again. After it: a repeat.
            var outcome = handsOver ? await HandOver(row, dispatch, receipt, der, world) : await File(row, dispatch, receipt, der, world);
            if (outcome) return Acknowledged.New;
        }
    }

    async Task<bool> HandOver(ParcelRow row, DispatchRow dispatch, Receipt receipt, byte[] der, World world)
    {
        var now = clock.GetUtcNow();
        var entry = LedgerEntry.Create(new ConsignmentDetail(dispatch.Sender, dispatch.Envelope, dispatch.Ctx, row.Office, row.Key, Digest.Of(der)) { Time = now.ToUnixTimeMilliseconds() });
        var ours = shared.Evidence.Sign(ReceiptEvent.ContentConsignment, "OK", new(dispatch.Sender, dispatch.Envelope, dispatch.Ctx, dispatch.ManifestDigest, row.Office, row.Key), entry, world.Policy.Ref, now);
        var done = await shared.Journal.Commit<bool?>(b =>
        {
            if (b.World.Id != world.Id) return false;
            // A worker has it in hand: it has just brought it, and the settling of that is on its way. The office says it again in a moment.
            if (row.State == ParcelState.Queued && !JobTable.Drop(b, row.Id)) return null;
            if (!ParcelTable.Move(b, row.Id, row.State, ParcelState.Delivered)) return row.State == ParcelState.Queued ? throw new InvalidOperationException("A job of a parcel that is not queued.") : false;
            b.Log(entry, EntryKind.Consignment, row.Id).Add(ReceiptRows.Of(receipt, der, entry.Leaf, row.Dispatch, row.Id)).Add(ReceiptRows.Of(ours, row.Dispatch, row.Id));
            return true;
        }, der.Length + ours.Der.Length, settle: true);
        if (done is null) throw new RefusedException(Refusal.Busy, "its delivery is not settled yet");
        if (done is false) return false;
        handedOut.Forget(row.Id);
        log.ParcelWasHandedOver(row.Id, row.Office);
        shared.Meters.Parcels.Add(1, new KeyValuePair<string, object?>("state", nameof(ParcelState.Delivered)));
        return true;
    }

    async Task<bool> File(ParcelRow row, DispatchRow dispatch, Receipt receipt, byte[] der, World world)
    {
        var time = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var (kind, entry) = receipt.Event switch
        {
            // A channel that cannot sign delivered it, or it was recalled meanwhile; now the office says so itself.
            ReceiptEvent.ContentHandover => (EntryKind.Handover, LedgerEntry.Create(new HandoverDetail(dispatch.Sender, dispatch.Envelope, dispatch.Ctx, row.Office, row.Key, Digest.Of(der)) { Time = time })),
            ReceiptEvent.ContentOpening => (EntryKind.Opening, LedgerEntry.Create(new OpeningDetail(dispatch.Sender, dispatch.Envelope, dispatch.Ctx, row.Office, row.Key, Digest.Of(der)) { Time = time })),
            _ => (EntryKind.OpeningFailure, LedgerEntry.Create(new OpeningFailureDetail(dispatch.Sender, dispatch.Envelope, dispatch.Ctx, row.Office, row.Key, Digest.Of(der), receipt.Code) { Time = time })),
        };
        var done = await shared.Journal.Commit(b =>
        {
            if (b.World.Id != world.Id || ErasureTable.Has(b, row.Dispatch)) return false;
            if (Filed(b, row.Office, row.Id, receipt)) return false;      // another request filed it meanwhile: step 3 finds it
            b.Log(entry, kind, row.Id).Add(ReceiptRows.Of(receipt, der, entry.Leaf, row.Dispatch, row.Id));
            return true;
        }, der.Length, settle: true);
        if (done) log.OfficeReported(row.Office, receipt.Event, row.Id, receipt.Code);
        return done;
    }

    (ParcelRow Parcel, DispatchRow Dispatch, ReceiptRow? Earlier) Find(string office, Guid parcel, byte[] der)
    {
        using var reader = shared.Engine.Reader();
        var row = ParcelTable.Find(reader, office, parcel) ?? throw new RefusedException(Refusal.NotFound);
        return (row, DispatchTable.ReadOfParcel(reader, office, parcel)!, ReceiptTable.Same(reader, office, parcel, Digest.Of(der)));
    }

    bool OnRecord(string office, Guid parcel, Receipt receipt, ParcelRow row)
    {
        if (receipt.Event == ReceiptEvent.ContentHandover && row.State is not (ParcelState.Delivered or ParcelState.Recalled)) return false;
        using var reader = shared.Engine.Reader();
        return Filed(reader, office, parcel, receipt);
    }

    bool HasHandover(string office, Guid parcel)
    {
        using var reader = shared.Engine.Reader();
        return ReceiptTable.OfParcel(reader, office, parcel).Any(r => r.Issuer == office && r.Event == ReceiptEvent.ContentHandover);
    }

    static bool Filed(Source source, string office, Guid parcel, Receipt receipt) =>
        ReceiptTable.OfParcel(source, office, parcel).Any(r => r.Issuer == office && r.Event == receipt.Event && r.Code == receipt.Code);
}
