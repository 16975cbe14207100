using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>A header, checked and permitted once, whose payload is awaited. Decided again when that has come.</summary>
internal sealed record UploadRow
{
    /// <summary>Becomes the dispatch id.</summary>
    public required Guid Id { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
    public required Digest ManifestDigest { get; init; }
    /// <summary>Bytes on the wire.</summary>
    public required long PayloadBytes { get; init; }
    public required long CreatedAt { get; init; }
    /// <summary>When it is given up.</summary>
    public required long ExpiresAt { get; init; }
    public required byte[] Header { get; init; }
    public required byte[] Approvals { get; init; }
    public required byte[] Manifest { get; init; }
}

/// <summary>All changes here are QuietKind.UploadProgress: nothing has been promised yet.</summary>
internal static class UploadTable
{
    /// <summary>False: this sender already has an upload with this envelope id.</summary>
    public static bool TryAdd(Batch b, UploadRow row) => throw new NotImplementedException();
    public static UploadRow? Find(Source source, string sender, Guid envelope) => throw new NotImplementedException();
    /// <summary>Gone: accepted, refused or given up.</summary>
    public static void Remove(Batch b, Guid id) => throw new NotImplementedException();
    /// <summary>Those whose time ran out, oldest first.</summary>
    public static IReadOnlyList<UploadRow> Expired(Source source, long now, int limit) => throw new NotImplementedException();
    /// <summary>Bytes awaited of this office: its quota.</summary>
    public static long BytesAwaited(Source source, string sender) => throw new NotImplementedException();
}
