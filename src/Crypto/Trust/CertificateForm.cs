using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Crypto.Trust;

/// <summary>
/// What RFC 5280 section 4 asks of a certificate by itself, and how much of anything it may hold: beyond these counts no honest CA goes, and judging would cost more than it is worth.
/// Pure. Roots are not asked: they are pinned as they are.
/// </summary>
static class CertificateForm
{
    public const string Excess = "too many";
    public const int MostNames = 256, MostPolicies = 64, MostDistributionPoints = 32, MostPurposes = 32;

    /// <summary>Everything that is wrong, for the log.</summary>
    public static IEnumerable<string> Faults(Certificate certificate)
    {
        var tbs = certificate.Parsed.CertificateStructure.TbsCertificate;
        // 4.1.2.1: the product needs extensions in each.
        if (tbs.Version != 3) yield return $"version {tbs.Version}";
        // 4.1.2.2.
        var serial = certificate.SerialNumber;
        if (tbs.SerialNumber.Value.SignValue < 0) yield return "negative serial number";
        if (tbs.SerialNumber.Value.SignValue == 0) yield return "serial number 0";
        if (serial.Length > 20) yield return $"serial number of {serial.Length} octets";
        // 4.1.1.2.
        if (!tbs.Signature.Equals(certificate.Parsed.CertificateStructure.SignatureAlgorithm)) yield return "names two signature algorithms";
        // 4.1.2.6: an empty subject needs a critical subjectAltName, which is not taken either. Without an issuer it could not even be read.
        if (tbs.Subject.GetOidList().Count == 0) yield return "empty subject name";
        foreach (var fault in CertificateNames.Faults(tbs.Issuer)) yield return $"issuer name {fault}";
        foreach (var fault in CertificateNames.Faults(tbs.Subject)) yield return $"subject name {fault}";
        if (tbs.Extensions is not { } extensions) yield break;
        foreach (var fault in TooMany(extensions)) yield return fault;
    }

    /// <summary>Counts alone: whatever is judged, in whatever form, is bounded by these.</summary>
    public static IEnumerable<string> TooMany(X509Extensions? extensions)
    {
        if (extensions is null) yield break;
        foreach (var (oid, most, what) in Bounds)
            if (extensions.GetExtension(oid) is { } extension && Count(oid, extension) is var count && count > most) yield return $"{Excess} {what}: {count}";
    }

    static readonly (DerObjectIdentifier, int, string)[] Bounds =
    [
        (X509Extensions.SubjectAlternativeName, MostNames, "alternative names"),
        (X509Extensions.NameConstraints, MostNames, "name constraints"),
        (X509Extensions.CertificatePolicies, MostPolicies, "policies"),
        (X509Extensions.PolicyMappings, MostPolicies, "policy mappings"),
        (X509Extensions.CrlDistributionPoints, MostDistributionPoints, "CRL distribution points"),
        (X509Extensions.ExtendedKeyUsage, MostPurposes, "extended key usages"),
    ];

    static int Count(DerObjectIdentifier oid, X509Extension extension)
    {
        if (!oid.Equals(X509Extensions.NameConstraints)) return Asn1Sequence.GetInstance(extension.GetParsedValue()).Count;
        return Subtrees(extension).Sum(s => s.Bases.Count);
    }

    /// <summary>The two lists of a name constraints extension.</summary>
    public static IEnumerable<(bool Permitted, Asn1Sequence Bases)> Subtrees(X509Extension extension) =>
        Asn1Sequence.GetInstance(extension.GetParsedValue()).Select(t => Asn1TaggedObject.GetInstance(t)).Select(t => (t.TagNo == 0, Asn1Sequence.GetInstance(t, declaredExplicit: false)));
}
