using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>A dispatch whose payload nobody is owed any more.</summary>
internal sealed record RetainedDispatch
{
    public required Guid Id { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
}

internal static class PayloadRetention
{
    // Available (1) and Queued (7) are the states in which a copy is still owed; a dead one may be, until somebody has decided about it.
    const string Ended = "NOT EXISTS (SELECT 1 FROM erasure x WHERE x.id = d.id) AND NOT EXISTS (SELECT 1 FROM parcel p WHERE p.dispatch = d.id AND (p.state IN (1, 7) OR p.updated_at > @before OR EXISTS (SELECT 1 FROM dead WHERE dead.parcel = p.id)))";

    /// <summary>Received, and every copy ended, not later than this; oldest first.</summary>
    public static IReadOnlyList<RetainedDispatch> Due(Source source, int @class, long before, int limit) => source.Query<RetainedDispatch>(
        $"""
        SELECT id, sender, envelope, ctx FROM dispatch d
        WHERE payload_bytes IS NOT NULL AND payload_erased_at IS NULL AND class = @class AND received_at <= @before AND {Ended}
        ORDER BY received_at LIMIT @limit
        """, new { @class, before, limit });

    /// <summary>Takes the bytes out of the row and says so in it. False: erased already, or a copy is owed again.</summary>
    public static bool Erase(Batch b, Guid dispatch, long before) => b.Execute(
        $"UPDATE dispatch AS d SET payload = NULL, payload_erased_at = @now WHERE id = @dispatch AND payload_bytes IS NOT NULL AND payload_erased_at IS NULL AND {Ended}",
        new { dispatch, before, now = b.Now.ToUnixTimeMilliseconds() }) == 1;
}
