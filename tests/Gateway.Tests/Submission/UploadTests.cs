using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;

namespace Exchange.Tests.Submission;

/// <summary>Part file and leaves on a disk that loses what was not synced, cut at every step.</summary>
public sealed class UploadTests : IDisposable
{
    /// <summary>What the disk does to bytes that were written and not synced.</summary>
    public enum Disk { Keeps, Loses, TearsInTheMiddle, KeepsLengthsOnly, KeepsLeavesAndLosesThePart }

    sealed class Killed : Exception;

    const int Segment = Payload.SegmentLength + Payload.TagLength;
    const long Length = 3 * Payload.SegmentLength + 1000;
    static readonly byte[] Wire = RandomNumberGenerator.GetBytes((int)Payload.WireLength(Length));
    readonly string root = Directory.CreateTempSubdirectory("exchange-upload-").FullName;
    readonly Guid id = Guid.CreateVersion7();

    public void Dispose() => Directory.Delete(root, recursive: true);

    UploadFolder Folder(Action<string>? step = null)
    {
        var uploads = Path.Combine(root, "uploads");
        Directory.CreateDirectory(uploads);
        return new UploadFolder(uploads, new BlobStore(Path.Combine(root, "blobs"), TimeProvider.System), step) { SyncEvery = Segment };
    }

    static async Task<Digest> Root()
    {
        List<Digest> leaves = [];
        await Payload.TakeInAsync(new MemoryStream(Wire), Length, 0, (_, leaf) => { leaves.Add(leaf); return ValueTask.CompletedTask; }, CancellationToken.None);
        return Payload.RootOf(leaves);
    }

    static Task<Exception?> Take(Upload upload, int upTo) => upload.TakeIn(new MemoryStream(Wire[(int)upload.Offset..upTo]), () => { }, CancellationToken.None);

    [Theory]
    [InlineData(0, 0), InlineData(1, 0), InlineData(Segment - 1, 0), InlineData(Segment, 1), InlineData(Segment + 1, 1), InlineData(2 * Segment + 500_000, 2), InlineData(3 * Segment, 3), InlineData(3 * Segment + 1015, 3)]
    public async Task Wherever_the_line_is_cut_the_whole_segments_are_kept_and_no_more(int cut, int kept)
    {
        using (var upload = Folder().Open(id, Length)) Assert.Null(await Take(upload, cut));
        Assert.Equal(kept * (long)Segment, Folder().Durable(id, Length));
        using var again = Folder().Open(id, Length);
        Assert.Equal(kept * (long)Segment, again.Offset);
        await Take(again, Wire.Length);
        Assert.True(again.IsWhole);
        Assert.Equal(await Root(), again.Root());
    }

    [Fact]
    public async Task A_broken_line_is_told_after_what_came_was_made_durable()
    {
        using var upload = Folder().Open(id, Length);
        var broken = await upload.TakeIn(new BreakingStream(Wire, 2 * Segment + 7), () => { }, CancellationToken.None);
        Assert.IsType<IOException>(broken);
        Assert.Equal(2L * Segment, Folder().Durable(id, Length));
    }

    [Theory, InlineData(32, 1), InlineData(33, 1), InlineData(95, 2), InlineData(0, 0)]
    public async Task A_sidecar_cut_anywhere_counts_its_whole_leaves_only(long bytes, int kept)
    {
        using (var upload = Folder().Open(id, Length)) await Take(upload, 3 * Segment);
        Cut($"{id:N}.leaves", bytes);
        Assert.Equal(kept * (long)Segment, Folder().Durable(id, Length));
        using var again = Folder().Open(id, Length);
        await Take(again, Wire.Length);
        Assert.Equal(await Root(), again.Root());
    }

    public static TheoryData<Disk> Disks => [.. Enum.GetValues<Disk>()];

    [Theory, MemberData(nameof(Disks))]
    public async Task Killed_at_any_step_on_any_disk_it_goes_on_where_it_said_and_ends_with_the_same_bytes(Disk disk)
    {
        var expected = await Root();
        var steps = 0;
        for (var nth = 1; ; nth++)
        {
            foreach (var file in Directory.GetFiles(root, "*", SearchOption.AllDirectories)) File.Delete(file);
            var killer = new Killer(root, id, nth);
            long promised = 0;
            var died = false;
            try
            {
                using (var first = Folder(killer.Step).Open(id, Length))
                {
                    await Take(first, Segment + Segment / 2);
                    promised = first.Offset;
                }
                using var second = Folder(killer.Step).Open(id, Length);
                await Take(second, Wire.Length);
                promised = second.Offset;
                second.Place();
            }
            catch (Killed) { died = true; }
            if (!died) break;
            steps = nth;
            killer.Lose(disk);

            // As a fresh process finds it.
            Assert.True(Folder().Durable(id, Length) >= promised, $"{disk}, killed at step {nth}: {promised} bytes were said to be here for good");
            using (var again = Folder().Open(id, Length))
            {
                await Take(again, Wire.Length);
                Assert.True(again.IsWhole);
                Assert.Equal(expected, again.Root());
                again.Place();
            }
            var blob = Directory.GetFiles(Path.Combine(root, "blobs"), $"{id:N}", SearchOption.AllDirectories);
            Assert.True(Wire.AsSpan().SequenceEqual(File.ReadAllBytes(Assert.Single(blob))), $"{disk}, killed at step {nth}: other bytes");
        }
        Assert.InRange(steps, 18, 40);
    }

    [Fact]
    public async Task A_payload_that_a_crash_left_in_its_place_is_whole_and_one_without_its_leaves_is_nothing()
    {
        using (var upload = Folder().Open(id, Length))
        {
            await Take(upload, Wire.Length);
            upload.Place();
        }
        Assert.Equal(Wire.Length, Folder().Durable(id, Length));
        using (var upload = Folder().Open(id, Length)) Assert.True(upload.IsWhole);
        Cut($"{id:N}.leaves", 64);
        using (var upload = Folder().Open(id, Length)) Assert.Equal(0, upload.Offset);
        Assert.Empty(Directory.GetFiles(Path.Combine(root, "blobs"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task What_no_row_names_is_swept_at_start_and_what_one_names_is_kept()
    {
        var other = Guid.CreateVersion7();
        foreach (var one in new[] { id, other })
            using (var upload = Folder().Open(one, Length)) await Take(upload, Segment);
        File.WriteAllText(Path.Combine(root, "uploads", "stray"), "x");
        List<string> steps = [];
        Assert.Equal(3, Folder(steps.Add).Sweep(one => one == id));
        // What was written may not have been synced when the run before died.
        Assert.Equal(["fsync leaves at start", "fsync part at start"], steps.Order());
        Assert.Equal([$"{id:N}.leaves", $"{id:N}.part"], Directory.GetFiles(Path.Combine(root, "uploads")).Select(Path.GetFileName).Order());
    }

    void Cut(string name, long bytes)
    {
        using var file = File.OpenWrite(Path.Combine(root, "uploads", name));
        file.SetLength(bytes);
    }

    /// <summary>Dies before the nth step, and knows by then what was synced.</summary>
    sealed class Killer(string root, Guid id, int nth)
    {
        readonly string part = Path.Combine(root, "uploads", $"{id:N}.part"), leaves = Path.Combine(root, "uploads", $"{id:N}.leaves");
        string last = "";
        long syncedPart, syncedLeaves;
        int count;

        public void Step(string name)
        {
            if (last == "fsync part") syncedPart = new FileInfo(part).Length;
            if (last == "fsync leaves") syncedLeaves = new FileInfo(leaves).Length;
            last = name;
            if (++count == nth) throw new Killed();
        }

        public void Lose(Disk disk)
        {
            if (disk == Disk.Keeps) return;
            Do(part, syncedPart, disk == Disk.KeepsLeavesAndLosesThePart ? Disk.KeepsLengthsOnly : disk);
            if (disk != Disk.KeepsLeavesAndLosesThePart) Do(leaves, syncedLeaves, disk);
        }

        static void Do(string path, long synced, Disk disk)
        {
            if (!File.Exists(path)) return;
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
            var (end, middle) = (file.Length, synced + (file.Length - synced) / 2);
            if (end <= synced) return;
            file.SetLength(disk == Disk.TearsInTheMiddle ? middle : synced);
            if (disk == Disk.KeepsLengthsOnly) file.SetLength(end);
        }
    }

    sealed class BreakingStream(byte[] bytes, int at) : MemoryStream(bytes, 0, at)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is > 0 and var read ? read : throw new IOException("reset");
    }
}
