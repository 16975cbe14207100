using System.Text;
using MimeKit;

namespace Exchange.Adapters.Mail;

/// <summary>A part that has no parts, by where it lies in the mail's file.</summary>
/// <param name="Type">Media type in small letters.</param>
/// <param name="Name">As the mail says; "": it has none.</param>
/// <param name="Encoding">Content-Transfer-Encoding in small letters.</param>
sealed record MailPart(string Type, string Name, string Encoding, long Offset, long Length);

/// <summary>What of a mail is looked at.</summary>
sealed record ScannedMail(IReadOnlyDictionary<string, string> Header, IReadOnlyList<MailPart> Parts);

/// <summary>
/// The shape of a mail (RFC 5322, RFC 2046) in one pass over its file and in bounded memory. A parser that builds a tree holds as many headers and parts as a stranger cares to send; this one gives up
/// beyond what any mail of ours has, and the mail goes to quarantine. An attached mail is one part: nothing in it is looked for.
/// </summary>
sealed class MailScan
{
    const int MaxHeader = 64 << 10, MaxDepth = 8, MaxParts = 100, MaxBoundary = 70;
    static readonly string[] Wanted = ["content-type", "content-disposition", "content-transfer-encoding", "message-id", "auto-submitted", "from"];
    readonly List<byte[]> boundaries = [];
    readonly List<MailPart> parts = [];
    readonly StringBuilder header = new();
    Dictionary<string, string>? top;
    State state = State.Header;
    (string Type, string Name, string Encoding) open;
    long bodyAt;
    int begun = 1;

    enum State { Header, Leaf, Between }

    /// <returns>null: not a shape that is taken.</returns>
    public static async Task<ScannedMail?> ReadAsync(Stream mail, CancellationToken cancel)
    {
        var (scan, lines) = (new MailScan(), new MailLines(mail));
        while (await lines.NextAsync(cancel).ConfigureAwait(false))
            if (!scan.Take(lines)) return null;
        // A mail that ends inside a header, or without its last boundary, was cut off.
        if (scan.boundaries.Count > 0 || scan.state == State.Header) return null;
        if (scan.state == State.Leaf) scan.Close(mail.Length);
        return scan.top is { } top ? new ScannedMail(top, scan.parts) : null;
    }

    /// <returns>false: give up.</returns>
    bool Take(MailLines line)
    {
        if (line.IsStart && Boundary(line.Text) is { } at)
        {
            if (state == State.Leaf) Close(line.Offset - line.EndBefore);
            // The boundary of an outer one ends whatever of the inner ones was not ended.
            boundaries.RemoveRange(at.Level + (at.IsLast ? 0 : 1), boundaries.Count - at.Level - (at.IsLast ? 0 : 1));
            state = at.IsLast ? State.Between : State.Header;
            header.Clear();
            return at.IsLast || ++begun <= MaxParts;
        }
        if (state != State.Header) return true;
        if (line.IsStart && line.IsWhole && line.Text.IsEmpty) return EndHeader(line.Offset + line.EndLength);
        header.Append(Encoding.Latin1.GetString(line.Text));
        if (line.IsWhole) header.Append('\n');
        return header.Length <= MaxHeader;
    }

    (int Level, bool IsLast)? Boundary(ReadOnlySpan<byte> text)
    {
        if (!text.StartsWith("--"u8)) return null;
        for (var i = boundaries.Count - 1; i >= 0; i--)
            if (text[2..].StartsWith(boundaries[i]) && text[(2 + boundaries[i].Length)..].TrimEnd(" \t"u8) is var rest && (rest.IsEmpty || rest.SequenceEqual("--"u8)))
                return (i, !rest.IsEmpty);
        return null;
    }

    bool EndHeader(long bodyBegins)
    {
        if (Fields(header.ToString()) is not { } fields) return false;
        top ??= fields;
        var type = ContentType.TryParse(fields.GetValueOrDefault("content-type") ?? "text/plain", out var parsed) ? parsed : new ContentType("application", "x-unreadable");
        if (type.IsMimeType("multipart", "*"))
        {
            if (boundaries.Count == MaxDepth || type.Boundary is not { Length: > 0 and <= MaxBoundary } boundary || !Ascii.IsValid(boundary)) return false;
            boundaries.Add(Encoding.ASCII.GetBytes(boundary.TrimEnd()));
            state = State.Between;
            return true;
        }
        var disposition = ContentDisposition.TryParse(fields.GetValueOrDefault("content-disposition") ?? "", out var found) ? found : null;
        open = (type.MimeType.ToLowerInvariant(), disposition?.FileName ?? type.Name ?? "", fields.GetValueOrDefault("content-transfer-encoding", "7bit").ToLowerInvariant());
        (bodyAt, state) = (bodyBegins, State.Leaf);
        return true;
    }

    void Close(long end) => parts.Add(new MailPart(open.Type, open.Name, open.Encoding, bodyAt, Math.Max(0, end - bodyAt)));

    /// <summary>The wanted fields, unfolded.</summary>
    /// <returns>null: one of them stands there twice, and nobody knows which one counts.</returns>
    public static Dictionary<string, string>? Fields(string header, params IReadOnlyCollection<string> wanted)
    {
        if (wanted.Count == 0) wanted = Wanted;
        Dictionary<string, StringBuilder> fields = new(StringComparer.Ordinal);
        StringBuilder? open = null;
        foreach (var range in header.AsSpan().Split('\n'))
        {
            var text = header.AsSpan(range).TrimEnd('\r');
            if (text.Length > 0 && text[0] is ' ' or '\t')
            {
                open?.Append(' ').Append(text.Trim());
                continue;
            }
            open = null;
            var colon = text.IndexOf(':');
            if (colon <= 0 || text[..colon].Trim().ToString().ToLowerInvariant() is var name && !wanted.Contains(name)) continue;
            if (!fields.TryAdd(name, open = new StringBuilder().Append(text[(colon + 1)..].Trim()))) return null;
        }
        return fields.ToDictionary(f => f.Key, f => f.Value.ToString(), StringComparer.Ordinal);
    }
}
