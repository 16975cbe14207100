using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;

namespace Exchange.Gateway.Stamping;

/// <param name="Day">Number of the day whose end it is; null: it is due because the ledger grew.</param>
sealed record StampDue(long Size, long? Day);

/// <summary>Whether the newest head is to be time-stamped now, from what was due last.</summary>
static class StampSchedule
{
    /// <param name="newest">Size of the newest published head.</param>
    /// <returns>null: nothing is due.</returns>
    public static StampDue? Of(DateTimeOffset now, TimeStampOptions options, StampTurn? last, long newest)
    {
        var day = options.DayOf(now);
        // Whatever the minutes say: the last head of a day is the one that archives keep. On a clock that was set back a day may end twice, which costs nothing.
        if (last?.Day != day) return new(newest, day);
        // Likewise set by more than the pause, the clock must not silence it.
        return newest > last!.Size && (now - DateTimeOffset.FromUnixTimeMilliseconds(last.Due)).Duration() >= TimeSpan.FromMinutes(options.Minutes) ? new(newest, null) : null;
    }
}
