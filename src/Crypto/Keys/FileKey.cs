using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Keys;

/// <summary>A private key from a PKCS#12 file (RFC 7292): ECDSA or ECDH on P-384, or RSA of 3072 bits and more. .NET does the mathematics.</summary>
public sealed class FileKey : IPrivateKey
{
    /// <summary>Opens a PKCS#12 file that holds exactly one private key with its certificate (and optionally its chain).</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>, <see cref="Refusal.CertificateAlgorithm"/>.</exception>
    public static FileKey Load(string path, ReadOnlySpan<char> passphrase) => throw new NotImplementedException();

    public Certificate Certificate => throw new NotImplementedException();
    public byte[] Sign(ReadOnlySpan<byte> data) => throw new NotImplementedException();
    public byte[] Agree(ReadOnlySpan<byte> peerPoint, ReadOnlySpan<byte> sharedInfo) => throw new NotImplementedException();
    public byte[] Decrypt(ReadOnlySpan<byte> ciphertext) => throw new NotImplementedException();
    public void Dispose() => throw new NotImplementedException();
}
