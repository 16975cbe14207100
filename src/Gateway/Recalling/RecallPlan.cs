using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Release;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Recalling;

/// <summary>A copy that may be stopped.</summary>
/// <param name="Receipt">That it ended; used if it is.</param>
/// <param name="Own">The recall's own copy for the same office, and that it need not leave; null: it leaves in any case.</param>
/// <param name="Unfetched">It lies in a mailbox, and surely nobody has begun to fetch it.</param>
sealed record StoppableCopy(ParcelRow Copy, SignedReceipt Receipt, (ParcelRow Parcel, SignedReceipt Receipt)? Own, bool Unfetched);

/// <summary>
/// What accepting a recall, update or replacement does besides, in the same commit; everything signed beforehand. Copies that have not left are stopped, those that a worker carries
/// are marked, those that arrived are asked about. An update does so to copies that it stands in for, and asks about none. Made for one commit; disposing lets mailboxes be read again.
/// </summary>
sealed class RecallPlan(RecallRow row, RecallTarget target, IReadOnlyList<StoppableCopy> copies, (HeldRow Row, SignedReceipt Receipt)? held, HandedOut handedOut) : IDisposable
{
    public long Bytes => copies.Sum(c => c.Receipt.Der.Length + (c.Own?.Receipt.Der.Length ?? 0));

    /// <summary>Reads only.</summary>
    public bool IsStale(Source source, Guid envelope) => RecallTable.Highest(source, row.Sender, row.Target, envelope) >= row.Revision || target.IsStale(source, row.Sender)
        || (row.Kind == "update" && RecallTable.IsReplaced(source, row.Sender, row.Target));

    /// <summary>In the commit that made the recall's dispatch and its copies.</summary>
    public void Apply(Batch b)
    {
        RecallTable.Add(b, row);
        if (held is { } waiting)
        {
            if (!HeldTable.End(b, waiting.Row, HeldState.Ended, Refusal.Recalled.Code)) throw new InvalidOperationException("What is held has changed under its recall.");
            b.Log(waiting.Receipt.Entry, EntryKind.Rejection, waiting.Receipt.Content.Id).Add(ReceiptRows.Rejection(waiting.Receipt) with { Held = waiting.Row.Id });
        }
        foreach (var copy in copies) Stop(b, copy);
    }

    void Stop(Batch b, StoppableCopy copy)
    {
        var (parcel, reason) = (copy.Copy.Id, RecallTable.Reason(row.Kind).Code);
        // 1. In a mailbox: no byte of it goes out any more. Whether some went out before, only memory says.
        var inMailbox = ParcelTable.Move(b, parcel, ParcelState.Available, ParcelState.Recalled, reason);
        // 2. In a queue, and neither carried at this moment nor perhaps arrived: it never left.
        var mayHaveLeft = !inMailbox && RecallTable.MayHaveLeft(b, parcel);
        var neverLeft = !inMailbox && !mayHaveLeft && JobTable.Drop(b, parcel);
        if (neverLeft && !ParcelTable.Move(b, parcel, ParcelState.Queued, ParcelState.Recalled, reason)) throw new InvalidOperationException("A job of a parcel that is not queued.");
        // 3. Anything else is asked about: who carries it finds the mark, who has it is told.
        RecallTable.Ask(b, parcel, row.Dispatch, mayHaveLeft);
        if (!inMailbox && !neverLeft) return;
        b.Log(copy.Receipt.Entry, EntryKind.ConsignmentFailure, parcel).Add(ReceiptRows.Of(copy.Receipt, copy.Copy.Dispatch, parcel));
        // 4. An office that never got it is not told that there was something.
        if (copy.Own is not { } own || !(neverLeft || copy.Unfetched)) return;
        JobTable.Drop(b, own.Parcel.Id);
        if (!ParcelTable.Move(b, own.Parcel.Id, own.Parcel.State, ParcelState.Recalled, Refusal.NothingToRecall.Code)) throw new InvalidOperationException("A copy of a recall that is not as it was made.");
        b.Log(own.Receipt.Entry, EntryKind.ConsignmentFailure, own.Parcel.Id).Add(ReceiptRows.Of(own.Receipt, row.Dispatch, own.Parcel.Id));
    }

    public void Dispose()
    {
        foreach (var copy in copies.Where(c => c.Unfetched)) handedOut.Reopen(copy.Copy.Id);
    }
}
