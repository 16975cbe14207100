using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <summary>The commit point of a submission, whether its payload came along or by itself.</summary>
sealed class AcceptDispatch(Arrival arrival, Rejections rejections, Shared shared)
{
    readonly (IEngine Engine, Journal Journal, BlobStore Blobs) store = (shared.Engine, shared.Journal, shared.Blobs);
    readonly Evidence evidence = shared.Evidence;
    readonly TimeProvider clock = shared.Clock;
    readonly ILogger log = shared.Log<AcceptDispatch>();

    /// <param name="dispatch">The gateway's id; names the blob.</param>
    /// <param name="inline">Payload for the row; null: none, or durable in the blob store.</param>
    /// <param name="upload">Whether an upload row of this id is settled by this.</param>
    public async Task<Submitted> Accept(string office, Arrived arrived, Guid dispatch, byte[]? inline, CancellationToken cancel, bool upload = false)
    {
        for (; ; arrived = arrival.Check(office, arrived.Parts))
        {
            cancel.ThrowIfCancellationRequested();
            // Decided here, last thing before the commit and in the World that the commit will find: the payload may have taken days.
            if (arrived.World != arrival.Current) continue;
            Arrival.DemandInTime(arrived with { At = clock.GetUtcNow() });
            var decision = Arrival.Decide(arrived with { At = clock.GetUtcNow() });
            if (decision.Verdict != Verdict.Permit)
            {
                // An upload keeps its bytes until its row is gone; what came along in one request goes at once.
                if (!upload) store.Blobs.Remove(dispatch);
                throw await rejections.Reject(office, arrived.Parts, decision.ForSender ?? Refusal.Internal, "decided again", decision, upload ? dispatch : null);
            }

            var rows = Prepare(arrived, dispatch, inline, decision);

            using var span = Spans.Start("commit");
            span.Dispatch(dispatch);
            // ONE commit: dispatch, parcels, jobs, decision, receipt, entry. Before it: nothing happened, the blob is an orphan and is swept, the sender repeats.
            // After it: all of it did, and a repeat of the sender gets this receipt.
            var outcome = await store.Journal.Commit(b =>
            {
                if (b.World.Id != arrived.World.Id) return Outcome.Stale;
                if (!DispatchTable.TryAdd(b, rows.Dispatch)) return Outcome.Taken;
                if (upload) UploadTable.Remove(b, dispatch);
                b.Log(rows.Receipt.Entry, EntryKind.Submission, dispatch).Add(rows.Parcels).Add(rows.Jobs).Add(ReceiptRows.Of(rows.Receipt, dispatch, null)).Add(rows.Decision);
                return Outcome.Done;
            }, rows.Bytes, urgent: SubmitDispatch.IsUrgent(arrived.Envelope.Header));

            if (outcome == Outcome.Stale) continue;
            if (outcome == Outcome.Taken) return Earlier(arrived.Envelope, dispatch);
            log.DispatchWasAccepted(dispatch, office, rows.Parcels.Count);
            return new Submitted.Accepted(rows.Dispatch.Envelope, rows.Receipt.Der);
        }
    }

    enum Outcome { Done, Stale, Taken }

    sealed record Rows(DispatchRow Dispatch, IReadOnlyList<ParcelRow> Parcels, DecisionRow Decision, SignedReceipt Receipt)
    {
        /// <summary>One for each copy that a channel carries; a mailbox needs none.</summary>
        public IReadOnlyList<JobRow> Jobs { get; init; } = [];
        public long Bytes => Dispatch.Header.Length + Dispatch.Approvals.Length + Dispatch.Manifest.Length + (Dispatch.Payload?.Length ?? 0) + Receipt.Der.Length + 512 * Parcels.Count;
    }

    Rows Prepare(Arrived arrived, Guid dispatch, byte[]? inline, Decision decision)
    {
        var (header, world, now) = (arrived.Envelope.Header, arrived.World, clock.GetUtcNow());
        var time = now.ToUnixTimeMilliseconds();
        var record = DecisionRow.Of(decision.Record);
        var entry = LedgerEntry.Create(new SubmissionDetail(header.Sender, header.Id, arrived.Envelope.Ctx, arrived.Envelope.ManifestDigest,
            header.Label.Policy, header.Label.Class, header.Urgency, world.Policy.Ref, world.Directory.Ref, world.Standing.Ref, record.Digest) { Time = time });
        var receipt = evidence.Sign(ReceiptEvent.SubmissionAcceptance, "OK",
            new(header.Sender, header.Id, arrived.Envelope.Ctx, arrived.Envelope.ManifestDigest, null, null), entry, world.Policy.Ref, now, header.Dispatch.Signatures);
        var row = new DispatchRow
        {
            Id = dispatch, Sender = header.Sender, Envelope = header.Id, Ctx = arrived.Envelope.Ctx, ManifestDigest = arrived.Envelope.ManifestDigest,
            Class = header.Label.Class, Urgency = header.Urgency, ReceivedAt = time, Expires = header.Times.Expires, Decision = record.Digest,
            PayloadBytes = header.Payload is { } payload ? Payload.WireLength(payload.Length) : null,
            Header = arrived.Parts.Header.ToArray(), Approvals = StoredEnvelope.Joined(arrived.Parts.Approvals), Manifest = arrived.Parts.Manifest.ToArray(), Payload = inline,
        };
        // A copy for each addressee; "self" and "recovery" only hold keys.
        ParcelRow[] parcels = [.. header.Recipients.Where(r => r.Role is "to" or "cc").Select((r, i) => new ParcelRow
        {
            Id = RisingId(now, i), Dispatch = dispatch, Office = r.Office, Key = r.Key, Role = r.Role, State = ParcelState.Available,
            Channel = world.Standing.Find(r.Office)!.Channel.Adapter, LastRefusal = null, CreatedAt = time, UpdatedAt = time,
        }).Select(p => Channels.Carries(p.Channel) ? p with { State = ParcelState.Queued } : p)];
        var (due, @class) = (Math.Max(time, header.Times.NotBefore ?? 0), RetrySchedule.ClassOf(header.Urgency));
        return new(row, parcels, record, receipt)
        {
            Jobs = [.. parcels.Where(p => p.State == ParcelState.Queued).Select(p => new JobRow { Parcel = p.Id, Office = p.Office, Class = @class, Due = due })],
        };
    }

    // RFC 9562 6.2 method 1: a counter in rand_a, so that the copies of one dispatch list in header order.
    static Guid RisingId(DateTimeOffset now, int counter)
    {
        var bytes = Guid.CreateVersion7(now).ToByteArray(bigEndian: true);
        (bytes[6], bytes[7]) = ((byte)(0x70 | (counter >> 8)), (byte)counter);
        return new Guid(bytes, bigEndian: true);
    }

    // Two requests with the same id ran side by side; the other one committed first.
    Submitted.Before Earlier(VerifiedEnvelope envelope, Guid dispatch)
    {
        using var reader = store.Engine.Reader();
        var (sender, id) = (envelope.Header.Sender, envelope.Header.Id);
        var found = DispatchTable.Find(reader, sender, id)!;
        if (found.Id != dispatch) store.Blobs.Remove(dispatch);
        if (found.Ctx != envelope.Ctx || found.ManifestDigest != envelope.ManifestDigest) throw new RefusedException(Refusal.SameId);
        return new(id, ReceiptTable.Acceptance(reader, sender, id)!.Der);
    }
}
