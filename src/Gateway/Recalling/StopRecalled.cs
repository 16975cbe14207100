using Exchange.Crypto;
using Exchange.Gateway.Release;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Recalling;

/// <summary>Ends copies that were under way when they were recalled, once it is known that they did not arrive.</summary>
sealed class StopRecalled(Shared shared, EndParcel end)
{
    const int AtOnce = 100;

    /// <returns>How many there were: a full hundred means that more may be.</returns>
    public async Task<int> Step(DateTimeOffset now)
    {
        IReadOnlyList<EndingParcel> stopped;
        IReadOnlyList<Refusal> reasons;
        using (var reader = shared.Engine.Reader())
        {
            stopped = RecallTable.Stopped(reader, AtOnce);
            reasons = [.. stopped.Select(copy => RecallTable.StoppedFor(reader, copy.Parcel) ?? Refusal.Recalled)];
        }
        foreach (var (copy, reason) in stopped.Zip(reasons)) await end.End(copy, ParcelState.Recalled, reason, null);
        return stopped.Count;
    }
}
