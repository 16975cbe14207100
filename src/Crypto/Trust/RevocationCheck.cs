using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Crypto.Trust;

/// <summary>What the CRLs of the store say together of one certificate at one time.</summary>
/// <param name="RevokedFrom">From when it counts as revoked; null: no list says so.</param>
/// <param name="Silent">Why they do not say that it was good; null: they do.</param>
/// <param name="AsOf">When the oldest list that this needs was issued.</param>
/// <param name="From">From when on that holds.</param>
/// <param name="Until">From when on it holds no more.</param>
sealed record CrlWord(DateTimeOffset? RevokedFrom, string? Silent, DateTimeOffset AsOf, DateTimeOffset From, DateTimeOffset Until);

/// <summary>
/// RFC 5280 6.3 at a given time: complete lists with their deltas, partitioned and indirect ones. What no list covers is unknown. Revoked is revoked in whatever list of its CA, or
/// of the CRL issuer that the certificate names, it stands, even one that is stale or about something else.
/// </summary>
/// <param name="rightful">Whether a CRL issuer that is not in the path has a good one of its own to the same root, and until when.</param>
sealed class RevocationCheck(TrustStore store, PathDemands demands, DateTimeOffset at, PathWork work, Func<Certificate, Certificate, (bool Good, DateTimeOffset From, DateTimeOffset Until)> rightful)
{
    /// <param name="path">Some end certificate first, root last.</param>
    public CrlWord Of(Certificate[] path, int index)
    {
        var certificate = path[index];
        var points = AskedPoint.Of(certificate);
        DateTimeOffset? revoked = null;
        DateTimeOffset from = DateTimeOffset.MinValue, until = DateTimeOffset.MaxValue, asOf = DateTimeOffset.MaxValue;
        var covered = 0;
        string? silent = null;
        foreach (var list in store.CompleteLists)
        {
            var meant = points.Where(p => IsIssuer(p, list, certificate)).ToList();
            if (meant.Count == 0) continue;
            var entry = list.Find(certificate);
            var asked = meant.Where(p => list.Scope.Covers(certificate.IsAuthority, p)).Aggregate(0, (reasons, p) => reasons | p.Reasons);
            var delta = store.DeltaOf(list);
            if (entry is null && asked == 0 && delta?.Find(certificate) is null) continue;
            if (Speaker(list, path, index, meant.Exists(p => p.Issuers is not null)) is not { } speaker) { silent ??= "CRL whose issuer may not speak of it"; continue; }
            if (Revoked(certificate, entry, delta) is { } since && !(revoked <= since)) revoked = since;
            if (!speaker.Answers || (asked & list.Scope.Reasons & ~covered) == 0) continue;
            // What a delta has taken off hold is good for as long as the delta lasts, and was not good before.
            var lifted = entry is not null && delta?.Find(certificate) is { Removed: true } ? delta : null;
            var next = lifted?.NextUpdate ?? (delta?.NextUpdate > list.NextUpdate ? delta.NextUpdate : list.NextUpdate);
            if (at >= next) { silent = "CRL is stale"; continue; }
            if (certificate.NotAfter < list.ThisUpdate) { silent = "expired before the CRL was issued"; continue; }
            covered |= asked & list.Scope.Reasons;
            (from, until, asOf) = (Later(from, Later(speaker.From, lifted?.ThisUpdate ?? from)), Earlier(until, Earlier(next, speaker.Until)), Earlier(asOf, delta is not null && at < delta.NextUpdate ? delta.ThisUpdate : list.ThisUpdate));
        }
        if (covered == RevocationScope.AllReasons) silent = null;
        else silent ??= covered == 0 ? "no CRL of its issuer" : "CRLs do not cover all reasons";
        return new(revoked, silent, asOf, from, until);
    }

    /// <summary>What list and delta make of it together. A delta's removal counts while the delta does, and not for the time before.</summary>
    DateTimeOffset? Revoked(Certificate certificate, RevocationList.Entry? entry, RevocationList? delta)
    {
        if (entry is { Removed: true }) entry = null;
        return delta?.Find(certificate) switch
        {
            { Removed: true } => at >= delta!.ThisUpdate && at < delta.NextUpdate ? null : entry?.From,
            { } added => entry is null || added.From < entry.From ? added.From : entry.From,
            null => entry?.From,
        };
    }

    /// <summary>6.3.3 (b) (1). The CA's own list, or the indirect one of whom the certificate names: another CA of the same root may not speak, not even ill, of certificates that are not its own.</summary>
    bool IsIssuer(AskedPoint point, RevocationList list, Certificate certificate) => point.Issuers is null
        ? demands.Same(list.IssuerName, certificate.Parsed.IssuerDN)
        : list.Scope.Indirect && point.Issuers.Any(n => n.TagNo == GeneralName.DirectoryName && demands.Same(X509Name.GetInstance(n.Name), list.IssuerName));

    /// <summary>6.3.3 (f): the CA above it, or another with its name or in its place that the same root stands for. null: neither.</summary>
    /// <param name="named">The certificate names this issuer.</param>
    /// <returns>Answers false: it may only say that something is revoked.</returns>
    (bool Answers, DateTimeOffset From, DateTimeOffset Until)? Speaker(RevocationList list, Certificate[] path, int index, bool named)
    {
        foreach (var above in path.Skip(index + 1))
            if (above.KeyId == list.Issuer.KeyId && demands.Same(above.Parsed.SubjectDN, list.IssuerName) && CertificateProfile.May(above, KeyUsage.CrlSign))
                return (true, DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        foreach (var issuer in store.Authorities.Where(a => a.KeyId == list.Issuer.KeyId && demands.Same(a.Parsed.SubjectDN, list.IssuerName) && CertificateProfile.May(a, KeyUsage.CrlSign)))
        {
            // A CA may name a CRL issuer that answers for itself too; rings of more than one answer for nothing.
            if (work.InQuestion.Contains(issuer.Key)) { if (named && issuer.Equals(path[index])) return (true, DateTimeOffset.MinValue, DateTimeOffset.MaxValue); continue; }
            // A CA that has changed its key may keep a list for each, and nothing in a list says so: silence in the one is no answer about certificates of the other.
            if (rightful(issuer, path[^1]) is { Good: true } own) return (named || !issuer.IsAuthority || !demands.ExactForm, own.From, own.Until);
        }
        return null;
    }

    static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;
    static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
