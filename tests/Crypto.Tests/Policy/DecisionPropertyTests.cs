using System.Text;
using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

public sealed class DecisionPropertyTests
{
    static readonly PolicyStatement Content = Policies.Vietnam.Content;

    [Fact]
    public void The_engine_agrees_with_a_second_one_written_from_the_facts() => Agrees(20_000);

    [Fact, Trait("tier", "long")]
    public void The_engine_agrees_with_a_second_one_on_a_million_cases() => Agrees(1_000_000);

    static void Agrees(int cases)
    {
        // P6: the whole, each recipient, each rule. Every verdict of every action must be common, or this says nothing.
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<(string, Verdict), int>();
        FactsGen.Any.Sample(drawn =>
        {
            var (policy, facts) = drawn;
            var second = ReferenceDecision.Judge(facts, policy, Cases.Now);
            Cases.Agree(second, Decision.Decide(facts, policy, Cases.Now));
            Assert.Equal(second.Verdict, Decision.VerdictOf(facts, policy, Cases.Now));
            seen.AddOrUpdate((facts.Action, second.Verdict), 1, (_, count) => count + 1);
        }, iter: cases);
        foreach (var action in FactsGen.Actions.Distinct())
            foreach (var verdict in new[] { Verdict.Permit, Verdict.Deny }) Assert.True(seen.GetValueOrDefault((action, verdict)) >= cases / 20_000, $"{action} {verdict}: {string.Join(", ", seen.OrderBy(s => s.Key.Item1))}");
        foreach (var action in new[] { "submit", "release", "seal", "relabel" }) Assert.True(seen.GetValueOrDefault((action, Verdict.Hold)) >= cases / 2000, $"{action} hold: {string.Join(", ", seen.OrderBy(s => s.Key.Item1))}");
    }

    [Fact]
    public void Raising_a_label_shrinking_a_clearance_removing_an_approval_or_ageing_the_directory_never_opens_a_door()
    {
        // P4, for closed clearances.
        Gen.Select(PolicyGen.Facts(PolicyGen.Wide), PolicyGen.Label, PolicyGen.ClosedClearance, Gen.Int[0, 6]).Sample((facts, other, less, which) =>
        {
            if (facts.Label is null) return;
            var harder = which switch
            {
                0 => facts with { Label = Raise(facts.Label, other) },
                1 => facts with { Recipients = [.. facts.Recipients.Select(r => r with { Clearance = Lattice.Intersect(r.Clearance, less) })] },
                2 => facts with { Recipients = [.. facts.Recipients.Select(r => r with { ChannelCeiling = Lattice.Intersect(r.ChannelCeiling, less) })] },
                3 => facts with { SenderClearance = Lattice.Intersect(facts.SenderClearance, less) },
                4 => facts with { StoreCeiling = Lattice.Intersect(facts.StoreCeiling, less) },
                5 => facts with { Approvals = [.. facts.Approvals.Skip(1)] },
                _ => facts with { DirectoryAsOf = facts.DirectoryAsOf!.Value.AddMinutes(-14) },
            };
            // A ceiling that is gone altogether is one of the lowest level, so the door may stay open; it never opens.
            Assert.True(harder.Decide().Verdict <= facts.Decide().Verdict);
        }, iter: 3_000);
    }

    [Fact]
    public void Same_facts_same_policy_same_time_give_the_same_bytes_and_they_replay()
    {
        // P7.
        PolicyGen.Facts(PolicyGen.Wide).Sample(facts =>
        {
            var decision = facts.Decide();
            Assert.Equal(decision.Record, facts.Decide(now: Cases.Now.AddTicks(9_999)).Record);
            Assert.True(Decision.Replay(decision.Record, Policies.Vietnam));
        }, iter: 2_000);
    }

    [Fact]
    public void The_order_of_recipients_approvals_and_rules_does_not_matter()
    {
        // P7. That of categories is part of the label's form.
        Gen.Select(PolicyGen.Facts(PolicyGen.Wide), Gen.Int[0, 1000]).Sample((facts, seed) =>
        {
            var order = new Random(seed);
            var shuffled = facts with
            {
                Recipients = Shuffle(facts.Recipients, order),
                Approvals = Shuffle([.. facts.Approvals, Cases.Signatory with { Roles = ["clerk"] }], order),
            };
            var (one, two) = ((facts with { Approvals = [.. facts.Approvals, Cases.Signatory with { Roles = ["clerk"] }] }).Decide(), shuffled.Decide());
            Assert.Equal(one.Verdict, two.Verdict);
            Assert.Equal(one.PublicView(), two.PublicView());
            Assert.Equal(ByOffice(facts, one), ByOffice(shuffled, two));
            Assert.Equal(one.Trace.OrderBy(t => t.Rule).ThenBy(t => t.Subject), two.Trace.OrderBy(t => t.Rule).ThenBy(t => t.Subject));
            // Nor does the order of the rules.
            var three = Evaluation.Run(facts, Policies.Vietnam, Cases.Now, Shuffle(Evaluation.Rules, order));
            var asEver = facts.Decide();
            Assert.Equal(asEver.Verdict, three.Verdict);
            Assert.Equal(asEver.PerRecipient, three.PerRecipient);
        }, iter: 2_000);
    }

    [Fact]
    public void Without_the_rules_that_decided_the_verdict_is_another_and_without_the_rest_it_is_the_same()
    {
        // P17, for every rule: each must have decided alone, and often.
        var alone = new System.Collections.Concurrent.ConcurrentDictionary<string, int>();
        FactsGen.Any.Sample(drawn =>
        {
            var (policy, facts) = drawn;
            var decision = Decision.Decide(facts, policy, Cases.Now);
            if (decision.Verdict == Verdict.Permit) return;
            var deciding = decision.Trace.Where(t => t.Outcome == decision.Verdict).Select(t => t.Rule).ToHashSet();
            // What a second engine said (R22) it said of all the others: when they are silent, it is about nothing.
            Assert.True(Silent(policy, facts, r => deciding.Contains(r) || r == "R22").Verdict > decision.Verdict);
            if (!deciding.Contains("R22")) Assert.Equal(decision.Verdict, Silent(policy, facts, r => !deciding.Contains(r)).Verdict);
            if (deciding.Count == 1) alone.AddOrUpdate(deciding.Single(), 1, (_, count) => count + 1);
        }, iter: 20_000);
        Assert.Empty(Evaluation.Rules.Where(r => alone.GetValueOrDefault(r.Code) < 5).Select(r => $"{r.Code} decided alone {alone.GetValueOrDefault(r.Code)} times"));
    }

    static Decision Silent(CompiledPolicy policy, DecisionFacts facts, Predicate<string> rule) => Evaluation.Run(facts, policy, Cases.Now,
        [.. Evaluation.Rules.Select(r => !rule(r.Code) ? r : r.OfDispatch is null ? r with { OfRecipient = (_, _) => Finding.Permit } : r with { OfDispatch = _ => Finding.Permit })]);

    [Fact]
    public void An_exception_in_any_rule_denies_and_is_recorded_once()
    {
        // P8.
        foreach (var broken in Evaluation.Rules)
        {
            var decision = Evaluation.Run(Cases.Mat(), Policies.Vietnam, Cases.Now, Broken(broken));
            Assert.Equal(Verdict.Deny, decision.Verdict);
            Assert.All(decision.PerRecipient, v => Assert.Equal(Verdict.Deny, v));
            Assert.Equal(Evaluation.Rules.Length + 3, decision.Trace.Count);
            Assert.All(decision.Trace.Where(t => t.Rule == broken.Code), t => Assert.Equal(("E_INTERNAL", "exception"), (t.Refusal, t.Reason)));
            if (broken.Code != "R24") Assert.Equal(("E_INTERNAL", broken.Code), decision.Trace.Where(t => t.Rule == "R24").Select(t => (t.Refusal, t.Reason)).Single());
            Assert.All(decision.Faults, f => Assert.Equal("broken", f.Message));
            Assert.NotEmpty(decision.Faults);
            // What broke over the other side's facts looks like any other no.
            Assert.Equal(broken.OfRecipient is null ? Refusal.Internal : Refusal.NotReleasable, decision.ForSender);
        }
        // Whatever is asked, and whatever else is wrong with it.
        Gen.Select(FactsGen.Any, Gen.Int[0, Evaluation.Rules.Length - 1]).Sample((drawn, which) =>
        {
            var (policy, facts) = drawn;
            var broken = Evaluation.Rules[which];
            if (broken.OfRecipient is not null && facts.Recipients.Count == 0) return;
            var decision = Evaluation.Run(facts, policy, Cases.Now, Broken(broken));
            Assert.Equal(Verdict.Deny, decision.Verdict);
            Assert.Equal(Evaluation.Rules.Length - 3 + (3 * facts.Recipients.Count), decision.Trace.Count);
            Assert.Equal(Verdict.Deny, Evaluation.Say(facts, policy, Cases.Now, Broken(broken)));
        }, iter: 2_000);
    }

    static Rule[] Broken(Rule broken) => [.. Evaluation.Rules.Select(r => r != broken ? r : r.OfDispatch is null
        ? r with { OfRecipient = (_, _) => throw new InvalidOperationException("broken") } : r with { OfDispatch = _ => throw new InvalidOperationException("broken") })];

    [Fact]
    public void Facts_that_cannot_be_read_or_written_deny_and_are_recorded()
    {
        var broken = new IReadOnlyList<RecipientFacts>[] { null!, [null!], new Breaking<RecipientFacts>() };
        // Wherever text stands that is not in Unicode NFC.
        var (loose, mat, to) = ("Nghê" + "\u0323" + " An", Cases.Mat(), Cases.To("H41"));
        var odd = mat.With(l => l with { Mark = loose }).Label!;
        var category = Policies.Restrictive(1) with { Tag = loose };
        DecisionFacts[] unwritten =
        [
            mat with { Sender = loose }, mat with { Action = loose }, mat with { Label = odd }, mat with { Label = odd with { Mark = "MẬT", Basis = loose } }, mat.Refer("reply", odd), mat.Refer(loose, null),
            mat with { SenderClearance = Cases.All with { Categories = [category] } }, mat with { StoreCeiling = Cases.All with { Policy = loose } }, mat with { Named = [loose] }, mat with { NeedToKnow = [loose] },
            Cases.Mat(to with { Office = loose }), Cases.Mat(to with { Channel = loose }), Cases.Mat(to with { Groups = [loose] }), Cases.Mat(to with { ChannelCeiling = Cases.All with { Categories = [category] } }),
            mat with { Approvals = [Cases.Signatory with { Roles = [loose] }] }, mat with { Translation = new(default, loose) }, mat with { Sizes = new(0, long.MaxValue) },
        ];
        foreach (var facts in broken.Select(r => mat with { Recipients = r }).Concat(unwritten))
        {
            var decision = facts.Decide();
            Assert.Equal(Verdict.Deny, decision.Verdict);
            Assert.Equal(Refusal.Internal, decision.ForSender);
            Assert.Equal("R24", Assert.Single(decision.Trace).Rule);
            Assert.Single(decision.Faults);
            Assert.True(Decision.Replay(decision.Record, Policies.Vietnam));
        }
    }

    [Fact]
    public void A_label_with_missing_members_denies()
    {
        var label = Policies.Vietnam.NewLabel("mat", "1");
        foreach (var broken in new[] { label with { Categories = null! }, label with { Mark = null! }, label with { Caveats = null! }, label with { Policy = null! }, label with { Categories = [null!] } })
            Assert.Equal(Verdict.Deny, (Cases.Mat() with { Label = broken }).Decide().Verdict);
    }

    [Fact]
    public void No_rules_is_no_permission()
    {
        var decision = Evaluation.Run(Cases.Thuong(), Policies.Vietnam, Cases.Now, []);
        Assert.Equal(Verdict.Deny, decision.Verdict);
        Assert.Equal(Refusal.Internal, decision.ForSender);
        var unspoken = Evaluation.Run(Cases.Thuong(), Policies.Vietnam, Cases.Now, [.. Evaluation.Rules.Where(r => r.OfDispatch is not null)]);
        Assert.Equal(Verdict.Deny, unspoken.Verdict);
    }

    [Fact]
    public void A_hold_is_stricter_than_a_permit_and_weaker_than_a_deny()
    {
        var hold = new Rule { Code = "R16", OfDispatch = _ => new Finding(Verdict.Hold, Refusal.NotYet, "embargo", AboutOther: false) };
        var held = Evaluation.Run(Cases.Thuong(), Policies.Vietnam, Cases.Now, [.. Evaluation.Rules, hold]);
        Assert.Equal((Verdict.Hold, Refusal.NotYet), (held.Verdict, held.ForSender));
        var denied = Evaluation.Run(Cases.Thuong() with { Label = null }, Policies.Vietnam, Cases.Now, [hold, .. Evaluation.Rules]);
        Assert.Equal((Verdict.Deny, Refusal.LabelMissing), (denied.Verdict, denied.ForSender));
    }

    [Fact]
    public void Permitted_keys_are_the_recipients_and_the_policys_recovery_keys_all_and_no_other()
    {
        // P15, T11. That the envelope is sealed to no other is checked with its header.
        var permitted = 0;
        FactsGen.Any.Sample(drawn =>
        {
            var (policy, facts) = drawn;
            if (facts.Action is "seal" or "relabel" or "read") return;
            var decision = facts.Decide(policy);
            var (dry, comes) = (facts.Action == "dry-run", facts.Action is "submit" or "forward");
            if (decision.Verdict != Verdict.Deny)
            {
                Assert.Equal(facts.Recipients.Select(r => r.Key).OfType<Digest>().ToHashSet(), decision.Obligations!.Keys.ToHashSet());
                Assert.All(facts.Recipients, r => Assert.True(dry || (r.KeyCurrent && r.Key is not null)));
                var recovery = facts.Recipients.Where(r => r.Role == "recovery").Select(r => r.Key!.Value).ToHashSet();
                Assert.True(recovery.IsSubsetOf(policy.Level(facts.Label!.Class)!.Handling.Recovery));
                if (comes) Assert.Equal(policy.Level(facts.Label!.Class)!.Handling.Recovery.ToHashSet(), recovery);
                Interlocked.Increment(ref permitted);
            }
            var one = Cases.To("H99");
            foreach (var foreign in new[] { one with { KeyCurrent = false }, one with { Key = null }, one with { Role = "recovery" } })
                if (!dry || foreign.Role == "recovery") Assert.Contains("R18 Deny", Rules(facts with { Recipients = [.. facts.Recipients, foreign] }, policy));
            if (!comes || facts.Label is null) return;
            foreach (var key in facts.Label.Policy == policy.Content.Policy ? policy.Level(facts.Label.Class)?.Handling.Recovery ?? [] : [])
            {
                Assert.Contains("R18 Deny", Rules(facts with { Recipients = [.. facts.Recipients.Where(r => r.Key != key)] }, policy));
                // Nor does another one, twice, stand in for it.
                Assert.Contains("R18 Deny", Rules(facts with { Recipients = [.. facts.Recipients.Select(r => r.Role == "recovery" ? r with { Key = key } : r)] }, policy));
            }
        }, iter: 3_000);
        Assert.InRange(permitted, 100, 3_000);
    }

    static IEnumerable<string> Rules(DecisionFacts facts, CompiledPolicy policy) => facts.Decide(policy).Trace.Select(t => $"{t.Rule} {t.Outcome}");

    [Fact]
    public void Ten_thousand_recipients_are_decided_and_one_of_them_still_denies_all()
    {
        RecipientFacts[] many = [.. Enumerable.Range(0, 10_000).Select(i => Cases.To($"H{i}"))];
        Assert.Equal(Verdict.Permit, Cases.Mat(many).Decide().Verdict);
        many[7_777] = many[7_777] with { Clearance = null };
        Assert.Equal("H7777", Assert.Single(Cases.Mat(many).Decide().Trace, t => t.Outcome != Verdict.Permit).Subject);
    }

    [Fact]
    public void A_verdict_alone_allocates_nothing()
    {
        var all = Cases.To("H41") with { Clearance = Cases.All, ChannelCeiling = Cases.All };
        foreach (var action in new[] { "submit", "forward", "dry-run", "release", "retry", "download", "read" })
            foreach (var level in Policies.Vietnam.Content.Levels)
            {
                var label = Policies.Vietnam.NewLabel(level.Code, "1", [Policies.Informative(1), Policies.Permissive(1, 2), Policies.Restrictive(1)]);
                var facts = Cases.Mat(all, all with { Office = "H37" }) with
                {
                    Action = action, Label = label, Reader = Cases.All, Named = ["H37", "H41"], NeedToKnow = ["a"],
                    Approvals = [Cases.Signatory, .. new[] { 1, 2 }.Select(p => new ApprovalFacts("release", FactsGen.Key(p), ["release-officer"], Cases.Now))],
                    References = action == "forward" ? [new("forward", FactsGen.Key(9), Policies.Vietnam.NewLabel("thuong"), "H14", null)] : [],
                };
                Assert.Equal(Verdict.Permit, facts.Decide().Verdict);
                // The first call allocates what the policy keeps from then on.
                Decision.VerdictOf(facts, Policies.Vietnam, Cases.Now);
                var before = GC.GetAllocatedBytesForCurrentThread();
                for (var i = 0; i < 200; i++) Decision.VerdictOf(facts, Policies.Vietnam, Cases.Now);
                var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.True(bytes == 0, $"{action} {level.Code}: {bytes} bytes in 200 verdicts");
            }
    }

    static Label Raise(Label label, Label by)
    {
        var raised = Lattice.Join(Policies.Vietnam, label with { Mark = Policies.Vietnam.Level(label.Class)!.Mark }, by);
        // The same author's label: only what the order looks at is raised.
        return raised with { Basis = label.Basis, Mark = label.Mark == Policies.Vietnam.Level(label.Class)!.Mark ? raised.Mark : label.Mark };
    }

    static T[] Shuffle<T>(IReadOnlyList<T> items, Random order)
    {
        var copy = items.ToArray();
        order.Shuffle(copy);
        return copy;
    }

    static string[] ByOffice(DecisionFacts facts, Decision decision) =>
        [.. facts.Recipients.Zip(decision.PerRecipient, (r, v) => $"{r.Office}={v}").Order()];

    sealed class Breaking<T> : IReadOnlyList<T>
    {
        public T this[int index] => throw new IOException("gone");
        public int Count => 1;
        public IEnumerator<T> GetEnumerator() => throw new IOException("gone");
        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
