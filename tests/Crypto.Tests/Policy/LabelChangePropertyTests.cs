using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;

namespace Exchange.Tests.Policy;

/// <summary>P14 and P16 over the rules alone: what one person, and what time alone, can make of any label.</summary>
public sealed class LabelChangePropertyTests
{
    static readonly CompiledPolicy Policy = Policies.Vietnam;
    static readonly DateTimeOffset Now = Cases.Now;
    static readonly long At = Now.ToUnixTimeMilliseconds();

    static Label Fit(Label label, long? term) => label with { Basis = "1", Term = term, Caveats = [.. label.Caveats.Union(Policy.Level(label.Class)!.Handling.Caveats).Order(StringComparer.Ordinal)] };

    static readonly Gen<long?> Term = Gen.Int[-3, 8].Select(days => days == -3 ? (long?)null : Now.AddDays(days * 30 + 1).ToUnixTimeMilliseconds());

    static readonly Gen<Label> AnyLabel = Gen.Select(PolicyGen.Label, Term).Select(t => Fit(t.Item1, t.Item2));

    static Gen<string> OneOf(params string[] of) => Gen.Int[0, of.Length - 1].Select(i => of[i]);

    // One key, under however many offices, roles and clearances it is named.
    static readonly Gen<RelabelPerson[]> OnePerson = Gen.Select(OneOf("G22", "H41"), OneOf("signatory", "clerk", "release-officer"), Gen.Bool)
        .Select(p => new RelabelPerson(Digest.Of("one"u8), p.Item1, [p.Item2, "signatory"], p.Item3 ? Cases.All : Cases.ToMat)).Array[1, 4];

    static readonly Gen<RelabelPerson[]> TwoPersons = Gen.Select(OnePerson, OneOf("G22", "H41")).Select(p => (RelabelPerson[])[.. p.Item1, new(Digest.Of("two"u8), p.Item2, ["signatory"], Cases.All)]);

    static Decision Decide(Label label, RelabelFacts change, DateTimeOffset? now = null, bool? sure = true) =>
        (Cases.Thuong() with { Action = "relabel", Label = label, Recipients = [], Approvals = [], Relabel = change, ClockSure = sure }).Decide(Policy, now);

    static RelabelFacts Change(Label old, RelabelPerson[] persons, string cause = "person", long? extension = null, long? succession = null, bool stopped = false) =>
        new(old, Digest.Of("previous"u8), "G22", cause, persons, "reassessed", Now.AddYears(-1).ToUnixTimeMilliseconds(), extension, succession, stopped);

    static bool ProtectsAsMuch(Label label, Label old) =>
        Lattice.Dominates(Policy, label, old) && (label.Term == old.Term || label.Term is null || (old.Term is { } before && label.Term >= before));

    [Fact]
    public void P14_what_one_person_is_permitted_protects_all_that_was_protected_and_as_long() =>
        Gen.Select(AnyLabel, AnyLabel, OnePerson).Sample((old, label, persons) =>
            Decide(label, Change(old, persons)).Verdict != Verdict.Permit || ProtectsAsMuch(label, old), iter: 50_000);

    [Fact]
    public void P14_no_sequence_of_single_persons_lowers_any_label() =>
        Gen.Select(AnyLabel, Gen.Select(AnyLabel, OnePerson).Array[1, 20]).Sample((first, steps) =>
        {
            var inForce = first;
            foreach (var (label, persons) in steps)
                // Half of them begin from what is in force, so that raises are met often.
                foreach (var wanted in new[] { label, Lattice.Join(Policy, inForce, label) with { Basis = "1", Term = inForce.Term } })
                    if (Decide(wanted, Change(inForce, persons)).Verdict == Verdict.Permit) inForce = wanted;
            return ProtectsAsMuch(inForce, first);
        }, iter: 3_000);

    [Fact]
    public void Two_persons_do_lower_labels_so_the_property_is_not_empty()
    {
        var lowered = 0;
        Gen.Select(AnyLabel, AnyLabel, TwoPersons).Sample((old, label, persons) =>
        {
            var verdict = Decide(label, Change(old, persons)).Verdict;
            if (verdict == Verdict.Permit && !ProtectsAsMuch(label, old)) Interlocked.Increment(ref lowered);
        }, iter: 20_000);
        Assert.True(lowered > 100, $"{lowered}");
    }

    [Fact]
    public void P16_time_alone_ends_a_label_from_its_signed_time_on_and_never_before() =>
        Gen.Select(AnyLabel, Gen.Int[-5, 5], Gen.Int[-6, 5], Gen.Bool, Gen.Int[0, 2], Gen.Bool).Sample((old, end, extension, stopped, sure, succession) =>
        {
            // Ends around now to the millisecond; -6: no extension.
            old = old with { Term = At + end };
            long? longer = extension == -6 ? null : At + extension;
            var label = Policy.NewLabel("thuong");
            var cause = succession ? "succession" : "term";
            var verdict = Decide(label, Change(old, [], cause, longer, At + end, stopped), sure: sure == 0 ? null : sure == 1).Verdict;
            return (verdict == Verdict.Permit) == (sure == 1 && !stopped && Math.Max(end, longer is null ? end : extension) <= 0);
        }, iter: 50_000);

    [Fact]
    public void P16_a_label_without_a_signed_time_outlasts_every_clock_but_the_laws() =>
        Gen.Select(AnyLabel, Gen.Int[0, 40]).Sample((old, years) =>
        {
            old = old with { Term = null };
            var rank = Policy.Rank(old.Class);
            var now = Now.AddYears(-1).AddYears(years);
            var policy = CompiledPolicy.Compile(Policy.Content with { NotAfter = Now.AddYears(50).ToUnixTimeMilliseconds() });
            var facts = Cases.Thuong() with { Action = "relabel", Label = policy.NewLabel("thuong"), Recipients = [], Approvals = [], Relabel = Change(old, [], "term"), ClockSure = true };
            return (facts.Decide(policy, now).Verdict == Verdict.Permit) == (rank > 0 && years >= rank * 10);
        }, iter: 5_000);

    [Fact]
    public void A_term_leads_to_no_level_in_between() =>
        Gen.Select(AnyLabel, AnyLabel).Sample((old, label) =>
            Decide(label, Change(old with { Term = At - 1 }, [], "term")).Verdict != Verdict.Permit || label.Class == 10, iter: 20_000);
}
