using System.Formats.Asn1;
using System.Text;

namespace Exchange.Crypto.Labels;

/// <param name="Class">null: the label names none (RFC 2634 allows that; no policy of ours does).</param>
/// <param name="Mark">Privacy mark; null: none.</param>
/// <param name="PrintableMark">The mark is a PrintableString, as old labels have it; ours are UTF8String.</param>
public sealed record EssParts(string Policy, int? Class, string? Mark, bool PrintableMark, IReadOnlyList<EssCategory> Categories);

/// <param name="Type">Dotted OID of the category syntax.</param>
/// <param name="Value">One DER value, of whatever type the syntax says.</param>
public sealed record EssCategory(string Type, ReadOnlyMemory<byte> Value);

/// <summary>
/// ESSSecurityLabel (RFC 2634 section 3.2) as strict DER: a total function of the label, so that attribute bytes can be compared.
/// Nobody decides on what <see cref="Read"/> returns: the gateway writes the label of the signed JSON and compares bytes, hence an unknown
/// category can never be skipped.
/// <code>
/// ESSSecurityLabel ::= SET { security-policy-identifier OID, security-classification INTEGER (0..256) OPTIONAL,
///   privacy-mark CHOICE { PrintableString (1..128), UTF8String } OPTIONAL, security-categories SET SIZE (1..64) OF SecurityCategory OPTIONAL }
/// SecurityCategory ::= SEQUENCE { type [0] IMPLICIT OID, value [1] EXPLICIT ANY }
/// value of ours (ACP 145) ::= SEQUENCE { tagSet OID, values SET OF INTEGER }
/// </code>
/// </summary>
public static class EssLabel
{
    // ACP 145(A), csor 2.16.840.1.101.2.1.8.3: the enumerated syntaxes and the informative one. Bitmaps are not written and not read.
    const string Acp145 = "2.16.840.1.101.2.1.8.3";
    const string Permissive = Acp145 + ".1";
    const string Informative = Acp145 + ".3";
    const string Restrictive = Acp145 + ".4";

    static readonly Asn1Tag TypeTag = new(TagClass.ContextSpecific, 0);
    static readonly Asn1Tag ValueTag = new(TagClass.ContextSpecific, 1);

    /// <summary>DER of ESSSecurityLabel: SET { INTEGER class, OID policy, UTF8String mark, SET OF categories when any }. Basis, term and caveats do not fit and are left out.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.LabelForm"/>: not a label in form, see <see cref="LabelForm"/>.</exception>
    public static byte[] ToEss(Label label)
    {
        LabelForm.Check(label);
        return Write(new EssParts(label.Policy, label.Class, label.Mark, PrintableMark: false, Parts(label.Categories)));
    }

    internal static List<EssCategory> Parts(IEnumerable<Category> categories) => [.. categories.Select(c => new EssCategory(Syntax(c.Type), TagValue(c)))];

    /// <summary>The parts of one ESSSecurityLabel; the whole input must be it. For inspection.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Der"/>, or <see cref="Refusal.LabelForm"/>: no policy, or a member out of range.</exception>
    public static EssParts Read(ReadOnlyMemory<byte> der)
    {
        EssParts parts;
        byte[] again;
        try
        {
            parts = ReadSet(der);
            again = Write(parts);
        }
        catch (Exception e) when (e is AsnContentException or ArgumentException or OverflowException)
        {
            throw new RefusedException(Refusal.Der, "label");
        }
        // One value, one spelling: order of members, of categories and of values included.
        if (!der.Span.SequenceEqual(again)) throw new RefusedException(Refusal.Der, "label is not in DER order");
        return parts;
    }

    /// <summary>The categories as values of tag sets, ordered as in a <see cref="Label"/>.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.LabelForm"/>: a category syntax that is not one of ours.</exception>
    public static Category[] Categories(EssParts parts) => Categories(parts.Categories);

    internal static Category[] Categories(IReadOnlyList<EssCategory> parts)
    {
        var read = parts.Select(ReadTagValue).OrderBy(c => c.Type, StringComparer.Ordinal).ThenBy(c => c.Tag, StringComparer.Ordinal).ToArray();
        LabelForm.CheckCategories(read);
        return read;
    }

    static byte[] Write(EssParts parts)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        // A SET is ordered by tag (X.690 10.3), a SET OF by its bytes: for the tags of ours, 02 06 0C 31, the same. A PrintableString (13) thereby
        // stands where UTF8String would, the smallest tag of the CHOICE, as in the label of RFC 4134 section 4.10.
        using (writer.PushSetOf())
        {
            if (parts.Class is { } @class) writer.WriteInteger(@class);
            writer.WriteObjectIdentifier(parts.Policy);
            if (parts.Mark is { } mark) writer.WriteCharacterString(parts.PrintableMark ? UniversalTagNumber.PrintableString : UniversalTagNumber.UTF8String, mark);
            if (parts.Categories.Count > 0) WriteCategories(writer, parts.Categories);
        }
        return writer.Encode();
    }

    internal static void WriteCategories(AsnWriter writer, IReadOnlyList<EssCategory> categories)
    {
        using (writer.PushSetOf())
            foreach (var category in categories)
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(category.Type, TypeTag);
                    using (writer.PushSequence(ValueTag)) writer.WriteEncodedValue(category.Value.Span);
                }
    }

    static EssParts ReadSet(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var set = outer.ReadSetOf(skipSortOrderValidation: true);
        outer.ThrowIfNotEmpty();

        int? @class = null;
        if (Next(set, UniversalTagNumber.Integer)) @class = set.TryReadInt32(out var number) && number is >= 0 and <= 256 ? number : throw Form("class");
        if (!Next(set, UniversalTagNumber.ObjectIdentifier)) throw Form("no policy");
        var policy = set.ReadObjectIdentifier();
        string? mark = null;
        var printable = Next(set, UniversalTagNumber.PrintableString);
        if (printable || Next(set, UniversalTagNumber.UTF8String))
        {
            mark = set.ReadCharacterString(printable ? UniversalTagNumber.PrintableString : UniversalTagNumber.UTF8String);
            if (!LabelForm.IsText(mark, LabelForm.MaxMark)) throw Form("mark");
        }
        var categories = Next(set, UniversalTagNumber.SetOf) ? ReadCategories(set.ReadSetOf()) : [];
        set.ThrowIfNotEmpty();
        return new EssParts(policy, @class, mark, printable, categories);
    }

    internal static List<EssCategory> ReadCategories(AsnReader set)
    {
        var categories = new List<EssCategory>();
        do
        {
            var category = set.ReadSequence();
            var type = category.ReadObjectIdentifier(TypeTag);
            var value = category.ReadSequence(ValueTag);
            categories.Add(new EssCategory(type, value.ReadEncodedValue()));
            value.ThrowIfNotEmpty();
            category.ThrowIfNotEmpty();
            if (categories.Count > LabelForm.MaxCategories) throw Form("more than 64 categories");
        }
        while (set.HasData);   // an empty SET fails above: SIZE (1..64)
        return categories;
    }

    static byte[] TagValue(Category category)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(category.Tag);
            using (writer.PushSetOf())
                foreach (var value in category.Values) writer.WriteInteger(value);
        }
        return writer.Encode();
    }

    static Category ReadTagValue(EssCategory category)
    {
        var type = category.Type switch
        {
            Restrictive => "restrictive",
            Permissive => "permissive",
            Informative => "informative",
            _ => throw Form("unknown category syntax"),
        };
        try
        {
            var outer = new AsnReader(category.Value, AsnEncodingRules.DER);
            var sequence = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            var tag = sequence.ReadObjectIdentifier();
            var set = sequence.ReadSetOf();
            sequence.ThrowIfNotEmpty();
            var values = new List<int>();
            while (set.HasData) values.Add(set.TryReadInt32(out var value) ? value : throw Form("category value"));
            return new Category { Type = type, Tag = tag, Values = [.. values.Order()] };
        }
        catch (AsnContentException) { throw new RefusedException(Refusal.Der, "category"); }
    }

    static string Syntax(string type) => type switch
    {
        "restrictive" => Restrictive,
        "permissive" => Permissive,
        "informative" => Informative,
        _ => throw Form("category type"),
    };

    static bool Next(AsnReader reader, UniversalTagNumber tag) =>
        reader.HasData && reader.PeekTag() is { TagClass: TagClass.Universal } next && next.TagValue == (int)tag;

    static RefusedException Form(string detail) => new(Refusal.LabelForm, detail);
}
