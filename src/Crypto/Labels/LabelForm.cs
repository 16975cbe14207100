using System.Text;

namespace Exchange.Crypto.Labels;

/// <summary>
/// The form of labels and clearances, without any policy: ranges, order, one spelling per value. Readers of header, dispatch, approval and standing
/// call it before anything else looks at a label; what the numbers mean is the policy's business (rules R01, R04, R05).
/// </summary>
public static class LabelForm
{
    /// <summary>Largest classification (RFC 2634 section 3.2).</summary>
    public const int MaxClass = 256;
    /// <summary>Characters of a mark (RFC 2634 ub-privacy-mark-length).</summary>
    public const int MaxMark = 128;
    /// <summary>RFC 2634 ub-security-categories.</summary>
    public const int MaxCategories = 64;
    /// <summary>Largest category value: bounds what a hostile label can make us keep.</summary>
    public const int MaxValue = 65535;
    /// <summary>Characters of a basis code.</summary>
    public const int MaxBasis = 64;
    /// <summary>Characters of a dotted OID.</summary>
    public const int MaxOid = 128;
    /// <summary>9999-12-31: the last moment that every clock of ours can hold.</summary>
    public const long MaxTime = 253402300799999;

    /// <summary>Caveats there are, in ordinal order.</summary>
    public static IReadOnlyList<string> Caveats { get; } = ["named-only", "no-forward", "originator-control", "return-after-use"];

    /// <summary>Category types there are, in ordinal order.</summary>
    public static IReadOnlyList<string> CategoryTypes { get; } = ["informative", "permissive", "restrictive"];

    /// <exception cref="RefusedException"><see cref="Refusal.LabelForm"/>.</exception>
    public static void Check(Label label)
    {
        Demand(IsOid(label.Policy), "policy");
        Demand(label.Class is >= 0 and <= MaxClass, "class");
        Demand(IsText(label.Mark, MaxMark), "mark");
        CheckCategories(label.Categories);
        Demand(label.Basis is null || IsText(label.Basis, MaxBasis), "basis");
        Demand(label.Term is null or (> 0 and <= MaxTime), "term");
        Demand(label.Caveats is not null && label.Caveats.All(Caveats.Contains) && Rising(label.Caveats, StringComparer.Ordinal), "caveats");
    }

    /// <exception cref="RefusedException"><see cref="Refusal.LabelForm"/>.</exception>
    public static void Check(Clearance clearance)
    {
        Demand(IsOid(clearance.Policy), "policy");
        Demand(clearance.Classes is not null && clearance.Classes.All(c => c is >= 0 and <= MaxClass) && Rising(clearance.Classes, Comparer<int>.Default), "classes");
        CheckCategories(clearance.Categories);
        Demand(clearance.ValidFrom is >= 0 and <= MaxTime && clearance.ValidTo is >= 0 and <= MaxTime && clearance.ValidFrom < clearance.ValidTo, "validity");
    }

    /// <summary>Known types, real tag sets, distinct values, none empty but "nobody"; ordered by type, then tag set, then value, each once.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.LabelForm"/>.</exception>
    public static void CheckCategories(IReadOnlyList<Category> categories)
    {
        Demand(categories is not null && categories.Count <= MaxCategories, "categories");
        for (var i = 0; i < categories!.Count; i++)
        {
            var category = categories[i];
            Demand(category is not null && CategoryTypes.Contains(category.Type), "category type");
            Demand(IsOid(category!.Tag), "category tag set");
            Demand(category.Values is not null && category.Values.All(v => v is >= 0 and <= MaxValue) && Rising(category.Values, Comparer<int>.Default), "category values");
            // Only a permissive set means something when empty: nobody.
            Demand(category.Values!.Length > 0 || category.Type == "permissive", "category without values");
            Demand(i == 0 || Order(categories[i - 1], category) < 0, "order of categories");
        }
    }

    /// <summary>The order in which categories stand in a label.</summary>
    internal static int Order(Category left, Category right) =>
        string.CompareOrdinal(left.Type, right.Type) is var byType && byType != 0 ? byType : string.CompareOrdinal(left.Tag, right.Tag);

    /// <summary>A dotted OID in its one spelling.</summary>
    public static bool IsOid(string? text)
    {
        if (text is not { Length: >= 3 and <= MaxOid }) return false;
        var arcs = text.Split('.');
        if (arcs.Length < 2 || !arcs.All(a => a.Length > 0 && a.All(char.IsAsciiDigit) && (a.Length == 1 || a[0] != '0'))) return false;
        // X.660: the first arc is 0, 1 or 2; under 0 and 1 the second is below 40.
        return arcs[0] == "2" || (arcs[0] is "0" or "1" && arcs[1].Length <= 2 && int.Parse(arcs[1], System.Globalization.CultureInfo.InvariantCulture) < 40);
    }

    /// <summary>1..max characters, Unicode NFC, no control characters.</summary>
    internal static bool IsText(string? text, int max)
    {
        if (string.IsNullOrEmpty(text) || text.Any(char.IsControl)) return false;
        for (var i = 0; i < text.Length; i++)
            if (char.IsSurrogate(text[i]) && !(char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[++i]))) return false;
        return text.EnumerateRunes().Count() <= max && text.IsNormalized(NormalizationForm.FormC);
    }

    internal static bool Rising<T>(IReadOnlyList<T> values, IComparer<T> comparer)
    {
        for (var i = 1; i < values.Count; i++)
            if (comparer.Compare(values[i - 1], values[i]) >= 0) return false;
        return true;
    }

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.LabelForm, detail);
    }
}
