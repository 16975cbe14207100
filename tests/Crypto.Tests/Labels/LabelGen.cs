using CsCheck;
using Exchange.Crypto.Labels;

namespace Exchange.Tests.Labels;

/// <summary>Random labels and clearances in form.</summary>
static class LabelGen
{
    public const string Policy = "2.25.1.3.1";
    public static readonly int[] Classes = [10, 20, 30, 40];
    static readonly string[] Tags = ["2.25.1.4.1", "2.25.1.4.2", "2.25.1.4.3"];

    public static Gen<T> Pick<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    static readonly Gen<int[]> Values = Gen.Int[0, 4].Array[0, 4].Select(values => values.Distinct().Order().ToArray());

    public static readonly Gen<Category[]> Categories =
        Gen.Select(Pick("informative", "permissive", "restrictive"), Pick(Tags), Values,
                (type, tag, values) => new Category { Type = type, Tag = tag, Values = values })
            .Array[0, 5]
            .Select(all => all.Where(c => c.Values.Length > 0 || c.Type == "permissive").DistinctBy(c => (c.Type, c.Tag)).OrderBy(c => c.Type, StringComparer.Ordinal).ThenBy(c => c.Tag, StringComparer.Ordinal).ToArray());

    public static readonly Gen<Label> Label =
        Gen.Select(Pick(Classes), Pick("MẬT", "TỐI MẬT", "A", "ký hiệu 😀"), Categories,
            (@class, mark, categories) => new Label
            {
                Policy = Policy, Class = @class, Mark = mark, Categories = categories, Basis = null, Term = null, Caveats = [],
            });
}
