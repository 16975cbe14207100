using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

public sealed class LatticeTests
{
    static readonly CompiledPolicy P = Policies.Vietnam;

    [Fact]
    public void Dominance_is_reflexive_antisymmetric_and_transitive()
    {
        // P1. Triples are drawn close to each other, else nothing ever dominates anything.
        Gen.Select(PolicyGen.Label, PolicyGen.Label, PolicyGen.Label).Sample((a, b, c) =>
        {
            Assert.True(Lattice.Dominates(P, a, a));
            if (Lattice.Dominates(P, a, b) && Lattice.Dominates(P, b, a)) Assert.Equal(PolicyGen.Flat(a), PolicyGen.Flat(b));
            var top = Lattice.Join(P, Lattice.Join(P, a, b), c);
            var middle = Lattice.Join(P, a, b);
            Assert.True(Lattice.Dominates(P, top, middle) && Lattice.Dominates(P, middle, a) && Lattice.Dominates(P, top, a));
            if (Lattice.Dominates(P, a, b) && Lattice.Dominates(P, b, c)) Assert.True(Lattice.Dominates(P, a, c));
        }, iter: 3_000);
    }

    [Fact]
    public void Join_and_meet_obey_the_laws_of_a_lattice()
    {
        // P2.
        Gen.Select(PolicyGen.Label, PolicyGen.Label, PolicyGen.Label).Sample((a, b, c) =>
        {
            foreach (var op in new Func<Label, Label, Label>[] { (x, y) => Lattice.Join(P, x, y), (x, y) => Lattice.Meet(P, x, y) })
            {
                Assert.Equal(PolicyGen.Full(a), PolicyGen.Full(op(a, a)));
                Assert.Equal(PolicyGen.Full(op(a, b)), PolicyGen.Full(op(b, a)));
                Assert.Equal(PolicyGen.Full(op(op(a, b), c)), PolicyGen.Full(op(a, op(b, c))));
            }
            Assert.Equal(PolicyGen.Full(a), PolicyGen.Full(Lattice.Join(P, a, Lattice.Meet(P, a, b))));
            Assert.Equal(PolicyGen.Full(a), PolicyGen.Full(Lattice.Meet(P, a, Lattice.Join(P, a, b))));
            Assert.True(Lattice.Dominates(P, Lattice.Join(P, a, b), a));
            Assert.True(Lattice.Dominates(P, a, Lattice.Meet(P, a, b)));
            // The join is the least of the labels above both.
            if (Lattice.Dominates(P, c, a) && Lattice.Dominates(P, c, b)) Assert.True(Lattice.Dominates(P, c, Lattice.Join(P, a, b)));
        }, iter: 3_000);
    }

    [Fact]
    public void Joins_and_meets_are_labels_in_form()
    {
        Gen.Select(PolicyGen.Label, PolicyGen.Label).Sample((a, b) =>
        {
            LabelForm.Check(Lattice.Join(P, a, b));
            LabelForm.Check(Lattice.Meet(P, a, b));
        }, iter: 2_000);
    }

    [Fact]
    public void Who_may_have_the_bundle_may_have_each_part()
    {
        // P3, for clearances that are closed downwards.
        Gen.Select(PolicyGen.ClosedClearance, PolicyGen.Label, PolicyGen.Label).Sample((k, a, b) =>
        {
            if (Lattice.Can(P, k, Lattice.Join(P, a, b))) Assert.True(Lattice.Can(P, k, a) && Lattice.Can(P, k, b));
            if (Lattice.Dominates(P, b, a) && Lattice.Can(P, k, b)) Assert.True(Lattice.Can(P, k, a));
        }, iter: 3_000);
    }

    [Fact]
    public void Who_may_have_each_part_may_not_always_have_the_bundle()
    {
        // The converse of P3 is false: another release value for each part.
        var (a, b) = (P.NewLabel("mat", "1", [Policies.Permissive(1)]), P.NewLabel("mat", "1", [Policies.Permissive(2)]));
        var holder = Policies.Clearance([10, 20], Policies.Permissive(1, 2));
        Assert.True(Lattice.Can(P, holder, a) && Lattice.Can(P, holder, b));
        Assert.False(Lattice.Can(P, holder, Lattice.Join(P, a, b)));
    }

    [Fact]
    public void Releasable_to_one_joined_with_releasable_to_another_is_nobody()
    {
        // T1. ADatP-4774.1 Rule 5 would drop the limit and release to everyone.
        var join = Lattice.Join(P, P.NewLabel("thuong", categories: [Policies.Permissive(1)]), P.NewLabel("thuong", categories: [Policies.Permissive(2)]));
        Assert.Empty(Assert.Single(join.Categories).Values);
        Assert.False(Lattice.Can(P, Cases.All, join));
        var recipient = Cases.To("H41") with { Clearance = Cases.All, ChannelCeiling = Cases.All };
        var decision = (Cases.Thuong(recipient) with { Label = join }).Decide();
        Assert.Equal(["R06:permissive", "R07:permissive", "R09:channel-permissive", "R10:store-permissive"], decision.Deciding());
    }

    [Fact]
    public void Numbers_are_no_order()
    {
        // T2: number 11 below number 5.
        var policy = Policies.Compile(Policies.Edit(d => (d.Level(0)["class"], d.Level(1)["class"]) = (11, 5)));
        var (low, high) = (policy.NewLabel("thuong"), policy.NewLabel("mat", "1"));
        Assert.Equal((11, 5), (low.Class, high.Class));
        Assert.True(Lattice.Dominates(policy, high, low));
        Assert.False(Lattice.Dominates(policy, low, high));
        var eleven = Policies.Clearance([11]);
        Assert.True(Lattice.Can(policy, eleven, low));
        Assert.False(Lattice.Can(policy, eleven, high));
        var facts = Cases.Mat(Cases.To("H41") with { Clearance = eleven }) with { Label = high };
        Assert.Contains("R07:class", facts.Decide(policy).Deciding());
    }

    [Fact]
    public void A_clearance_is_a_set_not_a_maximum()
    {
        // T3: Tối mật alone does not read Mật.
        var hole = Policies.Clearance([30]);
        Assert.False(Lattice.Can(P, hole, P.NewLabel("mat", "1")));
        Assert.True(Lattice.Can(P, hole, P.NewLabel("toi-mat", "1")));
        Assert.Equal(["R07:class"], Cases.Mat(Cases.To("H41") with { Clearance = hole }).Decide().Deciding());
    }

    [Fact]
    public void Every_restrictive_value_is_needed_and_one_permissive_value_is_enough()
    {
        var label = P.NewLabel("thuong", categories: [Policies.Restrictive(1, 2), Policies.Permissive(1, 2), Policies.Informative(4)]);
        Assert.True(Lattice.Can(P, Policies.Clearance([10], Policies.Permissive(2), Policies.Restrictive(1, 2)), label));
        Assert.False(Lattice.Can(P, Policies.Clearance([10], Policies.Permissive(2), Policies.Restrictive(1)), label));
        Assert.False(Lattice.Can(P, Policies.Clearance([10], Policies.Restrictive(1, 2)), label));
        Assert.False(Lattice.Can(P, null, label));
    }

    [Fact]
    public void A_value_held_under_another_type_or_tag_set_is_not_held()
    {
        // Spiffing merged tag sets with equally named tags; here both type and OID must agree.
        var label = P.NewLabel("thuong", categories: [Policies.Restrictive(1)]);
        Assert.False(Lattice.Can(P, Policies.Clearance([10], Policies.Restrictive(1) with { Type = "permissive" }), label));
        Assert.False(Lattice.Can(P, Policies.Clearance([10], Policies.Restrictive(1) with { Tag = Policies.ReleasableTo }), label));
    }

    [Fact]
    public void Labels_of_different_policies_compare_with_nothing()
    {
        var own = P.NewLabel("tuyet-mat", "1");
        var other = P.NewLabel("thuong") with { Policy = "2.25.9" };
        Assert.False(Lattice.Dominates(P, own, other));
        Assert.False(Lattice.Dominates(P, other, own));
        Assert.False(Lattice.Dominates(P, own, P.NewLabel("thuong") with { Class = 11 }));
        Assert.Equal(Refusal.PolicyUnknown, Assert.Throws<RefusedException>(() => Lattice.Join(P, own, other)).Refusal);
        Assert.False(Lattice.Can(P, Cases.All with { Policy = "2.25.9" }, own));
    }

    [Fact]
    public void A_caveat_is_an_obligation()
    {
        var (plain, bound) = (P.NewLabel("thuong"), P.NewLabel("thuong", caveats: ["no-forward"]));
        Assert.True(Lattice.Dominates(P, bound, plain));
        Assert.False(Lattice.Dominates(P, plain, bound));
        Assert.Equal(["no-forward"], Lattice.Join(P, plain, bound).Caveats);
        Assert.Empty(Lattice.Meet(P, plain, bound).Caveats);
    }

    [Fact]
    public void Intersecting_clearances_only_takes_away()
    {
        // P5.
        Gen.Select(PolicyGen.Clearance, PolicyGen.Clearance, PolicyGen.Clearance, PolicyGen.Label).Sample((a, b, c, label) =>
        {
            Assert.Equal(PolicyGen.Flat(a), PolicyGen.Flat(Lattice.Intersect(a, a)));
            Assert.Equal(PolicyGen.Flat(Lattice.Intersect(a, b)), PolicyGen.Flat(Lattice.Intersect(b, a)));
            Assert.Equal(PolicyGen.Flat(Lattice.Intersect(Lattice.Intersect(a, b), c)), PolicyGen.Flat(Lattice.Intersect(a, Lattice.Intersect(b, c))));
            var both = Lattice.Intersect(a, b);
            if (both is not null) LabelForm.Check(both);
            if (Lattice.Can(P, both, label)) Assert.True(Lattice.Can(P, a, label) && Lattice.Can(P, b, label));
        }, iter: 3_000);
    }

    [Fact]
    public void An_authority_that_names_no_categories_strips_them_all()
    {
        // T7 (RFC 5913 section 7).
        var authority = Policies.Clearance([10, 20]);
        var office = Policies.Clearance([10, 20], Policies.Restrictive(1));
        var label = P.NewLabel("mat", "1", [Policies.Restrictive(1)]);
        Assert.True(Lattice.Can(P, office, label));
        Assert.False(Lattice.Can(P, Lattice.Intersect(authority, office), label));
        Assert.Null(Lattice.Intersect(office, null));
        Assert.Null(Lattice.Intersect(office, office with { Policy = "2.25.9" }));
        Assert.Null(Lattice.Intersect(office, office with { ValidFrom = office.ValidTo, ValidTo = office.ValidTo + 1 }));
    }
}
