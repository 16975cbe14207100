using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;

namespace Exchange.Tests.Policy;

/// <summary>What the second engine says.</summary>
/// <param name="PerRecipient">In the order of the facts.</param>
/// <param name="Rules">Each rule's own verdict, in the order of the trace: R07 to R09 once for each recipient.</param>
sealed record Judgement(Verdict Verdict, Verdict[] PerRecipient, string[] Rules);

/// <summary>
/// The decision written a second time, from the specification alone (rules R01 to R25) and without looking at the engine: sets, no order, no speed, no reasons.
/// It judges every case in these tests.
/// </summary>
sealed class ReferenceDecision(DecisionFacts f, PolicyStatement policy, Digest reference, DateTimeOffset now)
{
    const Verdict Permit = Verdict.Permit, Hold = Verdict.Hold, Deny = Verdict.Deny;
    readonly long at = now.ToUnixTimeMilliseconds();

    public static Judgement Judge(DecisionFacts facts, CompiledPolicy policy, DateTimeOffset now) => new ReferenceDecision(facts, policy.Content, policy.Ref, now).Judge();

    bool Comes => f.Action is "submit" or "forward" or "dry-run";
    bool Goes => f.Action is "release" or "retry" or "download";
    bool Known => Comes || Goes || f.Action is "seal" or "relabel" or "read";
    bool Carries => Comes || Goes || !Known;
    bool LabelIsNew => Comes || f.Action is "seal" or "relabel";

    Label? Own => f.Label is { } l && l.Policy == policy.Policy ? l : null;
    PolicyLevel? Level(Label? l) => l is null || l.Policy != policy.Policy ? null : policy.Levels.SingleOrDefault(x => x.Class == l.Class);
    PolicyLevel? Mine => Level(Own);

    Judgement Judge()
    {
        var rules = new List<(string Rule, Verdict Says)>
        {
            ("R01", R01()), ("R02", R02()), ("R03", R03()), ("R04", R04()), ("R05", R05()), ("R06", R06()), ("R10", R10()), ("R11", R11()), ("R12", R12()), ("R13", R13()), ("R14", R14()),
            ("R15", R15()), ("R16", R16()), ("R17", R17()), ("R18", R18()), ("R19", R19()), ("R20", R20()), ("R21", R21()), ("R23", R23()), ("R25", R25()),
        };
        (string Rule, Verdict[] Each)[] others = [("R07", [.. f.Recipients.Select(R07)]), ("R08", [.. f.Recipients.Select(R08)]), ("R09", [.. f.Recipients.Select(R09)])];
        rules.Add(("R22", R22(rules.Select(r => r.Says).Concat(others.SelectMany(o => o.Each)).Min())));
        rules.Add(("R24", R24()));
        var dispatch = rules.Min(r => r.Says);
        foreach (var (rule, each) in others) rules.AddRange(each.Select(says => (rule, says)));
        return new(rules.Min(r => r.Says), [.. f.Recipients.Select((_, i) => others.Select(o => o.Each[i]).Append(dispatch).Min())],
            [.. rules.OrderBy(r => r.Rule, StringComparer.Ordinal).Select(r => $"{r.Rule} {r.Says}")]);
    }

    static Verdict If(bool good, Verdict otherwise = Deny) => good ? Permit : otherwise;

    Verdict R01() => If(policy.NotBefore <= at && at < policy.NotAfter && (f.Label is null || Own is not null));

    Verdict R02() => If(f.Label is not null && !(Mine is { BasisRequired: true } && f.Label.Basis is null));

    Verdict R03()
    {
        if (f.Label is null) return Permit;
        try { LabelForm.Check(f.Label); }
        catch (RefusedException) { return Deny; }
        return If(f.LabelVerified || f.Action is "dry-run" or "seal");
    }

    Verdict R04() => If(Own is null || (Mine is { } level && level.Mark == Own.Mark && !(level.Obsolete && LabelIsNew)));

    Verdict R05()
    {
        if (Own is not { } l) return Permit;
        var known = policy.TagSets.SelectMany(t => t.Values.Select(v => (t.Type, t.Tag, v.Value, v.Obsolete))).ToList();
        foreach (var c in l.Categories)
            if (!policy.TagSets.Any(t => t.Tag == c.Tag && t.Type == c.Type) || !c.Values.All(v => known.Exists(k => k.Type == c.Type && k.Tag == c.Tag && k.Value == v && !(k.Obsolete && LabelIsNew)))) return Deny;
        if (policy.TagSets.Any(t => t.RequiredOn.Contains(l.Class) && !l.Categories.Any(c => c.Tag == t.Tag && c.Values.Length > 0))) return Deny;
        return If(!LabelIsNew || Mine is null || !Mine.Handling.Caveats.Except(l.Caveats).Any());
    }

    Verdict R06()
    {
        if (!Carries || Mine is not { } level) return Permit;
        if (!Reads(f.SenderClearance, Own!) || (level.HoldNewCards && f.SenderHeldUntil > now)) return Deny;
        bool Counts(ApprovalFacts a) => !Comes || a.NotAfter.ToUnixTimeMilliseconds() >= at;
        var sends = f.Approvals.Where(a => a.Act == "send" && Counts(a)).ToList();
        // Distinct persons for distinct roles: some way of giving each role one of its persons, nobody twice. A dry run knows no persons.
        bool Fill(IEnumerable<string> roles, HashSet<Digest> used) => !roles.Any() || sends.Exists(a =>
            a.Roles.Contains(roles.First()) && (f.Action == "dry-run" || !used.Contains(a.Person)) && Fill(roles.Skip(1), [.. used, a.Person]));
        if (!Fill(level.Approvals, [])) return Deny;
        var releases = f.Approvals.Where(a => a.Act == "release" && a.Roles.Intersect(level.Handling.Release.Roles).Any()).ToList();
        var persons = f.Action == "dry-run" ? releases.Count : releases.Where(Counts).Select(a => a.Person).ToHashSet().Count;
        return If(persons >= level.Handling.Release.Persons, Hold);
    }

    Verdict R07(RecipientFacts r) => If(!Carries || (new[] { "to", "cc", "self", "recovery" }.Contains(r.Role) && (r.Role != "self" || r.Office == f.Sender) && r.Known
        && Own is { } l && Reads(r.Clearance, l) && !(Mine is not { HoldNewCards: false } && r.HeldUntil > now)));

    Verdict R08(RecipientFacts r)
    {
        if (!Carries || r.Role is "self" or "recovery") return Permit;
        if (f.NeedToKnow is not null && !f.NeedToKnow.Intersect(r.Groups ?? []).Any()) return Deny;
        return If(Own is null || !Caveats(Own).Contains("named-only") || (f.Named ?? []).Contains(r.Office));
    }

    Verdict R09(RecipientFacts r)
    {
        if (!Carries) return Permit;
        if (r.Channel is null || (Mine is not null && !Mine.Handling.Channels.Contains(r.Channel)) || Own is not { } l) return Deny;
        return r.ChannelCeiling is null ? If(l.Class == policy.Levels[0].Class && l.Categories.All(c => c.Type == "informative")) : If(Reads(r.ChannelCeiling, l));
    }

    Verdict R10() => If(!Carries || Mine is null || Reads(f.StoreCeiling, Own!));

    Verdict R11()
    {
        if (!Comes) return Permit;
        var forwarded = (f.References ?? []).Where(r => r.Relation == "forward").ToList();
        if (f.Action == "forward" && forwarded.Count == 0) return Deny;
        foreach (var original in forwarded.Where(o => o.Originator != f.Sender))
        {
            if (original.Label is null) return Deny;
            var caveats = Caveats(original.Label);
            if (caveats.Contains("no-forward")) return Deny;
            var outside = f.Recipients.Where(r => r.Role != "self").Select(r => r.Office).Except([original.Originator ?? ""]).Except(original.Released ?? []);
            if (caveats.Contains("originator-control") && outside.Any()) return Deny;
        }
        return Permit;
    }

    Verdict R12()
    {
        if (!Comes) return Permit;
        if (f.References is null) return If(f.Action == "dry-run");
        if (Own is null) return Permit;
        var parts = f.References.Select(r => r.Label).OfType<Label>().ToList();
        return If(parts.All(p => Below(p, Own)) || TwoPersons("carries-nothing"), Hold);
    }

    Verdict R13()
    {
        if (f.Action != "relabel") return Permit;
        if (f.Relabel is not { } change) return Deny;
        if (change.Cause != "person" || Mine is null || !IsRaise(change)) return Permit;
        return If(change.Persons.Any(p => p.Roles.Intersect(Mine.AuthorRoles).Any() && Reads(p.Clearance, change.Old) && Reads(p.Clearance, Own!)));
    }

    Verdict R14()
    {
        if (f.Action != "relabel") return Permit;
        if (f.Relabel is not { } change) return Deny;
        if (change.Cause != "person" || Mine is null || IsRaise(change)) return Permit;
        if (Level(change.Old) is not { } old || change.Previous is null || (change.Reason ?? "").Trim().Length == 0) return Deny;
        var able = change.Persons.Where(p => p.Roles.Intersect(old.AuthorRoles.Union(old.Handling.Release.Roles)).Any() && Reads(p.Clearance, change.Old)).ToList();
        var distinct = able.Select(p => p.Person).ToHashSet().Count;
        if (distinct == 0) return Deny;
        return If(distinct >= 2 && able.Exists(p => p.Office == change.Originator), Hold);
    }

    Verdict R15()
    {
        if (f.Action == "relabel" && f.Relabel is null) return Deny;
        if (f.Action == "relabel" && f.Relabel!.Cause != "person")
        {
            var change = f.Relabel;
            long? end = change.Cause switch
            {
                "succession" => change.SuccessionAt,
                "term" when Level(change.Old) is { } old && Own?.Class == policy.Levels[0].Class => change.Old.Term ?? LawfulEnd(old, change.LabelledAt),
                _ => null,
            };
            return If(f.ClockSure == true && !change.Stopped && end is { } signed && at >= signed && !(change.Extension > at));
        }
        if (!LabelIsNew || Mine is null || Own!.Term is not { } term) return Permit;
        var longest = LawfulEnd(Mine, f.Action == "relabel" ? f.Relabel!.LabelledAt : at);
        return If(term > at && (longest is null || term <= longest || term <= f.Relabel?.Extension));
    }

    Verdict R16() => If(!Goes || f.NotBefore is null || (f.ClockSure == true && now >= f.NotBefore), Hold);

    Verdict R17()
    {
        if (!Carries || Mine is null) return Permit;
        Verdict Age(long? since, PolicyFreshness may) => since is not { } asOf ? Deny
            : asOf <= at && asOf >= at - (60_000L * may.MaxMinutes) ? Permit : may.Late == "permit" ? Permit : may.Late == "hold" ? Hold : Deny;
        List<Verdict> says = [Age(f.DirectoryAsOf?.ToUnixTimeMilliseconds(), Mine.Handling.Directory)];
        if (f.Revocation?.Known == false) says.Add(Deny);
        if (Mine.Handling.Revocation is { } may) says.Add(Age(f.Revocation?.AsOf, may));
        return says.Min();
    }

    Verdict R18()
    {
        if (!Carries) return Permit;
        var named = (Mine?.Handling.Recovery ?? []).ToHashSet();
        var recovery = f.Recipients.Where(r => r.Role == "recovery").ToList();
        if (recovery.Exists(r => r.Key is not { } k || !named.Contains(k))) return Deny;
        if (f.Action == "dry-run") return Permit;
        if (Comes && (recovery.Count != named.Count || !named.SetEquals(recovery.Select(r => r.Key!.Value)))) return Deny;
        if (Comes && Mine?.Handling.Self is { } keeps && keeps != f.Recipients.Select(r => r.Role).Contains("self")) return Deny;
        return If(f.Recipients.All(r => r.Key is not null && r.KeyCurrent));
    }

    Verdict R19() => If(f.Action is not ("submit" or "forward") || Mine is null || (f.Sizes is { } s && s.Manifest % Mine.ManifestBucket == 0 && s.Payload % Mine.PayloadBucket == 0));

    Verdict R20()
    {
        if (f.Action != "seal" || Mine is null) return Permit;
        if (f.Floor is null) return Deny;
        if (f.Floor.Class is not { } proposed) return Permit;
        var order = policy.Levels.Select(l => l.Class).ToList();
        if (!order.Contains(proposed)) return Deny;
        return If(order.IndexOf(Own!.Class) >= order.IndexOf(proposed) || TwoPersons("below-floor"), Hold);
    }

    Verdict R21() => !Goes ? Permit : f.Earlier is null ? Deny : f.Earlier.Policy == reference ? Permit : f.Earlier.Verdict ?? Deny;

    Verdict R22(Verdict others) => If(!(Carries || f.Action == "relabel") || Mine is not { Handling.SecondOpinion: true } || f.SecondOpinion == others);

    Verdict R23() => If(f.Action != "read" || (Own is not null && Reads(f.Reader, Own)));

    Verdict R24() => If(Known && (!Carries || f.Recipients.Any(r => r.Role is "to" or "cc")));

    Verdict R25() => If(f.Translation is null || (policy.Translators ?? []).Contains(f.Translation.Translator));

    bool TwoPersons(string act) => f.Approvals.Where(a => a.Act == act && a.NotAfter.ToUnixTimeMilliseconds() >= at).Select(a => a.Person).Distinct().Count() >= 2;

    HashSet<string> Caveats(Label l) => [.. l.Caveats, .. Level(l)?.Handling.Caveats ?? []];

    bool IsRaise(RelabelFacts change) => Below(change.Old, Own!) && (Own!.Term ?? long.MaxValue) >= (change.Old.Term ?? long.MaxValue);

    static long? LawfulEnd(PolicyLevel level, long from)
    {
        var day = DateTimeOffset.FromUnixTimeMilliseconds(from).UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        var law = level.Handling.Terms.Where(t => string.CompareOrdinal(t.From, day) <= 0).OrderBy(t => t.From, StringComparer.Ordinal).LastOrDefault();
        return law is null ? null : DateTimeOffset.FromUnixTimeMilliseconds(from).AddYears(law.Years).ToUnixTimeMilliseconds();
    }

    // Section 6.5, with sets.
    public bool Below(Label low, Label high)
    {
        var order = policy.Levels.Select(l => l.Class).ToList();
        if (low.Policy != policy.Policy || high.Policy != policy.Policy || order.IndexOf(low.Class) < 0 || order.IndexOf(high.Class) < order.IndexOf(low.Class)) return false;
        static HashSet<int> Restrictive(Label l, string tag) => [.. l.Categories.Where(c => c.Type == "restrictive" && c.Tag == tag).SelectMany(c => c.Values)];
        static HashSet<int>? Permissive(Label l, string tag) => l.Categories.Any(c => c.Type == "permissive" && c.Tag == tag) ? [.. l.Categories.Where(c => c.Type == "permissive" && c.Tag == tag).SelectMany(c => c.Values)] : null;
        var tags = low.Categories.Concat(high.Categories).Select(c => c.Tag).Distinct().ToList();
        return tags.TrueForAll(t => Restrictive(low, t).IsSubsetOf(Restrictive(high, t)))
            && tags.TrueForAll(t => Permissive(low, t) is not { } limit || (Permissive(high, t) is { } less && less.IsSubsetOf(limit)))
            && !low.Caveats.Except(high.Caveats).Any();
    }

    public bool Reads(Clearance? k, Label label)
    {
        if (k is null || k.Policy != label.Policy || policy.Levels.All(l => l.Class != label.Class) || k.ValidFrom > at || k.ValidTo <= at || !k.Classes.ToHashSet().Contains(label.Class)) return false;
        var held = k.Categories.SelectMany(c => c.Values.Select(v => (c.Type, c.Tag, v))).ToHashSet();
        return label.Categories.All(c => c.Type switch
        {
            "restrictive" => c.Values.All(v => held.Contains(("restrictive", c.Tag, v))),
            "permissive" => c.Values.Any(v => held.Contains(("permissive", c.Tag, v))),
            _ => c.Type == "informative",
        });
    }
}
