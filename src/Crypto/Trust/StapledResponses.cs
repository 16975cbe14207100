using System.Collections.Concurrent;
using Org.BouncyCastle.Math;

namespace Exchange.Crypto.Trust;

/// <summary>
/// Verified OCSP responses beside the CRLs of a store, by certificate. They only ever add: a revocation stays for good, and of what is good the newest few are kept, so that a question about the past
/// finds what was said then. Thread-safe.
/// </summary>
public sealed class StapledResponses
{
    const int MostOfOne = 4;
    readonly ConcurrentDictionary<(Digest Issuer, BigInteger Serial), OcspAnswer[]> answers = [];
    int revision;

    /// <summary>Changes when something was added: verdicts of before are made again.</summary>
    internal int Revision => Volatile.Read(ref revision);

    /// <summary>Those that come together are added together: each call has every verdict made again.</summary>
    public void Add(params IEnumerable<OcspResponse> responses)
    {
        foreach (var response in responses)
        {
            var issuer = TrustStore.IssuerName(response.Issuer);
            foreach (var answer in response.Answers) answers.AddOrUpdate((issuer, answer.Serial), [answer], (_, known) => known.Contains(answer) ? known : Newest([.. known, answer]));
        }
        Interlocked.Increment(ref revision);
    }

    internal IReadOnlyList<OcspAnswer> Of(Certificate certificate, Certificate issuer) => answers.GetValueOrDefault((TrustStore.IssuerName(issuer), certificate.Parsed.SerialNumber), []);

    // One revocation is enough, the earliest: later ones say no more.
    static OcspAnswer[] Newest(OcspAnswer[] all) =>
        [.. all.Where(a => a.RevokedFrom is not null).OrderBy(a => a.RevokedFrom).Take(1), .. all.Where(a => a.RevokedFrom is null).OrderByDescending(a => a.ThisUpdate).Take(MostOfOne)];
}
