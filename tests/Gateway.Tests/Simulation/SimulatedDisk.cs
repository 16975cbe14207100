using System.Collections.Concurrent;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Exchange.Tests.Simulation;

/// <summary>
/// A disk in memory that knows of every file which bytes are synced. A power cut keeps those, and of what was written since, file by file and by seed: nothing, all, or what came first with the
/// last write torn in the middle at a multiple of 512 bytes. The death of the process keeps everything written. Names are durable at once: what becomes of folders is for PowerLossTests.
/// </summary>
/// <param name="most">Bytes that its files may come to; they lie in a file of the machine's when they are more than its memory should hold.</param>
sealed class SimulatedDisk(string folder, SimulatedRandom random, long most) : IDisposable
{
    // By folder: what SQLite opens below one of these is on that disk.
    static readonly ConcurrentDictionary<string, SimulatedDisk> mounted = new(StringComparer.Ordinal);
    readonly Dictionary<string, SimulatedFile> files = new(StringComparer.Ordinal);
    readonly Pieces pieces = new(folder, most);
    long? dieIn;

    public Lock Gate { get; } = new();
    /// <summary>Which run of the program uses it: handles of an earlier one reach nothing any more.</summary>
    public int Run { get; private set; }
    /// <summary>The program died inside of a write or sync.</summary>
    public bool IsDead { get; private set; }
    public long Writes { get; private set; }
    public long Syncs { get; private set; }

    public SimulatedDisk Mount()
    {
        SimulatedVfs.Register();
        mounted[folder + "/"] = this;
        return this;
    }

    public void Dispose()
    {
        mounted.TryRemove(folder + "/", out _);
        pieces.Dispose();
    }

    public static SimulatedDisk? Of(string path)
    {
        foreach (var (root, disk) in mounted)
            if (path.StartsWith(root, StringComparison.Ordinal)) return disk;
        return null;
    }

    /// <summary>Bytes in all files.</summary>
    public long Size
    {
        get { lock (Gate) return files.Values.Sum(f => f.Length); }
    }

    /// <summary>The program dies inside of the nth write or sync from now.</summary>
    public void DieIn(int operations) => dieIn = operations;

    /// <summary>The program is gone: what it had open is closed, its locks are free.</summary>
    /// <param name="powerCut">And so is what was not synced.</param>
    public void Kill(bool powerCut)
    {
        lock (Gate)
        {
            (Run, IsDead, dieIn) = (Run + 1, false, null);
            foreach (var file in files.Values)
            {
                file.Close();
                if (powerCut) file.PowerCut(random);
            }
        }
    }

    public SimulatedFile? Find(string path, bool create = false)
    {
        if (!files.TryGetValue(path, out var file) && create) files[path] = file = new SimulatedFile(pieces);
        return file;
    }

    public bool Delete(string path)
    {
        if (!files.Remove(path, out var file)) return false;
        file.Drop();
        return true;
    }

    /// <summary>False: the program died before it, or in it.</summary>
    public bool Write(SimulatedFile file, ReadOnlySpan<byte> bytes, long at)
    {
        Writes++;
        if (Dies())
        {
            file.Write(bytes[..(random.Below(bytes.Length / SimulatedFile.Sector + 1) * SimulatedFile.Sector)], at);
            return false;
        }
        file.Write(bytes, at);
        return true;
    }

    public bool Sync(SimulatedFile file)
    {
        Syncs++;
        if (Dies()) return false;
        file.Sync();
        return true;
    }

    bool Dies()
    {
        if (dieIn is { } left) IsDead = (dieIn = left - 1) < 0;
        return IsDead;
    }
}

/// <summary>Bytes in pieces, and how to take back what was written since the last sync.</summary>
sealed class SimulatedFile(Pieces disk)
{
    public const int Sector = 512;
    const int Piece = Pieces.Size;
    readonly List<nint> pieces = [];
    readonly List<Change> unsynced = [];

    /// <param name="Count">Bytes written; -1: it was cut.</param>
    /// <param name="Before">What was there, as far as the file went.</param>
    readonly record struct Change(long At, int Count, long Length, byte[] Before);

    public long Length { get; private set; }
    public List<SimulatedHandle> Handles { get; } = [];
    public SimulatedShm? Shm { get; set; }

    /// <summary>False: the file ends before; the rest is zeros.</summary>
    public bool Read(Span<byte> to, long at)
    {
        var count = (int)Math.Clamp(Length - at, 0, to.Length);
        to[count..].Clear();
        for (var done = 0; done < count;)
        {
            var from = At(at + done);
            var n = Math.Min(from.Length, count - done);
            from[..n].CopyTo(to[done..]);
            done += n;
        }
        return count == to.Length;
    }

    public void Write(ReadOnlySpan<byte> bytes, long at)
    {
        var before = new byte[Math.Clamp(Length - at, 0, bytes.Length)];
        Read(before, at);
        unsynced.Add(new Change(at, bytes.Length, Length, before));
        Put(bytes, at);
    }

    public void Truncate(long length)
    {
        if (length >= Length) return;
        var before = new byte[Length - length];
        Read(before, length);
        unsynced.Add(new Change(length, -1, Length, before));
        Cut(length);
    }

    public void Sync() => unsynced.Clear();

    public void PowerCut(SimulatedRandom random)
    {
        var kept = random.Below(3) switch { 0 => 0, 1 => unsynced.Count, _ => random.Below(unsynced.Count + 1) };
        for (var i = unsynced.Count - 1; i >= kept; i--) TakeBack(unsynced[i], i == kept && unsynced[i].Count > 0 ? random.Below(unsynced[i].Count / Sector + 1) * Sector : 0);
        unsynced.Clear();
    }

    /// <summary>Its name is gone.</summary>
    public void Drop() => Cut(0);

    /// <summary>Nobody has it open any more.</summary>
    public void Close()
    {
        Handles.Clear();
        Shm = null;
    }

    void TakeBack(Change change, int kept)
    {
        var (from, until) = (change.At + Math.Min(kept, change.Before.Length), change.At + change.Before.Length);
        if (until > from) Put(change.Before.AsSpan((int)(from - change.At)), from);
        if (change.Count < 0) return;
        Cut(Math.Max(change.Length, Math.Min(Length, change.At + kept)));
    }

    void Put(ReadOnlySpan<byte> bytes, long at)
    {
        while ((long)pieces.Count * Piece < at + bytes.Length) pieces.Add(disk.Take());
        for (var done = 0; done < bytes.Length;)
        {
            var to = At(at + done);
            var n = Math.Min(to.Length, bytes.Length - done);
            bytes.Slice(done, n).CopyTo(to);
            done += n;
        }
        Length = Math.Max(Length, at + bytes.Length);
    }

    // What lies beyond the end reads as zeros when the file grows again.
    void Cut(long length)
    {
        var keep = (int)((length + Piece - 1) / Piece);
        for (var last = pieces.Count - 1; last >= keep; last--)
        {
            disk.Give(pieces[last]);
            pieces.RemoveAt(last);
        }
        if (length % Piece > 0 && keep <= pieces.Count) At(length).Clear();
        Length = length;
    }

    // From this byte to the end of its piece.
    Span<byte> At(long at) => Pieces.Of(pieces[(int)(at / Piece)])[(int)(at % Piece)..];
}

/// <summary>What the files are made of: one stretch of memory, or of a nameless file of the machine's, for days whose store is larger than that.</summary>
sealed unsafe class Pieces : IDisposable
{
    public const int Size = 64 << 10;
    const long MostInMemory = 4L << 30;
    readonly MemoryMappedFile map;
    readonly MemoryMappedViewAccessor view;
    readonly Stack<nint> free = [];
    readonly byte* start;
    readonly long most;
    long taken;

    public Pieces(string folder, long most)
    {
        this.most = most;
        map = most <= MostInMemory ? MemoryMappedFile.CreateNew(null, most) : MemoryMappedFile.CreateFromFile(Nameless(folder, most), null, most, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        view = map.CreateViewAccessor(0, most);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
    }

    public static Span<byte> Of(nint piece) => new((void*)piece, Size);

    /// <summary>Zeros.</summary>
    public nint Take()
    {
        if (free.TryPop(out var again))
        {
            Of(again).Clear();
            return again;
        }
        if (taken + Size > most) throw new IOException($"The simulated disk is full: {most} bytes.");
        var piece = (nint)(start + taken);
        taken += Size;
        return piece;
    }

    public void Give(nint piece) => free.Push(piece);

    public void Dispose()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        map.Dispose();
    }

    // Sparse: it takes the room of what was written.
    static FileStream Nameless(string folder, long length)
    {
        var file = new FileStream(Path.Combine(folder, "disk"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1);
        File.Delete(file.Name);
        file.SetLength(length);
        return file;
    }
}

/// <summary>The index of a write-ahead log, shared by the connections of one run; gone with it.</summary>
sealed unsafe class SimulatedShm
{
    readonly List<nint> regions = [];

    public List<SimulatedHandle> Handles { get; } = [];

    /// <summary>0: there is none, and none was wanted.</summary>
    public nint Region(int index, int size, bool extend)
    {
        while (regions.Count <= index)
        {
            if (!extend) return 0;
            regions.Add((nint)NativeMemory.AllocZeroed((nuint)size));
        }
        return regions[index];
    }

    /// <summary>Whoever unmaps last frees it: connections of a dead run still point into it until they are closed.</summary>
    public void Leave(SimulatedHandle handle)
    {
        Handles.Remove(handle);
        if (Handles.Count > 0) return;
        foreach (var region in regions) NativeMemory.Free((void*)region);
        regions.Clear();
    }
}

/// <summary>One open file of one connection.</summary>
sealed class SimulatedHandle(SimulatedDisk disk, SimulatedFile file)
{
    public SimulatedDisk Disk { get; } = disk;
    public SimulatedFile File { get; } = file;
    public int Run { get; } = disk.Run;
    public int Locked { get; set; }
    public SimulatedShm? Shm { get; set; }
    public int SharedLocks { get; set; }
    public int ExclusiveLocks { get; set; }
    /// <summary>The program that opened it is dead: nothing that it still does reaches the disk.</summary>
    public bool IsDead => Disk.IsDead || Disk.Run != Run;
}
