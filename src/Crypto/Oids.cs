namespace Exchange.Crypto;

/// <summary>Object identifiers. Our own arc is 2.25 followed by the integer of one UUID (ITU-T X.667); nothing in it is ever reused.</summary>
static class Oids
{
    /// <summary>Root of our arc: UUID 517ceea2-6dd5-4f8d-8bfe-ae1f7e8a6da9.</summary>
    public const string Arc = "2.25.108316152551476243687665024293336149417";

    /// <summary>.1.n: content type of statement n, see <see cref="Statements.StatementType"/>.</summary>
    public static string ContentType(Statements.StatementType type) => $"{Arc}.1.{(int)type}";

    /// <summary>.2.1: signed attribute of a header, OCTET STRING (32): SHA-256 of the manifest's DER.</summary>
    public const string ManifestDigest = Arc + ".2.1";

    // .3.n: security policies; .4.n: category tag sets. Both are data of the policy file, not code.

    // RFC 5652, 5083, 5084
    public const string Data = "1.2.840.113549.1.7.1";
    public const string SignedData = "1.2.840.113549.1.7.2";
    public const string AuthEnvelopedData = "1.2.840.113549.1.9.16.1.23";
    public const string Aes256Gcm = "2.16.840.1.101.3.4.1.46";

    // Signed attributes: RFC 5652 section 11, RFC 5035, RFC 6211, RFC 2634
    public const string ContentTypeAttribute = "1.2.840.113549.1.9.3";
    public const string MessageDigest = "1.2.840.113549.1.9.4";
    public const string SigningTime = "1.2.840.113549.1.9.5";
    public const string SigningCertificateV2 = "1.2.840.113549.1.9.16.2.47";
    public const string CmsAlgorithmProtection = "1.2.840.113549.1.9.52";
    public const string EssSecurityLabel = "1.2.840.113549.1.9.16.2.2";
    public const string SignatureTimeStampToken = "1.2.840.113549.1.9.16.2.14";

    // RFC 3161
    public const string TstInfo = "1.2.840.113549.1.9.16.1.4";

    // Algorithms of suite classic-1
    public const string Sha256 = "2.16.840.1.101.3.4.2.1";
    public const string Sha384 = "2.16.840.1.101.3.4.2.2";
    public const string EcdsaSha256 = "1.2.840.10045.4.3.2";
    public const string EcdsaSha384 = "1.2.840.10045.4.3.3";
    public const string EcPublicKey = "1.2.840.10045.2.1";
    public const string P256 = "1.2.840.10045.3.1.7";
    public const string P384 = "1.3.132.0.34";
    public const string StdDhSha384Kdf = "1.3.132.1.11.2";
    public const string Aes256Wrap = "2.16.840.1.101.3.4.1.45";
    public const string RsaEncryption = "1.2.840.113549.1.1.1";
    public const string RsaesOaep = "1.2.840.113549.1.1.7";
    public const string Mgf1 = "1.2.840.113549.1.1.8";
}
