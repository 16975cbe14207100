using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>A receipt, ours or an office's. Never changed.</summary>
internal sealed record ReceiptRow
{
    /// <summary>The receipt's own id.</summary>
    public required Guid Id { get; init; }
    /// <summary>null: rejection.</summary>
    public required Guid? Dispatch { get; init; }
    /// <summary>Copy concerned; null: submission events.</summary>
    public required Guid? Parcel { get; init; }
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
    /// <summary>The SubmissionAcceptance of one's own dispatch.</summary>
    public static ReceiptRow? Acceptance(Source source, string sender, Guid envelope) => throw new NotImplementedException();

    /// <summary>All receipts of one's own dispatch, oldest first.</summary>
    public static IReadOnlyList<ReceiptRow> OfDispatch(Source source, string sender, Guid dispatch) => throw new NotImplementedException();

    /// <summary>The SubmissionAcceptance of a parcel's dispatch, for the office whose parcel it is.</summary>
    public static ReceiptRow? AcceptanceOfParcel(Source source, string office, Guid parcel) => throw new NotImplementedException();

    /// <summary>Receipts of one's own copy, oldest first.</summary>
    public static IReadOnlyList<ReceiptRow> OfParcel(Source source, string office, Guid parcel) => throw new NotImplementedException();

    /// <summary>The office's own receipt with exactly these bytes: a repeat.</summary>
    public static ReceiptRow? Same(Source source, string office, Digest sha256) => throw new NotImplementedException();
}
