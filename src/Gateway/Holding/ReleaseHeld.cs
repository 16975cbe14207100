using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;

namespace Exchange.Gateway.Holding;

/// <summary>
/// Decides again about what is held, on what persons have said and on the facts of now: after each approval, and by itself, because time and a new directory
/// change facts too. A crash anywhere in it is mended by the next look.
/// </summary>
sealed class ReleaseHeld(Arrival arrival, AcceptDispatch accept, Shared shared)
{
    const int EndedAtOnce = 100, LookedAtOnce = 20;
    readonly ILogger log = shared.Log<ReleaseHeld>();
    Guid last;

    /// <summary>It becomes a dispatch, or ends, or waits on.</summary>
    public async Task Look(string office, Guid envelope)
    {
        while (true)
        {
            // 1. As it stands.
            var (row, said) = Read(office, envelope);
            if (row is not { State: HeldState.Waiting }) return;

            // 2. Its time is over, or a person said no. Whoever might say no when he said it keeps having said it.
            if (row.Until <= shared.Clock.GetUtcNow().ToUnixTimeMilliseconds())
            {
                if (await End(row, Refusal.HoldExpired)) return;
                continue;
            }
            if (said.Any(a => a.Act == ApprovalAct.Refuse))
            {
                if (await End(row, Refusal.ReleaseRefused)) return;
                continue;
            }

            // 3. Everything again in the World of now: signatures, keys, and the decision over all approvals that still hold.
            Arrived arrived;
            try
            {
                arrived = arrival.Check(office, await StoredEnvelope.Read(row.Header, row.Approvals, row.Manifest), said);
                Arrival.DemandInTime(arrived);
            }
            // Our own revocation lists are late: that says nothing about it, and no answer is final on it.
            catch (RefusedException e) when (e.Refusal == Refusal.RevocationUnknown) { return; }
            catch (RefusedException e)
            {
                if (await End(row, e.Refusal)) return;
                continue;
            }
            var decision = arrival.Decide(arrived);
            // What is denied for our own state only waits as well.
            if (decision.Verdict == Verdict.Hold || decision.IsPassing) return;
            if (decision.Verdict == Verdict.Deny)
            {
                if (await End(row, decision.ForSender ?? Refusal.Internal, decision)) return;
                continue;
            }

            // 4. ONE commit, the same that accepts any other. In AcceptDispatch.cs.
            var (outcome, _) = await accept.Commit(arrived, new(row.Id, row.Payload) { OfHeld = row }, decision);
            if (outcome != CommitOutcome.Done) continue;
            shared.Meters.Submissions.Add(1, new KeyValuePair<string, object?>("code", "OK"));
            return;
        }
    }

    /// <summary>What would be decided now; null: its outside does not hold now, or cannot be judged.</summary>
    public async Task<Decision?> DecisionNow(HeldRow row, IReadOnlyList<HeldApprovalRow> said)
    {
        try { return arrival.Decide(arrival.Check(row.Sender, await StoredEnvelope.Read(row.Header, row.Approvals, row.Manifest), said)); }
        catch (RefusedException) { return null; }
    }

    /// <summary>Ends those whose time is over, and looks at some of the others, in turn.</summary>
    public async Task Step(DateTimeOffset now)
    {
        IReadOnlyList<HeldRow> due, next;
        using (var reader = shared.Engine.Reader())
        {
            due = HeldTable.Due(reader, now.ToUnixTimeMilliseconds(), EndedAtOnce);
            next = HeldTable.After(reader, last, LookedAtOnce);
        }
        foreach (var row in due.Concat(next)) await Look(row.Sender, row.Envelope);
        last = next.Count < LookedAtOnce ? default : next[^1].Id;
    }

    async Task<bool> End(HeldRow row, Refusal reason, Decision? decision = null)
    {
        var now = shared.Clock.GetUtcNow();
        var record = decision is null ? null : DecisionRow.Of(decision.Record);
        var entry = LedgerEntry.Create(new RejectionDetail(row.Sender, row.Envelope, row.Ctx, reason.Code, record?.Digest) { Time = now.ToUnixTimeMilliseconds() });
        var receipt = shared.Evidence.Sign(ReceiptEvent.SubmissionRejection, reason.Code,
            new(row.Sender, row.Envelope, row.Ctx, row.ManifestDigest, null, null), entry, shared.Worlds.Current.Policy.Ref, now, HeaderOf(row).Dispatch.Signatures);

        // ONE commit. Before it: it waits on, and the next look ends it. After it: ended, the sender finds the receipt, and the bytes of its payload are in no row.
        var ended = await shared.Journal.Commit(b =>
        {
            if (!HeldTable.End(b, row, HeldState.Ended, reason.Code)) return false;
            b.Log(entry, EntryKind.Rejection, receipt.Content.Id).Add(ReceiptRows.Rejection(receipt) with { Held = row.Id });
            if (record is not null) b.Add(record);
            return true;
        }, receipt.Der.Length, settle: true);
        if (!ended) return false;

        // Only now the file. A crash before this leaves a blob that no row names: the blob sweep finishes it.
        shared.Blobs.Remove(row.Id);
        log.HeldWasEnded(row.Id, row.Sender, reason.Code);
        shared.Meters.Submissions.Add(1, new KeyValuePair<string, object?>("code", reason.Code));
        return true;
    }

    (HeldRow?, IReadOnlyList<HeldApprovalRow>) Read(string office, Guid envelope)
    {
        // Row and approvals of one moment: what is said in between changes the row's count, and the commit then finds that.
        using var reader = shared.Engine.Reader();
        return HeldTable.Find(reader, office, envelope) is { } row ? (row, HeldTable.Approvals(reader, row.Id)) : (null, []);
    }

    /// <summary>Verified when it was taken in.</summary>
    public static Header HeaderOf(HeldRow row) => Statement.Read(row.Header, StatementType.Header).As<Header>();
}

static partial class HoldingLog
{
    [LoggerMessage(2101, LogLevel.Warning, "What was held of {Office} as {Dispatch} ended: {Code}")]
    public static partial void HeldWasEnded(this ILogger log, Guid dispatch, string office, string code);

    [LoggerMessage(2102, LogLevel.Information, "A person of {Office} said {Act} to what is held as {Dispatch}")]
    public static partial void PersonSaid(this ILogger log, string office, string act, Guid dispatch);

    [LoggerMessage(2103, LogLevel.Warning, "A person's word of {Office} was refused: {Code} ({Detail})")]
    public static partial void WordWasRefused(this ILogger log, string office, string code, string detail);
}
