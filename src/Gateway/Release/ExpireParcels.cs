using Exchange.Crypto;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Release;

/// <summary>
/// The life of a copy, by time: the administrator is told of a flash copy that is late, the sender at half of its time, and at the end it ends, with a signed receipt. header.expires ends it for
/// good; its class only ends what a channel tries, and leaves it to an operator. Time governs delivery, never a later opening of what was delivered.
/// </summary>
sealed class ExpireParcels(Shared shared, EndParcel end)
{
    const int AtOnce = 100;
    readonly TellDelay tell = new(shared);

    /// <returns>How many it did something about: a full hundred means that more may be due.</returns>
    public async Task<int> Step(DateTimeOffset now)
    {
        var time = now.ToUnixTimeMilliseconds();
        IReadOnlyList<DueParcel> due;
        using (var reader = shared.Engine.Reader()) due = ParcelExpiry.Due(reader, time, AtOnce);
        foreach (var copy in due)
            if (copy.Expires <= time)
            {
                var (state, reason) = copy.HeaderExpires <= time ? (ParcelState.Expired, Refusal.Expired) : (ParcelState.Dead, Refusal.Undelivered);
                await end.End(copy, state, reason, null);
            }
            else
            {
                if (copy.AlarmAt <= time) await tell.Administrator(copy, now);
                if (copy.HalfAt <= time) await tell.Sender(copy, now);
            }
        return due.Count;
    }
}
