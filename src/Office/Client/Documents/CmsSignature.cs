using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;

namespace Exchange.Office.Client;

/// <summary>A detached CMS SignedData (RFC 5652) over given bytes: one signer, RSA of 2048 bits and more or a NIST curve, SHA-2. What others use is not judged, rather than called wrong.</summary>
static class CmsSignature
{
    const string RsaKey = "1.2.840.113549.1.1.1", EcKey = "1.2.840.10045.2.1", SigningCertificateV2 = "1.2.840.113549.1.9.16.2.47";

    static readonly Dictionary<string, HashAlgorithmName> Digests = new()
    {
        ["2.16.840.1.101.3.4.2.1"] = HashAlgorithmName.SHA256, ["2.16.840.1.101.3.4.2.2"] = HashAlgorithmName.SHA384, ["2.16.840.1.101.3.4.2.3"] = HashAlgorithmName.SHA512,
    };

    // rsaEncryption, RSASSA-PSS, RSA and ECDSA with SHA-2.
    static readonly HashSet<string> Signatures =
    [
        RsaKey, "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4",
    ];

    /// <summary>Whether it signs these bytes; what they are of the document is the caller's question, whose outcome is "whole" until he knows better.</summary>
    /// <param name="padded">The SignedData, and nothing but zeros behind it.</param>
    public static DocumentSignature Check(byte[] padded, byte[] content)
    {
        SignedCms cms;
        try
        {
            AsnDecoder.ReadEncodedValue(padded, AsnEncodingRules.BER, out _, out _, out var length);
            if (padded.AsSpan(length).ContainsAnyExcept((byte)0)) return Cannot(SignatureWhy.Form);
            cms = new SignedCms(new ContentInfo(content), detached: true);
            cms.Decode(padded.AsSpan(0, length));
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException) { return Cannot(SignatureWhy.Form); }
        // With content of its own it would say nothing about ours.
        if (!cms.Detached || cms.SignerInfos.Count != 1) return Cannot(SignatureWhy.Form);
        return Check(cms.SignerInfos[0], content);
    }

    static DocumentSignature Check(SignerInfo signer, byte[] content)
    {
        if (signer.Certificate is not { } certificate) return Cannot(SignatureWhy.NoCertificate);
        var said = new DocumentSignature(SignatureOutcome.Holds, SignatureWhy.Whole, null, certificate.Subject, Claimed(signer)) { Certificate = certificate.RawData };
        if (!Digests.TryGetValue(signer.DigestAlgorithm.Value ?? "", out var digest) || !Signatures.Contains(signer.SignatureAlgorithm.Value ?? "") || !IsKeyOfOurs(certificate))
            return said with { Outcome = SignatureOutcome.CannotBeTold, Why = SignatureWhy.Algorithm };
        if (One<Pkcs9MessageDigest>(signer) is { } named && !named.MessageDigest.AsSpan().SequenceEqual(CryptographicOperations.HashData(digest, content)))
            return said with { Outcome = SignatureOutcome.DoesNotHold, Why = SignatureWhy.Digest };
        // RFC 5035: the certificate is under the signature as well; another one of the same key cannot take its place.
        if (!NamesItself(signer, certificate)) return said with { Outcome = SignatureOutcome.DoesNotHold, Why = SignatureWhy.Certificate };
        try
        {
            signer.CheckSignature(verifySignatureOnly: true);
            return said;
        }
        catch (CryptographicException) { return said with { Outcome = SignatureOutcome.DoesNotHold, Why = SignatureWhy.Signature }; }
    }

    /// <summary>RSA of 2048 to 8192 bits, P-256, P-384, P-521: the size as it stands, before anything is computed with it.</summary>
    public static bool IsKeyOfOurs(X509Certificate2 certificate)
    {
        try
        {
            switch (certificate.PublicKey.Oid.Value)
            {
                case RsaKey:
                    using (var rsa = certificate.GetRSAPublicKey()) return rsa is { KeySize: >= 2048 and <= 8192 };
                case EcKey:
                    using (var ec = certificate.GetECDsaPublicKey()) return ec is { KeySize: 256 or 384 or 521 } && ec.ExportParameters(false).Curve is { IsNamed: true };
                default: return false;
            }
        }
        catch (CryptographicException) { return false; }
    }

    static bool NamesItself(SignerInfo signer, X509Certificate2 certificate)
    {
        var named = signer.SignedAttributes.Cast<CryptographicAttributeObject>().FirstOrDefault(a => a.Oid.Value == SigningCertificateV2);
        if (named is null) return true;
        try
        {
            var id = new AsnReader(named.Values[0].RawData, AsnEncodingRules.BER).ReadSequence().ReadSequence().ReadSequence();
            var hash = HashAlgorithmName.SHA256;
            if (id.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence) && !Digests.TryGetValue(id.ReadSequence().ReadObjectIdentifier(), out hash)) return false;
            return id.ReadOctetString().AsSpan().SequenceEqual(CryptographicOperations.HashData(hash, certificate.RawData));
        }
        catch (AsnContentException) { return false; }
    }

    static DateTimeOffset? Claimed(SignerInfo signer) => One<Pkcs9SigningTime>(signer) is { } time ? new DateTimeOffset(time.SigningTime.ToUniversalTime()) : null;

    static T? One<T>(SignerInfo signer) where T : AsnEncodedData => signer.SignedAttributes.Cast<CryptographicAttributeObject>().SelectMany(a => a.Values.Cast<AsnEncodedData>()).OfType<T>().FirstOrDefault();

    static DocumentSignature Cannot(string why) => new(SignatureOutcome.CannotBeTold, why, null, null, null);
}
