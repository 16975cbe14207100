using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Parameters;

namespace Exchange.Crypto.Envelope;

/// <summary>AES key wrap (RFC 3394, SP 800-38F KW) with the standard initial value; keys of 16 bytes and more in units of 8.</summary>
static class AesKeyWrap
{
    public static byte[] Wrap(byte[] kek, byte[] key)
    {
        var engine = new AesWrapEngine();
        engine.Init(true, new KeyParameter(kek));
        return engine.Wrap(key, 0, key.Length);
    }

    /// <summary>null when the integrity check fails or the length cannot be.</summary>
    public static byte[]? Unwrap(byte[] kek, ReadOnlySpan<byte> wrapped)
    {
        if (wrapped.Length < 24 || wrapped.Length % 8 != 0) return null;
        var engine = new AesWrapEngine();
        engine.Init(false, new KeyParameter(kek));
        try { return engine.Unwrap(wrapped.ToArray(), 0, wrapped.Length); }
        catch (InvalidCipherTextException) { return null; }
    }
}
