using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Pkix;
using Org.BouncyCastle.Utilities.Collections;
using Org.BouncyCastle.X509.Store;
using X509 = Org.BouncyCastle.X509.X509Certificate;

namespace Exchange.Crypto.Trust;

/// <summary>
/// The ways from a certificate up to the roots, shortest first. BouncyCastle's path builder walks; what is added is a bound, that it steps over no signature that does not hold, and that it goes
/// on after the first way it likes: which way is good is decided elsewhere, with everything that counts.
/// </summary>
/// <param name="work">What the whole check may still cost.</param>
/// <param name="named">The CAs of the store that a name means.</param>
sealed class CertificatePaths(TrustStore store, PathWork work, Func<X509Name, IEnumerable<Certificate>> named)
{
    // A root on top of these.
    const int MaxBelowRoot = 5;

    public IEnumerable<Certificate[]> From(Certificate leaf)
    {
        for (var length = 1; length <= MaxBelowRoot && !work.Spent; length++)
            foreach (var path in new Walk(store, work, named, length).From(leaf)) yield return path;
    }

    /// <summary>All paths with exactly so many certificates below the root.</summary>
    sealed class Walk(TrustStore store, PathWork work, Func<X509Name, IEnumerable<Certificate>> named, int length) : PkixCertPathBuilder, IStore<X509>
    {
        // BouncyCastle ends a way at the first anchor. Ours are recognised here, so it is given one that has issued nothing.
        static readonly X509Name Nobody = new("CN=nobody");

        readonly List<Certificate[]> found = [];
        readonly Dictionary<X509, Certificate> met = new(ReferenceEqualityComparer.Instance);

        public List<Certificate[]> From(Certificate leaf)
        {
            met[leaf.Parsed] = leaf;
            var nobody = new TrustAnchor(Nobody, store.Roots[0].Parsed.GetPublicKey(), null);
            var parameters = new PkixBuilderParameters(new HashSet<TrustAnchor> { nobody }, new X509CertStoreSelector { Certificate = leaf.Parsed });
            parameters.AddStoreCert(this);
            Build(leaf.Parsed, parameters, new List<X509>());
            return found;
        }

        protected override PkixCertPathBuilderResult? Build(X509 tbvCert, PkixBuilderParameters pkixParams, IList<X509> tbvPath)
        {
            var certificate = met[tbvCert];
            if (!work.Step() || tbvPath.Contains(tbvCert) || tbvPath.Count > 0 && !work.Signed(met[tbvPath[^1]], certificate)) return null;
            if (tbvPath.Count + 1 < length) return base.Build(tbvCert, pkixParams, tbvPath);
            foreach (var root in named(tbvCert.IssuerDN))
                if (store.Roots.Contains(root) && !root.Equals(certificate) && work.Signed(certificate, root) && work.Path()) found.Add([.. tbvPath.Select(c => met[c]), certificate, root]);
            return null;
        }

        /// <summary>The store's CAs below its roots, as BouncyCastle asks for them: by the name of an issuer.</summary>
        public IEnumerable<X509> EnumerateMatches(ISelector<X509> selector)
        {
            foreach (var authority in named(((X509CertStoreSelector)selector).Subject).Where(store.Intermediates.Contains))
            {
                met[authority.Parsed] = authority;
                yield return authority.Parsed;
            }
        }
    }
}
