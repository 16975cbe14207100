using System.Formats.Asn1;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;

namespace Exchange.Office;

/// <param name="Kind">"statement", "manifest" or "envelope".</param>
/// <param name="Manifest">SHA-256 of the manifest.</param>
sealed record SealedFile(string File, string Kind, long Bytes, IReadOnlyList<Statement> Statements, Digest? Manifest, EnvelopeParts? Parts, long? PayloadBytes)
{
    const string AuthEnvelopedData = "1.2.840.113549.1.9.16.1.23";
    const int MaxStatement = EnvelopeParts.MaxManifest;

    /// <summary>Form and signatures over it; nothing about who signed.</summary>
    public static async Task<SealedFile> ReadAsync(string path, CancellationToken cancel)
    {
        if (!System.IO.File.Exists(path)) throw new RefusedException(Refusal.NotFound, $"no file {path}");
        await using var stream = System.IO.File.OpenRead(path);
        var length = stream.Length;
        var start = new byte[(int)Math.Min(length, 256)];
        await stream.ReadExactlyAsync(start, cancel).ConfigureAwait(false);
        stream.Position = 0;
        if (FirstValue(start) < length)
        {
            var parts = await EnvelopeFile.ReadPartsAsync(stream, cancel).ConfigureAwait(false);
            Statement[] statements = [Statement.Read(parts.Header, StatementType.Header), .. parts.Approvals.Select(a => Statement.Read(a, StatementType.Approval))];
            return new SealedFile(path, "envelope", length, statements, Digest.Of(parts.Manifest.Span), parts, length - stream.Position);
        }
        if (length > MaxStatement) throw new RefusedException(Refusal.Size, path);
        var bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes, cancel).ConfigureAwait(false);
        return IsManifest(bytes) ? new SealedFile(path, "manifest", length, [], Digest.Of(bytes), null, null)
            : new SealedFile(path, "statement", length, [Statement.ReadAny(bytes)], null, null, null);
    }

    // Bytes of the DER value that the file begins with. Long.MaxValue: not even a value, so not an envelope either.
    static long FirstValue(byte[] start)
    {
        try
        {
            return AsnDecoder.TryReadEncodedValue(start, AsnEncodingRules.DER, out _, out _, out _, out var consumed) ? consumed : Announced(start);
        }
        catch (AsnContentException) { return long.MaxValue; }
    }

    static long Announced(byte[] start)
    {
        if (start.Length < 6 || start[0] != 0x30 || start[1] is < 0x81 or > 0x84) return long.MaxValue;
        long length = 0;
        for (var i = 0; i < start[1] - 0x80; i++) length = (length << 8) | start[2 + i];
        return length + 2 + (start[1] - 0x80);
    }

    static bool IsManifest(byte[] bytes)
    {
        try { return new AsnReader(bytes, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier() == AuthEnvelopedData; }
        catch (AsnContentException) { return false; }
    }
}
