using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;

namespace Exchange.Tests.Statements;

/// <summary>A P-384 key with a self-signed certificate: enough where only form and signature are at stake.</summary>
sealed class SelfSignedKey : IPrivateKey
{
    readonly ECDsa key;

    public SelfSignedKey(string name = "CN=Tester", ECCurve? curve = null)
    {
        key = ECDsa.Create(curve ?? ECCurve.NamedCurves.nistP384);
        var now = new DateTimeOffset(2026, 11, 24, 0, 0, 0, TimeSpan.Zero);
        using var certificate = new CertificateRequest(name, key, HashAlgorithmName.SHA384).CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        Certificate = new Certificate(certificate.RawData);
        Pem = certificate.ExportCertificatePem();
    }

    public string Pem { get; }
    public string PrivatePem => key.ExportPkcs8PrivateKeyPem();
    public Certificate Certificate { get; }
    public byte[] Sign(ReadOnlySpan<byte> data) => key.SignData(data, Ecdsa.Of(Certificate)?.Hash ?? HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence);
    /// <summary>With a digest that is not its curve's.</summary>
    public byte[] SignWith(HashAlgorithmName hash, ReadOnlySpan<byte> data) => key.SignData(data, hash, DSASignatureFormat.Rfc3279DerSequence);
    public byte[] Agree(ReadOnlySpan<byte> peerPoint, ReadOnlySpan<byte> sharedInfo) => throw new NotSupportedException();
    public byte[] Decrypt(ReadOnlySpan<byte> ciphertext) => throw new NotSupportedException();
    public void Dispose() => key.Dispose();
}
