using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Recalling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <summary>Where an envelope comes from, whose time has come.</summary>
/// <param name="Dispatch">The gateway's id; names the blob.</param>
/// <param name="Inline">Payload for the row; null: none, or durable in the blob store.</param>
sealed record Incoming(Guid Dispatch, byte[]? Inline)
{
    /// <summary>An upload row of this id is settled by the commit.</summary>
    public bool OfUpload { get; init; }
    /// <summary>It was held, and was read so; the commit settles that row, or finds that somebody has said something since.</summary>
    public HeldRow? OfHeld { get; init; }
}

/// <summary>What a try to commit came to.</summary>
enum CommitOutcome
{
    /// <summary>A dispatch is made; its receipt says so.</summary>
    Done,
    /// <summary>It is held; its receipt says so.</summary>
    Held,
    /// <summary>The World has moved on, or what was held is not as it was read: look and decide again.</summary>
    Stale,
    /// <summary>This sender has used the identifier before.</summary>
    Taken,
}

/// <summary>The commit point of a dispatch, whether its payload came along or by itself, at once or after it was held.</summary>
sealed class AcceptDispatch(Arrival arrival, Rejections rejections, HoldDispatch hold, PlanRecall recall, Shared shared)
{
    readonly (IEngine Engine, Journal Journal, BlobStore Blobs) store = (shared.Engine, shared.Journal, shared.Blobs);
    readonly Evidence evidence = shared.Evidence;
    readonly TimeProvider clock = shared.Clock;
    readonly ILogger log = shared.Log<AcceptDispatch>();

    /// <summary>Decides for the last time and commits what follows: a dispatch, or one that is held.</summary>
    public async Task<Submitted> Accept(string office, Arrived arrived, Incoming incoming, CancellationToken cancel)
    {
        for (; ; arrived = arrival.Check(office, arrived.Parts, arrived.Session))
        {
            cancel.ThrowIfCancellationRequested();
            // Decided here, last thing before the commit and in the World that the commit will find: the payload may have taken days.
            if (arrived.World != arrival.Current) continue;
            arrived = arrived with { At = clock.GetUtcNow() };
            Arrival.DemandInTime(arrived);
            var decision = arrival.Decide(arrived);
            var (outcome, receipt) = decision.Verdict switch
            {
                Verdict.Permit => await Commit(arrived, incoming, decision),
                Verdict.Hold => await hold.Commit(arrived, incoming, decision),
                _ => throw await Denied(office, arrived, incoming, decision),
            };
            if (outcome == CommitOutcome.Taken) return Earlier(arrived.Envelope, incoming.Dispatch);
            if (outcome == CommitOutcome.Held) return new Submitted.Held(arrived.Envelope.Header.Id, receipt);
            if (outcome == CommitOutcome.Done) return new Submitted.Accepted(arrived.Envelope.Header.Id, receipt);
        }
    }

    async Task<RejectedException> Denied(string office, Arrived arrived, Incoming incoming, Decision decision)
    {
        // An upload keeps its bytes until its row is gone; what came along in one request goes at once.
        if (!incoming.OfUpload) store.Blobs.Remove(incoming.Dispatch);
        return await rejections.Reject(office, arrived.Parts, decision.ForSender ?? Refusal.Internal, "decided again", decision, incoming.OfUpload ? incoming.Dispatch : null);
    }

    /// <summary>The one place where a dispatch is made.</summary>
    /// <param name="decision">A permit, in the World of <paramref name="arrived"/>.</param>
    public async Task<(CommitOutcome Outcome, byte[] Receipt)> Commit(Arrived arrived, Incoming incoming, Decision decision)
    {
        if (decision.Verdict != Verdict.Permit) throw new InvalidOperationException("Nothing is accepted without a permit.");
        var rows = Prepare(arrived, incoming, decision);
        var (sender, envelope) = (rows.Dispatch.Sender, rows.Dispatch.Envelope);
        using var plan = recall.Prepare(arrived.Envelope.Header, rows.Dispatch, rows.Parcels, arrived.World, clock.GetUtcNow());
        using var span = Spans.Start("commit");
        span.Dispatch(incoming.Dispatch);
        // ONE commit: dispatch, parcels, jobs, decision, receipt, entry, what a recall does to copies of another, and the end of the row in which it waited. Before it: nothing happened; the blob of a
        // request is an orphan and is swept, the sender repeats; what was held waits on. After it: all of it did, and a repeat of the sender gets this receipt.
        var outcome = await store.Journal.Commit(b =>
        {
            if (b.World.Id != arrived.World.Id) return CommitOutcome.Stale;
            // What it was prepared on has moved on, or it was taken back before it came: the next look says so.
            if ((plan?.IsStale(b, envelope) ?? false) || RecallTable.IsRecalled(b, sender, envelope)) return CommitOutcome.Stale;
            if (incoming.OfHeld is { } held && !HeldTable.End(b, held, HeldState.Released, "OK")) return CommitOutcome.Stale;
            if (incoming.OfHeld is null && HeldTable.Find(b, sender, envelope) is not null) return CommitOutcome.Taken;
            if (!DispatchTable.TryAdd(b, rows.Dispatch)) return incoming.OfHeld is null ? CommitOutcome.Taken : throw new InvalidOperationException("Something was held that is a dispatch already.");
            if (incoming.OfUpload) UploadTable.Remove(b, incoming.Dispatch);
            b.Log(rows.Receipt.Entry, EntryKind.Submission, incoming.Dispatch).Add(rows.Parcels).Add(InOrder(b, arrived.Envelope.Header, rows.Jobs)).Add(ReceiptRows.Of(rows.Receipt, incoming.Dispatch, null)).Add(rows.Decision);
            if (arrived.Session is Session.ByChannel(var channel)) b.Add(new BroughtRow { Id = incoming.Dispatch, Channel = channel, Answered = rows.Receipt.Content.Id });
            plan?.Apply(b);
            return CommitOutcome.Done;
        }, rows.Bytes + (plan?.Bytes ?? 0), settle: incoming.OfHeld is not null, urgent: SubmitDispatch.IsUrgent(arrived.Envelope.Header));
        if (outcome == CommitOutcome.Done) log.DispatchWasAccepted(incoming.Dispatch, rows.Dispatch.Sender, rows.Parcels.Count);
        return (outcome, rows.Receipt.Der);
    }

    sealed record Rows(DispatchRow Dispatch, IReadOnlyList<ParcelRow> Parcels, DecisionRow Decision, SignedReceipt Receipt)
    {
        /// <summary>One for each copy that a channel carries; a mailbox needs none.</summary>
        public IReadOnlyList<JobRow> Jobs { get; init; } = [];
        public long Bytes => Dispatch.Header.Length + Dispatch.Approvals.Length + Dispatch.Manifest.Length + (Dispatch.Payload?.Length ?? 0) + Receipt.Der.Length + 512 * Parcels.Count;
    }

    Rows Prepare(Arrived arrived, Incoming incoming, Decision decision)
    {
        var (header, world, now, dispatch) = (arrived.Envelope.Header, arrived.World, clock.GetUtcNow(), incoming.Dispatch);
        var time = now.ToUnixTimeMilliseconds();
        var record = DecisionRow.Of(decision.Record);
        var entry = LedgerEntry.Create(new SubmissionDetail(header.Sender, header.Id, arrived.Envelope.Ctx, arrived.Envelope.ManifestDigest,
            header.Label.Policy, header.Label.Class, header.Urgency, world.Policy.Ref, world.Directory.Ref, world.Standing.Ref, record.Digest) { Time = time });
        var receipt = evidence.Sign(ReceiptEvent.SubmissionAcceptance, "OK",
            new(header.Sender, header.Id, arrived.Envelope.Ctx, arrived.Envelope.ManifestDigest, null, null), entry, world.Policy.Ref, now, header.Dispatch.Signatures);
        var row = new DispatchRow
        {
            Id = dispatch, Sender = header.Sender, Envelope = header.Id, Ctx = arrived.Envelope.Ctx, ManifestDigest = arrived.Envelope.ManifestDigest,
            Class = header.Label.Class, Urgency = header.Urgency, ReceivedAt = time, Expires = header.Times.Expires, Term = header.Label.Term, Decision = record.Digest,
            PayloadBytes = header.Payload is { } payload ? Payload.WireLength(payload.Length) : null,
            Header = arrived.Parts.Header.ToArray(), Approvals = StoredEnvelope.Joined(arrived.Parts.Approvals), Manifest = arrived.Parts.Manifest.ToArray(), Payload = incoming.Inline,
        };
        // A copy for each addressee; "self" and "recovery" only hold keys.
        var (@class, start) = (RetrySchedule.ClassOf(header.Urgency), Math.Max(time, header.Times.NotBefore ?? 0));
        var queue = shared.Options.Queue;
        ParcelRow[] parcels = [.. header.Recipients.Where(r => r.Role is "to" or "cc").Select((r, i) => new ParcelRow
        {
            Id = RisingId(now, i), Dispatch = dispatch, Office = r.Office, Key = r.Key, Role = r.Role, State = ParcelState.Available,
            Channel = (Channels.For(world.Standing.Find(r.Office)!, header.Label, world.Policy) is [var first, ..] ? first : world.Standing.Find(r.Office)!.Channel).Adapter, LastRefusal = null, CreatedAt = time, UpdatedAt = time, Expires = header.Times.Expires,
        }).Select(p => Life.Begin(Channels.Carries(p.Channel) ? p with { State = ParcelState.Queued } : p, @class, start, header.Times.Expires, queue))];
        return new(row, parcels, record, receipt)
        {
            Jobs = [.. parcels.Where(p => p.State == ParcelState.Queued).Select(p => new JobRow { Parcel = p.Id, Office = p.Office, Class = @class, Due = start })],
        };
    }

    // What recalls or replaces goes after what it refers to, where that is still under way to the same office. An update is the same again: it goes to an office whose first copy is dead, and must not wait for that.
    static IEnumerable<JobRow> InOrder(Batch b, Header header, IReadOnlyList<JobRow> jobs) =>
        header is not { Kind: "recall" or "replace", Target: { } earlier } ? jobs : [.. jobs.Select(j => j with { After = JobOrder.Predecessor(b, header.Sender, earlier.Id, j.Office) })];

    // RFC 9562 6.2 method 1: a counter in rand_a, so that the copies of one dispatch list in header order.
    Guid RisingId(DateTimeOffset now, int counter)
    {
        var bytes = shared.NewId(now).ToByteArray(bigEndian: true);
        (bytes[6], bytes[7]) = ((byte)(0x70 | (counter >> 8)), (byte)counter);
        return new Guid(bytes, bigEndian: true);
    }

    // Two requests with the same id ran side by side; the other one committed first.
    Submitted Earlier(VerifiedEnvelope envelope, Guid dispatch)
    {
        using var reader = store.Engine.Reader();
        var (sender, id) = (envelope.Header.Sender, envelope.Header.Id);
        if ((DispatchTable.Find(reader, sender, id)?.Id ?? HeldTable.Find(reader, sender, id)!.Id) != dispatch) store.Blobs.Remove(dispatch);
        return EarlierSubmission.Find(reader, sender, id, (envelope.Ctx, envelope.ManifestDigest))!;
    }
}
