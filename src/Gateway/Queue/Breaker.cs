using System.Globalization;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Queue;

/// <summary>What an attempt says of the channel that it used.</summary>
enum ChannelSign
{
    /// <summary>Nothing: we did not get to it, or broke it off ourselves.</summary>
    None,
    /// <summary>The other side answered, whatever it said.</summary>
    Good,
    /// <summary>It is well, and has no room now.</summary>
    Busy,
    /// <summary>Not reached, a bad answer, or none.</summary>
    Failed,
}

enum BreakerMove { None, Opened, Closed }

/// <summary>
/// What an attempt makes of the state of an office's channel; pure, and written in the commit that settles the attempt.
/// <code>
///  closed --5 failures in a row, or half of 10 and more in 60 s--> open for 15 s --> one probe --failed--> open for twice as long, to 15 min
///    ^                                                                                  |
///    +-------------------------- any attempt that is answered --------------------------+
/// </code>
/// A busy office is no failing channel. The window grows by one when as many attempts as it is wide went well, and shrinks by one where a run of failures begins.
/// </summary>
static class Breaker
{
    const int SlotMilliseconds = 5000;
    const long Unit = 1000;
    const int MaxError = 200;

    public static OfficeState New(string office, string channel, QueueOptions options) => new() { Office = office, Channel = channel, AtOnce = options.WindowLeast * Unit };

    /// <summary>Attempts that may be under way at once.</summary>
    public static int Window(OfficeState state) => (int)(state.AtOnce / Unit);

    /// <param name="isProbe">The attempt was claimed to see whether the office is back. Others that end while the breaker is open began before it opened.</param>
    /// <param name="chance">0..1: moves the next probe by up to a fifth.</param>
    /// <param name="widest">Where the window stops growing.</param>
    public static (OfficeState Next, BreakerMove Move) After(OfficeState state, ChannelSign sign, string error, bool isProbe, DateTimeOffset at, double chance, QueueOptions options, long widest)
    {
        if (sign == ChannelSign.None) return (state, BreakerMove.None);
        var now = at.ToUnixTimeMilliseconds();
        var next = state with { Changes = state.Changes + 1 };
        if (sign != ChannelSign.Good) next = next with { Run = state.Run + 1, AtOnce = state.Run > 0 ? state.AtOnce : Math.Max(options.WindowLeast * Unit, state.AtOnce - Unit), LastError = Cut(error), LastErrorAt = now };
        if (sign == ChannelSign.Failed) return Failed(next, isProbe, now, chance, options);

        next = next with { Failures = 0 };
        if (sign == ChannelSign.Good) next = next with { Run = 0, AtOnce = Math.Min(widest * Unit, state.AtOnce + Unit * Unit / state.AtOnce), Recent = Count(state.Recent, now, good: true, options) };
        if (state.OpenUntil is null) return (next, BreakerMove.None);
        return (next with { OpenUntil = null, OpenFor = 0, OpenedAt = null, Recent = "" }, BreakerMove.Closed);
    }

    static (OfficeState, BreakerMove) Failed(OfficeState next, bool isProbe, long now, double chance, QueueOptions options)
    {
        next = next with { Failures = next.Failures + 1, Recent = Count(next.Recent, now, good: false, options) };
        if (next.OpenUntil is not null)
        {
            if (!isProbe) return (next, BreakerMove.None);
            var longer = Math.Min(options.BreakerOpenMostSeconds * 1000, next.OpenFor * 2);
            return (next with { OpenFor = longer, OpenUntil = now + Spread(longer, chance) }, BreakerMove.None);
        }
        var (good, failed) = Sum(next.Recent);
        if (next.Failures < options.BreakerFailures && (good + failed < options.BreakerSample || failed * 100 < (good + failed) * options.BreakerPercent)) return (next, BreakerMove.None);
        var first = options.BreakerOpenSeconds * 1000;
        return (next with { OpenFor = first, OpenUntil = now + Spread(first, chance), OpenedAt = now }, BreakerMove.Opened);
    }

    static long Spread(long milliseconds, double chance) => (long)(milliseconds * (0.8 + 0.4 * chance));

    static string Cut(string error) => error.Length > MaxError ? error[..MaxError] : error;

    // "slot:good:failed slot:good:failed …", newest first; slots are five seconds, so sixty seconds are never more than sixty and never less than fifty-five.
    static string Count(string recent, long now, bool good, QueueOptions options)
    {
        var slot = now / SlotMilliseconds;
        var oldest = slot - options.BreakerSeconds * 1000 / SlotMilliseconds + 1;
        var slots = Slots(recent).Where(s => s.Slot >= oldest && s.Slot < slot).ToList();
        var mine = Slots(recent).FirstOrDefault(s => s.Slot == slot);
        slots.Insert(0, (slot, mine.Good + (good ? 1 : 0), mine.Failed + (good ? 0 : 1)));
        return string.Join(' ', slots.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Slot}:{s.Good}:{s.Failed}")));
    }

    static (long Good, long Failed) Sum(string recent) => Slots(recent).Aggregate((Good: 0L, Failed: 0L), (sum, s) => (sum.Good + s.Good, sum.Failed + s.Failed));

    static IEnumerable<(long Slot, long Good, long Failed)> Slots(string recent)
    {
        foreach (var part in recent.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            if (part.Split(':') is [var slot, var good, var failed]) yield return (Number(slot), Number(good), Number(failed));

        static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
    }
}
