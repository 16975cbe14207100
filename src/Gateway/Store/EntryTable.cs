using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>An entry of the ledger as stored. Never changed, never deleted.</summary>
internal sealed record EntryRow
{
    /// <summary>Index in the tree, from 0, without gaps.</summary>
    public required long Seq { get; init; }
    public required Digest Hash { get; init; }
    public required Digest Leaf { get; init; }
    public required EntryKind Kind { get; init; }
    public required Guid? Subject { get; init; }
    /// <summary>b.Now of its batch.</summary>
    public required long Time { get; init; }
}

/// <summary>Salt and detail, kept apart from the entry: shown by clearance, erased by deleting.</summary>
internal sealed record EntryDetail(byte[] Salt, byte[] Detail);

internal static class EntryTable
{
    public static EntryRow? Find(Source source, Digest leaf) => throw new NotImplementedException();
    public static EntryDetail? Detail(Source source, long seq) => throw new NotImplementedException();
}
