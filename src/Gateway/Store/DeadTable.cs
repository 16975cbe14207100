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
}
