using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.Trust;

/// <summary>Certificates that .NET would not make: every part is a setting, nothing is checked. By default what <see cref="Purpose.OfficeSigning"/> wants.</summary>
sealed record OddCertificate
{
    const string EcdsaSha384 = "1.2.840.10045.4.3.3";

    public int? Version { get; init; } = 3;
    public byte[] Serial { get; init; } = [0x4a, .. RandomNumberGenerator.GetBytes(15)];
    /// <summary>DER; null: the issuer's subject.</summary>
    public byte[]? Issuer { get; init; }
    public byte[] Subject { get; init; } = KeyProfile.Subject("Test", "T", "x").RawData;
    /// <summary>SubjectPublicKeyInfo; null: a fresh P-384 key.</summary>
    public byte[]? Key { get; init; }
    public Validity Validity { get; init; } = TestPki.LeafValidity;
    public string Signature { get; init; } = EcdsaSha384;
    /// <summary>Named beside the signature, which is always of SHA-384.</summary>
    public string Outer { get; init; } = EcdsaSha384;
    public IReadOnlyList<X509Extension> Extensions { get; init; } = [Usage(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation), Extended("1.3.6.1.5.5.7.3.4")];

    public static X509Extension Usage(X509KeyUsageFlags usage) => new X509KeyUsageExtension(usage, critical: true);
    public static X509Extension Extended(params string[] purposes) => new X509EnhancedKeyUsageExtension([.. purposes.Select(p => new Oid(p))], critical: false);
    public static X509Extension Authority(int? pathLength = null) => new X509BasicConstraintsExtension(true, pathLength is not null, pathLength ?? 0, critical: true);

    /// <summary>The extensions of a CA, and more.</summary>
    public static IReadOnlyList<X509Extension> OfAuthority(params IEnumerable<X509Extension> more) => [Authority(), Usage(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign), .. more];

    /// <summary>An extension whose value the writer makes.</summary>
    public static X509Extension Extension(string oid, Action<AsnWriter> value, bool critical = false)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        value(writer);
        return new X509Extension(oid, writer.Encode(), critical);
    }

    public Certificate Sign(X509Certificate2 issuer)
    {
        using var key = issuer.GetECDsaPrivateKey()!;
        return new Certificate(Der(issuer.SubjectName.RawData, key));
    }

    public byte[] Der(byte[] issuer, ECDsa signer)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            if (Version is { } version && version > 1) using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0))) writer.WriteInteger(version - 1);
            writer.WriteInteger(Serial);
            Algorithm(writer, Signature);
            writer.WriteEncodedValue(Issuer ?? issuer);
            using (writer.PushSequence())
            {
                writer.WriteUtcTime(Validity.From);
                writer.WriteUtcTime(Validity.Until);
            }
            writer.WriteEncodedValue(Subject);
            writer.WriteEncodedValue(Key ?? Fresh());
            if (Extensions.Count > 0)
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3)))
                using (writer.PushSequence())
                    foreach (var extension in Extensions)
                        using (writer.PushSequence())
                        {
                            writer.WriteObjectIdentifier(extension.Oid!.Value!);
                            if (extension.Critical) writer.WriteBoolean(true);
                            writer.WriteOctetString(extension.RawData);
                        }
        }
        var signed = writer.Encode();
        writer.Reset();
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(signed);
            Algorithm(writer, Outer);
            writer.WriteBitString(signer.SignData(signed, HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence));
        }
        return writer.Encode();
    }

    /// <summary>SubjectPublicKeyInfo of an RSA key that nobody holds.</summary>
    public static byte[] Rsa(byte[] modulus, byte[] exponent)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteIntegerUnsigned(modulus);
            writer.WriteIntegerUnsigned(exponent);
        }
        return KeyInfo("1.2.840.113549.1.1.1", w => w.WriteNull(), writer.Encode());
    }

    public static byte[] KeyInfo(string algorithm, Action<AsnWriter> parameters, byte[] key)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(algorithm);
                parameters(writer);
            }
            writer.WriteBitString(key);
        }
        return writer.Encode();
    }

    static byte[] Fresh()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        return key.ExportSubjectPublicKeyInfo();
    }

    static void Algorithm(AsnWriter writer, string oid)
    {
        using (writer.PushSequence()) writer.WriteObjectIdentifier(oid);
    }
}
