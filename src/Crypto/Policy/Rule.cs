using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>One rule: a code that never changes meaning, and one pure judgement, of the dispatch or of each recipient.</summary>
sealed record Rule
{
    public required string Code { get; init; }
    public Func<RuleCase, Finding>? OfDispatch { get; init; }
    public Func<RuleCase, RecipientFacts, Finding>? OfRecipient { get; init; }
}

/// <summary>What a rule found.</summary>
/// <param name="Reason">Short code for policy officer and auditor; never shown to the sender when <paramref name="AboutOther"/>.</param>
readonly record struct Finding(Verdict Outcome, Refusal? Refusal, string? Reason, bool AboutOther)
{
    public static readonly Finding Permit = new(Verdict.Permit, null, null, false);

    /// <summary>Nothing to judge: another rule denies for the fact that is missing here, or the action does not have it.</summary>
    public static Finding NotEvaluated(string reason) => new(Verdict.Permit, null, "not-evaluated: " + reason, false);

    /// <summary>About the dispatch or the sender: he may know why.</summary>
    public static Finding Deny(Refusal refusal, string reason) => new(Verdict.Deny, refusal, reason, false);

    /// <summary>Waits for persons, and becomes a denial when they do not come.</summary>
    public static Finding Hold(Refusal refusal, string reason) => new(Verdict.Hold, refusal, reason, false);

    /// <summary>About the other side: whatever the reason, the sender sees one and the same answer.</summary>
    public static Finding DenyOther(string reason) => new(Verdict.Deny, Refusal.NotReleasable, reason, true);
}

/// <summary>What rules look at: facts, policy, time, and what follows from them. No I/O, no clock.</summary>
sealed class RuleCase(DecisionFacts facts, CompiledPolicy policy, DateTimeOffset now)
{
    public DecisionFacts Facts => facts;
    public CompiledPolicy Policy => policy;
    public DateTimeOffset Now => now;

    /// <summary>The label when it is one of this policy; numbers of other policies mean nothing here.</summary>
    public Label? Label { get; } = facts.Label is { } label && label.Policy == policy.Content.Policy ? label : null;
    /// <summary>The label's level; null: no label of this policy, or no such level.</summary>
    public PolicyLevel? Level { get; } = facts.Label is { } label && label.Policy == policy.Content.Policy ? policy.Level(label.Class) : null;

    /// <summary>The dispatch comes in now; later actions are about one that was taken in before.</summary>
    public bool IsNew => facts.Action is "submit" or "forward" or "dry-run";
    public bool IsDryRun => facts.Action == "dry-run";

    /// <summary>A rule threw: its code.</summary>
    public string? Failed { get; set; }

    public bool IsHeld(DateTimeOffset? heldUntil) =>
        heldUntil is { } until && Level is not { HoldNewCards: false } && until.ToUnixTimeMilliseconds() > now.ToUnixTimeMilliseconds();

    /// <summary>What is missing for this clearance to cover the label now; null: nothing.</summary>
    public string? Lacks(Clearance? clearance)
    {
        if (clearance is null) return "clearance";
        if (!Lattice.InForce(clearance, now)) return "clearance-not-in-force";
        return Label is null ? "label" : Lattice.Lacks(policy, clearance, Label);
    }
}
