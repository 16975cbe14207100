using Exchange.Crypto;
using Exchange.Crypto.Ledger;

namespace Exchange.Tests.Ledger;

/// <summary>A ledger's store in memory, with what the gateway keeps: entries, complete tiles with their root, the frontier. Partial tiles are read from below.</summary>
sealed class MemoryTiles
{
    readonly List<Digest> leaves = [];
    public Dictionary<(int Level, long Index), TileRow> Rows { get; } = [];
    public TreeFrontier Frontier { get; private set; } = TreeFrontier.Empty;
    public long Size => leaves.Count;

    public void Append(Digest[] fresh)
    {
        foreach (var row in Tiles.Completed(Size, fresh, Read)) Rows.Add((row.Level, row.Index), row);
        leaves.AddRange(fresh);
        Frontier = Frontier.Append(fresh);
    }

    public ReadOnlyMemory<byte> Read(int level, long index, int width)
    {
        if (Rows.TryGetValue((level, index), out var row)) return row.Data.AsMemory(0, width * Digest.Size);
        var bytes = new byte[width * Digest.Size];
        for (var i = 0; i < width; i++)
            (level == 0 ? leaves[(int)(index * Tiles.Width) + i] : Rows[(level - 1, (index * Tiles.Width) + i)].Root).CopyTo(bytes.AsSpan(i * Digest.Size));
        return bytes;
    }

    /// <summary>All files of an export of these entries: bundles and tiles by path.</summary>
    public static Dictionary<TilePath, byte[]> Export(IReadOnlyList<Digest> entries)
    {
        var store = new MemoryTiles();
        store.Append([.. entries.Select(LedgerEntry.LeafOf)]);
        var files = new Dictionary<TilePath, byte[]>();
        for (var level = 0; level < Tiles.Levels; level++)
            for (long index = 0; Tiles.WidthAt(level, index, entries.Count) is > 0 and var width; index++)
                files.Add(new TilePath(level, index, width), store.Read(level, index, width).ToArray());
        foreach (var path in files.Keys.Where(p => p.Level == 0).ToArray())
            files.Add(path with { Level = TilePath.Entries }, EntryBundle.Write([.. entries.Skip((int)path.Index * Tiles.Width).Take(path.Width)]));
        return files;
    }
}
