using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;
using Org.BouncyCastle.Ocsp;
using Org.BouncyCastle.X509;

namespace Exchange.Crypto.Inspection;

/// <summary>One value by itself: which kind it is, and that kind's reading.</summary>
static class ValueInspection
{
    const int MostPem = 64;

    /// <returns>One of <see cref="InspectedKind"/>.</returns>
    public static string Read(ReadOnlyMemory<byte> bytes, List<InspectedPart> parts)
    {
        if (bytes.Span is [0x30, ..]) return Der(bytes, parts);
        if (IsNote(bytes.Span)) return Note(bytes, parts);
        if (Pem(bytes, parts) is { } kind) return kind;
        return Unknown(bytes, parts);
    }

    static string Der(ReadOnlyMemory<byte> der, List<InspectedPart> parts)
    {
        switch (LooseSigned.OuterType(der))
        {
            case Oids.AuthEnvelopedData:
                ManifestInspection.Run(der, "manifest", 0, null, null, parts);
                return InspectedKind.Manifest;
            case Oids.SignedData when InnerType(der) == Oids.TstInfo:
                TimeStampInspection.Run(der, "time-stamp", 0, null, parts);
                return InspectedKind.TimeStamp;
            case Oids.SignedData:
                StatementInspection.Run(der, "statement", 0, null, parts);
                return InspectedKind.Statement;
        }
        // These have no type of their own: whichever can be read it is.
        var before = parts.Count;
        if (CertificateInspection.Run(der, "certificate", 0, parts) is not null) return InspectedKind.Certificates;
        if (Instead(parts, before, () => Crl(der, "revocation list", parts))) return InspectedKind.Crl;
        if (Instead(parts, before, () => Ocsp(der, parts))) return InspectedKind.Ocsp;
        parts.RemoveRange(before, parts.Count - before);
        return Unknown(der, parts);
    }

    static bool Instead(List<InspectedPart> parts, int before, Func<bool> read)
    {
        parts.RemoveRange(before, parts.Count - before);
        return read();
    }

    static string? InnerType(ReadOnlyMemory<byte> der)
    {
        try { return LooseSigned.Read(der).ContentType; }
        catch (AsnContentException) { return null; }
    }

    static bool Crl(ReadOnlyMemory<byte> der, string name, List<InspectedPart> parts)
    {
        var part = new InspectedPart(name, 0, der.Length);
        parts.Add(part);
        return part.Try("CRL", () =>
        {
            var crl = new X509Crl(Nesting.Demand(der).ToArray());
            part.Says("issuer", crl.IssuerDN.ToString());
            part.Says("this update", Utc(crl.ThisUpdate));
            if (crl.NextUpdate is { } next) part.Says("next update", Utc(next));
            else part.Lacks(Refusal.RevocationUnknown, "CRL without nextUpdate");
            part.Says("entries", crl.GetRevokedCertificates()?.Count ?? 0);
            part.Says("signature algorithm", crl.SigAlgOid);
            if (crl.GetExtensionValue(Org.BouncyCastle.Asn1.X509.X509Extensions.CrlNumber) is { } number) part.Says("number", new AsnReader(number.GetOctets(), AsnEncodingRules.DER).ReadInteger().ToString(CultureInfo.InvariantCulture));
            else part.Lacks(Refusal.RevocationUnknown, "CRL without a number");
            if (!crl.GetEncoded().AsSpan().SequenceEqual(der.Span)) part.Lacks(Refusal.Der, "CRL");
        });
    }

    static bool Ocsp(ReadOnlyMemory<byte> der, List<InspectedPart> parts)
    {
        var part = new InspectedPart("OCSP response", 0, der.Length);
        parts.Add(part);
        if (der.Length > OcspResponse.MaxBytes) return false;
        return part.Try("OCSP response", () =>
        {
            // SEQUENCE { status, [0] { SEQUENCE { type, OCTET STRING response } } }: the inner value is parsed by itself.
            var outer = new AsnReader(Nesting.Demand(der), AsnEncodingRules.DER).ReadSequence();
            outer.ReadEncodedValue();
            if (outer.HasData)
            {
                var body = outer.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true)).ReadSequence();
                body.ReadObjectIdentifier();
                Nesting.Demand(body.ReadOctetString());
            }
            var basic = OcspResponse.Basic(der.ToArray());
            part.Says("produced at", Utc(basic.ProducedAt));
            foreach (var answer in basic.Responses)
                part.Says("answer", $"{answer.GetCertID().SerialNumber.ToString(16)}: {answer.GetCertStatus() switch { null => "good", RevokedStatus => "revoked", _ => "unknown" }}");
        });
    }

    static DateTimeOffset Utc(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));

    static bool IsNote(ReadOnlySpan<byte> bytes) => bytes.Length <= SignedNote.MaxBytes && bytes.IndexOf("\n\n— "u8) > 0;

    static string Note(ReadOnlyMemory<byte> bytes, List<InspectedPart> parts)
    {
        var part = new InspectedPart("note", 0, bytes.Length);
        parts.Add(part);
        part.Try("note", () =>
        {
            var (text, lines) = SignedNote.Split(bytes.Span);
            foreach (var line in text.TrimEnd('\n').Split('\n').Take(10)) part.Says("text", line);
            foreach (var line in lines)
                part.Try("signature line", () =>
                {
                    var signature = SignedNote.ParseLine(line);
                    part.Says("signed by", $"{signature.Name}+{signature.KeyId:x8}");
                });
            part.Try("checkpoint", () =>
            {
                var checkpoint = Checkpoint.Parse(text, text.Split('\n')[0]);
                part.Says("ledger size", checkpoint.Size);
                part.Says("root", checkpoint.Root.ToString());
            });
        });
        return InspectedKind.Note;
    }

    static string? Pem(ReadOnlyMemory<byte> bytes, List<InspectedPart> parts)
    {
        if (bytes.Length > 1 << 20 || bytes.Span.IndexOf("-----BEGIN "u8) < 0) return null;
        var text = Encoding.ASCII.GetString(bytes.Span).AsSpan();
        string? kind = null;
        for (var i = 1; i <= MostPem && PemEncoding.TryFind(text, out var block); i++)
        {
            var der = Convert.FromBase64String(text[block.Base64Data].ToString());
            switch (text[block.Label])
            {
                case "CERTIFICATE":
                    CertificateInspection.Run(der, $"certificate {i}", null, parts);
                    kind = InspectedKind.Certificates;
                    break;
                case "X509 CRL":
                    Crl(der, $"revocation list {i}", parts);
                    kind = InspectedKind.Crl;
                    break;
            }
            text = text[block.Location.End..];
        }
        return kind;
    }

    static string Unknown(ReadOnlyMemory<byte> bytes, List<InspectedPart> parts)
    {
        var part = new InspectedPart("file", 0, bytes.Length);
        part.Says("looks like", Looks(bytes.Span));
        part.Lacks(Refusal.Der, "none of the kinds that are read here");
        parts.Add(part);
        return InspectedKind.Unknown;
    }

    static string Looks(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [] => "nothing",
        [0x25, 0x50, 0x44, 0x46, 0x2d, ..] => "PDF",
        [0x50, 0x4b, 0x03, 0x04, ..] => "ZIP, or an office document",
        [0x30, ..] => "DER of another kind, or cut short",
        [0x89, 0x50, 0x4e, 0x47, ..] or [0xff, 0xd8, 0xff, ..] => "a picture",
        [(byte)'{' or (byte)'[', ..] => "JSON",
        [(byte)'<', ..] or [0xef, 0xbb, 0xbf, (byte)'<', ..] => "XML",
        _ when bytes.IndexOf("-----BEGIN "u8) >= 0 => "PEM of another kind",
        _ when !bytes[..Math.Min(bytes.Length, 4096)].ContainsAnyInRange((byte)0, (byte)8) => "text",
        _ => "binary data",
    };
}
