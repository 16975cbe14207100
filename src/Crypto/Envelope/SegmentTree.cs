using System.Security.Cryptography;

namespace Exchange.Crypto.Envelope;

/// <summary>
/// RFC 9162 section 2.1.1 over segments, one leaf at a time in logarithmic memory: leaf = SHA-256(00 ‖ ciphertext ‖ tag), node = SHA-256(01 ‖ left ‖ right).
/// A payload has at least one leaf, so the empty tree does not occur.
/// </summary>
sealed class SegmentTree
{
    // Roots of perfect subtrees, largest first; sizes are the binary digits of the count.
    readonly Stack<Digest> roots = new();
    long count;

    /// <summary>Hash of a segment as it stands on the wire.</summary>
    public static Digest Leaf(ReadOnlySpan<byte> wire)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([0]);
        hash.AppendData(wire);
        Span<byte> leaf = stackalloc byte[Digest.Size];
        hash.GetHashAndReset(leaf);
        return new Digest(leaf);
    }

    public void Add(Digest leaf)
    {
        for (var size = count; (size & 1) == 1; size >>= 1) leaf = Node(roots.Pop(), leaf);
        roots.Push(leaf);
        count++;
    }

    public Digest Root()
    {
        if (count == 0) throw new InvalidOperationException("A payload has at least one segment.");
        var rest = new Stack<Digest>(roots.Reverse());
        var root = rest.Pop();
        while (rest.Count > 0) root = Node(rest.Pop(), root);
        return root;
    }

    static Digest Node(Digest left, Digest right)
    {
        Span<byte> text = stackalloc byte[1 + 2 * Digest.Size];
        text[0] = 1;
        left.CopyTo(text[1..]);
        right.CopyTo(text[(1 + Digest.Size)..]);
        return Digest.Of(text);
    }
}
