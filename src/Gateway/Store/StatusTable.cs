using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>What an office said about its copy. Never changed.</summary>
internal sealed record StatusRow
{
    public required Guid Parcel { get; init; }
    /// <summary>The office's own number.</summary>
    public required long Sequence { get; init; }
    /// <summary>Sender of the envelope.</summary>
    public required string Sender { get; init; }
    public required string Code { get; init; }
    public required string? Reason { get; init; }
    /// <summary>Of the statement.</summary>
    public required Digest Ref { get; init; }
    /// <summary>When the office said it, by its clock.</summary>
    public required long Time { get; init; }
    public required long ReceivedAt { get; init; }
    /// <summary>Entry of the same commit.</summary>
    public required Digest Leaf { get; init; }
    /// <summary>SHA-256 of <see cref="Der"/>.</summary>
    public required Digest Sha256 { get; init; }
    public required byte[] Der { get; init; }
}

/// <summary>A status as its sender reads it; of an erased dispatch nobody does.</summary>
internal sealed record SaidStatus
{
    /// <summary>Place among all statuses of this sender, from 1.</summary>
    public required long N { get; init; }
    public required Guid Parcel { get; init; }
    /// <summary>Header id.</summary>
    public required Guid Envelope { get; init; }
    public required string Office { get; init; }
    public required long Sequence { get; init; }
    public required string Code { get; init; }
    public required string? Reason { get; init; }
    public required long Time { get; init; }
    public required long ReceivedAt { get; init; }
    public required byte[] Der { get; init; }
}

internal static class StatusTable
{
    const string Columns = "parcel, sequence, sender, code, reason, ref, time, received_at, leaf, sha256, der";
    const string Said = "s.n, s.parcel, d.envelope, p.office, s.sequence, s.code, s.reason, s.time, s.received_at, s.der FROM status s JOIN parcel p ON p.id = s.parcel JOIN dispatch d ON d.id = p.dispatch AND NOT EXISTS (SELECT 1 FROM erasure x WHERE x.id = d.id)";

    /// <summary>Inserts at once, as the sender's newest. False: the copy has a status of this number; nothing was changed.</summary>
    public static bool TryAdd(Batch b, StatusRow row) => b.Execute(
        $"""
        INSERT INTO status ({Columns}, n) SELECT @Parcel, @Sequence, @Sender, @Code, @Reason, @Ref, @Time, @ReceivedAt, @Leaf, @Sha256, @Der, (SELECT coalesce(max(n), 0) + 1 FROM status WHERE sender = @Sender)
        WHERE NOT EXISTS (SELECT 1 FROM status WHERE parcel = @Parcel AND sequence = @Sequence)
        """, row) == 1;

    /// <summary>Of one's own copy.</summary>
    public static StatusRow? Find(Source source, string office, Guid parcel, long sequence) => source.One<StatusRow>(
        $"SELECT {Columns} FROM status WHERE parcel = @parcel AND sequence = @sequence AND EXISTS (SELECT 1 FROM parcel WHERE id = @parcel AND office = @office)", new { office, parcel, sequence });

    /// <summary>All of one's own copy, by number.</summary>
    public static IReadOnlyList<SaidStatus> OfParcel(Source source, string office, Guid parcel) =>
        source.Query<SaidStatus>($"SELECT {Said} WHERE s.parcel = @parcel AND p.office = @office ORDER BY s.sequence", new { office, parcel });

    /// <summary>All about one's own dispatch, copy by copy in header order, by number.</summary>
    public static IReadOnlyList<SaidStatus> OfDispatch(Source source, string sender, Guid dispatch) =>
        source.Query<SaidStatus>($"SELECT {Said} WHERE p.dispatch = @dispatch AND d.sender = @sender ORDER BY s.parcel, s.sequence", new { sender, dispatch });

    /// <summary>Everything, for the check.</summary>
    public static IEnumerable<StatusRow> Walk(Source source) => source.Walk<StatusRow>($"SELECT {Columns} FROM status ORDER BY sender, n");

    /// <summary>About any dispatch of this sender, in the order in which they came, after this place.</summary>
    public static IReadOnlyList<SaidStatus> After(Source source, string sender, long n, int limit) =>
        source.Query<SaidStatus>($"SELECT {Said} WHERE s.sender = @sender AND s.n > @n ORDER BY s.n LIMIT @limit", new { sender, n, limit });
}
