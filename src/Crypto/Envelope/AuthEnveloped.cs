using System.Formats.Asn1;

namespace Exchange.Crypto.Envelope;

/// <summary>A content-encryption key as one recipient gets it.</summary>
/// <param name="Rid">DER of IssuerAndSerialNumber.</param>
sealed record RecipientKey(ReadOnlyMemory<byte> Rid, ReadOnlyMemory<byte> EncryptedKey);

/// <summary>RecipientInfo (RFC 5652 6.2): the two kinds of suite classic-1.</summary>
abstract record RecipientInfo
{
    public abstract IReadOnlyList<RecipientKey> Keys { get; }
}

/// <summary>KeyTransRecipientInfo version 0, RSAES-OAEP with SHA-256, MGF1-SHA-256 and the empty label (RFC 3560).</summary>
sealed record KeyTransport(RecipientKey Key) : RecipientInfo
{
    public override IReadOnlyList<RecipientKey> Keys { get; } = [Key];
}

/// <summary>KeyAgreeRecipientInfo version 3, ephemeral-static ECDH with the SHA-384 KDF and AES-256 wrap (RFC 5753 3.1.1).</summary>
/// <param name="Point">Ephemeral key, 04 ‖ x ‖ y. Not yet known to lie on the curve.</param>
/// <param name="Ukm">Goes into the KDF. Envelopes demand it; the openssl command cannot set it.</param>
sealed record KeyAgreement(ReadOnlyMemory<byte> Point, ReadOnlyMemory<byte>? Ukm, IReadOnlyList<RecipientKey> RecipientKeys) : RecipientInfo
{
    public override IReadOnlyList<RecipientKey> Keys => RecipientKeys;
}

/// <summary>
/// CMS AuthEnvelopedData (RFC 5083) with AES-256-GCM (RFC 5084) as values: strict DER, no originatorInfo, no attributes, id-data inside, nonce of 12 bytes,
/// ICVlen 16 written out, mac of 16. <see cref="Decode"/> encodes again what it read: nothing but our own spelling passes. No key is needed here.
/// </summary>
/// <remarks>
/// id-data and no authAttrs because OpenSSL 3.0 computes authAttrs wrongly. The sizes are demanded because it opens one-byte tags and other ciphers:
/// what it accepts proves interoperability, never safety.
/// </remarks>
sealed record AuthEnveloped(IReadOnlyList<RecipientInfo> Recipients, ReadOnlyMemory<byte> Nonce, ReadOnlyMemory<byte> Ciphertext, ReadOnlyMemory<byte> Tag)
{
    public const int TagLength = 16;

    static readonly Asn1Tag Context0 = new(TagClass.ContextSpecific, 0, isConstructed: true);
    static readonly Asn1Tag Context1 = new(TagClass.ContextSpecific, 1, isConstructed: true);
    static readonly Asn1Tag EncryptedContent = new(TagClass.ContextSpecific, 0);

    public byte[] Encode()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(Oids.AuthEnvelopedData);
            using (writer.PushSequence(Context0))
            using (writer.PushSequence())
            {
                writer.WriteInteger(0);
                using (writer.PushSetOf())
                    foreach (var recipient in Recipients)
                    {
                        if (recipient is KeyTransport transport) Write(writer, transport);
                        else Write(writer, (KeyAgreement)recipient);
                    }
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(Oids.Data);
                    using (writer.PushSequence())
                    {
                        writer.WriteObjectIdentifier(Oids.Aes256Gcm);
                        using (writer.PushSequence())
                        {
                            writer.WriteOctetString(Nonce.Span);
                            writer.WriteInteger(TagLength);
                        }
                    }
                    writer.WriteOctetString(Ciphertext.Span, EncryptedContent);
                }
                writer.WriteOctetString(Tag.Span);
            }
        }
        return writer.Encode();
    }

    static void Write(AsnWriter writer, KeyTransport recipient)
    {
        using (writer.PushSequence())
        {
            writer.WriteInteger(0);
            writer.WriteEncodedValue(recipient.Key.Rid.Span);
            writer.WriteEncodedValue(RsaKeyWrap.Algorithm);
            writer.WriteOctetString(recipient.Key.EncryptedKey.Span);
        }
    }

    static void Write(AsnWriter writer, KeyAgreement recipient)
    {
        using (writer.PushSequence(Context1))
        {
            writer.WriteInteger(3);
            using (writer.PushSequence(Context0))
            using (writer.PushSequence(Context1))
            {
                writer.WriteEncodedValue(EcdhKeyWrap.OriginatorAlgorithm);
                writer.WriteBitString(recipient.Point.Span);
            }
            if (recipient.Ukm is { } ukm)
                using (writer.PushSequence(Context1)) writer.WriteOctetString(ukm.Span);
            writer.WriteEncodedValue(EcdhKeyWrap.Algorithm);
            using (writer.PushSequence())
                foreach (var key in recipient.RecipientKeys)
                    using (writer.PushSequence())
                    {
                        writer.WriteEncodedValue(key.Rid.Span);
                        writer.WriteOctetString(key.EncryptedKey.Span);
                    }
        }
    }

    /// <param name="maxKeys">Most recipients to read.</param>
    /// <exception cref="RefusedException">Der, ManifestForm, Algorithm, Size.</exception>
    public static AuthEnveloped Decode(ReadOnlyMemory<byte> der, int maxKeys)
    {
        AuthEnveloped value;
        try { value = Read(der, maxKeys); }
        catch (Exception e) when (e is AsnContentException or ArgumentException or InvalidOperationException) { throw new RefusedException(Refusal.Der, "manifest"); }
        if (!value.Encode().AsSpan().SequenceEqual(der.Span)) throw new RefusedException(Refusal.Der, "manifest is not in the one encoding");
        return value;
    }

    static AuthEnveloped Read(ReadOnlyMemory<byte> der, int maxKeys)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var info = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        Demand(info.ReadObjectIdentifier() == Oids.AuthEnvelopedData, "not AuthEnvelopedData");
        var explicit0 = info.ReadSequence(Context0);
        info.ThrowIfNotEmpty();
        var body = explicit0.ReadSequence();
        explicit0.ThrowIfNotEmpty();
        Demand(body.TryReadInt32(out var version) && version == 0, "version");
        Demand(body.PeekTag() == Asn1Tag.SetOf, "originatorInfo");
        var recipients = ReadRecipients(body.ReadSetOf(), maxKeys);

        var content = body.ReadSequence();
        Demand(content.ReadObjectIdentifier() == Oids.Data, "inner type");
        var nonce = ReadCipher(content.ReadSequence());
        Demand(content.HasData, "no content");
        if (!content.TryReadPrimitiveOctetString(out var ciphertext, EncryptedContent)) throw new AsnContentException();
        content.ThrowIfNotEmpty();

        Demand(body.PeekTag() == Asn1Tag.PrimitiveOctetString, "authAttrs");
        if (!body.TryReadPrimitiveOctetString(out var tag)) throw new AsnContentException();
        DemandAlgorithm(tag.Length == TagLength, "mac length");
        Demand(!body.HasData, "unauthAttrs");
        return new AuthEnveloped(recipients, nonce, ciphertext, tag);
    }

    internal static ReadOnlyMemory<byte> ReadCipher(AsnReader algorithm)
    {
        DemandAlgorithm(algorithm.ReadObjectIdentifier() == Oids.Aes256Gcm, "content cipher");
        DemandAlgorithm(algorithm.HasData, "no GCMParameters");
        var parameters = algorithm.ReadSequence();
        algorithm.ThrowIfNotEmpty();
        if (!parameters.TryReadPrimitiveOctetString(out var nonce)) throw new AsnContentException();
        DemandAlgorithm(nonce.Length == KeySchedule.NonceLength, "nonce length");
        // RFC 5084 3.2: absent would mean 12.
        DemandAlgorithm(parameters.HasData && parameters.TryReadInt32(out var icv) && icv == TagLength, "ICVlen");
        parameters.ThrowIfNotEmpty();
        return nonce;
    }

    static List<RecipientInfo> ReadRecipients(AsnReader set, int maxKeys)
    {
        var recipients = new List<RecipientInfo>();
        for (var keys = 0; set.HasData;)
        {
            var recipient = ReadRecipient(set, maxKeys);
            if ((keys += recipient.Keys.Count) > maxKeys) throw new RefusedException(Refusal.Size, "recipients");
            recipients.Add(recipient);
        }
        Demand(recipients.Count > 0, "no recipient");
        return recipients;
    }

    /// <exception cref="RefusedException">ManifestForm, Algorithm, Size.</exception>
    /// <exception cref="AsnContentException">Not a RecipientInfo.</exception>
    internal static RecipientInfo ReadRecipient(AsnReader set, int maxKeys)
    {
        var tag = set.PeekTag();
        Demand(tag == Asn1Tag.Sequence || tag == Context1, "kind of recipient");
        return tag == Context1 ? ReadAgreement(set.ReadSequence(Context1), maxKeys) : ReadTransport(set.ReadSequence());
    }

    static KeyTransport ReadTransport(AsnReader body)
    {
        Demand(body.TryReadInt32(out var version) && version == 0, "KeyTransRecipientInfo version");
        var rid = ReadRid(body);
        DemandAlgorithm(body.ReadEncodedValue().Span.SequenceEqual(RsaKeyWrap.Algorithm), "key transport");
        if (!body.TryReadPrimitiveOctetString(out var key)) throw new AsnContentException();
        body.ThrowIfNotEmpty();
        return new KeyTransport(new RecipientKey(rid, key));
    }

    static KeyAgreement ReadAgreement(AsnReader body, int maxKeys)
    {
        Demand(body.TryReadInt32(out var version) && version == 3, "KeyAgreeRecipientInfo version");
        var originator = body.ReadSequence(Context0);
        Demand(originator.PeekTag() == Context1, "originator");
        var key = originator.ReadSequence(Context1);
        originator.ThrowIfNotEmpty();
        DemandAlgorithm(key.ReadEncodedValue().Span.SequenceEqual(EcdhKeyWrap.OriginatorAlgorithm), "originatorKey");
        if (!key.TryReadPrimitiveBitString(out var unused, out var point) || unused != 0) throw new AsnContentException();
        key.ThrowIfNotEmpty();

        ReadOnlyMemory<byte>? ukm = null;
        if (body.PeekTag() == Context1)
        {
            var explicit1 = body.ReadSequence(Context1);
            if (!explicit1.TryReadPrimitiveOctetString(out var bytes)) throw new AsnContentException();
            explicit1.ThrowIfNotEmpty();
            ukm = bytes;
        }
        DemandAlgorithm(body.ReadEncodedValue().Span.SequenceEqual(EcdhKeyWrap.Algorithm), "key agreement");
        var list = body.ReadSequence();
        body.ThrowIfNotEmpty();
        var keys = new List<RecipientKey>();
        while (list.HasData)
        {
            if (keys.Count == maxKeys) throw new RefusedException(Refusal.Size, "recipients");
            var one = list.ReadSequence();
            var rid = ReadRid(one);
            if (!one.TryReadPrimitiveOctetString(out var wrapped)) throw new AsnContentException();
            one.ThrowIfNotEmpty();
            keys.Add(new RecipientKey(rid, wrapped));
        }
        Demand(keys.Count > 0, "no recipient key");
        return new KeyAgreement(point, ukm, keys);
    }

    static ReadOnlyMemory<byte> ReadRid(AsnReader reader)
    {
        Demand(reader.PeekTag() == Asn1Tag.Sequence, "rid is not issuerAndSerialNumber");
        return reader.ReadEncodedValue();
    }

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.ManifestForm, detail);
    }

    static void DemandAlgorithm(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.Algorithm, detail);
    }
}
