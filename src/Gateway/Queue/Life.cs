using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Queue;

/// <summary>
/// From when a copy may leave until it is given up; pure. header.expires always stands. What a channel carries may end sooner, with its class: then it is dead and an operator may send it again.
/// A mailbox waits for its office until header.expires.
/// </summary>
static class Life
{
    /// <param name="copy">Queued: a channel carries it.</param>
    /// <param name="start">From when it may leave, Unix milliseconds.</param>
    /// <param name="expires">header.expires.</param>
    public static ParcelRow Begin(ParcelRow copy, int @class, long start, long expires, QueueOptions options)
    {
        var end = copy.State == ParcelState.Queued ? Math.Min(expires, start + (long)options.Of(@class).Life.TotalMilliseconds) : expires;
        var alarm = start + options.FlashAlarmSeconds * 1000;
        return copy with { Expires = end, AlarmAt = @class == RetrySchedule.Flash && alarm < end ? alarm : null, HalfAt = Half(start, end) };
    }

    /// <summary>When half of it is over: the sender is told then, once.</summary>
    public static long? Half(long start, long end) => end - start > 1 ? start + (end - start) / 2 : null;
}
