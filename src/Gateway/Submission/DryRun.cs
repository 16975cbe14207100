using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <summary>POST /dispatches/dry-run: would this be permitted? The same rules, the same answer, and logged: a question about the other side leaves a trace.</summary>
sealed class DryRun(Shared shared, Quotas quotas)
{
    readonly (Worlds Worlds, Journal Journal) store = (shared.Worlds, shared.Journal);
    readonly TimeProvider clock = shared.Clock;
    public const int MaxRecipients = 1000, MaxApprovals = 16;

    public async Task<DryRunAnswer> Ask(string office, Certificate session, DryRunRequest question)
    {
        quotas.DemandSubmission(office, clock.GetUtcNow());
        if (question.Recipients.Length is 0 or > MaxRecipients || question.Approvals is { Length: > MaxApprovals }) throw new RefusedException(Refusal.Request);
        if (question.Label is { } label) LabelForm.Check(label);

        // 1. Decide on the facts of now. Nothing is stored yet.
        var (world, now) = (store.Worlds.Current, clock.GetUtcNow());
        var facts = ReleaseFacts.OfDryRun(office, session, question.Label, question.Recipients.Select(r => (r.Office, r.Role ?? "to")), question.Approvals ?? [], world, now);
        var decision = Decision.Decide(shared.Circumstances.Complete(facts, world.Policy, now), world.Policy, now);
        var refusal = decision.Verdict == Verdict.Permit ? null : decision.ForSender ?? Refusal.Internal;

        // 2. Log it. A crash before: no answer, ask again.
        var record = DecisionRow.Of(decision.Record);
        var entry = LedgerEntry.Create(new DryRunDetail(office, refusal?.Code ?? "OK", record.Digest) { Time = now.ToUnixTimeMilliseconds() });
        await store.Journal.Commit(b => b.Log(entry, EntryKind.DryRun).Add(record) is not null, record.Record.Length);

        return new DryRunAnswer(decision.Verdict.ToString().ToLowerInvariant(),
            refusal is null ? null : new(refusal.Code, new(refusal.En, refusal.Vi), new(refusal.RemedyEn, refusal.RemedyVi)), world.Policy.Ref);
    }
}
