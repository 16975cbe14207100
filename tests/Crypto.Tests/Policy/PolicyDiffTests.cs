using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Xunit;

namespace Exchange.Tests.Policy;

public sealed class PolicyDiffTests
{
    static readonly StandingStatement Offices = PolicyLintTests.Standing(PolicyLintTests.Office("G22", [10, 20, 30, 40]), PolicyLintTests.Office("H37", [10, 20]), PolicyLintTests.Office("H41", [10, 20]),
        PolicyLintTests.Office("H14", [10]));

    static PolicyDiff Diff(Action<JsonObject> edit, StandingStatement? standing = null) => PolicyDiff.Between(Policies.Vietnam, Next(edit), standing ?? Offices);

    static CompiledPolicy Next(Action<JsonObject> edit) => CompiledPolicy.Compile(PolicyDraft.ToStatement(Policies.Edit(edit), Policies.Officers, 2, Policies.Start, Policies.End));

    static string Line(VerdictChange c) => $"{c.Level} {c.Situation}: {c.Before.Verdict}/{c.Before.Rule} -> {c.After.Verdict}/{c.After.Rule}: {string.Join(",", c.Offices)}";

    [Fact]
    public void The_same_policy_in_a_later_version_changes_nothing()
    {
        var diff = Diff(_ => { });
        Assert.Empty(diff.Verdicts);
        Assert.Empty(diff.Members);
        Assert.True(diff.Complete && diff.Compared > 100);
        Assert.Equal(Policies.Vietnam.Ref, diff.Old);
        Assert.NotEqual(diff.Old, diff.New);
    }

    [Fact]
    public void Dual_control_on_a_level_shows_as_a_hold_to_the_offices_that_may_have_it()
    {
        var diff = Diff(d => d.Handling(1)["release"] = new JsonObject { ["persons"] = 2, ["roles"] = new JsonArray("signatory") });
        Assert.Equal(["mat approved: permit/ -> hold/R06: G22,H37,H41", "mat released-1: permit/ -> hold/R06: G22,H37,H41"], diff.Verdicts.Select(Line));
        // One line for the plain label and every category that goes the same way.
        Assert.Contains("", diff.Verdicts[0].Labels);
        Assert.Contains($"{Policies.Fields} co-yeu", diff.Verdicts[0].Labels);
        Assert.DoesNotContain($"{Policies.ReleasableTo} nobody", diff.Verdicts[0].Labels);
        Assert.Equal(["levels.mat.handling.release.persons", "levels.mat.handling.release.roles"], diff.Members.Select(m => m.Place));
        Assert.Equal(("0", "2"), (diff.Members[0].Before, diff.Members[0].After));
    }

    [Fact]
    public void A_level_that_asks_for_newer_revocation_data_and_one_that_asks_no_more_are_members_that_differ()
    {
        var diff = Diff(d => { d.Handling(2)["revocation"]!["maxMinutes"] = 60; d.Handling(3)["revocation"]!["maxMinutes"] = 60; d.Handling(0).Remove("revocation"); });
        Assert.Empty(diff.Verdicts);
        Assert.Equal([("levels.thuong.handling.revocation.late", "\"permit\"", null), ("levels.thuong.handling.revocation.maxMinutes", "43200", null),
            ("levels.toi-mat.handling.revocation.maxMinutes", "10080", "60"), ("levels.tuyet-mat.handling.revocation.maxMinutes", "10080", "60")], diff.Members.Select(m => (m.Place, m.Before, m.After)));
    }

    [Fact]
    public void An_obsolete_level_is_refused_to_new_labels_and_not_to_those_under_way()
    {
        var diff = Diff(d => d.Level(3)["obsolete"] = true);
        Assert.Contains("tuyet-mat released-2: permit/ -> deny/R04: G22", diff.Verdicts.Select(Line));
        Assert.DoesNotContain(diff.Verdicts, c => c.Situation == "under-way");
    }

    [Fact]
    public void Another_mark_shows_both_ways()
    {
        var diff = Diff(d => d.Level(1)["mark"] = "MẬT.");
        Assert.Contains(diff.Verdicts, c => c is { Level: "mat", Situation: "approved", Before.Verdict: "permit", After.Rule: "R04" } && c.Labels.Contains("before:"));
        Assert.Contains(diff.Verdicts, c => c is { Level: "mat", Situation: "approved", Before.Rule: "R04", After.Verdict: "permit" } && c.Labels.Contains("after:"));
    }

    [Fact]
    public void A_required_set_shows_where_it_is_absent() =>
        Assert.Contains(Diff(d => d.TagSet(1)["requiredOn"] = new JsonArray(40)).Verdicts, c => c is { Level: "tuyet-mat", After.Reason: "required" } && c.Labels.SequenceEqual(["before:"]) | c.Labels.Contains($"after:{Policies.ReleasableTo} absent"));

    [Fact]
    public void What_no_verdict_looks_at_is_listed_by_member()
    {
        var diff = Diff(d => { d.Handling(0)["payloadDays"] = 30; d.Level(0)["colour"] = "#303030"; });
        Assert.Empty(diff.Verdicts);
        Assert.Equal(["levels.thuong.colour", "levels.thuong.handling.payloadDays"], diff.Members.Select(m => m.Place));
    }

    [Fact]
    public void Two_persons_and_a_gateway_come_to_the_same_bytes()
    {
        Action<JsonObject> edit = d => d.Level(1)["basisRequired"] = false;
        var first = Diff(edit);
        Assert.Equal(first.Write(), Diff(edit).Write());
        Assert.Equal(Digest.Of(StrictJson.Write(Offices, StatementJson.Default.StandingStatement)), first.Standing);
        Assert.NotEqual(first.Ref, Diff(edit, PolicyLintTests.Standing(PolicyLintTests.Office("G22", [10]))).Ref);
    }

    [Fact]
    public void Without_a_standing_every_clearance_and_channel_is_asked_about()
    {
        var diff = PolicyDiff.Between(Policies.Vietnam, Next(d => d.Handling(1)["release"] = new JsonObject { ["persons"] = 2, ["roles"] = new JsonArray("signatory") }), null);
        Assert.Null(diff.Standing);
        Assert.Contains("mat by mailbox", diff.Verdicts.First(c => c.Situation == "approved").Offices);
        Assert.DoesNotContain("thuong by mailbox", diff.Verdicts.First(c => c.Situation == "approved").Offices);
    }

    [Fact]
    public void Too_much_to_compare_is_bounded_and_said()
    {
        // 5,000 offices of which no two are alike, and 40 values more.
        var many = PolicyLintTests.Standing([.. Enumerable.Range(0, 5_000).Select(i => PolicyLintTests.Office($"H{i}", [10, 20]) with { Clearance = Policies.Clearance([10, 20], Policies.Restrictive(i + 1)) })]);
        var next = Next(d => d.Handling(1)["release"] = new JsonObject { ["persons"] = 2, ["roles"] = new JsonArray("signatory") });
        var diff = PolicyDiff.Between(Policies.Vietnam, next, many);
        Assert.False(diff.Complete);
        Assert.InRange(diff.Compared, 100_000, PolicyDiff.MaxQuestions);
        Assert.Equal(5_000, diff.Verdicts.Single(c => c.Situation == "approved").Offices.Length);
    }

    [Fact]
    public void Offices_alike_are_asked_about_once_and_all_named()
    {
        var many = PolicyLintTests.Standing([.. Enumerable.Range(0, 10_000).Select(i => PolicyLintTests.Office($"H{i}", [10, 20]))]);
        var diff = Diff(d => d.Handling(1)["release"] = new JsonObject { ["persons"] = 2, ["roles"] = new JsonArray("signatory") }, many);
        Assert.True(diff.Complete);
        Assert.Equal(10_000, diff.Verdicts.Single(c => c.Situation == "approved").Offices.Length);
    }
}
