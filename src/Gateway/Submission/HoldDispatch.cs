using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <summary>The commit point of a submission that waits for persons: taken in whole, and not on its way.</summary>
sealed class HoldDispatch(Shared shared)
{
    readonly ILogger log = shared.Log<HoldDispatch>();

    /// <returns>Stale: the World moved on, decide again. Taken: this sender has used the identifier.</returns>
    public async Task<(CommitOutcome Outcome, byte[] Receipt)> Commit(Arrived arrived, Incoming incoming, Decision decision)
    {
        if (decision.Verdict != Verdict.Hold) throw new InvalidOperationException("Nothing is held that was not decided so.");
        var (header, world, now) = (arrived.Envelope.Header, arrived.World, shared.Clock.GetUtcNow());
        var (time, code) = (now.ToUnixTimeMilliseconds(), decision.ForSender ?? Refusal.AwaitingRelease);
        var record = DecisionRow.Of(decision.Record);
        var until = Until(arrived.Envelope, now);
        var entry = LedgerEntry.Create(new HoldDetail(header.Sender, header.Id, arrived.Envelope.Ctx, arrived.Envelope.ManifestDigest, code.Code, until, world.Policy.Ref, record.Digest) { Time = time });
        var receipt = shared.Evidence.Sign(ReceiptEvent.SubmissionHold, code.Code,
            new(header.Sender, header.Id, arrived.Envelope.Ctx, arrived.Envelope.ManifestDigest, null, null), entry, world.Policy.Ref, now, header.Dispatch.Signatures);
        var row = new HeldRow
        {
            Id = incoming.Dispatch, Sender = header.Sender, Envelope = header.Id, Ctx = arrived.Envelope.Ctx, ManifestDigest = arrived.Envelope.ManifestDigest,
            Class = header.Label.Class, Urgency = header.Urgency, State = HeldState.Waiting, Code = code.Code, HeldAt = time, Until = until, EndedAt = null, Approved = 0, Decision = record.Digest,
            PayloadBytes = header.Payload is { } payload ? Payload.WireLength(payload.Length) : null,
            Header = arrived.Parts.Header.ToArray(), Approvals = StoredEnvelope.Joined(arrived.Parts.Approvals), Manifest = arrived.Parts.Manifest.ToArray(), Payload = incoming.Inline,
        };

        using var span = Spans.Start("commit");
        span.Dispatch(row.Id);
        // ONE commit: what is held, decision, receipt, entry. Before it: nothing happened, the blob is an orphan and is swept, the sender repeats.
        // After it: all of it is here, waits, and a repeat of the sender gets this receipt. No copy and no job exists.
        var outcome = await shared.Journal.Commit(b =>
        {
            if (b.World.Id != world.Id) return CommitOutcome.Stale;
            if (RecallTable.IsRecalled(b, row.Sender, row.Envelope)) return CommitOutcome.Stale;
            if (DispatchTable.Find(b, row.Sender, row.Envelope) is not null || !HeldTable.TryAdd(b, row)) return CommitOutcome.Taken;
            if (incoming.OfUpload) UploadTable.Remove(b, row.Id);
            b.Log(entry, EntryKind.Hold, row.Id).Add(ReceiptRows.Of(receipt, null, null) with { Held = row.Id }).Add(record);
            if (arrived.Session is Session.ByChannel(var channel)) b.Add(new BroughtRow { Id = row.Id, Channel = channel, Answered = receipt.Content.Id });
            return CommitOutcome.Held;
        }, row.Header.Length + row.Approvals.Length + row.Manifest.Length + (row.Payload?.Length ?? 0) + receipt.Der.Length, urgent: SubmitDispatch.IsUrgent(header));
        if (outcome == CommitOutcome.Held) log.DispatchIsHeld(row.Id, row.Sender, code.Code);
        return (outcome, receipt.Der);
    }

    // Whichever comes first: the gateway's own limit, the time until which it may be accepted, the lapse of a word without which it is denied.
    long Until(VerifiedEnvelope envelope, DateTimeOffset now) => envelope.Approvals.Where(a => a.Approval.Act == ApprovalAct.Send).Select(a => a.Approval.NotAfter)
        .Append(envelope.Header.Times.Expires).Append(now.AddHours(shared.Options.Limits.HoldHours).ToUnixTimeMilliseconds()).Min();
}
