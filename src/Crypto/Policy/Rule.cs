using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>One rule: a code that never changes meaning, and one pure judgement, of the dispatch or of each recipient.</summary>
sealed record Rule
{
    public const string Dispatch = "dispatch";
    RuleResult? usual;

    public required string Code { get; init; }
    public Func<RuleCase, Finding>? OfDispatch { get; init; }
    public Func<RuleCase, RecipientFacts, Finding>? OfRecipient { get; init; }
    /// <summary>Judges what the other rules found, so it runs after them; in the trace it stands in its place all the same.</summary>
    public bool OfTheOthers { get; init; }

    /// <summary>As a line of the trace. Most say the same each time: that one is kept.</summary>
    public RuleResult Result(Finding found)
    {
        var known = usual;
        if (known is not null && known.Outcome == found.Outcome && found.Refusal is null && (object?)known.Reason == found.Reason && known.AboutOther == found.AboutOther) return known;
        var fresh = Result(found, Dispatch);
        if (found.Refusal is null) usual = fresh;
        return fresh;
    }

    public RuleResult Result(Finding found, string subject) => new(Code, found.Outcome, found.Refusal?.Code, subject, found.AboutOther) { Reason = found.Reason };
}

/// <summary>What a rule found. Those that permit are kept and handed out again, one word each.</summary>
/// <param name="Reason">Short code for policy officer and auditor; never shown to the sender when <paramref name="AboutOther"/>.</param>
sealed record Finding(Verdict Outcome, Refusal? Refusal, string? Reason, bool AboutOther)
{
    public static readonly Finding Permit = new(Verdict.Permit, null, null, false);

    // Not evaluated: another rule denies for the fact that is missing here, or the action does not have what the rule is about.
    public static readonly Finding NotThisAction = NotEvaluated("action");
    public static readonly Finding NotInDryRun = NotEvaluated("dry-run");
    public static readonly Finding NoLabel = NotEvaluated("R02");
    public static readonly Finding NoLabelOfOurs = NotEvaluated("R01, R02");
    public static readonly Finding NoLevel = NotEvaluated("R01, R02, R04");
    public static readonly Finding NothingReferredTo = NotEvaluated("no-references");
    public static readonly Finding NotTranslated = NotEvaluated("not-translated");
    public static readonly Finding ByTime = NotEvaluated("by-time");
    public static readonly Finding ByPerson = NotEvaluated("by-person");
    public static readonly Finding IsRaised = NotEvaluated("R13");
    public static readonly Finding IsLowered = NotEvaluated("R14");
    public static readonly Finding NotAskedFor = NotEvaluated("policy");

    static Finding NotEvaluated(string reason) => new(Verdict.Permit, null, "not-evaluated: " + reason, false);

    /// <summary>About the dispatch or the sender: he may know why.</summary>
    public static Finding Deny(Refusal refusal, string reason) => new(Verdict.Deny, refusal, reason, false);

    /// <summary>Waits for persons or a time, and becomes a denial when they do not come.</summary>
    public static Finding Hold(Refusal refusal, string reason) => new(Verdict.Hold, refusal, reason, false);

    /// <summary>About the other side: whatever the reason, the sender sees one and the same answer.</summary>
    public static Finding DenyOther(string reason) => new(Verdict.Deny, Refusal.NotReleasable, reason, true);
}

/// <summary>The actions that decisions are made about. Unknown: R24 denies.</summary>
enum Doing { Unknown, Seal, Submit, Forward, DryRun, Release, Retry, Download, Relabel, Read }

/// <summary>What rules look at: facts, policy, time, and what follows from them. No I/O, no clock.</summary>
sealed class RuleCase
{
    public DecisionFacts Facts { get; private set; } = null!;
    public CompiledPolicy Policy { get; private set; } = null!;
    /// <summary>Unix milliseconds.</summary>
    public long At { get; private set; }

    /// <summary>The label when it is one of this policy; numbers of other policies mean nothing here.</summary>
    public Label? Label { get; private set; }
    /// <summary>The label's level; null: no label of this policy, or no such level.</summary>
    public PolicyLevel? Level { get; private set; }
    public Doing Doing { get; private set; }

    /// <summary>A rule threw: its code.</summary>
    public string? Failed { get; set; }
    /// <summary>What the rules found that ran before those about the others.</summary>
    public Verdict Others { get; set; }

    HashSet<string>? named;

    public RuleCase()
    {
    }

    public RuleCase(DecisionFacts facts, CompiledPolicy policy, DateTimeOffset now) => Begin(facts, policy, now);

    /// <summary>Another question with the same object.</summary>
    /// <param name="now">Only its whole milliseconds count: they are what the record holds.</param>
    public void Begin(DecisionFacts facts, CompiledPolicy policy, DateTimeOffset now)
    {
        (Facts, Policy, At, Failed, Others, named) = (facts, policy, now.ToUnixTimeMilliseconds(), null, Verdict.Permit, null);
        Label = facts.Label is { } label && label.Policy == policy.Content.Policy ? label : null;
        Level = Label is null ? null : policy.Level(Label.Class);
        Doing = facts.Action switch
        {
            "submit" => Doing.Submit,
            "release" => Doing.Release,
            "download" => Doing.Download,
            "retry" => Doing.Retry,
            "dry-run" => Doing.DryRun,
            "forward" => Doing.Forward,
            "seal" => Doing.Seal,
            "relabel" => Doing.Relabel,
            "read" => Doing.Read,
            _ => Doing.Unknown,
        };
    }

    /// <summary>Nothing is kept of the question.</summary>
    public void End() => (Facts, Policy, Label, Level, named) = (null!, null!, null, null, null);

    /// <summary>The dispatch comes in now.</summary>
    public bool IsNew => Doing is Doing.Submit or Doing.Forward or Doing.DryRun;
    /// <summary>A copy of one that was taken in before goes out.</summary>
    public bool IsCopy => Doing is Doing.Release or Doing.Retry or Doing.Download;
    /// <summary>About a dispatch and its recipients. An action that nobody knows is judged as one, besides being denied.</summary>
    public bool IsDispatch => Doing is Doing.Unknown || IsNew || IsCopy;
    /// <summary>A label is chosen now, so what is obsolete may not be.</summary>
    public bool ChoosesLabel => IsNew || Doing is Doing.Seal or Doing.Relabel;
    public bool IsDryRun => Doing == Doing.DryRun;
    /// <summary>Nothing is signed yet.</summary>
    public bool IsUnsigned => Doing is Doing.DryRun or Doing.Seal;

    public bool IsHeld(DateTimeOffset? heldUntil) => heldUntil is { } until && Level is not { HoldNewCards: false } && until.ToUnixTimeMilliseconds() > At;

    /// <summary>What is missing for this clearance to cover the label now; null: nothing.</summary>
    public string? Lacks(Clearance? clearance) => Label is null ? clearance is null ? "clearance" : !Lattice.InForce(clearance, At) ? "clearance-not-in-force" : "label" : Lacks(clearance, Label);

    public string? Lacks(Clearance? clearance, Label label)
    {
        if (clearance is null) return "clearance";
        return Lattice.InForce(clearance, At) ? Lattice.Lacks(Policy, clearance, label) : "clearance-not-in-force";
    }

    /// <summary>Whether a label bears a caveat, by itself or because its level always does.</summary>
    public bool Bears(Label label, string caveat) =>
        Array.IndexOf(label.Caveats, caveat) >= 0 || (label.Policy == Policy.Content.Policy && Policy.Level(label.Class) is { } level && Array.IndexOf(level.Handling.Caveats, caveat) >= 0);

    /// <summary>Whether all approvals name this office. A long list is looked up, so that thousands of names cost no millions of comparisons.</summary>
    public bool IsNamed(string office)
    {
        if (Facts.Named is not { Count: > 32 } many) return RecipientRules.Holds(Facts.Named, office);
        return (named ??= new(many, StringComparer.Ordinal)).Contains(office);
    }

    /// <summary>How many distinct persons have done this act, and not too long ago.</summary>
    public bool HaveTwo(string act)
    {
        Digest? first = null;
        for (var i = 0; i < Facts.Approvals.Count; i++)
        {
            var approval = Facts.Approvals[i];
            if (approval.Act != act || approval.NotAfter.ToUnixTimeMilliseconds() < At) continue;
            if (first is { } one && one != approval.Person) return true;
            first ??= approval.Person;
        }
        return false;
    }
}
