using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Xunit;

namespace Exchange.Tests.Labels;

public sealed class LabelFormTests
{
    static readonly Label Good = new()
    {
        Policy = "2.25.1.3.1", Class = 20, Mark = "MẬT", Basis = "117.1", Term = 1, Caveats = ["named-only", "return-after-use"],
        Categories = [Category("informative", "2.25.4", 1), Category("permissive", "2.25.2"), Category("restrictive", "2.25.1", 0, 65535)],
    };

    static readonly Clearance Held = new() { Policy = "2.25.1.3.1", Classes = [10, 20], Categories = [Category("restrictive", "2.25.1", 1)], ValidFrom = 0, ValidTo = 1 };

    static Category Category(string type, string tag, params int[] values) => new() { Type = type, Tag = tag, Values = values };

    [Fact]
    public void A_label_in_form_passes()
    {
        LabelForm.Check(Good);
        LabelForm.Check(Good with { Class = 0, Basis = null, Term = null, Caveats = [], Categories = [] });
        LabelForm.Check(Good with { Class = 256, Term = LabelForm.MaxTime, Caveats = [.. LabelForm.Caveats] });
        LabelForm.Check(Good with { Categories = [.. Enumerable.Range(100, 64).Select(i => Category("restrictive", $"2.25.{i}", 1))] });
        LabelForm.Check(Held);
        LabelForm.Check(Held with { Classes = [], Categories = [] });
    }

    public static TheoryData<string, Label> Bad() => new()
    {
        { "class below 0", Good with { Class = -1 } },
        { "class above 256", Good with { Class = 257 } },
        { "policy empty", Good with { Policy = "" } },
        { "policy of one arc", Good with { Policy = "2" } },
        { "policy under arc 3", Good with { Policy = "3.1" } },
        { "policy under 1.40", Good with { Policy = "1.40" } },
        { "policy with a leading zero", Good with { Policy = "2.025.1" } },
        { "policy with an empty arc", Good with { Policy = "2..1" } },
        { "policy with other digits", Good with { Policy = "2.２5" } },
        { "policy too long", Good with { Policy = "2." + new string('1', 200) } },
        { "mark empty", Good with { Mark = "" } },
        { "mark decomposed", Good with { Mark = "MẬT".Normalize(NormalizationForm.FormD) } },
        { "mark with a control character", Good with { Mark = "MẬT\u0007" } },
        { "mark with half a character", Good with { Mark = "M\ud83d" } },
        { "basis empty", Good with { Basis = "" } },
        { "basis too long", Good with { Basis = new string('1', 65) } },
        { "term zero", Good with { Term = 0 } },
        { "term beyond the calendar", Good with { Term = LabelForm.MaxTime + 1 } },
        { "unknown caveat", Good with { Caveats = ["eyes-only"] } },
        { "caveat twice", Good with { Caveats = ["named-only", "named-only"] } },
        { "caveats out of order", Good with { Caveats = ["no-forward", "named-only"] } },
        { "unknown category type", Good with { Categories = [Category("restrictve", "2.25.1", 1)] } },
        { "tag set no OID", Good with { Categories = [Category("restrictive", "linh-vuc", 1)] } },
        { "value below 0", Good with { Categories = [Category("restrictive", "2.25.1", -1)] } },
        { "value above 65535", Good with { Categories = [Category("restrictive", "2.25.1", 65536)] } },
        { "value twice", Good with { Categories = [Category("restrictive", "2.25.1", 1, 1)] } },
        { "values falling", Good with { Categories = [Category("restrictive", "2.25.1", 2, 1)] } },
        { "restrictive without values", Good with { Categories = [Category("restrictive", "2.25.1")] } },
        { "informative without values", Good with { Categories = [Category("informative", "2.25.1")] } },
        { "tag set twice", Good with { Categories = [Category("restrictive", "2.25.1", 1), Category("restrictive", "2.25.1", 2)] } },
        { "types out of order", Good with { Categories = [Category("restrictive", "2.25.1", 1), Category("informative", "2.25.2", 2)] } },
        { "tag sets out of order", Good with { Categories = [Category("restrictive", "2.25.2", 1), Category("restrictive", "2.25.1", 2)] } },
        { "65 categories", Good with { Categories = [.. Enumerable.Range(100, 65).Select(i => Category("restrictive", $"2.25.{i}", 1))] } },
    };

    [Theory, MemberData(nameof(Bad))]
    public void A_label_out_of_form_is_refused(string what, Label label)
    {
        Assert.True(Assert.Throws<RefusedException>(() => LabelForm.Check(label)).Refusal == Refusal.LabelForm, what);
        Assert.Throws<RefusedException>(() => EssLabel.ToEss(label));
    }

    [Fact]
    public void A_clearance_out_of_form_is_refused()
    {
        foreach (var bad in new[]
                 {
                     Held with { Policy = "x" }, Held with { Classes = [20, 10] }, Held with { Classes = [10, 10] }, Held with { Classes = [257] },
                     Held with { ValidFrom = 1 }, Held with { ValidFrom = -1 }, Held with { ValidTo = long.MaxValue }, Held with { Categories = [Category("x", "2.25.1", 1)] },
                 })
            Assert.Equal(Refusal.LabelForm, Assert.Throws<RefusedException>(() => LabelForm.Check(bad)).Refusal);
    }

    [Fact]
    public void A_refusal_names_the_place_and_no_text_of_the_label()
    {
        var e = Assert.Throws<RefusedException>(() => LabelForm.Check(Good with { Basis = "bí mật " + new string('x', 64) }));
        Assert.Equal("basis", e.Detail);
    }
}
