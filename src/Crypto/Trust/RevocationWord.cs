namespace Exchange.Crypto.Trust;

/// <summary>
/// What CRL and OCSP together say of one certificate at one time. Revoked in either is revoked; else the newer of those that speak of that time is believed; none speaks: unknown.
/// </summary>
/// <param name="RevokedFrom">From when it counts as revoked; null: nobody says so.</param>
/// <param name="Silent">Why nobody says that it was good; null: somebody does.</param>
/// <param name="AsOf">When that was issued.</param>
/// <param name="Until">From when on it says nothing any more.</param>
sealed record RevocationWord(DateTimeOffset? RevokedFrom, string? Silent, DateTimeOffset AsOf, DateTimeOffset Until)
{
    /// <param name="issuer">Its CA, one step up in the path.</param>
    public static RevocationWord Of(Certificate certificate, Certificate issuer, DateTimeOffset at, TrustStore store, StapledResponses? responses)
    {
        var list = store.ListOf(issuer);
        var (revoked, silent) = (list?.RevokedFrom(certificate), Why(list, certificate, at));
        var word = silent is null ? new RevocationWord(revoked, null, list!.ThisUpdate, list.NextUpdate) : new(revoked, silent, DateTimeOffset.MinValue, at);
        foreach (var answer in responses?.Of(certificate, issuer) ?? [])
        {
            if (answer.RevokedFrom is { } from && !(word.RevokedFrom <= from)) word = word with { RevokedFrom = from };
            if (Speaks(answer, certificate, at) && answer.ThisUpdate > word.AsOf) word = word with { Silent = answer.Status == OcspStatus.Unknown ? "unknown to the OCSP responder" : null, AsOf = answer.ThisUpdate, Until = answer.NextUpdate };
        }
        return word;
    }

    static string? Why(RevocationList? list, Certificate certificate, DateTimeOffset at) =>
        list is null ? "no CRL of its issuer" : at >= list.NextUpdate ? "CRL is stale" : certificate.NotAfter < list.ThisUpdate ? "expired before the CRL was issued" : null;

    // As with a CRL: of what had expired before, a responder may know nothing any more, unless it says how far back it does (RFC 6960 4.4.4).
    static bool Speaks(OcspAnswer answer, Certificate certificate, DateTimeOffset at) =>
        at < answer.NextUpdate && (certificate.NotAfter >= answer.ThisUpdate || answer.ArchiveCutoff <= certificate.NotAfter);
}
