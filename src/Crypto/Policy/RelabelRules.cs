using System.Globalization;
using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>
/// Rules about changing a label (R13 to R15). Nothing ends by itself: what a term or a signed succession allows is a change of the label, decided and recorded like any
/// other, and until then the old one protects.
/// </summary>
static class RelabelRules
{
    public const string Person = "person", Term = "term", Succession = "succession";

    // R13: one person who may classify at the new level and is cleared for both labels raises, at once.
    public static Finding Raised(RuleCase c)
    {
        if (c.Doing != Doing.Relabel) return Finding.NotThisAction;
        if (c.Facts.Relabel is not { } change) return Finding.Deny(Refusal.RelabelPersons, "relabel-unknown");
        if (change.Cause != Person) return Finding.ByTime;
        if (c.Level is null) return Finding.NoLevel;
        if (!Raises(c, change)) return Finding.IsLowered;
        foreach (var person in change.Persons)
            if (person.Roles.AsSpan().ContainsAny(c.Level.AuthorRoles) && c.Lacks(person.Clearance, change.Old) is null && c.Lacks(person.Clearance) is null)
                return Finding.Permit;
        return Finding.Deny(Refusal.RelabelPersons, "person");
    }

    // R14: whoever lowers, or makes protection end sooner, is two, one of them of the originating office, both cleared at the old level; with a reason, pointing at the old label.
    public static Finding Lowered(RuleCase c)
    {
        if (c.Doing != Doing.Relabel) return Finding.NotThisAction;
        if (c.Facts.Relabel is not { } change) return Finding.Deny(Refusal.RelabelPersons, "relabel-unknown");
        if (change.Cause != Person) return Finding.ByTime;
        if (c.Level is null) return Finding.NoLevel;
        if (Raises(c, change)) return Finding.IsRaised;
        if (OldLevel(c, change) is not { } old) return Finding.Deny(Refusal.RelabelPersons, "old-label");
        if (string.IsNullOrWhiteSpace(change.Reason)) return Finding.Deny(Refusal.RelabelPersons, "reason");
        if (change.Previous is null) return Finding.Deny(Refusal.RelabelPersons, "previous");
        var able = new List<RelabelPerson>();
        foreach (var person in change.Persons)
            if (MayLower(c, change, old, person)) able.Add(person);
        return ByTwo(change, able);
    }

    static bool MayLower(RuleCase c, RelabelFacts change, PolicyLevel old, RelabelPerson person) =>
        (person.Roles.AsSpan().ContainsAny(old.AuthorRoles) || person.Roles.AsSpan().ContainsAny(old.Handling.Release.Roles)) && c.Lacks(person.Clearance, change.Old) is null;

    static Finding ByTwo(RelabelFacts change, List<RelabelPerson> able)
    {
        if (able.Count == 0) return Finding.Deny(Refusal.RelabelPersons, "person");
        if (able.DistinctBy(p => p.Person).Count() < 2) return Finding.Hold(Refusal.RelabelPersons, "second-person");
        return able.Exists(p => p.Office == change.Originator) ? Finding.Permit : Finding.Hold(Refusal.RelabelPersons, "originating-office");
    }

    // R15: by time only at a time signed in label or policy, on a sure clock, and not while an extension or a stop lies on it. A new label's term is in the law's.
    public static Finding InTime(RuleCase c)
    {
        if (c.Doing == Doing.Relabel && c.Facts.Relabel is not { Cause: Person }) return c.Facts.Relabel is { } change ? EndedByTime(c, change) : Finding.Deny(Refusal.LabelTerm, "relabel-unknown");
        if (!c.ChoosesLabel) return Finding.NotThisAction;
        if (c.Level is null) return Finding.NoLevel;
        if (c.Label!.Term is not { } term) return Finding.Permit;
        if (term <= c.At) return Finding.Deny(Refusal.LabelTerm, "ended");
        return LawEnd(c.Level, c.Doing == Doing.Relabel ? c.Facts.Relabel!.LabelledAt : c.At) is { } longest && term > Later(longest, c.Facts.Relabel?.Extension) ? Finding.Deny(Refusal.LabelTerm, "beyond-law") : Finding.Permit;
    }

    static Finding EndedByTime(RuleCase c, RelabelFacts change)
    {
        if (c.Facts.ClockSure != true) return Finding.Deny(Refusal.LabelTerm, "clock");
        if (change.Stopped) return Finding.Deny(Refusal.LabelTerm, "stopped");
        long? end;
        if (change.Cause == Succession) end = change.SuccessionAt;
        else if (change.Cause != Term || OldLevel(c, change) is not { } old) return Finding.Deny(Refusal.LabelTerm, "cause");
        else
        {
            end = change.Old.Term ?? LawEnd(old, change.LabelledAt);
            // A term ends protection altogether; to anything in between only persons or a signed succession lead.
            if (c.Label is null || c.Policy.Rank(c.Label.Class) != 0) return Finding.Deny(Refusal.LabelTerm, "level");
        }
        if (end is not { } at) return Finding.Deny(Refusal.LabelTerm, "no-end");
        return c.At < Later(at, change.Extension) ? Finding.Deny(Refusal.LabelTerm, "early") : Finding.Permit;
    }

    /// <summary>Everything that the old label demands is demanded by the new one, for as long.</summary>
    static bool Raises(RuleCase c, RelabelFacts change)
    {
        if (!Lattice.Dominates(c.Policy, c.Label!, change.Old)) return false;
        if (c.Label!.Term == change.Old.Term) return true;
        return c.Label.Term is not { } sooner || (change.Old.Term is { } before && sooner >= before);
    }

    static PolicyLevel? OldLevel(RuleCase c, RelabelFacts change) => change.Old.Policy == c.Policy.Content.Policy ? c.Policy.Level(change.Old.Class) : null;

    static long Later(long end, long? extension) => extension is { } longer && longer > end ? longer : end;

    /// <summary>End of the term that was law on the day of labelling; null: the level has none. At the whole millisecond of that day's time, never before.</summary>
    static long? LawEnd(PolicyLevel level, long labelledAt)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(labelledAt);
        var day = DateOnly.FromDateTime(at.UtcDateTime);
        var term = Array.FindLast(level.Handling.Terms, t => DateOnly.ParseExact(t.From, "yyyy-MM-dd", CultureInfo.InvariantCulture) <= day);
        return term is null ? null : at.AddYears(term.Years).ToUnixTimeMilliseconds();
    }
}
