using System.Formats.Asn1;
using System.Security.Cryptography;
using Exchange.Crypto.Trust;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X9;
using Org.BouncyCastle.Crypto.EC;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math;

namespace Exchange.Crypto.Keys;

/// <summary>
/// ECDSA on a curve with the digest that belongs to it, verification only (FIPS 186-5; RFC 5758 3.2): P-384 with SHA-384, P-256 with SHA-256, and no other pair.
/// BouncyCastle's custom P-384 verifies about twice as fast as the platform's.
/// | part | P-384 | P-256 |: field 48, 32 bytes; point (04 ‖ x ‖ y) 97, 65; digest 48, 32.
/// </summary>
sealed class Ecdsa
{
    public static readonly Ecdsa P384 = new("secp384r1", Oids.P384, Oids.Sha384, Oids.EcdsaSha384, HashAlgorithmName.SHA384);
    public static readonly Ecdsa P256 = new("secp256r1", Oids.P256, Oids.Sha256, Oids.EcdsaSha256, HashAlgorithmName.SHA256);
    static readonly Ecdsa[] All = [P384, P256];

    readonly X9ECParameters curve;
    readonly string oid;
    readonly int pointLength;

    Ecdsa(string name, string oid, string digest, string signature, HashAlgorithmName hash)
    {
        curve = CustomNamedCurves.GetByName(name);
        Domain = new(curve.Curve, curve.G, curve.N, curve.H, curve.GetSeed());
        (this.oid, Digest, Signature, Hash, pointLength) = (oid, digest, signature, hash, 1 + 2 * ((curve.Curve.FieldSize + 7) / 8));
    }

    internal ECDomainParameters Domain { get; }
    /// <summary>OID of the digest, which has no parameters.</summary>
    public string Digest { get; }
    /// <summary>OID of the signature, which has no parameters.</summary>
    public string Signature { get; }
    public HashAlgorithmName Hash { get; }
    public int DigestLength => Hash == HashAlgorithmName.SHA384 ? SHA384.HashSizeInBytes : SHA256.HashSizeInBytes;

    /// <summary>By the curve of a certificate's key; null when it is on no curve of ours.</summary>
    public static Ecdsa? Of(Certificate certificate) =>
        certificate.Parsed.CertificateStructure.SubjectPublicKeyInfo.Algorithm is { } algorithm && algorithm.Algorithm.Id == Oids.EcPublicKey && algorithm.Parameters is DerObjectIdentifier named
            ? Array.Find(All, e => e.oid == named.Id) : null;

    /// <returns>null: not one of ours.</returns>
    public static Ecdsa? OfDigest(string? oid) => Array.Find(All, e => e.Digest == oid);

    public byte[] Digested(ReadOnlySpan<byte> data) => CryptographicOperations.HashData(Hash, data);

    /// <summary>The public point in a SubjectPublicKeyInfo: named curve, uncompressed, on the curve; null when it is any other key.</summary>
    public ECPublicKeyParameters? PublicKey(ReadOnlyMemory<byte> publicKeyInfo)
    {
        try
        {
            var reader = new AsnReader(publicKeyInfo, AsnEncodingRules.DER);
            var info = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            var algorithm = info.ReadSequence();
            if (algorithm.ReadObjectIdentifier() != Oids.EcPublicKey || algorithm.ReadObjectIdentifier() != oid) return null;
            algorithm.ThrowIfNotEmpty();
            var point = info.ReadBitString(out var unused);
            info.ThrowIfNotEmpty();
            return unused == 0 ? Point(point) : null;
        }
        catch (AsnContentException) { return null; }
    }

    /// <summary>A validated point: uncompressed, on the curve, not infinity (the cofactor is 1); null otherwise.</summary>
    public ECPublicKeyParameters? Point(ReadOnlySpan<byte> point)
    {
        if (point.Length != pointLength || point[0] != 4) return null;
        try { return new ECPublicKeyParameters(curve.Curve.DecodePoint(point.ToArray()), Domain); }
        catch (ArgumentException) { return null; }
    }

    /// <summary>Whether the DER ECDSA-Sig-Value signs the data. Anything malformed is false.</summary>
    public bool Verify(ECPublicKeyParameters key, ReadOnlySpan<byte> data, ReadOnlyMemory<byte> signature)
    {
        BigInteger r, s;
        try
        {
            var reader = new AsnReader(signature, AsnEncodingRules.DER);
            var pair = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            r = new BigInteger(1, pair.ReadIntegerBytes().ToArray());
            s = new BigInteger(1, pair.ReadIntegerBytes().ToArray());
            pair.ThrowIfNotEmpty();
            // DER is two's complement: a negative integer must not pass as its magnitude.
            if (!Canonical(r, s).AsSpan().SequenceEqual(signature.Span)) return false;
        }
        catch (AsnContentException) { return false; }
        var signer = new ECDsaSigner();
        signer.Init(false, key);
        return signer.VerifySignature(Digested(data), r, s);   // checks 1 ≤ r, s < n
    }

    static byte[] Canonical(BigInteger r, BigInteger s)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(r.ToByteArray());
            writer.WriteInteger(s.ToByteArray());
        }
        return writer.Encode();
    }
}
