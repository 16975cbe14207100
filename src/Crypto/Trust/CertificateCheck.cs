using System.Collections.Concurrent;
using Org.BouncyCastle.Pkix;

namespace Exchange.Crypto.Trust;

/// <param name="Refusal">null: good.</param>
/// <param name="Detail">For the log: which certificate of the path, which check.</param>
/// <param name="ValidUntil">Until when (exclusive) a good verdict stands: the earliest notAfter and nextUpdate of the path. A bad one stands for its moment only.</param>
public sealed record CertificateVerdict(Refusal? Refusal, string Detail, DateTimeOffset ValidUntil)
{
    public bool Good => Refusal is null;
    /// <summary>Of a good verdict: end certificate first, root last.</summary>
    public IReadOnlyList<Certificate> Path { get; init; } = [];
    /// <summary>Of a good verdict: when the newest CRL or OCSP response about the end certificate was issued.</summary>
    public DateTimeOffset RevocationAsOf { get; init; }
}

/// <summary>
/// Path and CRL check by purpose at a given time (RFC 5280 section 6, BouncyCastle PKIX). Fails closed; thread-safe; verdicts are cached until they may change.
/// </summary>
/// <remarks>
/// The time may lie in the past ("was it good when the gateway took it in?"). A CRL issued later answers that too: its entries carry the time from which they count.
/// Only of certificates that had expired before the list was issued it may keep silent (RFC 5280 3.3), so these come back as unknown.
/// CRLs are checked here and not in BouncyCastle, whose check asks the machine's clock. What OCSP adds says <see cref="RevocationWord"/>.
/// </remarks>
/// <param name="responses">OCSP responses that count beside the store's CRLs; more may be added later.</param>
public sealed class CertificateCheck(TrustStore store, StapledResponses? responses = null)
{
    const int MaxPath = 5, MaxCached = 65_536;

    readonly ConcurrentDictionary<(Digest Key, Purpose Purpose), Cached> cache = [];
    readonly Lock signatures = new();
    readonly Dictionary<Digest, Certificate[]> issuersOfAuthorities = [];

    public TrustStore Store { get; } = store;
    public StapledResponses? Responses { get; } = responses;

    public CertificateVerdict Check(Certificate certificate, Purpose purpose, DateTimeOffset at)
    {
        // Read before judging: a verdict does not outlive a response that came meanwhile.
        var revision = Responses?.Revision ?? 0;
        if (cache.TryGetValue((certificate.Key, purpose), out var known) && known.Revision == revision && known.ValidFrom <= at && at < known.Verdict.ValidUntil) return known.Verdict;
        Cached fresh;
        try { fresh = Judge(certificate, purpose, at); }
        // A certificate that makes a parser throw is not a good one; kind and message of the exception go to the log.
        catch (Exception e) when (e is not OutOfMemoryException) { fresh = Bad(Refusal.CertificateUntrusted, $"cannot be judged: {e.GetType().Name}: {e.Message}", at); }
        if (!fresh.Verdict.Good) return fresh.Verdict;
        // Only good verdicts are kept, and those only the pinned CAs can cause: outsiders cannot fill the cache.
        if (cache.Count >= MaxCached) cache.Clear();
        cache[(certificate.Key, purpose)] = fresh with { Revision = revision };
        return fresh.Verdict;
    }

    /// <summary>As <see cref="Check"/>, as an exception.</summary>
    public void Demand(Certificate certificate, Purpose purpose, DateTimeOffset at)
    {
        var verdict = Check(certificate, purpose, at);
        if (verdict.Refusal is { } refusal) throw new RefusedException(refusal, verdict.Detail);
    }

    Cached Judge(Certificate leaf, Purpose purpose, DateTimeOffset at)
    {
        if (WrongAlgorithm(leaf) is { } wrong) return Bad(Refusal.CertificateAlgorithm, $"end: {wrong}", at);
        Cached? first = null;
        foreach (var path in Paths([leaf]))
        {
            var verdict = Judge(path, purpose, at);
            if (verdict.Verdict.Good) return verdict;
            first ??= verdict;
        }
        return first ?? Bad(Refusal.CertificateUntrusted, "end: no path to a root", at);
    }

    /// <param name="path">End certificate first, root last; each signature verified by the next.</param>
    Cached Judge(Certificate[] path, Purpose purpose, DateTimeOffset at)
    {
        DateTimeOffset from = DateTimeOffset.MinValue, until = DateTimeOffset.MaxValue;
        for (var i = 0; i < path.Length; i++)
        {
            // The root's own signature proves nothing: it is pinned.
            var wrong = i == path.Length - 1 ? CertificateProfile.WrongKey(path[i]) : WrongAlgorithm(path[i]);
            if (wrong is not null) return Bad(Refusal.CertificateAlgorithm, $"{Place(path, i)}: {wrong}", at);
        }
        if (CertificateProfile.WrongPurpose(path[0], purpose) is { } unfit) return Bad(Refusal.CertificatePurpose, $"end, as {purpose}: {unfit}", at);
        // Revoked before expired: callers that forgive an expired certificate must not forgive a revoked one.
        var words = path.Take(path.Length - 1).Select((c, i) => RevocationWord.Of(c, path[i + 1], at, Store, Responses)).ToArray();
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i].RevokedFrom is not { } revoked) continue;
            if (at >= revoked) return Bad(Refusal.CertificateRevoked, Place(path, i), at);
            until = Earlier(until, revoked);
        }
        for (var i = 0; i < path.Length; i++)
        {
            // RFC 5280 4.1.2.5: the validity period includes both ends.
            if (at < path[i].NotBefore) return Bad(Refusal.CertificateTime, $"{Place(path, i)}: not yet valid", at);
            if (at > path[i].NotAfter) return Bad(Refusal.CertificateTime, $"{Place(path, i)}: expired", at);
            from = Later(from, path[i].NotBefore);
            until = Earlier(until, path[i].NotAfter.AddTicks(1));
        }
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i].Silent is { } why) return Bad(Refusal.RevocationUnknown, $"{Place(path, i)}: {why}", at);
            until = Earlier(until, words[i].Until);
        }
        return Pkix(path, at) is { } refused
            ? Bad(Refusal.CertificateUntrusted, refused, at)
            : new Cached(new CertificateVerdict(null, "good", until) { Path = path, RevocationAsOf = words[0].AsOf }, from);
    }

    /// <summary>RFC 5280 6.1 in full: basic constraints, path length, names, policies, unknown critical extensions of CAs.</summary>
    static string? Pkix(Certificate[] path, DateTimeOffset at)
    {
        var anchor = new TrustAnchor(path[^1].Parsed, null);
        var parameters = new PkixParameters(new HashSet<TrustAnchor> { anchor }) { IsRevocationEnabled = false, Date = at.UtcDateTime };
        try
        {
            new PkixCertPathValidator().Validate(new PkixCertPath(path.Take(path.Length - 1).Select(c => c.Parsed).ToList()), parameters);
            return null;
        }
        catch (PkixCertPathValidatorException e) { return $"certificate {e.Index} of the path: {e.Message}"; }
    }

    /// <summary>All ways from the last certificate up to a root.</summary>
    IEnumerable<Certificate[]> Paths(Certificate[] path)
    {
        if (path.Length > MaxPath) yield break;
        foreach (var issuer in Issuers(path[^1]))
        {
            if (path.Contains(issuer)) continue;
            Certificate[] longer = [.. path, issuer];
            if (Store.Roots.Contains(issuer)) yield return longer;
            else
                foreach (var whole in Paths(longer)) yield return whole;
        }
    }

    Certificate[] Issuers(Certificate certificate)
    {
        if (!Store.Intermediates.Contains(certificate)) return FindIssuers(certificate);
        lock (signatures)
        {
            if (!issuersOfAuthorities.TryGetValue(certificate.Key, out var known)) issuersOfAuthorities[certificate.Key] = known = FindIssuers(certificate);
            return known;
        }
    }

    Certificate[] FindIssuers(Certificate certificate) =>
        [.. Store.Roots.Concat(Store.Intermediates).Where(a =>
            a.Parsed.SubjectDN.Equivalent(certificate.Parsed.IssuerDN, inOrder: true) && certificate.Parsed.IsSignatureValid(a.Parsed.GetPublicKey()))];

    static string? WrongAlgorithm(Certificate certificate) =>
        CertificateProfile.WrongKey(certificate) ?? CertificateProfile.WrongSignature(certificate.Parsed.CertificateStructure.SignatureAlgorithm);

    static Cached Bad(Refusal refusal, string detail, DateTimeOffset at) => new(new CertificateVerdict(refusal, detail, at), at);
    static string Place(Certificate[] path, int index) => index == 0 ? "end" : index == path.Length - 1 ? "root" : $"CA {index}";
    static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;
    static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    sealed record Cached(CertificateVerdict Verdict, DateTimeOffset ValidFrom)
    {
        public int Revision { get; init; }
    }
}
