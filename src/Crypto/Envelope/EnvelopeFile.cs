using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Envelope;

/// <summary>A header that nobody has verified.</summary>
/// <param name="Ctx">Its ref.</param>
public sealed record PeekedHeader(Header Header, Digest Ctx);

/// <summary>The one-file form: header ‖ approvals ‖ manifest ‖ payload, concatenated. Each part but the payload is one DER value and ends itself.</summary>
public static class EnvelopeFile
{
    public const string MediaType = "application/vnd.exchange.envelope";

    /// <summary>Reads the parts; the stream then stands at the first byte of the payload. The number of approvals comes from the (not yet verified) header.</summary>
    /// <exception cref="RefusedException">Der, Size, Json …</exception>
    public static async Task<EnvelopeParts> ReadPartsAsync(Stream stream, CancellationToken cancel) => (await ReadAsync(stream, cancel)).Parts;

    /// <summary>As the other, with what it has peeked at on the way.</summary>
    public static async Task<(EnvelopeParts Parts, PeekedHeader Claimed)> ReadAsync(Stream stream, CancellationToken cancel)
    {
        var header = await ReadPartAsync(stream, EnvelopeParts.MaxHeader, cancel);
        var claimed = Peek(header);
        var count = claimed.Header.Approvals.Length;
        if (count > EnvelopeParts.MaxApprovals) throw new RefusedException(Refusal.Size, "approvals");
        var approvals = new List<ReadOnlyMemory<byte>>(count);
        for (var i = 0; i < count; i++) approvals.Add(await ReadPartAsync(stream, EnvelopeParts.MaxApproval, cancel));
        return (new EnvelopeParts(header, approvals, await ReadPartAsync(stream, EnvelopeParts.MaxManifest, cancel)), claimed);
    }

    /// <summary>Header as JSON record without any check but form: for routing and display before verification. Never decide on it.</summary>
    /// <exception cref="RefusedException">Der, StatementType, Json …</exception>
    public static Header PeekUnverified(ReadOnlyMemory<byte> header) => Peek(header).Header;

    static PeekedHeader Peek(ReadOnlyMemory<byte> header)
    {
        var data = SignedData.Decode(header, maxSigners: 1);
        if (data.ContentType != Oids.ContentType(StatementType.Header)) throw new RefusedException(Refusal.StatementType, "not a header");
        return new((Header)StatementKind.Of(StatementType.Header).Read(data.Content.Span), Digest.Of(data.Content.Span));
    }

    /// <summary>The parts' bytes, without the payload.</summary>
    public static byte[] Write(EnvelopeParts parts)
    {
        var bytes = new byte[PartsLength(parts)];
        var at = 0;
        foreach (var part in (ReadOnlyMemory<byte>[])[parts.Header, .. parts.Approvals, parts.Manifest])
        {
            part.Span.CopyTo(bytes.AsSpan(at));
            at += part.Length;
        }
        return bytes;
    }

    /// <summary>Length of the whole file form: the parts and the payload on the wire.</summary>
    public static long Length(EnvelopeParts parts, PayloadRef? payload) => PartsLength(parts) + (payload is null ? 0 : Payload.WireLength(payload.Length));

    /// <summary>Writes bytes [offset, offset + length) of the file form; the payload is only touched where the range reaches it.</summary>
    /// <param name="payload">Seekable, the wire bytes.</param>
    public static async Task CopyRangeAsync(EnvelopeParts parts, Stream payload, long offset, long length, Stream output, CancellationToken cancel)
    {
        var head = PartsLength(parts);
        if (offset < 0 || length < 0 || offset + length > head + payload.Length) throw new ArgumentOutOfRangeException(nameof(offset));
        if (offset < head)
        {
            var piece = Write(parts).AsMemory((int)offset, (int)Math.Min(length, head - offset));
            await output.WriteAsync(piece, cancel);
            offset += piece.Length;
            length -= piece.Length;
        }
        if (length == 0) return;
        payload.Position = offset - head;
        var buffer = new byte[1 << 17];
        while (length > 0)
        {
            var piece = buffer.AsMemory(0, (int)Math.Min(buffer.Length, length));
            await payload.ReadExactlyAsync(piece, cancel);
            await output.WriteAsync(piece, cancel);
            length -= piece.Length;
        }
    }

    static int PartsLength(EnvelopeParts parts) => parts.Header.Length + parts.Approvals.Sum(a => a.Length) + parts.Manifest.Length;

    /// <summary>One DER SEQUENCE of bounded length; not a byte more is taken from the stream.</summary>
    internal static async Task<byte[]> ReadPartAsync(Stream stream, int max, CancellationToken cancel)
    {
        // X.690 8.1.3, 10.1: 30, then a length below 80, or 8n and n bytes, the fewest that do. Four bytes cover every limit here.
        var head = new byte[6];
        await ReadAsync(stream, head.AsMemory(0, 2), cancel);
        if (head[0] != 0x30) throw new RefusedException(Refusal.Der, "a part does not start with a SEQUENCE");
        var extra = head[1] < 0x80 ? 0 : head[1] & 0x7f;
        if (head[1] == 0x80 || extra > 4) throw new RefusedException(Refusal.Der, "length of a part");
        await ReadAsync(stream, head.AsMemory(2, extra), cancel);
        long length = extra == 0 ? head[1] : 0;
        for (var i = 0; i < extra; i++) length = length << 8 | head[2 + i];
        if (extra > 0 && (head[2] == 0 || length < 0x80)) throw new RefusedException(Refusal.Der, "length of a part is not minimal");
        if (2 + extra + length > max) throw new RefusedException(Refusal.Size, "part");
        var part = new byte[2 + extra + length];
        head.AsSpan(0, 2 + extra).CopyTo(part);
        await ReadAsync(stream, part.AsMemory(2 + extra), cancel);
        return part;
    }

    static async Task ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancel)
    {
        if (await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel) != buffer.Length)
            throw new RefusedException(Refusal.Der, "bytes are missing");
    }
}
