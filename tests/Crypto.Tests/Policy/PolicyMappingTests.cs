using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

/// <summary>P12: translation is monotone, its result valid, back(fwd(L)) dominates L; a missing equivalent fails and leaves the source untouched.</summary>
public sealed class PolicyMappingTests
{
    static readonly CompiledPolicy Nato = Policies.Compile(Policies.Resource("nato-like.json"));
    static readonly byte[] ThereFile = Policies.Resource("vietnam-to-nato-like.json"), BackFile = Policies.Resource("nato-like-to-vietnam.json");
    static readonly PolicyMapping There = PolicyMapping.Read(ThereFile, Policies.Vietnam, Nato), Back = PolicyMapping.Read(BackFile, Nato, Policies.Vietnam);

    // Up to Mật a label needs no addressees there; above, only those that have them translate.
    static readonly Gen<Label> Labels = PolicyGen.Label.Select(Gen.Bool, (label, basis) => label with { Basis = basis || label.Class > 10 ? "117.1" : null });

    [Fact]
    public void Going_there_and_back_protects_at_least_as_much() => Labels.Sample(label =>
    {
        if (Try(There, label) is not { } made) return;
        Assert.Null(PolicyProbe.Fault(Nato, made));
        var back = Back.Translate(made, Policies.Now);
        Assert.Null(PolicyProbe.Fault(Policies.Vietnam, back));
        Assert.True(Lattice.Dominates(Policies.Vietnam, back, label), $"{PolicyGen.Full(label)} came back as {PolicyGen.Full(back)}");
    }, iter: 5_000);

    [Fact]
    public void Translation_is_monotone_and_valid_there_and_back()
    {
        var compared = 0;
        Gen.Select(Labels, Labels).Sample((a, b) =>
        {
            var low = Lattice.Meet(Policies.Vietnam, a, b) with { Basis = "117.1" };
            if (Try(There, a) is not { } translated || Try(There, low) is not { } below) return;
            Assert.True(Lattice.Dominates(Nato, translated, below));
            // The way back is one too, of labels that nobody here chose: one more group, one more field.
            var wide = Lattice.Join(Nato, translated, below) with { Basis = translated.Basis };
            if (Try(Back, wide) is not { } returned || Try(Back, below) is not { } lower) return;
            Assert.All(new[] { translated, below }, l => Assert.Null(PolicyProbe.Fault(Nato, l)));
            Assert.All(new[] { returned, lower }, l => Assert.Null(PolicyProbe.Fault(Policies.Vietnam, l)));
            Assert.True(Lattice.Dominates(Policies.Vietnam, returned, lower));
            if (!Lattice.Dominates(Policies.Vietnam, low, a)) Interlocked.Increment(ref compared);
        }, iter: 5_000);
        Assert.True(compared > 500, $"{compared} compared");
    }

    [Fact]
    public void What_has_no_equivalent_is_refused_and_stays_as_it_is()
    {
        var label = Policies.Vietnam.NewLabel("toi-mat", "117.1");
        var before = PolicyGen.Full(label);
        // SECRET there must say to whom it is releasable.
        Assert.Equal(Refusal.NoMapping, Assert.Throws<RefusedException>(() => There.Translate(label, Policies.Now)).Refusal);
        Assert.Equal(before, PolicyGen.Full(label));
        Assert.NotNull(Try(There, Policies.Vietnam.NewLabel("toi-mat", "117.1", [Policies.Permissive(1)])));
        // A value that nobody listed, of each type.
        var poor = Edited(ThereFile, f => { foreach (var set in f["tagSets"]!.AsArray()) set!["values"]!.AsArray().RemoveAt(0); }, Policies.Vietnam, Nato);
        foreach (var lost in new[] { Policies.Restrictive(1), Policies.Permissive(1) })
            Assert.Equal(Refusal.NoMapping, Assert.Throws<RefusedException>(() => poor.Translate(Policies.Vietnam.NewLabel("mat", "117.1", [lost]), Policies.Now)).Refusal);
        Assert.Empty(poor.Translate(Policies.Vietnam.NewLabel("mat", "117.1", [Policies.Informative(1)]), Policies.Now).Categories);
        var strict = Edited(ThereFile, f => { f["informative"] = "refuse"; f["tagSets"]![2]!["values"]!.AsArray().RemoveAt(0); }, Policies.Vietnam, Nato);
        Assert.Throws<RefusedException>(() => strict.Translate(Policies.Vietnam.NewLabel("mat", "117.1", [Policies.Informative(1)]), Policies.Now));
    }

    [Fact]
    public void Nobody_stays_nobody()
    {
        var made = There.Translate(Policies.Vietnam.NewLabel("mat", "117.1", [Policies.Permissive()]), Policies.Now);
        Assert.Equal([], Assert.Single(made.Categories).Values);
        Assert.False(Lattice.Can(Nato, PolicyProbe.Everything(Nato), made));
        Assert.Empty(There.Translate(Policies.Vietnam.NewLabel("mat", "117.1"), Policies.Now).Categories);
    }

    [Fact]
    public void An_unlisted_level_is_refused_or_goes_up_never_down()
    {
        var restricted = Nato.NewLabel("nr");
        Assert.Equal(20, Back.Translate(restricted, Policies.Now).Class);
        var refusing = Edited(BackFile, f => f["unmapped"] = "refuse", Nato, Policies.Vietnam);
        Assert.Equal(Refusal.NoMapping, Assert.Throws<RefusedException>(() => refusing.Translate(restricted, Policies.Now)).Refusal);
        // Nothing above it either.
        var topless = Edited(BackFile, f => f["levels"]!.AsArray().RemoveAt(3), Nato, Policies.Vietnam);
        Assert.Throws<RefusedException>(() => topless.Translate(Nato.NewLabel("cts"), Policies.Now));
        Assert.All(Policies.Vietnam.Content.Levels, l => Assert.NotEqual("nr", There.Content.Levels.FirstOrDefault(m => m.From == l.Code)?.To));
    }

    [Fact]
    public void It_is_in_force_from_the_first_day_to_before_the_end()
    {
        var label = Policies.Vietnam.NewLabel("thuong");
        DateTimeOffset first = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), end = new(2031, 3, 1, 0, 0, 0, TimeSpan.Zero);
        Assert.NotNull(There.Translate(label, first));
        Assert.NotNull(There.Translate(label, end.AddTicks(-1)));
        Assert.Throws<RefusedException>(() => There.Translate(label, first.AddTicks(-1)));
        Assert.Throws<RefusedException>(() => There.Translate(label, end));
    }

    [Fact]
    public void A_label_of_another_policy_is_no_label_here() =>
        Assert.Equal(Refusal.NoMapping, Assert.Throws<RefusedException>(() => There.Translate(Nato.NewLabel("nu"), Policies.Now)).Refusal);

    public static TheoryData<string, Action<JsonObject>> Contradictions() => new()
    {
        { "unknown member", f => f["note"] = "x" },
        { "same direction twice", f => f["to"] = Policies.Vietnam.Content.Policy },
        { "no such level", f => f["levels"]![0]!["to"] = "secret" },
        { "level by its English name", f => f["levels"]![2]!["from"] = "Secret" },
        { "falls", f => f["levels"]![2]!["to"] = "nu" },
        { "level twice", f => f["levels"]![1]!["from"] = "thuong" },
        { "no such tag set", f => f["tagSets"]![0]!["to"] = "2.25.1" },
        { "another type", f => f["tagSets"]![0]!["to"] = f["tagSets"]![1]!["to"]!.GetValue<string>() },
        { "two values become one", f => f["tagSets"]![1]!["values"]![1]!["to"] = "partner-capital" },
        { "no such value", f => f["tagSets"]![1]!["values"]![1]!["to"] = "everybody" },
        { "ends before it begins", f => f["notAfter"] = "2026-03-01" },
        { "date", f => f["notBefore"] = "01/03/2026" },
        { "unmapped", f => f["unmapped"] = "next-lower" },
        { "informative", f => f["informative"] = "keep" },
    };

    [Theory]
    [MemberData(nameof(Contradictions), DisableDiscoveryEnumeration = true)]
    public void A_mapping_that_contradicts_itself_or_the_policies_is_refused(string what, Action<JsonObject> edit) =>
        Assert.True(Assert.Throws<RefusedException>(() => Edited(ThereFile, edit, Policies.Vietnam, Nato)).Refusal == Refusal.MappingInvalid, what);

    static PolicyMapping Edited(byte[] file, Action<JsonObject> edit, CompiledPolicy from, CompiledPolicy to)
    {
        var root = JsonNode.Parse(file)!.AsObject();
        edit(root);
        return PolicyMapping.Read(Encoding.UTF8.GetBytes(root.ToJsonString()), from, to);
    }

    static Label? Try(PolicyMapping mapping, Label label)
    {
        try { return mapping.Translate(label, Policies.Now); }
        catch (RefusedException e) when (e.Refusal == Refusal.NoMapping) { return null; }
    }
}
