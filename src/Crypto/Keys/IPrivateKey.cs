using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Keys;

/// <summary>
/// A long-term private key and its certificate: a PKCS#12 file today, a token later. Concurrent use is allowed. No method returns key material
/// except <see cref="Agree"/>, whose result only unwraps one manifest key. Implementations zero what they can on Dispose.
/// </summary>
public interface IPrivateKey : IDisposable
{
    Certificate Certificate { get; }

    /// <summary>ECDSA over the data with the digest of the certificate's curve, P-384 with SHA-384 or P-256 with SHA-256, as DER ECDSA-Sig-Value (RFC 3279).</summary>
    byte[] Sign(ReadOnlySpan<byte> data);

    /// <summary>ECDH P-384 with the peer's uncompressed point (97 bytes), then ANSI X9.63 KDF with SHA-384 over sharedInfo (RFC 5753 7.2): 32 bytes.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The point is not on the curve, or the key is not P-384.</exception>
    byte[] Agree(ReadOnlySpan<byte> peerPoint, ReadOnlySpan<byte> sharedInfo);

    /// <summary>RSA-OAEP with SHA-256, MGF1-SHA-256 and the empty label (RFC 8017 7.1.2).</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">Does not decrypt, or the key is not RSA.</exception>
    byte[] Decrypt(ReadOnlySpan<byte> ciphertext);
}
