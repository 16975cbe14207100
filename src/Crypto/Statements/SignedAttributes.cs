using System.Formats.Asn1;
using Exchange.Crypto.Keys;

namespace Exchange.Crypto.Statements;

/// <summary>
/// The signed attributes: contentType, messageDigest, signingTime (RFC 5652 11), signingCertificateV2 (RFC 5035), cmsAlgorithmProtection (RFC 6211),
/// and where the type has them eSSSecurityLabel (RFC 2634) and our manifestDigest. Each once, with one value; nothing else.
/// </summary>
/// <param name="MessageDigest">Digest of the content by <see cref="Algorithm"/>.</param>
/// <param name="SigningTime">Whole seconds, UTCTime: 1950..2049.</param>
/// <param name="Certificate">SHA-256 of the signer's certificate, from ESSCertIDv2.</param>
/// <param name="Label">DER of ESSSecurityLabel.</param>
sealed record SignedAttributes(string ContentType, ReadOnlyMemory<byte> MessageDigest, DateTimeOffset SigningTime, Digest Certificate,
    ReadOnlyMemory<byte>? Label, Digest? ManifestDigest)
{
    const int UtcTimeEnd = 2049;
    static readonly Asn1Tag Context1 = new(TagClass.ContextSpecific, 1, isConstructed: true);

    /// <summary>Named by cmsAlgorithmProtection.</summary>
    public Ecdsa Algorithm { get; init; } = Ecdsa.P384;

    /// <summary>What is signed: the attributes as SET OF with its universal tag (RFC 5652 5.4).</summary>
    public byte[] ToBeSigned()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        Write(writer, Asn1Tag.SetOf);
        return writer.Encode();
    }

    public void Write(AsnWriter writer, Asn1Tag tag)
    {
        using (writer.PushSetOf(tag))
        {
            WriteAttribute(writer, Oids.ContentTypeAttribute, w => w.WriteObjectIdentifier(ContentType));
            WriteAttribute(writer, Oids.MessageDigest, w => w.WriteOctetString(MessageDigest.Span));
            WriteAttribute(writer, Oids.SigningTime, w => w.WriteUtcTime(SigningTime, UtcTimeEnd));
            WriteAttribute(writer, Oids.SigningCertificateV2, w =>
            {
                using (w.PushSequence())
                using (w.PushSequence())
                using (w.PushSequence()) w.WriteOctetString(Certificate.ToArray());
            });
            WriteAttribute(writer, Oids.CmsAlgorithmProtection, w =>
            {
                using (w.PushSequence())
                {
                    SignerInfo.WriteAlgorithm(w, Algorithm.Digest);
                    using (w.PushSequence(Context1)) w.WriteObjectIdentifier(Algorithm.Signature);
                }
            });
            if (Label is { } label) WriteAttribute(writer, Oids.EssSecurityLabel, w => w.WriteEncodedValue(label.Span));
            if (ManifestDigest is { } digest) WriteAttribute(writer, Oids.ManifestDigest, w => w.WriteOctetString(digest.ToArray()));
        }
    }

    internal static void WriteAttribute(AsnWriter writer, string oid, Action<AsnWriter> value)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            using (writer.PushSetOf()) value(writer);
        }
    }

    /// <exception cref="RefusedException"><see cref="Refusal.StatementAttributes"/> names the first that is missing, doubled, unknown or malformed.</exception>
    public static SignedAttributes Read(AsnReader set)
    {
        var values = new Dictionary<string, AsnReader>();
        while (set.HasData)
        {
            var attribute = set.ReadSequence();
            var oid = attribute.ReadObjectIdentifier();
            var value = attribute.ReadSetOf();
            attribute.ThrowIfNotEmpty();
            if (!values.TryAdd(oid, value)) throw Bad(oid, "doubled");
        }
        var type = Take(values, Oids.ContentTypeAttribute).ReadObjectIdentifier();
        var protection = Take(values, Oids.CmsAlgorithmProtection).ReadSequence();
        var algorithm = Ecdsa.OfDigest(SignerInfo.ReadAlgorithm(protection));
        if (algorithm is null || protection.ReadSequence(Context1).ReadObjectIdentifier() != algorithm.Signature) throw new RefusedException(Refusal.Algorithm, "cmsAlgorithmProtection");
        var digest = Octets(Take(values, Oids.MessageDigest), Oids.MessageDigest, algorithm.DigestLength);
        var time = Take(values, Oids.SigningTime).ReadUtcTime(UtcTimeEnd);
        var certificate = new Digest(Octets(
            Take(values, Oids.SigningCertificateV2).ReadSequence().ReadSequence().ReadSequence(), Oids.SigningCertificateV2, Digest.Size).Span);
        var label = values.Remove(Oids.EssSecurityLabel, out var ess) ? ess.ReadEncodedValue() : default(ReadOnlyMemory<byte>?);
        Digest? manifest = values.Remove(Oids.ManifestDigest, out var own) ? new Digest(Octets(own, Oids.ManifestDigest, Digest.Size).Span) : null;
        // A second value or trailing bytes inside an attribute are caught when the whole is encoded again.
        if (values.Count > 0) throw Bad(values.Keys.First(), "not allowed");
        return new SignedAttributes(type, digest, time, certificate, label, manifest) { Algorithm = algorithm };
    }

    static AsnReader Take(Dictionary<string, AsnReader> values, string oid) => values.Remove(oid, out var value) ? value : throw Bad(oid, "missing");

    static ReadOnlyMemory<byte> Octets(AsnReader reader, string oid, int length) =>
        reader.TryReadPrimitiveOctetString(out var octets) && octets.Length == length ? octets : throw Bad(oid, "length");

    static RefusedException Bad(string oid, string what) => new(Refusal.StatementAttributes, $"{oid} {what}");
}
