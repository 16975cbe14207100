using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using Exchange.Crypto.Trust;
using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Crypto.Interop;

/// <summary>How a content key reaches a key on a curve (RFC 5753 7.1.4): the OID of the curve, of the agreement with its KDF, and the digest of that.</summary>
sealed record MailCurve(string Oid, string Agreement, HashAlgorithmName Hash)
{
    public static readonly MailCurve[] All =
    [
        new(Oids.P256, "1.3.132.1.11.1", HashAlgorithmName.SHA256), new(Oids.P384, Oids.StdDhSha384Kdf, HashAlgorithmName.SHA384), new("1.3.132.0.35", "1.3.132.1.11.3", HashAlgorithmName.SHA512),
    ];
}

/// <summary>
/// Somebody outside who reads mail by S/MIME. Whose the certificate is, nobody here says: it need not be in our PKI, no CA of ours vouched for it and no list of revoked ones was asked. What is checked is
/// what can be: valid at the time, made for this purpose, and a key that holds (RSA of 2048 to 8192 bits, or on P-256, P-384 or P-521).
/// </summary>
public sealed class MailRecipient
{
    const int MinBits = 2048, MaxBits = 8192, MaxFile = 64 << 10;

    MailRecipient(Certificate certificate, MailCurve? curve) => (Certificate, Curve) = (certificate, curve);

    public Certificate Certificate { get; }
    /// <summary>null: RSA.</summary>
    internal MailCurve? Curve { get; }
    public string Subject => Certificate.Subject;
    /// <summary>SHA-256 of the DER as people compare it: "AB:CD:…".</summary>
    public string Fingerprint => string.Join(':', Certificate.Key.ToArray().Select(b => b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture)));
    /// <summary>rfc822Names of the certificate; may be none.</summary>
    public IReadOnlyList<string> Addresses =>
        [.. (Certificate.Parsed.GetSubjectAlternativeNameExtension()?.GetNames() ?? []).Where(n => n.TagNo == GeneralName.Rfc822Name).Select(n => n.Name.ToString()!)];

    /// <param name="file">One certificate, PEM or DER.</param>
    /// <exception cref="RefusedException">ExportMail with what is wrong with it; Der, CertificateForm: it cannot be read.</exception>
    public static MailRecipient Read(ReadOnlySpan<byte> file, DateTimeOffset at)
    {
        if (file.Length > MaxFile) throw new RefusedException(Refusal.ExportMail, "a file of more than 64 KiB is no certificate");
        var certificate = new Certificate(file.StartsWith("-----"u8) || file.IndexOf("-----BEGIN "u8) >= 0 ? Pem(Encoding.UTF8.GetString(file)) : file);
        if (at < certificate.NotBefore || at >= certificate.NotAfter) throw Unfit("it is not valid now");
        if (certificate.IsAuthority) throw Unfit("it is a CA's");
        var curve = CurveOf(certificate);
        // RFC 8551 4.4: keyUsage and extendedKeyUsage hold where they are there. Bits of RFC 5280 4.2.1.3: 2 keyEncipherment, 4 keyAgreement.
        if (certificate.Parsed.GetKeyUsage() is { } usage && !(usage.Length > 4 && usage[curve is null ? 2 : 4])) throw Unfit("its key is not for encryption (keyUsage)");
        if (certificate.Parsed.GetExtendedKeyUsage() is { } purposes && !purposes.Any(p => p.Equals(KeyPurposeID.id_kp_emailProtection) || p.Equals(KeyPurposeID.AnyExtendedKeyUsage)))
            throw Unfit("it is not for mail (extendedKeyUsage)");
        return new MailRecipient(certificate, curve);
    }

    static byte[] Pem(string text)
    {
        if (!PemEncoding.TryFind(text, out var found) || text[found.Label] != "CERTIFICATE") throw new RefusedException(Refusal.ExportMail, "the file holds no certificate");
        return PemEncoding.TryFind(text.AsSpan()[found.Location.End..], out _) ? throw new RefusedException(Refusal.ExportMail, "the file holds more than one: name one file for each recipient")
            : Convert.FromBase64String(text[found.Base64Data]);
    }

    static MailCurve? CurveOf(Certificate certificate)
    {
        try
        {
            var algorithm = new AsnReader(certificate.PublicKeyInfo, AsnEncodingRules.DER).ReadSequence().ReadSequence();
            var oid = algorithm.ReadObjectIdentifier();
            if (oid == Oids.EcPublicKey && algorithm.HasData && algorithm.PeekTag() == Asn1Tag.ObjectIdentifier && algorithm.ReadObjectIdentifier() is var named && Array.Find(MailCurve.All, c => c.Oid == named) is { } curve)
            {
                using var point = ECDiffieHellman.Create();
                point.ImportSubjectPublicKeyInfo(certificate.PublicKeyInfo, out _);
                return curve;
            }
            if (oid != Oids.RsaEncryption) throw Unfit("its key is neither RSA nor on P-256, P-384 or P-521");
            using var rsa = RSA.Create();
            rsa.ImportSubjectPublicKeyInfo(certificate.PublicKeyInfo, out _);
            return rsa.KeySize is >= MinBits and <= MaxBits ? null : throw Unfit($"its RSA key has {rsa.KeySize} bits; {MinBits} to {MaxBits} are asked for");
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException) { throw Unfit("its key cannot be read"); }
    }

    static RefusedException Unfit(string why) => new(Refusal.ExportMail, "certificate: " + why);
}
