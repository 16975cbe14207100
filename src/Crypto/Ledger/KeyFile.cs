using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// A private key on disk: PKCS#8 encrypted by PBES2 (RFC 8018: PBKDF2-HMAC-SHA-256, AES-256-CBC), PEM, as <c>openssl genpkey -aes256</c> writes it.
/// </summary>
static class KeyFile
{
    const string Label = "ENCRYPTED PRIVATE KEY";
    const int Iterations = 600_000, MaxIterations = 10_000_000;

    /// <summary>Writes the key, encrypted, to a new file that only its owner may read; durable on return.</summary>
    /// <param name="privateKeyInfo">DER of the key, in clear; the caller's to erase.</param>
    /// <exception cref="IOException">The file exists: a key is never overwritten.</exception>
    public static void Save(string path, byte[] privateKeyInfo, ReadOnlySpan<char> passphrase)
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException("Key files are protected by their mode.");
        var pem = PemEncoding.WriteString(Label, Encrypt(privateKeyInfo, passphrase)) + "\n";
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.Write(Encoding.ASCII.GetBytes(pem));
        file.Flush(flushToDisk: true);
    }

    /// <summary>What <paramref name="read"/> makes of the key's DER, which is erased afterwards.</summary>
    /// <param name="read">Nothing authenticates the file but this: it throws unless the bytes are the one encoding of the key that it returns.</param>
    /// <param name="what">Named in the refusal.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>: wrong passphrase, or not such a file.</exception>
    public static T Load<T>(string path, ReadOnlySpan<char> passphrase, string what, Func<byte[], T> read)
    {
        var pem = File.ReadAllText(path);
        if (!PemEncoding.TryFind(pem, out var fields) || pem[fields.Label] != Label) throw new RefusedException(Refusal.Passphrase, $"{what}: no encrypted key");
        byte[] plain = [];
        try
        {
            plain = Decrypt(Convert.FromBase64String(pem[fields.Base64Data]), passphrase);
            return read(plain);
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException or ArgumentException or OverflowException or FormatException or IOException)
        {
            throw new RefusedException(Refusal.Passphrase, what);
        }
        finally { CryptographicOperations.ZeroMemory(plain); }
    }

    static byte[] Encrypt(byte[] plain, ReadOnlySpan<char> passphrase)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        using var aes = Aes.Create();
        aes.Key = Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, Iterations, HashAlgorithmName.SHA256, 32);
        return Pbes2.Write(salt, Iterations, aes.IV, aes.EncryptCbc(plain, aes.IV));
    }

    static byte[] Decrypt(byte[] der, ReadOnlySpan<char> passphrase)
    {
        var (salt, iterations, iv, cipher) = Pbes2.Read(der);
        if (iterations is < 1 or > MaxIterations) throw new CryptographicException("iterations");
        using var aes = Aes.Create();
        aes.Key = Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, iterations, HashAlgorithmName.SHA256, 32);
        return aes.DecryptCbc(cipher, iv);
    }
}

/// <summary>EncryptedPrivateKeyInfo (RFC 5208) under PBES2 (RFC 8018 appendix A): PBKDF2 with HMAC-SHA-256 and AES-256-CBC, no other.</summary>
static class Pbes2
{
    const string Scheme = "1.2.840.113549.1.5.13", Pbkdf2 = "1.2.840.113549.1.5.12", HmacSha256 = "1.2.840.113549.2.9", Aes256Cbc = "2.16.840.1.101.3.4.1.42";

    public static byte[] Write(byte[] salt, int iterations, byte[] iv, byte[] cipher)
    {
        var w = new AsnWriter(AsnEncodingRules.DER);
        using (w.PushSequence())
        {
            using (w.PushSequence())
            {
                w.WriteObjectIdentifier(Scheme);
                using (w.PushSequence())
                {
                    using (w.PushSequence())
                    {
                        w.WriteObjectIdentifier(Pbkdf2);
                        using (w.PushSequence())
                        {
                            w.WriteOctetString(salt);
                            w.WriteInteger(iterations);
                            using (w.PushSequence()) { w.WriteObjectIdentifier(HmacSha256); w.WriteNull(); }
                        }
                    }
                    using (w.PushSequence()) { w.WriteObjectIdentifier(Aes256Cbc); w.WriteOctetString(iv); }
                }
            }
            w.WriteOctetString(cipher);
        }
        return w.Encode();
    }

    public static (byte[] Salt, int Iterations, byte[] Iv, byte[] Cipher) Read(byte[] der)
    {
        var info = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        var algorithm = info.ReadSequence();
        _ = algorithm.ReadObjectIdentifier();
        var scheme = algorithm.ReadSequence();
        var kdf = scheme.ReadSequence();
        _ = kdf.ReadObjectIdentifier();
        var parameters = kdf.ReadSequence();
        var salt = parameters.ReadOctetString();
        if (!parameters.TryReadInt32(out var iterations)) throw new CryptographicException("iterations");
        var encryption = scheme.ReadSequence();
        _ = encryption.ReadObjectIdentifier();
        var iv = encryption.ReadOctetString();
        var cipher = info.ReadOctetString();
        // Identifiers, absent and surplus members are all judged here.
        return Write(salt, iterations, iv, cipher).AsSpan().SequenceEqual(der) ? (salt, iterations, iv, cipher) : throw new CryptographicException("not PBES2 as expected");
    }
}
