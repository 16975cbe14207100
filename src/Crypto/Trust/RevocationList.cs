using System.Collections.Frozen;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.X509;

namespace Exchange.Crypto.Trust;

/// <summary>
/// A complete CRL (RFC 5280 section 5) whose signature was verified under its CA. Delta, indirect and partitioned lists mark themselves by critical
/// extensions and are refused: what they leave out would read as "not revoked".
/// </summary>
sealed class RevocationList
{
    readonly FrozenDictionary<BigInteger, DateTimeOffset> revoked;

    RevocationList(byte[] der, X509Crl crl, Certificate issuer, BigInteger number, DateTimeOffset nextUpdate)
    {
        Der = der;
        Key = Digest.Of(der);
        Issuer = issuer;
        Number = number;
        ThisUpdate = Utc(crl.ThisUpdate);
        NextUpdate = nextUpdate;
        revoked = Entries(crl).ToFrozenDictionary(e => e.SerialNumber, RevokedFrom);
    }

    public byte[] Der { get; }
    public Digest Key { get; }
    public Certificate Issuer { get; }
    public BigInteger Number { get; }
    public DateTimeOffset ThisUpdate { get; }
    /// <summary>From here on the list says nothing any more.</summary>
    public DateTimeOffset NextUpdate { get; }

    /// <summary>From when the certificate counts as revoked; null: it is not in the list.</summary>
    public DateTimeOffset? RevokedFrom(Certificate certificate) =>
        revoked.TryGetValue(certificate.Parsed.SerialNumber, out var from) ? from : null;

    /// <exception cref="RefusedException">Not a complete CRL of one of these CAs.</exception>
    public static RevocationList Read(ReadOnlyMemory<byte> der, IEnumerable<Certificate> authorities)
    {
        var bytes = der.ToArray();
        X509Crl crl;
        BigInteger number;
        try
        {
            crl = new X509Crl(bytes);
            if (!crl.GetEncoded().AsSpan().SequenceEqual(bytes)) throw new RefusedException(Refusal.Der, "CRL");
            var extension = crl.CertificateList.TbsCertList.Extensions?.GetExtension(X509Extensions.CrlNumber);
            if (extension is null) throw new RefusedException(Refusal.RevocationUnknown, "CRL without a number");
            number = DerInteger.GetInstance(extension.GetParsedValue()).PositiveValue;
            if (crl.GetCriticalExtensionOids().Count > 0 || Entries(crl).Any(e => e.GetCriticalExtensionOids()?.Count > 0))
                throw new RefusedException(Refusal.RevocationUnknown, "CRL that is not complete: critical extension");
            if (crl.NextUpdate is not { } next) throw new RefusedException(Refusal.RevocationUnknown, "CRL without nextUpdate");
            if (CertificateProfile.WrongSignature(crl.CertificateList.SignatureAlgorithm) is { } wrong) throw new RefusedException(Refusal.CertificateAlgorithm, $"CRL: {wrong}");

            var named = authorities.Where(a => a.Parsed.SubjectDN.Equivalent(crl.IssuerDN, inOrder: true)).ToList();
            if (named.Count == 0) throw new RefusedException(Refusal.CertificateUntrusted, "CRL of an unknown issuer");
            var issuer = named.Find(a => crl.IsSignatureValid(a.Parsed.GetPublicKey())) ?? throw new RefusedException(Refusal.Signature, "CRL");
            return new RevocationList(bytes, crl, issuer, number, Utc(next));
        }
        catch (Exception e) when (e is not RefusedException) { throw new RefusedException(Refusal.Der, $"CRL: {e.GetType().Name}"); }
    }

    /// <summary>The earlier of revocationDate and invalidityDate (RFC 5280 5.3.2): what was signed in between was not signed by the owner.</summary>
    static DateTimeOffset RevokedFrom(X509CrlEntry entry)
    {
        var from = Utc(entry.RevocationDate);
        if (entry.GetExtensionParsedValue(X509Extensions.InvalidityDate) is not { } invalidity) return from;
        var invalid = Utc(Asn1GeneralizedTime.GetInstance(invalidity).ToDateTime());
        return invalid < from ? invalid : from;
    }

    // An empty list comes back as null.
    static IEnumerable<X509CrlEntry> Entries(X509Crl crl) => crl.GetRevokedCertificates() ?? Enumerable.Empty<X509CrlEntry>();

    static DateTimeOffset Utc(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));
}
