using System.Formats.Asn1;
using System.Text;
using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Xunit;

namespace Exchange.Tests.Labels;

public sealed class EssLabelTests
{
    const string Policy = "2.25.108316152551476243687665024293336149417.3.1";
    const string Fields = "2.25.108316152551476243687665024293336149417.4.1";

    static readonly Label Secret = new()
    {
        Policy = Policy, Class = 20, Mark = "MẬT", Basis = "117.2025.1", Term = null, Caveats = [],
        Categories = [new Category { Type = "restrictive", Tag = Fields, Values = [1, 2] }],
    };

    [Fact]
    public void The_label_is_a_set_of_class_policy_mark_and_categories_in_DER_order()
    {
        var set = new AsnReader(EssLabel.ToEss(Secret), AsnEncodingRules.DER).ReadSetOf(skipSortOrderValidation: true);
        Assert.True(set.TryReadInt32(out var number));
        Assert.Equal(20, number);
        Assert.Equal(Policy, set.ReadObjectIdentifier());
        Assert.Equal("MẬT", set.ReadCharacterString(UniversalTagNumber.UTF8String));
        var category = set.ReadSetOf().ReadSequence();
        Assert.Equal("2.16.840.1.101.2.1.8.3.4", category.ReadObjectIdentifier(new Asn1Tag(TagClass.ContextSpecific, 0)));
        var value = category.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 1)).ReadSequence();
        Assert.Equal(Fields, value.ReadObjectIdentifier());
        Assert.Equal("3106020101020102", Convert.ToHexString(value.ReadEncodedValue().Span));
        Assert.False(set.HasData);
    }

    [Fact]
    public void The_bytes_of_a_plain_label_are_known()
    {
        var label = Secret with { Policy = "1.2.3", Categories = [] };
        Assert.Equal("310E020114" + "06022A03" + "0C054DE1BAAC54", Convert.ToHexString(EssLabel.ToEss(label)));
    }

    [Fact]
    public void Basis_term_and_caveats_are_not_part_of_it()
    {
        Assert.Equal(EssLabel.ToEss(Secret), EssLabel.ToEss(Secret with { Basis = null, Term = 1, Caveats = ["no-forward"] }));
    }

    [Fact]
    public void Reading_gives_back_what_was_written()
    {
        // P10.
        LabelGen.Label.Sample(label =>
        {
            var parts = EssLabel.Read(EssLabel.ToEss(label));
            Assert.Equal((label.Policy, label.Class, label.Mark, false), (parts.Policy, parts.Class!.Value, parts.Mark, parts.PrintableMark));
            var categories = EssLabel.Categories(parts);
            Assert.Equal(label.Categories.Length, categories.Length);
            foreach (var (expected, actual) in label.Categories.Zip(categories))
            {
                Assert.Equal((expected.Type, expected.Tag), (actual.Type, actual.Tag));
                Assert.Equal(expected.Values, actual.Values);
            }
        }, iter: 2000);
    }

    [Fact]
    public void A_flipped_bit_is_refused_or_another_label()
    {
        var der = EssLabel.ToEss(Secret);
        for (var bit = 0; bit < der.Length * 8; bit++)
        {
            var flipped = (byte[])der.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                var parts = EssLabel.Read(flipped);
                Assert.NotEqual(Flat(EssLabel.Read(der)), Flat(parts));
            }
            catch (RefusedException e) { Assert.Contains(e.Refusal, new[] { Refusal.Der, Refusal.LabelForm }); }
        }
    }

    [Fact]
    public void A_changed_added_lost_or_moved_byte_is_refused_or_another_label_and_no_category_is_passed_over()
    {
        // P10.
        var read = 0;
        Gen.Select(LabelGen.Label, Gen.Int[0, 3], Gen.Int[0, 1 << 20], Gen.Byte[1, 255]).Sample((label, how, at, value) =>
        {
            var der = EssLabel.ToEss(label);
            var place = at % (der.Length - 1);
            byte[] changed = how switch
            {
                0 => [.. der[..place], (byte)(der[place] ^ value), .. der[(place + 1)..]],
                1 => [.. der[..place], value, .. der[place..]],
                2 => [.. der[..place], .. der[(place + 1)..]],
                _ => [.. der[..place], der[place + 1], der[place], .. der[(place + 2)..]],
            };
            if (changed.SequenceEqual(der)) return;
            EssParts parts;
            try { parts = EssLabel.Read(changed); }
            catch (RefusedException e) when (e.Refusal == Refusal.Der || e.Refusal == Refusal.LabelForm) { return; }
            Assert.NotEqual(Flat(EssLabel.Read(der)), Flat(parts));
            Interlocked.Increment(ref read);
            try { Assert.Equal(parts.Categories.Count, EssLabel.Categories(parts).Length); }
            catch (RefusedException e) when (e.Refusal == Refusal.LabelForm || e.Refusal == Refusal.Der) { }
        }, iter: 20_000);
        Assert.True(read > 100, $"{read} read");
    }

    [Fact]
    public void Categories_in_another_order_are_refused()
    {
        // P10, whole elements.
        LabelGen.Label.Sample(label =>
        {
            if (label.Categories.Length < 2) return;
            var der = EssLabel.ToEss(label);
            var set = new AsnReader(der, AsnEncodingRules.DER).ReadSetOf(skipSortOrderValidation: true);
            byte[][] front = [.. Enumerable.Range(0, 3).Select(_ => set.ReadEncodedValue().ToArray())];
            var categories = set.ReadSetOf();
            var elements = new List<byte[]>();
            while (categories.HasData) elements.Add(categories.ReadEncodedValue().ToArray());
            elements.Reverse();
            Refused(Refusal.Der, Set([.. front.SelectMany(b => b), .. Set([.. elements.SelectMany(b => b)])]));
            elements.Reverse();
            Assert.Equal(der, Set([.. front.SelectMany(b => b), .. Set([.. elements.SelectMany(b => b)])]));
        }, iter: 500);

        static byte[] Set(byte[] content) => [0x31, .. content.Length < 128 ? new[] { (byte)content.Length } : content.Length < 256 ? [0x81, (byte)content.Length] : [0x82, (byte)(content.Length >> 8), (byte)content.Length], .. content];
    }

    [Fact]
    public void Missing_appended_and_reordered_bytes_are_refused()
    {
        var der = EssLabel.ToEss(Secret);
        for (var length = 0; length < der.Length; length++) Refused(Refusal.Der, der[..length]);
        Refused(Refusal.Der, [.. der, 0]);
        // Policy before class: the same members, another order.
        Refused(Refusal.Der, "310E06022A03" + "020114" + "0C054DE1BAAC54");
        // Mark before policy.
        Refused(null, "310E020114" + "0C054DE1BAAC54" + "06022A03");
        // Indefinite length, a length in long form, a padded integer.
        Refused(Refusal.Der, "3180020114" + "06022A03" + "0000");
        Refused(Refusal.Der, "318107020114" + "06022A03");
        Refused(Refusal.Der, "310802020014" + "06022A03");
        // Class twice.
        Refused(null, "310A020114020114" + "06022A03");
    }

    [Theory]
    [InlineData("3106" + "0201FF" + "06012A", "negative class")]
    [InlineData("3107" + "02020101" + "06012A", "class 257")]
    [InlineData("3103" + "020114", "no policy")]
    [InlineData("3108" + "020114" + "06012A" + "0C00", "empty mark")]
    public void A_member_out_of_range_is_refused(string hex, string what) => Refused(Refusal.LabelForm, hex, what);

    [Fact]
    public void An_empty_set_of_categories_is_refused() => Refused(Refusal.Der, "3108" + "020114" + "06012A" + "3100");

    [Fact]
    public void A_mark_beyond_128_characters_is_refused()
    {
        Assert.NotEmpty(EssLabel.ToEss(Secret with { Mark = new string('Ậ', 128) }));
        Assert.Equal(Refusal.LabelForm, Assert.Throws<RefusedException>(() => EssLabel.ToEss(Secret with { Mark = new string('Ậ', 129) })).Refusal);
    }

    [Fact]
    public void Nobody_and_no_limit_are_different_bytes()
    {
        var nobody = Secret with { Categories = [new Category { Type = "permissive", Tag = Fields, Values = [] }] };
        Assert.NotEqual(EssLabel.ToEss(nobody), EssLabel.ToEss(Secret with { Categories = [] }));
        Assert.Empty(Assert.Single(EssLabel.Categories(EssLabel.Read(EssLabel.ToEss(nobody)))).Values);
    }

    [Fact]
    public void A_category_of_an_unknown_syntax_is_named_never_skipped()
    {
        // T4: one known category and one whose syntax nobody knows.
        var known = EssLabel.Read(EssLabel.ToEss(Secret)).Categories[0];
        var parts = new EssParts(Policy, 20, "MẬT", false, [known, known with { Type = "1.2.3.4" }]);
        Assert.Equal(Refusal.LabelForm, Assert.Throws<RefusedException>(() => EssLabel.Categories(parts)).Refusal);
    }

    [Fact]
    public void The_real_label_of_RFC_4134_reads()
    {
        var cms = File.ReadAllBytes(Vectors.Path("labels/rfc4134-4.10.bin"));
        var parts = EssLabel.Read(LabelAttribute(cms));
        Assert.Equal("1.2.3.4.5.6.7.8", parts.Policy);
        Assert.Equal(1, parts.Class);
        Assert.Equal("THIS IS A PRIVACY MARK TEST", parts.Mark);
        Assert.True(parts.PrintableMark);
        var category = Assert.Single(parts.Categories);
        Assert.Equal("THIS IS A TEST SECURITY-CATEGORY.", new AsnReader(category.Value, AsnEncodingRules.DER).ReadCharacterString(UniversalTagNumber.PrintableString));
        // Its category is of a syntax that no policy of ours has: a gateway must not pass over it.
        Assert.Equal(Refusal.LabelForm, Assert.Throws<RefusedException>(() => EssLabel.Categories(parts)).Refusal);
    }

    [Fact]
    public void The_labels_of_XEP_0258_and_RFC_7444_get_the_outcome_that_the_vectors_name()
    {
        var seen = new List<string>();
        foreach (var line in File.ReadLines(Vectors.Path("labels/ess-label-base64.tsv")).Where(l => l.Length > 0 && l[0] != '#'))
        {
            var columns = line.Split('\t');
            var expected = columns[3];
            byte[] der;
            try { der = Convert.FromBase64String(columns[0]); }
            catch (FormatException) { Assert.StartsWith("Reject E_ENCODING", expected, StringComparison.Ordinal); seen.Add("base64"); continue; }
            try
            {
                var parts = EssLabel.Read(der);
                Assert.StartsWith("parse ok", expected, StringComparison.Ordinal);
                Assert.Equal(("1.1", null), (parts.Policy, parts.Mark));
                seen.Add("ok");
            }
            catch (RefusedException e)
            {
                var expectedRefusal = expected.Contains("E_NOT_DER", StringComparison.Ordinal) ? Refusal.Der : Refusal.LabelForm;
                Assert.True(expected.StartsWith("Reject E_", StringComparison.Ordinal), expected);
                Assert.Equal(expectedRefusal, e.Refusal);
                seen.Add(e.Refusal.Code);
            }
        }
        Assert.Equal(["ok", "base64", "ok", "E_LABEL_FORM", "E_DER"], seen);
    }

    /// <summary>The value of the eSSSecurityLabel attribute, wherever it stands: SEQUENCE { OID, SET { value } }.</summary>
    static ReadOnlyMemory<byte> LabelAttribute(byte[] cms)
    {
        var oid = new AsnWriter(AsnEncodingRules.DER);
        oid.WriteObjectIdentifier("1.2.840.113549.1.9.16.2.2");
        var at = cms.AsSpan().IndexOf(oid.Encode());
        var values = new AsnReader(cms.AsMemory(at + oid.GetEncodedLength()), AsnEncodingRules.BER).ReadSetOf();
        var value = values.ReadEncodedValue();
        Assert.False(values.HasData);
        return value;
    }

    static string Flat(EssParts parts) =>
        $"{parts.Policy}|{parts.Class}|{parts.Mark}|{parts.PrintableMark}|{string.Join('|', parts.Categories.Select(c => c.Type + Convert.ToHexString(c.Value.Span)))}";

    static void Refused(Refusal? refusal, string hex, string? what = null) => Refused(refusal, Convert.FromHexString(hex), what);

    static void Refused(Refusal? refusal, byte[] der, string? what = null)
    {
        var e = Assert.Throws<RefusedException>(() => EssLabel.Read(der));
        if (refusal is not null) Assert.True(refusal == e.Refusal, $"{what}: {e.Message}");
    }
}
