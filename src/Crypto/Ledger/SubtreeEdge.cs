namespace Exchange.Crypto.Ledger;

/// <summary>
/// The right edge of a tree that is built from complete subtrees of any heights, left to right: each is added at the place where the one before ended. At most 62 hashes.
/// </summary>
public sealed class SubtreeEdge
{
    readonly List<(int Height, Digest Hash)> nodes;

    public SubtreeEdge() => nodes = [];

    SubtreeEdge(List<(int, Digest)> nodes) => this.nodes = nodes;

    public SubtreeEdge Copy() => new([.. nodes]);

    /// <summary>Root of a complete subtree over 2^height leaves; the leaves so far are a multiple of that.</summary>
    public void Add(int height, Digest hash)
    {
        while (nodes.Count > 0 && nodes[^1].Height == height)
        {
            hash = MerkleTree.NodeHash(nodes[^1].Hash, hash);
            nodes.RemoveAt(nodes.Count - 1);
            height++;
        }
        nodes.Add((height, hash));
    }

    public Digest Root()
    {
        if (nodes.Count == 0) return MerkleTree.EmptyRoot;
        var root = nodes[^1].Hash;
        for (var i = nodes.Count - 2; i >= 0; i--) root = MerkleTree.NodeHash(nodes[i].Hash, root);
        return root;
    }
}
