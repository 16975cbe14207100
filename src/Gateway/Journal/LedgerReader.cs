using Exchange.Crypto;

namespace Exchange.Gateway.Journaling;

internal sealed record InclusionProof(long Index, long Size, IReadOnlyList<Digest> Proof);

/// <summary>What anyone may ask of the ledger. Nothing beyond the newest published checkpoint is shown.</summary>
internal sealed class LedgerReader
{
    /// <summary>null: none yet.</summary>
    public PublishedCheckpoint? Newest => throw new NotImplementedException();
    /// <summary>C2SP tile: width hashes of 32 bytes. null: not (yet) there.</summary>
    public byte[]? Tile(int level, long index, int width) => throw new NotImplementedException();
    /// <summary>C2SP entry bundle: each entry as uint16 length ‖ bytes. null: not (yet) there.</summary>
    public byte[]? EntryBundle(long index, int width) => throw new NotImplementedException();
    /// <summary>null: no such leaf within this size (null: of the newest checkpoint).</summary>
    public InclusionProof? Inclusion(Digest leaf, long? size) => throw new NotImplementedException();
    /// <summary>null: sizes out of range.</summary>
    public IReadOnlyList<Digest>? Consistency(long from, long to) => throw new NotImplementedException();
}
