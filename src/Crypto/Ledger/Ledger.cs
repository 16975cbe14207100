namespace Exchange.Crypto.Ledger;

/// <summary>
/// An entry: 32 bytes on the tree, SHA-256(salt(32) ‖ detail), and apart from it the salt and the detail (RFC 8785 JSON with v, kind, time …), which
/// can be shown by clearance and erased. leaf = SHA-256(00 ‖ entry).
/// </summary>
public sealed record LedgerEntry(byte[] Salt, byte[] Detail)
{
    /// <summary>A fresh random salt for this detail.</summary>
    public static LedgerEntry Create(byte[] detail) => throw new NotImplementedException();
    /// <summary>SHA-256(salt ‖ detail): the 32 bytes logged.</summary>
    public Digest Hash => throw new NotImplementedException();
    /// <summary>SHA-256(00 ‖ Hash).</summary>
    public Digest Leaf => throw new NotImplementedException();
}

/// <summary>RFC 9162 section 2.1 over leaf hashes. Pure; hostile proofs give false.</summary>
public static class MerkleTree
{
    public static Digest LeafHash(ReadOnlySpan<byte> entry) => throw new NotImplementedException();
    public static Digest NodeHash(Digest left, Digest right) => throw new NotImplementedException();
    /// <summary>Root of these leaf hashes; SHA-256 of nothing for none.</summary>
    public static Digest Root(IReadOnlyList<Digest> leaves) => throw new NotImplementedException();
    public static bool VerifyInclusion(Digest leaf, long index, long size, IReadOnlyList<Digest> proof, Digest root) => throw new NotImplementedException();
    public static bool VerifyConsistency(long oldSize, Digest oldRoot, long newSize, Digest newRoot, IReadOnlyList<Digest> proof) => throw new NotImplementedException();
}
