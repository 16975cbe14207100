using System.Collections.Concurrent;
using Exchange.Crypto;

namespace Exchange.Gateway.Submission;

/// <summary>
/// How much of the gateway one office may have: a bucket of submissions a minute and one of journalled refusals an hour, each filling evenly. Pure in now; nothing
/// of it is stored, so a fresh start gives full buckets. One office at its limit does not slow another.
/// </summary>
sealed class Quotas(Limits limits)
{
    readonly ConcurrentDictionary<string, Bucket> submissions = [], refusals = [];

    /// <summary>Takes one submission or dry-run.</summary>
    /// <exception cref="LaterException"><see cref="Refusal.TooMany"/>.</exception>
    public void DemandSubmission(string office, DateTimeOffset now) => Demand(submissions, office, limits.SubmissionsPerMinute, TimeSpan.FromMinutes(1), now);

    /// <summary>Takes one entry in the ledger for a refusal: an entry is for ever, and whoever is refused pays nothing for it.</summary>
    /// <exception cref="LaterException"><see cref="Refusal.TooMany"/>.</exception>
    public void DemandRefusal(string office, DateTimeOffset now) => Demand(refusals, office, limits.RefusalsPerHour, TimeSpan.FromHours(1), now);

    static void Demand(ConcurrentDictionary<string, Bucket> buckets, string office, long size, TimeSpan period, DateTimeOffset now)
    {
        if (buckets.GetOrAdd(office, _ => new Bucket(size, period, now)).Take(now) is { } wait) throw new LaterException(Refusal.TooMany, wait);
    }
}
