using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;

namespace Exchange.Tests.Ledger;

/// <summary>An exported ledger in memory, with everything that an export may hold: kept checkpoints, details, older partial tiles. Files can be changed at will.</summary>
sealed class TestExport : ILedgerFiles
{
    readonly Dictionary<string, byte[]> files = [];
    readonly Dictionary<string, HashSet<string>> folders = [];

    public IEnumerable<string> Paths => files.Keys;

    public byte[] this[string path]
    {
        get => files[path];
        set
        {
            files[path] = value;
            for (var at = path.Length; (at = path.LastIndexOf('/', at - 1)) > 0; path = path[..at] + "/")
            {
                if (!folders.TryGetValue(path[..at], out var names)) folders[path[..at]] = names = [];
                names.Add(path[(at + 1)..]);
            }
        }
    }

    public void Remove(string path)
    {
        files.Remove(path);
        var at = path.LastIndexOf('/');
        if (at > 0) folders[path[..at]].Remove(path[(at + 1)..]);
    }

    public byte[]? Read(string path, int limit) => files.TryGetValue(path, out var bytes) ? bytes.Length > limit + 1 ? bytes[..(limit + 1)] : bytes : null;

    public IEnumerable<string> List(string folder) => folders.TryGetValue(folder, out var names) ? names : [];

    public TestExport Copy()
    {
        var copy = new TestExport();
        foreach (var (path, bytes) in files) copy[path] = (byte[])bytes.Clone();
        return copy;
    }

    /// <summary>The same bytes: replace a file, do not write into it.</summary>
    public TestExport Share()
    {
        var copy = new TestExport();
        foreach (var (path, bytes) in files) copy[path] = bytes;
        return copy;
    }

    /// <summary>Writes it as a folder.</summary>
    public void Save(string folder)
    {
        foreach (var (path, bytes) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, path))!);
            File.WriteAllBytes(Path.Combine(folder, path), bytes);
        }
    }

    /// <param name="sign">Note of a checkpoint.</param>
    /// <param name="kept">Sizes whose checkpoints are kept; partial tiles of that size lie there too.</param>
    /// <param name="erased">Entry, and the later entry that says that it is gone.</param>
    /// <param name="other">Entries that say something else.</param>
    public static TestExport Make(string origin, int size, Func<Checkpoint, string> sign, IEnumerable<int> kept, bool details = false, IReadOnlyDictionary<int, int>? erased = null, IReadOnlyDictionary<int, LedgerEntry>? other = null)
    {
        var export = new TestExport();
        var gone = erased ?? new Dictionary<int, int>();
        LedgerEntry[] entries = [.. Enumerable.Range(0, size).Select(i => other?.GetValueOrDefault(i) ?? Entry(i, gone.FirstOrDefault(e => e.Value == i, new(-1, -1)).Key))];
        Digest[] hashes = [.. entries.Select(e => e.Hash)];
        foreach (var (path, bytes) in MemoryTiles.Export(hashes)) export[path.ToString()] = bytes;
        Digest[] leaves = [.. hashes.Select(LedgerEntry.LeafOf)];
        var edge = TreeFrontier.Empty;
        foreach (var old in kept.Order().Distinct())
        {
            edge = edge.Append(leaves[(int)edge.Size..old]);
            export[LedgerCheck.KeptPath(old)] = Encoding.UTF8.GetBytes(sign(new Checkpoint(origin, old, edge.Root())));
            export.OlderPartials(old);
        }
        edge = edge.Append(leaves[(int)edge.Size..]);
        export[LedgerCheck.Newest] = Encoding.UTF8.GetBytes(sign(new Checkpoint(origin, size, edge.Root())));
        for (var tile = 0; details && tile * Tiles.Width < size; tile++)
        {
            var path = new TilePath(0, tile, Tiles.WidthAt(0, tile, size));
            export[DetailBundle.PathOf(path)] = DetailBundle.Write([.. Enumerable.Range(tile * Tiles.Width, path.Width).Select(i => gone.TryGetValue(i, out var by) ? DetailLine.Erased(by) : DetailLine.Open(entries[i]))]);
        }
        return export;
    }

    static LedgerEntry Entry(int i, int erases) => new(TestTree.Entry(i + 1_000_000).ToArray(), EntryDetails.Write(
        erases >= 0 ? new ErasedDetail(erases, "RETENTION", Digest.Of([1])) { Time = i } : i % 5 == 0 ? new DummyDetail { Time = i } : new StopDetail { Time = i }));

    // The partial tile and bundle that a checkpoint of this size needed, cut from what they grew into.
    void OlderPartials(int old)
    {
        for (var level = TilePath.Entries; level < Tiles.Levels; level++)
        {
            var nodes = old >> (Tiles.Height * Math.Max(level, 0));
            var (index, width) = (nodes / Tiles.Width, nodes % Tiles.Width);
            var now = files.Keys.FirstOrDefault(p => TilePath.TryParse(p, out var path) && path.Level == level && path.Index == index && path.Width >= width);
            if (width > 0 && now is not null) this[new TilePath(level, index, width).ToString()] = files[now][..(width * (level == TilePath.Entries ? EntryBundle.Step : Digest.Size))];
        }
    }
}
