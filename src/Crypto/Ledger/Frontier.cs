using System.Numerics;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// The right edge of a tree: the roots of its complete subtrees, one per 1-bit of the size, largest first. Enough to append and to know the root; at most 62
/// hashes. Immutable, so that a batch that is rolled back leaves nothing behind. Stored form: the hashes one after the other.
/// </summary>
public sealed class TreeFrontier
{
    public static readonly TreeFrontier Empty = new(0, []);
    readonly Digest[] hashes;

    TreeFrontier(long size, Digest[] hashes) { Size = size; this.hashes = hashes; }

    /// <summary>Leaves appended so far.</summary>
    public long Size { get; }

    /// <summary>Roots of the complete subtrees, largest first.</summary>
    public IReadOnlyList<Digest> Hashes => hashes;

    /// <summary>The edge after these leaf hashes.</summary>
    public TreeFrontier Append(IReadOnlyList<Digest> leaves)
    {
        if (leaves.Count == 0) return this;
        var edge = new List<Digest>(hashes.Length + 2);
        edge.AddRange(hashes);
        var size = Size;
        foreach (var leaf in leaves)
        {
            var hash = leaf;
            // Each trailing 1-bit of the size is a complete subtree that this leaf completes further.
            for (var bits = size; (bits & 1) == 1; bits >>= 1)
            {
                hash = MerkleTree.NodeHash(edge[^1], hash);
                edge.RemoveAt(edge.Count - 1);
            }
            edge.Add(hash);
            size++;
        }
        return new TreeFrontier(size, [.. edge]);
    }

    public TreeFrontier Append(Digest leaf) => Append([leaf]);

    public Digest Root()
    {
        if (hashes.Length == 0) return MerkleTree.EmptyRoot;
        var root = hashes[^1];
        for (var i = hashes.Length - 2; i >= 0; i--) root = MerkleTree.NodeHash(hashes[i], root);
        return root;
    }

    /// <summary>32 bytes per hash, largest subtree first.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[hashes.Length * Digest.Size];
        for (var i = 0; i < hashes.Length; i++) hashes[i].CopyTo(bytes.AsSpan(i * Digest.Size));
        return bytes;
    }

    /// <summary>Reads what <see cref="ToArray"/> wrote for a tree of this size.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Proof"/>: not as many hashes as the size has 1-bits.</exception>
    public static TreeFrontier Read(long size, ReadOnlySpan<byte> bytes)
    {
        if (size < 0 || bytes.Length != BitOperations.PopCount((ulong)size) * Digest.Size) throw new RefusedException(Refusal.Proof, "frontier of another size");
        return new TreeFrontier(size, Tiles.Hashes(bytes));
    }

    /// <summary>The edge of the tree of this size, from stored nodes.</summary>
    public static TreeFrontier Read(long size, NodeReader read)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        var edge = new List<Digest>();
        for (var level = 62; level >= 0; level--)
            if (((size >> level) & 1) == 1) edge.Add(read(level, (size >> level) - 1));
        return new TreeFrontier(size, [.. edge]);
    }
}
