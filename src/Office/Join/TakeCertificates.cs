using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Join;

/// <param name="File">PKCS#12, absolute path.</param>
sealed record TakenKey(KeyKind Kind, Certificate Certificate, string File);

/// <summary>A text in both languages.</summary>
sealed record Words(string En, string Vi);

/// <summary>
/// Takes what the CA issued: each certificate must belong to the key of a request, lead to a root that is trusted here, be good for what the key is for, and name the hosts asked for.
/// Everything that is wrong is named at once, and then nothing is written.
/// </summary>
sealed class TakeCertificates(string target, KeyRequest request, string passphrase, CertificateCheck trust, DateTimeOffset now)
{
    readonly List<Words> wrong = [];

    /// <summary>What keeps the certificates from being taken.</summary>
    public IReadOnlyList<Words> Wrong => wrong;

    /// <param name="paths">Files, or folders of them: PEM or DER, in any order.</param>
    /// <returns>By name of the request; empty when something is wrong.</returns>
    public IReadOnlyList<TakenKey> Run(IEnumerable<string> paths)
    {
        var issued = Read(paths);
        var taken = new List<TakenKey>();
        var files = new List<(string Path, byte[] Bytes)>();
        foreach (var kind in request.Kinds)
        {
            using var key = KeyRequest.Key(target, kind, passphrase);
            var spki = key.ExportSubjectPublicKeyInfo();
            // Issued twice, as after a mistake of the CA: the newer one.
            var bare = issued.Where(c => c.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(spki)).OrderBy(c => c.NotBefore).LastOrDefault();
            if (bare is null)
            {
                wrong.Add(new($"{kind.Name}: no certificate for this key among the {issued.Count} given: ask the CA for request/{kind.Name}.csr",
                    $"{kind.Name}: không có chứng thư cho khóa này trong {issued.Count} chứng thư đã đưa: đề nghị CA cấp cho request/{kind.Name}.csr"));
                continue;
            }
            var certificate = new Certificate(bare.RawData);
            if (!IsGood(kind, certificate, bare)) continue;
            var file = Path.Combine(target, request.Owner == KeyKind.ForOffice ? $"{kind.Name}-{Convert.ToHexStringLower(certificate.Key.ToArray()[..4])}.p12" : $"{kind.Name}.p12");
            using var withKey = With(bare, key);
            files.Add((file, Pkcs12.Write(withKey, [], passphrase, Passphrase.Iterations(passphrase))));
            taken.Add(new TakenKey(kind, certificate, file));
        }
        foreach (var one in issued) one.Dispose();
        if (wrong.Count > 0) return [];
        foreach (var ((path, bytes), key) in files.Zip(taken))
        {
            // A gateway and an officer have one file for each key, and settings that name it: the one before is kept beside it.
            if (File.Exists(path) && request.Owner != KeyKind.ForOffice && !Holds(path, key.Certificate)) DurableFile.Write(Path.ChangeExtension(path, ".before.p12"), File.ReadAllBytes(path));
            DurableFile.Write(path, bytes);
        }
        return taken;
    }

    // A run that was killed after this file and before the end has put the new key there already.
    bool Holds(string path, Certificate certificate)
    {
        try
        {
            using var there = FileKey.Load(path, passphrase);
            return there.Certificate.Equals(certificate);
        }
        catch (RefusedException) { return false; }
    }

    bool IsGood(KeyKind kind, Certificate certificate, X509Certificate2 bare)
    {
        var before = wrong.Count;
        foreach (var purpose in kind.Purposes)
            if (trust.Check(certificate, purpose, now) is { Refusal: { } refusal } verdict)
                wrong.Add(new($"{kind.Name}: {refusal.Code}: {refusal.En} ({verdict.Explained}) {refusal.RemedyEn}", $"{kind.Name}: {refusal.Code}: {refusal.Vi} ({verdict.Explained}) {refusal.RemedyVi}"));
        if (kind.Use == KeyUse.Tls)
            foreach (var host in request.Hosts.Where(h => !bare.MatchesHostname(h, allowWildcards: false, allowCommonName: false)))
                wrong.Add(new($"{kind.Name}: the certificate is not for {host}: ask the CA for one with this subjectAltName", $"{kind.Name}: chứng thư không dành cho {host}: đề nghị CA cấp với subjectAltName này"));
        return wrong.Count == before;
    }

    static X509Certificate2 With(X509Certificate2 bare, AsymmetricAlgorithm key) => key switch
    {
        RSA rsa => bare.CopyWithPrivateKey(rsa),
        ECDiffieHellman agreement => bare.CopyWithPrivateKey(agreement),
        _ => bare.CopyWithPrivateKey((ECDsa)key),
    };

    List<X509Certificate2> Read(IEnumerable<string> paths)
    {
        var all = new List<X509Certificate2>();
        foreach (var file in paths.SelectMany(p => Directory.Exists(p) ? Directory.GetFiles(p) : [p]).Order(StringComparer.Ordinal))
            try
            {
                var bytes = File.ReadAllBytes(file);
                if (bytes is [0x30, ..]) { all.Add(X509CertificateLoader.LoadCertificate(bytes)); continue; }
                var pem = new X509Certificate2Collection();
                // Takes the certificates and passes over what a CA writes around them.
                pem.ImportFromPem(File.ReadAllText(file));
                all.AddRange(pem);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                wrong.Add(new($"{file}: not a certificate that can be read", $"{file}: không đọc được chứng thư"));
            }
        return all;
    }
}
