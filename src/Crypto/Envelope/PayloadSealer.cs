using System.Security.Cryptography;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Envelope;

/// <summary>Documents in, ciphertext out, in one pass: each buffer that is digested is the one that is encrypted, so a file that changes meanwhile cannot differ.</summary>
static class PayloadSealer
{
    /// <param name="secret">Fresh; never used for another payload.</param>
    /// <returns>Length and root, and SHA-256 of each document in order.</returns>
    /// <exception cref="InvalidDataException">A document is shorter or longer than announced: nothing of this payload may be sent.</exception>
    public static async Task<(PayloadRef Payload, Digest[] Documents)> SealAsync(IReadOnlyList<DocumentSource> documents, int bucket, ReadOnlyMemory<byte> secret,
        Stream output, IProgress<long>? progress, CancellationToken cancel)
    {
        var length = Payload.PaddedLength(documents.Sum(d => d.Length), bucket);
        if (length > Payload.MaxLength) throw new RefusedException(Refusal.Size, "payload");
        var key = GC.AllocateArray<byte>(32, pinned: true);
        try
        {
            KeySchedule.PayloadKey(secret.Span, key);
            using var gcm = new ThreadLocal<AesGcm>(() => new AesGcm(key, Payload.TagLength), trackAllValues: true);
            using var reader = new DocumentReader(documents);
            using var digests = new DocumentDigests([.. documents.Select(d => d.Length)]);
            var tree = new SegmentTree();
            var done = 0L;
            try
            {
                await SegmentPipeline.RunAsync(length,
                    segment => reader.FillAsync(segment.Buffer.AsMemory(0, segment.Length), cancel),
                    segment => digests.Append(segment.Body),
                    segment => Encrypt(gcm.Value!, segment),
                    async segment =>
                    {
                        tree.Add(segment.Leaf);
                        await output.WriteSegmentAsync(segment.Wire, cancel);
                        progress?.Report(done += segment.Length);
                    }, cancel);
            }
            finally { foreach (var one in gcm.Values) one.Dispose(); }
            await reader.FinishAsync(cancel);
            return (new PayloadRef(length, tree.Root()), digests.Finish());
        }
        finally { CryptographicOperations.ZeroMemory(key); }
    }

    static void Encrypt(AesGcm gcm, Segment segment)
    {
        Span<byte> nonce = stackalloc byte[KeySchedule.NonceLength];
        KeySchedule.SegmentNonce(segment.Index, segment.Last, nonce);
        gcm.Encrypt(nonce, segment.Body, segment.Body, segment.Tag);
        segment.Leaf = SegmentTree.Leaf(segment.Wire.Span);
    }

    /// <summary>The documents as one run of bytes, then zeros without end. Each is opened once, read once, and must be as long as announced.</summary>
    sealed class DocumentReader(IReadOnlyList<DocumentSource> documents) : IDisposable
    {
        Stream? current;
        int opened;
        long left;

        public async ValueTask FillAsync(Memory<byte> buffer, CancellationToken cancel)
        {
            while (buffer.Length > 0 && await OpenNextAsync(cancel))
            {
                var want = (int)Math.Min(buffer.Length, left);
                var piece = buffer[..want];
                if (await current!.ReadSegmentAsync(piece, cancel) != want)
                    throw new InvalidDataException($"Document {opened} is shorter than announced.");
                left -= want;
                buffer = buffer[want..];
            }
            buffer.Span.Clear();
        }

        public async ValueTask FinishAsync(CancellationToken cancel)
        {
            if (await OpenNextAsync(cancel)) throw new InvalidOperationException("Documents are left over.");
        }

        /// <summary>False when all documents are read.</summary>
        async ValueTask<bool> OpenNextAsync(CancellationToken cancel)
        {
            while (current is null || left == 0)
            {
                if (current is not null)
                {
                    if (await current.ReadAsync(new byte[1], cancel) != 0)
                        throw new InvalidDataException($"Document {opened} is longer than announced.");
                    await current.DisposeAsync();
                    current = null;
                }
                if (opened == documents.Count) return false;
                left = documents[opened].Length;
                current = documents[opened++].Open();
            }
            return true;
        }

        public void Dispose() => current?.Dispose();
    }
}
