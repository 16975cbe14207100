using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

public sealed class DecisionTests
{
    static Label Mat => Policies.Vietnam.NewLabel("mat", "117.2025.1");

    [Fact]
    public void A_plain_dispatch_to_known_offices_is_permitted()
    {
        var decision = Cases.Thuong().Decide();
        Assert.Equal(Verdict.Permit, decision.Verdict);
        Assert.Equal([Verdict.Permit, Verdict.Permit], decision.PerRecipient);
        Assert.Null(decision.ForSender);
        Assert.Equal(Policies.Vietnam.Ref, decision.Policy);
        Assert.Empty(decision.Faults);
    }

    [Fact]
    public void A_dispatch_at_Mat_with_basis_and_approval_is_permitted() => Assert.Equal(Verdict.Permit, Cases.Mat().Decide().Verdict);

    [Fact]
    public void Every_rule_appears_in_the_trace_in_the_fixed_order_whatever_the_outcome()
    {
        string[] expected = [.. Enumerable.Range(1, 25).SelectMany(n => Enumerable.Repeat($"R{n:00}", n is >= 7 and <= 9 ? 2 : 1))];
        foreach (var facts in new[] { Cases.Thuong(), Cases.Mat(), Cases.Thuong() with { Label = null }, Cases.Thuong() with { Action = "?" } })
        {
            var trace = facts.Decide().Trace;
            Assert.Equal(expected, trace.Select(t => t.Rule));
            Assert.Equal(["H41", "H37", "H41", "H37", "H41", "H37"], trace.Where(t => t.Rule is "R07" or "R08" or "R09").Select(t => t.Subject));
        }
    }

    /// <summary>One spoilt fact each: what denies, and what the sender is told.</summary>
    public static TheoryData<string, DecisionFacts, string, string> Spoilt()
    {
        var mat = Cases.Mat();
        var thuong = Cases.Thuong();
        DecisionFacts Labelled(Label label) => mat with { Label = label };
        DecisionFacts To(RecipientFacts changed) => mat with { Recipients = [Cases.To("H37"), changed] };
        var h41 = Cases.To("H41");
        return new()
        {
            // R02, R03
            { "no label", thuong with { Label = null }, "R02:label R07:label R09:channel-label", "E_LABEL_MISSING" },
            { "no basis", Labelled(Mat with { Basis = null }), "R02:basis", "E_LABEL_BASIS" },
            { "label not verified", mat with { LabelVerified = false }, "R03:not-verified", "E_LABEL_MISMATCH" },
            { "mark of 129 characters", Labelled(Mat with { Mark = new string('M', 129) }), "R03:form: mark R04:mark", "E_LABEL_FORM" },
            { "unknown caveat", Labelled(Mat with { Caveats = ["eyes-only"] }), "R03:form: caveats", "E_LABEL_FORM" },
            // R04
            { "unknown class", Labelled(Mat with { Class = 25 }), "R04:class R07:policy R09:channel-policy", "E_LABEL_CLASS" },
            { "mark of another level", Labelled(Mat with { Mark = "TỐI MẬT" }), "R04:mark", "E_LABEL_CLASS" },
            { "mark that only looks alike", Labelled(Mat with { Mark = "MÂT" }), "R04:mark", "E_LABEL_CLASS" },
            // R05
            { "unknown tag set", Labelled(Mat with { Categories = [new Category { Type = "informative", Tag = "2.25.9", Values = [1] }] }), "R05:tag-set", "E_LABEL_CATEGORY" },
            { "restrictive set called informative", Labelled(Mat with { Categories = [Policies.Restrictive(1) with { Type = "informative" }] }), "R05:type", "E_LABEL_CATEGORY" },
            { "unknown value", Labelled(Mat with { Categories = [Policies.Informative(9)] }), "R05:value", "E_LABEL_CATEGORY" },
            // R06
            { "sender without standing", mat with { SenderClearance = null }, "R06:clearance", "E_SENDER_NOT_CLEARED" },
            { "sender below the level", mat with { SenderClearance = Cases.Ordinary }, "R06:class", "E_SENDER_NOT_CLEARED" },
            { "sender's clearance ended", mat with { SenderClearance = Cases.All with { ValidTo = Cases.Now.ToUnixTimeMilliseconds() } }, "R06:clearance-not-in-force", "E_SENDER_NOT_CLEARED" },
            { "sender's keys held", mat with { SenderHeldUntil = Cases.Now.AddMinutes(1) }, "R06:card-held", "E_CARD_HELD" },
            { "no approval", mat with { Approvals = [] }, "R06:approval", "E_APPROVAL_MISSING" },
            { "approval by a clerk", mat with { Approvals = [Cases.Signatory with { Roles = ["clerk"] }] }, "R06:approval", "E_APPROVAL_MISSING" },
            { "approval of another act", mat with { Approvals = [Cases.Signatory with { Act = "lower" }] }, "R06:approval", "E_APPROVAL_MISSING" },
            { "approval lapsed", mat with { Approvals = [Cases.Signatory with { NotAfter = Cases.Now.AddMilliseconds(-1) }] }, "R06:approval", "E_APPROVAL_MISSING" },
            // R07
            { "no such office", To(h41 with { Known = false }), "R07:office", "E_NOT_RELEASABLE" },
            { "recipient without clearance", To(h41 with { Clearance = null }), "R07:clearance", "E_NOT_RELEASABLE" },
            { "recipient below the level", To(h41 with { Clearance = Cases.Ordinary }), "R07:class", "E_NOT_RELEASABLE" },
            { "recipient's clearance not yet", To(h41 with { Clearance = Cases.ToMat with { ValidFrom = Cases.Now.ToUnixTimeMilliseconds() + 1 } }), "R07:clearance-not-in-force", "E_NOT_RELEASABLE" },
            { "recipient's clearance of another policy", To(h41 with { Clearance = Cases.ToMat with { Policy = "2.25.9" } }), "R07:policy", "E_NOT_RELEASABLE" },
            { "recipient's keys held", To(h41 with { HeldUntil = Cases.Now.AddMinutes(1) }), "R07:card-held", "E_NOT_RELEASABLE" },
            { "unknown role", To(h41 with { Role = "bcc" }), "R07:role", "E_NOT_RELEASABLE" },
            { "someone else as self", To(h41 with { Role = "self" }), "R07:role", "E_NOT_RELEASABLE" },
            { "own copy without own standing", To(Cases.To("G22", "self") with { Clearance = null }), "R07:clearance", "E_SENDER_NOT_CLEARED" },
            // R09
            { "channel not approved", To(h41 with { ChannelCeiling = null }), "R09:channel", "E_NOT_RELEASABLE" },
            { "channel below the level", To(h41 with { ChannelCeiling = Cases.Ordinary }), "R09:channel-class", "E_NOT_RELEASABLE" },
            { "category over a channel without ceiling", thuong with
                {
                    Label = Policies.Vietnam.NewLabel("thuong", categories: [Policies.Restrictive(1)]),
                    Recipients = [h41 with { Clearance = Cases.All, ChannelCeiling = null }],
                }, "R09:channel", "E_NOT_RELEASABLE" },
            // R18
            { "key that is no recipient's", To(h41 with { KeyCurrent = false }), "R18:key-not-current", "E_RECIPIENT_KEYS" },
            { "recovery key", To(h41 with { Role = "recovery" }), "R18:recovery", "E_RECIPIENT_KEYS" },
            // R24
            { "unknown action", mat with { Action = "print" }, "R24:action", "E_INTERNAL" },
            { "no recipients", mat with { Recipients = [] }, "R24:recipients", "E_INTERNAL" },
            { "nobody but the sender", mat with { Recipients = [Cases.To("G22", "self")] }, "R24:recipients", "E_INTERNAL" },
        };
    }

    [Theory, MemberData(nameof(Spoilt))]
    public void One_spoilt_fact_denies_with_its_reason(string what, DecisionFacts facts, string deciding, string code)
    {
        var decision = facts.Decide();
        Assert.True(decision.Verdict == Verdict.Deny, what);
        Assert.Equal(deciding, string.Join(' ', decision.Deciding()));
        Assert.Equal(code, decision.ForSender!.Code);
        Assert.All(decision.Trace.Where(t => t.Outcome != Verdict.Permit), t => Assert.NotNull(t.Refusal));
        Assert.True(Decision.Replay(decision.Record, Policies.Vietnam), what);
    }

    [Theory, MemberData(nameof(Spoilt))]
    public void A_reason_is_a_cause_without_the_rules_that_denied_the_verdict_is_another(string what, DecisionFacts facts, string deciding, string code)
    {
        // P17. One rule alone denies, unless it is the missing level that also stops the rules about recipients.
        Assert.NotEmpty(code);
        if (facts.Recipients.Count == 0) return;
        var rules = deciding.Split(' ').Where(d => d[0] == 'R').Select(d => d[..3]).ToHashSet();
        var without = Evaluation.Rules.Where(r => !rules.Contains(r.Code)).ToList();
        // Every recipient must still be spoken for, else there is no permission either.
        without.Add(new Rule { Code = "R99", OfRecipient = (_, _) => Finding.Permit });
        without.Add(new Rule { Code = "R99", OfDispatch = _ => Finding.Permit });
        Assert.True(Evaluation.Run(facts, Policies.Vietnam, Cases.Now, without).Verdict == Verdict.Permit, what);
    }

    [Fact]
    public void A_policy_not_yet_or_no_longer_in_force_decides_nothing()
    {
        foreach (var (now, reason) in new[] { (Policies.Start.AddMilliseconds(-1), "policy-not-yet"), (Policies.End, "policy-expired") })
        {
            var all = Cases.All with { ValidFrom = 0, ValidTo = LabelForm.MaxTime };
            var facts = Cases.Thuong(Cases.To("H41") with { Clearance = all, ChannelCeiling = all }) with { SenderClearance = all, StoreCeiling = all, DirectoryAsOf = now, Revocation = new(true, now.ToUnixTimeMilliseconds()) };
            var decision = facts.Decide(now: now);
            Assert.Equal([$"R01:{reason}"], decision.Deciding());
            Assert.Equal(Refusal.PolicyUnknown, decision.ForSender);
        }
        Assert.Equal(Verdict.Permit, Cases.Thuong().Decide(now: Policies.Start).Verdict);
        Assert.Equal(Verdict.Permit, Cases.Thuong().Decide(now: Policies.End.AddMilliseconds(-1)).Verdict);
    }

    [Fact]
    public void A_label_of_another_policy_is_not_compared_by_number()
    {
        var decision = (Cases.Mat() with { Label = Mat with { Policy = "2.25.9" } }).Decide();
        Assert.Equal(["R01:policy-of-label", "R07:label", "R09:channel-label"], decision.Deciding());
        Assert.Equal(Refusal.PolicyUnknown, decision.ForSender);
    }

    [Fact]
    public void An_obsolete_level_is_refused_on_a_new_label_and_stands_on_an_old_one()
    {
        var policy = Policies.Compile(Policies.Edit(d => d.Level(1)["obsolete"] = true));
        Assert.Equal(["R04:obsolete"], Cases.Mat().Decide(policy).Deciding());
        Assert.Equal(Verdict.Permit, (Cases.Mat() with { Action = "download" }).Decide(policy).Verdict);
    }

    [Fact]
    public void An_obsolete_value_is_refused_on_a_new_label_and_stands_on_an_old_one()
    {
        var policy = Policies.Compile(Policies.Edit(d => d.TagSet(2)["values"]![0]!["obsolete"] = true));
        var facts = Cases.Thuong() with { Label = Policies.Vietnam.NewLabel("thuong", categories: [Policies.Informative(1)]) };
        Assert.Equal(["R05:obsolete"], facts.Decide(policy).Deciding());
        Assert.Equal(Verdict.Permit, (facts with { Action = "release" }).Decide(policy).Verdict);
    }

    [Fact]
    public void A_category_that_the_level_requires_must_be_there()
    {
        var policy = Policies.Compile(Policies.Edit(d => d.TagSet(2)["requiredOn"] = new System.Text.Json.Nodes.JsonArray(20, 30, 40)));
        Assert.Equal(["R05:required"], Cases.Mat().Decide(policy).Deciding());
        Assert.Equal(Verdict.Permit, (Cases.Mat() with { Label = Policies.Vietnam.NewLabel("mat", "1", [Policies.Informative(1)]) }).Decide(policy).Verdict);
    }

    [Fact]
    public void An_approval_that_lapses_after_the_dispatch_was_taken_in_takes_nothing_back()
    {
        var lapsed = Cases.Mat() with { Approvals = [Cases.Signatory with { NotAfter = Cases.Now.AddDays(-1) }] };
        Assert.Equal(Verdict.Deny, lapsed.Decide().Verdict);
        foreach (var action in new[] { "release", "retry", "download" }) Assert.Equal(Verdict.Permit, (lapsed with { Action = action }).Decide().Verdict);
    }

    [Fact]
    public void Two_roles_need_two_persons()
    {
        var policy = Policies.Compile(Policies.Edit(d =>
        {
            d.Level(3)["approvals"] = new System.Text.Json.Nodes.JsonArray("releaser", "signatory");
            foreach (var rank in new[] { 2, 3 }) d.Handling(rank)["release"] = System.Text.Json.Nodes.JsonNode.Parse("""{ "persons": 0, "roles": [] }""");
        }));
        var both = new ApprovalFacts("send", Digest.Of("a"u8), ["releaser", "signatory"], Cases.Now.AddHours(1));
        var facts = Cases.Mat(Cases.To("H41") with { Clearance = Cases.All, ChannelCeiling = Cases.All }) with { Label = policy.NewLabel("tuyet-mat", "1") };
        Assert.Equal(["R06:approval"], (facts with { Approvals = [both] }).Decide(policy).Deciding());
        Assert.Equal(["R06:approval"], (facts with { Approvals = [both, both] }).Decide(policy).Deciding());
        // Whichever of the two is asked first: the one who may do both leaves the other his only role.
        var signatory = both with { Person = Digest.Of("b"u8), Roles = ["signatory"] };
        var releaser = both with { Person = Digest.Of("b"u8), Roles = ["releaser"] };
        foreach (var approvals in new[] { new[] { both, signatory }, [signatory, both], [both, releaser], [releaser, both] })
            Assert.Equal(Verdict.Permit, (facts with { Approvals = approvals }).Decide(policy).Verdict);
    }

    [Fact]
    public void New_keys_are_held_back_from_Mat_up_only()
    {
        var held = Cases.Now.AddHours(3);
        var facts = Cases.Thuong(Cases.To("H41") with { HeldUntil = held }) with { SenderHeldUntil = held };
        Assert.Equal(Verdict.Permit, facts.Decide().Verdict);
        var mat = facts with { Label = Mat, Approvals = [Cases.Signatory] };
        Assert.Equal(["R06:card-held", "R07:card-held"], mat.Decide().Deciding());
        var later = mat with { Approvals = [Cases.Signatory with { NotAfter = held }], DirectoryAsOf = held, Revocation = new(true, held.ToUnixTimeMilliseconds()) };
        Assert.Equal(Verdict.Permit, later.Decide(now: held).Verdict);
    }

    [Fact]
    public void A_channel_without_a_ceiling_carries_the_lowest_level_only()
    {
        var bare = Cases.To("H41") with { ChannelCeiling = null };
        Assert.Equal(Verdict.Permit, Cases.Thuong(bare).Decide().Verdict);
        Assert.Equal(["R09:channel"], Cases.Mat(bare).Decide().Deciding());
    }

    [Fact]
    public void A_recipient_that_fails_denies_the_whole_dispatch_and_the_record_says_which()
    {
        var facts = Cases.Mat([.. Enumerable.Range(1, 9).Select(i => Cases.To($"H{i:00}")), Cases.To("H10") with { Clearance = Cases.Ordinary }]);
        var decision = facts.Decide();
        Assert.Equal(Verdict.Deny, decision.Verdict);
        Assert.Equal([.. Enumerable.Repeat(Verdict.Permit, 9), Verdict.Deny], decision.PerRecipient);
        Assert.Equal("H10", Assert.Single(decision.Trace, t => t.Outcome == Verdict.Deny).Subject);
        Assert.Equal(Refusal.NotReleasable, decision.ForSender);
        Assert.DoesNotContain("H10", Encoding.UTF8.GetString(decision.PublicView()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_does_not_evaluate_signatures_and_keys_and_says_so()
    {
        var facts = Cases.Mat(Cases.To("H41") with { KeyCurrent = false }) with { Action = "dry-run", LabelVerified = false, Approvals = [Cases.Signatory with { Person = default }] };
        var decision = facts.Decide();
        Assert.Equal(Verdict.Permit, decision.Verdict);
        Assert.Equal(["R03", "R18", "R19"], decision.Trace.Where(t => t.Reason == "not-evaluated: dry-run").Select(t => t.Rule));
        // All else is decided as ever.
        Assert.Equal(["R06:approval"], (facts with { Approvals = [] }).Decide().Deciding());
        Assert.Equal(["R03:form: caveats"], (facts with { Label = Mat with { Caveats = ["x"] } }).Decide().Deciding());
        Assert.Equal(["R18:recovery"], (facts with { Recipients = [Cases.To("H41"), Cases.To("H37", "recovery")] }).Decide().Deciding());
    }

    [Fact]
    public void A_level_under_dual_control_is_held_until_two_distinct_persons_released_it()
    {
        var facts = Cases.Mat() with { Label = Policies.Vietnam.NewLabel("toi-mat", "117.1"), Recipients = [Cases.To("H41") with { Clearance = Cases.All, ChannelCeiling = Cases.All }] };
        ApprovalFacts By(string person, string role = "release-officer") => new("release", Digest.Of(System.Text.Encoding.UTF8.GetBytes(person)), [role], Cases.Now.AddHours(1));
        Decision With(params ApprovalFacts[] release) => (facts with { Approvals = [Cases.Signatory, .. release] }).Decide();
        Assert.Equal((Verdict.Hold, Refusal.AwaitingRelease), (With().Verdict, With().ForSender));
        Assert.Equal(Verdict.Hold, With(By("one")).Verdict);
        Assert.Equal(Verdict.Hold, With(By("one"), By("one")).Verdict);
        Assert.Equal(Verdict.Hold, With(By("one"), By("two", "clerk")).Verdict);
        Assert.Equal(Verdict.Hold, With(By("one"), By("two") with { NotAfter = Cases.Now.AddMilliseconds(-1) }).Verdict);
        Assert.Equal(Verdict.Hold, With(By("one"), By("two") with { Act = "send" }).Verdict);
        Assert.Equal(Verdict.Permit, With(By("one"), By("two", "signatory")).Verdict);
        // What is denied for another reason is not held.
        Assert.Equal(Verdict.Deny, (facts with { Approvals = [] }).Decide().Verdict);
    }

    [Fact]
    public void A_fifth_level_is_a_change_of_the_policy_file_and_nothing_else()
    {
        var policy = Policies.Compile(Policies.Edit(d =>
        {
            // Between Mật and Tối mật, with a number above all others: order comes from the file.
            var level = System.Text.Json.Nodes.JsonNode.Parse(d.Level(1).ToJsonString())!;
            (level["code"], level["class"], level["mark"], level["colour"]) = ("mat-cao", 50, "MẬT CAO", "#c00000");
            (level["name"]!["vi"], level["name"]!["en"]) = ("Mật cao", "Confidential plus");
            foreach (var position in new[] { "top", "bottom", "firstLine", "subjectCode", "fileName" })
                (level["markings"]![position]!["vi"], level["markings"]![position]!["en"]) = ("MẬT CAO", "CONFIDENTIAL PLUS");
            d["levels"]!.AsArray().Insert(2, level);
        }));
        Assert.Equal([0, 1, 2, 3, 4], new[] { 10, 20, 50, 30, 40 }.Select(policy.Rank));
        var label = policy.NewLabel("mat-cao", "117.1");
        Assert.True(Lattice.Dominates(policy, label, policy.NewLabel("mat")));
        Assert.True(Lattice.Dominates(policy, policy.NewLabel("toi-mat"), label));

        var holder = Policies.Clearance([10, 20, 50]);
        var facts = Cases.Mat() with { Label = label, SenderClearance = holder, StoreCeiling = holder };
        Assert.Equal(["R07:class", "R09:channel-class"], facts.Decide(policy).Deciding());
        Assert.Equal(Verdict.Permit, (facts with { Recipients = [Cases.To("H41") with { Clearance = holder, ChannelCeiling = holder }] }).Decide(policy).Verdict);
    }

    [Fact]
    public void While_revocation_is_unknown_no_denial_is_final_and_what_is_only_late_waits_too()
    {
        // Nobody can say what a clearance or a key is worth then: what looks like an office that may not have it is an outage.
        var denied = Cases.Thuong(Cases.To("H41") with { Clearance = null, KeyCurrent = false }) with { Action = "release" };
        Assert.False(denied.Decide().IsPassing);
        Assert.True((denied with { Revocation = new(false, null) }).Decide().IsPassing);
        var late = Cases.Thuong() with { Action = "release", Revocation = null };
        Assert.Equal((Verdict.Deny, true), (late.Decide().Verdict, late.Decide().IsPassing));
        Assert.Equal(Verdict.Hold, Decision.UnderEarlier(denied with { Revocation = new(false, null) }, Policies.Vietnam, Cases.Now));
    }
}
