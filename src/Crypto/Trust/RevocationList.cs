using System.Collections.Frozen;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.X509;

namespace Exchange.Crypto.Trust;

/// <summary>
/// A CRL (RFC 5280 section 5) whose signature was verified under a certificate of the store: complete, delta, partitioned or indirect. Of whom it speaks says <see cref="Scope"/>; whether its issuer
/// may speak of them is asked anew for each path.
/// </summary>
sealed class RevocationList
{
    const int MostBytes = 64 * 1024 * 1024;

    static readonly HashSet<string> KnownCritical = [X509Extensions.DeltaCrlIndicator.Id, X509Extensions.IssuingDistributionPoint.Id, X509Extensions.CrlNumber.Id, X509Extensions.AuthorityKeyIdentifier.Id];
    static readonly HashSet<string> KnownCriticalOfEntries = [X509Extensions.CertificateIssuer.Id, X509Extensions.ReasonCode.Id, X509Extensions.InvalidityDate.Id];

    readonly FrozenDictionary<BigInteger, Entry> entries;

    /// <summary>What a list says of one certificate.</summary>
    /// <param name="Issuer">Whose certificate it is.</param>
    /// <param name="From">From when it counts as revoked.</param>
    /// <param name="Removed">A delta takes back what a list before it said.</param>
    /// <param name="Next">Of another issuer's certificate with the same serial number.</param>
    internal sealed record Entry(X509Name Issuer, DateTimeOffset From, bool Removed, Entry? Next);

    RevocationList(byte[] der, X509Crl crl, Certificate issuer)
    {
        var extensions = crl.CertificateList.TbsCertList.Extensions;
        Der = der;
        Key = Digest.Of(der);
        Issuer = issuer;
        IssuerName = crl.IssuerDN;
        Number = Counter(extensions, X509Extensions.CrlNumber)!;
        Base = Counter(extensions, X509Extensions.DeltaCrlIndicator);
        Scope = RevocationScope.Of(extensions.GetExtension(X509Extensions.IssuingDistributionPoint), IssuerName);
        ThisUpdate = Utc(crl.ThisUpdate);
        NextUpdate = Utc(crl.NextUpdate!.Value);
        entries = Read(crl, Scope.Indirect).ToFrozenDictionary();
    }

    public byte[] Der { get; }
    public Digest Key { get; }
    /// <summary>The certificate under whose key it verified; others may have the same name and key.</summary>
    public Certificate Issuer { get; }
    public X509Name IssuerName { get; }
    public BigInteger Number { get; }
    /// <summary>Of a delta: the number of the oldest complete list that it brings up to date; null: it is complete.</summary>
    public BigInteger? Base { get; }
    public RevocationScope Scope { get; }
    public DateTimeOffset ThisUpdate { get; }
    /// <summary>From here on the list says nothing any more.</summary>
    public DateTimeOffset NextUpdate { get; }

    /// <summary>From when the certificate counts as revoked; null: it is not in the list.</summary>
    public DateTimeOffset? RevokedFrom(Certificate certificate) => Find(certificate) is { Removed: false } entry ? entry.From : null;

    public Entry? Find(Certificate certificate)
    {
        if (!entries.TryGetValue(certificate.Parsed.SerialNumber, out var entry)) return null;
        while (entry is not null && !entry.Issuer.Equivalent(certificate.Parsed.IssuerDN, inOrder: true)) entry = entry.Next;
        return entry;
    }

    /// <summary>Whether this delta brings that complete list up to date (RFC 5280 5.2.4). Both are of one issuer, key and scope.</summary>
    public bool Updates(RevocationList complete) => Base is not null && complete.Base is null && complete.Number.CompareTo(Base) >= 0 && complete.Number.CompareTo(Number) < 0;

    /// <exception cref="RefusedException">Not a CRL of one of these, or not one that can be understood in full.</exception>
    public static RevocationList Read(ReadOnlyMemory<byte> der, IEnumerable<Certificate> authorities)
    {
        if (der.Length > MostBytes) throw new RefusedException(Refusal.Size, "CRL");
        var bytes = der.ToArray();
        try
        {
            var crl = new X509Crl(bytes);
            if (!crl.GetEncoded().AsSpan().SequenceEqual(bytes)) throw new RefusedException(Refusal.Der, "CRL");
            if (Counter(crl.CertificateList.TbsCertList.Extensions, X509Extensions.CrlNumber) is null) throw new RefusedException(Refusal.RevocationUnknown, "CRL without a number");
            Demand(crl.GetCriticalExtensionOids(), KnownCritical);
            foreach (var entry in Entries(crl)) Demand(entry.GetCriticalExtensionOids(), KnownCriticalOfEntries);
            if (crl.NextUpdate is null) throw new RefusedException(Refusal.RevocationUnknown, "CRL without nextUpdate");
            if (CertificateProfile.WrongSignature(crl.CertificateList.SignatureAlgorithm) is { } wrong) throw new RefusedException(Refusal.CertificateAlgorithm, $"CRL: {wrong}");

            var named = authorities.Where(a => a.Parsed.SubjectDN.Equivalent(crl.IssuerDN, inOrder: true)).DistinctBy(a => a.KeyId).ToList();
            if (named.Count == 0) throw new RefusedException(Refusal.CertificateUntrusted, "CRL of an unknown issuer");
            var issuer = named.Find(a => IsSigned(crl, a)) ?? throw new RefusedException(Refusal.Signature, "CRL");
            return new RevocationList(bytes, crl, issuer);
        }
        catch (Exception e) when (e is not (RefusedException or OutOfMemoryException)) { throw new RefusedException(Refusal.Der, $"CRL: {e.GetType().Name}"); }
    }

    static Dictionary<BigInteger, Entry> Read(X509Crl crl, bool indirect)
    {
        var all = new Dictionary<BigInteger, Entry>();
        var issuer = crl.IssuerDN;
        foreach (var entry in Entries(crl))
        {
            // RFC 5280 5.3.3: an entry without a certificateIssuer is of the same issuer as the one before it.
            if (entry.GetExtensionParsedValue(X509Extensions.CertificateIssuer) is { } named)
            {
                if (!indirect) throw new RefusedException(Refusal.RevocationUnknown, "CRL: an entry of another issuer in a list that is not indirect");
                issuer = X509Name.GetInstance(GeneralNames.GetInstance(named).GetNames().Single(n => n.TagNo == GeneralName.DirectoryName).Name);
            }
            var removed = entry.GetExtensionParsedValue(X509Extensions.ReasonCode) is { } reason && DerEnumerated.GetInstance(reason).IntValueExact == CrlReason.RemoveFromCrl;
            all[entry.SerialNumber] = new(issuer, RevokedFrom(entry), removed, all.GetValueOrDefault(entry.SerialNumber));
        }
        return all;
    }

    /// <summary>The earlier of revocationDate and invalidityDate (RFC 5280 5.3.2): what was signed in between was not signed by the owner.</summary>
    static DateTimeOffset RevokedFrom(X509CrlEntry entry)
    {
        var from = Utc(entry.RevocationDate);
        if (entry.GetExtensionParsedValue(X509Extensions.InvalidityDate) is not { } invalidity) return from;
        var invalid = Utc(Asn1GeneralizedTime.GetInstance(invalidity).ToDateTime());
        return invalid < from ? invalid : from;
    }

    static bool IsSigned(X509Crl crl, Certificate authority)
    {
        try { return crl.IsSignatureValid(authority.Parsed.GetPublicKey()); }
        // Of another kind than the key: another certificate of that name may be meant.
        catch (Exception e) when (e is not OutOfMemoryException) { return false; }
    }

    static void Demand(ISet<string>? critical, HashSet<string> known)
    {
        if (critical?.FirstOrDefault(oid => !known.Contains(oid)) is { } unknown) throw new RefusedException(Refusal.RevocationUnknown, $"CRL: unknown critical extension {unknown}");
    }

    static BigInteger? Counter(X509Extensions? extensions, DerObjectIdentifier oid) =>
        extensions?.GetExtension(oid) is { } extension ? DerInteger.GetInstance(extension.GetParsedValue()).PositiveValue : null;

    // An empty list comes back as null.
    static IEnumerable<X509CrlEntry> Entries(X509Crl crl) => crl.GetRevokedCertificates() ?? Enumerable.Empty<X509CrlEntry>();

    static DateTimeOffset Utc(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));
}
