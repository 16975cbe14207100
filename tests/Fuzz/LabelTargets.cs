using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Tests.Policy;

namespace Exchange.Fuzz;

static class LabelTargets
{
    public static void Json(byte[] json)
    {
        var label = StrictJson.Read(json, StatementJson.Default.Label);
        Targets.Equal(json, StrictJson.Write(label, StatementJson.Default.Label));
        var ess = EssLabel.ToEss(label);
        var parts = EssLabel.Read(ess);
        Targets.Demand((parts.Policy, parts.Class, parts.Mark, parts.PrintableMark) == (label.Policy, label.Class, label.Mark, false), "another label");
        Targets.Equal(Of(label with { Basis = null, Term = null, Caveats = [] }), Of(label with { Basis = null, Term = null, Caveats = [], Categories = EssLabel.Categories(parts) }));
        PolicyProbe.Fault(Policies.Vietnam, label);
    }

    public static void Ess(byte[] der)
    {
        var parts = EssLabel.Read(der);
        var categories = EssLabel.Categories(parts);
        if (parts is not { Class: { } @class, Mark: { } mark, PrintableMark: false }) return;
        // A label of ours, or one that is in no form of ours.
        Targets.Equal(der, EssLabel.ToEss(new Label { Policy = parts.Policy, Class = @class, Mark = mark, Categories = categories, Basis = null, Term = null, Caveats = [] }));
    }

    /// <summary>The value of the extension, as a holder's and as an authority's.</summary>
    public static void Clearance(byte[] der)
    {
        Targets.Try(() => { foreach (var one in ClearanceAttribute.ReadConstraints(der)) Again(one); });
        foreach (var one in ClearanceAttribute.ReadAttributes(der)) Again(one);
    }

    static void Again(CertifiedClearance one) => Targets.Try(() =>
    {
        if (ClearanceAttribute.Own([one], one.Policy, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1)) is not { } clearance) return;
        var attribute = ClearanceAttribute.ReadAttributes(ClearanceAttribute.AsDirectoryAttributes(clearance)).Single();
        Targets.Demand(attribute.Policy == one.Policy && attribute.Classes.SequenceEqual(one.Classes), "another clearance");
        Targets.Equal(one.Categories.Span, attribute.Categories.Span);
    });

    static byte[] Of(Label label) => StrictJson.Write(label, StatementJson.Default.Label);
}
