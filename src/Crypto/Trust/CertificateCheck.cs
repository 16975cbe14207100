using System.Collections.Concurrent;

namespace Exchange.Crypto.Trust;

/// <summary>
/// Path and CRL check by purpose at a given time (RFC 5280 section 6). Fails closed; thread-safe; verdicts are cached until they may change. Names every fault of a bad path, not only the first.
/// </summary>
/// <remarks>
/// The time may lie in the past ("was it good when the gateway took it in?"). A CRL issued later answers that too: its entries carry the time from which they count.
/// Only of certificates that had expired before the list was issued it may keep silent (RFC 5280 3.3), so these come back as unknown.
/// BouncyCastle's path builder finds the ways (<see cref="CertificatePaths"/>) and its PKIX validator decides each one's policies (<see cref="CertificateRules"/>); CRLs are checked here
/// (<see cref="RevocationCheck"/>) and not there, where the machine's clock is asked. What OCSP adds says <see cref="RevocationWord"/>. <see cref="PathWork"/> bounds it all.
/// </remarks>
public sealed class CertificateCheck
{
    const int MaxCached = 65_536;

    readonly ConcurrentDictionary<(Digest Key, Purpose Purpose), Cached> cache = [];
    readonly PathWork.Signatures signatures;
    readonly PathDemands demands;

    /// <param name="responses">OCSP responses that count beside the store's CRLs; more may be added later.</param>
    public CertificateCheck(TrustStore store, StapledResponses? responses = null) : this(store, PathDemands.Shipped) => Responses = responses;

    internal CertificateCheck(TrustStore store, PathDemands demands)
    {
        Store = store;
        this.demands = demands;
        signatures = new(store);
    }

    public TrustStore Store { get; }
    public StapledResponses? Responses { get; }

    public CertificateVerdict Check(Certificate certificate, Purpose purpose, DateTimeOffset at)
    {
        // Read before judging: a verdict does not outlive a response that came meanwhile.
        var revision = Responses?.Revision ?? 0;
        if (cache.TryGetValue((certificate.Key, purpose), out var known) && known.Revision == revision && known.ValidFrom <= at && at < known.Verdict.ValidUntil) return known.Verdict;
        var fresh = Check(certificate, purpose, at, new PathWork(signatures));
        if (!fresh.Verdict.Good) return fresh.Verdict;
        // Only good verdicts are kept, and those only the pinned CAs can cause: outsiders cannot fill the cache.
        if (cache.Count >= MaxCached) cache.Clear();
        cache[(certificate.Key, purpose)] = fresh with { Revision = revision };
        return fresh.Verdict;
    }

    /// <summary>As <see cref="Check(Certificate, Purpose, DateTimeOffset)"/>, as an exception.</summary>
    public void Demand(Certificate certificate, Purpose purpose, DateTimeOffset at)
    {
        var verdict = Check(certificate, purpose, at);
        if (verdict.Refusal is { } refusal) throw new RefusedException(refusal, verdict.Explained);
    }

    /// <param name="purpose">null: any, for other people's vectors.</param>
    internal Cached Check(Certificate certificate, Purpose? purpose, DateTimeOffset at, PathWork work)
    {
        try { return new PathJudge(Store, Responses, demands, at, work).Judge(certificate, purpose); }
        // A certificate that makes a parser throw is not a good one; kind and message of the exception go to the log.
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new(CertificateVerdict.Of([new(Refusal.CertificateUntrusted, $"cannot be judged: {e.GetType().Name}: {e.Message}", certificate)], at), at);
        }
    }

    internal sealed record Cached(CertificateVerdict Verdict, DateTimeOffset ValidFrom)
    {
        public int Revision { get; init; }
    }
}
