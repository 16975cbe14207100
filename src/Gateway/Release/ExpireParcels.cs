using Exchange.Crypto;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Release;

/// <summary>Ends copies that nobody took by header.expires. The time governs delivery, never a later opening of what was delivered.</summary>
sealed class ExpireParcels(IEngine engine, EndParcel end)
{
    const int AtOnce = 100;

    /// <returns>How many were past their time: a full hundred means that more may be.</returns>
    public async Task<int> Step(DateTimeOffset now)
    {
        IReadOnlyList<ExpiringParcel> late;
        using (var reader = engine.Reader()) late = ParcelExpiry.Due(reader, now.ToUnixTimeMilliseconds(), AtOnce);
        foreach (var p in late)
            await end.End(new(p.Parcel, p.Dispatch, p.Office, p.Key, p.Sender, p.Envelope, p.Ctx, p.ManifestDigest), ParcelState.Expired, Refusal.Expired, null);
        return late.Count;
    }
}
