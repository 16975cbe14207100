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

/// <summary>Changes that touch only this table are QuietKind.UploadProgress: nothing has been promised yet.</summary>
internal static class UploadTable
{
    static readonly RowShape<UploadRow> Shape = new("upload",
        ["id", "sender", "envelope", "ctx", "manifest_digest", "payload_bytes", "created_at", "expires_at", "header", "approvals", "manifest"],
        u => [u.Id, u.Sender, u.Envelope, u.Ctx, u.ManifestDigest, u.PayloadBytes, u.CreatedAt, u.ExpiresAt, u.Header, u.Approvals, u.Manifest]);
    const string Columns = "id, sender, envelope, ctx, manifest_digest, payload_bytes, created_at, expires_at, header, approvals, manifest";

    /// <summary>False: this sender already has an upload with this envelope id.</summary>
    public static bool TryAdd(Batch b, UploadRow row)
    {
        b.Quiet(QuietKind.UploadProgress);
        if (Find(b, row.Sender, row.Envelope) is not null) return false;
        b.Insert(Shape, row);
        return true;
    }

    public static UploadRow? Find(Source source, string sender, Guid envelope) =>
        source.OneWritten<UploadRow>($"SELECT {Columns} FROM upload WHERE sender = @sender AND envelope = @envelope", new { sender, envelope });

    /// <summary>Gone: accepted or refused (in the change that logs it) or given up (a quiet one). False: it was gone before.</summary>
    public static bool Remove(Batch b, Guid id) => b.Execute("DELETE FROM upload WHERE id = @id", new { id }) == 1;

    /// <summary>Those whose time ran out, oldest first.</summary>
    public static IReadOnlyList<UploadRow> Expired(Source source, long now, int limit) =>
        source.Query<UploadRow>($"SELECT {Columns} FROM upload WHERE expires_at <= @now ORDER BY expires_at LIMIT @limit", new { now, limit });

    public static bool IsAwaited(Source source, Guid id) => source.One<long>("SELECT EXISTS (SELECT 1 FROM upload WHERE id = @id)", new { id }) == 1;

    /// <summary>How many are awaited; stops counting at so many.</summary>
    public static long Awaited(Source source, int limit) => source.One<long>("SELECT count(*) FROM (SELECT expires_at FROM upload INDEXED BY upload_expires LIMIT @limit)", new { limit });

    /// <summary>Bytes awaited of this office: its quota.</summary>
    public static long BytesAwaited(Source source, string sender) =>
        source.One<long>("SELECT coalesce(sum(payload_bytes), 0) FROM upload WHERE sender = @sender", new { sender });
}
