using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>A copy that nobody took in time.</summary>
internal sealed record ExpiringParcel
{
    public required Guid Parcel { get; init; }
    public required Guid Dispatch { get; init; }
    public required string Office { get; init; }
    public required Digest Key { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
    public required Digest ManifestDigest { get; init; }
}

internal static class ParcelExpiry
{
    /// <summary>Copies available or queued whose dispatch may no longer be delivered, any office, oldest first; not those that a worker carries at this moment.</summary>
    public static IReadOnlyList<ExpiringParcel> Due(Source source, long now, int limit) => source.Query<ExpiringParcel>(
        """
        SELECT p.id AS parcel, p.dispatch, p.office, p.key, d.sender, d.envelope, d.ctx, d.manifest_digest
        FROM parcel p JOIN dispatch d ON d.id = p.dispatch
        WHERE p.state = 1 AND d.expires <= @now
        UNION ALL
        SELECT p.id AS parcel, p.dispatch, p.office, p.key, d.sender, d.envelope, d.ctx, d.manifest_digest
        FROM parcel p JOIN dispatch d ON d.id = p.dispatch JOIN job j ON j.parcel = p.id
        WHERE p.state = 7 AND j.state = 0 AND d.expires <= @now
        ORDER BY parcel LIMIT @limit
        """, new { now, limit });
}
