using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Exchange.Crypto.Keys;

/// <summary>Writes the key files that <see cref="FileKey"/> reads: PKCS#12 (RFC 7292) under PBES2 with AES-256-CBC and HMAC-SHA-256 (RFC 8018), MAC SHA-256.</summary>
public static class Pkcs12
{
    /// <summary>For passphrases that people choose; OWASP asks for 600,000, the loader's default limit is 300,000.</summary>
    public const int Iterations = 300_000;

    /// <param name="withKey">Certificate with its exportable private key.</param>
    /// <param name="chain">Issuing CAs to put beside it.</param>
    /// <param name="iterations">Fewer only where the passphrase is itself 128 random bits or more.</param>
    public static byte[] Write(X509Certificate2 withKey, IEnumerable<X509Certificate2> chain, string passphrase, int iterations = Iterations)
    {
        if (!withKey.HasPrivateKey) throw new ArgumentException("The certificate comes without its private key.", nameof(withKey));
        var all = new X509Certificate2Collection { withKey };
        all.AddRange(chain.ToArray());
        return all.ExportPkcs12(new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, iterations), passphrase);
    }
}
