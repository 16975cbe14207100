using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Release;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Recalling;

/// <summary>Makes everything ready that the commit of a recall, update or replacement does to what it is about.</summary>
sealed class PlanRecall(Shared shared, HandedOut handedOut)
{
    /// <param name="own">The dispatch that the recall becomes, and its copies.</param>
    /// <returns>null: it is none.</returns>
    /// <exception cref="RefusedException">RecallTarget, Revision.</exception>
    public RecallPlan? Prepare(Header header, DispatchRow own, IReadOnlyList<ParcelRow> parcels, World world, DateTimeOffset now)
    {
        if (Read(header, world) is not { } target) return null;
        var row = new RecallRow { Dispatch = own.Id, Sender = own.Sender, Target = target.Named.Id, Ref = target.Named.Ref, Kind = header.Kind, Revision = target.Named.Revision };
        // An update ends what it stands in for, so that no office gets the dispatch twice. It asks nothing back: whoever has it keeps it.
        var open = target.Copies.Where(c => c.Copy.State is ParcelState.Available or ParcelState.Queued or ParcelState.Dead || (c.Copy.State == ParcelState.Delivered && header.Kind != "update"));
        return new RecallPlan(row, target, [.. open.Select(c => Stoppable(c.Copy, c.Of, header, own, parcels, world, now))], Held(target, world, now), handedOut);
    }

    StoppableCopy Stoppable(ParcelRow copy, DispatchSummary target, Header header, DispatchRow own, IReadOnlyList<ParcelRow> parcels, World world, DateTimeOffset now)
    {
        var stopped = Failure(target.Sender, target.Envelope, target.Ctx, target.ManifestDigest, copy, RecallTable.Reason(header.Kind), world, now);
        // A replacement goes to its own addressees, whatever became of what it replaces.
        var notice = header.Kind == "recall" ? parcels.FirstOrDefault(p => p.Office == copy.Office) : null;
        var unneeded = notice is null ? null : Failure(own.Sender, own.Envelope, own.Ctx, own.ManifestDigest, notice, Refusal.NothingToRecall, world, now);
        return new(copy, stopped, notice is null ? null : (notice, unneeded!), copy.State == ParcelState.Available && handedOut.TryClose(copy));
    }

    (HeldRow, SignedReceipt)? Held(RecallTarget target, World world, DateTimeOffset now)
    {
        if (target.Held is not { } row) return null;
        var entry = LedgerEntry.Create(new RejectionDetail(row.Sender, row.Envelope, row.Ctx, Refusal.Recalled.Code, null) { Time = now.ToUnixTimeMilliseconds() });
        return (row, shared.Evidence.Sign(ReceiptEvent.SubmissionRejection, Refusal.Recalled.Code, new(row.Sender, row.Envelope, row.Ctx, row.ManifestDigest, null, null), entry, world.Policy.Ref, now,
            Statement.Read(row.Header, StatementType.Header).As<Header>().Dispatch.Signatures));
    }

    SignedReceipt Failure(string sender, Guid envelope, Digest ctx, Digest manifest, ParcelRow copy, Refusal reason, World world, DateTimeOffset now)
    {
        var entry = LedgerEntry.Create(new ConsignmentFailureDetail(sender, envelope, ctx, copy.Office, copy.Key, reason.Code, null) { Time = now.ToUnixTimeMilliseconds() });
        return shared.Evidence.Sign(ReceiptEvent.ContentConsignmentFailure, reason.Code, new(sender, envelope, ctx, manifest, copy.Office, copy.Key), entry, world.Policy.Ref, now);
    }

    RecallTarget? Read(Header header, World world)
    {
        using var reader = shared.Engine.Reader().Snapshot();
        return RecallTarget.Read(reader, header, world.Directory);
    }
}
