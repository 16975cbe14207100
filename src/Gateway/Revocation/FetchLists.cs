using Exchange.Crypto;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Revocation;

/// <summary>
/// Newer revocation lists from where the CAs publish them. A list goes in by the same door as a file in incoming/: verified, journalled, in the ledger. Nothing else that a source sends does.
/// </summary>
sealed class FetchLists(RevocationOptions options, SourceClient client, RevocationCache cache, ActivateDocuments activate, Meters meters, ILogger<FetchRevocation> log)
{
    readonly List<Source> sources = [.. options.Crls.Select(url => new Source(url))];
    bool started;

    sealed class Source(Uri url)
    {
        public Uri Url { get; } = url;
        public DateTimeOffset Next { get; set; } = DateTimeOffset.MinValue;
        public string? Trouble { get; set; }
    }

    /// <summary>Which sources fail, and why.</summary>
    public IEnumerable<string> Trouble => sources.Where(s => s.Trouble is not null).Select(s => $"{s.Url}: {s.Trouble}");

    public async Task Step(DateTimeOffset now, CancellationToken cancel)
    {
        // What the run before had fetched comes first: a store that was restored is older than its cache, and the server may be away.
        if (!started) foreach (var source in sources) if (cache.List(source.Url) is { } kept) await Offer(source, kept, now);
        started = true;
        foreach (var source in sources.Where(s => now >= s.Next)) await Fetch(source, now, cancel);
    }

    async Task Fetch(Source source, DateTimeOffset now, CancellationToken cancel)
    {
        // A crash anywhere in here: fetched again. The list is in the cache only after it is in force, so a 304 is never about a list that nobody has.
        var (trouble, isNew) = (default(string), false);
        switch (await client.Get(source.Url, cache.ValidatorsOf(source.Url), cancel))
        {
            case FetchVerdict.Body body:
                (trouble, isNew) = await Offer(source, body.Bytes, now);
                if (trouble is null) cache.Keep(source.Url, body.Bytes, body.Validators);
                break;
            case FetchVerdict.Failed failed:
                trouble = failed.Why;
                break;
        }
        var outcome = trouble is not null ? "failed" : isNew ? "new" : "unchanged";
        meters.Fetches.Add(1, new("source", "crl"), new("outcome", outcome));
        if (trouble is not null) log.SourceFailed(source.Url.ToString(), trouble);
        else if (source.Trouble is not null) log.SourceIsBack(source.Url.ToString());
        source.Trouble = trouble;
        source.Next = now.AddMinutes(trouble is null ? options.EveryMinutes : options.RetryMinutes);
    }

    /// <returns>Why it is not in force, null: it is; and whether it was not before.</returns>
    async Task<(string? Why, bool IsNew)> Offer(Source source, byte[] list, DateTimeOffset now)
    {
        try
        {
            if (ActivationDocuments.KindOf(list) != DocumentKind.Crl) return ("not a revocation list", false);
            await activate.Run([list], now);
            log.ListWasFetched(source.Url.ToString());
            return (null, true);
        }
        catch (RefusedException e) when (e.Refusal == Refusal.VersionOld) { return (null, false); }
        catch (RefusedException e) { return (e.Refusal.Code, false); }
    }
}
