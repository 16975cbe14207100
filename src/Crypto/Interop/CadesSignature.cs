using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Ess;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Cms;
using Org.BouncyCastle.Crypto;
using Attribute = Org.BouncyCastle.Asn1.Cms.Attribute;
using AttributeTable = Org.BouncyCastle.Asn1.Cms.AttributeTable;

namespace Exchange.Crypto.Interop;

/// <summary>
/// A detached CMS signature (RFC 5652) for other people's tools, CAdES-B-B (ETSI EN 319 122-1 clause 6), B-T once a time-stamp was added: content-type, signing-time, message-digest,
/// signing-certificate-v2 with issuer and serial; the signer's certificate and those of the CAs up to a root. ECDSA with the digest of the key's curve.
/// It can never be taken for a statement, though the same key signs both: its eContentType, which is signed, is id-data, and no <see cref="Statements.StatementType"/> has that. Nothing here reads one.
/// </summary>
public static class CadesSignature
{
    /// <summary>Signs what <paramref name="content"/> writes, of which nothing is kept.</summary>
    /// <param name="store">Where the signer's CAs are.</param>
    /// <param name="content">Writes the signed bytes; called once.</param>
    /// <returns>ContentInfo, DER.</returns>
    /// <exception cref="RefusedException">Algorithm: not a key on P-256 or P-384; Signature: the key does not fit its certificate.</exception>
    public static byte[] Sign(IPrivateKey signer, TrustStore store, DateTimeOffset time, Action<Stream> content)
    {
        var algorithm = Ecdsa.Of(signer.Certificate) ?? throw new RefusedException(Refusal.Algorithm, "signer's key is neither on P-384 nor on P-256");
        var generator = new CmsSignedDataGenerator();
        generator.AddSignerInfoGenerator(new SignerInfoGeneratorBuilder().WithSignedAttributeGenerator(new DefaultSignedAttributeTableGenerator(Attributes(signer.Certificate, time)))
            .Build(new KeySignature(signer, algorithm), signer.Certificate.Parsed));
        foreach (var certificate in Chain(signer.Certificate, store)) generator.AddCertificate(certificate.Parsed);
        var signed = generator.Generate(new Written(content), encapsulate: false);
        var info = SignerOf(signed);
        if (!algorithm.Verify(signer.Certificate.PointFor(algorithm)!, info.GetEncodedSignedAttributes(), info.GetSignature())) throw new RefusedException(Refusal.Signature, "the key does not fit its certificate");
        return signed.GetEncoded(Asn1Encodable.Der);
    }

    /// <summary>"sha-384": what a multipart/signed calls the digest of this signer (RFC 8551 3.5.3.2).</summary>
    public static string MicAlg(IPrivateKey signer) => Ecdsa.Of(signer.Certificate) == Ecdsa.P256 ? "sha-256" : "sha-384";

    /// <summary>SHA-256 of the signature value: what a signature-time-stamp is about.</summary>
    public static Digest Imprint(byte[] signature) => Digest.Of(SignerOf(new CmsSignedData(signature)).GetSignature());

    /// <summary>The same with a signature-time-stamp (EN 319 122-1 clause 5.3).</summary>
    /// <param name="token">DER, verified to be about <see cref="Imprint"/>.</param>
    public static byte[] WithTimeStamp(byte[] signature, ReadOnlyMemory<byte> token)
    {
        var signed = new CmsSignedData(signature);
        var stamp = new Attribute(new DerObjectIdentifier(Oids.SignatureTimeStampToken), new DerSet(Asn1Object.FromByteArray(token.ToArray())));
        var stamped = SignerInformation.ReplaceUnsignedAttributes(SignerOf(signed), new AttributeTable(new Asn1EncodableVector(stamp)));
        return CmsSignedData.ReplaceSigners(signed, new SignerInformationStore([stamped])).GetEncoded(Asn1Encodable.Der);
    }

    static SignerInformation SignerOf(CmsSignedData signed) => signed.GetSignerInfos().GetSigners().Single();

    // BouncyCastle adds content-type and message-digest; the time it would take from the machine's clock.
    static AttributeTable Attributes(Certificate certificate, DateTimeOffset time)
    {
        var parsed = certificate.Parsed;
        var issuer = new IssuerSerial(new GeneralNames(new GeneralName(parsed.IssuerDN)), new DerInteger(parsed.SerialNumber));
        var named = new EssCertIDv2(certificate.Key.ToArray(), issuer);
        return new AttributeTable(new Asn1EncodableVector(
            new Attribute(new DerObjectIdentifier(Oids.SigningTime), new DerSet(new Org.BouncyCastle.Asn1.Cms.Time(time.UtcDateTime))),
            new Attribute(new DerObjectIdentifier(Oids.SigningCertificateV2), new DerSet(new SigningCertificateV2(named)))));
    }

    /// <summary>The certificate, then the CAs that lead to a root, which whoever checks has himself.</summary>
    static List<Certificate> Chain(Certificate certificate, TrustStore store)
    {
        var chain = new List<Certificate> { certificate };
        while (store.Intermediates.FirstOrDefault(i => !chain.Contains(i) && i.SubjectDer.AsSpan().SequenceEqual(chain[^1].IssuerDer)) is { } issuer) chain.Add(issuer);
        return chain;
    }

    /// <summary>BouncyCastle's way to a key that may be anywhere: it sees bytes to be signed and the signature.</summary>
    sealed class KeySignature(IPrivateKey key, Ecdsa algorithm) : ISignatureFactory
    {
        public object AlgorithmDetails { get; } = new AlgorithmIdentifier(new DerObjectIdentifier(algorithm.Signature));

        public IStreamCalculator<IBlockResult> CreateCalculator() => new Calculator(key);

        // The signed attributes, some hundred bytes.
        sealed class Calculator(IPrivateKey key) : IStreamCalculator<IBlockResult>, IDisposable
        {
            readonly MemoryStream data = new();
            public Stream Stream => data;
            public IBlockResult GetResult() => new SimpleBlockResult(key.Sign(data.ToArray()));
            public void Dispose() => data.Dispose();
        }
    }

    sealed class Written(Action<Stream> write) : CmsTypedData
    {
        public DerObjectIdentifier ContentType { get; } = new(Oids.Data);
        public void Write(Stream outStream) => write(outStream);
    }
}
