using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Tests.Labels;

namespace Exchange.Tests.Policy;

/// <summary>Random labels and clearances of the policy that ships, and decisions about them.</summary>
static class PolicyGen
{
    static readonly int[] Classes = [10, 20, 30, 40];

    static Gen<int[]> Subset(params int[] of) => Gen.Int[0, (1 << of.Length) - 1].Select(mask => of.Where((_, i) => (mask >> i & 1) != 0).ToArray());

    // Informative, permissive, restrictive: the order of a label.
    static Gen<Category[]> CategoriesOf(Gen<int[]?> permissive) => Gen.Select(Subset(1, 2, 3, 4), permissive, Subset(1, 2), (informative, releasable, restrictive) =>
        new[] { Policies.Informative(informative), releasable is null ? null : Policies.Permissive(releasable), Policies.Restrictive(restrictive) }
            .OfType<Category>().Where(c => c.Values.Length > 0 || c.Type == "permissive").ToArray());

    // Absent is no limit, empty is nobody.
    static readonly Gen<int[]?> Releasable = Gen.Select(Gen.Int[0, 2], Subset(1, 2), (absent, values) => absent == 0 ? null : values);

    public static readonly Gen<Label> Label = Gen.Select(Gen.Int[0, 3], CategoriesOf(Releasable), Gen.Bool, (rank, categories, bound) =>
        Policies.Vietnam.NewLabel(Policies.Vietnam.Content.Levels[rank].Code, "1", categories, bound ? ["no-forward"] : []) with { Basis = null });

    static Gen<Clearance> ClearanceOf(Gen<int[]> classes) => Gen.Select(classes, Subset(1, 2), Subset(1, 2), (held, permissive, restrictive) =>
        Policies.Clearance(held, [.. new[] { Policies.Permissive(permissive), Policies.Restrictive(restrictive) }.Where(c => c.Values.Length > 0)]));

    public static readonly Gen<Clearance> Clearance = ClearanceOf(Subset(Classes));
    public static readonly Gen<Clearance> ClosedClearance = ClearanceOf(Gen.Int[0, 4].Select(n => Classes[..n]));

    static Gen<RecipientFacts> Recipient(Gen<Clearance> clearance) =>
        Gen.Select(clearance, clearance, Gen.Int[0, 9], Gen.Int[0, 19]).Select((k, ceiling, odd, held) => new RecipientFacts("", odd == 1 ? "cc" : "to",
            Known: odd != 2, KeyCurrent: odd != 3, HeldUntil: held == 0 ? Cases.Now.AddMinutes(1) : null,
            odd == 4 ? null : k, odd == 5 ? null : ceiling) { Key = Digest.Of([(byte)odd]), Channel = "mailbox" });

    static readonly Gen<ApprovalFacts> Release = Gen.Select(Gen.Int[0, 2], Gen.Int[0, 9]).Select((person, odd) =>
        new ApprovalFacts("release", Digest.Of([(byte)person]), [odd == 0 ? "clerk" : odd < 3 ? "signatory" : "release-officer"], Cases.Now.AddMinutes(odd == 9 ? -1 : 1)));

    /// <summary>Facts that are mostly good, so that permits and single denials are both common.</summary>
    public static Gen<DecisionFacts> Facts(Gen<Clearance> clearance) =>
        Gen.Select(Label, Recipient(clearance).Array[1, 4], Gen.Bool, Gen.Int[0, 9], clearance, Release.Array[0, 3]).Select((label, recipients, approved, odd, own, released) => Cases.Thuong() with
        {
            Label = odd == 0 ? null : odd == 1 ? label with { Mark = "MẬT?" } : label with { Basis = "1" },
            LabelVerified = odd != 2,
            SenderClearance = odd == 3 ? null : odd == 4 ? own : Cases.All,
            Approvals = approved ? [Cases.Signatory, .. released] : released,
            Recipients = [.. recipients.Select((r, i) => r with { Office = $"H{i}" })],
        });

    /// <summary>Clearances that cover much, closed downwards.</summary>
    public static readonly Gen<Clearance> Wide = Gen.Select(Gen.Int[2, 4], Gen.Int[0, 4]).Select((n, strip) =>
        Cases.All with { Classes = Classes[..n], Categories = strip == 0 ? [] : Cases.All.Categories });

    /// <summary>What the order looks at.</summary>
    public static string Flat(Label label) => Text(label, label.Categories.Where(c => c.Type != "informative"));

    public static string Full(Label label) => Text(label, label.Categories);

    public static string Flat(Clearance? k) => k is null ? "-" : $"{k.Policy}|{string.Join(',', k.Classes)}|{k.ValidFrom}|{k.ValidTo}|{Text(k.Categories)}";

    static string Text(Label label, IEnumerable<Category> categories) => $"{label.Policy}|{label.Class}|{label.Mark}|{string.Join(',', label.Caveats)}|{Text(categories)}";

    static string Text(IEnumerable<Category> categories) => string.Join(';', categories.Select(c => $"{c.Type}:{c.Tag}:{string.Join(',', c.Values)}"));
}
