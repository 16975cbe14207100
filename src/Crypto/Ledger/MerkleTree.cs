using System.Numerics;
using System.Security.Cryptography;

namespace Exchange.Crypto.Ledger;

/// <summary>Hash of the complete subtree over leaves [index·2^level, (index+1)·2^level). All of them must be in the tree.</summary>
public delegate Digest NodeReader(int level, long index);

/// <summary>RFC 9162 section 2.1 over leaf hashes. Pure; hostile proofs give false.</summary>
public static class MerkleTree
{
    /// <summary>Root of the tree without leaves: SHA-256 of nothing.</summary>
    public static readonly Digest EmptyRoot = Digest.Of([]);

    /// <summary>SHA-256(00 ‖ entry).</summary>
    public static Digest LeafHash(ReadOnlySpan<byte> entry)
    {
        const int onStack = 256;
        var input = entry.Length < onStack ? stackalloc byte[entry.Length + 1] : new byte[entry.Length + 1];
        input[0] = 0;
        entry.CopyTo(input[1..]);
        return Digest.Of(input);
    }

    /// <summary>SHA-256(01 ‖ left ‖ right).</summary>
    public static Digest NodeHash(Digest left, Digest right)
    {
        Span<byte> input = stackalloc byte[1 + (2 * Digest.Size)];
        input[0] = 1;
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + Digest.Size)..]);
        return Digest.Of(input);
    }

    /// <summary>Root of these leaf hashes; SHA-256 of nothing for none.</summary>
    public static Digest Root(IReadOnlyList<Digest> leaves) => leaves.Count == 0 ? EmptyRoot : Range(leaves, 0, leaves.Count);

    static Digest Range(IReadOnlyList<Digest> leaves, int start, int count)
    {
        if (count == 1) return leaves[start];
        var left = (int)LargestPowerBelow(count);
        return NodeHash(Range(leaves, start, left), Range(leaves, start + left, count - left));
    }

    /// <summary>RFC 9162 2.1.3.1: the nodes that lead from a leaf to the root of the tree of this size, from the leaf up.</summary>
    public static IReadOnlyList<Digest> InclusionProof(long index, long size, NodeReader read)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var proof = new List<Digest>();
        Path(0, size);
        return proof;

        void Path(long start, long count)
        {
            if (count == 1) return;
            var left = LargestPowerBelow(count);
            if (index < start + left) { Path(start, left); proof.Add(Subtree(start + left, count - left, read)); }
            else { Path(start + left, count - left); proof.Add(Subtree(start, left, read)); }
        }
    }

    /// <summary>RFC 9162 2.1.4.1: the nodes that show that the tree of the old size is the beginning of the tree of the new size. Empty when old is 0 or equal.</summary>
    public static IReadOnlyList<Digest> ConsistencyProof(long oldSize, long newSize, NodeReader read)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(oldSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, newSize);
        var proof = new List<Digest>();
        if (oldSize > 0 && oldSize < newSize) Subproof(oldSize, 0, newSize, true);
        return proof;

        void Subproof(long old, long start, long count, bool whole)
        {
            if (old == count)
            {
                if (!whole) proof.Add(Subtree(start, count, read));
                return;
            }
            var left = LargestPowerBelow(count);
            if (old <= left) { Subproof(old, start, left, whole); proof.Add(Subtree(start + left, count - left, read)); }
            else { Subproof(old - left, start + left, count - left, false); proof.Add(Subtree(start, left, read)); }
        }
    }

    /// <summary>Root of the tree of this size, from complete subtrees.</summary>
    public static Digest Root(long size, NodeReader read) => size == 0 ? EmptyRoot : Subtree(0, size, read);

    // start is a multiple of the largest power of two in count, as RFC 9162 splits ranges.
    static Digest Subtree(long start, long count, NodeReader read)
    {
        if (BitOperations.IsPow2(count))
        {
            var level = BitOperations.Log2((ulong)count);
            return read(level, start >> level);
        }
        var left = LargestPowerBelow(count);
        return NodeHash(Subtree(start, left, read), Subtree(start + left, count - left, read));
    }

    /// <summary>RFC 9162 2.1.3.2.</summary>
    public static bool VerifyInclusion(Digest leaf, long index, long size, IReadOnlyList<Digest> proof, Digest root)
    {
        if (index < 0 || index >= size) return false;
        long fn = index, sn = size - 1;
        var hash = leaf;
        foreach (var p in proof)
        {
            if (sn == 0) return false;
            if ((fn & 1) == 1 || fn == sn)
            {
                hash = NodeHash(p, hash);
                while ((fn & 1) == 0 && fn != 0) { fn >>= 1; sn >>= 1; }
            }
            else hash = NodeHash(hash, p);
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && hash == root;
    }

    /// <summary>RFC 9162 2.1.4.2; besides, the empty tree (only with its one root) and a tree of equal size (only with an equal root) need the empty proof.</summary>
    public static bool VerifyConsistency(long oldSize, Digest oldRoot, long newSize, Digest newRoot, IReadOnlyList<Digest> proof)
    {
        if (oldSize < 0 || oldSize > newSize) return false;
        if (oldSize == 0) return proof.Count == 0 && oldRoot == EmptyRoot && (newSize > 0 || newRoot == EmptyRoot);
        if (oldSize == newSize) return proof.Count == 0 && oldRoot == newRoot;
        if (proof.Count == 0) return false;

        var next = 0;
        // A complete old tree is itself the first node: the proof does not repeat its root.
        var first = BitOperations.IsPow2(oldSize) ? oldRoot : proof[next++];
        long fn = oldSize - 1, sn = newSize - 1;
        while ((fn & 1) == 1) { fn >>= 1; sn >>= 1; }
        Digest fr = first, sr = first;
        for (; next < proof.Count; next++)
        {
            var c = proof[next];
            if (sn == 0) return false;
            if ((fn & 1) == 1 || fn == sn)
            {
                fr = NodeHash(c, fr);
                sr = NodeHash(c, sr);
                while ((fn & 1) == 0 && fn != 0) { fn >>= 1; sn >>= 1; }
            }
            else sr = NodeHash(sr, c);
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && fr == oldRoot && sr == newRoot;
    }

    // k of RFC 9162 2.1: the largest power of two smaller than n, n ≥ 2.
    static long LargestPowerBelow(long n) => 1L << BitOperations.Log2((ulong)(n - 1));
}
