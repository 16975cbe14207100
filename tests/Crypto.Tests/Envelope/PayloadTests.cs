using System.Security.Cryptography;
using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;

namespace Exchange.Tests.Envelope;

public class PayloadTests
{
    const int Mi = 1 << 20;
    static readonly byte[] Secret = RandomNumberGenerator.GetBytes(32);

    sealed class Sink : IPlaintextSink, IDisposable
    {
        public void Dispose() => Bytes.Dispose();
        public readonly MemoryStream Bytes = new();
        public ValueTask WriteAsync(ReadOnlyMemory<byte> plaintext, CancellationToken cancel) => Bytes.WriteAsync(plaintext, cancel);
    }

    static DocumentSource Source(byte[] bytes, long? announced = null) =>
        new("a.bin", "application/octet-stream", announced ?? bytes.Length, null, () => new MemoryStream(bytes));

    static async Task<(byte[] Wire, PayloadRef Payload, Digest[] Documents)> Seal(int bucket, params byte[][] documents)
    {
        var wire = new MemoryStream();
        var (payload, digests) = await PayloadSealer.SealAsync([.. documents.Select(d => Source(d))], bucket, Secret, wire, null, default);
        return (wire.ToArray(), payload, digests);
    }

    static async Task<byte[]> Open(byte[] wire, PayloadRef payload, byte[]? secret = null)
    {
        var sink = new Sink();
        await PayloadOpener.OpenAsync(new MemoryStream(wire), payload.Length, payload.Root, secret ?? Secret, sink, null, default);
        return sink.Bytes.ToArray();
    }

    static Task Verify(byte[] wire, PayloadRef payload) => Payload.VerifyAsync(new MemoryStream(wire), payload, null, null, default);

    static async Task Refused(Refusal expected, Task task) => Assert.Equal(expected, (await Assert.ThrowsAsync<RefusedException>(() => task)).Refusal);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Mi - 1)]
    [InlineData(Mi)]
    [InlineData(Mi + 1)]
    [InlineData(9 * Mi)]
    [InlineData(9 * Mi + 12345)]
    public async Task Payload_comes_back_at_every_edge_of_a_segment(int size)
    {
        var document = RandomNumberGenerator.GetBytes(size);
        var (wire, payload, digests) = await Seal(1, document);
        Assert.Equal(size, payload.Length);
        Assert.Equal(Payload.WireLength(size), wire.Length);
        Assert.Equal(Digest.Of(document), Assert.Single(digests));
        await Verify(wire, payload);
        Assert.Equal(document, await Open(wire, payload));
    }

    // The format said once more, the slow way: whatever the pipeline does, these are the bytes.
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(Mi)]
    [InlineData(3 * Mi + 7)]
    public async Task Wire_bytes_and_root_are_those_of_the_definition(int size)
    {
        var document = RandomNumberGenerator.GetBytes(size);
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Secret, 32, [], "exchange/v1/payload"u8.ToArray());
        using var gcm = new AesGcm(key, 16);
        var expected = new MemoryStream();
        var leaves = new List<byte[]>();
        var count = Math.Max(1, (size + Mi - 1) / Mi);
        for (var i = 0; i < count; i++)
        {
            var plain = document.AsSpan(i * Mi, Math.Min(Mi, size - i * Mi));
            var segment = new byte[plain.Length + 16];
            var nonce = new byte[12];
            nonce[10] = (byte)i;
            nonce[11] = i == count - 1 ? (byte)1 : (byte)0;
            gcm.Encrypt(nonce, plain, segment.AsSpan(0, plain.Length), segment.AsSpan(plain.Length));
            expected.Write(segment);
            leaves.Add(SHA256.HashData([0, .. segment]));
        }
        var (wire, payload, _) = await Seal(1, document);
        Assert.Equal(expected.ToArray(), wire);
        Assert.Equal(new Digest(Root(leaves)), payload.Root);
    }

    // RFC 9162 2.1.1, recursively.
    static byte[] Root(List<byte[]> leaves)
    {
        if (leaves.Count == 1) return leaves[0];
        var k = 1;
        while (k * 2 < leaves.Count) k *= 2;
        return SHA256.HashData([1, .. Root(leaves[..k]), .. Root(leaves[k..])]);
    }

    [Fact]
    public void Tree_agrees_with_the_recursive_definition_for_every_count()
    {
        var leaves = new List<byte[]>();
        var tree = new SegmentTree();
        for (var i = 0; i < 130; i++)
        {
            leaves.Add(SHA256.HashData([(byte)i]));
            tree.Add(new Digest(leaves[^1]));
            Assert.Equal(new Digest(Root(leaves)), tree.Root());
        }
    }

    [Fact]
    public Task Documents_of_any_sizes_come_back_in_any_bucket() =>
        Gen.Select(Gen.Int[0, 2 * Mi + 9].Array[1, 4], Gen.OneOf(Gen.Const(1), Gen.Const(4096), Gen.Const(65536))).SampleAsync(async (sizes, bucket) =>
        {
            var documents = sizes.Select(RandomNumberGenerator.GetBytes).ToArray();
            var (wire, payload, digests) = await Seal(bucket, documents);
            Assert.Equal(documents.Select(d => Digest.Of(d)), digests);
            Assert.Equal(0, payload.Length % bucket);
            await Verify(wire, payload);
            var plain = await Open(wire, payload);
            Assert.Equal(payload.Length, plain.Length);
            var together = documents.SelectMany(d => d).ToArray();
            Assert.True(plain.AsSpan(0, together.Length).SequenceEqual(together));
            Assert.False(plain.AsSpan(together.Length).ContainsAnyExcept((byte)0));
        }, iter: 25);

    [Theory]
    [InlineData(0, 4096, 0)]
    [InlineData(1, 4096, 4096)]
    [InlineData(4096, 4096, 4096)]
    [InlineData(4097, 4096, 8192)]
    [InlineData(4097, 1, 4097)]
    public void Length_is_padded_to_the_bucket(long length, int bucket, long padded) => Assert.Equal(padded, Payload.PaddedLength(length, bucket));

    [Fact]
    public async Task Truncation_is_refused_at_a_segment_boundary_and_inside_one()
    {
        var (wire, payload, _) = await Seal(1, RandomNumberGenerator.GetBytes(2 * Mi + 5));
        foreach (var cut in new[] { wire.Length - 1, wire.Length - 21, 2 * (Mi + 16), Mi + 16, 1, 0 })
        {
            await Refused(Refusal.PayloadLength, Verify(wire[..cut], payload));
            await Refused(Refusal.PayloadLength, Open(wire[..cut], payload));
        }
    }

    [Fact]
    public async Task A_byte_too_many_is_refused()
    {
        var (wire, payload, _) = await Seal(1, [1, 2, 3]);
        await Refused(Refusal.PayloadLength, Verify([.. wire, 0], payload));
        await Refused(Refusal.PayloadLength, Open([.. wire, 0], payload));
    }

    [Fact]
    public async Task Reordered_segments_are_refused_by_the_root_and_by_the_tags()
    {
        var (wire, payload, _) = await Seal(1, RandomNumberGenerator.GetBytes(2 * Mi + 5));
        var size = Mi + 16;
        byte[] swapped = [.. wire[size..(2 * size)], .. wire[..size], .. wire[(2 * size)..]];
        await Refused(Refusal.PayloadRoot, Verify(swapped, payload));
        await Refused(Refusal.PayloadRoot, Open(swapped, payload));
        // Under a root made for the swapped order the tags still refuse.
        await Refused(Refusal.CannotOpen, Open(swapped, payload with { Root = RootOf(swapped) }));
    }

    [Fact]
    public async Task A_payload_cut_after_a_segment_is_refused_by_the_tag_under_a_root_made_for_it()
    {
        var (wire, _, _) = await Seal(1, RandomNumberGenerator.GetBytes(2 * Mi));
        var cut = wire[..(Mi + 16)];
        await Refused(Refusal.CannotOpen, Open(cut, new PayloadRef(Mi, RootOf(cut))));
    }

    [Fact]
    public async Task A_segment_spliced_in_from_another_payload_is_refused()
    {
        var (wire, payload, _) = await Seal(1, RandomNumberGenerator.GetBytes(2 * Mi));
        var other = new MemoryStream();
        await PayloadSealer.SealAsync([Source(RandomNumberGenerator.GetBytes(2 * Mi))], 1, RandomNumberGenerator.GetBytes(32), other, null, default);
        byte[] spliced = [.. wire[..(Mi + 16)], .. other.ToArray()[(Mi + 16)..]];
        await Refused(Refusal.PayloadRoot, Verify(spliced, payload));
        await Refused(Refusal.PayloadRoot, Open(spliced, payload));
        await Refused(Refusal.CannotOpen, Open(spliced, payload with { Root = RootOf(spliced) }));
    }

    [Fact]
    public async Task Nothing_opens_under_another_secret()
    {
        var (wire, payload, _) = await Seal(1, [1, 2, 3]);
        await Refused(Refusal.CannotOpen, Open(wire, payload, RandomNumberGenerator.GetBytes(32)));
    }

    [Fact]
    public async Task Every_flipped_byte_is_refused()
    {
        var (wire, payload, _) = await Seal(1, [1, 2, 3, 4]);
        for (var i = 0; i < wire.Length; i++)
        {
            var flipped = (byte[])wire.Clone();
            flipped[i] ^= 1;
            await Refused(Refusal.PayloadRoot, Verify(flipped, payload));
            await Refused(Refusal.PayloadRoot, Open(flipped, payload));
        }
    }

    [Fact]
    public async Task Nothing_after_a_bad_tag_reaches_the_sink()
    {
        var (wire, payload, _) = await Seal(1, RandomNumberGenerator.GetBytes(3 * Mi));
        wire[Mi + 20] ^= 1;
        var sink = new Sink();
        await Refused(Refusal.PayloadRoot, PayloadOpener.OpenAsync(new MemoryStream(wire), payload.Length, payload.Root, Secret, sink, null, default));
        Assert.Equal(Mi, sink.Bytes.Length);
    }

    [Fact]
    public async Task A_document_that_changed_its_length_stops_the_seal()
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => PayloadSealer.SealAsync([Source([1, 2], announced: 3)], 1, Secret, Stream.Null, null, default));
        await Assert.ThrowsAsync<InvalidDataException>(() => PayloadSealer.SealAsync([Source([1, 2], announced: 1)], 1, Secret, Stream.Null, null, default));
        await Assert.ThrowsAsync<InvalidDataException>(() => PayloadSealer.SealAsync([Source([1, 2], announced: 0)], 4096, Secret, Stream.Null, null, default));
    }

    [Fact]
    public async Task Verify_copies_exactly_what_it_read_and_reports_progress()
    {
        var (wire, payload, _) = await Seal(1, RandomNumberGenerator.GetBytes(3 * Mi + 1));
        var copy = new MemoryStream();
        var progress = new Seen();
        await Payload.VerifyAsync(new MemoryStream(wire), payload, copy, progress, default);
        Assert.Equal(wire, copy.ToArray());
        Assert.Equal([Mi, 2 * Mi, 3 * Mi, 3 * Mi + 1], progress.Values);
    }

    sealed class Seen : IProgress<long>
    {
        public readonly List<long> Values = [];
        public void Report(long value) => Values.Add(value);
    }

    [Fact]
    public async Task Reading_never_runs_far_ahead_of_writing()
    {
        const long length = 100L * Mi;
        using var source = new ZeroStream(length);
        var written = 0L;
        var furthest = 0L;
        using var output = new CountingStream(bytes => furthest = Math.Max(furthest, source.Given - (written += bytes)));
        await PayloadSealer.SealAsync([new DocumentSource("zeros", "application/octet-stream", length, null, () => source)], 1, Secret, output, null, default);
        Assert.Equal(Payload.WireLength(length), written);
        Assert.InRange(furthest, 0, 16 * Mi);
    }

    [Fact]
    public async Task A_buffer_is_handed_on_without_a_byte_of_the_payload_before()
    {
        await Seal(1, RandomNumberGenerator.GetBytes(6 * Mi + 5));
        await Seal(1, RandomNumberGenerator.GetBytes(77));
        var left = 0;
        await SegmentPipeline.RunAsync(8L * Mi, segment =>
        {
            left += segment.Buffer.AsSpan().ContainsAnyExcept((byte)0) ? 1 : 0;
            return ValueTask.CompletedTask;
        }, null, _ => { }, _ => ValueTask.CompletedTask, default);
        Assert.Equal(0, left);
    }

    [Fact]
    public async Task Turns_come_in_order_one_at_a_time_and_before_the_work_on_their_segment()
    {
        List<long> turned = [];
        var (inside, together, late) = (0, 0, 0);
        await SegmentPipeline.RunAsync(40L * Mi, _ => ValueTask.CompletedTask, segment =>
        {
            if (Interlocked.Increment(ref inside) != 1) Interlocked.Increment(ref together);
            turned.Add(segment.Index);
            // Longer for the first: whoever does not wait for it is before it.
            if (segment.Index == 0) Thread.SpinWait(1_000_000);
            Interlocked.Decrement(ref inside);
        }, segment => { if (turned.Count <= segment.Index) Interlocked.Increment(ref late); }, _ => ValueTask.CompletedTask, default);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), turned);
        Assert.Equal((0, 0), (together, late));
    }

    [Fact]
    public async Task What_fails_in_its_turn_fails_the_run_and_nothing_is_worked_on_after_it()
    {
        var worked = 0;
        await Assert.ThrowsAsync<InvalidDataException>(() => SegmentPipeline.RunAsync(20L * Mi, _ => ValueTask.CompletedTask,
            segment => { if (segment.Index == 3) throw new InvalidDataException(); }, _ => Interlocked.Increment(ref worked), _ => ValueTask.CompletedTask, default));
        Assert.Equal(3, worked);
    }

    static Digest RootOf(byte[] wire)
    {
        var tree = new SegmentTree();
        for (var at = 0; at < wire.Length; at += Mi + 16) tree.Add(SegmentTree.Leaf(wire.AsSpan(at, Math.Min(Mi + 16, wire.Length - at))));
        return tree.Root();
    }
}
