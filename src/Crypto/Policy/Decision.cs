using System.Text.Json;
using System.Text.Json.Serialization;

namespace Exchange.Crypto.Policy;

/// <summary>Strictest wins: Deny &lt; Hold &lt; Permit.</summary>
[JsonConverter(typeof(VerdictJson))]
public enum Verdict { Deny = 0, Hold = 1, Permit = 2 }

/// <summary>"permit", "hold", "deny".</summary>
sealed class VerdictJson : JsonConverter<Verdict>
{
    public static string Name(Verdict verdict) => verdict switch { Verdict.Permit => "permit", Verdict.Hold => "hold", _ => "deny" };

    public override Verdict Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString() switch
    {
        "permit" => Verdict.Permit,
        "hold" => Verdict.Hold,
        "deny" => Verdict.Deny,
        _ => throw new JsonException("verdict"),
    };

    public override void Write(Utf8JsonWriter writer, Verdict value, JsonSerializerOptions options) => writer.WriteStringValue(Name(value));
}

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
public sealed class Decision
{
    /// <summary>Of the rules as they are; a record of another engine does not replay.</summary>
    public const int Engine = 2;
    readonly CompiledPolicy policy;
    byte[]? record;
    Obligations? obligations;

    internal Decision(DecisionFacts? facts, CompiledPolicy policy) => (Facts, this.policy) = (facts, policy);

    /// <summary>As they were asked about; null: they could not be read.</summary>
    internal DecisionFacts? Facts { get; }

    public required Verdict Verdict { get; init; }
    /// <summary>Per recipient, in the order of the facts.</summary>
    public required IReadOnlyList<Verdict> PerRecipient { get; init; }
    public required IReadOnlyList<RuleResult> Trace { get; init; }
    /// <summary>What the sender is told when not Permit: the first deciding rule's refusal, or <see cref="Refusal.NotReleasable"/> when that is about the other side.</summary>
    public required Refusal? ForSender { get; init; }
    /// <summary>Ref of the policy that decided.</summary>
    public Digest Policy => policy.Ref;
    public required DateTimeOffset At { get; init; }
    /// <summary>What must be done besides; null: nothing, because it is denied.</summary>
    public Obligations? Obligations => obligations ??= Obligations.Of(Facts, policy, Verdict);
    /// <summary>RFC 8785 bytes of facts, trace, verdict, obligations, policy and time: what is stored and committed to in the ledger. Written when first asked for.</summary>
    public byte[] Record => record ??= DecisionRecord.Write(this);
    /// <summary>
    /// A denial in which all that denies is the gateway's own state: a directory or revocation data that are late, a store not approved, an earlier policy that cannot be read, a rule that
    /// failed; or any in which revocation is unknown, since then nobody knows what a clearance or a key is worth. Nothing leaves on it, and nothing ends on it: what was acknowledged waits until the gateway is well again.
    /// </summary>
    public bool IsPassing => Verdict == Verdict.Deny && (Trace.Any(r => r.Rule == "R17" && r.Refusal == Refusal.RevocationUnknown.Code) || Trace.All(r => r.Outcome != Verdict.Deny || OfTheGateway.Contains(r.Refusal) || r.Reason == AssuranceRules.EarlierUnknown));
    /// <summary>A hold in which all that holds is the gateway's own state: no other session and no person changes it, asking again later does.</summary>
    public bool IsHeldByGateway => Verdict == Verdict.Hold && Trace.All(r => r.Outcome == Verdict.Permit || OfTheGateway.Contains(r.Refusal));
    static readonly string?[] OfTheGateway = [Refusal.DirectoryLate.Code, Refusal.RevocationLate.Code, Refusal.StoreCeiling.Code, Refusal.Internal.Code];
    /// <summary>Exceptions that rules ended in, for the log and an alarm; not part of the record. Empty in all good times.</summary>
    public IReadOnlyList<Exception> Faults { get; init; } = [];

    /// <summary>Pure. All rules run, in a fixed order; an exception inside a rule is Deny for that rule.</summary>
    public static Decision Decide(DecisionFacts facts, CompiledPolicy policy, DateTimeOffset now) => Evaluation.Run(facts, policy, now, Evaluation.Rules);

    /// <summary>
    /// The verdict that <see cref="Decide"/> would give, and nothing to show for it: for lists and forecasts over many cases, never for what is acted on. Allocates nothing for
    /// a dispatch that is permitted.
    /// </summary>
    public static Verdict VerdictOf(DecisionFacts facts, CompiledPolicy policy, DateTimeOffset now) => Evaluation.Say(facts, policy, now, Evaluation.Rules);

    /// <summary>What a policy that was in force before says of facts of now; that it is not in force any more (R01) does not count against them, and what is only of this moment waits.</summary>
    public static Verdict UnderEarlier(DecisionFacts facts, CompiledPolicy policy, DateTimeOffset now)
    {
        var decision = Evaluation.Run(facts with { Earlier = new EarlierFacts(policy.Ref, null) }, policy, now, Evaluation.AfterItsTime);
        return decision.IsPassing ? Verdict.Hold : decision.Verdict;
    }

    /// <summary>Whether a stored record is what the policy of its ref says of its facts: true only for the very same bytes.</summary>
    public static bool Replay(ReadOnlySpan<byte> record, CompiledPolicy policy) => DecisionRecord.Replay(record, policy);

    /// <summary>A stored record's decision, made again; null: it is not what this policy says of its facts.</summary>
    public static Decision? Again(ReadOnlySpan<byte> record, CompiledPolicy policy) => DecisionRecord.Again(record, policy);

    /// <summary>The facts that a stored record was decided on: a later decision about the same dispatch starts from what was verified then. null: there were none.</summary>
    /// <exception cref="RefusedException"><see cref="Exchange.Crypto.Refusal.Json"/>: not a record.</exception>
    public static DecisionFacts? FactsOf(ReadOnlySpan<byte> record) => DecisionRecord.FactsOf(record);

    /// <summary>Ref of the policy that decided in a stored record.</summary>
    /// <exception cref="RefusedException"><see cref="Exchange.Crypto.Refusal.Json"/>: not a record.</exception>
    public static Digest PolicyOf(ReadOnlySpan<byte> record) => DecisionRecord.PolicyOf(record);

    /// <summary>
    /// RFC 8785 bytes of all that the sender may see: verdict, code, policy, time. Equal, byte for byte, for no such office, not cleared, keys held
    /// back and channel not approved.
    /// </summary>
    public byte[] PublicView() => DecisionRecord.View(this);
}
