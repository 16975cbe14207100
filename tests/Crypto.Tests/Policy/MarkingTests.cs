using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

/// <summary>P11: what is written on a document says its level, in both languages, and nothing else does.</summary>
public sealed class MarkingTests
{
    static readonly CompiledPolicy[] Shipped = [Policies.Vietnam, Policies.Compile(Policies.Resource("vietnam-party.json")), Policies.Compile(Policies.Resource("nato-like.json"))];
    static readonly string[] Positions = ["top", "bottom", "firstLine", "subjectCode", "fileName"];

    [Fact]
    public void Each_marking_of_each_label_is_there_in_both_languages_and_leads_back_to_its_level() =>
        Gen.Select(Gen.Int[0, Shipped.Length - 1], Gen.Int[0, 9]).Sample((which, rank) =>
        {
            var policy = Shipped[which];
            var level = policy.Content.Levels[rank % policy.Content.Levels.Length];
            var label = policy.NewLabel(level.Code, "1");
            foreach (var (position, language) in from position in Positions from language in new[] { "vi", "en" } select (position, language))
            {
                var text = Text(policy.Level(label.Class)!, position, language);
                Assert.False(string.IsNullOrWhiteSpace(text));
                Assert.Equal(level, Assert.Single(policy.Content.Levels, l => Text(l, position, language) == text));
            }
            Assert.Equal(level, Assert.Single(policy.Content.Levels, l => l.Mark == EssLabel.Read(EssLabel.ToEss(label)).Mark));
        }, iter: 300);

    [Fact]
    public void What_is_released_bears_the_markings_of_its_label_and_what_is_denied_bears_none() => FactsGen.Any.Sample(drawn =>
    {
        var (policy, facts) = drawn;
        var decision = facts.Decide(policy);
        if (decision.Verdict == Verdict.Deny) Assert.Null(decision.Obligations);
        else Assert.Equal(policy.Level(facts.Label!.Class)!.Markings, decision.Obligations!.Markings);
    }, iter: 1_000);

    [Fact]
    public void A_mark_that_is_not_the_labels_own_is_denied() => Gen.Select(PolicyGen.Label, Gen.Int[0, 5], Gen.Int[0, 3]).Sample((label, how, other) =>
    {
        var mark = how switch
        {
            0 => Policies.Vietnam.Content.Levels[other].Mark, 1 => label.Mark + " ", 2 => label.Mark.ToLowerInvariant(), 3 => label.Mark.Replace('Ậ', 'Â'), 4 => label.Mark[1..], _ => "",
        };
        var facts = Cases.Mat() with { Label = label with { Basis = "1", Mark = mark } };
        if (mark != label.Mark) Assert.Contains(facts.Decide().Trace, t => t is { Rule: "R03" or "R04", Outcome: Verdict.Deny });
    }, iter: 1_000);

    [Fact]
    public void A_policy_in_which_one_marking_stands_for_two_levels_is_refused() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 3], Gen.Int[0, Positions.Length - 1], Gen.Bool).Sample((rank, on, position, vi) =>
        {
            var (language, other) = (vi ? "vi" : "en", (rank + on) % 4);
            var draft = Policies.Edit(d => d.Level(rank)["markings"]![Positions[position]]![language] = d.Level(other)["markings"]![Positions[position]]![language]!.GetValue<string>());
            Assert.Equal(Refusal.PolicyInvalid, Assert.Throws<RefusedException>(() => Policies.Compile(draft)).Refusal);
        }, iter: 200);

    static string Text(PolicyLevel level, string position, string language)
    {
        var (top, bottom, firstLine, subjectCode, fileName) = level.Markings;
        var name = position switch { "top" => top, "bottom" => bottom, "firstLine" => firstLine, "subjectCode" => subjectCode, _ => fileName };
        return language == "vi" ? name.Vi : name.En;
    }
}
