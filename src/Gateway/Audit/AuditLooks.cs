using System.Collections.Concurrent;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;

namespace Exchange.Gateway.Audit;

/// <summary>Every look is an entry, and nobody can flood the ledger by looking.</summary>
sealed class AuditLooks(Shared shared)
{
    readonly ConcurrentDictionary<Digest, Bucket> buckets = [];

    /// <summary>Takes one look.</summary>
    /// <exception cref="LaterException"><see cref="Refusal.TooMany"/>.</exception>
    public void Demand(StandingAuditor auditor)
    {
        var now = shared.Clock.GetUtcNow();
        if (buckets.GetOrAdd(auditor.Key, _ => new Bucket(shared.Options.Limits.AuditLooksPerHour, TimeSpan.FromHours(1), now)).Take(now) is { } wait) throw new LaterException(Refusal.TooMany, wait);
    }

    /// <summary>Durable on return: only then may the answer leave. A crash before: nothing was seen; between: it is on record and he asks again.</summary>
    public Task Record(StandingAuditor auditor, Digest query, long size, long given)
    {
        var entry = LedgerEntry.Create(new AuditReadDetail(auditor.Key, query, size, given) { Time = shared.Clock.GetUtcNow().ToUnixTimeMilliseconds() });
        return shared.Journal.Commit(b => b.Log(entry, EntryKind.AuditRead) is not null);
    }
}
