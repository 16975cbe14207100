using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Crypto.Trust;

/// <summary>One question to <see cref="CertificateCheck"/>: this certificate, at this time.</summary>
sealed class PathJudge
{
    readonly TrustStore store;
    readonly StapledResponses? responses;
    readonly PathDemands demands;
    readonly DateTimeOffset at;
    readonly PathWork work;
    readonly CertificatePaths paths;
    readonly RevocationCheck revocation;
    readonly Dictionary<(Digest Issuer, Digest Root), (bool Good, DateTimeOffset From, DateTimeOffset Until)> rightful = [];

    public PathJudge(TrustStore store, StapledResponses? responses, PathDemands demands, DateTimeOffset at, PathWork work)
    {
        (this.store, this.responses, this.demands, this.at, this.work) = (store, responses, demands, at, work);
        paths = new(store, work, Named);
        revocation = new(store, demands, at, work, Rightful);
    }

    /// <summary>The first good path, else what is wrong with the path that has the fewest faults; an end certificate that is revoked on any path is revoked.</summary>
    public CertificateCheck.Cached Judge(Certificate end, Purpose? purpose)
    {
        var own = OfEnd(end, purpose).ToList();
        List<CertificateFault>? least = null;
        foreach (var path in paths.From(end))
        {
            var (faults, from, until, asOf) = Judge(path, purpose, own);
            if (faults.Count == 0) return new(new CertificateVerdict(null, "good", until) { Path = path, RevocationAsOf = asOf }, from);
            if (least is null || Weight(faults, end) < Weight(least, end)) least = faults;
            // No other path mends what the certificate has by itself.
            if (own.Count > 0) break;
        }
        if (least is not null) return Bad(least);
        own.AddRange(OfTime(end, "end"));
        // A signature of an algorithm that is not allowed was not tried, so that it leads nowhere is no news.
        if (WrongSignature(end) is null) own.Add(new(Refusal.CertificateUntrusted, $"end: {NoPath(end)}", end));
        return Bad(own, noPath: true);
    }

    static int Weight(List<CertificateFault> faults, Certificate end) => faults.Exists(f => f.Refusal == Refusal.CertificateRevoked && end.Equals(f.Certificate)) ? -1 : faults.Count;

    CertificateCheck.Cached Bad(List<CertificateFault> faults, bool noPath = false)
    {
        CertificateFault[] last = work.Spent ? [new(Refusal.CertificateUntrusted, "more ways to a root than are looked at", null)] : [];
        return new(CertificateVerdict.Of(faults, at, noPath, last), at);
    }

    /// <param name="path">End certificate first, root last; each signature verified by the next.</param>
    (List<CertificateFault> Faults, DateTimeOffset From, DateTimeOffset Until, DateTimeOffset AsOf) Judge(Certificate[] path, Purpose? purpose, IEnumerable<CertificateFault> own)
    {
        List<CertificateFault> faults = [.. own];
        DateTimeOffset from = DateTimeOffset.MinValue, until = DateTimeOffset.MaxValue, asOf = default;
        // The root's own signature and form prove nothing: it is pinned.
        for (var i = 1; i < path.Length - 1; i++)
        {
            if (WrongSignature(path[i]) is { } wrong) Add(i, Refusal.CertificateAlgorithm, wrong);
            if (demands.ExactForm) foreach (var fault in CertificateForm.Faults(path[i])) Add(i, Refusal.CertificateForm, fault);
        }
        if (purpose is { } wanted)
            for (var i = 1; i < path.Length; i++)
                if (CertificateProfile.WrongAbove(path[i], wanted) is { } unfit) Add(i, Refusal.CertificatePurpose, $"as CA for {wanted}: {unfit}");
        for (var i = 0; i < path.Length; i++)
        {
            faults.AddRange(OfTime(path[i], Place(path, i)));
            // RFC 5280 4.1.2.5: the validity period includes both ends.
            (from, until) = (Later(from, path[i].NotBefore), Earlier(until, path[i].NotAfter.AddTicks(1)));
        }
        for (var i = 0; i < path.Length - 1; i++)
        {
            var word = RevocationWord.Of(revocation.Of(path, i), path[i], path[i + 1], at, responses);
            if (i == 0) asOf = word.AsOf;
            if (word.RevokedFrom <= at) faults.Add(new(Refusal.CertificateRevoked, Place(path, i), path[i]));
            else if (word.Silent is { } why) Add(i, Refusal.RevocationUnknown, why);
            (from, until) = (Later(from, word.From), Earlier(until, word.Until));
            if (word.RevokedFrom > at) until = Earlier(until, word.RevokedFrom.Value);
        }
        // Nothing is computed with a key that is not allowed.
        if (!faults.Exists(f => f.Refusal == Refusal.CertificateAlgorithm))
            foreach (var (index, detail) in CertificateRules.Faults(path, at, demands)) Add(index, Refusal.CertificateUntrusted, detail);
        return (faults, from, until, asOf);

        void Add(int index, Refusal refusal, string detail) => faults.Add(new(refusal, $"{Place(path, index)}: {detail}", path[index]));
    }

    /// <summary>What is wrong with the end certificate on whatever path.</summary>
    IEnumerable<CertificateFault> OfEnd(Certificate end, Purpose? purpose)
    {
        if (CertificateProfile.WrongKey(end, demands.LeastRsaBits) is { } key) yield return new(Refusal.CertificateAlgorithm, $"end: {key}", end);
        if (WrongSignature(end) is { } signature) yield return new(Refusal.CertificateAlgorithm, $"end: {signature}", end);
        if (demands.ExactForm) foreach (var fault in CertificateForm.Faults(end)) yield return new(Refusal.CertificateForm, $"end: {fault}", end);
        if (purpose is not { } wanted) yield break;
        foreach (var unfit in CertificateProfile.WrongPurposes(end, wanted)) yield return new(Refusal.CertificatePurpose, $"end, as {wanted}: {unfit}", end);
    }

    IEnumerable<CertificateFault> OfTime(Certificate certificate, string place)
    {
        if (at < certificate.NotBefore) yield return new(Refusal.CertificateTime, $"{place}: not yet valid", certificate);
        if (at > certificate.NotAfter) yield return new(Refusal.CertificateTime, $"{place}: expired", certificate);
    }

    /// <summary>A CRL issuer beside the path: it needs a path of its own to the same root, without any fault (RFC 5280 6.3.3 (f)).</summary>
    (bool Good, DateTimeOffset From, DateTimeOffset Until) Rightful(Certificate issuer, Certificate root)
    {
        if (rightful.TryGetValue((issuer.Key, root.Key), out var known)) return known;
        work.InQuestion.Add(issuer.Key);
        foreach (var path in paths.From(issuer).Where(p => p[^1].Equals(root)))
        {
            var (faults, from, until, _) = Judge(path, null, OfEnd(issuer, null));
            if (faults.Count > 0) continue;
            known = (true, from, until);
            break;
        }
        work.InQuestion.Remove(issuer.Key);
        return rightful[(issuer.Key, root.Key)] = known;
    }

    IEnumerable<Certificate> Named(X509Name name) =>
        demands.ExactForm ? store.Named(name) : store.Authorities.Where(a => demands.Same(a.Parsed.SubjectDN, name));

    string NoPath(Certificate end)
    {
        var issuer = end.Parsed.IssuerDN;
        if (Named(issuer).Any()) return "not signed by the CA that it names, or no path from there to a root";
        return store.Authorities.Select(a => CertificateNames.Likeness(issuer, a.Parsed.SubjectDN)).FirstOrDefault(l => l is not null) is { } likeness
            ? $"no CA has the name of its issuer; one has it {likeness}" : "no CA has the name of its issuer";
    }

    static string? WrongSignature(Certificate certificate) => CertificateProfile.WrongSignature(certificate.Parsed.CertificateStructure.SignatureAlgorithm);
    static string Place(Certificate[] path, int index) => index == 0 ? "end" : index == path.Length - 1 ? "root" : $"CA {index}";
    static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;
    static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
