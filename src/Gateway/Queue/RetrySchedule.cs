namespace Exchange.Gateway.Queue;

/// <summary>When a copy is tried again. Life is by time (header.expires), never by count; pure.</summary>
static class RetrySchedule
{
    /// <summary>First delay and longest delay of each class, in seconds: 0 hỏa tốc (with and without a time), 1 thượng khẩn, 2 khẩn, 3 thường.</summary>
    static readonly (double First, double Longest)[] OfClass = [(2, 60), (5, 300), (15, 900), (60, 3600)];

    /// <summary>Lane class of a header's urgency 0..4; 0 is the most urgent.</summary>
    public static int ClassOf(int urgency) => urgency switch { >= 3 => 0, 2 => 1, 1 => 2, _ => 3 };

    /// <summary>min(longest, first × 2^(attempt-1)), and of that between a half and all.</summary>
    /// <param name="attempt">Attempts so far, from 1.</param>
    /// <param name="jitter">0..1; offices that failed together do not come back together.</param>
    public static TimeSpan Delay(int @class, int attempt, double jitter)
    {
        var (first, longest) = OfClass[@class];
        var full = Math.Min(longest, first * Math.Pow(2, Math.Min(attempt - 1, 30)));
        return TimeSpan.FromSeconds(full * (0.5 + jitter / 2));
    }

    /// <summary>The other side named a time: not sooner, and not later than the class allows.</summary>
    public static TimeSpan Delay(int @class, int attempt, double jitter, TimeSpan? retryAfter)
    {
        var own = Delay(@class, attempt, jitter);
        if (retryAfter is not { } asked || asked <= TimeSpan.Zero) return own;
        var longest = TimeSpan.FromSeconds(OfClass[@class].Longest);
        return asked < longest ? asked : longest;
    }
}
