using System.Buffers;
using System.Text;
using MimeKit;
using MimeKit.Encodings;

namespace Exchange.Adapters.Mail;

/// <summary>What of a mail goes to the gateway: attachments by the ending of their names, and reports.</summary>
static class MailParts
{
    const int MaxItems = 16, MaxName = 64, Piece = 64 << 10;

    /// <summary>The parts that call themselves something of ours, in their order.</summary>
    /// <returns>Empty: nothing of ours is in it.</returns>
    public static IReadOnlyList<(MailPart Part, BroughtKind Kind, string Name)> Of(ScannedMail mail)
    {
        var found = mail.Parts.Select(p => (Part: p, Kind: KindOf(p), Name: NameOf(p.Name))).Where(p => p.Kind is not null).Select(p => (p.Part, p.Kind!.Value, p.Name)).ToList();
        // A report returns what it is about: only what it says counts.
        if (found.FirstOrDefault(p => p.Value == BroughtKind.Report) is { Part: not null } report) return [report];
        return found.Count <= MaxItems ? found : [];
    }

    static BroughtKind? KindOf(MailPart part)
    {
        if (part.Type == "message/delivery-status") return BroughtKind.Report;
        if (part.Type.StartsWith("message/", StringComparison.Ordinal) || Decoder(part.Encoding) is null) return null;
        var name = part.Name.ToLowerInvariant();
        if (name.EndsWith(".bin", StringComparison.Ordinal) || name.EndsWith(".exd", StringComparison.Ordinal)) return BroughtKind.Envelope;
        // smime.p7s is the signature of the mail itself, of which nothing depends here.
        return name.EndsWith(".p7s", StringComparison.Ordinal) && name != "smime.p7s" ? BroughtKind.Receipt : null;
    }

    static string NameOf(string name)
    {
        var neutral = new string([.. name.Where(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-')]);
        return neutral.Length > MaxName ? neutral[^MaxName..] : neutral;
    }

    /// <summary>The decoded bytes of a part, into another file.</summary>
    public static async Task DecodeAsync(Stream mail, MailPart part, Stream into, CancellationToken cancel)
    {
        var decoder = Decoder(part.Encoding)!;
        var (source, decoded) = (ArrayPool<byte>.Shared.Rent(Piece), Array.Empty<byte>());
        try
        {
            mail.Position = part.Offset;
            for (var left = part.Length; left > 0;)
            {
                var read = await mail.ReadAsync(source.AsMemory(0, (int)Math.Min(Piece, left)), cancel).ConfigureAwait(false);
                if (read == 0) break;
                left -= read;
                if (decoder.EstimateOutputLength(read) is var most && decoded.Length < most) decoded = new byte[most];
                await into.WriteAsync(decoded.AsMemory(0, decoder.Decode(source, 0, read, decoded)), cancel).ConfigureAwait(false);
            }
            into.Position = 0;
        }
        finally { ArrayPool<byte>.Shared.Return(source); }
    }

    /// <summary>The beginning of a part as text, no longer than a report may be.</summary>
    public static async Task<string> TextAsync(Stream mail, MailPart part, CancellationToken cancel)
    {
        using var text = new MemoryStream();
        await DecodeAsync(mail, part with { Length = Math.Min(part.Length, MailReport.MaxBytes), Encoding = Decoder(part.Encoding) is null ? "8bit" : part.Encoding }, text, cancel).ConfigureAwait(false);
        return Encoding.Latin1.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    static IMimeDecoder? Decoder(string encoding) => encoding switch
    {
        "base64" => new Base64Decoder(),
        "quoted-printable" => new QuotedPrintableDecoder(),
        "7bit" or "8bit" or "binary" => new PassThroughDecoder(ContentEncoding.Binary),
        _ => null,
    };
}
