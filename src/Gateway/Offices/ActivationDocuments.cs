using System.Formats.Asn1;
using System.Numerics;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Offices;

/// <summary>What was offered for activation, by kind. Nothing is verified here.</summary>
internal sealed record ActivationDocuments
{
    // RFC 5280 5.2.3 to 5.2.5.
    const string CrlNumber = "2.5.29.20", DeltaCrlIndicator = "2.5.29.27", IssuingDistributionPoint = "2.5.29.28";

    public ReadOnlyMemory<byte>? Policy { get; private set; }
    public ReadOnlyMemory<byte>? Approval { get; private set; }
    public ReadOnlyMemory<byte>? Directory { get; private set; }
    public ReadOnlyMemory<byte>? Standing { get; private set; }
    public List<ReadOnlyMemory<byte>> Cards { get; } = [];
    public List<ReadOnlyMemory<byte>> Crls { get; } = [];

    /// <exception cref="RefusedException">Request: none of these, or two of one.</exception>
    public static ActivationDocuments Sort(IReadOnlyList<ReadOnlyMemory<byte>> documents)
    {
        var sorted = new ActivationDocuments();
        foreach (var der in documents)
            switch (KindOf(der))
            {
                case DocumentKind.Crl: sorted.Crls.Add(der); break;
                case DocumentKind.Card: sorted.Cards.Add(der); break;
                case DocumentKind.Policy when sorted.Policy is null: sorted.Policy = der; break;
                case DocumentKind.Approval when sorted.Approval is null: sorted.Approval = der; break;
                case DocumentKind.Directory when sorted.Directory is null: sorted.Directory = der; break;
                case DocumentKind.Standing when sorted.Standing is null: sorted.Standing = der; break;
                default: throw new RefusedException(Refusal.Request, "two documents of one kind");
            }
        return sorted;
    }

    /// <summary>The word for a kind in an activation entry.</summary>
    public static string Word(DocumentKind kind) => kind switch
    {
        DocumentKind.Policy => "policy",
        DocumentKind.Approval => "activation",
        DocumentKind.Directory => "directory",
        DocumentKind.Standing => "standing",
        DocumentKind.Crl => "crl",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>By form and content type only.</summary>
    /// <exception cref="RefusedException">Request: none of them.</exception>
    public static DocumentKind KindOf(ReadOnlyMemory<byte> der)
    {
        if (IsCrl(der)) return DocumentKind.Crl;
        foreach (var (type, kind) in new[]
        {
            (StatementType.Policy, DocumentKind.Policy), (StatementType.Directory, DocumentKind.Directory),
            (StatementType.Standing, DocumentKind.Standing), (StatementType.Activation, DocumentKind.Approval), (StatementType.Card, DocumentKind.Card),
        })
        {
            try { Statement.Read(der, type); return kind; }
            catch (RefusedException e) when (e.Refusal == Refusal.StatementType) { }
        }
        throw new RefusedException(Refusal.Request, "not a policy, activation, directory, card, standing or CRL");
    }

    /// <summary>SHA-256 of the issuer's name, and of what the list is about where it is not about all of its certificates; and the CRL number. Lists of one name are versions of one list.</summary>
    /// <exception cref="RefusedException">Der: not a CRL, or a number that no version can hold.</exception>
    public static (string Line, long Number) NameOfCrl(ReadOnlyMemory<byte> der)
    {
        var extensionsTag = new Asn1Tag(TagClass.ContextSpecific, 0);
        try
        {
            var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence().ReadSequence();
            list.ReadInteger();
            list.ReadSequence();
            List<byte> line = [.. list.ReadEncodedValue().Span];
            while (list.HasData && !list.PeekTag().HasSameClassAndValue(extensionsTag)) list.ReadEncodedValue();
            BigInteger? number = null;
            for (var extensions = list.ReadSequence(extensionsTag).ReadSequence(); extensions.HasData;)
            {
                var extension = extensions.ReadSequence();
                var oid = extension.ReadObjectIdentifier();
                if (extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean)) extension.ReadBoolean();
                var value = extension.ReadOctetString();
                if (oid == CrlNumber) number = new AsnReader(value, AsnEncodingRules.DER).ReadInteger();
                if (oid == IssuingDistributionPoint) line.AddRange(value);
                // Which list a delta starts from changes from one delta to the next.
                if (oid == DeltaCrlIndicator) line.Add(1);
            }
            return number <= StrictJson.MaxInteger ? (Digest.Of([.. line]).ToString(), (long)number.Value) : throw new RefusedException(Refusal.Der, "CRL number");
        }
        catch (AsnContentException) { throw new RefusedException(Refusal.Der, "CRL"); }
    }

    // RFC 5280 5.1: a CertificateList begins with a SEQUENCE; RFC 5652 3: a ContentInfo with an OBJECT IDENTIFIER.
    static bool IsCrl(ReadOnlyMemory<byte> der)
    {
        try { return new AsnReader(der, AsnEncodingRules.DER).ReadSequence().PeekTag() == Asn1Tag.Sequence; }
        catch (AsnContentException) { return false; }
    }
}
