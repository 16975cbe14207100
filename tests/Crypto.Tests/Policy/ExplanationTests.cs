using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

public sealed class ExplanationTests
{
    static string[] Sender(DecisionFacts facts) => [.. Explanation.For(Audience.Sender, facts.Decide(), Policies.Vietnam).Select(l => l.Code)];

    [Fact]
    public void The_sender_hears_of_his_own_mistakes_at_once_and_of_the_other_side_one_word()
    {
        Assert.Equal(["OK"], Sender(Cases.Mat()));
        Assert.Equal(["E_LABEL_BASIS", "E_APPROVAL_MISSING"], Sender((Cases.Mat() with { Approvals = [] }).With(l => l with { Basis = null })));
        Assert.Equal(["E_NOT_RELEASABLE"], Sender(Cases.Mat(Cases.To("H41") with { Clearance = null })));
        Assert.Equal(["E_NOT_RELEASABLE"], Sender(Cases.Mat(Cases.To("H41") with { Known = false, KeyCurrent = false, Channel = null })));
        var lines = Explanation.For(Audience.Sender, Cases.Mat(Cases.To("H41") with { Clearance = null }).Decide(), Policies.Vietnam);
        Assert.All(lines, l => Assert.Equal((null, null, null), (l.Rule, l.Subject, l.Reason)));
    }

    [Fact]
    public void Worlds_that_differ_on_the_other_side_explain_alike_to_the_sender()
    {
        // P9 for explanations: whatever is denied about recipients, and whatever the sender did wrong besides.
        foreach (var mistake in new Func<DecisionFacts, DecisionFacts>[] { f => f, f => f with { Approvals = [] }, f => f with { SenderClearance = null } })
        {
            var h = Cases.To("H41");
            var worlds = new[] { h with { Known = false }, h with { Known = false, KeyCurrent = false, Key = null }, h with { Clearance = Cases.Ordinary }, h with { ChannelCeiling = null }, h with { Channel = "mail" }, h with { HeldUntil = Cases.Now.AddDays(1) }, h with { Groups = null, Clearance = null } };
            Assert.Single(worlds.Select(w => string.Join('|', Explanation.For(Audience.Sender, mistake(Cases.Mat(w)).Decide(), Policies.Vietnam).Select(l => $"{l.Code} {l.Text.Vi} {l.Text.En} {l.Remedy?.Vi}"))).Distinct());
        }
    }

    [Fact]
    public void The_policy_officer_sees_each_rule_that_did_not_permit_with_its_reason()
    {
        var lines = Explanation.For(Audience.PolicyOfficer, Cases.Mat(Cases.To("H41") with { Clearance = Cases.Ordinary, Channel = "mail" }).Decide(), Policies.Vietnam);
        Assert.Equal([(null, "dispatch", null), ("R07", "H41", "class"), ("R09", "H41", "channel-kind")], lines.Select(l => (l.Rule, l.Subject, l.Reason)));
        Assert.StartsWith("Recipient's clearance: ", lines[1].Text.En, StringComparison.Ordinal);
        Assert.StartsWith("Thẩm quyền của nơi nhận: ", lines[1].Text.Vi, StringComparison.Ordinal);
    }

    [Fact]
    public void An_auditor_sees_the_whole_trace_of_what_he_is_cleared_for_and_nothing_of_the_rest()
    {
        var decision = Cases.Mat().Decide();
        Assert.Equal(decision.Trace.Count + 1, Explanation.For(Audience.Auditor, decision, Policies.Vietnam, Cases.ToMat).Count);
        foreach (var less in new[] { null, Cases.Ordinary, Cases.ToMat with { ValidTo = Cases.Now.ToUnixTimeMilliseconds() }, Cases.ToMat with { Policy = "2.25.9" } })
            Assert.Empty(Explanation.For(Audience.Auditor, decision, Policies.Vietnam, less));
        Assert.Empty(Explanation.For(Audience.Auditor, (Cases.Mat() with { Label = null }).Decide(), Policies.Vietnam, Cases.All));
    }

    [Fact]
    public void Every_rule_has_a_name_in_both_languages_and_a_stored_record_explains_itself()
    {
        Assert.Equal(Evaluation.Rules.Select(r => r.Code), Explanation.Rules.Keys);
        var decision = (Cases.Mat() with { Approvals = [] }).Decide();
        var again = Decision.Again(decision.Record, Policies.Vietnam)!;
        Assert.Equal(Explanation.For(Audience.PolicyOfficer, decision, Policies.Vietnam), Explanation.For(Audience.PolicyOfficer, again, Policies.Vietnam));
        Assert.Null(Decision.Again(decision.Record.Reverse().ToArray(), Policies.Vietnam));
    }
}
