using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>Complete tiles. A partial one is read from what lies below it: leaves of entries, or roots of the tiles one level down.</summary>
internal static class TileTable
{
    internal static readonly RowShape<TileRow> Shape = new("tile", ["level", "idx", "root", "data"], t => [t.Level, t.Index, t.Root, t.Data]);

    /// <summary>Bytes of the first <c>width</c> hashes of a tile; fewer when the store has fewer.</summary>
    public static TileReader ReaderOf(Source source) => (level, index, width) => Read(source, level, index, width);

    static ReadOnlyMemory<byte> Read(Source source, int level, long index, int width)
    {
        if (width == Tiles.Width && source.One<byte[]>("SELECT data FROM tile WHERE level = @level AND idx = @index", new { level, index }) is { } whole) return whole;
        var args = new { level = level - 1, first = index * Tiles.Width, end = (index * Tiles.Width) + width };
        var hashes = level == 0
            ? source.Query<Digest>("SELECT leaf FROM entry WHERE seq >= @first AND seq < @end ORDER BY seq", args)
            : source.Query<Digest>("SELECT root FROM tile WHERE level = @level AND idx >= @first AND idx < @end ORDER BY idx", args);
        var bytes = new byte[hashes.Count * Digest.Size];
        for (var i = 0; i < hashes.Count; i++) hashes[i].CopyTo(bytes.AsSpan(i * Digest.Size));
        return bytes;
    }

    public static StoredTile? Find(Source source, int level, long index) =>
        source.One<StoredTile>("SELECT root, data FROM tile WHERE level = @level AND idx = @index", new { level, index });

    /// <summary>Tiles that a ledger with so many complete ones per level does not have.</summary>
    public static IEnumerable<(long Level, long Index)> Beyond(Source source, IReadOnlyList<long> complete) =>
        source.Query<TilePlace>("SELECT level, idx FROM tile ORDER BY level, idx").Where(t => t.Level >= complete.Count || t.Idx >= complete[(int)t.Level])
            .Select(t => (t.Level, t.Idx));

    sealed record TilePlace
    {
        public required long Level { get; init; }
        public required long Idx { get; init; }
    }
}

internal sealed record StoredTile
{
    public required Digest Root { get; init; }
    public required byte[] Data { get; init; }
}
