using System.Text.Json.Serialization;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Policy;

/// <summary>
/// What a new policy would decide otherwise than the one in force: every label, of either, to every clearance and channel of the standing, in every situation of <see cref="Situations"/>.
/// A function of the two policies and the standing alone, so that two officers and a gateway come to the same bytes, and to the same <see cref="Ref"/>.
/// </summary>
public sealed record PolicyDiff
{
    public const string TypeName = "policy-diff";

    /// <summary>In which a dispatch may be when it is decided, each of them asked about every label.</summary>
    public static IReadOnlyList<string> Situations { get; } = ["bare", "approved", "released-1", "released-2", "new-card", "under-way"];

    /// <summary>Asks at most so many times for one recipient: beyond, categories are left out, and the diff says so.</summary>
    public const int MaxQuestions = 120_000;

    public required int V { get; init; }
    public required string Type { get; init; }
    /// <summary>Ref of the policy in force.</summary>
    public required Digest Old { get; init; }
    public required Digest New { get; init; }
    /// <summary>Ref of the standing; null: every level up to which an office might be cleared, by every channel.</summary>
    public required Digest? Standing { get; init; }
    /// <summary>Verdicts compared.</summary>
    public required int Compared { get; init; }
    /// <summary>False: too many; labels with categories were left out, and then offices beyond the bound.</summary>
    public required bool Complete { get; init; }
    public required VerdictChange[] Verdicts { get; init; }
    /// <summary>Every member that differs, whether or not a verdict does.</summary>
    public required MemberChange[] Members { get; init; }

    /// <summary>What an approval of the activation names.</summary>
    [JsonIgnore] public Digest Ref => Digest.Of(Write());

    /// <summary>RFC 8785 bytes.</summary>
    public byte[] Write() => StrictJson.Write(this, PolicyDiffJson.Default.PolicyDiff);

    /// <param name="standing">As in force; null: see <see cref="Standing"/>.</param>
    public static PolicyDiff Between(CompiledPolicy old, CompiledPolicy @new, StandingStatement? standing) => new PolicyComparison(old, @new, standing).Run();
}

/// <summary>One way in which verdicts change, and where.</summary>
/// <param name="Level">Code of the level.</param>
/// <param name="Labels">Which labels of it: "" is the plain one, else tag set and value codes; "before:" or "after:" where the two policies make different labels.</param>
/// <param name="Situation">One of <see cref="PolicyDiff.Situations"/>.</param>
/// <param name="Offices">To whom, by office code, or by level and channel where there was no standing.</param>
public sealed record VerdictChange(string Level, string[] Labels, string Situation, VerdictWord Before, VerdictWord After, string[] Offices);

/// <param name="Verdict">"permit", "hold", "deny".</param>
/// <param name="Rule">That decided; null for permit.</param>
/// <param name="Reason">Its short code; null for permit.</param>
public sealed record VerdictWord(string Verdict, string? Rule, string? Reason);

/// <param name="Place">"levels.mat.handling.payloadDays".</param>
/// <param name="Before">JSON; null: not there.</param>
public sealed record MemberChange(string Place, string? Before, string? After);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PolicyDiff))]
sealed partial class PolicyDiffJson : JsonSerializerContext;

/// <summary>One comparison. Verdicts are the engine's (<see cref="Decision.Decide"/>), asked of both policies with the same facts.</summary>
sealed class PolicyComparison(CompiledPolicy old, CompiledPolicy @new, StandingStatement? standing)
{
    /// <param name="Text">As in <see cref="VerdictChange.Labels"/>.</param>
    sealed record Case(string Level, string Text, Label Label);

    readonly record struct Key(string Level, string Label, string Situation, VerdictWord Before, VerdictWord After);

    /// <summary>Offices that no decision can tell apart, asked about once.</summary>
    readonly List<(RecipientFacts Facts, List<string> Names)> recipients = [];
    readonly DateTimeOffset oldTime = PolicyProbe.TimeFor(old, @new.Content.NotBefore), newTime = PolicyProbe.TimeFor(@new, @new.Content.NotBefore);

    public PolicyDiff Run()
    {
        Recipients();
        var cases = Cases(categories: true);
        var complete = Questions(cases) <= PolicyDiff.MaxQuestions;
        if (!complete) cases = Cases(categories: false);
        if (Questions(cases) > PolicyDiff.MaxQuestions) recipients.RemoveRange(PolicyDiff.MaxQuestions / Questions(cases, 1), recipients.Count - (PolicyDiff.MaxQuestions / Questions(cases, 1)));
        var changes = new SortedDictionary<Key, SortedSet<string>>(Comparer<Key>.Create(Order));
        foreach (var one in cases)
            foreach (var situation in PolicyDiff.Situations) Compare(one, situation, changes);
        return new PolicyDiff
        {
            V = 1, Type = PolicyDiff.TypeName, Old = old.Ref, New = @new.Ref, Standing = standing is null ? null : Digest.Of(StrictJson.Write(standing, StatementJson.Default.StandingStatement)),
            Compared = (int)Questions(cases), Complete = complete, Verdicts = Group(changes), Members = PolicyMembers.Compare(old.Content, @new.Content),
        };
    }

    long Questions(List<Case> cases) => (long)Questions(cases, 1) * recipients.Count;
    static int Questions(List<Case> cases, int of) => cases.Count * PolicyDiff.Situations.Count * of;

    void Recipients()
    {
        var seen = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (name, facts) in standing is null ? Everybody() : standing.Offices.SelectMany(o => o.Channels.Select(c => (o.Code, Recipient(o.Clearance, c.Adapter, c.Ceiling, o.NeedToKnow)))))
        {
            var same = System.Text.Json.JsonSerializer.Serialize(facts);
            if (seen.TryGetValue(same, out var names)) { names.Add(name); continue; }
            recipients.Add((facts with { Office = $"R{recipients.Count}" }, seen[same] = [name]));
        }
    }

    IEnumerable<(string, RecipientFacts)> Everybody()
    {
        var most = old.Content.Levels.Length >= @new.Content.Levels.Length ? old : @new;
        for (var rank = 0; rank < most.Content.Levels.Length; rank++)
            foreach (var channel in Trust.DirectoryForm.Adapters.Order(StringComparer.Ordinal))
                yield return ($"{most.Content.Levels[rank].Code} by {channel}", Recipient(PolicyProbe.UpTo(most, rank), channel, PolicyProbe.UpTo(most, rank), []));
    }

    static RecipientFacts Recipient(Clearance clearance, string adapter, Clearance? ceiling, string[] needToKnow) =>
        PolicyProbe.Recipient("", "to", adapter, clearance, ceiling) with { Groups = needToKnow };

    List<Case> Cases(bool categories)
    {
        var cases = new List<Case>();
        foreach (var level in old.Content.Levels.Concat(@new.Content.Levels).DistinctBy(l => l.Code))
        {
            List<(string, Label)> before = [.. Labels(old, level.Code, categories)], after = [.. Labels(@new, level.Code, categories)];
            var both = before.Select(b => (b.Item1, Same(b.Item2))).Intersect(after.Select(a => (a.Item1, Same(a.Item2)))).ToHashSet();
            cases.AddRange(before.Select(b => new Case(level.Code, both.Contains((b.Item1, Same(b.Item2))) ? b.Item1 : "before:" + b.Item1, b.Item2)));
            cases.AddRange(after.Where(a => !both.Contains((a.Item1, Same(a.Item2)))).Select(a => new Case(level.Code, "after:" + a.Item1, a.Item2)));
        }
        return cases;

        static string Same(Label label) => System.Text.Json.JsonSerializer.Serialize(label);
    }

    /// <summary>The plain label of a level, and with each value of each tag set besides what is required; of a permissive set also "nobody".</summary>
    static IEnumerable<(string, Label)> Labels(CompiledPolicy policy, string code, bool categories)
    {
        if (policy.Level(code) is not { } level) yield break;
        var plain = PolicyLint.Sample(policy, level, null) ?? policy.NewLabel(code, "1");
        yield return ("", plain with { Basis = null });
        foreach (var set in categories ? policy.Content.TagSets : [])
        {
            var others = plain.Categories.Where(c => c.Tag != set.Tag).ToList();
            foreach (var value in set.Values)
                yield return ($"{set.Tag} {value.Code}", policy.NewLabel(code, null, [.. others, new Category { Type = set.Type, Tag = set.Tag, Values = [value.Value] }]));
            if (set.Type == "permissive") yield return ($"{set.Tag} nobody", policy.NewLabel(code, null, [.. others, new Category { Type = set.Type, Tag = set.Tag, Values = [] }]));
            if (set.RequiredOn.Contains(level.Class)) yield return ($"{set.Tag} absent", policy.NewLabel(code, null, others));
        }
    }

    void Compare(Case one, string situation, SortedDictionary<Key, SortedSet<string>> changes)
    {
        Decision Ask(CompiledPolicy policy, DateTimeOffset now) => Decision.Decide(FactsOf(one.Label, situation, policy, now), policy, now);
        var (before, after) = (Ask(old, oldTime), Ask(@new, newTime));
        for (var i = 0; i < recipients.Count; i++)
        {
            // A reason that changes is told with the verdict; a denial that only has another reason is none.
            if (VerdictFor(before, i) == VerdictFor(after, i)) continue;
            var key = new Key(one.Level, one.Text, situation, Word(before, i), Word(after, i));
            if (!changes.TryGetValue(key, out var names)) changes[key] = names = new SortedSet<string>(StringComparer.Ordinal);
            names.UnionWith(recipients[i].Names);
        }
    }

    DecisionFacts FactsOf(Label label, string situation, CompiledPolicy policy, DateTimeOffset now)
    {
        var (roles, release) = (Union(l => l.Approvals), Union(l => l.Handling.Release.Roles));
        var late = DateTimeOffset.FromUnixTimeMilliseconds(LabelForm.MaxTime);
        ApprovalFacts Person(string act, string who, string[] has) => new(act, Digest.Of(System.Text.Encoding.UTF8.GetBytes(who)), has, late);
        var approvals = roles.Select(r => Person("send", r, [r])).Concat(Enumerable.Range(1, situation is "bare" or "approved" ? 0 : situation == "released-1" ? 1 : 2).Select(n => Person("release", $"release {n}", release)));
        return PolicyProbe.Facts(policy, situation == "bare" ? label : label with { Basis = "1" }, [.. recipients.Select(r => situation == "new-card" ? r.Facts with { HeldUntil = late } : r.Facts)], now) with
        {
            Action = situation == "under-way" ? "release" : "submit", Approvals = situation == "bare" ? [] : [.. approvals],
        };
    }

    string[] Union(Func<PolicyLevel, string[]> roles) => [.. old.Content.Levels.Concat(@new.Content.Levels).SelectMany(roles).Distinct().Order(StringComparer.Ordinal)];

    // Facts that the engine could not read are a no to everybody.
    static Verdict VerdictFor(Decision decision, int recipient) => recipient < decision.PerRecipient.Count ? decision.PerRecipient[recipient] : Verdict.Deny;

    VerdictWord Word(Decision decision, int recipient)
    {
        var verdict = VerdictFor(decision, recipient);
        var name = verdict switch { Verdict.Permit => "permit", Verdict.Hold => "hold", _ => "deny" };
        if (verdict == Verdict.Permit) return new(name, null, null);
        var deciding = decision.Trace.FirstOrDefault(r => r.Outcome == verdict && (r.Subject == "dispatch" || r.Subject == recipients[recipient].Facts.Office));
        return new(name, deciding?.Rule, deciding?.Reason);
    }

    /// <summary>Labels with the same change to the same offices are one line.</summary>
    static VerdictChange[] Group(SortedDictionary<Key, SortedSet<string>> changes) =>
        [.. changes.GroupBy(c => (c.Key.Level, c.Key.Situation, c.Key.Before, c.Key.After, Offices: string.Join('\n', c.Value)))
            .Select(g => new VerdictChange(g.Key.Level, [.. g.Select(c => c.Key.Label)], g.Key.Situation, g.Key.Before, g.Key.After, [.. g.First().Value]))];

    int Order(Key a, Key b)
    {
        int Place(string code) => Array.FindIndex(@new.Content.Levels, l => l.Code == code);
        static string Text(Key k) => $"{k.Label}\n{k.Before}\n{k.After}";
        var order = Place(a.Level).CompareTo(Place(b.Level));
        if (order == 0) order = string.CompareOrdinal(a.Level, b.Level);
        if (order == 0) order = Index(a.Situation).CompareTo(Index(b.Situation));
        return order != 0 ? order : string.CompareOrdinal(Text(a), Text(b));
        static int Index(string situation) => PolicyDiff.Situations.ToList().IndexOf(situation);
    }
}
