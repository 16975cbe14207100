using System.Formats.Asn1;
using System.Security.Cryptography;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Envelope;

/// <summary>
/// KeyTransRecipientInfo: RSAES-OAEP (RFC 8017 7.1, RFC 3560) with SHA-256, MGF1-SHA-256 and the empty label, RSA of 3072 bits and more. .NET does both ends:
/// it has no label, and few tokens have one, so CTX stands inside the sealed frame instead. Wrapped key: as long as the modulus.
/// </summary>
sealed class RsaKeyWrap : IKeyWrap
{
    const int MinBits = 3072;
    const int MaxBits = 8192;

    /// <summary>RSAES-OAEP-params: [0] SHA-256, [1] MGF1 with SHA-256, both without parameters as OpenSSL writes them; pSource default left out.</summary>
    public static readonly byte[] Algorithm = MakeAlgorithm();

    public bool Fits(Certificate certificate) => PublicKey(certificate) is { } rsa && Use(rsa, r => r.KeySize is >= MinBits and <= MaxBits);

    public bool Takes(RecipientInfo info) => info is KeyTransport;

    public IEnumerable<RecipientInfo> Wrap(ReadOnlySpan<byte> cek, IReadOnlyList<Certificate> recipients, ReadOnlySpan<byte> ukm)
    {
        var infos = new List<RecipientInfo>(recipients.Count);
        foreach (var recipient in recipients)
        {
            using var rsa = PublicKey(recipient) ?? throw new RefusedException(Refusal.CertificateAlgorithm, "not RSA");
            infos.Add(new KeyTransport(new RecipientKey(KeyWraps.Rid(recipient), rsa.Encrypt(cek, RSAEncryptionPadding.OaepSHA256))));
        }
        return infos;
    }

    public byte[]? Unwrap(IPrivateKey key, RecipientInfo info, RecipientKey wrapped)
    {
        if (info is not KeyTransport) return null;
        try
        {
            var cek = key.Decrypt(wrapped.EncryptedKey.Span);
            if (cek.Length == KeyWraps.CekLength) return cek;
            CryptographicOperations.ZeroMemory(cek);
            return null;
        }
        catch (CryptographicException) { return null; }
    }

    /// <summary>null when the certificate holds another kind of key.</summary>
    static RSA? PublicKey(Certificate certificate)
    {
        var info = certificate.PublicKeyInfo;
        var algorithm = new AsnReader(info, AsnEncodingRules.DER).ReadSequence().ReadSequence().ReadObjectIdentifier();
        if (algorithm != Oids.RsaEncryption) return null;
        var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(info, out _);
            return rsa;
        }
        catch (CryptographicException)
        {
            rsa.Dispose();
            return null;
        }
    }

    static bool Use(RSA rsa, Func<RSA, bool> question)
    {
        using (rsa) return question(rsa);
    }

    static byte[] MakeAlgorithm()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(Oids.RsaesOaep);
            using (writer.PushSequence())
            {
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                using (writer.PushSequence())
                    writer.WriteObjectIdentifier(Oids.Sha256);
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(Oids.Mgf1);
                    using (writer.PushSequence()) writer.WriteObjectIdentifier(Oids.Sha256);
                }
            }
        }
        return writer.Encode();
    }
}
