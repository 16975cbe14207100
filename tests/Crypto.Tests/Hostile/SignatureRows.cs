using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;
using Exchange.Tests.Envelope;
using static Exchange.Tests.Hostile.Read;

namespace Exchange.Tests.Hostile;

/// <summary>Signatures: attributes left out, doubled or added, algorithms exchanged, signers of somewhere else, certificates that are work to look at.</summary>
static class SignatureRows
{
    /// <summary>The header's own signed attributes changed, and signed again by the office.</summary>
    static Row Attributes(string name, Refusal code, Func<List<byte[]>, IEnumerable<byte[]>> change) => new("attributes: " + name, code, () => Outside(Anew(change)));

    static Crypto.Envelope.EnvelopeParts Anew(Func<List<byte[]>, IEnumerable<byte[]>> change)
    {
        var (parts, _) = new Forge().Make();
        var set = Tlv.Parse(SignedData.Decode(parts.Header, 1).Signers[0].Encode()).Children!.First(c => c.Encoded[0] == 0xA0);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSetOf(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true)))
            foreach (var attribute in change([.. set.Children!.Select(c => c.Encoded)])) writer.WriteEncodedValue(attribute);
        var changed = Tlv.Edit(parts.Header, t => t.Encoded.AsSpan().SequenceEqual(set.Encoded), writer.Encode());
        return parts with { Header = Forge.SignAttributes(changed, G22.Sign) };
    }

    static byte[] Attribute(string oid, params byte[][] values)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            using (writer.PushSetOf()) foreach (var value in values) writer.WriteEncodedValue(value);
        }
        return writer.Encode();
    }

    static bool Is(byte[] attribute, string oid) => new AsnReader(attribute, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier() == oid;
    static IEnumerable<Row> EachOf(params (string Name, string Oid)[] attributes) => attributes.SelectMany(a => new[]
    {
        Attributes($"no {a.Name}", Refusal.StatementAttributes, all => all.Where(x => !Is(x, a.Oid))),
        Attributes($"{a.Name} twice", Refusal.StatementAttributes, all => [.. all, all.First(x => Is(x, a.Oid))]),
    });

    static byte[] Swap(byte[] der, string from, string to) => Tlv.Replace(der, Tlv.Oid(from), Tlv.Oid(to));

    /// <summary>A header by a key with a certificate of this kind, put where the office's own stands.</summary>
    static Row By(string name, Refusal code, Func<IPrivateKey> signer) => new("signer: " + name, code, () => Outside(new Forge { Office = signer() }));

    static FileKey Issued(DevAuthority authority, KeyUse use = KeyUse.Sign, Validity? validity = null) => FileKey.Of(authority.Issue(KeyProfile.Subject("Office", "G22", "sign"), use, validity ?? TestPki.LeafValidity));

    /// <summary>The good header with another certificate carried in it.</summary>
    static Row Carries(string name, Refusal code, Func<byte[], byte[]> certificate) => new("certificate: " + name, code, () =>
    {
        var (parts, _) = new Forge().Make();
        var data = SignedData.Decode(parts.Header, 1);
        return Outside(parts with { Header = (data with { Certificates = [certificate(data.Certificates[0].ToArray())] }).Encode() });
    });

    /// <summary>A certificate whose key is of another kind: algorithm with parameters, and bits.</summary>
    static byte[] WithKey(byte[] certificate, byte[] algorithm, byte[] bits)
    {
        var info = Tlv.Parse(certificate).Children![0].Children![6];
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(algorithm);
            writer.WriteBitString(bits);
        }
        return Tlv.Edit(certificate, t => t.Encoded.AsSpan().SequenceEqual(info.Encoded), writer.Encode());
    }

    /// <summary>A header signed as its JSON says, by a certificate that is not the signer's real one but has a key of DSA, DH or RSA with numbers of 16384 bits: testing them takes seconds.</summary>
    static Row Slow(string name, string oid, bool inParameters) => new($"certificate: a key of {name} with 16384 bits", Refusal.Algorithm, () =>
    {
        var random = RandomNumberGenerator.GetBytes(2048);
        (random[0], random[^1]) = (0xff, 0xff);
        var number = new AsnWriter(AsnEncodingRules.DER);
        number.WriteIntegerUnsigned(random);
        var algorithm = new AsnWriter(AsnEncodingRules.DER);
        var bits = new AsnWriter(AsnEncodingRules.DER);
        using (algorithm.PushSequence())
        {
            algorithm.WriteObjectIdentifier(oid);
            if (!inParameters) algorithm.WriteNull();
            else
                using (algorithm.PushSequence()) for (var i = 0; i < 3; i++) algorithm.WriteEncodedValue(number.Encode());
        }
        if (inParameters) bits.WriteInteger(12345);
        else
            using (bits.PushSequence())
            {
                bits.WriteEncodedValue(number.Encode());
                bits.WriteInteger(65537);
            }
        var certificate = new Certificate(WithKey(TestPki.Der(G22.Sign), algorithm.Encode(), bits.Encode()));
        return Outside(new Forge { Office = new Posing(G22.Sign, certificate) });
    });

    sealed class Posing(IPrivateKey inner, Certificate certificate) : IPrivateKey
    {
        public Certificate Certificate => certificate;
        public byte[] Sign(ReadOnlySpan<byte> data) => inner.Sign(data);
        public byte[] Agree(ReadOnlySpan<byte> peerPoint, ReadOnlySpan<byte> sharedInfo) => throw new NotSupportedException();
        public byte[] Decrypt(ReadOnlySpan<byte> ciphertext) => throw new NotSupportedException();
        public void Dispose() { }
    }

    public static readonly Row[] All =
    [
        .. EachOf(("contentType", Oids.ContentTypeAttribute), ("messageDigest", Oids.MessageDigest), ("signingTime", Oids.SigningTime), ("signingCertificateV2", Oids.SigningCertificateV2),
            ("cmsAlgorithmProtection", Oids.CmsAlgorithmProtection), ("label", Oids.EssSecurityLabel), ("manifestDigest", Oids.ManifestDigest)),
        Attributes("one outside the list", Refusal.StatementAttributes, all => [.. all, Attribute("1.2.840.113549.1.9.16.2.1", [4, 1, 1])]),
        Attributes("one without a value", Refusal.StatementAttributes, all => [.. all, Attribute("2.25.1")]),
        Attributes("a label with two values", Refusal.Der, all => [.. all.Where(x => !Is(x, Oids.EssSecurityLabel)), Attribute(Oids.EssSecurityLabel, EssLabel.ToEss(Forge.Thuong), EssLabel.ToEss(Forge.Mat))]),
        Attributes("a label of 700 SETs in each other", Refusal.LabelForm, all => [.. all.Where(x => !Is(x, Oids.EssSecurityLabel)), Attribute(Oids.EssSecurityLabel, Deep(2048, 0x31))]),
        Attributes("a content type of another statement", Refusal.StatementAttributes, all => [.. all.Where(x => !Is(x, Oids.ContentTypeAttribute)), Attribute(Oids.ContentTypeAttribute, Tlv.Oid(Oids.ContentType(StatementType.Receipt)))]),
        Attributes("a digest a byte short", Refusal.StatementAttributes, all => [.. all.Where(x => !Is(x, Oids.MessageDigest)), Attribute(Oids.MessageDigest, [4, 47, .. new byte[47]])]),
        Attributes("a time in another form", Refusal.Der, all => [.. all.Where(x => !Is(x, Oids.SigningTime)), Attribute(Oids.SigningTime, [0x18, 15, .. "20261124080000Z"u8])]),
        Attributes("a time of the 32nd of a month", Refusal.Der, all => [.. all.Where(x => !Is(x, Oids.SigningTime)), Attribute(Oids.SigningTime, [0x17, 13, .. "261132080000Z"u8])]),
        new("attributes: none, and their DER as content", Refusal.StatementAttributes, () =>
        {
            // Without signedAttrs the content is signed directly: DER(signedAttrs) becomes a content that CMS libraries accept.
            var (parts, _) = new Forge().Make();
            var data = SignedData.Decode(parts.Header, 1);
            byte[] forged = (data with { Content = data.Signers[0].Attributes.ToBeSigned() }).Encode();
            var attributes = Tlv.Parse(data.Signers[0].Encode()).Children!.First(c => c.Encoded[0] == 0xA0).Encoded;
            return Outside(parts with { Header = Tlv.Edit(forged, t => t.Encoded.AsSpan().SequenceEqual(attributes), null) });
        }),
        new("attributes: the label once more, unsigned", Refusal.StatementAttributes, () => Outside(Unsigned(Oids.EssSecurityLabel, EssLabel.ToEss(Forge.Mat)))),
        new("attributes: a time-stamp in a header", Refusal.StatementAttributes, () => Outside(Unsigned(Oids.SignatureTimeStampToken, [0x30, 0]))),

        new("algorithm: SHA-256 named in the place of SHA-384", Refusal.Algorithm, () => Outside(new Forge { HeaderDer = d => Swap(d, Oids.Sha384, Oids.Sha256) })),
        new("algorithm: SHA-1", Refusal.Algorithm, () => Outside(new Forge { HeaderDer = d => Swap(d, Oids.Sha384, "1.3.14.3.2.26") })),
        new("algorithm: MD5", Refusal.Algorithm, () => Outside(new Forge { HeaderDer = d => Swap(d, Oids.Sha384, "1.2.840.113549.2.5") })),
        new("algorithm: ecdsa-with-SHA256", Refusal.Algorithm, () => Outside(new Forge { HeaderDer = d => Swap(d, Oids.EcdsaSha384, Oids.EcdsaSha256) })),
        new("algorithm: RSA", Refusal.Algorithm, () => Outside(new Forge { HeaderDer = d => Swap(d, Oids.EcdsaSha384, Oids.RsaEncryption) })),
        new("algorithm: none", Refusal.Algorithm, () => Outside(new Forge { HeaderDer = d => Swap(d, Oids.EcdsaSha384, "1.3.6.1.5.5.7.6.2") })),
        new("algorithm: with parameters", Refusal.Algorithm, () => Outside(new Forge { HeaderDer = d => Tlv.Replace(d, Algorithm(Oids.Sha384), [0x30, (byte)(Algorithm(Oids.Sha384)[1] + 2), .. Algorithm(Oids.Sha384).AsSpan(2), 5, 0]) })),

        .. new[] { ("id-data", Oids.Data), ("an approval", Oids.ContentType(StatementType.Approval)), ("a receipt", Oids.ContentType(StatementType.Receipt)), ("a dispatch", Oids.ContentType(StatementType.Dispatch)) }.Select(t =>
            new Row($"type: a header's bytes signed as {t.Item1}", Refusal.StatementType, () => Outside(SignedAs(t.Item2)))),

        By("another office", Refusal.SignerUnknown, () => Pki["H14"].Sign),
        By("a person of the office", Refusal.SignerUnknown, () => G22.Signatory),
        By("a key of another root", Refusal.SignerUnknown, () => Issued(DevAuthority.Root("Test root", TestPki.AuthorityValidity))),
        By("a key of our CA that is in no card", Refusal.SignerUnknown, () => Issued(Pki.Issuing)),
        new("signer: of an office that there is not", Refusal.SignerUnknown, () => Outside(new Forge { Header = h => h with { Sender = "X99" } })),
        new("signer: a certificate that has ended", Refusal.CertificateTime, () => At(TestPki.Start.AddYears(3))),
        new("signer: a certificate that has not begun", Refusal.CertificateTime, () => At(TestPki.Start.AddDays(-1))),
        new("signer: revoked", Refusal.CertificateRevoked, () => Under([Pki.Root.Crl(1, TestPki.Start, TestPki.NextUpdate), Pki.Issuing.Crl(2, TestPki.Start, TestPki.NextUpdate, (G22.Sign.ForTls, TestPki.Start))])),
        new("signer: no revocation list", Refusal.RevocationUnknown, () => Under([])),
        new("signer: a stale revocation list", Refusal.RevocationUnknown, () => Under([Pki.Root.Crl(1, TestPki.Start, TestPki.NextUpdate), Pki.Issuing.Crl(1, TestPki.Start, TestPki.Now)])),
        new("signer: under a foreign root of the same name", Refusal.CertificateUntrusted, () =>
        {
            var root = DevAuthority.Root("Test root", TestPki.AuthorityValidity);
            var issuing = root.Subordinate("Test issuing CA", TestPki.AuthorityValidity);
            var trust = TrustStore.Create([root.Certificate.RawDataMemory], [issuing.Certificate.RawDataMemory], [root.Crl(1, TestPki.Start, TestPki.NextUpdate), issuing.Crl(1, TestPki.Start, TestPki.NextUpdate)]);
            var (parts, _) = new Forge().Make();
            return _ => Crypto.Envelope.Envelope.Verify(parts, Forge.Context with { Trust = new CertificateCheck(trust) });
        }),

        Carries("none of the signer's", Refusal.StatementSigners, _ => TestPki.Der(Pki["H14"].Sign)),
        Carries("100000 SEQUENCEs in each other", Refusal.CertificateForm, _ => Deep(1 << 19)),
        Carries("a text", Refusal.Der, _ => [0x0c, 2, 0x4d, 0x4d]),
        Carries("with a byte behind it", Refusal.Der, c => Tlv.Edit(c, t => t.Path == "/2", [.. Tlv.Parse(c).Children![2].Encoded, 5, 0])),
        Carries("an algorithm with 100000 SEQUENCEs in each other", Refusal.CertificateForm, c => Tlv.Edit(c, t => t.Path == "/1", Tlv.Value(0x30, [.. Tlv.Oid(Oids.EcdsaSha384), .. Deep(1 << 19)]))),
        Slow("DSA", "1.2.840.10040.4.1", inParameters: true),
        Slow("Diffie-Hellman", "1.2.840.10046.2.1", inParameters: true),
        Slow("RSA", Oids.RsaEncryption, inParameters: false),
        new("signature: of another header", Refusal.Signature, () =>
        {
            var (parts, _) = new Forge().Make();
            var other = SignedData.Decode(new Forge().Make().Parts.Header, 1);
            var data = SignedData.Decode(parts.Header, 1);
            return Outside(parts with { Header = (data with { Signers = [data.Signers[0] with { Signature = other.Signers[0].Signature }] }).Encode() });
        }),
        new("signature: empty", Refusal.Signature, () => Outside(SignedWith([]))),
        new("signature: zeros", Refusal.Signature, () => Outside(SignedWith([0x30, 6, 2, 1, 0, 2, 1, 0]))),
        new("signature: of 100 KB", Refusal.Signature, () => Outside(SignedWith(Tlv.Value(0x30, [.. Tlv.Value(2, [1, .. new byte[50_000]]), .. Tlv.Value(2, [1, .. new byte[50_000]])])))),
        new("signature: twice", Refusal.StatementSigners, () =>
        {
            var (parts, _) = new Forge().Make();
            var data = SignedData.Decode(parts.Header, 1);
            return Outside(parts with { Header = (data with { Signers = [data.Signers[0], data.Signers[0]] }).Encode() });
        }),
        new("signature: none", Refusal.StatementSigners, () =>
        {
            var (parts, _) = new Forge().Make();
            return Outside(parts with { Header = (SignedData.Decode(parts.Header, 1) with { Signers = [], Certificates = [] }).Encode() });
        }),
    ];

    static byte[] Algorithm(string oid)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        SignerInfo.WriteAlgorithm(writer, oid);
        return writer.Encode();
    }

    static Crypto.Envelope.EnvelopeParts SignedWith(byte[] signature)
    {
        var (parts, _) = new Forge().Make();
        var data = SignedData.Decode(parts.Header, 1);
        return parts with { Header = (data with { Signers = [data.Signers[0] with { Signature = signature }] }).Encode() };
    }

    static Crypto.Envelope.EnvelopeParts Unsigned(string oid, byte[] value)
    {
        var (parts, _) = new Forge().Make();
        var info = Tlv.Parse(SignedData.Decode(parts.Header, 1).Signers[0].Encode());
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSetOf(new Asn1Tag(TagClass.ContextSpecific, 1, isConstructed: true))) writer.WriteEncodedValue(Attribute(oid, value));
        var body = info.Children!.SelectMany(c => c.Encoded).Concat(writer.Encode()).ToArray();
        return parts with { Header = Tlv.Edit(parts.Header, t => t.Encoded.AsSpan().SequenceEqual(info.Encoded), [0x30, 0x82, (byte)(body.Length >> 8), (byte)body.Length, .. body]) };
    }

    /// <summary>"Sign this file", with the office's key over header bytes.</summary>
    static Crypto.Envelope.EnvelopeParts SignedAs(string type)
    {
        var (parts, _) = new Forge().Make();
        var json = SignedData.Decode(parts.Header, 1).Content.ToArray();
        var attributes = new SignedAttributes(type, SHA384.HashData(json), TestPki.Now, G22.Sign.Certificate.Key, EssLabel.ToEss(Forge.Thuong), Digest.Of(parts.Manifest.Span));
        var info = new SignerInfo(G22.Sign.Certificate.IssuerDer, G22.Sign.Certificate.SerialNumber, attributes, G22.Sign.Sign(attributes.ToBeSigned()), null);
        return parts with { Header = new SignedData(type, json, [G22.Sign.Certificate.Der], [info]).Encode() };
    }

    /// <summary>The good envelope at another time.</summary>
    static Action<string> At(DateTimeOffset at)
    {
        var (parts, _) = new Forge().Make();
        return _ => Crypto.Envelope.Envelope.Verify(parts, Forge.Context with { At = at });
    }

    /// <summary>The good envelope where other revocation lists are known.</summary>
    static Action<string> Under(ReadOnlyMemory<byte>[] lists)
    {
        var trust = TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory], lists);
        var (parts, _) = new Forge().Make();
        return _ => Crypto.Envelope.Envelope.Verify(parts, Forge.Context with { Trust = new CertificateCheck(trust) });
    }
}
