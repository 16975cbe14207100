using System.Formats.Asn1;
using Exchange.Crypto.Keys;
using Exchange.Crypto.TimeStamps;

namespace Exchange.Crypto.Statements;

/// <summary>SignerInfo (RFC 5652 5.3) version 1 with the signed attributes that statements carry, and no others.</summary>
/// <param name="Issuer">DER of the issuer's name.</param>
/// <param name="Serial">INTEGER bytes.</param>
/// <param name="TimeStamp">DER of a signatureTimeStampToken (RFC 3161), the only unsigned attribute, carried unread: <see cref="TimeStampCheck"/> reads it; null: none.</param>
sealed record SignerInfo(ReadOnlyMemory<byte> Issuer, ReadOnlyMemory<byte> Serial, SignedAttributes Attributes, ReadOnlyMemory<byte> Signature, ReadOnlyMemory<byte>? TimeStamp)
{
    static readonly Asn1Tag Context0 = new(TagClass.ContextSpecific, 0, isConstructed: true);
    static readonly Asn1Tag Context1 = new(TagClass.ContextSpecific, 1, isConstructed: true);

    public Ecdsa Algorithm => Attributes.Algorithm;

    public byte[] Encode()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(1);
            using (writer.PushSequence())
            {
                writer.WriteEncodedValue(Issuer.Span);
                writer.WriteInteger(Serial.Span);
            }
            WriteAlgorithm(writer, Algorithm.Digest);
            Attributes.Write(writer, Context0);
            WriteAlgorithm(writer, Algorithm.Signature);
            writer.WriteOctetString(Signature.Span);
            if (TimeStamp is { } token)
                using (writer.PushSetOf(Context1))
                    SignedAttributes.WriteAttribute(writer, Oids.SignatureTimeStampToken, w => w.WriteEncodedValue(token.Span));
        }
        return writer.Encode();
    }

    public static SignerInfo Decode(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var body = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        if (!body.TryReadInt32(out var version) || version != 1) throw new RefusedException(Refusal.Der, "SignerInfo version");
        var sid = body.ReadSequence();
        var issuer = sid.ReadEncodedValue();
        var serial = sid.ReadIntegerBytes();
        sid.ThrowIfNotEmpty();
        var algorithm = Ecdsa.OfDigest(ReadAlgorithm(body)) ?? throw new RefusedException(Refusal.Algorithm, "digestAlgorithm");
        // RFC 5652 lets a signer omit signedAttrs; then content and attributes can be exchanged for each other (draft-ietf-lamps-cms-euf-cma-signeddata).
        if (!body.HasData || body.PeekTag() != Context0) throw new RefusedException(Refusal.StatementAttributes, "no signed attributes");
        var attributes = SignedAttributes.Read(body.ReadSetOf(Context0));
        if (attributes.Algorithm != algorithm || ReadAlgorithm(body) != algorithm.Signature) throw new RefusedException(Refusal.Algorithm, "signatureAlgorithm");
        if (!body.TryReadPrimitiveOctetString(out var signature)) throw new RefusedException(Refusal.Der, "signature");
        ReadOnlyMemory<byte>? token = null;
        if (body.HasData)
        {
            var unsigned = body.ReadSetOf(Context1);
            var attribute = unsigned.ReadSequence();
            if (attribute.ReadObjectIdentifier() != Oids.SignatureTimeStampToken || unsigned.HasData)
                throw new RefusedException(Refusal.StatementAttributes, "unsigned attribute");
            var values = attribute.ReadSetOf();
            token = values.ReadEncodedValue();
            if (token.Value.Length > TimeStampCheck.MaxLength) throw new RefusedException(Refusal.Size, "time-stamp");
            values.ThrowIfNotEmpty();
            attribute.ThrowIfNotEmpty();
        }
        body.ThrowIfNotEmpty();
        return new SignerInfo(issuer, serial, attributes, signature, token);
    }

    internal static void WriteAlgorithm(AsnWriter writer, string oid)
    {
        using (writer.PushSequence()) writer.WriteObjectIdentifier(oid);
    }

    /// <summary>An AlgorithmIdentifier without parameters; null when it has any.</summary>
    internal static string? ReadAlgorithm(AsnReader reader)
    {
        var algorithm = reader.ReadSequence();
        var oid = algorithm.ReadObjectIdentifier();
        return algorithm.HasData ? null : oid;
    }
}
