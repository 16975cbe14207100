namespace Exchange.Crypto.Trust;

/// <summary>
/// What one check may cost, whatever it is given: signatures verified, steps of the walk, whole paths judged. A signature is verified once for a key, however many certificates that key has.
/// What is not done within the bounds counts as not there, and the verdict says so.
/// </summary>
/// <param name="known">Signatures between CAs of the store, kept from check to check.</param>
sealed class PathWork(PathWork.Signatures known)
{
    public const int MostVerifications = 100, MostSteps = 1000, MostPaths = 32;

    readonly Dictionary<(Digest, Digest), bool> met = [];
    int steps, paths;

    public int Verifications { get; private set; }
    /// <summary>Something was left undone.</summary>
    public bool Spent { get; private set; }
    /// <summary>CRL issuers whose own path is being judged.</summary>
    public HashSet<Digest> InQuestion { get; } = [];

    public bool Step() => Within(ref steps, MostSteps);
    public bool Path() => Within(ref paths, MostPaths);

    /// <summary>Whether the certificate's signature verifies under the CA's key. Names are not looked at.</summary>
    public bool Signed(Certificate certificate, Certificate authority)
    {
        var pair = (certificate.Key, authority.KeyId);
        if (met.TryGetValue(pair, out var holds) || known.TryGet(pair, out holds)) return holds;
        // An algorithm that is not allowed is not tried: the certificate is refused for it anyhow.
        if (CertificateProfile.WrongSignature(certificate.Parsed.CertificateStructure.SignatureAlgorithm) is not null) return false;
        if (Verifications >= MostVerifications) { Spent = true; return false; }
        Verifications++;
        try { holds = certificate.Parsed.IsSignatureValid(authority.Parsed.GetPublicKey()); }
        // Of another kind than the key, or malformed: it is not this CA's.
        catch (Exception e) when (e is not OutOfMemoryException) { holds = false; }
        met[pair] = holds;
        known.Keep(pair, holds, certificate);
        return holds;
    }

    bool Within(ref int count, int most)
    {
        if (count < most) { count++; return true; }
        Spent = true;
        return false;
    }

    /// <summary>Signatures of a store's own CAs, of which there are only so many.</summary>
    internal sealed class Signatures(TrustStore store)
    {
        const int Most = 16_384;
        readonly HashSet<Digest> authorities = [.. store.Authorities.Select(a => a.Key)];
        readonly System.Collections.Concurrent.ConcurrentDictionary<(Digest, Digest), bool> all = [];

        public bool TryGet((Digest, Digest) pair, out bool holds) => all.TryGetValue(pair, out holds);

        public void Keep((Digest, Digest) pair, bool holds, Certificate certificate)
        {
            if (authorities.Contains(certificate.Key) && all.Count < Most) all[pair] = holds;
        }
    }
}
