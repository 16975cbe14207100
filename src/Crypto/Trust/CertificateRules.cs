using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Pkix;

namespace Exchange.Crypto.Trust;

/// <summary>
/// RFC 5280 6.1 over one path. What a fault can be named for is checked here, for every certificate; BouncyCastle's PKIX validator, which stops at the first fault, decides the policies and has a
/// second look at the rest. The constraints of the root count as those of any CA (RFC 5937): BouncyCastle does not look into an anchor.
/// </summary>
static class CertificateRules
{
    // Nodes of the policy tree (RFC 5280 6.1.2 (a)), which mappings let grow with each level.
    const int MostPolicyNodes = 4096;
    const string AnyPolicy = "2.5.29.32.0";

    // BouncyCastle's validator processes these, and refuses the others in a CA below the root.
    static readonly HashSet<string> KnownCritical =
    [
        X509Extensions.KeyUsage.Id, X509Extensions.BasicConstraints.Id, X509Extensions.NameConstraints.Id, X509Extensions.CertificatePolicies.Id, X509Extensions.PolicyMappings.Id,
        X509Extensions.PolicyConstraints.Id, X509Extensions.InhibitAnyPolicy.Id, X509Extensions.SubjectAlternativeName.Id, X509Extensions.ExtendedKeyUsage.Id,
    ];

    /// <param name="path">End certificate first, root last; each signature verified by the next.</param>
    /// <returns>Index and what is wrong.</returns>
    public static IEnumerable<(int Index, string Detail)> Faults(Certificate[] path, DateTimeOffset at, PathDemands demands)
    {
        List<(int Index, string Detail)> faults = [];
        for (var i = 1; i < path.Length; i++) faults.AddRange(OfAuthority(path, i).Select(detail => (i, detail)));
        // Beyond these counts nothing more is computed with it.
        for (var i = 0; i < path.Length; i++) faults.AddRange(CertificateForm.TooMany(path[i].Parsed.CertificateStructure.Extensions).Select(detail => (i, detail)));
        if (faults.Any(f => f.Detail.StartsWith(CertificateForm.Excess, StringComparison.Ordinal))) return faults;
        faults.AddRange(OfNames(path));
        if (PolicyNodes(path) > MostPolicyNodes) faults.Add((0, "policy mappings with too many outcomes"));
        else if (Pkix(path, at, demands) is var (index, refused) && !faults.Exists(f => f.Index == index)) faults.Add((index, refused));
        return faults;
    }

    static IEnumerable<string> OfAuthority(Certificate[] path, int index)
    {
        var authority = path[index];
        var extensions = authority.Parsed.CertificateStructure.Extensions;
        if (!authority.IsAuthority) yield return "not a CA";
        if (extensions is null) yield break;
        if (KeyUsage.FromExtensions(extensions) is { } usage && (usage.IntValue & KeyUsage.KeyCertSign) == 0) yield return "may not sign certificates";
        foreach (var oid in extensions.GetCriticalExtensionOids())
            if (!KnownCritical.Contains(oid.Id)) yield return $"unknown critical extension {oid.Id}";
        // 6.1.4 (l), (m): certificates that a CA has issued to itself do not count.
        var below = path[1..index].Count(c => !c.IsSelfIssued);
        if (BasicConstraints.FromExtensions(extensions)?.PathLenConstraintInteger is { } most && most.Value.CompareTo(Org.BouncyCastle.Math.BigInteger.ValueOf(below)) < 0) yield return $"path length: {below} CAs below it";
    }

    /// <summary>6.1.3 (b), (c) and 6.1.4 (g), from the root down.</summary>
    static IEnumerable<(int, string)> OfNames(Certificate[] path)
    {
        var names = new PkixNameConstraintValidator();
        for (var i = path.Length - 1; i >= 0; i--)
        {
            if (i < path.Length - 1 && (i == 0 || !path[i].IsSelfIssued))
                foreach (var fault in Outside(path[i], names)) yield return (i, fault);
            if (i > 0 && Constrain(path[i], names) is { } unreadable) yield return (i, unreadable);
        }
    }

    static IEnumerable<string> Outside(Certificate certificate, PkixNameConstraintValidator names)
    {
        var subject = certificate.Parsed.SubjectDN;
        if (Throws(() => names.CheckDN(subject))) yield return "subject name outside the name constraints above it";
        foreach (var email in subject.GetValueList(X509Name.EmailAddress))
            if (Throws(() => names.CheckEmail(email))) yield return "e-mail address in the subject outside the name constraints above it";
        var extension = certificate.Parsed.CertificateStructure.Extensions?.GetExtension(X509Extensions.SubjectAlternativeName);
        if (extension is null) yield break;
        foreach (var name in GeneralNames.GetInstance(extension.GetParsedValue()).GetNames())
            if (Throws(() => names.CheckName(name))) yield return $"alternative name of form {name.TagNo} outside the name constraints above it";
    }

    static string? Constrain(Certificate authority, PkixNameConstraintValidator names)
    {
        if (authority.Parsed.CertificateStructure.Extensions?.GetExtension(X509Extensions.NameConstraints) is not { } extension) return null;
        try
        {
            foreach (var (permitted, bases) in CertificateForm.Subtrees(extension))
            {
                // 4.2.1.10: minimum is 0, which DER leaves out, and there is no maximum.
                if (bases.Any(b => Asn1Sequence.GetInstance(b).Count != 1)) return "name constraints with a minimum or maximum";
                if (permitted) names.IntersectPermittedSubtree(bases);
                else foreach (var subtree in bases) names.AddExcludedSubtree(GeneralSubtree.GetInstance(subtree));
            }
            return null;
        }
        // A form that cannot be bounded (4.2.1.10), or malformed.
        catch (Exception e) when (e is not OutOfMemoryException) { return "name constraints that cannot be applied"; }
    }

    static bool Throws(Action check)
    {
        try { check(); return false; }
        // A name that cannot be read is not inside of anything.
        catch (Exception e) when (e is not OutOfMemoryException) { return true; }
    }

    /// <summary>An upper bound of what the validator will hold.</summary>
    static long PolicyNodes(Certificate[] path)
    {
        long nodes = 1, most = 1;
        for (var (i, mapped) = (path.Length - 2, 0); i >= 0; i--)
        {
            var policies = Count(path[i], X509Extensions.CertificatePolicies);
            nodes = Math.Min(int.MaxValue, mapped > 0 ? nodes * Math.Max(1, Math.Max(policies, mapped)) : nodes + policies);
            most = Math.Max(most, nodes);
            mapped = Count(path[i], X509Extensions.PolicyMappings);
        }
        return most;
    }

    static int Count(Certificate certificate, DerObjectIdentifier oid) =>
        certificate.Parsed.CertificateStructure.Extensions?.GetExtension(oid) is { } extension ? Asn1Sequence.GetInstance(extension.GetParsedValue()).Count : 0;

    /// <returns>null: good.</returns>
    static (int Index, string Detail)? Pkix(Certificate[] path, DateTimeOffset at, PathDemands demands)
    {
        if (CommonTime(path, at) is not { } moment) return null;
        var root = path[^1].Parsed;
        var parameters = new PkixParameters(new HashSet<TrustAnchor> { new(root, null) })
        {
            IsRevocationEnabled = false, Date = moment.UtcDateTime,
            IsExplicitPolicyRequired = demands.ExplicitPolicy, IsPolicyMappingInhibited = demands.InhibitMapping, IsAnyPolicyInhibited = demands.InhibitAnyPolicy,
        };
        var policies = demands.Policies;
        if (root.CertificateStructure.Extensions is { } extensions)
        {
            // RFC 5937 3.2. A root that puts these off by some levels has them at once: stricter, and simpler to explain.
            if (extensions.GetExtension(X509Extensions.PolicyConstraints) is { } constraints)
                foreach (var tagged in Asn1Sequence.GetInstance(constraints.GetParsedValue()).Select(t => Asn1TaggedObject.GetInstance(t)))
                    if (tagged.TagNo == 0) parameters.IsExplicitPolicyRequired = true;
                    else parameters.IsPolicyMappingInhibited = true;
            if (extensions.GetExtension(X509Extensions.InhibitAnyPolicy) is not null) parameters.IsAnyPolicyInhibited = true;
            if (extensions.GetExtension(X509Extensions.CertificatePolicies) is { } named && Asn1Sequence.GetInstance(named.GetParsedValue()).Select(p => PolicyInformation.GetInstance(p).PolicyIdentifier.Id).ToList() is var own
                && !own.Contains(AnyPolicy))
                policies = policies.Count == 0 ? own : [.. policies.Intersect(own).DefaultIfEmpty("2.25.0")];
        }
        if (policies.Count > 0) parameters.SetInitialPolicies(new HashSet<string>(policies));
        try
        {
            new PkixCertPathValidator().Validate(new PkixCertPath(path.Take(path.Length - 1).Select(c => c.Parsed).ToList()), parameters);
            return null;
        }
        catch (PkixCertPathValidatorException e) { return (Math.Max(0, e.Index), $"PKIX: {e.Message}"); }
    }

    // Times are judged elsewhere. The validator is asked about the nearest moment at which the whole path was valid, so that an expired certificate does not keep it from the policies;
    // where there never was one, the path is refused for its times, and nothing would come of asking.
    static DateTimeOffset? CommonTime(Certificate[] path, DateTimeOffset at)
    {
        DateTimeOffset first = path.Max(c => c.NotBefore), last = path.Min(c => c.NotAfter);
        return first > last ? null : at < first ? first : at > last ? last : at;
    }
}
