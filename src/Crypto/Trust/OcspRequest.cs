using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Nist;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Asn1.Oiw;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Ocsp;

namespace Exchange.Crypto.Trust;

/// <summary>The question (RFC 6960 4.1) about one certificate: unsigned, DER.</summary>
public static class OcspRequest
{
    /// <summary>Bytes of a nonce, as RFC 9654 recommends.</summary>
    public const int NonceLength = 32;

    /// <param name="issuer">The CA that issued it.</param>
    /// <param name="nonce">Fresh random bytes; empty: none, for responders that answer from a store.</param>
    /// <param name="sha1">Names the CA by SHA-1, which the lightweight profile (RFC 5019) and many responders know alone; it only names.</param>
    public static byte[] Of(Certificate certificate, Certificate issuer, ReadOnlySpan<byte> nonce, bool sha1)
    {
        var generator = new OcspReqGenerator();
        var hash = new AlgorithmIdentifier(sha1 ? OiwObjectIdentifiers.IdSha1 : NistObjectIdentifiers.IdSha256, DerNull.Instance);
        generator.AddRequest(new CertificateID(hash, issuer.Parsed, certificate.Parsed.SerialNumber));
        if (!nonce.IsEmpty)
        {
            var extensions = new X509ExtensionsGenerator();
            extensions.AddExtension(OcspObjectIdentifiers.PkixOcspNonce, critical: false, new DerOctetString(nonce.ToArray()));
            generator.SetRequestExtensions(extensions.Generate());
        }
        return generator.Generate().GetEncoded();
    }
}
