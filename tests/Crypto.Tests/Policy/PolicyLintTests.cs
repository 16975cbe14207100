using System.Text;
using System.Text.Json.Nodes;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Xunit;

namespace Exchange.Tests.Policy;

public sealed class PolicyLintTests
{
    static readonly DateOnly Day = new(2026, 11, 24);

    static readonly byte[][] Shipped = [Policies.Draft, Policies.Resource("vietnam-party.json"), Policies.Resource("nato-like.json")];

    [Fact]
    public void The_policies_that_ship_have_nothing_to_find_and_share_no_OID()
    {
        foreach (var draft in Shipped)
            Assert.Empty(PolicyLint.Run(PolicyDraft.Read(draft), new LintContext { Day = Day, Others = [.. Shipped.Where(o => o != draft).Select(o => PolicyDraft.Read(o))] }));
    }

    [Fact]
    public void Both_Vietnamese_variants_ask_for_a_basis_from_Mat_up_and_protect_for_10_20_30_years()
    {
        foreach (var draft in Shipped[..2].Select(d => PolicyDraft.Read(d)))
        {
            Assert.Equal([false, true, true, true], draft.Levels.Select(l => l.BasisRequired));
            Assert.Equal([10, 20, 30], draft.Levels.Skip(1).Select(l => l.Handling.Terms[^1].Years));
        }
        Assert.NotEqual(PolicyDraft.Read(Shipped[0]).Policy, PolicyDraft.Read(Shipped[1]).Policy);
    }

    /// <summary>Code, level, place, and the edit or context that provokes it.</summary>
    public static TheoryData<string, LintLevel, string, Action<JsonObject>> Faults() => new()
    {
        { "form", LintLevel.Error, "policy", d => d.Level(1)["class"] = 10 },
        { "not-nfc", LintLevel.Error, "level mat", d => d.Level(1)["name"]!["vi"] = "Mật".Normalize(NormalizationForm.FormD) },
        { "duplicate", LintLevel.Error, "level toi-mat", d => d.Level(2)["name"]!["vi"] = "Mật".Normalize(NormalizationForm.FormD) },
        { "duplicate", LintLevel.Warning, "level toi-mat", d => d.Level(2)["name"]!["vi"] = "MẬT" },
        { "duplicate", LintLevel.Warning, $"tag set {Policies.Fields} value doi-ngoai", d => d.TagSet(0)["values"]![1]!["name"]!["vi"] = "CƠ YẾU" },
        { "duplicate", LintLevel.Error, $"tag set {Policies.ReleasableTo}", d => d.TagSet(1)["name"]!["en"] = "Field" },
        { "dangling", LintLevel.Error, $"tag set {Policies.Fields}", d => d.TagSet(0)["requiredOn"] = new JsonArray(25) },
        { "dangling", LintLevel.Error, "level thuong", d => d.Handling(0)["channels"] = new JsonArray("folder", "gateway", "https", "mailbox", "pigeon") },
        { "contrast", LintLevel.Warning, "level thuong", d => d.Level(0)["colour"] = "#a0a0a0" },
        { "alike", LintLevel.Warning, "level toi-mat", d => d.Level(2)["colour"] = "#d0021c" },
        { "reserved", LintLevel.Warning, "level toi-mat", d => { d.Level(1)["class"] = 5; d.Level(2)["class"] = 3; } },
        { "term-order", LintLevel.Warning, "level toi-mat", d => d.Handling(2)["terms"]![1]!["years"] = 5 },
        { "term-order", LintLevel.Warning, "level tuyet-mat", d => d.Handling(3)["terms"] = new JsonArray() },
        { "term-order", LintLevel.Warning, "level mat", d => d.Handling(1)["terms"] = new JsonArray(new JsonObject { ["from"] = "2027-01-01", ["years"] = 10, ["source"] = "x" }) },
        { "freshness", LintLevel.Warning, "level mat", d => { foreach (var rank in new[] { 1, 2, 3 }) d.Handling(rank).Remove("revocation"); } },
        { "freshness", LintLevel.Warning, "level mat", d => d.Handling(0)["revocation"]!["maxMinutes"] = 60 },
        { "timestamp-away", LintLevel.Warning, "level tuyet-mat", d => { d.Handling(3)["timestamp"] = true; d.Handling(3).Remove("timestampAway"); } },
        { "unreachable", LintLevel.Error, "level tuyet-mat", d => { d.TagSet(0)["requiredOn"] = new JsonArray(40); foreach (var v in d.TagSet(0)["values"]!.AsArray()) v!["obsolete"] = true; } },
    };

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public void Each_fault_is_found_where_it_is(string code, LintLevel level, string place, Action<JsonObject> edit)
    {
        var found = PolicyLint.Run(PolicyDraft.Read(Policies.Edit(edit)), new LintContext { Day = Day });
        Assert.True(found.Any(f => (f.Code, f.Level, f.Place) == (code, level, place)), string.Join("\n", found));
        Assert.All(found, f => Assert.True(f.Vi.IsNormalized(NormalizationForm.FormC) && f.Vi.EndsWith('.') && f.En.EndsWith('.')));
    }

    public static TheoryData<string, string, StandingStatement> Standings() => new()
    {
        { "hole", "office H41", Standing(Office("H41", [10, 30])) },
        { "unreachable", "level toi-mat", Standing(Office("H41", [10, 20])) },
        { "no-channel", "level tuyet-mat", Standing(Office("H41", [10, 20, 30, 40]) with { Channel = new("https", null, []) }) },
        { "dangling", "office H41", Standing(Office("H41", [10, 15])) },
        { "dangling", "office G22", Standing(Office("G22", [10]) with { Clearance = Policies.Clearance([10]) with { Policy = "2.25.1" } }) },
        { "dangling", "office H14", Standing(Office("H14", [10]) with { Clearance = Policies.Clearance([10], Policies.Restrictive(9)) }) },
        { "hole", "office H37", Standing(Office("H37", [10]) with { Channel = new("mailbox", Policies.Clearance([20]), []) }) },
    };

    [Theory]
    [MemberData(nameof(Standings), DisableDiscoveryEnumeration = true)]
    public void Each_fault_beside_a_standing_is_found(string code, string place, StandingStatement standing)
    {
        var found = PolicyLint.Run(PolicyDraft.Read(Policies.Draft), new LintContext { Standing = standing });
        Assert.True(found.Any(f => (f.Code, f.Place) == (code, place)), string.Join("\n", found));
    }

    [Fact]
    public void A_standing_that_fits_has_nothing_to_find()
    {
        var all = Office("G22", [10, 20, 30, 40]);
        Assert.Empty(PolicyLint.Run(PolicyDraft.Read(Policies.Draft), new LintContext { Standing = Standing(all, Office("H41", [10, 20])) }));
    }

    [Fact]
    public void A_required_set_that_no_cleared_office_holds_makes_a_level_unreachable()
    {
        var draft = PolicyDraft.Read(Policies.Edit(d => d.TagSet(0)["requiredOn"] = new JsonArray(30, 40)));
        var without = PolicyLint.Run(draft, new LintContext { Standing = Standing(Office("G22", [10, 20, 30, 40]) with { Clearance = Policies.Clearance([10, 20, 30, 40]) }) });
        Assert.Equal(["level toi-mat", "level tuyet-mat"], without.Where(f => f.Code == "unreachable").Select(f => f.Place));
        Assert.Empty(PolicyLint.Run(draft, new LintContext { Standing = Standing(Office("G22", [10, 20, 30, 40])) }));
    }

    [Fact]
    public void Roles_that_nobody_has_are_found()
    {
        var found = PolicyLint.Run(PolicyDraft.Read(Policies.Draft), new LintContext { Cards = [Card(["clerk"])] });
        Assert.Contains(found, f => f is { Code: "role-nobody", Place: "level mat", Level: LintLevel.Error });
        // One signatory can approve; two distinct persons must release.
        found = PolicyLint.Run(PolicyDraft.Read(Policies.Draft), new LintContext { Cards = [Card(["clerk", "signatory"])] });
        Assert.DoesNotContain(found, f => f is { Place: "level mat", Level: LintLevel.Error });
        Assert.Contains(found, f => f is { Code: "role-nobody", Place: "level toi-mat", Level: LintLevel.Error });
        Assert.DoesNotContain(PolicyLint.Run(PolicyDraft.Read(Policies.Draft), new LintContext { Cards = [Card(["clerk", "signatory"], ["release-officer"], ["release-officer"])] }), f => f.Code == "role-nobody");
    }

    [Fact]
    public void The_OID_of_another_policy_or_of_its_tag_set_is_found()
    {
        var own = PolicyDraft.Read(Policies.Draft);
        Assert.Contains(PolicyLint.Run(own, new LintContext { Others = [PolicyDraft.Read(Shipped[1]) with { Policy = own.Policy }] }), f => f is { Code: "oid-clash", Place: "policy" });
        Assert.Contains(PolicyLint.Run(own, new LintContext { Others = [PolicyDraft.Read(Shipped[1]) with { TagSets = own.TagSets }] }), f => f.Code == "oid-clash" && f.Place == $"tag set {Policies.Fields}");
    }

    [Fact]
    public void The_page_lists_the_codes_that_there_are() => Assert.Equal(PolicyDocumentTests.LintCodes.Order(),
        Faults().Select(f => f.Data.Item1).Concat(Standings().Select(s => s.Data.Item1)).Concat(["oid-clash", "role-nobody"]).Distinct().Order());

    [Fact]
    public void Contrast_and_distance_are_those_of_the_published_formulas()
    {
        // WCAG: black on white 21, #777777 4.48 (the well-known miss). Lab distance of black and white: 100.
        Assert.Equal(21, Colour.ContrastWithWhite("#000000"), 2);
        Assert.Equal(4.48, Colour.ContrastWithWhite("#777777"), 2);
        Assert.Equal(100, Colour.Difference("#000000", "#ffffff"), 1);
        Assert.Equal(0, Colour.Difference("#8b0012", "#8b0012"), 6);
    }

    internal static StandingStatement Standing(params StandingOffice[] offices) => new()
    {
        V = 1, Type = StandingStatement.TypeName, Signers = Policies.Officers, Version = 1, Issued = Policies.Start.ToUnixTimeMilliseconds(), Note = "", Offices = [.. offices.OrderBy(o => o.Code, StringComparer.Ordinal)],
    };

    internal static StandingOffice Office(string code, int[] classes) =>
        new(code, Policies.Clearance(classes, Policies.Permissive(1, 2), Policies.Restrictive(1, 2)), new("mailbox", Policies.Clearance([10, 20, 30, 40], Policies.Permissive(1, 2), Policies.Restrictive(1, 2)), []), []);

    static Card Card(params string[][] persons) => new()
    {
        V = 1, Type = Exchange.Crypto.Statements.Card.TypeName, Signers = [], Office = "H41", Version = 1, Issued = 0, Previous = null, Keys = [],
        Persons = [.. persons.Select((roles, i) => new CardPerson(roles, [(byte)i]))],
    };
}
