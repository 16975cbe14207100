using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>A copy that was given up and about which nobody has decided yet. Its parcel, attempts, receipts and payload stay; the row goes when it is redriven or discarded.</summary>
internal sealed record DeadRow
{
    public required Guid Parcel { get; init; }
    public required string Office { get; init; }
    /// <summary>Refusal code.</summary>
    public required string Reason { get; init; }
    public required long DiedAt { get; init; }
    /// <summary>Highest fence that was given; a job made of it again goes on from here.</summary>
    public required long Fence { get; init; }
}

internal static class DeadTable
{
    const string Columns = "parcel, office, reason, died_at, fence";

    public static void Add(Batch b, DeadRow row) =>
        b.Execute($"INSERT INTO dead ({Columns}) VALUES (@Parcel, @Office, @Reason, @DiedAt, @Fence)", row);

    public static DeadRow? Find(Source source, Guid parcel) => source.One<DeadRow>($"SELECT {Columns} FROM dead WHERE parcel = @parcel", new { parcel });

    /// <summary>Nobody has decided about them yet.</summary>
    public static long Count(Source source) => source.One<long>("SELECT count(*) FROM dead");

    /// <summary>False: somebody has decided about it before.</summary>
    public static bool Remove(Batch b, Guid parcel) => b.Execute("DELETE FROM dead WHERE parcel = @parcel", new { parcel }) == 1;

    /// <summary>Dead copies of an office and with a reason (null: of all, with any), or exactly these, oldest first.</summary>
    public static IReadOnlyList<DeadCopy> Matching(Source source, string? office, string? reason, IReadOnlyCollection<Guid>? parcels, int limit) => parcels is null
        ? source.Query<DeadCopy>($"{Copies} WHERE (@office IS NULL OR d.office = @office) AND (@reason IS NULL OR d.reason = @reason) ORDER BY d.died_at, d.parcel LIMIT @limit", new { office, reason, limit })
        : [.. parcels.Take(limit).SelectMany(parcel => source.Query<DeadCopy>($"{Copies} WHERE d.parcel = @parcel", new { parcel }))];

    static readonly string Copies =
        $"""
        SELECT d.parcel, d.office, d.reason, d.died_at, d.fence, p.key, e.id AS dispatch, e.sender, e.envelope, e.ctx, e.expires, coalesce((SELECT max(l.class) FROM label_change l WHERE l.dispatch = {LabelTable.BearerOf("e.id")}), e.class) AS class, e.class AS signed_class
        FROM dead d JOIN parcel p ON p.id = d.parcel JOIN dispatch e ON e.id = p.dispatch
        """;

    /// <summary>By office and reason, from the index; stops counting at so many.</summary>
    public static IReadOnlyList<DeadGroup> Groups(Source source, int limit) => source.Query<DeadGroup>(
        "SELECT office, reason, count(*) AS copies, min(died_at) AS oldest FROM (SELECT office, reason, died_at FROM dead ORDER BY office, reason, died_at LIMIT @limit) GROUP BY office, reason", new { limit });

    /// <summary>A new life for a copy that is dead: its parcel is queued again.</summary>
    public static bool Revive(Batch b, Guid parcel, long expires, long? half) => Remove(b, parcel)
        && (ParcelTable.Move(b, parcel, ParcelState.Dead, ParcelState.Queued) ? true : throw new InvalidOperationException("A row in dead of a parcel that is not."))
        && b.Execute("UPDATE parcel SET expires = @expires, alarm_at = NULL, half_at = @half, look_at = coalesce(@half, @expires) WHERE id = @parcel", new { parcel, expires, half }) == 1;
}

internal sealed record DeadGroup
{
    public required string Office { get; init; }
    public required string Reason { get; init; }
    public required long Copies { get; init; }
    public required long Oldest { get; init; }
}

/// <summary>A dead copy with what an entry about it says.</summary>
internal sealed record DeadCopy
{
    public required Guid Parcel { get; init; }
    public required string Office { get; init; }
    public required string Reason { get; init; }
    public required long DiedAt { get; init; }
    public required long Fence { get; init; }
    public required Digest Key { get; init; }
    public required Guid Dispatch { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
    /// <summary>header.expires.</summary>
    public required long Expires { get; init; }
    /// <summary>Highest class of a label that it was ever given by a change; without one, the author's.</summary>
    public required int Class { get; init; }
    /// <summary>The author's.</summary>
    public required int SignedClass { get; init; }
}
