using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;

namespace Exchange.Office.Join;

/// <summary>A key of an office's own archive. Nobody else seals to it and nobody has to trust it, so no CA is asked: its certificate, signed by itself, only names it.</summary>
/// <param name="File">PKCS#12, absolute path.</param>
sealed record ArchiveKey(Digest Key, string File)
{
    const int Years = 100;

    /// <summary>The key file first, then the profile that names it before those it had. Crash in between: a key that nobody uses.</summary>
    public static ArchiveKey Make(string profile, string office, string passphrase, DateTimeOffset now)
    {
        using var pair = ECDiffieHellman.Create(KeyProfile.Curve(KeyUse.Encrypt));
        using var signer = ECDsa.Create(pair.ExportParameters(includePrivateParameters: true));
        var request = new CertificateRequest(KeyProfile.Subject(office, office, $"{office} archive"), new PublicKey(pair), HashAlgorithmName.SHA384);
        foreach (var extension in KeyProfile.Extensions(KeyUse.Encrypt, isRsa: false, [])) request.CertificateExtensions.Add(extension);
        // RFC 5280 4.1.2.2: positive, at most 20 octets.
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x3f) | 0x40);
        using var bare = request.Create(request.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), now.AddHours(-1), now.AddYears(Years), serial);
        using var certificate = bare.CopyWithPrivateKey(pair);
        var key = Digest.Of(certificate.RawData);
        var file = Path.Combine(Path.GetDirectoryName(profile)!, $"archive-{Convert.ToHexStringLower(key.ToArray()[..4])}.p12");
        DurableFile.Write(file, Pkcs12.Write(certificate, [], passphrase, Passphrase.Iterations(passphrase)));
        DurableFile.Write(profile, ProfileJson.WithArchive(System.IO.File.ReadAllBytes(profile), Path.GetFileName(file)));
        return new ArchiveKey(key, file);
    }
}
