using System.Globalization;

namespace Exchange.Gateway.Operations;

/// <summary>Since when a head waits for its time-stamp, and what the authorities did last. Since when stands in the guard, so that a restart does not begin to count anew.</summary>
sealed class PendingTimeStamps(TimeProvider clock)
{
    /// <summary>From which on an alarm says so.</summary>
    public static readonly TimeSpan Notice = TimeSpan.FromHours(1);
    readonly Lock gate = new();
    (DateTimeOffset Since, long Heads)? waiting;
    string why = "";

    /// <param name="since">null: nothing waits.</param>
    public void Wait(DateTimeOffset? since, long heads)
    {
        lock (gate)
        {
            waiting = since is { } from ? (from, heads) : null;
            if (waiting is null) why = "";
        }
    }

    /// <summary>What each authority did.</summary>
    public void Failed(string faults)
    {
        lock (gate) why = faults;
    }

    /// <summary>How long; zero: nothing waits.</summary>
    public TimeSpan For
    {
        get { lock (gate) return waiting is { } since && clock.GetUtcNow() - since.Since is { Ticks: > 0 } span ? span : TimeSpan.Zero; }
    }

    public IEnumerable<Alarm> Alarms()
    {
        lock (gate)
            return For is var span && span >= Notice ? [new(AlarmCode.TimeStampPending, null, string.Create(CultureInfo.InvariantCulture, $"for {(long)span.TotalMinutes} min, {waiting!.Value.Heads} heads{(why.Length > 0 ? "; " : "")}{why}"))] : [];
    }
}
