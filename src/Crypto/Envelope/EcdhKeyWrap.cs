using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Security.Cryptography;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Security;

namespace Exchange.Crypto.Envelope;

/// <summary>
/// KeyAgreeRecipientInfo, P-384: dhSinglePass-stdDH-sha384kdf-scheme (RFC 5753 7.1.4), X9.63 KDF over ECC-CMS-SharedInfo (RFC 5753 7.2), AES-256 wrap
/// (RFC 3394, RFC 3565). The ephemeral key and its ECDH are BouncyCastle's; the recipient's long-term key never leaves <see cref="IPrivateKey"/>.
/// | part | bytes |: point 97, Z 48, key-encryption key 32, wrapped key 40.
/// </summary>
/// <remarks>
/// BouncyCastle's own KARI hashes SharedInfo with NULL parameters and without ukm, so nobody else can read it: written by hand here, and checked with openssl.
/// One fresh ephemeral key per manifest, shared by its recipients: each gets another Z, and every wrapped value is the same key.
/// </remarks>
sealed class EcdhKeyWrap : IKeyWrap
{
    /// <summary>originatorKey: id-ecPublicKey with absent parameters; the curve is the recipients' (RFC 5753 3.1.1).</summary>
    public static readonly byte[] OriginatorAlgorithm = Write(w => w.WriteObjectIdentifier(Oids.EcPublicKey));
    static readonly byte[] WrapAlgorithm = Write(w => w.WriteObjectIdentifier(Oids.Aes256Wrap));
    public static readonly byte[] Algorithm = Write(w =>
    {
        w.WriteObjectIdentifier(Oids.StdDhSha384Kdf);
        w.WriteEncodedValue(WrapAlgorithm);
    });

    public bool Fits(Certificate certificate) => certificate.PointFor(Ecdsa.P384) is not null;

    public bool Takes(RecipientInfo info) => info is KeyAgreement;

    public IEnumerable<RecipientInfo> Wrap(ReadOnlySpan<byte> cek, IReadOnlyList<Certificate> recipients, ReadOnlySpan<byte> ukm)
    {
        var generator = new ECKeyPairGenerator();
        generator.Init(new ECKeyGenerationParameters(Ecdsa.P384.Domain, new SecureRandom()));
        var pair = generator.GenerateKeyPair();
        return [Wrap(cek, recipients, ukm, (ECPrivateKeyParameters)pair.Private, (ECPublicKeyParameters)pair.Public)];
    }

    /// <param name="ephemeral">Fresh for this manifest; given only so that a worked example can be recomputed.</param>
    internal static KeyAgreement Wrap(ReadOnlySpan<byte> cek, IReadOnlyList<Certificate> recipients, ReadOnlySpan<byte> ukm, ECPrivateKeyParameters ephemeral, ECPublicKeyParameters its)
    {
        var point = its.Q.GetEncoded(compressed: false);
        var info = SharedInfo(ukm);
        var key = cek.ToArray();
        var wrapped = new RecipientKey[recipients.Count];
        try
        {
            Parallel.For(0, recipients.Count, i =>
            {
                var peer = recipients[i].PointFor(Ecdsa.P384) ?? throw new RefusedException(Refusal.CertificateAlgorithm, "not P-384");
                wrapped[i] = new RecipientKey(KeyWraps.Rid(recipients[i]), WrapOne(ephemeral, peer, info, key));
            });
        }
        finally { CryptographicOperations.ZeroMemory(key); }
        return new KeyAgreement(point, ukm.ToArray(), wrapped);
    }

    static byte[] WrapOne(ECPrivateKeyParameters ephemeral, ECPublicKeyParameters peer, byte[] info, byte[] cek)
    {
        var z = SharedSecret(ephemeral, peer);
        var kek = new byte[32];
        try
        {
            X963Kdf(z, info, kek);
            return AesKeyWrap.Wrap(kek, cek);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(z);
            CryptographicOperations.ZeroMemory(kek);
        }
    }

    /// <summary>Z: the x coordinate, 48 bytes (SEC 1 3.3.1). Not by ECDHBasicAgreement, which multiplies a copy of the point: BouncyCastle keeps tables with a point that it meets again.</summary>
    /// <param name="peer">Validated, see <see cref="Ecdsa.Point"/>.</param>
    internal static byte[] SharedSecret(ECPrivateKeyParameters ephemeral, ECPublicKeyParameters peer)
    {
        var shared = peer.Q.Multiply(ephemeral.D).Normalize();
        return shared.IsInfinity ? throw new CryptographicException("The agreement is the point at infinity.") : shared.AffineXCoord.GetEncoded();
    }

    public byte[]? Unwrap(IPrivateKey key, RecipientInfo info, RecipientKey wrapped)
    {
        if (info is not KeyAgreement agreement || Ecdsa.P384.Point(agreement.Point.Span) is null || wrapped.EncryptedKey.Length != KeyWraps.CekLength + 8) return null;
        byte[]? kek = null;
        try
        {
            kek = key.Agree(agreement.Point.Span, SharedInfo(agreement.Ukm is { } ukm ? ukm.Span : default));
            return AesKeyWrap.Unwrap(kek, wrapped.EncryptedKey.Span);
        }
        catch (CryptographicException) { return null; }
        finally { CryptographicOperations.ZeroMemory(kek); }
    }

    /// <summary>ANSI X9.63 KDF with SHA-384 (SEC 1 3.6.1), at most one block of 48 bytes: SHA-384(Z ‖ 00000001 ‖ info).</summary>
    internal static void X963Kdf(ReadOnlySpan<byte> z, ReadOnlySpan<byte> info, Span<byte> key)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA384);
        hash.AppendData(z);
        hash.AppendData([0, 0, 0, 1]);
        hash.AppendData(info);
        Span<byte> block = stackalloc byte[SHA384.HashSizeInBytes];
        hash.GetHashAndReset(block);
        block[..key.Length].CopyTo(key);
        CryptographicOperations.ZeroMemory(block);
    }

    /// <summary>ECC-CMS-SharedInfo (RFC 5753 7.2): keyInfo = AES-256 wrap without parameters, entityUInfo [0] = ukm when there is one, suppPubInfo [2] = 256 as 4 bytes.</summary>
    internal static byte[] SharedInfo(ReadOnlySpan<byte> ukm)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(WrapAlgorithm);
            if (ukm.Length > 0)
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0))) writer.WriteOctetString(ukm);
            Span<byte> bits = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(bits, 256);
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2))) writer.WriteOctetString(bits);
        }
        return writer.Encode();
    }

    static byte[] Write(Action<AsnWriter> inside)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence()) inside(writer);
        return writer.Encode();
    }
}
