using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

/// <summary>P6, without chance: every label of the policy's four levels against every clearance, in every place where a clearance counts.</summary>
public sealed class FourLevelSpaceTests
{
    static readonly int[] Classes = [10, 20, 30, 40];

    // No limit, nobody, and each group.
    static readonly Category[][] Limits = [[], .. Subsets([1, 2]).Select(v => new[] { Policies.Permissive(v) })];

    static readonly Label[] Labels =
    [
        .. from level in Policies.Vietnam.Content.Levels from limit in Limits from fields in Subsets([1, 2]) from caveats in new string[][] { [], ["originator-control"] }
           select Policies.Vietnam.NewLabel(level.Code, "1", fields.Length == 0 ? limit : [.. limit, Policies.Restrictive(fields)], caveats),
    ];

    static readonly Clearance[] Clearances =
    [
        .. from classes in Subsets(Classes) from groups in Subsets([1, 2]) from fields in Subsets([1, 2])
           select Policies.Clearance(classes, [.. new[] { Policies.Permissive(groups), Policies.Restrictive(fields) }.Where(c => c.Values.Length > 0)]),
    ];

    /// <summary>Where a clearance counts, for every action that looks there.</summary>
    static readonly (string Action, Func<DecisionFacts, Clearance, DecisionFacts> With)[] Places =
    [
        .. from action in new[] { "submit", "forward", "dry-run", "release", "retry", "download" }
           from with in new Func<DecisionFacts, Clearance, DecisionFacts>[]
           {
               (f, k) => f with { Recipients = [f.Recipients[0] with { Clearance = k }] }, (f, k) => f with { Recipients = [f.Recipients[0] with { ChannelCeiling = k }] },
               (f, k) => f with { SenderClearance = k }, (f, k) => f with { StoreCeiling = k },
           }
           select (action, with),
        ("read", (f, k) => f with { Reader = k }),
        ("relabel", (f, k) => f with { Relabel = f.Relabel! with { Persons = [new(FactsGen.Key(1), "G22", ["signatory"], k), new(FactsGen.Key(2), "G22", ["signatory"], Cases.All)] } }),
    ];

    [Fact]
    public void Both_engines_say_the_same_of_every_label_and_clearance_of_a_recipient() => Assert.Equal(Labels.Length * Clearances.Length, Agree(Places[..1]));

    [Fact, Trait("tier", "long")]
    public void Both_engines_say_the_same_of_every_label_and_clearance_in_every_place() => Assert.Equal(Labels.Length * Clearances.Length * Places.Length, Agree(Places));

    [Fact]
    public void Both_engines_order_every_two_labels_alike()
    {
        var second = new ReferenceDecision(Cases.Thuong(), Policies.Vietnam.Content, Policies.Vietnam.Ref, Cases.Now);
        var below = 0;
        foreach (var high in Labels)
            foreach (var low in Labels)
            {
                var above = Lattice.Dominates(Policies.Vietnam, high, low);
                Assert.Equal(second.Below(low, high), above);
                if (above) below++;
            }
        // Neither all nor nothing: levels 4·5/2, limits 5 + 4 + 2·3 with nobody above all, fields 3², caveat 3; Tuyệt mật stands above the others' caveats.
        Assert.InRange(below, Labels.Length + 1, (Labels.Length * Labels.Length) - 1);
    }

    static int Agree((string Action, Func<DecisionFacts, Clearance, DecisionFacts> With)[] places)
    {
        var asked = 0;
        var seen = new HashSet<(string, Verdict)>();
        foreach (var (action, with) in places)
            foreach (var label in Labels)
            {
                var good = Good(action, label);
                foreach (var clearance in Clearances)
                {
                    seen.Add((action, with(good, clearance).Decide().Verdict));
                    asked++;
                }
            }
        foreach (var action in places.Select(p => p.Action)) Assert.True(seen.Contains((action, Verdict.Permit)) && seen.Contains((action, action == "relabel" ? Verdict.Hold : Verdict.Deny)), action);
        return asked;
    }

    static DecisionFacts Good(string action, Label label) => Cases.Mat(Cases.To("H41") with { Clearance = Cases.All, ChannelCeiling = Cases.All }) with
    {
        Action = action, Label = label,
        Approvals = [Cases.Signatory, .. new[] { 1, 2 }.Select(person => new ApprovalFacts("release", FactsGen.Key(person), ["release-officer"], Cases.Now))],
        References = action == "forward" ? [new("forward", FactsGen.Key(9), Policies.Vietnam.NewLabel("thuong"), "H14", null)] : [],
        Reader = Cases.All,
        Relabel = action != "relabel" ? null : new(Policies.Vietnam.NewLabel("mat", "1"), FactsGen.Key(7), "G22", "person", [], "reason", Cases.Now.AddYears(-1).ToUnixTimeMilliseconds(), null, null, false),
    };

    static int[][] Subsets(int[] of) => [.. Enumerable.Range(0, 1 << of.Length).Select(mask => of.Where((_, i) => (mask >> i & 1) != 0).ToArray())];
}
