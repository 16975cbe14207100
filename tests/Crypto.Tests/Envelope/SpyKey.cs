using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;

namespace Exchange.Tests.Envelope;

/// <summary>Counts how often the private half was asked for.</summary>
sealed class SpyKey(IPrivateKey inner) : IPrivateKey
{
    public int Uses { get; private set; }
    public Certificate Certificate => inner.Certificate;

    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        Uses++;
        return inner.Sign(data);
    }

    public byte[] Agree(ReadOnlySpan<byte> peerPoint, ReadOnlySpan<byte> sharedInfo)
    {
        Uses++;
        return inner.Agree(peerPoint, sharedInfo);
    }

    public byte[] Decrypt(ReadOnlySpan<byte> ciphertext)
    {
        Uses++;
        return inner.Decrypt(ciphertext);
    }

    public void Dispose() { }
}
