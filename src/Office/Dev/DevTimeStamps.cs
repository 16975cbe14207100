using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using Exchange.Crypto.Keys;

namespace Exchange.Office.Dev;

/// <summary>What a time-stamp query (RFC 3161 2.4.1) asks.</summary>
internal sealed record DevStampQuery(string Algorithm, byte[] Imprint, string? Policy, BigInteger? Nonce)
{
    /// <exception cref="AsnContentException">Not a query.</exception>
    public static DevStampQuery Read(ReadOnlyMemory<byte> der)
    {
        var body = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        body.ReadInteger();
        var imprint = body.ReadSequence();
        var algorithm = imprint.ReadSequence().ReadObjectIdentifier();
        var value = imprint.ReadOctetString();
        var policy = body.HasData && body.PeekTag() == Asn1Tag.ObjectIdentifier ? body.ReadObjectIdentifier() : null;
        return new(algorithm, value, policy, body.HasData && body.PeekTag() == Asn1Tag.Integer ? body.ReadInteger() : null);
    }
}

/// <summary>A time-stamp authority for development and tests: answers RFC 3161 queries with P-256 or P-384. It believes its own clock, keeps no serial numbers, and can be made to lie.</summary>
internal sealed class DevTimeStamps(IPrivateKey key)
{
    public const string DefaultPolicy = "2.25.108316152551476243687665024293336149417.6.2";
    const string SignedData = "1.2.840.113549.1.7.2", TstInfo = "1.2.840.113549.1.9.16.1.4", SigningCertificateV2 = "1.2.840.113549.1.9.16.2.47";
    const string ContentType = "1.2.840.113549.1.9.3", MessageDigest = "1.2.840.113549.1.9.4", Sha256 = "2.16.840.1.101.3.4.2.1", Sha384 = "2.16.840.1.101.3.4.2.2", Ecdsa = "1.2.840.10045.4.3.";
    static readonly Asn1Tag Context0 = new(TagClass.ContextSpecific, 0, isConstructed: true), Context1 = new(TagClass.ContextSpecific, 1, isConstructed: true);

    /// <summary>Who signs; more than one is a lie.</summary>
    public IReadOnlyList<IPrivateKey> Signers { get; init; } = [key];
    /// <summary>The certificate that signed attributes name.</summary>
    public Func<byte[], byte[]> EssHash { get; init; } = SHA256.HashData;
    public int Version { get; init; } = 1;
    /// <summary>0 granted, 1 granted with modifications, 2 rejection.</summary>
    public int Status { get; init; }
    public int AccuracySeconds { get; init; } = 1;
    public bool CriticalExtension { get; init; }
    /// <summary>Changed before it is answered: another question than was asked.</summary>
    public Func<DevStampQuery, DevStampQuery> Heard { get; init; } = q => q;

    /// <summary>TimeStampResp, DER.</summary>
    public byte[] Answer(ReadOnlyMemory<byte> query, DateTimeOffset now)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence()) writer.WriteInteger(Status);
            if (Status < 2) writer.WriteEncodedValue(Token(Heard(DevStampQuery.Read(query)), now));
        }
        return writer.Encode();
    }

    /// <summary>ContentInfo, DER.</summary>
    public byte[] Token(DevStampQuery asked, DateTimeOffset now)
    {
        var content = Info(asked, now);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(SignedData);
            using (writer.PushSequence(Context0))
            using (writer.PushSequence())
            {
                writer.WriteInteger(3);
                using (writer.PushSetOf())
                    foreach (var digest in Signers.Select(s => Digest(s)).Distinct()) Algorithm(writer, digest);
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(TstInfo);
                    using (writer.PushSequence(Context0)) writer.WriteOctetString(content);
                }
                using (writer.PushSetOf(Context0))
                    foreach (var signer in Signers) writer.WriteEncodedValue(signer.Certificate.Der.Span);
                using (writer.PushSetOf())
                    foreach (var signer in Signers) writer.WriteEncodedValue(SignerInfo(signer, content));
            }
        }
        return writer.Encode();
    }

    byte[] Info(DevStampQuery asked, DateTimeOffset now)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(Version);
            writer.WriteObjectIdentifier(asked.Policy ?? DefaultPolicy);
            using (writer.PushSequence())
            {
                Algorithm(writer, asked.Algorithm);
                writer.WriteOctetString(asked.Imprint);
            }
            writer.WriteInteger(new BigInteger(RandomNumberGenerator.GetBytes(16), isUnsigned: true, isBigEndian: true));
            writer.WriteGeneralizedTime(DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()));
            using (writer.PushSequence()) writer.WriteInteger(AccuracySeconds);
            if (asked.Nonce is { } nonce) writer.WriteInteger(nonce);
            if (CriticalExtension)
                using (writer.PushSequence(Context1))
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(DefaultPolicy);
                    writer.WriteBoolean(true);
                    writer.WriteOctetString([5, 0]);
                }
        }
        return writer.Encode();
    }

    byte[] SignerInfo(IPrivateKey signer, byte[] content)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(1);
            using (writer.PushSequence())
            {
                writer.WriteEncodedValue(signer.Certificate.IssuerDer);
                writer.WriteInteger(signer.Certificate.SerialNumber);
            }
            Algorithm(writer, Digest(signer));
            Attributes(writer, Context0, signer, content);
            Algorithm(writer, Ecdsa + (IsP384(signer) ? "3" : "2"));
            var signed = new AsnWriter(AsnEncodingRules.DER);
            Attributes(signed, Asn1Tag.SetOf, signer, content);
            writer.WriteOctetString(signer.Sign(signed.Encode()));
        }
        return writer.Encode();
    }

    void Attributes(AsnWriter writer, Asn1Tag tag, IPrivateKey signer, byte[] content)
    {
        using (writer.PushSetOf(tag))
        {
            Attribute(writer, ContentType, w => w.WriteObjectIdentifier(TstInfo));
            Attribute(writer, MessageDigest, w => w.WriteOctetString(IsP384(signer) ? SHA384.HashData(content) : SHA256.HashData(content)));
            Attribute(writer, SigningCertificateV2, w =>
            {
                using (w.PushSequence())
                using (w.PushSequence())
                using (w.PushSequence()) w.WriteOctetString(EssHash(signer.Certificate.Der.ToArray()));
            });
        }
    }

    static void Attribute(AsnWriter writer, string oid, Action<AsnWriter> value)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            using (writer.PushSetOf()) value(writer);
        }
    }

    static void Algorithm(AsnWriter writer, string oid)
    {
        using (writer.PushSequence()) writer.WriteObjectIdentifier(oid);
    }

    // The object identifier of secp384r1, as it stands in SubjectPublicKeyInfo.
    static bool IsP384(IPrivateKey signer) => signer.Certificate.PublicKeyInfo.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x2b, 0x81, 0x04, 0x00, 0x22]) >= 0;

    static string Digest(IPrivateKey signer) => IsP384(signer) ? Sha384 : Sha256;
}
