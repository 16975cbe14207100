using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>What a carrier reported of a copy. Never changed.</summary>
internal sealed record ReportRow
{
    public required Guid Parcel { get; init; }
    public required ReportedAction Action { get; init; }
    public required string Code { get; init; }
    public required long At { get; init; }
    /// <summary>Entry of the same commit.</summary>
    public required Digest Leaf { get; init; }
}

/// <summary>A copy that somebody reports about, found by its neutral name alone.</summary>
internal sealed record ReportedParcel
{
    public required string Office { get; init; }
    public required Digest Key { get; init; }
    public required ParcelState State { get; init; }
    public required string Channel { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
}

internal static class ReportTable
{
    const string Columns = "parcel, action, code, at, leaf";

    /// <summary>For whoever writes down a report; nobody else asks without an office.</summary>
    public static ReportedParcel? About(Source source, Guid parcel) => source.One<ReportedParcel>(
        "SELECT p.office, p.key, p.state, p.channel, d.sender, d.envelope, d.ctx FROM parcel p JOIN dispatch d ON d.id = p.dispatch WHERE p.id = @parcel", new { parcel });

    /// <summary>Whether the same was reported since the copy was last sent.</summary>
    public static bool Has(Source source, ReportRow row, long since) =>
        source.One<long>("SELECT EXISTS (SELECT 1 FROM report WHERE parcel = @Parcel AND action = @Action AND code = @Code AND at >= @since)", new { row.Parcel, row.Action, row.Code, since }) == 1;

    /// <summary>Inserts at once, so that the same of the same batch is found.</summary>
    public static void Add(Batch b, ReportRow row) => b.Execute($"INSERT INTO report ({Columns}) VALUES (@Parcel, @Action, @Code, @At, @Leaf)", row);

    /// <summary>The newest since then.</summary>
    public static ReportRow? Newest(Source source, Guid parcel, long since) =>
        source.One<ReportRow>($"SELECT {Columns} FROM report WHERE parcel = @parcel AND at >= @since ORDER BY at DESC, rowid DESC LIMIT 1", new { parcel, since });

    /// <summary>All of a copy, oldest first.</summary>
    public static IReadOnlyList<ReportRow> Of(Source source, Guid parcel) => source.Query<ReportRow>($"SELECT {Columns} FROM report WHERE parcel = @parcel ORDER BY at, rowid", new { parcel });
}
