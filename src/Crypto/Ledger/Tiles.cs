namespace Exchange.Crypto.Ledger;

/// <summary>
/// Bytes of a tile: its first <paramref name="width"/> hashes of 32 bytes, or more. Tile <paramref name="index"/> of a level holds the hashes
/// [256·index, 256·index + width) of the nodes at height 8·level.
/// </summary>
public delegate ReadOnlyMemory<byte> TileReader(int level, long index, int width);

/// <summary>A complete tile, 256 hashes, to be stored once and never changed.</summary>
/// <param name="Data">8,192 bytes.</param>
/// <param name="Root">Hash of its 256 hashes: one hash of the tile above. Kept beside it, so that a partial tile above is read, not computed.</param>
public sealed record TileRow(int Level, long Index, byte[] Data, Digest Root);

/// <summary>
/// C2SP tlog-tiles: the tree cut into tiles of 256 hashes, eight levels each. Only complete tiles are stored. A partial tile is read from what lies below:
/// at level 0 from the leaf hashes, above from the roots of the complete tiles one level down.
/// </summary>
public static class Tiles
{
    public const int Width = 256;
    public const int Height = 8;
    /// <summary>Tile levels that a tree of 2^62 leaves has: 0..7.</summary>
    public const int Levels = 8;

    /// <summary>Hashes in a tile of the tree of this size: 0 none, 256 complete.</summary>
    public static int WidthAt(int level, long index, long size)
    {
        if (level is < 0 or >= Levels || index < 0) return 0;
        var nodes = size >> (Height * level);
        return (int)Math.Clamp(nodes - (index * Width), 0, index <= nodes / Width ? Width : 0);
    }

    /// <summary>The tiles that these leaf hashes, appended to the tree of the old size, complete; lowest level first.</summary>
    /// <param name="read">Asked for the hashes that such a tile already had before: at most one partial tile per level.</param>
    public static IReadOnlyList<TileRow> Completed(long oldSize, IReadOnlyList<Digest> leaves, TileReader read)
    {
        var rows = new List<TileRow>();
        var fresh = leaves;
        var old = oldSize;
        for (var level = 0; fresh.Count > 0; level++)
        {
            var roots = new List<Digest>();
            var used = 0;
            while (Width - (int)(old % Width) <= fresh.Count - used)
            {
                var had = (int)(old % Width);
                var data = new byte[Width * Digest.Size];
                if (had > 0) Part(read(level, old / Width, had), 0, had).CopyTo(data);
                for (var i = had; i < Width; i++) fresh[used++].CopyTo(data.AsSpan(i * Digest.Size));
                var root = Fold(Hashes(data));
                rows.Add(new TileRow(level, old / Width, data, root));
                roots.Add(root);
                old += Width - had;
            }
            old = (oldSize >> (Height * (level + 1)));
            fresh = roots;
        }
        return rows;
    }

    /// <summary>Nodes of the tree of this size out of its tiles; each tile is read once and kept for the life of the reader.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Proof"/>, by the returned function: a tile has fewer hashes than it must.</exception>
    public static NodeReader Nodes(long size, TileReader read)
    {
        var seen = new Dictionary<(int, long), ReadOnlyMemory<byte>>();
        return (level, index) =>
        {
            int tileLevel = level / Height, height = level % Height;
            var first = index << height;
            var tile = first / Width;
            var width = WidthAt(tileLevel, tile, size);
            if (!seen.TryGetValue((tileLevel, tile), out var data))
            {
                if (width == 0) throw new ArgumentOutOfRangeException(nameof(index), "Not a node of this tree.");
                data = Part(read(tileLevel, tile, width), 0, width);
                seen.Add((tileLevel, tile), data);
            }
            return Fold(Hashes(Part(data, (int)(first % Width), 1 << height).Span));
        };
    }

    /// <summary>Inclusion proof of a leaf in the tree of this size.</summary>
    public static IReadOnlyList<Digest> InclusionProof(long index, long size, TileReader read) => MerkleTree.InclusionProof(index, size, Nodes(size, read));

    /// <summary>Consistency proof between two sizes of one tree.</summary>
    public static IReadOnlyList<Digest> ConsistencyProof(long oldSize, long newSize, TileReader read) =>
        MerkleTree.ConsistencyProof(oldSize, newSize, Nodes(newSize, read));

    /// <summary>Root of the tree of this size.</summary>
    public static Digest Root(long size, TileReader read) => MerkleTree.Root(size, Nodes(size, read));

    /// <summary>Hash over a power of two of hashes, pairwise.</summary>
    public static Digest Fold(ReadOnlySpan<Digest> nodes)
    {
        Span<Digest> hashes = new Digest[nodes.Length];
        nodes.CopyTo(hashes);
        for (var count = hashes.Length; count > 1; count /= 2)
            for (var i = 0; i < count / 2; i++) hashes[i] = MerkleTree.NodeHash(hashes[2 * i], hashes[(2 * i) + 1]);
        return hashes[0];
    }

    /// <summary>The hashes of a tile's bytes.</summary>
    public static Digest[] Hashes(ReadOnlySpan<byte> data)
    {
        var hashes = new Digest[data.Length / Digest.Size];
        for (var i = 0; i < hashes.Length; i++) hashes[i] = new Digest(data.Slice(i * Digest.Size, Digest.Size));
        return hashes;
    }

    static ReadOnlyMemory<byte> Part(ReadOnlyMemory<byte> tile, int first, int count) =>
        tile.Length % Digest.Size == 0 && tile.Length >= (first + count) * Digest.Size
            ? tile.Slice(first * Digest.Size, count * Digest.Size)
            : throw new RefusedException(Refusal.Proof, "a tile has fewer hashes than the tree has there");
}
