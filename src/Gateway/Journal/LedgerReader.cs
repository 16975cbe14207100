using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Journaling;

internal sealed record InclusionProof(long Index, long Size, IReadOnlyList<Digest> Proof);

/// <summary>What anyone may ask of the ledger. Nothing beyond the newest published checkpoint is shown: it might never be signed.</summary>
internal sealed class LedgerReader(IEngine engine, Checkpoints checkpoints)
{
    /// <summary>null: none yet.</summary>
    public PublishedCheckpoint? Newest => checkpoints.Newest;

    /// <summary>Every published head; null: nobody may ask for them here.</summary>
    public KeptNotes? Notes { get; init; }

    /// <summary>The entry with which this ledger begins under its name; null: it follows no other.</summary>
    public SuccessionRow? Succession { get; init; }

    long Size => checkpoints.Newest?.Size ?? 0;

    /// <summary>C2SP tile: width hashes of 32 bytes. null: not (yet) there.</summary>
    public byte[]? Tile(int level, long index, int width)
    {
        if (width < 1 || Tiles.WidthAt(level, index, Size) < width) return null;
        using var reader = engine.Reader();
        return TileTable.ReaderOf(reader)(level, index, width).ToArray();
    }

    /// <summary>C2SP entry bundle: each entry as uint16 length ‖ bytes. null: not (yet) there.</summary>
    public byte[]? EntryBundle(long index, int width)
    {
        if (width < 1 || Tiles.WidthAt(0, index, Size) < width) return null;
        using var reader = engine.Reader();
        return Crypto.Ledger.EntryBundle.Write(EntryTable.Hashes(reader, index * Tiles.Width, width));
    }

    /// <summary>null: no such leaf within this size (null: of the newest checkpoint).</summary>
    public InclusionProof? Inclusion(Digest leaf, long? size)
    {
        var within = size ?? Size;
        if (within < 1 || within > Size) return null;
        using var reader = engine.Reader();
        if (EntryTable.Find(reader, leaf) is not { } entry || entry.Seq >= within) return null;
        return new InclusionProof(entry.Seq, within, Tiles.InclusionProof(entry.Seq, within, TileTable.ReaderOf(reader)));
    }

    /// <summary>null: sizes out of range.</summary>
    public IReadOnlyList<Digest>? Consistency(long from, long to)
    {
        if (from < 0 || from > to || to > Size) return null;
        using var reader = engine.Reader();
        return Tiles.ConsistencyProof(from, to, TileTable.ReaderOf(reader));
    }
}
