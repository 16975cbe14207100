using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math.EC.Rfc8032;
using Org.BouncyCastle.Pkcs;
using Org.BouncyCastle.Security;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// A key that cosigns checkpoints (C2SP tlog-cosignature): a witness's, of either type, or the ledger's own ML-DSA-44 key, which tlog-checkpoint recommends beside
/// Ed25519. Both kinds are 32 secret bytes. On disk: <see cref="KeyFile"/> over RFC 8410 or RFC 9881 (the seed; a file that holds the expanded key beside it is read too).
/// Signing is deterministic, as Ed25519 always is: a head that is signed again after a crash gives the same line.
/// One Ed25519 key must not serve two witnesses: its signature does not name the cosigner.
/// </summary>
public sealed class CosignerKey : IDisposable
{
    const int SeedSize = 32;
    readonly byte[] seed;

    CosignerKey(string name, NoteKeyType type, byte[] seed)
    {
        this.seed = seed;
        VerifierKey = new VerifierKey(name, type, PublicKey(type, seed));
    }

    public string Name => VerifierKey.Name;

    /// <summary>The public half: what verifiers pin.</summary>
    public VerifierKey VerifierKey { get; }

    /// <summary>A fresh key of a cosigner of this name.</summary>
    public static CosignerKey Create(string name, NoteKeyType type) => FromSeed(name, type, RandomNumberGenerator.GetBytes(SeedSize));

    /// <summary>A key from its 32 secret bytes: for known answers.</summary>
    internal static CosignerKey FromSeed(string name, NoteKeyType type, ReadOnlySpan<byte> seed) => type == NoteKeyType.Ed25519
        ? throw new ArgumentException("A key of this type does not cosign.", nameof(type)) : new(name, type, seed.ToArray());

    /// <summary>The line that this key adds to the checkpoint's note, newline included.</summary>
    /// <param name="time">Seconds since 1970. Zero: no word that this is the largest head; a ledger that signs its own may say so, a witness never does.</param>
    public string SignLine(Checkpoint checkpoint, long time)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(time);
        var text = Encoding.UTF8.GetBytes(checkpoint.Text);
        var signature = VerifierKey.Type == NoteKeyType.MlDsa44Cosignature
            ? SignMlDsa(Cosignature.MlDsa44Message(Name, time, text) ?? throw new ArgumentException("Not a checkpoint that this key can sign.", nameof(checkpoint)))
            : SignEd25519(Cosignature.Ed25519Message(time, text));
        return SignedNote.SignatureLine(Name, VerifierKey.Id, Cosignature.Write(time, signature));
    }

    /// <summary>Writes the key, encrypted, to a new file that only its owner may read; durable on return.</summary>
    /// <exception cref="IOException">The file exists: a key is never overwritten.</exception>
    public void Save(string path, ReadOnlySpan<char> passphrase)
    {
        var plain = VerifierKey.Type == NoteKeyType.MlDsa44Cosignature ? MlDsaKeyInfo(seed, MLDsaPrivateKeyParameters.Format.SeedOnly) : Ed25519KeyInfo.Write(seed);
        try { KeyFile.Save(path, plain, passphrase); }
        finally { CryptographicOperations.ZeroMemory(plain); }
    }

    /// <summary>The key of a file; its algorithm says the type.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>: wrong passphrase, or not such a file.</exception>
    public static CosignerKey Load(string path, ReadOnlySpan<char> passphrase, string name) => KeyFile.Load(path, passphrase, "cosigner key", plain => Read(name, plain));

    internal static CosignerKey Read(string name, byte[] plain)
    {
        // The length alone tells the two apart; the reader of each then compares every byte.
        if (plain.Length == Ed25519KeyInfo.Size) return new CosignerKey(name, NoteKeyType.Ed25519Cosignature, Ed25519KeyInfo.Read(plain));
        var key = PrivateKeyFactory.CreateKey(plain) as MLDsaPrivateKeyParameters;
        var seed = key?.Parameters == MLDsaParameters.ml_dsa_44 ? key.GetSeed() : null;
        if (seed is null) throw new CryptographicException("no ML-DSA-44 key with its seed");
        var isCanonical = MlDsaKeyInfo(seed, MLDsaPrivateKeyParameters.Format.SeedOnly).AsSpan().SequenceEqual(plain)
            || MlDsaKeyInfo(seed, MLDsaPrivateKeyParameters.Format.SeedAndEncoding).AsSpan().SequenceEqual(plain);
        return isCanonical ? new CosignerKey(name, NoteKeyType.MlDsa44Cosignature, seed) : throw new CryptographicException("not as RFC 9881 writes it");
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(seed);

    byte[] SignEd25519(byte[] message)
    {
        var signature = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(seed, 0, message, 0, message.Length, signature, 0);
        return signature;
    }

    byte[] SignMlDsa(byte[] message)
    {
        var signer = new MLDsaSigner(MLDsaParameters.ml_dsa_44, deterministic: true);
        signer.Init(forSigning: true, MLDsaPrivateKeyParameters.FromSeed(MLDsaParameters.ml_dsa_44, seed));
        signer.BlockUpdate(message, 0, message.Length);
        return signer.GenerateSignature();
    }

    static byte[] PublicKey(NoteKeyType type, byte[] seed)
    {
        if (type == NoteKeyType.MlDsa44Cosignature) return MLDsaPrivateKeyParameters.FromSeed(MLDsaParameters.ml_dsa_44, seed).GetPublicKeyEncoded();
        var key = new byte[Ed25519.PublicKeySize];
        Ed25519.GeneratePublicKey(seed, 0, key, 0);
        return key;
    }

    static byte[] MlDsaKeyInfo(byte[] seed, MLDsaPrivateKeyParameters.Format format) =>
        PrivateKeyInfoFactory.CreatePrivateKeyInfo(MLDsaPrivateKeyParameters.FromSeed(MLDsaParameters.ml_dsa_44, seed, format)).GetDerEncoded();
}
