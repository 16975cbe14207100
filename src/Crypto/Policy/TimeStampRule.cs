namespace Exchange.Crypto.Policy;

/// <summary>Whether the author's signatures must bear a time-stamp, from least to most.</summary>
public enum TimeStampNeed
{
    None,
    /// <summary>One is due; while no authority answers it may be sent without, and the sender fetches it later.</summary>
    Due,
    /// <summary>Without one it is neither sent nor opened.</summary>
    Demanded,
}

/// <summary>What a level says of time-stamps. The gateway decides nothing by it: it never sees one.</summary>
public static class TimeStampRule
{
    internal const string AwayRefuse = "refuse", AwayPending = "pending";

    // A policy that says nothing of absence was signed before one could: it asked for a time-stamp, without any excuse.
    public static TimeStampNeed Of(PolicyHandling handling) =>
        !handling.Timestamp ? TimeStampNeed.None : handling.TimestampAway == AwayPending ? TimeStampNeed.Due : TimeStampNeed.Demanded;
}
