using System.Formats.Asn1;
using Exchange.Crypto.Keys;

namespace Exchange.Crypto.Statements;

/// <summary>
/// The one shape of CMS SignedData (RFC 5652 section 5) that this project writes, as values. <see cref="Decode"/> encodes again what it read:
/// anything but our own strict DER is refused, down to the order of each SET.
/// </summary>
/// <param name="ContentType">eContentType, dotted.</param>
/// <param name="Certificates">DER, in SET order.</param>
/// <param name="Signers">In SET order.</param>
sealed record SignedData(string ContentType, ReadOnlyMemory<byte> Content, IReadOnlyList<ReadOnlyMemory<byte>> Certificates, IReadOnlyList<SignerInfo> Signers)
{
    /// <summary>version 3: eContentType is not id-data (RFC 5652 5.1).</summary>
    const int Version = 3;
    static readonly Asn1Tag Context0 = new(TagClass.ContextSpecific, 0, isConstructed: true);

    public byte[] Encode()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(Oids.SignedData);
            using (writer.PushSequence(Context0))
            using (writer.PushSequence())
            {
                writer.WriteInteger(Version);
                using (writer.PushSetOf())
                    foreach (var digest in Signers.Select(s => s.Algorithm.Digest).Distinct()) SignerInfo.WriteAlgorithm(writer, digest);
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(ContentType);
                    using (writer.PushSequence(Context0)) writer.WriteOctetString(Content.Span);
                }
                using (writer.PushSetOf(Context0))
                    foreach (var certificate in Certificates) writer.WriteEncodedValue(certificate.Span);
                using (writer.PushSetOf())
                    foreach (var signer in Signers) writer.WriteEncodedValue(signer.Encode());
            }
        }
        return writer.Encode();
    }

    /// <exception cref="RefusedException">Der, Algorithm, StatementAttributes, StatementSigners.</exception>
    public static SignedData Decode(ReadOnlyMemory<byte> der, int maxSigners)
    {
        SignedData value;
        try
        {
            var outer = new AsnReader(der, AsnEncodingRules.DER);
            var info = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            if (info.ReadObjectIdentifier() != Oids.SignedData) throw new RefusedException(Refusal.Der, "not SignedData");
            var explicit0 = info.ReadSequence(Context0);
            info.ThrowIfNotEmpty();
            var body = explicit0.ReadSequence();
            explicit0.ThrowIfNotEmpty();
            if (!body.TryReadInt32(out var version) || version != Version) throw new RefusedException(Refusal.Der, "SignedData version");
            var digests = body.ReadSetOf();
            // That these are the signers', each once, is seen when the whole is encoded again.
            while (digests.HasData)
                if (Ecdsa.OfDigest(SignerInfo.ReadAlgorithm(digests)) is null) throw new RefusedException(Refusal.Algorithm, "digestAlgorithms");
            var encapsulated = body.ReadSequence();
            var type = encapsulated.ReadObjectIdentifier();
            var wrapped = encapsulated.ReadSequence(Context0);
            encapsulated.ThrowIfNotEmpty();
            if (!wrapped.TryReadPrimitiveOctetString(out var content)) throw new RefusedException(Refusal.Der, "content");
            wrapped.ThrowIfNotEmpty();
            var certificates = ReadAll(body.ReadSetOf(Context0), maxSigners, r => r.ReadEncodedValue());
            var signers = ReadAll(body.ReadSetOf(), maxSigners, r => SignerInfo.Decode(r.ReadEncodedValue()));
            body.ThrowIfNotEmpty();
            value = new SignedData(type, content, certificates, signers);
            if (!value.Encode().AsSpan().SequenceEqual(der.Span)) throw new RefusedException(Refusal.Der, "not our encoding");
        }
        catch (Exception e) when (e is AsnContentException or ArgumentException or InvalidOperationException)
        {
            throw new RefusedException(Refusal.Der, "SignedData");
        }
        return value;
    }

    static List<T> ReadAll<T>(AsnReader set, int most, Func<AsnReader, T> read)
    {
        var list = new List<T>();
        while (set.HasData)
        {
            if (list.Count == most) throw new RefusedException(Refusal.StatementSigners, "more signers or certificates than this type may have");
            list.Add(read(set));
        }
        return list;
    }
}
