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
        using (var reader = shared.Engine.Reader()) stopped = RecallTable.Stopped(reader, AtOnce);
        foreach (var copy in stopped) await end.End(copy, ParcelState.Recalled, Refusal.Recalled, null);
        return stopped.Count;
    }
}
