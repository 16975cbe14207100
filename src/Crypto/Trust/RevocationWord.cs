namespace Exchange.Crypto.Trust;

/// <summary>
/// What CRL and OCSP together say of one certificate at one time. Revoked in either is revoked; else the newer of those that speak of that time is believed; none speaks: unknown.
/// </summary>
/// <param name="RevokedFrom">From when it counts as revoked; null: nobody says so.</param>
/// <param name="Silent">Why nobody says that it was good; null: somebody does.</param>
/// <param name="AsOf">When that was issued.</param>
/// <param name="Until">From when on it says nothing any more.</param>
/// <param name="From">From when on that holds.</param>
sealed record RevocationWord(DateTimeOffset? RevokedFrom, string? Silent, DateTimeOffset AsOf, DateTimeOffset From, DateTimeOffset Until)
{
    /// <param name="lists">What the CRLs say.</param>
    /// <param name="issuer">Its CA, one step up in the path.</param>
    public static RevocationWord Of(CrlWord lists, Certificate certificate, Certificate issuer, DateTimeOffset at, StapledResponses? responses)
    {
        var word = lists.Silent is null ? new RevocationWord(lists.RevokedFrom, null, lists.AsOf, lists.From, lists.Until) : new(lists.RevokedFrom, lists.Silent, DateTimeOffset.MinValue, DateTimeOffset.MinValue, at);
        foreach (var answer in responses?.Of(certificate, issuer) ?? [])
        {
            if (answer.RevokedFrom is { } from && !(word.RevokedFrom <= from)) word = word with { RevokedFrom = from };
            if (Speaks(answer, certificate, at) && answer.ThisUpdate > word.AsOf) word = word with { Silent = answer.Status == OcspStatus.Unknown ? "unknown to the OCSP responder" : null, AsOf = answer.ThisUpdate, Until = answer.NextUpdate };
        }
        return word;
    }

    // As with a CRL: of what had expired before, a responder may know nothing any more, unless it says how far back it does (RFC 6960 4.4.4).
    static bool Speaks(OcspAnswer answer, Certificate certificate, DateTimeOffset at) =>
        at < answer.NextUpdate && (certificate.NotAfter >= answer.ThisUpdate || answer.ArchiveCutoff <= certificate.NotAfter);
}
