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

    /// <summary>The smallest multiple of the bucket that is not below the length; nothing stays nothing.</summary>
    public static long PaddedLength(long length, int bucket) => (length + bucket - 1) / bucket * bucket;

    /// <summary>Reads exactly the wire length from the stream, hashing segments on all cores, and compares the root. Optionally copies what it reads.</summary>
    /// <returns>Nothing; the payload is then the one the header names.</returns>
    /// <exception cref="RefusedException"><see cref="Refusal.PayloadLength"/> (short, or a byte too many), <see cref="Refusal.PayloadRoot"/>.</exception>
    public static async Task VerifyAsync(Stream wire, PayloadRef expected, Stream? copyTo, IProgress<long>? progress, CancellationToken cancel)
    {
        var tree = new SegmentTree();
        var done = 0L;
        await SegmentPipeline.RunAsync(expected.Length,
            segment => ReadSegmentAsync(wire, segment, cancel),
            null,
            segment => segment.Leaf = SegmentTree.Leaf(segment.Wire.Span),
            async segment =>
            {
                tree.Add(segment.Leaf);
                if (copyTo is not null) await copyTo.WriteSegmentAsync(segment.Wire, cancel);
                progress?.Report(done += segment.Length);
            }, cancel);
        await DemandEndAsync(wire, cancel);
        if (tree.Root() != expected.Root) throw new RefusedException(Refusal.PayloadRoot);
    }

    /// <summary>Where a segment begins on the wire; at the number of segments: the wire length.</summary>
    public static long WireOffset(long length, long segment) => segment >= Segments(length) ? WireLength(length) : segment * (SegmentLength + TagLength);

    /// <summary>
    /// For a transfer in several goes: takes the segments from <paramref name="first"/> on as long as whole ones come, hashing on all cores, and hands each with its
    /// leaf to <paramref name="keep"/>, in order. A segment that breaks off is dropped; the leaves lead to the root by <see cref="RootOf"/>.
    /// </summary>
    /// <returns>What ended the wire early; null: it ended by itself, or everything has come.</returns>
    public static async Task<Exception?> TakeInAsync(Stream wire, long length, long first, Func<ReadOnlyMemory<byte>, Digest, ValueTask> keep, CancellationToken cancel)
    {
        Exception? broken = null;
        await SegmentPipeline.RunAsync(length, first,
            async segment =>
            {
                try { return await wire.ReadSegmentAsync(segment.Wire, cancel) == segment.Wire.Length; }
                catch (Exception e)
                {
                    // However the line broke: what came before it is whole, and is kept.
                    broken = e;
                    return false;
                }
            },
            null,
            segment => segment.Leaf = SegmentTree.Leaf(segment.Wire.Span),
            segment => keep(segment.Wire, segment.Leaf), CancellationToken.None);
        return broken;
    }

    /// <summary>Root over all leaves of a payload.</summary>
    public static Digest RootOf(IEnumerable<Digest> leaves)
    {
        var tree = new SegmentTree();
        foreach (var leaf in leaves) tree.Add(leaf);
        return tree.Root();
    }

    internal static async ValueTask ReadSegmentAsync(Stream wire, Segment segment, CancellationToken cancel)
    {
        if (await wire.ReadSegmentAsync(segment.Wire, cancel) != segment.Wire.Length)
            throw new RefusedException(Refusal.PayloadLength, "short");
    }

    /// <summary>Nothing may follow.</summary>
    internal static async Task DemandEndAsync(Stream wire, CancellationToken cancel)
    {
        if (await wire.ReadAsync(new byte[1], cancel) != 0) throw new RefusedException(Refusal.PayloadLength, "bytes left over");
    }
}
