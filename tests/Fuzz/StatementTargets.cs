using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Fuzz;

static class StatementTargets
{
    static readonly StatementType[] Types = [.. Enum.GetValues<StatementType>().Where(t => StatementKind.OfContent(Oids.ContentType(t)) is not null)];

    /// <summary>DER of any type: the form, then what lies behind the signature although it does not hold, then the whole.</summary>
    public static void Statement(byte[] der)
    {
        var data = SignedData.Decode(der, StatementKind.MostSigners);
        Targets.Equal(der, data.Encode());
        foreach (var certificate in data.Certificates) Targets.Try(() => TrustTargets.Certificate(certificate.ToArray()));
        if (StatementKind.OfContent(data.ContentType) is { } kind) Targets.Try(() => Content(kind, data.Content.ToArray()));
        foreach (var type in Types) Targets.Try(() => PartlySigned.Read(der, type));
        Targets.Equal(der, Crypto.Statements.Statement.ReadAny(der).Der.Span);
    }

    /// <summary>JSON of one type as its signer would write it.</summary>
    public static void Content(string name, byte[] json) => Content(Types.Select(StatementKind.Of).Single(k => k.Name == name), json);

    static void Content(StatementKind kind, byte[] json)
    {
        var content = kind.Read(json);
        Targets.Equal(json, Write(content));
        switch (content)
        {
            case Header header:
                HeaderRules.Check(header);
                Targets.Demand(EnvelopeFile.Length(new EnvelopeParts(json, [], json), header.Payload) >= 2 * json.Length, "length of an envelope");
                Ess(header.Label);
                break;
            case Dispatch dispatch:
                Crypto.Envelope.DispatchRules.Check(dispatch);
                foreach (var document in dispatch.Documents) Name(document.Name);
                Ess(dispatch.Label);
                break;
            case Approval approval: LabelForm.Check(approval.Label); break;
            case Receipt { Entry: { } entry }: LedgerTargets.Detail(Encoding.UTF8.GetBytes(entry.Detail)); break;
            case HandlingStatus status: HandlingStatusCheck.Check(status); break;
            case Card card: DirectoryForm.Check(card); break;
            case DirectoryStatement directory: DirectoryForm.Check(directory); break;
            case StandingStatement standing: DirectoryForm.Check(standing); break;
            case PolicyStatement policy: CompiledPolicy.Compile(policy); break;
            case LabelStatement label: LabelChangeCheck.Check(label); break;
        }
    }

    /// <summary>What the operating system makes of a name that was accepted: one file, in the folder.</summary>
    static void Name(string name)
    {
        Targets.Demand(Path.GetDirectoryName(Path.GetFullPath(Path.Combine("/folder", name))) == "/folder" && Path.GetFileName(name) == name && Encoding.UTF8.GetByteCount(name) <= 255, "a name that is a path");
        Targets.Demand(!name.Any(c => char.IsControl(c) || c is >= '\u202A' and <= '\u202E' or >= '\u2066' and <= '\u2069' or '\u200B' or '\uFEFF'), "a name that shows as another");
    }

    static void Ess(Label label)
    {
        var ess = EssLabel.ToEss(label);
        var parts = EssLabel.Read(ess);
        Targets.Demand(parts.Policy == label.Policy && parts.Class == label.Class && parts.Mark == label.Mark, "another label");
    }

    /// <summary>The one spelling, of the simplest record.</summary>
    public static void Canonical(byte[] json) => Targets.Equal(json, LabelChange.Read(json).Write());

    static byte[] Write(IStatementContent content) => content switch
    {
        Header c => StrictJson.Write(c, StatementJson.Default.Header),
        Dispatch c => StrictJson.Write(c, StatementJson.Default.Dispatch),
        Approval c => StrictJson.Write(c, StatementJson.Default.Approval),
        Receipt c => StrictJson.Write(c, StatementJson.Default.Receipt),
        HandlingStatus c => StrictJson.Write(c, StatementJson.Default.HandlingStatus),
        Card c => StrictJson.Write(c, StatementJson.Default.Card),
        PolicyStatement c => StrictJson.Write(c, StatementJson.Default.PolicyStatement),
        DirectoryStatement c => StrictJson.Write(c, StatementJson.Default.DirectoryStatement),
        StandingStatement c => StrictJson.Write(c, StatementJson.Default.StandingStatement),
        LabelStatement c => StrictJson.Write(c, StatementJson.Default.LabelStatement),
        OperationStatement c => StrictJson.Write(c, StatementJson.Default.OperationStatement),
        ActivationApproval c => StrictJson.Write(c, StatementJson.Default.ActivationApproval),
        _ => throw new FindingException("a type that this does not know"),
    };
}
