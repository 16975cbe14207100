using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Envelope;

/// <summary>Segments of 2^20 bytes, AES-256-GCM each, under an RFC 9162 tree. This half needs no key: sizes and roots.</summary>
public static class Payload
{
    public const int SegmentLength = 1 << 20;
    public const int TagLength = 16;
    public const long MaxLength = 1L << 40;

    /// <summary>max(1, ⌈length / 2^20⌉).</summary>
    public static long Segments(long length) => Math.Max(1, (length + SegmentLength - 1) / SegmentLength);

    /// <summary>Bytes on the wire: length + 16 per segment.</summary>
    public static long WireLength(long length) => length + TagLength * Segments(length);

    /// <summary>Reads exactly the wire length from the stream, hashing segments on all cores, and compares the root. Optionally copies what it reads.</summary>
    /// <returns>Nothing; the payload is then the one the header names.</returns>
    /// <exception cref="RefusedException"><see cref="Refusal.PayloadLength"/> (short, or a byte too many), <see cref="Refusal.PayloadRoot"/>.</exception>
    public static Task VerifyAsync(Stream wire, PayloadRef expected, Stream? copyTo, IProgress<long>? progress, CancellationToken cancel) => throw new NotImplementedException();
}
