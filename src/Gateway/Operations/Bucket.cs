namespace Exchange.Gateway.Operations;

/// <summary>So many of something in a period, filling evenly. Pure in the time it is given.</summary>
sealed class Bucket
{
    readonly Lock gate = new();
    readonly double size;
    readonly TimeSpan period;
    double tokens;
    DateTimeOffset filled;

    public Bucket(double size, TimeSpan period, DateTimeOffset now) => (this.size, this.period, tokens, filled) = (size, period, size, now);

    /// <summary>null: taken; else how long until there is one.</summary>
    public TimeSpan? Take(DateTimeOffset now)
    {
        lock (gate)
        {
            // A clock that steps back fills nothing.
            if (now > filled)
            {
                tokens = Math.Min(size, tokens + (now - filled) / period * size);
                filled = now;
            }
            if (tokens < 1) return (1 - tokens) / size * period;
            tokens--;
            return null;
        }
    }
}
