using System.Collections.Concurrent;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <summary>
/// One awaited payload on its way in, in as many goes as it takes: {id}.part holds its bytes, {id}.leaves 32 bytes for each segment of it. A leaf is written only
/// after its segment was fsynced, so what both files hold after a crash is what was sent, and lengths tell how much that is: nothing is hashed again.
/// <list type="bullet">
/// <item>each 64 MiB, and at the end of a request: write(part)… · fsync(part) · write(leaves) · fsync(leaves)</item>
/// <item>whole, and the root is right: link(part, blob) · fsync(its folder) · unlink(part) · fsync(this folder) · commit of the dispatch · unlink(leaves)</item>
/// <item>begun anew, or the root is wrong: unlink(leaves) · unlink(part): leaves never lie beside a part that is not theirs</item>
/// </list>
/// A crash between link and commit leaves the awaited row, the blob in full and all leaves: the next request goes on at the commit.
/// </summary>
sealed class Upload : IDisposable
{
    readonly UploadFolder folder;
    readonly Guid id;
    readonly long length;
    readonly FileStream? part;
    readonly FileStream leaves;
    readonly List<Digest> pending = [];
    long segments;

    internal Upload(UploadFolder folder, Guid id, long length)
    {
        (this.folder, this.id, this.length) = (folder, id, length);
        // The torn tail of a run that died is cut off, for good before anything is written behind it.
        segments = folder.Segments(id, length);
        var placed = folder.IsPlaced(id, length);
        folder.Step("open upload");
        leaves = OpenFile(folder.Leaves(id));
        Cut(leaves, segments * Digest.Size);
        if (!placed)
        {
            part = OpenFile(folder.Part(id));
            Cut(part, Offset);
        }
        DurableFile.FsyncFolder(folder.Root);
        folder.Opened(id, this);
    }

    /// <summary>Bytes on the wire that are here for good.</summary>
    public long Offset => Payload.WireOffset(length, Segments);

    public bool IsWhole => Segments == Payload.Segments(length);

    /// <summary>Whole ones that are here for good; others may ask while it grows.</summary>
    internal long Segments => Volatile.Read(ref segments);

    /// <summary>Takes whole segments from the body; on return they are here for good.</summary>
    /// <param name="goOn">Asked each 64 MiB; throws to end it there.</param>
    /// <returns>What broke the line; null: it ended by itself.</returns>
    /// <exception cref="IOException">Disk: what was synced before is still here.</exception>
    public async Task<Exception?> TakeIn(Stream body, Action goOn, CancellationToken cancel)
    {
        var unsynced = 0L;
        async ValueTask Keep(ReadOnlyMemory<byte> wire, Digest leaf)
        {
            folder.Step("write part");
            await part!.WriteAsync(wire, CancellationToken.None);
            pending.Add(leaf);
            if ((unsynced += wire.Length) < folder.SyncEvery) return;
            await Task.Run(Sync, CancellationToken.None);
            unsynced = 0;
            goOn();
        }
        try
        {
            var broken = await Payload.TakeInAsync(body, length, segments, Keep, cancel);
            await Task.Run(Sync, CancellationToken.None);
            return broken;
        }
        catch (IOException e) when (DurableFile.IsFull(e))
        {
            // What cannot be kept gives its room back to what was accepted.
            part!.SetLength(Offset);
            throw;
        }
    }

    void Sync()
    {
        if (pending.Count == 0) return;
        // After a failed fsync the kernel may call lost pages clean: what is behind the last leaf is then cut off and written again, never synced again.
        folder.Step("fsync part");
        DurableFile.Fsync(part!.SafeFileHandle);
        var bytes = new byte[pending.Count * Digest.Size];
        for (var i = 0; i < pending.Count; i++) pending[i].CopyTo(bytes.AsSpan(i * Digest.Size));
        folder.Step("write leaves");
        leaves.Write(bytes);
        folder.Step("fsync leaves");
        try { DurableFile.Fsync(leaves.SafeFileHandle); }
        catch (IOException)
        {
            leaves.SetLength(segments * Digest.Size);
            throw;
        }
        Volatile.Write(ref segments, segments + pending.Count);
        pending.Clear();
    }

    /// <summary>Root over the leaves of a whole payload.</summary>
    public Digest Root() => Payload.RootOf(folder.ReadLeaves(id).Take((int)segments));

    /// <summary>Puts the whole payload where its dispatch will look for it. Again is harmless.</summary>
    public void Place()
    {
        folder.Step("place");
        folder.Blobs.Adopt(id, folder.Part(id));
    }

    static FileStream OpenFile(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });

    static void Cut(FileStream file, long at)
    {
        if (file.Length > at) file.SetLength(at);
        DurableFile.Fsync(file.SafeFileHandle);
        file.Position = at;
    }

    public void Dispose()
    {
        folder.Closed(id);
        part?.Dispose();
        leaves.Dispose();
    }
}

/// <summary>The folder of payloads on their way in. <paramref name="step"/> is called with a step's name before it is taken; a test that throws there has killed the process at that place.</summary>
sealed class UploadFolder(string folder, BlobStore blobs, Action<string>? step = null)
{
    public string Root { get; } = folder;
    internal BlobStore Blobs { get; } = blobs;
    /// <summary>Bytes that a crash may cost.</summary>
    public required long SyncEvery { get; init; }

    readonly ConcurrentDictionary<Guid, Upload> open = [];

    /// <summary>Names a place at which the process may die; nothing happens there otherwise.</summary>
    public void Step(string name) => step?.Invoke(name);

    /// <summary>Continues at the durable offset. One at a time for each id: the caller sees to it.</summary>
    /// <param name="length">Plaintext length.</param>
    public Upload Open(Guid id, long length)
    {
        // A blob without all its leaves is none that an upload put there: nothing was promised for it.
        if (Blobs.Length(id) is not null && !IsPlaced(id, length)) Blobs.Remove(id);
        return new Upload(this, id, length);
    }

    /// <summary>Bytes on the wire that are here for good: whole segments that both files hold. Changes nothing.</summary>
    public long Durable(Guid id, long length)
    {
        // Read first: what is written into an open one in between counts only once it is synced.
        var there = Segments(id, length);
        return Payload.WireOffset(length, open.TryGetValue(id, out var growing) ? Math.Min(there, growing.Segments) : there);
    }

    internal void Opened(Guid id, Upload upload) => open[id] = upload;
    internal void Closed(Guid id) => open.TryRemove(id, out _);

    /// <summary>Forgets what came of it; a placed blob too, unless a dispatch has it now.</summary>
    public void Drop(Guid id, bool accepted = false)
    {
        Step("drop leaves");
        DurableFile.Delete(Leaves(id));
        Step("drop part");
        DurableFile.Delete(Part(id));
        if (!accepted) Blobs.Remove(id);
    }

    /// <summary>Removes what no upload row names and makes the rest durable: the run before may have died between write and sync. At start, before anything is written or told.</summary>
    public int Sweep(Func<Guid, bool> isAwaited)
    {
        if (!Directory.Exists(Root)) DurableFile.CreateFolder(Root);
        var left = Directory.GetFiles(Root).Where(f => !(Guid.TryParseExact(Path.GetFileNameWithoutExtension(f), "N", out var id) && isAwaited(id))).ToList();
        foreach (var file in left) File.Delete(file);
        foreach (var file in Directory.GetFiles(Root))
        {
            Step($"fsync {Path.GetExtension(file)[1..]} at start");
            using var kept = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
            DurableFile.Fsync(kept);
        }
        return left.Count;
    }

    internal string Part(Guid id) => Path.Combine(Root, $"{id:N}.part");
    internal string Leaves(Guid id) => Path.Combine(Root, $"{id:N}.leaves");

    internal long Segments(Guid id, long length)
    {
        var (leaves, all) = (ReadLeaves(id).LongCount(), Payload.Segments(length));
        if (leaves >= all && Blobs.Length(id) == Payload.WireLength(length)) return all;
        var part = new FileInfo(Part(id)) is { Exists: true } file ? file.Length : 0;
        return Math.Min(leaves, part >= Payload.WireLength(length) ? all : part / (Payload.SegmentLength + Payload.TagLength));
    }

    internal bool IsPlaced(Guid id, long length) => Blobs.Length(id) == Payload.WireLength(length) && ReadLeaves(id).LongCount() >= Payload.Segments(length);

    /// <summary>In order, up to the first that is torn: a file system may keep a length without the bytes, and no leaf is all zeros.</summary>
    internal IEnumerable<Digest> ReadLeaves(Guid id)
    {
        if (!File.Exists(Leaves(id))) yield break;
        using var file = new FileStream(Leaves(id), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        var leaf = new byte[Digest.Size];
        while (file.ReadAtLeast(leaf, leaf.Length, throwOnEndOfStream: false) == leaf.Length && leaf.AsSpan().ContainsAnyExcept((byte)0)) yield return new Digest(leaf);
    }
}
