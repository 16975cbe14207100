using System.Formats.Asn1;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Trust;
using Manifests = Exchange.Crypto.Envelope.Manifest;

namespace Exchange.Crypto.Inspection;

/// <summary>A sealed manifest from the outside: for whom, by which algorithms, how long. No key is needed and none is touched.</summary>
static class ManifestInspection
{
    // Each says its key; a thousand are enough for any file that holds.
    const int MostShown = HeaderRules.MaxRecipients + 1;
    static readonly Asn1Tag Context0 = new(TagClass.ContextSpecific, 0, isConstructed: true), Context1 = new(TagClass.ContextSpecific, 1, isConstructed: true), Encrypted = new(TagClass.ContextSpecific, 0);

    /// <param name="ctx">What its recipients' keys are bound to; null: not known.</param>
    /// <param name="recipients">How many there have to be; null: not known.</param>
    public static InspectedPart Run(ReadOnlyMemory<byte> der, string name, long? offset, Digest? ctx, int? recipients, List<InspectedPart> parts)
    {
        var part = new InspectedPart(name, offset, der.Length);
        parts.Add(part);
        part.Says("sha256", Digest.Of(der.Span).ToString());
        AuthEnveloped? strict = null;
        part.Try("manifest", () => strict = AuthEnveloped.Decode(der, HeaderRules.MaxRecipients));
        part.Try("manifest", () => Loosely(der, part));
        // Its certificates stand in no file: that there are as many, each once, and what they are bound to can be said all the same.
        if (strict is not null) part.Try("manifest", () => part.Lacks(Manifests.Faults(strict, ctx, recipients is { } count ? new Certificate?[count] : null)));
        return part;
    }

    static void Loosely(ReadOnlyMemory<byte> der, InspectedPart part)
    {
        var type = LooseSigned.OuterType(der);
        if (type != Oids.AuthEnvelopedData) part.Lacks(Refusal.ManifestForm, "not AuthEnvelopedData");
        part.Says("type", type == Oids.AuthEnvelopedData ? "AuthEnvelopedData" : type ?? "?");
        var body = LooseSigned.Body(der);
        if (!body.TryReadInt32(out var version) || version != 0) part.Lacks(Refusal.ManifestForm, "version");
        if (body.PeekTag() == Context0)
        {
            part.Lacks(Refusal.ManifestForm, "originatorInfo");
            body.ReadEncodedValue();
        }
        Recipients(body.ReadSetOf(skipSortOrderValidation: true), part);
        part.Try("encryptedContentInfo", () => Content(body.ReadSequence(), part));
        if (body.HasData && body.PeekTag() == Context1)
        {
            part.Lacks(Refusal.ManifestForm, "authAttrs");
            body.ReadEncodedValue();
        }
        part.Try("mac", () =>
        {
            var tag = body.ReadOctetString();
            part.Says("tag bytes", tag.Length);
            if (tag.Length != AuthEnveloped.TagLength) part.Lacks(Refusal.Algorithm, "mac length");
        });
        if (body.HasData) part.Lacks(Refusal.ManifestForm, "unauthAttrs");
    }

    static void Recipients(AsnReader set, InspectedPart part)
    {
        var (infos, keys) = (0, 0);
        while (set.HasData)
        {
            infos++;
            var der = set.ReadEncodedValue();
            if (infos > MostShown) continue;
            var read = part.Try($"RecipientInfo {infos}", () =>
            {
                var info = AuthEnveloped.ReadRecipient(new AsnReader(der, AsnEncodingRules.DER), MostShown);
                part.Says("recipient info", info is KeyAgreement ? $"key agreement, ECDH P-384 {Oids.StdDhSha384Kdf}, AES-256 key wrap, {info.Keys.Count}" : "key transport, RSAES-OAEP SHA-256, 1");
                if (info is KeyAgreement { Ukm: { } ukm }) part.Says("bound to", Convert.ToHexStringLower(ukm.Span[..Math.Min(ukm.Length, Digest.Size)]));
                foreach (var key in info.Keys.Take(MostShown - keys)) part.Try("rid", () => part.Says("recipient key", Rid(key)));
                keys += info.Keys.Count;
            });
            if (!read) part.Says("recipient info", "unreadable");
        }
        part.Says("recipient infos", infos);
        part.Says("recipients", keys);
        if (infos == 0) part.Lacks(Refusal.ManifestForm, "no recipient");
    }

    static string Rid(RecipientKey key)
    {
        var rid = new AsnReader(key.Rid, AsnEncodingRules.BER).ReadSequence();
        var issuer = Org.BouncyCastle.Asn1.X509.X509Name.GetInstance(Nesting.Demand(rid.ReadEncodedValue()).ToArray()).ToString();
        return $"{Convert.ToHexStringLower(rid.ReadIntegerBytes().Span)} of {issuer}, {key.EncryptedKey.Length} bytes";
    }

    static void Content(AsnReader content, InspectedPart part)
    {
        if (content.ReadObjectIdentifier() != Oids.Data) part.Lacks(Refusal.ManifestForm, "inner type");
        var algorithm = content.ReadEncodedValue();
        var cipher = new AsnReader(algorithm, AsnEncodingRules.BER).ReadSequence().ReadObjectIdentifier();
        part.Says("cipher", cipher == Oids.Aes256Gcm ? "AES-256-GCM" : cipher);
        part.Try("GCMParameters", () => AuthEnveloped.ReadCipher(new AsnReader(algorithm, AsnEncodingRules.BER).ReadSequence()));
        if (!content.HasData)
        {
            part.Lacks(Refusal.ManifestForm, "no content");
            return;
        }
        var length = content.ReadOctetString(Encrypted).Length;
        part.Says("sealed bytes", length);
        if (length < Manifests.FrameUnit || length % Manifests.FrameUnit != 0) part.Lacks(Refusal.ManifestForm, "length of the frame");
    }
}
