using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>How one try of a channel ended. The number stands in the store.</summary>
internal enum AttemptOutcome
{
    Delivered = 1,
    /// <summary>The other side is well, but not now.</summary>
    Busy = 2,
    /// <summary>Not reached, or failed in a way that may pass.</summary>
    TryLater = 3,
    /// <summary>The other side will never take it.</summary>
    Refused = 4,
    /// <summary>It may have arrived: asked before it is sent again.</summary>
    Unknown = 5,
    /// <summary>The worker did not report within its lease: it may have arrived.</summary>
    LeaseLost = 6,
    /// <summary>A worker reported after its lease was lost. Nothing else changed.</summary>
    Late = 7,
    /// <summary>The decision made again said no.</summary>
    Denied = 8,
    /// <summary>The office's channel is now its mailbox.</summary>
    ToMailbox = 9,
    /// <summary>A carrier has it on the way; its report, or the office's receipt, is awaited.</summary>
    HandedOn = 10,
    /// <summary>Its sender had taken it back, and it was not there.</summary>
    Recalled = 20,
}

/// <summary>An attempt that ended. Never changed.</summary>
internal sealed record AttemptRow
{
    public required Guid Parcel { get; init; }
    /// <summary>Which claim of the job.</summary>
    public required long Fence { get; init; }
    public required AttemptOutcome Outcome { get; init; }
    public required long StartedAt { get; init; }
    public required long EndedAt { get; init; }
    /// <summary>When it is tried again; null: it is not.</summary>
    public required long? NextAt { get; init; }
    /// <summary>Codes and system errors, never content.</summary>
    public required string Detail { get; init; }
    /// <summary>Entry of the same commit.</summary>
    public required Digest Leaf { get; init; }
    /// <summary>Adapter that tried it; empty: none came to it.</summary>
    public string Channel { get; init; } = "";
}

internal static class AttemptTable
{
    internal static readonly RowShape<AttemptRow> Shape = new("attempt", ["parcel", "fence", "outcome", "started_at", "ended_at", "next_at", "detail", "leaf", "channel"],
        a => [a.Parcel, a.Fence, a.Outcome, a.StartedAt, a.EndedAt, a.NextAt, a.Detail, a.Leaf, a.Channel]);

    /// <summary>What became of the tries of each copy of the sender's own dispatch that was tried: how many, and the newest.</summary>
    public static IReadOnlyList<TriedParcel> OfDispatch(Source source, string sender, Guid dispatch) => source.Query<TriedParcel>(
        """
        SELECT a.parcel, n.attempts, a.outcome AS last, a.ended_at AS last_at
        FROM (SELECT max(a.rowid) AS newest, count(*) AS attempts FROM attempt a JOIN parcel p ON p.id = a.parcel
              WHERE p.dispatch = @dispatch AND EXISTS (SELECT 1 FROM dispatch WHERE id = @dispatch AND sender = @sender) GROUP BY a.parcel) n
        JOIN attempt a ON a.rowid = n.newest
        """, new { sender, dispatch });

    /// <summary>Unknown, LeaseLost or HandedOn; what only asked does not count. null: it was never sent, or was refused since, so that a redrive begins anew.</summary>
    public static SentAttempt? LastSent(Source source, Guid parcel) => source.One<SentAttempt>(
        "SELECT outcome, ended_at FROM attempt WHERE parcel = @parcel AND outcome IN (4, 5, 6, 10) AND detail NOT LIKE 'asked%' ORDER BY rowid DESC LIMIT 1", new { parcel }) is { Outcome: not AttemptOutcome.Refused } sent ? sent : null;
}

/// <summary>The newest try in which a copy was sent, or may have been.</summary>
internal sealed record SentAttempt
{
    public required AttemptOutcome Outcome { get; init; }
    public required long EndedAt { get; init; }
}

internal sealed record TriedParcel
{
    public required Guid Parcel { get; init; }
    public required int Attempts { get; init; }
    public required AttemptOutcome Last { get; init; }
    public required long LastAt { get; init; }
}
