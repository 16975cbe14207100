using Exchange.Gateway.Operations;

namespace Exchange.Gateway.Queue;

/// <summary>When a copy is tried again. Life is by time, never by count; pure.</summary>
static class RetrySchedule
{
    /// <summary>Hỏa tốc, with and without a time.</summary>
    public const int Flash = 0;
    /// <summary>What an operator sends again: behind everything else.</summary>
    public const int Bulk = 4;

    /// <summary>Lane class of a header's urgency 0..4; 0 is the most urgent.</summary>
    public static int ClassOf(int urgency) => urgency switch { >= 3 => Flash, 2 => 1, 1 => 2, _ => 3 };

    /// <summary>min(longest, first × 2^(attempt-1)), and of that between a half and all.</summary>
    /// <param name="attempt">Attempts that counted so far, from 1.</param>
    /// <param name="chance">0..1; offices that failed together do not come back together.</param>
    public static TimeSpan Delay(ClassOptions options, int attempt, double chance)
    {
        var full = Math.Min(options.Longest.TotalSeconds, options.First.TotalSeconds * Math.Pow(2, Math.Clamp(attempt - 1, 0, 30)));
        return TimeSpan.FromSeconds(full * (0.5 + chance / 2));
    }

    /// <summary>The other side named a time: not sooner, and not later than the class allows.</summary>
    public static TimeSpan Delay(ClassOptions options, int attempt, double chance, TimeSpan? retryAfter)
    {
        var own = Delay(options, attempt, chance);
        if (retryAfter is not { } asked || asked <= TimeSpan.Zero) return own;
        return asked < options.Longest ? asked : options.Longest;
    }
}
