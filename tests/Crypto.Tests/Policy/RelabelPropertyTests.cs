using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

/// <summary>What can become of a label, by persons and by time.</summary>
public sealed class RelabelPropertyTests
{
    static readonly CompiledPolicy P = Policies.Vietnam;
    static readonly DateTimeOffset Now = Cases.Now;
    static readonly long End = Policies.End.AddYears(50).ToUnixTimeMilliseconds();

    sealed record Step(Label Wanted, long? Term, int Mode, int Person);

    static readonly Gen<long?> Term = Gen.Int[0, 3].Select(n => n == 0 ? (long?)null : Now.AddYears(n).ToUnixTimeMilliseconds());

    [Fact]
    public void No_sequence_of_changes_by_one_person_at_a_time_lowers_a_label()
    {
        // P14. Whoever it is, in whatever roles, signing once or for two offices; each change begins where the one before ended.
        var (raised, refused) = (0, 0);
        Gen.Select(PolicyGen.Label, Term, Gen.Select(PolicyGen.Label, Term, Gen.Int[0, 3], Gen.Int[0, 5]).Select((l, t, m, p) => new Step(l, t, m, p)).Array[1, 8]).Sample((first, term, steps) =>
        {
            var start = Fit(first) with { Term = term };
            var label = start;
            foreach (var step in steps)
            {
                var wanted = Fit(step.Mode == 0 ? step.Wanted : Lattice.Join(P, label, step.Wanted)) with { Term = step.Mode == 1 ? label.Term : step.Term };
                var person = new RelabelPerson(FactsGen.Key(step.Person), "G22", step.Person == 5 ? ["release-officer"] : ["clerk", "release-officer", "signatory"], step.Person == 4 ? Cases.ToMat : Cases.All);
                var facts = Cases.Thuong() with
                {
                    Action = "relabel", Label = wanted, Recipients = [],
                    Relabel = new(label, FactsGen.Key(7), "G22", "person", step.Mode == 2 ? [person] : [person, person with { Office = "H41" }], "reason", Now.AddYears(-1).ToUnixTimeMilliseconds(), null, null, false),
                };
                if (facts.Decide().Verdict == Verdict.Permit)
                {
                    label = wanted;
                    Interlocked.Increment(ref raised);
                }
                else Interlocked.Increment(ref refused);
                Assert.True(Lattice.Dominates(P, label, start), PolicyGen.Full(label));
                Assert.True((label.Term ?? long.MaxValue) >= (start.Term ?? long.MaxValue));
            }
        }, iter: 3_000);
        Assert.True(raised > 2_000 && refused > 2_000, $"{raised} raised, {refused} refused");
    }

    [Fact]
    public void A_verdict_changes_only_at_a_time_that_is_signed()
    {
        // P16. Between two times that stand in label, policy, clearance, approval, card, directory or change, every moment gives the same.
        var changes = 0;
        Gen.Select(FactsGen.Any, Gen.Int[0, 1 << 30]).Sample((drawn, seed) =>
        {
            var (policy, facts) = drawn;
            var draw = new Random(seed);
            long[] signed = [.. Signed(facts, policy).Append(End).Where(t => t > 0 && t <= End).Distinct().Order()];
            Verdict? before = null;
            for (var i = 0; i + 1 < signed.Length; i++)
            {
                var verdict = At(facts, policy, signed[i]);
                Assert.Equal(verdict, At(facts, policy, draw.NextInt64(signed[i], signed[i + 1])));
                Assert.Equal(verdict, At(facts, policy, signed[i + 1] - 1));
                if (before is not null && before != verdict) Interlocked.Increment(ref changes);
                before = verdict;
            }
        }, iter: 1_000);
        Assert.True(changes > 500, $"{changes} changes");
    }

    [Fact]
    public void A_clock_that_is_not_sure_opens_nothing_however_far_it_jumped()
    {
        // P16, the clock.
        Gen.Select(FactsGen.Any, Gen.Long[-400L * 86_400_000, 400L * 86_400_000], Gen.Bool).Sample((drawn, jump, known) =>
        {
            var (policy, facts) = drawn;
            var unsure = facts with { ClockSure = known ? false : null };
            var at = Now.ToUnixTimeMilliseconds() + jump;
            Assert.True(At(unsure, policy, at) <= At(facts with { ClockSure = true }, policy, at));
            var byTime = facts is { Action: "relabel", Relabel.Cause: not "person" } or { Action: "release" or "retry" or "download", NotBefore: not null };
            if (byTime) Assert.NotEqual(Verdict.Permit, At(unsure, policy, at));
        }, iter: 5_000);
    }

    [Fact]
    public void A_succession_or_a_term_comes_at_its_time_and_never_before_an_extension_of_it()
    {
        // P16, the very moment: at the later of the signed end and its extension.
        Gen.Select(PolicyGen.Label, Gen.Bool, Gen.Long[-1_000, 1_000], Gen.Long[-2_000, 2_000], Gen.Int[0, 1]).Sample((old, succession, end, extension, extended) =>
        {
            var (signed, longer) = (Now.ToUnixTimeMilliseconds() + end, Now.ToUnixTimeMilliseconds() + extension);
            var facts = Cases.Thuong() with
            {
                Action = "relabel", Recipients = [],
                Relabel = new(Fit(old) with { Term = succession ? null : signed }, FactsGen.Key(7), "G22", succession ? "succession" : "term", [], null, 0, extended == 1 ? longer : null, succession ? signed : null, false),
            };
            var opens = extended == 1 ? Math.Max(signed, longer) : signed;
            Assert.Equal(Verdict.Deny, At(facts, P, opens - 1));
            Assert.Equal(Verdict.Permit, At(facts, P, opens));
            Assert.Equal(Verdict.Deny, At(facts.Changed(c => c with { Stopped = true }), P, opens));
        }, iter: 1_000);
    }

    static Verdict At(DecisionFacts facts, CompiledPolicy policy, long at) => facts.Decide(policy, DateTimeOffset.FromUnixTimeMilliseconds(at)).Verdict;

    /// <summary>As its author must choose it.</summary>
    static Label Fit(Label label) => label with { Basis = "1", Caveats = [.. label.Caveats.Union(P.Level(label.Class)!.Handling.Caveats).Order(StringComparer.Ordinal)] };

    static IEnumerable<long> Signed(DecisionFacts f, CompiledPolicy policy)
    {
        long Ms(DateTimeOffset time) => time.ToUnixTimeMilliseconds();
        DateTimeOffset Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);
        List<long> times = [policy.Content.NotBefore, policy.Content.NotAfter];
        Clearance?[] held = [f.SenderClearance, f.StoreCeiling, f.Reader, .. f.Recipients.SelectMany(r => new[] { r.Clearance, r.ChannelCeiling }), .. (f.Relabel?.Persons ?? []).Select(p => p.Clearance)];
        foreach (var clearance in held.OfType<Clearance>()) times.AddRange(clearance.ValidFrom, clearance.ValidTo);
        DateTimeOffset?[] until = [f.NotBefore, f.SenderHeldUntil, .. f.Recipients.Select(r => r.HeldUntil)];
        times.AddRange(until.OfType<DateTimeOffset>().Select(Ms));
        times.AddRange(f.Approvals.Select(a => Ms(a.NotAfter) + 1));
        if (f.DirectoryAsOf is { } asOf) times.AddRange(Ms(asOf), Ms(asOf) + (15 * 60_000) + 1);
        if (f.Revocation?.AsOf is { } said) times.AddRange(policy.Content.Levels.Select(l => l.Handling.Revocation?.MaxMinutes).OfType<int>().Select(m => said + (m * 60_000L) + 1).Append(said));
        // The law's years, back from the term of a new label and on from the day of an old one.
        if (f.Label?.Term is { } term) times.AddRange(new[] { 0, -10, -20, -30 }.Select(years => Ms(Time(term).AddYears(years))));
        if (f.Relabel is { } change)
        {
            times.AddRange(new[] { 10, 20, 30 }.Select(years => Ms(Time(change.LabelledAt).AddYears(years))));
            times.AddRange(new[] { change.Old.Term, change.Extension, change.SuccessionAt }.OfType<long>());
        }
        times.AddRange(policy.Content.Levels.SelectMany(l => l.Handling.Terms).Select(t => Ms(new(DateOnly.ParseExact(t.From, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), default, default))));
        return times;
    }
}
