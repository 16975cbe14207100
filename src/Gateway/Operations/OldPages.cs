using System.Globalization;

namespace Exchange.Gateway.Operations;

/// <summary>Whether the logs of store and index may still hold pages of before an erasure, and since when. Memory of one run: at its start nobody knows.</summary>
sealed class OldPages(TimeProvider clock)
{
    /// <summary>From which on an alarm says so.</summary>
    public static readonly TimeSpan Notice = TimeSpan.FromHours(1);
    readonly Lock gate = new();
    long erased, gone = -1;
    DateTimeOffset since = clock.GetUtcNow();

    /// <summary>Commits that erased something.</summary>
    public long Erased
    {
        get { lock (gate) return erased; }
    }

    /// <summary>After such a commit.</summary>
    public void More()
    {
        lock (gate)
        {
            // What joins others that wait does not let them wait anew.
            if (gone == erased) since = clock.GetUtcNow();
            erased++;
        }
    }

    /// <summary>The logs were emptied after so many of them.</summary>
    public void AreGone(long after)
    {
        lock (gate) (gone, since) = (after, clock.GetUtcNow());
    }

    public bool AreAllGone
    {
        get { lock (gate) return gone == erased; }
    }

    public bool AreKnown
    {
        get { lock (gate) return gone >= 0; }
    }

    /// <summary>How long an erasure has waited for its end; zero: none does.</summary>
    public TimeSpan For
    {
        get { lock (gate) return gone != erased && clock.GetUtcNow() - since is { Ticks: > 0 } span ? span : TimeSpan.Zero; }
    }

    public IEnumerable<Alarm> Alarms() => For is var span && span >= Notice ? [new(AlarmCode.ErasurePending, null, string.Create(CultureInfo.InvariantCulture, $"for {(long)span.TotalMinutes} min"))] : [];
}
