using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Operations;

namespace Exchange.Gateway.Revocation;

/// <summary>
/// Asks each responder about the certificates of its CA that are in use here: offices', persons', the gateway's own, and CAs below. Answers are evidence, not state: each is signed, counts beside the
/// lists as soon as it is here, and is handed on to offices for theirs.
/// </summary>
sealed class AskResponders(RevocationOptions options, SourceClient client, RevocationCache cache, Worlds worlds, Equipment equipment, Meters meters, ILogger<FetchRevocation> log)
{
    /// <summary>At most so many questions to one responder at one step, so that a directory of thousands is spread over minutes.</summary>
    public const int MostAtOnce = 64;
    const int MostRefused = 3;
    readonly List<Asked> responders = [.. options.Responders.Select(r => new Asked(r))];
    readonly Dictionary<Digest, DateTimeOffset> due = [];
    DateTimeOffset sweepNext = DateTimeOffset.MinValue;

    sealed class Asked(OcspResponder responder)
    {
        public OcspResponder Responder { get; } = responder;
        public DateTimeOffset Next { get; set; } = DateTimeOffset.MinValue;
        public string? Trouble { get; set; }
    }

    public IEnumerable<string> Trouble => responders.Where(r => r.Trouble is not null).Select(r => $"{r.Responder.Url}: {r.Trouble}");

    public async Task Step(DateTimeOffset now, CancellationToken cancel)
    {
        if (now >= sweepNext) Sweep(now);
        foreach (var asked in responders.Where(r => now >= r.Next)) await Ask(asked, now, cancel);
    }

    // A few signatures a minute, whatever lies there.
    void Sweep(DateTimeOffset now)
    {
        sweepNext = now.AddMinutes(1);
        cache.Sweep(worlds.Current.Trust.Store, now, MostAtOnce);
        // Long past: of a certificate that nobody asks about any more. Should it come back, what is kept of it says when.
        foreach (var certificate in due.Where(d => d.Value < now.AddDays(-1)).Select(d => d.Key).ToList()) due.Remove(certificate);
    }

    async Task Ask(Asked asked, DateTimeOffset now, CancellationToken cancel)
    {
        var (responder, trust) = (asked.Responder, worlds.Current.Trust);
        var issuer = trust.Store.Roots.Concat(trust.Store.Intermediates).First(a => a.Key == responder.Issuer);
        var (good, refused) = (new List<OcspResponse>(), 0);
        string? trouble = null;
        foreach (var certificate in InUse().Where(c => Issued(issuer, c) && now <= c.NotAfter && now >= DueAt(c.Key, now)).Take(MostAtOnce))
        {
            var (response, why) = await Ask(responder, certificate, issuer, trust.Store, now, cancel);
            meters.Fetches.Add(1, new("source", "ocsp"), new("outcome", response is null ? "failed" : "new"));
            due[certificate.Key] = response is null ? now.AddMinutes(options.RetryMinutes) : Due(response, now);
            if (response is not null)
            {
                good.Add(response);
                cache.Keep(certificate.Key, response);
                if (response.Says(certificate) is { } says and not "good") log.ResponderSays(certificate.Key, says);
                continue;
            }
            trouble = why;
            // A responder that does not answer at all is left alone for a while; one that answers wrongly about one certificate may do well about the next.
            if (++refused == MostRefused || !why!.StartsWith("E_", StringComparison.Ordinal)) break;
        }
        // A crash before this: they are in the cache, and read at the next start.
        if (good.Count > 0) trust.Responses!.Add(good);
        if (trouble is not null) log.SourceFailed(responder.Url.ToString(), trouble);
        else if (asked.Trouble is not null && good.Count > 0) log.SourceIsBack(responder.Url.ToString());
        if (trouble is not null || good.Count > 0) asked.Trouble = trouble;
        if (trouble is not null) asked.Next = now.AddMinutes(options.RetryMinutes);
    }

    async Task<(OcspResponse? Response, string? Why)> Ask(OcspResponder responder, Certificate certificate, Certificate issuer, TrustStore store, DateTimeOffset now, CancellationToken cancel)
    {
        var nonce = responder.Nonce ? RandomNumberGenerator.GetBytes(OcspRequest.NonceLength) : [];
        switch (await client.Ask(responder.Url, OcspRequest.Of(certificate, issuer, nonce, responder.Sha1), cancel))
        {
            case FetchVerdict.Body body:
                try
                {
                    var response = OcspResponse.Read(body.Bytes, store);
                    response.Demand(certificate, nonce, now);
                    return (response, null);
                }
                catch (RefusedException e) { return (null, e.Message); }
            case FetchVerdict.Failed failed: return (null, failed.Why);
            default: return (null, "no answer");
        }
    }

    /// <summary>Each once. Keys that fell out of the directory are not asked about: the directory is judged when it is activated.</summary>
    IEnumerable<Certificate> InUse()
    {
        var world = worlds.Current;
        var offices = world.DirectoryOrNone?.Offices ?? [];
        return new[] { equipment.Evidence.Certificate, new Certificate(equipment.Tls.RawData) }.Concat(world.Trust.Store.Intermediates)
            .Concat(offices.SelectMany(o => o.Signing.Concat(o.Encryption).Concat(o.Tls).Concat(o.Persons.Select(p => p.Certificate)))).Distinct();
    }

    static bool Issued(Certificate issuer, Certificate certificate) => certificate.IssuerDer.AsSpan().SequenceEqual(issuer.SubjectDer) && certificate.Key != issuer.Key;

    // What the run before fetched need not be fetched again before its time.
    DateTimeOffset DueAt(Digest certificate, DateTimeOffset now)
    {
        if (due.TryGetValue(certificate, out var at)) return at;
        try { at = cache.ResponseOf(certificate) is { } kept ? Due(OcspResponse.Read(kept, worlds.Current.Trust.Store), now) : DateTimeOffset.MinValue; }
        catch (RefusedException) { at = DateTimeOffset.MinValue; }
        return due[certificate] = at;
    }

    // Well before its end: half of the time that is left, if that is sooner.
    DateTimeOffset Due(OcspResponse response, DateTimeOffset now)
    {
        var (usual, half) = (response.ProducedAt.AddMinutes(options.EveryMinutes), now + ((response.EarliestEnd - now) / 2));
        var soonest = now.AddMinutes(1);
        var at = usual < half ? usual : half;
        return at > soonest ? at : soonest;
    }
}
