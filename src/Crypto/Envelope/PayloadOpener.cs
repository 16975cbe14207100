using System.Security.Cryptography;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Envelope;

/// <summary>Where opened bytes go while nothing is released yet. Called in order, on one flow.</summary>
interface IPlaintextSink
{
    ValueTask WriteAsync(ReadOnlyMemory<byte> plaintext, CancellationToken cancel);
}

/// <summary>Ciphertext in, plaintext out in order. Tags first, root at the end: the sink holds back what it got until this returned.</summary>
static class PayloadOpener
{
    /// <param name="root">null: a payload whose root nobody signed; its tags alone hold it.</param>
    /// <exception cref="RefusedException">
    /// <see cref="Refusal.PayloadLength"/>, <see cref="Refusal.PayloadRoot"/>: changed on the way. <see cref="Refusal.CannotOpen"/>: these are the bytes that
    /// the header was signed with, but they were not encrypted under its secret.
    /// </exception>
    public static async Task OpenAsync(Stream wire, long length, Digest? root, ReadOnlyMemory<byte> secret, IPlaintextSink sink, IProgress<long>? progress,
        CancellationToken cancel)
    {
        var key = GC.AllocateArray<byte>(32, pinned: true);
        try
        {
            KeySchedule.PayloadKey(secret.Span, key);
            using var gcm = new ThreadLocal<AesGcm>(() => new AesGcm(key, Payload.TagLength), trackAllValues: true);
            var tree = new SegmentTree();
            var done = 0L;
            var bad = false;
            try
            {
                await SegmentPipeline.RunAsync(length,
                    segment => Payload.ReadSegmentAsync(wire, segment, cancel),
                    null,
                    segment => Decrypt(gcm.Value!, segment),
                    async segment =>
                    {
                        tree.Add(segment.Leaf);
                        // After a bad tag the rest is only hashed, to tell whose fault it is.
                        bad |= segment.Bad;
                        if (!bad) await sink.WriteAsync(segment.Buffer.AsMemory(0, segment.Length), cancel);
                        progress?.Report(done += segment.Length);
                    }, cancel);
            }
            finally { foreach (var one in gcm.Values) one.Dispose(); }
            await Payload.DemandEndAsync(wire, cancel);
            if (root is { } expected && tree.Root() != expected) throw new RefusedException(Refusal.PayloadRoot);
            if (bad) throw new RefusedException(Refusal.CannotOpen);
        }
        finally { CryptographicOperations.ZeroMemory(key); }
    }

    static void Decrypt(AesGcm gcm, Segment segment)
    {
        Span<byte> nonce = stackalloc byte[KeySchedule.NonceLength];
        KeySchedule.SegmentNonce(segment.Index, segment.Last, nonce);
        segment.Leaf = SegmentTree.Leaf(segment.Wire.Span);
        try { gcm.Decrypt(nonce, segment.Body, segment.Tag, segment.Body); }
        catch (AuthenticationTagMismatchException) { segment.Bad = true; }
    }
}
