using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>An accepted envelope. Never changed, but that its payload may be erased, or all of it: then its bytes are zeros.</summary>
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
    /// <summary>End of protection that the author's label states, Unix milliseconds; null: the law's.</summary>
    public long? Term { get; init; }
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
    /// <summary>Unix milliseconds; null: the payload is kept.</summary>
    public long? PayloadErasedAt { get; init; }
    /// <summary>When its erasure began, Unix milliseconds; null: it is kept.</summary>
    public long? ErasedAt { get; init; }
    /// <summary>Bytes of the file form.</summary>
    public long Size => Header.Length + Approvals.Length + Manifest.Length + (PayloadBytes ?? 0);
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
    /// <summary>When its erasure began, Unix milliseconds; null: it is kept.</summary>
    public long? ErasedAt { get; init; }
}

/// <summary>Which dispatch a header is of.</summary>
internal sealed record DispatchHeader
{
    public required Guid Id { get; init; }
    public required byte[] Header { get; init; }
}

internal static class DispatchTable
{
    /// <summary>null: no dispatch of this id.</summary>
    public static Guid? EnvelopeOf(Source source, Guid id) => source.One<Guid?>("SELECT envelope FROM dispatch WHERE id = @id", new { id });

    internal static readonly RowShape<DispatchRow> Shape = new("dispatch",
        ["id", "sender", "envelope", "ctx", "manifest_digest", "class", "urgency", "received_at", "expires", "term", "decision", "payload_bytes", "size",
            "header", "approvals", "manifest", "payload"],
        d => [d.Id, d.Sender, d.Envelope, d.Ctx, d.ManifestDigest, d.Class, d.Urgency, d.ReceivedAt, d.Expires, d.Term, d.Decision, d.PayloadBytes, d.Size,
            d.Header, d.Approvals, d.Manifest, d.Payload]);
    const string Short = "id, sender, envelope, ctx, manifest_digest, class, urgency, received_at, expires, payload_bytes, (SELECT x.begun_at FROM erasure x WHERE x.id = dispatch.id) AS erased_at";
    const string Long = Short + ", term, decision, header, approvals, manifest, payload, payload_erased_at";

    /// <summary>Inserts at once. False: this sender already has a dispatch with this envelope id; nothing was changed.</summary>
    public static bool TryAdd(Batch b, DispatchRow row)
    {
        if (Find(b, row.Sender, row.Envelope) is not null) return false;
        b.Insert(Shape, row);
        return true;
    }

    public static DispatchSummary? Find(Source source, string sender, Guid envelope) =>
        source.OneWritten<DispatchSummary>($"SELECT {Short} FROM dispatch WHERE sender = @sender AND envelope = @envelope", new { sender, envelope });

    /// <summary>One's own dispatch by the gateway's id.</summary>
    public static DispatchSummary? Of(Source source, string sender, Guid id) => source.One<DispatchSummary>($"SELECT {Short} FROM dispatch WHERE id = @id AND sender = @sender", new { id, sender });

    /// <summary>The sender's dispatches in the order of arrival, after the one with this envelope id (null: from the first).</summary>
    public static IReadOnlyList<DispatchSummary> List(Source source, string sender, Guid? afterEnvelope, int limit) => source.Query<DispatchSummary>(
        $"""
        SELECT {Short} FROM dispatch
        WHERE sender = @sender AND id > coalesce((SELECT id FROM dispatch WHERE sender = @sender AND envelope = @afterEnvelope), x'')
        ORDER BY id LIMIT @limit
        """, new { sender, afterEnvelope, limit });

    /// <summary>Everything of one's own dispatch.</summary>
    /// <exception cref="RefusedException">PayloadErased: all of it was.</exception>
    public static DispatchRow? Read(Source source, string sender, Guid envelope) =>
        Kept(source.One<DispatchRow>($"SELECT {Long} FROM dispatch WHERE sender = @sender AND envelope = @envelope", new { sender, envelope }));

    /// <summary>The dispatch of a parcel, for the office whose parcel it is.</summary>
    /// <exception cref="RefusedException">PayloadErased: all of it was.</exception>
    public static DispatchRow? ReadOfParcel(Source source, string office, Guid parcel) => Kept(source.One<DispatchRow>(
        $"SELECT {Long} FROM dispatch WHERE id = (SELECT dispatch FROM parcel WHERE id = @parcel AND office = @office)", new { office, parcel }));

    static DispatchRow? Kept(DispatchRow? row) => row is { ErasedAt: not null } ? throw ErasureTable.Refused() : row;

    const string IsKept = "NOT EXISTS (SELECT 1 FROM erasure x WHERE x.id = d.id)";

    /// <summary>The header of a dispatch that this office sent or has a copy of; to anybody else, and once it is erased, it is not there.</summary>
    public static DispatchHeader? HeaderOf(Source source, string office, Digest ctx) => source.One<DispatchHeader>(
        $"SELECT id, header FROM dispatch d WHERE ctx = @ctx AND (sender = @office OR EXISTS (SELECT 1 FROM parcel p WHERE p.dispatch = d.id AND p.office = @office)) AND {IsKept}", new { office, ctx });

    /// <summary>The header of one's own dispatch; null also once it is erased.</summary>
    public static DispatchHeader? HeaderOf(Source source, string sender, Guid envelope) =>
        source.One<DispatchHeader>($"SELECT id, header FROM dispatch d WHERE sender = @sender AND envelope = @envelope AND {IsKept}", new { sender, envelope });

    /// <summary>Whether a dispatch that keeps its payload, a held submission or an awaited upload has this id: then its blob is no orphan.</summary>
    public static bool IsNamed(Source source, Guid id) => source.One<long>(
        """
        SELECT EXISTS (SELECT 1 FROM dispatch d WHERE id = @id AND payload_erased_at IS NULL AND NOT EXISTS (SELECT 1 FROM erasure x WHERE x.id = d.id)) OR EXISTS (SELECT 1 FROM held WHERE id = @id AND state = 1)
            OR EXISTS (SELECT 1 FROM upload WHERE id = @id)
        """, new { id }) == 1;

    /// <summary>Everything, for the check.</summary>
    public static IEnumerable<DispatchRow> Walk(Source source) => source.Walk<DispatchRow>($"SELECT {Long} FROM dispatch ORDER BY id");

    /// <summary>Every payload that is kept: bytes expected, and bytes in the row (null: it is a blob).</summary>
    public static IEnumerable<(Guid Id, long Expected, long? Inline)> Payloads(Source source) =>
        source.Walk<PayloadLengths>(
            """
            SELECT id, payload_bytes, length(payload) AS inline FROM dispatch d WHERE payload_bytes IS NOT NULL AND payload_erased_at IS NULL AND NOT EXISTS (SELECT 1 FROM erasure x WHERE x.id = d.id)
            UNION ALL SELECT id, payload_bytes, length(payload) AS inline FROM held WHERE payload_bytes IS NOT NULL AND state = 1
            """)
            .Select(p => (p.Id, p.PayloadBytes, p.Inline));

    sealed record PayloadLengths
    {
        public required Guid Id { get; init; }
        public required long PayloadBytes { get; init; }
        public required long? Inline { get; init; }
    }
}
