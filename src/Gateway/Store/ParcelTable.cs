using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>States of one office's copy. It ends in exactly one of Delivered, Refused, Expired, Dead, Recalled. The number stands in the store.</summary>
internal enum ParcelState
{
    /// <summary>In the mailbox, for the office to fetch. A crash leaves it so.</summary>
    Available = 1,
    /// <summary>The office acknowledged all bytes (moved by its receipt).</summary>
    Delivered = 2,
    /// <summary>A decision made again said no (moved by release, retry or download).</summary>
    Refused = 3,
    /// <summary>Its time ran out.</summary>
    Expired = 4,
    /// <summary>Given up; may be sent again by an operator.</summary>
    Dead = 5,
    Recalled = 6,
    /// <summary>A job carries it to the office.</summary>
    Queued = 7,
}

/// <summary>One office's copy: its permanent state. There is one for each recipient of role "to" or "cc"; "self" and "recovery" only hold keys and get none.</summary>
internal sealed record ParcelRow
{
    /// <summary>UUIDv7.</summary>
    public required Guid Id { get; init; }
    public required Guid Dispatch { get; init; }
    public required string Office { get; init; }
    /// <summary>Recipient key in the header.</summary>
    public required Digest Key { get; init; }
    public required string Role { get; init; }
    public required ParcelState State { get; init; }
    /// <summary>The office's adapter at acceptance: "mailbox", "https", "folder".</summary>
    public required string Channel { get; init; }
    public required string? LastRefusal { get; init; }
    public required long CreatedAt { get; init; }
    public required long UpdatedAt { get; init; }
    /// <summary>End of its life, Unix milliseconds: header.expires, or sooner where a channel carries it and its class lives shorter.</summary>
    public required long Expires { get; init; }
    /// <summary>When the administrator is told that it is still not there; null: not at all, or told.</summary>
    public long? AlarmAt { get; init; }
    /// <summary>When its sender is; null: told.</summary>
    public long? HalfAt { get; init; }
    /// <summary>The first of the three.</summary>
    public long LookAt => Math.Min(Expires, Math.Min(AlarmAt ?? Expires, HalfAt ?? Expires));
}

/// <summary>A line of a mailbox.</summary>
internal sealed record MailboxItem
{
    public required Guid Parcel { get; init; }
    public required Guid Dispatch { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
    public required int Class { get; init; }
    public required int Urgency { get; init; }
    public required long ReceivedAt { get; init; }
    public required long Expires { get; init; }
    /// <summary>Bytes of the file form: header, approvals, manifest, payload.</summary>
    public required long Size { get; init; }
    public required ParcelState State { get; init; }
}

internal static class ParcelTable
{
    /// <summary>It has not ended yet.</summary>
    public static bool IsUnderWay(Source source, Guid id) => source.One<long>("SELECT EXISTS (SELECT 1 FROM parcel WHERE id = @id AND state IN (1, 7))", new { id }) == 1;

    internal static readonly RowShape<ParcelRow> Shape = new("parcel",
        ["id", "dispatch", "office", "key", "role", "state", "channel", "last_refusal", "created_at", "updated_at", "expires", "alarm_at", "half_at", "look_at"],
        p => [p.Id, p.Dispatch, p.Office, p.Key, p.Role, p.State, p.Channel, p.LastRefusal, p.CreatedAt, p.UpdatedAt, p.Expires, p.AlarmAt, p.HalfAt, p.LookAt]);
    const string Columns = "id, dispatch, office, key, role, state, channel, last_refusal, created_at, updated_at, expires, alarm_at, half_at";

    public static ParcelRow? Find(Source source, string office, Guid parcel) =>
        source.One<ParcelRow>($"SELECT {Columns} FROM parcel WHERE id = @parcel AND office = @office", new { office, parcel });

    /// <summary>All copies of a dispatch, whosever.</summary>
    public static IReadOnlyList<Guid> IdsOf(Source source, Guid dispatch) => source.Query<Guid>("SELECT id FROM parcel WHERE dispatch = @dispatch", new { dispatch });

    /// <summary>Whether a job carries it.</summary>
    public static bool IsQueued(Source source, Guid parcel) => source.One<long>("SELECT EXISTS (SELECT 1 FROM parcel WHERE id = @parcel AND state = 7)", new { parcel }) == 1;

    /// <summary>The office's copies in the order of arrival, after this parcel (null: from the first); only those available unless all.</summary>
    public static IReadOnlyList<MailboxItem> Mailbox(Source source, string office, Guid? after, int limit, bool all = false) => source.Query<MailboxItem>(
        $"""
        SELECT p.id AS parcel, p.state, d.id AS dispatch, d.sender, d.envelope, d.ctx, d.class, d.urgency, d.received_at, d.expires, d.size
        FROM parcel p JOIN dispatch d ON d.id = p.dispatch
        WHERE p.office = @office AND p.id > coalesce(@after, x'') {(all ? "" : "AND p.state = 1")}
        ORDER BY p.id LIMIT @limit
        """, new { office, after, limit });

    /// <summary>Copies of the sender's own dispatch, in header order (their ids rise in it).</summary>
    public static IReadOnlyList<ParcelRow> OfDispatch(Source source, string sender, Guid dispatch) => source.Query<ParcelRow>(
        $"""
        SELECT {Columns} FROM parcel
        WHERE dispatch = @dispatch AND EXISTS (SELECT 1 FROM dispatch WHERE id = @dispatch AND sender = @sender)
        ORDER BY id
        """, new { sender, dispatch });

    /// <summary>Moves the parcel if it still is in the state expected. False: it is not; nothing was changed.</summary>
    public static bool Move(Batch b, Guid parcel, ParcelState from, ParcelState to, string? refusal = null) => b.Execute(
        "UPDATE parcel SET state = @to, last_refusal = coalesce(@refusal, last_refusal), updated_at = @now WHERE id = @parcel AND state = @from",
        new { parcel, from, to, refusal, now = b.Now.ToUnixTimeMilliseconds() }) == 1;
}
