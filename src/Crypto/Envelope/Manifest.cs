using System.Formats.Asn1;
using System.Security.Cryptography;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Envelope;

/// <summary>
/// The sealed manifest: AuthEnvelopedData over the frame CTX(32) ‖ secret(32) ‖ dispatch DER ‖ 00…. This file is what anyone can check of it;
/// <see cref="ManifestSealer"/> and <see cref="ManifestOpener"/> are the two ends.
/// </summary>
static class Manifest
{
    /// <summary>A frame is a multiple of this, so that subject and number of documents do not show in its length.</summary>
    public const int FrameUnit = 4096;
    public const int FrameHead = 2 * Digest.Size;

    /// <summary>
    /// Recipients of header and manifest one to one, by issuer and serial number of the certificate that each key names; ECDH keys in header order.
    /// A key that the directory no longer (or not yet) shows has no certificate here: it must then be one of the rest, which must be equally many.
    /// </summary>
    /// <param name="recipients">Certificates of the header's recipients, in its order.</param>
    /// <exception cref="RefusedException">ManifestForm, Manifest (ukm of another header), Recipients, CertificateAlgorithm.</exception>
    public static void Check(AuthEnveloped manifest, Digest ctx, IReadOnlyList<Certificate?> recipients) => Fault.DemandNone(Faults(manifest, ctx, recipients));

    /// <summary>Everything that is wrong with it, in the order in which it is checked.</summary>
    /// <param name="ctx">null: of a header that cannot be read.</param>
    /// <param name="recipients">null: of a header that cannot be read.</param>
    public static IEnumerable<Fault> Faults(AuthEnveloped manifest, Digest? ctx, IReadOnlyList<Certificate?>? recipients)
    {
        if (manifest.Ciphertext.Length < FrameUnit || manifest.Ciphertext.Length % FrameUnit != 0) yield return Form("length of the frame");
        var agreements = manifest.Recipients.OfType<KeyAgreement>().ToList();
        if (agreements.Count > 1) yield return Form("more than one KeyAgreeRecipientInfo");
        foreach (var agreement in agreements)
        {
            if (Ecdsa.P384.Point(agreement.Point.Span) is null) yield return Form("ephemeral point");
            if (!agreement.Keys.All(k => k.EncryptedKey.Length == KeyWraps.CekLength + 8)) yield return Form("wrapped key");
            if (agreement.Ukm is not { } ukm || (ctx is { } header && !ukm.Span.SequenceEqual(header.ToArray()))) yield return new(Refusal.Manifest, "ukm");
        }
        foreach (var fault in RecipientFaults(manifest, recipients)) yield return fault;
    }

    static IEnumerable<Fault> RecipientFaults(AuthEnveloped manifest, IReadOnlyList<Certificate?>? recipients)
    {
        var named = new Dictionary<Digest, (RecipientInfo Info, int Place)>();
        foreach (var info in manifest.Recipients)
            for (var i = 0; i < info.Keys.Count; i++)
                if (!named.TryAdd(Digest.Of(info.Keys[i].Rid.Span), (info, i))) yield return new(Refusal.Recipients, "one certificate twice");
        if (recipients is null) yield break;
        if (named.Count != recipients.Count) yield return new(Refusal.Recipients, "count");
        var last = -1;
        foreach (var certificate in recipients)
        {
            if (certificate is null) continue;
            if (!named.TryGetValue(Digest.Of(KeyWraps.Rid(certificate)), out var found)) { yield return new(Refusal.Recipients, "a recipient has no key"); continue; }
            if (!KeyWraps.For(certificate).Takes(found.Info)) yield return Form("kind of recipient");
            if (found.Info is not KeyAgreement) continue;
            if (found.Place <= last) yield return new(Refusal.Recipients, "order of keys");
            last = found.Place;
        }
    }

    static Fault Form(string detail) => new(Refusal.ManifestForm, detail);
}

static class ManifestSealer
{
    /// <param name="recipients">In header order.</param>
    /// <param name="bucket">A multiple of 4096.</param>
    /// <exception cref="RefusedException">Size, CertificateAlgorithm.</exception>
    public static byte[] Seal(Digest ctx, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> dispatch, IReadOnlyList<Certificate> recipients, int bucket)
    {
        var length = Payload.PaddedLength(Manifest.FrameHead + dispatch.Length, bucket);
        if (length > EnvelopeParts.MaxManifest) throw new RefusedException(Refusal.Size, "manifest");
        var frame = GC.AllocateArray<byte>((int)length, pinned: true);
        var cek = GC.AllocateArray<byte>(KeyWraps.CekLength, pinned: true);
        try
        {
            ctx.CopyTo(frame);
            secret.CopyTo(frame.AsSpan(Digest.Size));
            dispatch.CopyTo(frame.AsSpan(Manifest.FrameHead));
            // A key for this one message: a random nonce of 12 bytes cannot repeat under it.
            RandomNumberGenerator.Fill(cek);
            return Encrypt(frame, cek, RandomNumberGenerator.GetBytes(KeySchedule.NonceLength), Wrap(cek, recipients, ctx.ToArray())).Encode() is { Length: <= EnvelopeParts.MaxManifest } der
                ? der : throw new RefusedException(Refusal.Size, "manifest");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(frame);
            CryptographicOperations.ZeroMemory(cek);
        }
    }

    internal static AuthEnveloped Encrypt(ReadOnlySpan<byte> frame, byte[] cek, byte[] nonce, IReadOnlyList<RecipientInfo> recipients)
    {
        var ciphertext = new byte[frame.Length];
        var tag = new byte[AuthEnveloped.TagLength];
        using var gcm = new AesGcm(cek, AuthEnveloped.TagLength);
        // RFC 5083 2.2: the AAD is the DER of authAttrs, and there are none.
        gcm.Encrypt(nonce, frame, ciphertext, tag);
        return new AuthEnveloped(recipients, nonce, ciphertext, tag);
    }

    internal static IReadOnlyList<RecipientInfo> Wrap(byte[] cek, IReadOnlyList<Certificate> recipients, byte[] ukm) =>
        [.. recipients.GroupBy(KeyWraps.For).SelectMany(group => group.Key.Wrap(cek, [.. group], ukm))];
}

/// <summary>What an opened frame held. The secret is zeroed on Dispose.</summary>
sealed class OpenedFrame(byte[] secret, byte[] dispatch) : IDisposable
{
    public ReadOnlyMemory<byte> Secret => secret;
    /// <summary>DER, not yet read.</summary>
    public ReadOnlyMemory<byte> Dispatch => dispatch;
    public void Dispose() => CryptographicOperations.ZeroMemory(secret);
}

static class ManifestOpener
{
    /// <summary>Unwrap → GCM → CTX → zero fill → commitment. One error for all of it: which step failed is nobody's business outside.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.CannotOpen"/>.</exception>
    public static OpenedFrame Open(AuthEnveloped manifest, Digest ctx, Digest commitment, IPrivateKey key)
    {
        byte[]? frame = null;
        try
        {
            frame = Decrypt(manifest, key);
            if (frame is null || frame.Length < Manifest.FrameHead || !CryptographicOperations.FixedTimeEquals(frame.AsSpan(0, Digest.Size), ctx.ToArray()))
                throw new RefusedException(Refusal.CannotOpen);
            var tag = AsnDecoder.ReadEncodedValue(frame.AsSpan(Manifest.FrameHead), AsnEncodingRules.DER, out _, out _, out var length);
            if (tag != Asn1Tag.Sequence || frame.AsSpan(Manifest.FrameHead + length).ContainsAnyExcept((byte)0)) throw new RefusedException(Refusal.CannotOpen);
            var secret = frame.AsSpan(Digest.Size, KeySchedule.SecretLength);
            var opened = KeySchedule.Opened(secret);
            var committed = KeySchedule.Commitment(opened) == commitment;
            CryptographicOperations.ZeroMemory(opened);
            if (!committed) throw new RefusedException(Refusal.CannotOpen);
            var kept = GC.AllocateArray<byte>(KeySchedule.SecretLength, pinned: true);
            secret.CopyTo(kept);
            return new OpenedFrame(kept, frame.AsSpan(Manifest.FrameHead, length).ToArray());
        }
        catch (AsnContentException) { throw new RefusedException(Refusal.CannotOpen); }
        finally { CryptographicOperations.ZeroMemory(frame); }
    }

    /// <summary>The plaintext for one key, whatever is inside; null when it does not open. The caller zeroes it.</summary>
    internal static byte[]? Decrypt(AuthEnveloped manifest, IPrivateKey key)
    {
        var rid = KeyWraps.Rid(key.Certificate);
        var (info, mine) = manifest.Recipients.SelectMany(i => i.Keys.Select(k => (i, k))).FirstOrDefault(p => p.k.Rid.Span.SequenceEqual(rid));
        if (mine is null) return null;
        // What does not unwrap goes on with a key that opens nothing: how long a refusal takes does not tell whether unwrapping or decrypting failed.
        var cek = KeyWraps.For(key.Certificate).Unwrap(key, info, mine) ?? RandomNumberGenerator.GetBytes(KeyWraps.CekLength);
        try { return Decrypt(manifest, cek); }
        finally { CryptographicOperations.ZeroMemory(cek); }
    }

    internal static byte[]? Decrypt(AuthEnveloped manifest, byte[] cek)
    {
        var frame = GC.AllocateArray<byte>(manifest.Ciphertext.Length, pinned: true);
        using var gcm = new AesGcm(cek, AuthEnveloped.TagLength);
        try
        {
            gcm.Decrypt(manifest.Nonce.Span, manifest.Ciphertext.Span, manifest.Tag.Span, frame);
            return frame;
        }
        catch (AuthenticationTagMismatchException) { return null; }
    }
}
