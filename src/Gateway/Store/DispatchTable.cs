using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>An accepted envelope. Never changed.</summary>
internal sealed record DispatchRow
{
    /// <summary>The gateway's own UUIDv7: names the blob, orders the list.</summary>
    public required Guid Id { get; init; }
    /// <summary>Office code; unique for ever together with <see cref="Envelope"/>.</summary>
    public required string Sender { get; init; }
    /// <summary>Header id.</summary>
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
    public required Digest ManifestDigest { get; init; }
    public required int Class { get; init; }
    public required int Urgency { get; init; }
    /// <summary>T of the receipt, Unix milliseconds.</summary>
    public required long ReceivedAt { get; init; }
    /// <summary>Unix milliseconds.</summary>
    public required long Expires { get; init; }
    /// <summary>Key of the decision record.</summary>
    public required Digest Decision { get; init; }
    /// <summary>Bytes on the wire; null: no payload.</summary>
    public required long? PayloadBytes { get; init; }
    public required byte[] Header { get; init; }
    /// <summary>Approvals' DER, concatenated; empty: none.</summary>
    public required byte[] Approvals { get; init; }
    public required byte[] Manifest { get; init; }
    /// <summary>The payload itself up to <see cref="BlobStore.InlineLimit"/> bytes; null: none, or in the blob store under <see cref="Id"/>.</summary>
    public required byte[]? Payload { get; init; }
}

/// <summary>A dispatch without its bytes.</summary>
internal sealed record DispatchSummary
{
    public required Guid Id { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
    public required Digest ManifestDigest { get; init; }
    public required int Class { get; init; }
    public required int Urgency { get; init; }
    public required long ReceivedAt { get; init; }
    public required long Expires { get; init; }
    public required long? PayloadBytes { get; init; }
}

internal static class DispatchTable
{
    /// <summary>Inserts at once. False: this sender already has a dispatch with this envelope id; nothing was changed.</summary>
    public static bool TryAdd(Batch b, DispatchRow row) => throw new NotImplementedException();

    public static DispatchSummary? Find(Source source, string sender, Guid envelope) => throw new NotImplementedException();

    /// <summary>The sender's dispatches in the order of arrival, after the one with this envelope id (null: from the first).</summary>
    public static IReadOnlyList<DispatchSummary> List(Source source, string sender, Guid? afterEnvelope, int limit) => throw new NotImplementedException();

    /// <summary>Everything of one's own dispatch.</summary>
    public static DispatchRow? Read(Source source, string sender, Guid envelope) => throw new NotImplementedException();

    /// <summary>The dispatch of a parcel, for the office whose parcel it is.</summary>
    public static DispatchRow? ReadOfParcel(Source source, string office, Guid parcel) => throw new NotImplementedException();
}
