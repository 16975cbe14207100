using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>A copy that ends, or is told about, and of what it is one.</summary>
internal record EndingParcel
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

/// <summary>A copy still owed whose alarm, half or end of life has come.</summary>
internal sealed record DueParcel : EndingParcel
{
    /// <summary>End of the copy's life.</summary>
    public required long Expires { get; init; }
    /// <summary>header.expires.</summary>
    public required long HeaderExpires { get; init; }
    public required long? AlarmAt { get; init; }
    public required long? HalfAt { get; init; }
}

/// <summary>A key to which some copy still waits.</summary>
internal sealed record WaitingKey
{
    public required string Office { get; init; }
    public required Digest Key { get; init; }
}

internal static class ParcelExpiry
{
    /// <summary>Every office and key to which a copy waits that no worker carries.</summary>
    public static IReadOnlyList<WaitingKey> Waiting(Source source) => source.Query<WaitingKey>(
        "SELECT DISTINCT p.office, p.key FROM parcel p WHERE p.state IN (1, 7) AND NOT EXISTS (SELECT 1 FROM job j WHERE j.parcel = p.id AND j.state = 1) ORDER BY p.office, p.key");

    /// <summary>Copies that wait sealed to this key, and that no worker carries.</summary>
    public static IReadOnlyList<EndingParcel> Of(Source source, string office, Digest key, int limit) => source.Query<EndingParcel>(
        """
        SELECT p.id AS parcel, p.dispatch, p.office, p.key, d.sender, d.envelope, d.ctx, d.manifest_digest FROM parcel p JOIN dispatch d ON d.id = p.dispatch
        WHERE p.office = @office AND p.key = @key AND p.state IN (1, 7) AND NOT EXISTS (SELECT 1 FROM job j WHERE j.parcel = p.id AND j.state = 1) ORDER BY p.id LIMIT @limit
        """, new { office, key, limit });

    /// <summary>Any office's, soonest first, by the index of what is looked at next; an end only while no worker carries the copy.</summary>
    public static IReadOnlyList<DueParcel> Due(Source source, long now, int limit) => source.Query<DueParcel>(
        """
        SELECT p.id AS parcel, p.dispatch, p.office, p.key, d.sender, d.envelope, d.ctx, d.manifest_digest, p.expires, d.expires AS header_expires, p.alarm_at, p.half_at
        FROM parcel p JOIN dispatch d ON d.id = p.dispatch
        WHERE p.state IN (1, 7) AND p.look_at <= @now AND (p.expires > @now OR NOT EXISTS (SELECT 1 FROM job j WHERE j.parcel = p.id AND j.state = 1))
        ORDER BY p.look_at LIMIT @limit
        """, new { now, limit });

    /// <summary>The administrator was told that a flash copy is still not there. False: told before, or it has ended.</summary>
    public static bool Alarmed(Batch b, Guid parcel) => b.Execute(
        "UPDATE parcel SET alarm_at = NULL, look_at = min(expires, coalesce(half_at, expires)) WHERE id = @parcel AND state IN (1, 7) AND alarm_at IS NOT NULL", new { parcel }) == 1;

    /// <summary>Flash copies that the administrator was told of and that are still not there.</summary>
    public static long LateFlash(Source source) => source.One<long>("SELECT count(*) FROM job j JOIN parcel p ON p.id = j.parcel WHERE j.class = 0 AND p.alarm_at IS NULL");

    /// <summary>The sender was told. False: told before, or it has ended.</summary>
    public static bool Told(Batch b, Guid parcel) => b.Execute(
        "UPDATE parcel SET half_at = NULL, look_at = min(expires, coalesce(alarm_at, expires)) WHERE id = @parcel AND state IN (1, 7) AND half_at IS NOT NULL", new { parcel }) == 1;

    /// <summary>Its office fetches it from now on: it waits until header.expires.</summary>
    public static void ToMailbox(Batch b, Guid parcel) => b.Execute(
        """
        UPDATE parcel SET expires = (SELECT d.expires FROM dispatch d WHERE d.id = parcel.dispatch),
            look_at = min((SELECT d.expires FROM dispatch d WHERE d.id = parcel.dispatch), coalesce(alarm_at, half_at, expires), coalesce(half_at, expires)) WHERE id = @parcel
        """, new { parcel });
}
