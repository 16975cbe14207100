using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// The ledger's Ed25519 signing key (RFC 8032), named after its origin. .NET has no Ed25519: the mathematics is BouncyCastle's. On disk: <see cref="KeyFile"/>, the
/// key as RFC 8410 writes it. The ledger's ML-DSA-44 key is a <see cref="CosignerKey"/> of the same name: C2SP has no other ML-DSA-44 signature.
/// </summary>
public sealed class CheckpointKey : IDisposable
{
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

    /// <summary>The line that this key adds to the checkpoint's note, newline included: while one key takes over from another, both sign.</summary>
    public string SignLine(Checkpoint checkpoint) => checkpoint.Origin == Origin
        ? Line(checkpoint.Text) : throw new ArgumentException("The checkpoint is of another ledger.", nameof(checkpoint));

    /// <summary>Signs any text as a note: most callers want <see cref="Sign"/>.</summary>
    internal string SignNote(string text) => text.EndsWith('\n')
        ? text + "\n" + Line(text) : throw new ArgumentException("The text of a note ends in a newline.", nameof(text));

    string Line(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var signature = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(seed, 0, bytes, 0, bytes.Length, signature, 0);
        return SignedNote.SignatureLine(Origin, VerifierKey.Id, signature);
    }

    /// <summary>Writes the key, encrypted, to a new file that only its owner may read; durable on return.</summary>
    /// <exception cref="IOException">The file exists: a key is never overwritten.</exception>
    public void Save(string path, ReadOnlySpan<char> passphrase)
    {
        var plain = Ed25519KeyInfo.Write(seed);
        try { KeyFile.Save(path, plain, passphrase); }
        finally { CryptographicOperations.ZeroMemory(plain); }
    }

    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>: wrong passphrase, or not such a file.</exception>
    public static CheckpointKey Load(string path, ReadOnlySpan<char> passphrase, string origin) =>
        KeyFile.Load(path, passphrase, "checkpoint key", plain => Read(origin, plain));

    internal static CheckpointKey Read(string origin, byte[] plain) => new(origin, Ed25519KeyInfo.Read(plain));

    public void Dispose() => CryptographicOperations.ZeroMemory(seed);
}

/// <summary>RFC 8410 section 7: version 0, id-Ed25519, OCTET STRING in OCTET STRING. 48 bytes.</summary>
static class Ed25519KeyInfo
{
    public const int Size = 48;

    public static byte[] Write(ReadOnlySpan<byte> seed) => [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20, .. seed];

    /// <summary>The seed, if the bytes are the one encoding of it.</summary>
    public static byte[] Read(byte[] plain)
    {
        var seed = plain.Length < Ed25519.SecretKeySize ? [] : plain[^Ed25519.SecretKeySize..];
        return Write(seed).AsSpan().SequenceEqual(plain) ? seed : throw new CryptographicException("not an Ed25519 key");
    }
}
