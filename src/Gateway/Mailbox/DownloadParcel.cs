using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;

namespace Exchange.Gateway.Mailbox;

/// <summary>A copy ready to be sent out.</summary>
sealed record Download(Digest Ctx, long ReceivedAt, ParcelStream Content);

/// <summary>GET /mailbox/{parcel}: the decision again, then bytes.</summary>
sealed class DownloadParcel(Shared shared, EndParcel end)
{
    /// <exception cref="RefusedException">NotFound: no such copy, or somebody else's. NotReleasable, Expired: it ended undelivered.</exception>
    public async Task<Download> Open(string office, Guid parcel)
    {
        // 1. Only one's own copies are visible at all.
        var (row, dispatch, accepted) = Find(office, parcel);
        if (row.State is not (ParcelState.Available or ParcelState.Delivered)) throw new RefusedException(row.State == ParcelState.Expired ? Refusal.Expired : Refusal.NotReleasable);

        // 2. Decide again, on the facts of now, for each range anew: a clearance may have gone since the last one.
        var (world, now) = (shared.Worlds.Current, shared.Clock.GetUtcNow());
        var header = Statement.Read(dispatch.Header, StatementType.Header).As<Header>();
        if (header.Times.NotBefore > now.ToUnixTimeMilliseconds()) throw new RefusedException(Refusal.NotYet);
        var decision = Decision.Decide(ReleaseFacts.OfDownload(header, office, row.Key, accepted, world), world.Policy, now);
        if (decision.Verdict != Verdict.Permit)
        {
            // 3. Denied: the copy ends here, with a receipt to the sender. A crash before that commit: the next request decides the same.
            if (row.State == ParcelState.Available && decision.Verdict == Verdict.Deny) await end.End(Ending(row, dispatch), ParcelState.Refused, Refusal.NotReleasable, DecisionRow.Of(decision.Record));
            throw new RefusedException(Refusal.NotReleasable);
        }

        // 4. Bytes. Reading changes nothing: only the office's own receipt makes a copy delivered.
        Stream? payload = dispatch switch
        {
            { PayloadBytes: null } => null,
            { Payload: { } inRow } => new MemoryStream(inRow, writable: false),
            _ => shared.Blobs.Open(dispatch.Id),
        };
        return new Download(dispatch.Ctx, dispatch.ReceivedAt, new ParcelStream([dispatch.Header, dispatch.Approvals, dispatch.Manifest], payload));
    }

    (ParcelRow, DispatchRow, DecisionFacts) Find(string office, Guid parcel)
    {
        using var reader = shared.Engine.Reader();
        var row = ParcelTable.Find(reader, office, parcel) ?? throw new RefusedException(Refusal.NotFound);
        var dispatch = DispatchTable.ReadOfParcel(reader, office, parcel) ?? throw new InvalidOperationException("A parcel without its dispatch.");
        // What was verified at acceptance and cannot be verified again: an approver may have changed his certificate since.
        var accepted = DecisionTable.Find(reader, dispatch.Decision) is { } decision ? Decision.FactsOf(decision.Record) : null;
        return (row, dispatch, accepted ?? throw new RefusedException(Refusal.NotReleasable, "the decision record is gone"));
    }

    static EndingParcel Ending(ParcelRow row, DispatchRow dispatch) =>
        new(row.Id, row.Dispatch, row.Office, row.Key, dispatch.Sender, dispatch.Envelope, dispatch.Ctx, dispatch.ManifestDigest);
}
