using Exchange.Crypto.Keys;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Crypto.Trust;

/// <summary>What a certificate is about to be used for. Each fixes the key usage, the extended key usage and the key type that must be there.</summary>
public enum Purpose
{
    /// <summary>Header, card, receipt of an office: P-384, digitalSignature + nonRepudiation, emailProtection.</summary>
    OfficeSigning,
    /// <summary>Dispatch and approval: as above, issued to a person.</summary>
    PersonSigning,
    /// <summary>Receipts of a gateway, one per dispatch and copy: P-256 or P-384, digitalSignature + nonRepudiation, emailProtection.</summary>
    GatewayEvidence,
    /// <summary>Directory, standing, policy: as OfficeSigning; pinned besides.</summary>
    Officer,
    /// <summary>Recipient of envelopes: P-384 keyAgreement or RSA ≥ 3072 keyEncipherment, emailProtection.</summary>
    OfficeEncryption,
    /// <summary>TLS client: digitalSignature, clientAuth.</summary>
    TlsClient,
    /// <summary>TLS server: digitalSignature, serverAuth.</summary>
    TlsServer,
    /// <summary>Time-stamp tokens (RFC 3161 2.3): digitalSignature or nonRepudiation or both, critical extended key usage of timeStamping and nothing else; any key of the closed list.</summary>
    TimeStamping,
}

/// <summary>
/// The closed lists: keys, signature algorithms and, per purpose, key usage (RFC 5280 4.2.1.3) and extended key usage (4.2.1.12).
/// Pure; each function answers null for good, else what is wrong, for the log. Malformed extensions throw, and the caller says no.
/// </summary>
static class CertificateProfile
{
    public const int MinRsaBits = 3072;
    const int MaxRsaBits = 8192;
    const int Signing = KeyUsage.DigitalSignature | KeyUsage.NonRepudiation;

    // RFC 5758 3.2, RFC 4055 5. No SHA-1, no SHA-224, no RSASSA-PSS: its parameters default to SHA-1.
    static readonly HashSet<string> SignatureAlgorithms =
    [
        "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4",
        "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13",
    ];

    static readonly HashSet<string> KnownCritical =
        [X509Extensions.KeyUsage.Id, X509Extensions.BasicConstraints.Id, X509Extensions.ExtendedKeyUsage.Id];

    // The numbers are looked at before anything is computed with them.
    public static string? WrongKey(Certificate certificate, int leastRsaBits = MinRsaBits)
    {
        if (Ecdsa.Of(certificate) is not null) return null;
        var info = certificate.Parsed.CertificateStructure.SubjectPublicKeyInfo;
        if (info.Algorithm.Algorithm.Id != Oids.RsaEncryption) return "key is neither P-384, P-256 nor RSA";
        // The numbers as they stand: whether they are a key's is tested at length, and only once a CA of ours has signed them.
        var rsa = RsaPublicKeyStructure.GetInstance(info.ParsePublicKey());
        if (rsa.Modulus.BitLength < leastRsaBits || rsa.Modulus.BitLength > MaxRsaBits) return $"RSA key of {rsa.Modulus.BitLength} bits";
        // As other implementations: no exponent that makes verifying slow (up to 2^32), none that makes it weak.
        return rsa.PublicExponent.BitLength is >= 17 and <= 32 ? null : $"RSA exponent of {rsa.PublicExponent.BitLength} bits";
    }

    public static string? WrongSignature(AlgorithmIdentifier algorithm) =>
        SignatureAlgorithms.Contains(algorithm.Algorithm.Id) ? null : $"signature algorithm {algorithm.Algorithm.Id}";

    /// <summary>Everything that keeps it from its purpose.</summary>
    public static IEnumerable<string> WrongPurposes(Certificate certificate, Purpose purpose)
    {
        var extensions = certificate.Parsed.CertificateStructure.Extensions;
        if (extensions is null) { yield return "no extensions"; yield break; }
        foreach (var oid in extensions.GetCriticalExtensionOids())
            if (!KnownCritical.Contains(oid.Id)) yield return $"unknown critical extension {oid.Id}";
        if (certificate.IsAuthority) yield return "a CA certificate";

        var curve = Ecdsa.Of(certificate);
        var ec = curve is not null;
        // P-256 where signatures are many and short-lived; RSA where only TLS or an older token asks for it.
        if (curve == Ecdsa.P256 && purpose is not (Purpose.GatewayEvidence or Purpose.TlsClient or Purpose.TlsServer or Purpose.TimeStamping)) yield return "key is not P-384";
        if (!ec && purpose is not (Purpose.OfficeEncryption or Purpose.TlsClient or Purpose.TlsServer or Purpose.TimeStamping)) yield return "key is not P-384";
        var (required, tolerated, extended) = Wanted(purpose, ec);
        if (KeyUsage.FromExtensions(extensions) is not { } usage) yield return "no key usage";
        else if ((usage.IntValue & required) != required || (usage.IntValue & ~(required | tolerated)) != 0 || (usage.IntValue & Signing) == 0 && purpose == Purpose.TimeStamping) yield return $"key usage {usage.IntValue:x}";
        if (purpose == Purpose.TimeStamping && !IsForTimeAlone(extensions)) yield return "extended key usage: timeStamping alone, critical";
        // anyExtendedKeyUsage does not count: a certificate is for what it names.
        else if (ExtendedKeyUsage.FromExtensions(extensions) is not { } list || !list.HasKeyPurposeId(extended)) yield return "extended key usage";
    }

    // A key that signs anything else could be made to sign a time.
    static bool IsForTimeAlone(X509Extensions extensions) =>
        extensions.GetExtension(X509Extensions.ExtendedKeyUsage) is { IsCritical: true } && ExtendedKeyUsage.FromExtensions(extensions) is { Count: 1 } list && list.HasKeyPurposeId(KeyPurposeID.id_kp_timeStamping);

    static (int Required, int Tolerated, KeyPurposeID Extended) Wanted(Purpose purpose, bool ec) => purpose switch
    {
        Purpose.OfficeEncryption when ec => (KeyUsage.KeyAgreement, 0, KeyPurposeID.id_kp_emailProtection),
        Purpose.OfficeEncryption => (KeyUsage.KeyEncipherment, 0, KeyPurposeID.id_kp_emailProtection),
        // Common CAs set these beside digitalSignature for TLS 1.2; they do no harm, nonRepudiation would.
        Purpose.TlsClient => (KeyUsage.DigitalSignature, KeyUsage.KeyAgreement | KeyUsage.KeyEncipherment, KeyPurposeID.id_kp_clientAuth),
        Purpose.TlsServer => (KeyUsage.DigitalSignature, KeyUsage.KeyAgreement | KeyUsage.KeyEncipherment, KeyPurposeID.id_kp_serverAuth),
        // Either bit of signing, or both.
        Purpose.TimeStamping => (0, Signing, KeyPurposeID.id_kp_timeStamping),
        _ => (Signing, 0, KeyPurposeID.id_kp_emailProtection),
    };

    /// <summary>An extended key usage in a CA bounds what it may certify others for; without one it may do so for everything.</summary>
    public static string? WrongAbove(Certificate authority, Purpose purpose) =>
        authority.Parsed.CertificateStructure.Extensions is not { } extensions || ExtendedKeyUsage.FromExtensions(extensions) is not { } list || list.HasKeyPurposeId(KeyPurposeID.AnyExtendedKeyUsage)
        || list.HasKeyPurposeId(Wanted(purpose, ec: true).Extended) ? null : "extended key usage";

    /// <summary>What a pinned root must be; the rest of RFC 5280 for CAs is said in <see cref="CertificateRules"/>.</summary>
    public static string? WrongRoot(Certificate certificate) => !certificate.IsAuthority ? "not a CA" : May(certificate, KeyUsage.KeyCertSign | KeyUsage.CrlSign) ? null : "a CA that may not sign certificates and CRLs";

    /// <summary>What stands below the roots in a store: a CA, or one that issues CRLs in place of a CA.</summary>
    public static string? WrongAuthority(Certificate certificate) =>
        certificate.IsAuthority ? May(certificate, KeyUsage.KeyCertSign) ? null : "a CA that may not sign certificates" : May(certificate, KeyUsage.CrlSign) ? null : "not a CA";

    public static bool May(Certificate certificate, int usage) =>
        certificate.Parsed.CertificateStructure.Extensions is { } extensions && KeyUsage.FromExtensions(extensions) is { } named && (named.IntValue & usage) == usage;
}
