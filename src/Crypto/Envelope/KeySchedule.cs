using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Exchange.Crypto.Envelope;

/// <summary>
/// Every derivation label and every nonce of the format, each with the reason why it is safe. RFC 5869 (HKDF), SP 800-38D (GCM), RFC 2104 (HMAC).
/// <code>
/// secret      32  random, inside the sealed manifest; one payload is ever encrypted under it
/// K           32  HKDF-SHA256(secret, salt empty, "exchange/v1/payload")
/// R           32  HKDF-SHA256(secret, salt empty, "exchange/v1/opened"): independent of K, so that showing R opens nothing
/// commitment  32  SHA-256(R), in the signed header: fixes the secret, hence every key, nonce and plaintext
/// proof       32  HMAC-SHA256(R, CTX ‖ key): who can compute it held R, and meant this envelope and this recipient
/// </code>
/// </summary>
static class KeySchedule
{
    public const int SecretLength = 32;
    public const int NonceLength = 12;

    /// <summary>K. The caller zeroes it.</summary>
    public static void PayloadKey(ReadOnlySpan<byte> secret, Span<byte> key) => Derive(secret, "exchange/v1/payload"u8, key);

    /// <summary>R. The sender keeps it; whoever else holds it can prove to have opened the envelope, and nothing more.</summary>
    public static byte[] Opened(ReadOnlySpan<byte> secret)
    {
        var opened = new byte[Digest.Size];
        Derive(secret, "exchange/v1/opened"u8, opened);
        return opened;
    }

    internal static void Derive(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> info, Span<byte> output) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, output, salt: [], info);

    public static Digest Commitment(ReadOnlySpan<byte> opened) => Digest.Of(opened);

    public static Digest Proof(ReadOnlySpan<byte> opened, Digest ctx, Digest key)
    {
        Span<byte> text = stackalloc byte[2 * Digest.Size];
        ctx.CopyTo(text);
        key.CopyTo(text[Digest.Size..]);
        Span<byte> mac = stackalloc byte[Digest.Size];
        HMACSHA256.HashData(opened, text, mac);
        return new Digest(mac);
    }

    /// <summary>
    /// Index as 11 bytes big-endian, then 01 for the last segment, 00 for the others. A counter never repeats under K because K belongs to one payload;
    /// the last byte makes a cut at a segment boundary fail its tag.
    /// </summary>
    public static void SegmentNonce(long index, bool last, Span<byte> nonce)
    {
        nonce[..3].Clear();
        BinaryPrimitives.WriteInt64BigEndian(nonce[3..11], index);
        nonce[11] = last ? (byte)1 : (byte)0;
    }
}
