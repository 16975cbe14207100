using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Crypto.Trust;

/// <summary>
/// Of which certificates a CRL speaks (RFC 5280 5.2.5), and which certificate asks for which lists (4.2.1.13). Two lists with the same scope bytes of one issuer are versions of one list.
/// </summary>
/// <param name="Der">The issuingDistributionPoint extension; empty: the list is about all certificates of its issuer.</param>
sealed record RevocationScope(string Der, IReadOnlyList<GeneralName>? Names, bool OnlyUsers, bool OnlyAuthorities, bool OnlyAttributes, bool Indirect, int Reasons)
{
    /// <summary>All reasons there are; "unused" is none.</summary>
    public const int AllReasons = ReasonFlags.KeyCompromise | ReasonFlags.CACompromise | ReasonFlags.AffiliationChanged | ReasonFlags.Superseded | ReasonFlags.CessationOfOperation
        | ReasonFlags.CertificateHold | ReasonFlags.PrivilegeWithdrawn | ReasonFlags.AACompromise;

    public static readonly RevocationScope Everything = new("", null, false, false, false, false, AllReasons);

    /// <exception cref="ArgumentException">Malformed.</exception>
    public static RevocationScope Of(X509Extension? extension, X509Name issuer)
    {
        if (extension is null) return Everything;
        var point = IssuingDistributionPoint.GetInstance(extension.GetParsedValue());
        return new(Convert.ToHexString(extension.Value.GetOctets()), Full(point.DistributionPoint, issuer), point.OnlyContainsUserCerts, point.OnlyContainsCACerts, point.OnlyContainsAttributeCerts, point.IsIndirectCrl,
            point.OnlySomeReasons is { } reasons ? reasons.IntValue & AllReasons : AllReasons);
    }

    /// <summary>6.3.3 (b): whether a list of this scope is one that the certificate's distribution point means.</summary>
    public bool Covers(bool authority, AskedPoint point) =>
        !OnlyAttributes && !(OnlyUsers && authority) && !(OnlyAuthorities && !authority)
        && (Names is null || Names.Any(n => (point.Names ?? point.Issuers ?? []).Any(asked => Same(n, asked))));

    /// <summary>A distribution point's names in full; null: it has none.</summary>
    internal static IReadOnlyList<GeneralName>? Full(DistributionPointName? name, X509Name issuer)
    {
        if (name is null) return null;
        if (name.Type == DistributionPointName.FullName) return GeneralNames.GetInstance(name.Name).GetNames();
        // nameRelativeToCRLIssuer: one more RDN below the issuer's name.
        var whole = new Asn1EncodableVector();
        foreach (var rdn in Asn1Sequence.GetInstance(issuer.ToAsn1Object())) whole.Add(rdn);
        whole.Add(Asn1Set.GetInstance(name.Name));
        return [new GeneralName(X509Name.GetInstance(new DerSequence(whole)))];
    }

    static bool Same(GeneralName a, GeneralName b) => a.TagNo == b.TagNo
        && (a.TagNo == GeneralName.DirectoryName ? X509Name.GetInstance(a.Name).Equivalent(X509Name.GetInstance(b.Name), inOrder: true) : a.Equals(b));
}

/// <summary>One distribution point of a certificate.</summary>
/// <param name="Names">null: it names none.</param>
/// <param name="Issuers">Who else than the CA issues the list; null: the CA.</param>
sealed record AskedPoint(IReadOnlyList<GeneralName>? Names, IReadOnlyList<GeneralName>? Issuers, int Reasons)
{
    /// <summary>Those that the certificate names, and last the one that any certificate has: whatever list its CA has issued.</summary>
    public static IReadOnlyList<AskedPoint> Of(Certificate certificate)
    {
        var issuer = certificate.Parsed.IssuerDN;
        var points = new List<AskedPoint>();
        if (certificate.Parsed.CertificateStructure.Extensions?.GetExtension(X509Extensions.CrlDistributionPoints) is { } extension)
            foreach (var point in CrlDistPoint.GetInstance(extension.GetParsedValue()).GetDistributionPoints())
            {
                var issuers = point.CrlIssuer?.GetNames();
                var above = issuers?.FirstOrDefault(n => n.TagNo == GeneralName.DirectoryName) is { } named ? X509Name.GetInstance(named.Name) : issuer;
                points.Add(new(RevocationScope.Full(point.DistributionPointName, above), issuers, point.Reasons is { } reasons ? reasons.IntValue & RevocationScope.AllReasons : RevocationScope.AllReasons));
            }
        points.Add(new([new GeneralName(issuer)], null, RevocationScope.AllReasons));
        return points;
    }
}
