using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Keys;

/// <summary>A private key from a PKCS#12 file (RFC 7292): ECDSA on P-384 or P-256, ECDH on P-384, or RSA of 3072 bits and more. .NET does the mathematics.</summary>
/// <remarks>The key usage of the certificate decides what the key does: a signing key refuses to agree, an encryption key refuses to sign.</remarks>
public sealed class FileKey : IPrivateKey
{
    const int PointSize = 97, CoordinateSize = 48, KeySize = 32;

    readonly X509Certificate2 holder;
    readonly Ecdsa? algorithm;
    readonly Pool<ECDsa> signers;
    readonly Pool<ECDiffieHellman> agreers;
    readonly Pool<RSA> decrypters;

    /// <param name="withKey">Owned from here on.</param>
    /// <param name="chain">Other certificates of the file, owned from here on.</param>
    FileKey(X509Certificate2 withKey, IReadOnlyList<X509Certificate2> chain)
    {
        Certificate = new Certificate(withKey.RawDataMemory.Span);
        holder = withKey;
        algorithm = Ecdsa.Of(Certificate);
        Chain = chain;
        signers = new(holder.GetECDsaPrivateKey);
        agreers = new(holder.GetECDiffieHellmanPrivateKey);
        decrypters = new(holder.GetRSAPrivateKey);
    }

    /// <summary>A key that .NET already holds, as after making it. The certificate is owned from here on.</summary>
    public static FileKey Of(X509Certificate2 withKey) => new(withKey, []);

    /// <summary>Opens a PKCS#12 file that holds exactly one private key with its certificate (and optionally its chain).</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Profile"/>: no such file. <see cref="Refusal.Passphrase"/>, <see cref="Refusal.CertificateAlgorithm"/>.</exception>
    public static FileKey Load(string path, ReadOnlySpan<char> passphrase)
    {
        byte[] file;
        try { file = File.ReadAllBytes(path); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new RefusedException(Refusal.Profile, $"key file {path} cannot be read"); }
        return Read(file, passphrase, Path.GetFileName(path));
    }

    /// <param name="name">Names the file in errors.</param>
    internal static FileKey Read(ReadOnlySpan<byte> pkcs12, ReadOnlySpan<char> passphrase, string name)
    {
        X509Certificate2Collection all;
        // EphemeralKeySet: nothing of the key reaches the user's key store. The default limits bound iterations and sizes of a hostile file.
        try { all = X509CertificateLoader.LoadPkcs12Collection(pkcs12, passphrase, X509KeyStorageFlags.EphemeralKeySet, Pkcs12LoaderLimits.Defaults); }
        catch (CryptographicException) { throw new RefusedException(Refusal.Passphrase, name); }
        var withKey = all.Where(c => c.HasPrivateKey).ToList();
        try
        {
            if (withKey.Count != 1) throw new RefusedException(Refusal.Passphrase, $"{name}: {withKey.Count} private keys instead of one");
            var certificate = new Certificate(withKey[0].RawDataMemory.Span);
            if (CertificateProfile.WrongKey(certificate) is { } wrong) throw new RefusedException(Refusal.CertificateAlgorithm, $"{name}: {wrong}");
            if (!Belongs(withKey[0], certificate)) throw new RefusedException(Refusal.Passphrase, $"{name}: the private key is not that of the certificate");
        }
        catch (RefusedException)
        {
            foreach (var one in all) one.Dispose();
            throw;
        }
        return new FileKey(withKey[0], [.. all.Where(c => !c.HasPrivateKey)]);
    }

    static bool Belongs(X509Certificate2 withKey, Certificate certificate)
    {
        using AsymmetricAlgorithm? key =
            (AsymmetricAlgorithm?)withKey.GetRSAPrivateKey() ?? (AsymmetricAlgorithm?)withKey.GetECDsaPrivateKey() ?? withKey.GetECDiffieHellmanPrivateKey();
        return key is not null && key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(certificate.PublicKeyInfo);
    }

    public Certificate Certificate { get; }

    /// <summary>The other certificates of the file: its issuing CAs.</summary>
    public IReadOnlyList<X509Certificate2> Chain { get; }

    /// <summary>Certificate and key for SslStream and Kestrel, which take no other form. It lives as long as this key; do not dispose it.</summary>
    public X509Certificate2 ForTls => holder;

    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        var key = signers.Take();
        try { return key.SignData(data, algorithm!.Hash, DSASignatureFormat.Rfc3279DerSequence); }
        finally { signers.Return(key); }
    }

    public byte[] Agree(ReadOnlySpan<byte> peerPoint, ReadOnlySpan<byte> sharedInfo)
    {
        if (peerPoint.Length != PointSize || peerPoint[0] != 4) throw new CryptographicException("Not an uncompressed point of P-384.");
        // Import checks that the point is on the curve; the cofactor of P-384 is 1, so there is no small subgroup to check for.
        using var peer = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP384,
            Q = new ECPoint { X = peerPoint.Slice(1, CoordinateSize).ToArray(), Y = peerPoint[(1 + CoordinateSize)..].ToArray() },
        });
        // X9.63 KDF, first and only block: SHA-384(Z ‖ 00000001 ‖ sharedInfo), of which the first 32 bytes are the key (RFC 5753 7.2, SEC 1 3.6.1).
        var append = new byte[4 + sharedInfo.Length];
        BinaryPrimitives.WriteUInt32BigEndian(append, 1);
        sharedInfo.CopyTo(append.AsSpan(4));
        var key = agreers.Take();
        try
        {
            using var point = peer.PublicKey;
            var block = key.DeriveKeyFromHash(point, HashAlgorithmName.SHA384, secretPrepend: null, secretAppend: append);
            var result = block[..KeySize];
            CryptographicOperations.ZeroMemory(block);
            return result;
        }
        finally { agreers.Return(key); }
    }

    public byte[] Decrypt(ReadOnlySpan<byte> ciphertext)
    {
        var key = decrypters.Take();
        try
        {
            // RFC 8017 7.1.2 step 1b; OpenSSL would take a shorter one.
            if (ciphertext.Length != key.KeySize / 8) throw new CryptographicException("The ciphertext is not as long as the modulus.");
            return key.Decrypt(ciphertext, RSAEncryptionPadding.OaepSHA256);
        }
        finally { decrypters.Return(key); }
    }

    public void Dispose()
    {
        signers.Dispose();
        agreers.Dispose();
        decrypters.Dispose();
        foreach (var one in Chain) one.Dispose();
        holder.Dispose();
    }

    /// <summary>.NET promises nothing about two threads in one key object, so each thread takes its own view of the one key and puts it back.</summary>
    sealed class Pool<T>(Func<T?> create) : IDisposable where T : AsymmetricAlgorithm
    {
        readonly ConcurrentBag<T> idle = [];
        bool disposed;

        public T Take()
        {
            ObjectDisposedException.ThrowIf(disposed, typeof(FileKey));
            if (idle.TryTake(out var key)) return key;
            lock (idle) return create() ?? throw new CryptographicException($"This key does not do {typeof(T).Name}.");
        }

        public void Return(T key)
        {
            idle.Add(key);
            if (disposed) Dispose();
        }

        public void Dispose()
        {
            disposed = true;
            while (idle.TryTake(out var key)) key.Dispose();
        }
    }
}
