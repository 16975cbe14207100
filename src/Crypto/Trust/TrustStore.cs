using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Crypto.Trust;

/// <summary>Immutable: pinned roots, issuing CAs and their CRLs.</summary>
public sealed class TrustStore
{
    /// <summary>X.509 extension of a root that only development may trust (DER NULL, not critical).</summary>
    public const string DevelopmentRoot = Oids.Arc + ".6.1";

    static readonly string[] Folders = ["roots", "intermediates", "crls"];
    readonly RevocationList[] lists;
    readonly ILookup<Digest, Certificate> named;
    readonly Dictionary<RevocationList, RevocationList> deltas;

    TrustStore(IReadOnlyList<Certificate> roots, IReadOnlyList<Certificate> intermediates, RevocationList[] lists)
    {
        Roots = roots;
        Intermediates = intermediates;
        Authorities = [.. roots, .. intermediates];
        this.lists = lists;
        named = Authorities.ToLookup(a => Digest.Of(a.Parsed.SubjectDN.GetDerEncoded()));
        CompleteLists = [.. lists.Where(l => l.Base is null)];
        deltas = CompleteLists.Select(l => (List: l, Delta: Array.Find(lists, d => d.Updates(l) && Line(d) == Line(l)))).Where(p => p.Delta is not null).ToDictionary(p => p.List, p => p.Delta!);
        Id = Name();
    }

    /// <param name="roots">DER.</param>
    /// <param name="intermediates">DER.</param>
    /// <param name="crls">DER; each must verify under one of the CAs; for one issuer and scope the highest CRL number wins, of complete lists and of deltas.</param>
    /// <exception cref="RefusedException">A CRL or certificate cannot be read or does not verify.</exception>
    public static TrustStore Create(IEnumerable<ReadOnlyMemory<byte>> roots, IEnumerable<ReadOnlyMemory<byte>> intermediates, IEnumerable<ReadOnlyMemory<byte>> crls) =>
        Create(roots, intermediates, crls, PathDemands.Shipped);

    internal static TrustStore Create(IEnumerable<ReadOnlyMemory<byte>> roots, IEnumerable<ReadOnlyMemory<byte>> intermediates, IEnumerable<ReadOnlyMemory<byte>> crls, PathDemands demands)
    {
        var anchors = Read(roots, "root", demands, CertificateProfile.WrongRoot);
        if (anchors.Count == 0) throw new RefusedException(Refusal.CertificateUntrusted, "trust store without a root");
        return new TrustStore(anchors, Read(intermediates, "intermediate", demands, CertificateProfile.WrongAuthority), []).WithCrls(crls);
    }

    /// <summary>Reads a folder: roots/*.pem|der|crt, intermediates/…, crls/*.crl|pem|der.</summary>
    /// <exception cref="RefusedException">As <see cref="Create"/>; <see cref="Refusal.Profile"/>: a folder is missing or a file cannot be read.</exception>
    public static TrustStore Load(string folder)
    {
        try
        {
            return Of(Folders.SelectMany(kind => Directory.EnumerateFiles(Path.Combine(folder, kind)).Select(f => ($"{kind}/{Path.GetFileName(f)}", (ReadOnlyMemory<byte>)File.ReadAllBytes(f)))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(Refusal.Profile, $"trust folder {folder}: {e.Message}");
        }
    }

    /// <summary>As <see cref="Load"/>, of files at hand, each by its path in such a folder; others are not looked at.</summary>
    /// <exception cref="RefusedException">As <see cref="Load"/>.</exception>
    public static TrustStore Of(IEnumerable<(string Path, ReadOnlyMemory<byte> Bytes)> files)
    {
        var all = files.OrderBy(f => f.Path, StringComparer.Ordinal).ToList();
        try
        {
            return Create(Read(all, "roots/", "CERTIFICATE", ".pem", ".der", ".crt"), Read(all, "intermediates/", "CERTIFICATE", ".pem", ".der", ".crt"), Read(all, "crls/", "X509 CRL", ".crl", ".pem", ".der"));
        }
        catch (FormatException e) { throw new RefusedException(Refusal.Profile, $"trust: {e.Message}"); }
    }

    public IReadOnlyList<Certificate> Roots { get; }
    public IReadOnlyList<Certificate> Intermediates { get; }
    /// <summary>DER of the CRLs in use.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Crls => [.. lists.Select(l => (ReadOnlyMemory<byte>)l.Der)];
    /// <summary>When the first of them says nothing any more; null: there are none. A complete list lasts as long as a delta that brings it up to date.</summary>
    public DateTimeOffset? CrlsUntil => CompleteLists.Length == 0 ? null : CompleteLists.Min(l => DeltaOf(l) is { } delta && delta.NextUpdate > l.NextUpdate ? delta.NextUpdate : l.NextUpdate);
    /// <summary>When the oldest of them was issued; null: there are none.</summary>
    public DateTimeOffset? CrlsSince => CompleteLists.Length == 0 ? null : CompleteLists.Min(l => l.ThisUpdate);
    /// <summary>SHA-256 over the sorted keys of anchors and CRLs: names this store in a World.</summary>
    public Digest Id { get; }
    /// <summary>A root says of itself that it is for development only. A gateway outside Development does not start with it.</summary>
    public bool IsDevelopment => Roots.Any(r => r.Parsed.CertificateStructure.Extensions?.GetExtension(new(DevelopmentRoot)) is not null);

    /// <summary>The same anchors with these CRLs taken into account where they are newer: a list with a lower or equal number never replaces the one in use.</summary>
    /// <exception cref="RefusedException">One of them cannot be read or does not verify.</exception>
    public TrustStore WithCrls(IEnumerable<ReadOnlyMemory<byte>> crls)
    {
        var newest = lists.ToDictionary(l => (Line(l), l.Base is not null));
        foreach (var list in crls.Select(der => RevocationList.Read(der, Authorities)))
        {
            var line = (Line(list), list.Base is not null);
            if (!newest.TryGetValue(line, out var used) || list.Number.CompareTo(used.Number) > 0) newest[line] = list;
        }
        return new TrustStore(Roots, Intermediates, [.. newest.Values.OrderBy(l => l.Key)]);
    }

    /// <summary>Roots, then intermediates.</summary>
    internal IReadOnlyList<Certificate> Authorities { get; }
    internal RevocationList[] CompleteLists { get; }
    /// <summary>The delta that brings this complete list up to date; null: there is none.</summary>
    internal RevocationList? DeltaOf(RevocationList complete) => deltas.GetValueOrDefault(complete);

    /// <summary>The CAs with exactly this name.</summary>
    internal IEnumerable<Certificate> Named(X509Name name) => named[Digest.Of(name.GetDerEncoded())];

    /// <summary>The list about all certificates of this CA; null: there is none.</summary>
    internal RevocationList? ListOf(Certificate authority)
    {
        var line = (IssuerName(authority), "");
        return Array.Find(CompleteLists, l => Line(l) == line);
    }

    // The versions of one list: same issuer, same key, same scope.
    static (Digest, string) Line(RevocationList list) => (IssuerName(list.Issuer), list.Scope.Der);

    // A CA that was issued a second certificate for the same key has one CRL for both.
    internal static Digest IssuerName(Certificate authority) => Digest.Of([.. authority.Parsed.SubjectDN.GetDerEncoded(), .. authority.PublicKeyInfo]);

    // Roots and intermediates are told apart: the same certificate as a root is another trust.
    Digest Name()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (kind, keys) in new[] { ("roots", Roots.Select(c => c.Key)), ("intermediates", Intermediates.Select(c => c.Key)), ("crls", lists.Select(l => l.Key)) })
        {
            hash.AppendData(Encoding.ASCII.GetBytes(kind));
            foreach (var key in keys.Order()) hash.AppendData(key.ToArray());
        }
        return new Digest(hash.GetHashAndReset());
    }

    static List<Certificate> Read(IEnumerable<ReadOnlyMemory<byte>> ders, string kind, PathDemands demands, Func<Certificate, string?> unfit)
    {
        var all = new List<Certificate>();
        foreach (var certificate in ders.Select(der => Certificate.Of(der.Span)))
        {
            string? wrong;
            try { wrong = (demands.ExactForm ? unfit(certificate) : null) ?? CertificateProfile.WrongKey(certificate, demands.LeastRsaBits); }
            catch (Exception e) when (e is not RefusedException) { throw new RefusedException(Refusal.Der, $"{kind}: {e.GetType().Name}"); }
            if (wrong is not null) throw new RefusedException(Refusal.CertificateUntrusted, $"{kind}: {wrong}");
            if (!all.Contains(certificate)) all.Add(certificate);
        }
        return all;
    }

    static List<ReadOnlyMemory<byte>> Read(List<(string Path, ReadOnlyMemory<byte> Bytes)> files, string kind, string label, params ReadOnlySpan<string> extensions)
    {
        var all = new List<ReadOnlyMemory<byte>>();
        foreach (var (file, bytes) in files)
        {
            if (!file.StartsWith(kind, StringComparison.Ordinal) || file.IndexOf('/', kind.Length) >= 0 || !extensions.Contains(Path.GetExtension(file))) continue;
            if (bytes.Span is [0x30, ..]) { all.Add(bytes); continue; }
            var text = Encoding.ASCII.GetString(bytes.Span).AsSpan();
            var found = false;
            while (PemEncoding.TryFind(text, out var block))
            {
                if (!text[block.Label].SequenceEqual(label)) throw new FormatException($"{file} holds a {text[block.Label]}");
                all.Add(Convert.FromBase64String(text[block.Base64Data].ToString()));
                text = text[block.Location.End..];
                found = true;
            }
            if (!found) throw new FormatException($"{file} is neither DER nor PEM");
        }
        return all;
    }
}
