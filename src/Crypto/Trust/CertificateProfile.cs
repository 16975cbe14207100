using Exchange.Crypto.Keys;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto.Parameters;

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
    const int MinRsaBits = 3072, MaxRsaBits = 8192;
    const int Signing = KeyUsage.DigitalSignature | KeyUsage.NonRepudiation;

    // RFC 5758 3.2, RFC 4055 5. No SHA-1, no SHA-224, no RSASSA-PSS: its parameters default to SHA-1.
    static readonly HashSet<string> SignatureAlgorithms =
    [
        "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4",
        "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13",
    ];

    static readonly HashSet<string> KnownCritical =
        [X509Extensions.KeyUsage.Id, X509Extensions.BasicConstraints.Id, X509Extensions.ExtendedKeyUsage.Id];

    public static string? WrongKey(Certificate certificate)
    {
        if (Ecdsa.Of(certificate) is not null) return null;
        if (certificate.Parsed.CertificateStructure.SubjectPublicKeyInfo.Algorithm.Algorithm.Id != Oids.RsaEncryption) return "key is neither P-384, P-256 nor RSA";
        var rsa = (RsaKeyParameters)certificate.Parsed.GetPublicKey();
        return rsa.Modulus.BitLength is >= MinRsaBits and <= MaxRsaBits && rsa.Exponent.IntValueExact >= 65537
            ? null : $"RSA key of {rsa.Modulus.BitLength} bits";
    }

    public static string? WrongSignature(AlgorithmIdentifier algorithm) =>
        SignatureAlgorithms.Contains(algorithm.Algorithm.Id) ? null : $"signature algorithm {algorithm.Algorithm.Id}";

    public static string? WrongPurpose(Certificate certificate, Purpose purpose)
    {
        var extensions = certificate.Parsed.CertificateStructure.Extensions;
        if (extensions is null) return "no extensions";
        foreach (var oid in extensions.GetCriticalExtensionOids())
            if (!KnownCritical.Contains(oid.Id)) return $"unknown critical extension {oid.Id}";
        if (BasicConstraints.FromExtensions(extensions) is { } constraints && constraints.IsCA()) return "a CA certificate";

        var curve = Ecdsa.Of(certificate);
        var ec = curve is not null;
        // P-256 where signatures are many and short-lived; RSA where only TLS or an older token asks for it.
        if (curve == Ecdsa.P256 && purpose is not (Purpose.GatewayEvidence or Purpose.TlsClient or Purpose.TlsServer or Purpose.TimeStamping)) return "key is not P-384";
        if (!ec && purpose is not (Purpose.OfficeEncryption or Purpose.TlsClient or Purpose.TlsServer or Purpose.TimeStamping)) return "key is not P-384";
        var (required, tolerated, extended) = purpose switch
        {
            Purpose.OfficeEncryption when ec => (KeyUsage.KeyAgreement, 0, KeyPurposeID.id_kp_emailProtection),
            Purpose.OfficeEncryption => (KeyUsage.KeyEncipherment, 0, KeyPurposeID.id_kp_emailProtection),
            // Common CAs set these beside digitalSignature for TLS 1.2; they do no harm, nonRepudiation would.
            Purpose.TlsClient => (KeyUsage.DigitalSignature, KeyUsage.KeyAgreement | KeyUsage.KeyEncipherment, KeyPurposeID.id_kp_clientAuth),
            Purpose.TlsServer => (KeyUsage.DigitalSignature, KeyUsage.KeyAgreement | KeyUsage.KeyEncipherment, KeyPurposeID.id_kp_serverAuth),
            _ => (Signing, 0, KeyPurposeID.id_kp_emailProtection),
        };
        if (KeyUsage.FromExtensions(extensions) is not { } usage) return "no key usage";
        var bits = usage.IntValue;
        if (purpose == Purpose.TimeStamping) return (bits & Signing) == 0 || (bits & ~Signing) != 0 ? $"key usage {bits:x}" : WrongTimeStamping(extensions);
        if ((bits & required) != required || (bits & ~(required | tolerated)) != 0) return $"key usage {bits:x}";
        // anyExtendedKeyUsage does not count: a certificate is for what it names.
        return ExtendedKeyUsage.FromExtensions(extensions) is { } list && list.HasKeyPurposeId(extended) ? null : "extended key usage";
    }

    // A key that signs anything else could be made to sign a time.
    static string? WrongTimeStamping(X509Extensions extensions) =>
        extensions.GetExtension(X509Extensions.ExtendedKeyUsage) is { IsCritical: true } && ExtendedKeyUsage.FromExtensions(extensions) is { Count: 1 } list
            && list.HasKeyPurposeId(KeyPurposeID.id_kp_timeStamping) ? null : "extended key usage: timeStamping alone, critical";

    /// <summary>What a certificate in the trust store must be; the rest of RFC 5280 for CAs is PKIX validation's.</summary>
    public static string? WrongAuthority(Certificate certificate)
    {
        var extensions = certificate.Parsed.CertificateStructure.Extensions;
        if (extensions is null || BasicConstraints.FromExtensions(extensions) is not { } constraints || !constraints.IsCA()) return "not a CA";
        const int needed = KeyUsage.KeyCertSign | KeyUsage.CrlSign;
        return KeyUsage.FromExtensions(extensions) is { } usage && (usage.IntValue & needed) == needed ? null : "a CA that may not sign certificates and CRLs";
    }
}
