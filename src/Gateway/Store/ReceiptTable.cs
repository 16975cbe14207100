using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>A receipt, ours or an office's. Never changed.</summary>
internal sealed record ReceiptRow
{
    /// <summary>The receipt's own id.</summary>
    public required Guid Id { get; init; }
    /// <summary>null: rejection, or about the holding.</summary>
    public required Guid? Dispatch { get; init; }
    /// <summary>Copy concerned; null: submission events.</summary>
    public required Guid? Parcel { get; init; }
    /// <summary>Held submission concerned: its holding, what persons said, its rejection.</summary>
    public Guid? Held { get; init; }
    /// <summary>Sender of the envelope.</summary>
    public required string Sender { get; init; }
    /// <summary>Header id; null when a rejected header could not be read.</summary>
    public required Guid? Envelope { get; init; }
    public required string? Office { get; init; }
    public required string Event { get; init; }
    public required string Code { get; init; }
    /// <summary>Ledger origin, or office code.</summary>
    public required string Issuer { get; init; }
    public required long Time { get; init; }
    /// <summary>Leaf of the entry that commits to this receipt's step: in our receipts the one they name, for an office's receipt the entry that records it.</summary>
    public required Digest Leaf { get; init; }
    /// <summary>SHA-256 of <see cref="Der"/>.</summary>
    public required Digest Sha256 { get; init; }
    public required byte[] Der { get; init; }
}

internal static class ReceiptTable
{
    internal static readonly RowShape<ReceiptRow> Shape = new("receipt",
        ["id", "dispatch", "parcel", "held", "sender", "envelope", "office", "event", "code", "issuer", "time", "leaf", "sha256", "der"],
        r => [r.Id, r.Dispatch, r.Parcel, r.Held, r.Sender, r.Envelope, r.Office, r.Event, r.Code, r.Issuer, r.Time, r.Leaf, r.Sha256, r.Der]);
    const string Columns = "r.id, r.dispatch, r.parcel, r.held, r.sender, r.envelope, r.office, r.event, r.code, r.issuer, r.time, r.leaf, r.sha256, r.der";

    /// <summary>The SubmissionAcceptance of one's own dispatch.</summary>
    /// <exception cref="RefusedException">PayloadErased, as of the others that are handed out.</exception>
    public static ReceiptRow? Acceptance(Source source, string sender, Guid envelope) => Kept(source.One<ReceiptRow>(
        $"""
        SELECT {Columns} FROM receipt r JOIN dispatch d ON d.id = r.dispatch
        WHERE d.sender = @sender AND d.envelope = @envelope AND r.event = @accepted
        """, new { sender, envelope, accepted = ReceiptEvent.SubmissionAcceptance }));

    /// <summary>All receipts of one's own dispatch, oldest first.</summary>
    public static IReadOnlyList<ReceiptRow> OfDispatch(Source source, string sender, Guid dispatch) => Kept(source.Query<ReceiptRow>(
        $"""
        SELECT {Columns} FROM receipt r JOIN dispatch d ON d.id = r.dispatch
        WHERE r.dispatch = @dispatch AND d.sender = @sender ORDER BY r.time, r.id
        """, new { sender, dispatch }));

    /// <summary>All receipts about one's own held submission, oldest first; what it became has its own.</summary>
    public static IReadOnlyList<ReceiptRow> OfHeld(Source source, string sender, Guid held) => Kept(source.Query<ReceiptRow>(
        $"""
        SELECT {Columns} FROM receipt r JOIN held h ON h.id = r.held
        WHERE r.held = @held AND h.sender = @sender ORDER BY r.time, r.id
        """, new { sender, held }));

    /// <summary>The SubmissionAcceptance of a parcel's dispatch, for the office whose parcel it is.</summary>
    public static ReceiptRow? AcceptanceOfParcel(Source source, string office, Guid parcel) => Kept(source.One<ReceiptRow>(
        $"""
        SELECT {Columns} FROM receipt r JOIN parcel p ON p.dispatch = r.dispatch
        WHERE p.id = @parcel AND p.office = @office AND r.event = @accepted
        """, new { office, parcel, accepted = ReceiptEvent.SubmissionAcceptance }));

    static ReceiptRow? Kept(ReceiptRow? row) => row is not null && ErasureTable.IsBlank(row.Der) ? throw ErasureTable.Refused() : row;

    static IReadOnlyList<ReceiptRow> Kept(IReadOnlyList<ReceiptRow> rows) => rows.Any(r => ErasureTable.IsBlank(r.Der)) ? throw ErasureTable.Refused() : rows;

    /// <summary>Receipts of one's own copy, oldest first; also erased ones, of which there is only that they were given.</summary>
    public static IReadOnlyList<ReceiptRow> OfParcel(Source source, string office, Guid parcel) => source.Query<ReceiptRow>(
        $"""
        SELECT {Columns} FROM receipt r JOIN parcel p ON p.id = r.parcel
        WHERE r.parcel = @parcel AND p.office = @office ORDER BY r.time, r.id
        """, new { office, parcel });

    /// <summary>A receipt of one's own copy with exactly these bytes: a repeat.</summary>
    public static ReceiptRow? Same(Source source, string office, Guid parcel, Digest sha256) => source.One<ReceiptRow>(
        $"""
        SELECT {Columns} FROM receipt r JOIN parcel p ON p.id = r.parcel
        WHERE r.parcel = @parcel AND p.office = @office AND r.sha256 = @sha256
        """, new { office, parcel, sha256 });

    /// <summary>When an office last gave a receipt, Unix milliseconds, as far as its newest copies tell; null: never.</summary>
    public static long? LastOf(Source source, string office) => source.One<long?>(
        "SELECT max(time) FROM receipt WHERE issuer = @office AND parcel IN (SELECT id FROM parcel WHERE office = @office ORDER BY id DESC LIMIT 100)", new { office });

    /// <summary>Everything, for the check.</summary>
    public static IEnumerable<ReceiptRow> Walk(Source source) => source.Walk<ReceiptRow>($"SELECT {Columns} FROM receipt r ORDER BY r.id");
}
