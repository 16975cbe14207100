using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>An accepted recall, update or replacement. Never changed.</summary>
internal sealed record RecallRow
{
    /// <summary>Its own dispatch.</summary>
    public required Guid Dispatch { get; init; }
    public required string Sender { get; init; }
    /// <summary>Header id of what it is about.</summary>
    public required Guid Target { get; init; }
    /// <summary>CTX of that.</summary>
    public required Digest Ref { get; init; }
    /// <summary>Of the header: "recall", "update" or "replace".</summary>
    public required string Kind { get; init; }
    public required int Revision { get; init; }
}

/// <summary>A recall as whoever answers it names it.</summary>
internal sealed record AskedBack
{
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
    public required int Revision { get; init; }
}

internal static class RecallTable
{
    static readonly RowShape<RecallRow> Shape = new("recall", ["dispatch", "sender", "target", "ref", "kind", "revision"], r => [r.Dispatch, r.Sender, r.Target, r.Ref, r.Kind, r.Revision]);

    public static void Add(Batch b, RecallRow row) => b.Insert(Shape, row);

    /// <summary>Highest revision about this envelope, but for one about it under this name; 0: none.</summary>
    public static int Highest(Source source, string sender, Guid target, Guid except) => source.One<int>(
        "SELECT coalesce(max(r.revision), 0) FROM recall r JOIN dispatch d ON d.id = r.dispatch WHERE r.sender = @sender AND r.target = @target AND d.envelope <> @except", new { sender, target, except });

    /// <summary>The sender has taken it back, or put another in its place: it is not accepted any more.</summary>
    public static bool IsRecalled(Source source, string sender, Guid target) =>
        source.OneWritten<long>("SELECT EXISTS (SELECT 1 FROM recall WHERE sender = @sender AND target = @target AND kind IN ('recall', 'replace'))", new { sender, target }) == 1;

    /// <summary>Another has been put in its place.</summary>
    public static bool IsReplaced(Source source, string sender, Guid target) =>
        source.OneWritten<long>("SELECT EXISTS (SELECT 1 FROM recall WHERE sender = @sender AND target = @target AND kind = 'replace')", new { sender, target }) == 1;

    /// <summary>What this dispatch does to an earlier one; null: nothing.</summary>
    public static RecallRow? Find(Source source, Guid dispatch) => source.One<RecallRow>("SELECT dispatch, sender, target, ref, kind, revision FROM recall WHERE dispatch = @dispatch", new { dispatch });

    /// <summary>Files that a copy was asked back.</summary>
    public static void Ask(Batch b, Guid parcel, Guid recall, bool inFlight) => b.Execute("INSERT INTO asked_back (parcel, recall, in_flight) VALUES (@parcel, @recall, @inFlight)", new { parcel, recall, inFlight });

    /// <summary>An attempt on it ended and nobody knows how, or one is under way: it may have left.</summary>
    public static bool MayHaveLeft(Source source, Guid parcel) => source.One<long>("SELECT EXISTS (SELECT 1 FROM job WHERE parcel = @parcel AND (state = 1 OR ask = 1))", new { parcel }) == 1;

    /// <summary>Why not a byte of this copy leaves any more: its sender took it back, or sends it again to another key; null: nothing stops it.</summary>
    public static Refusal? StoppedFor(Source source, Guid parcel) =>
        source.One<string?>("SELECT r.kind FROM asked_back a JOIN recall r ON r.dispatch = a.recall WHERE a.parcel = @parcel ORDER BY r.kind = 'update' LIMIT 1", new { parcel }) is { } kind ? Reason(kind) : null;

    /// <param name="kind">Of what stops a copy.</param>
    public static Refusal Reason(string kind) => kind == "update" ? Refusal.Resent : Refusal.Recalled;

    /// <summary>What asked this copy back, oldest first; an update asks nobody.</summary>
    public static IReadOnlyList<AskedBack> Of(Source source, Guid parcel) => source.Query<AskedBack>(
        "SELECT d.envelope, d.ctx, r.revision FROM asked_back a JOIN recall r ON r.dispatch = a.recall JOIN dispatch d ON d.id = a.recall WHERE a.parcel = @parcel AND r.kind <> 'update' ORDER BY r.revision", new { parcel });

    /// <summary>Envelopes by which the sender gave this dispatch to further offices.</summary>
    public static IReadOnlyList<(string Sender, Guid Envelope)> UpdatesOf(Source source, string sender, Guid target) =>
        [.. source.Query<Guid>("SELECT d.envelope FROM recall r JOIN dispatch d ON d.id = r.dispatch WHERE r.sender = @sender AND r.target = @target AND r.kind = 'update' ORDER BY d.id", new { sender, target }).Select(e => (sender, e))];

    /// <summary>Copies of a dispatch by whatever envelope an office has it: of the first, and of all updates of it.</summary>
    public static IReadOnlyList<ParcelRow> Copies(Source source, string sender, Guid target, Guid dispatch) =>
        [.. source.Query<Guid>("SELECT dispatch FROM recall WHERE sender = @sender AND target = @target AND kind = 'update' ORDER BY dispatch", new { sender, target }).Prepend(dispatch).SelectMany(d => ParcelTable.OfDispatch(source, sender, d))];

    /// <summary>Copies that were under way when they were asked back, and are not any more, and did not arrive: oldest first.</summary>
    public static IReadOnlyList<EndingParcel> Stopped(Source source, int limit) => source.Query<EndingParcel>(
        """
        SELECT DISTINCT p.id AS parcel, p.dispatch, p.office, p.key, d.sender, d.envelope, d.ctx, d.manifest_digest
        FROM asked_back a JOIN parcel p ON p.id = a.parcel JOIN dispatch d ON d.id = p.dispatch LEFT JOIN job j ON j.parcel = p.id
        WHERE a.in_flight = 1 AND (p.state = 1 OR (p.state = 7 AND j.state IN (0, 2) AND j.ask = 0)) ORDER BY p.id LIMIT @limit
        """, new { limit });
}
