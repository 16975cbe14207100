using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// The ledger's Ed25519 signing key (RFC 8032), named after its origin. .NET has no Ed25519: the mathematics is BouncyCastle's. On disk: PKCS#8 (RFC 8410)
/// encrypted by PBES2 (RFC 8018: PBKDF2-HMAC-SHA-256, AES-256-CBC), PEM, as <c>openssl genpkey -algorithm ed25519 -aes256</c> writes it.
/// </summary>
public sealed class CheckpointKey : IDisposable
{
    const string Label = "ENCRYPTED PRIVATE KEY";
    const int Iterations = 600_000, MaxIterations = 10_000_000;
    readonly byte[] seed;

    CheckpointKey(string origin, byte[] seed)
    {
        this.seed = seed;
        var key = new byte[Ed25519.PublicKeySize];
        Ed25519.GeneratePublicKey(seed, 0, key, 0);
        VerifierKey = new VerifierKey(origin, key);
    }

    public string Origin => VerifierKey.Name;

    /// <summary>The public half: what everyone pins.</summary>
    public VerifierKey VerifierKey { get; }

    /// <summary>A fresh key for a ledger of this name.</summary>
    public static CheckpointKey Create(string origin) => new(origin, RandomNumberGenerator.GetBytes(Ed25519.SecretKeySize));

    /// <summary>A key from its 32 secret bytes: for published vectors.</summary>
    internal static CheckpointKey FromSeed(string origin, ReadOnlySpan<byte> seed) => new(origin, seed.ToArray());

    /// <summary>The checkpoint's note. Deterministic: the same head gives the same bytes.</summary>
    public string Sign(Checkpoint checkpoint) => checkpoint.Origin == Origin
        ? SignNote(checkpoint.Text) : throw new ArgumentException("The checkpoint is of another ledger.", nameof(checkpoint));

    /// <summary>Signs any text as a note: most callers want <see cref="Sign"/>.</summary>
    internal string SignNote(string text)
    {
        if (!text.EndsWith('\n')) throw new ArgumentException("The text of a note ends in a newline.", nameof(text));
        var bytes = Encoding.UTF8.GetBytes(text);
        var signature = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(seed, 0, bytes, 0, bytes.Length, signature, 0);
        return text + "\n" + SignedNote.SignatureLine(Origin, VerifierKey.Id, signature);
    }

    /// <summary>Writes the key, encrypted, to a new file that only its owner may read; durable on return.</summary>
    /// <exception cref="IOException">The file exists: a key is never overwritten.</exception>
    public void Save(string path, ReadOnlySpan<char> passphrase)
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException("Key files are protected by their mode.");
        var pem = PemEncoding.WriteString(Label, Encrypt(passphrase)) + "\n";
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.Write(Encoding.ASCII.GetBytes(pem));
        file.Flush(flushToDisk: true);
    }

    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>: wrong passphrase, or not such a file.</exception>
    public static CheckpointKey Load(string path, ReadOnlySpan<char> passphrase, string origin)
    {
        var pem = File.ReadAllText(path);
        if (!PemEncoding.TryFind(pem, out var fields) || pem[fields.Label] != Label) throw new RefusedException(Refusal.Passphrase, "checkpoint key: no encrypted key");
        var seed = Decrypt(Convert.FromBase64String(pem[fields.Base64Data]), passphrase);
        try { return new CheckpointKey(origin, (byte[])seed.Clone()); }
        finally { CryptographicOperations.ZeroMemory(seed); }
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(seed);

    byte[] Encrypt(ReadOnlySpan<char> passphrase)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        using var aes = Aes.Create();
        aes.Key = Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, Iterations, HashAlgorithmName.SHA256, 32);
        var plain = PrivateKeyInfo(seed);
        try { return Pbes2.Write(salt, Iterations, aes.IV, aes.EncryptCbc(plain, aes.IV)); }
        finally { CryptographicOperations.ZeroMemory(plain); }
    }

    static byte[] Decrypt(byte[] der, ReadOnlySpan<char> passphrase)
    {
        byte[] plain = [];
        try
        {
            var (salt, iterations, iv, cipher) = Pbes2.Read(der);
            if (iterations is < 1 or > MaxIterations) throw new CryptographicException("iterations");
            using var aes = Aes.Create();
            aes.Key = Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, iterations, HashAlgorithmName.SHA256, 32);
            plain = aes.DecryptCbc(cipher, iv);
            var seed = plain[^Ed25519.SecretKeySize..];
            // Nothing authenticates the file but this: the whole key must be the one encoding of its last 32 bytes.
            return PrivateKeyInfo(seed).AsSpan().SequenceEqual(plain) ? seed : throw new CryptographicException("not an Ed25519 key");
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException or ArgumentException or OverflowException)
        {
            throw new RefusedException(Refusal.Passphrase, "checkpoint key");
        }
        finally { CryptographicOperations.ZeroMemory(plain); }
    }

    // RFC 8410 section 7: version 0, id-Ed25519, OCTET STRING in OCTET STRING.
    static byte[] PrivateKeyInfo(ReadOnlySpan<byte> seed) => [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20, .. seed];
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
