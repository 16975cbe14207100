using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math;

namespace Exchange.Tests.Envelope;

/// <summary>
/// The example of docs/envelope.md, made from nothing but the texts printed there: every value that would be random is a hash of a text, signatures are
/// RFC 6979. So no private key is kept anywhere, and the document can be recomputed to the byte.
/// </summary>
static class WorkedExample
{
    static readonly DateTimeOffset Time = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    public static readonly Guid Id = new("019ab4d2-8c00-7000-8000-000000000001");

    public static byte[] Drawn(string what) => SHA256.HashData(Encoding.UTF8.GetBytes($"exchange/v1 example: {what}"));

    /// <summary>d = SHA-384(text) as a big-endian integer, reduced modulo n.</summary>
    public static BigInteger Scalar(string what) =>
        new BigInteger(1, SHA384.HashData(Encoding.UTF8.GetBytes($"exchange/v1 example: {what}"))).Mod(Ecdsa.P384.Domain.N);

    /// <summary>A key for signing whose signatures are the same every time.</summary>
    sealed class ExampleKey : IPrivateKey
    {
        readonly BigInteger scalar;
        public ExampleKey(string what, string name, byte serial)
        {
            scalar = Scalar(what);
            using var ecdsa = ECDsa.Create(Parameters(scalar));
            Certificate = new Certificate(MakeCertificate(ecdsa, name, serial, this).RawData);
        }

        public Certificate Certificate { get; }

        public byte[] Sign(ReadOnlySpan<byte> data)
        {
            var signer = new ECDsaSigner(new HMacDsaKCalculator(new Sha384Digest()));
            signer.Init(true, new ECPrivateKeyParameters(scalar, Ecdsa.P384.Domain));
            var pair = signer.GenerateSignature(SHA384.HashData(data));
            var writer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.DER);
            using (writer.PushSequence())
            {
                writer.WriteInteger(pair[0].ToByteArray());
                writer.WriteInteger(pair[1].ToByteArray());
            }
            return writer.Encode();
        }

        public byte[] Agree(ReadOnlySpan<byte> peerPoint, ReadOnlySpan<byte> sharedInfo) => throw new NotSupportedException();
        public byte[] Decrypt(ReadOnlySpan<byte> ciphertext) => throw new NotSupportedException();
        public void Dispose() { }
    }

    /// <summary>Self-signed, ten years, no extensions: enough to show the format, and nothing that anyone would trust.</summary>
    static X509Certificate2 MakeCertificate(ECDsa key, string name, byte serial, IPrivateKey signer)
    {
        var subject = new X500DistinguishedName($"CN={name}");
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA384);
        return request.Create(subject, new Generator(key, signer), Time.AddDays(-1), Time.AddYears(10), [serial]);
    }

    sealed class Generator(ECDsa key, IPrivateKey signer) : X509SignatureGenerator
    {
        readonly X509SignatureGenerator inner = CreateForECDsa(key);
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) => inner.GetSignatureAlgorithmIdentifier(hashAlgorithm);
        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => signer.Sign(data);
        protected override PublicKey BuildPublicKey() => inner.PublicKey;
    }

    public static ECParameters Parameters(BigInteger scalar)
    {
        var q = Ecdsa.P384.Domain.G.Multiply(scalar).Normalize();
        var d = scalar.ToByteArrayUnsigned();
        return new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP384, D = [.. new byte[48 - d.Length], .. d], Q = new ECPoint { X = q.AffineXCoord.GetEncoded(), Y = q.AffineYCoord.GetEncoded() },
        };
    }

    public static FileKey Recipient()
    {
        using var ecdsa = ECDsa.Create(Parameters(Scalar("recipient")));
        using var bare = MakeCertificate(ecdsa, "Example recipient", 3, new ExampleKey("recipient", "Example recipient", 3));
        return FileKey.Of(bare.CopyWithPrivateKey(ecdsa));
    }

    public static (EnvelopeParts Parts, byte[] Wire, Forge Made) Make()
    {
        using var recipient = Recipient();
        var frame = Array.Empty<byte>();
        var forge = new Forge
        {
            Secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)],
            Files = [("xin chào.txt", Encoding.UTF8.GetBytes("Xin chào\n"))],
            PayloadBucket = 16,
            Authors = [new ExampleKey("author", "Example author", 1)],
            Office = new ExampleKey("office", "Example office", 2),
            Recipients = [("H41", recipient, "to")],
            SigningTime = Time,
            Dispatch = d => d with
            {
                Salt = Drawn("salt"), To = ["H41"], Documents = [d.Documents[0] with { MediaType = "text/plain" }],
                Sheet = new Sheet { Number = "1", Notation = "VD", Subject = "Ví dụ", DocumentType = "Công văn", Place = null, Date = "2026-11-24", Signatory = null },
            },
            Header = h => h with { Id = Id, Gateway = "example/ledger", Times = new Times(null, 1796169600000, null), Policy = Digest.Of("policy"u8), Directory = Digest.Of("directory"u8) },
            Frame = f => frame = f,
        };
        forge.Manifest = m =>
        {
            var ukm = ((KeyAgreement)m.Recipients[0]).Ukm!.Value.ToArray();
            var agreement = EcdhKeyWrap.Wrap(Drawn("cek"), [recipient.Certificate], ukm, new ECPrivateKeyParameters(Scalar("ephemeral"), Ecdsa.P384.Domain),
                new ECPublicKeyParameters(Ecdsa.P384.Domain.G.Multiply(Scalar("ephemeral")), Ecdsa.P384.Domain));
            return ManifestSealer.Encrypt(frame, Drawn("cek"), Drawn("nonce")[..12], [agreement]);
        };
        var (parts, wire) = forge.Make();
        return (parts, wire, forge);
    }

    /// <summary>The example as it stands in the document.</summary>
    public static string Text()
    {
        var (parts, wire, forge) = Make();
        using var recipient = Recipient();
        var header = Statement.Read(parts.Header, StatementType.Header);
        var opened = KeySchedule.Opened(forge.Secret);
        var key = new byte[32];
        KeySchedule.PayloadKey(forge.Secret, key);
        var agreement = (KeyAgreement)AuthEnveloped.Decode(parts.Manifest, 1).Recipients[0];
        var z = EcdhKeyWrap.SharedSecret(new ECPrivateKeyParameters(Scalar("ephemeral"), Ecdsa.P384.Domain), Ecdsa.P384.PublicKey(recipient.Certificate.PublicKeyInfo)!);
        var info = EcdhKeyWrap.SharedInfo(header.Ref.ToArray());
        var kek = new byte[32];
        EcdhKeyWrap.X963Kdf(z, info, kek);
        var text = new StringBuilder();
        Block("secret", forge.Secret);
        Block("K", key);
        Block("R", opened);
        Block("commitment", KeySchedule.Commitment(opened).ToArray());
        Block("payload", wire);
        Block("root", header.As<Header>().Payload!.Root.ToArray());
        text.Append("```json dispatch\n").Append(Encoding.UTF8.GetString(forge.MadeDispatch!.Json.Span)).Append("\n```\n\n");
        Block("dispatch", forge.MadeDispatch.Der.ToArray());
        text.Append("```json header\n").Append(Encoding.UTF8.GetString(header.Json.Span)).Append("\n```\n\n");
        Block("CTX", header.Ref.ToArray());
        Block("header", parts.Header.ToArray());
        Block("recipient-certificate", recipient.Certificate.Der.ToArray());
        Block("Z", z);
        Block("SharedInfo", info);
        Block("KEK", kek);
        Block("CEK", Drawn("cek"));
        Block("wrapped-CEK", agreement.Keys[0].EncryptedKey.ToArray());
        Block("manifest", parts.Manifest.ToArray());
        Block("proof", KeySchedule.Proof(opened, header.Ref, recipient.Certificate.Key).ToArray());
        return text.ToString();

        void Block(string name, byte[] bytes)
        {
            text.Append("```hex ").Append(name).Append('\n');
            foreach (var line in bytes.Chunk(48)) text.Append(Convert.ToHexStringLower(line)).Append('\n');
            text.Append("```\n\n");
        }
    }
}
