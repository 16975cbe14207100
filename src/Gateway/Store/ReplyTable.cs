using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>A submission that a channel brought. Never changed.</summary>
internal sealed record BroughtRow
{
    /// <summary>Of the dispatch, or of what is held.</summary>
    public required Guid Id { get; init; }
    /// <summary>Adapter.</summary>
    public required string Channel { get; init; }
    /// <summary>The receipt that answers it at once.</summary>
    public required Guid Answered { get; init; }
}

/// <summary>A receipt that is to go back by the channel that brought what it is about.</summary>
internal sealed record OwedReply
{
    public required Guid Receipt { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    public required Digest Sha256 { get; init; }
    public required byte[] Der { get; init; }
}

internal static class ReplyTable
{
    internal static readonly RowShape<BroughtRow> Brought = new("brought", ["id", "channel", "answered"], r => [r.Id, r.Channel, r.Answered]);

    /// <summary>Whether any submission ever came so.</summary>
    public static bool HasAny(Source source) => source.OneWritten<long>("SELECT EXISTS (SELECT 1 FROM brought)", null) == 1;

    /// <summary>A receipt that this batch has just written is to go back, if it is about what a channel brought and is not its answer.</summary>
    public static void Owe(Batch b, ReceiptRow receipt) => b.Execute(
        "INSERT INTO reply (receipt, channel, office) SELECT @Id, b.channel, @Sender FROM brought b WHERE b.id = @about AND b.answered <> @Id",
        new { receipt.Id, receipt.Sender, about = receipt.Dispatch ?? receipt.Held });

    /// <summary>Offices to which something is to go.</summary>
    public static IReadOnlyList<string> Offices(Source source, string channel) => source.Query<string>("SELECT DISTINCT office FROM reply WHERE channel = @channel ORDER BY office", new { channel });

    /// <summary>Oldest first.</summary>
    public static IReadOnlyList<OwedReply> Of(Source source, string channel, string office, int limit) => source.Query<OwedReply>(
        """
        SELECT r.id AS receipt, r.sender, r.envelope, r.sha256, r.der FROM reply p JOIN receipt r ON r.id = p.receipt
        WHERE p.channel = @channel AND p.office = @office ORDER BY p.rowid LIMIT @limit
        """, new { channel, office, limit });

    /// <summary>False: it had gone before.</summary>
    public static bool Remove(Batch b, Guid receipt) => b.Execute("DELETE FROM reply WHERE receipt = @receipt", new { receipt }) == 1;
}
