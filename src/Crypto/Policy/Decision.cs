using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>Strictest wins: Deny &lt; Hold &lt; Permit.</summary>
public enum Verdict { Deny = 0, Hold = 1, Permit = 2 }

/// <summary>What a decision is asked about. Gathered by the caller; the decision itself does no I/O.</summary>
public sealed record DecisionFacts
{
    /// <summary>"submit", "release", "retry", "forward", "download" or "dry-run".</summary>
    public required string Action { get; init; }
    /// <summary>null: none given.</summary>
    public required Label? Label { get; init; }
    /// <summary>The label was read from verified signed attributes, identical in all of them (R03). False in a dry run: R03 is then reported as not evaluated and does not deny.</summary>
    public required bool LabelVerified { get; init; }
    public required string Sender { get; init; }
    /// <summary>The sender's own standing: an office sends only what it may itself hold (R06). null: it has none.</summary>
    public required Clearance? SenderClearance { get; init; }
    public required IReadOnlyList<RecipientFacts> Recipients { get; init; }
    public required IReadOnlyList<ApprovalFacts> Approvals { get; init; }
    /// <summary>Sender's card is new and not yet signed by a previous key: until when it is held.</summary>
    public required DateTimeOffset? SenderHeldUntil { get; init; }
    /// <summary>Ref of the directory, of the standing and of the policy that the sender used.</summary>
    public required Digest Directory { get; init; }
    public required Digest Standing { get; init; }
    public required Digest SenderPolicy { get; init; }
}

/// <param name="Known">The office is in the directory and has standing.</param>
/// <param name="KeyCurrent">The header's key is a current encryption key of the office (R18).</param>
public sealed record RecipientFacts(string Office, string Role, bool Known, bool KeyCurrent, DateTimeOffset? HeldUntil, Clearance? Clearance, Clearance? ChannelCeiling);

/// <param name="Roles">Roles of the person who signed, from the sender's card.</param>
public sealed record ApprovalFacts(string Act, Digest Person, IReadOnlyList<string> Roles, DateTimeOffset NotAfter);

/// <param name="Rule">"R01" …</param>
/// <param name="Outcome">Of this rule.</param>
/// <param name="Refusal">Code when not Permit.</param>
/// <param name="Subject">What it is about: "dispatch" or an office code.</param>
/// <param name="AboutOther">True when the fact concerns the other side and must reach the sender only as E_NOT_RELEASABLE.</param>
public sealed record RuleResult(string Rule, Verdict Outcome, string? Refusal, string Subject, bool AboutOther)
{
    /// <summary>What was missing, as a short code ("class", "card-held", "not-evaluated: dry-run"); for policy officer and auditor.</summary>
    public string? Reason { get; init; }
}

/// <summary>The verdict and its explanation. The trace is the evaluation itself. Replays to the same bytes from the same facts, policy and time.</summary>
public sealed record Decision
{
    public required Verdict Verdict { get; init; }
    /// <summary>Per recipient, in the order of the facts.</summary>
    public required IReadOnlyList<Verdict> PerRecipient { get; init; }
    public required IReadOnlyList<RuleResult> Trace { get; init; }
    /// <summary>What the sender is told when not Permit: the first deciding rule's refusal, or <see cref="Refusal.NotReleasable"/> when that is about the other side.</summary>
    public required Refusal? ForSender { get; init; }
    /// <summary>Ref of the policy that decided.</summary>
    public required Digest Policy { get; init; }
    public required DateTimeOffset At { get; init; }
    /// <summary>RFC 8785 bytes of facts, trace, verdict, policy and time: what is stored and committed to in the ledger.</summary>
    public required byte[] Record { get; init; }
    /// <summary>Exceptions that rules ended in, for the log and an alarm; not part of the record. Empty in all good times.</summary>
    public IReadOnlyList<Exception> Faults { get; init; } = [];

    /// <summary>Pure. All rules run, in a fixed order; an exception inside a rule is Deny for that rule.</summary>
    public static Decision Decide(DecisionFacts facts, CompiledPolicy policy, DateTimeOffset now) => Evaluation.Run(facts, policy, now, Evaluation.Rules);

    /// <summary>Whether a stored record is what the policy of its ref says of its facts: true only for the very same bytes.</summary>
    public static bool Replay(ReadOnlySpan<byte> record, CompiledPolicy policy) => Evaluation.Replay(record, policy);

    /// <summary>The facts that a stored record was decided on: a later decision about the same dispatch starts from what was verified then. null: there were none.</summary>
    /// <exception cref="RefusedException"><see cref="Exchange.Crypto.Refusal.Json"/>: not a record.</exception>
    public static DecisionFacts? FactsOf(ReadOnlySpan<byte> record) => Evaluation.FactsOf(record);

    /// <summary>
    /// RFC 8785 bytes of all that the sender may see: verdict, code, policy, time. Equal, byte for byte, for no such office, not cleared, keys held
    /// back and channel not approved.
    /// </summary>
    public byte[] PublicView() => Evaluation.View(this);
}
