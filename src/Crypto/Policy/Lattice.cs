using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>
/// Labels of one policy as a lattice. Lower means fewer obligations: a lower level, fewer restrictive values, more offices released to.
/// For a permissive tag set, absent is "no limit" and the empty list is "nobody"; a join keeps "nobody" and never drops it, for a dropped limit
/// would release to everyone what neither part released (unlike ADatP-4774.1 section 4.4, Rules 5 and 6).
/// Order and access look at level, restrictive and permissive values and caveats; mark, informative values, basis and term carry none.
/// </summary>
public static class Lattice
{
    /// <summary>Whether everything that <paramref name="low"/> demands is demanded by <paramref name="high"/>. Labels of other policies compare with nothing.</summary>
    public static bool Dominates(CompiledPolicy policy, Label high, Label low)
    {
        if (!Own(policy, high) || !Own(policy, low) || policy.Rank(low.Class) > policy.Rank(high.Class)) return false;
        foreach (var category in low.Categories)
            if (category.Type == "restrictive" && !ContainsAll(Values(high.Categories, "restrictive", category.Tag), category.Values)) return false;
        foreach (var category in low.Categories)
            if (category.Type == "permissive" && (Values(high.Categories, "permissive", category.Tag) is not { } limit || !ContainsAll(category.Values, limit))) return false;
        foreach (var caveat in low.Caveats)
            if (Array.IndexOf(high.Caveats, caveat) < 0) return false;
        return true;
    }

    /// <summary>The lowest label that protects both: what a bundle of the two must bear. Basis and term are for its author to choose.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.PolicyUnknown"/>: a label of another policy.</exception>
    public static Label Join(CompiledPolicy policy, Label left, Label right) => Combine(policy, left, right, highest: true);

    /// <summary>The highest label that both dominate.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.PolicyUnknown"/>: a label of another policy.</exception>
    public static Label Meet(CompiledPolicy policy, Label left, Label right) => Combine(policy, left, right, highest: false);

    /// <summary>
    /// Whether a holder of the clearance may have what bears the label: the level is in his set (a set, not a maximum), every restrictive value is held,
    /// and of each limiting permissive tag set at least one. Unknown parts permit nothing. Time is not looked at: see <see cref="InForce"/>.
    /// </summary>
    public static bool Can(CompiledPolicy policy, Clearance? clearance, Label label) => Lacks(policy, clearance, label) is null;

    /// <summary>As <see cref="Can"/>, but what is missing: "clearance", "policy", "class", "restrictive" or "permissive"; null: nothing.</summary>
    internal static string? Lacks(CompiledPolicy policy, Clearance? clearance, Label label)
    {
        if (clearance is null) return "clearance";
        if (!Own(policy, label) || clearance.Policy != policy.Content.Policy) return "policy";
        if (!Holds(clearance.Classes, label.Class)) return "class";
        foreach (var category in label.Categories)
        {
            if (category.Type == "informative") continue;
            var held = Values(clearance.Categories, category.Type, category.Tag);
            if (category.Type == "restrictive" && !ContainsAll(held, category.Values)) return "restrictive";
            if (category.Type == "permissive" && !Meets(held, category.Values)) return "permissive";
            if (category.Type is not ("restrictive" or "permissive")) return "policy";
        }
        return null;
    }

    /// <summary>From inclusive, to exclusive.</summary>
    public static bool InForce(Clearance clearance, DateTimeOffset now) => InForce(clearance, now.ToUnixTimeMilliseconds());

    internal static bool InForce(Clearance clearance, long at) => clearance.ValidFrom <= at && at < clearance.ValidTo;

    /// <summary>What both grant: each part of a path can only take away. null: nothing at all.</summary>
    public static Clearance? Intersect(Clearance? left, Clearance? right)
    {
        if (left is null || right is null || left.Policy != right.Policy) return null;
        var from = Math.Max(left.ValidFrom, right.ValidFrom);
        var to = Math.Min(left.ValidTo, right.ValidTo);
        if (from >= to) return null;
        return left with
        {
            Classes = [.. left.Classes.Where(c => Holds(right.Classes, c))],
            Categories = [.. left.Categories
                .Select(c => c with { Values = Both(c.Values, Values(right.Categories, c.Type, c.Tag) ?? []) })
                .Where(c => c.Values.Length > 0)],
            ValidFrom = from,
            ValidTo = to,
        };
    }

    static Label Combine(CompiledPolicy policy, Label left, Label right, bool highest)
    {
        if (!Own(policy, left) || !Own(policy, right)) throw new RefusedException(Refusal.PolicyUnknown, "labels of different policies have no order");
        var level = policy.Level(highest == policy.Rank(left.Class) >= policy.Rank(right.Class) ? left.Class : right.Class)!;
        var keys = left.Categories.Concat(right.Categories).Select(c => (c.Type, c.Tag)).Distinct();
        return new Label
        {
            Policy = policy.Content.Policy,
            Class = level.Class,
            Mark = level.Mark,
            Categories = [.. keys.Select(k => Combine(left, right, k.Type, k.Tag, highest)).OfType<Category>().Order(Comparer<Category>.Create(LabelForm.Order))],
            Basis = null,
            Term = null,
            Caveats = [.. (highest ? left.Caveats.Union(right.Caveats) : left.Caveats.Intersect(right.Caveats)).Order(StringComparer.Ordinal)],
        };
    }

    static Category? Combine(Label left, Label right, string type, string tag, bool highest)
    {
        var (a, b) = (Values(left.Categories, type, tag), Values(right.Categories, type, tag));
        int[]? values;
        if (type == "permissive")
            values = highest
                ? a is null ? b : b is null ? a : Both(a, b)             // no limit ∩ X = X; X ∩ Y may be nobody, and stays
                : a is null || b is null ? null : Either(a, b);         // no limit ∪ X = no limit
        else
            values = (highest ? Either(a ?? [], b ?? []) : Both(a ?? [], b ?? [])) is { Length: > 0 } some ? some : null;
        return values is null ? null : new Category { Type = type, Tag = tag, Values = values };
    }

    static bool Own(CompiledPolicy policy, Label label) => label.Policy == policy.Content.Policy && policy.Rank(label.Class) >= 0;

    /// <summary>null: the tag set is absent.</summary>
    static int[]? Values(Category[] categories, string type, string tag)
    {
        foreach (var category in categories)
            if (category.Type == type && category.Tag == tag) return category.Values;
        return null;
    }

    static bool Holds(int[]? held, int value) => held is not null && Array.IndexOf(held, value) >= 0;

    static bool ContainsAll(int[]? held, int[] wanted)
    {
        foreach (var value in wanted)
            if (!Holds(held, value)) return false;
        return true;
    }

    static bool Meets(int[]? held, int[] wanted)
    {
        foreach (var value in wanted)
            if (Holds(held, value)) return true;
        return false;
    }

    static int[] Both(int[] a, int[] b) => [.. a.Where(v => Holds(b, v)).Order()];

    static int[] Either(int[] a, int[] b) => [.. a.Union(b).Order()];
}
