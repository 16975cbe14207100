using System.Buffers.Binary;
using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Tests.Envelope;

namespace Exchange.Fuzz;

/// <summary>The one recipient is that of the worked example, whose key is made from a text: no private key is kept anywhere.</summary>
static class EnvelopeTargets
{
    public static readonly FileKey Key = WorkedExample.Recipient();
    static readonly byte[] Secret = [.. Enumerable.Range(0, KeySchedule.SecretLength).Select(i => (byte)i)];
    static readonly Digest Commitment = KeySchedule.Commitment(KeySchedule.Opened(Secret));
    static readonly Digest Ctx = Statement.Read(WorkedExample.Make().Parts.Header, StatementType.Header).Ref;
    static readonly byte[] Cek = WorkedExample.Drawn("cek");

    /// <summary>The file form, read, written again, and checked as a gateway does.</summary>
    public static void File(byte[] bytes)
    {
        using var stream = new MemoryStream(bytes);
        var (parts, claimed) = EnvelopeFile.ReadAsync(stream, default).GetAwaiter().GetResult();
        Targets.Equal(bytes.AsSpan(0, (int)stream.Position), EnvelopeFile.Write(parts));
        Targets.Try(() => Envelope.Verify(parts, World.Context));
        Targets.Try(() => HeaderRules.Check(claimed.Header));
        Targets.Try(() => AuthEnveloped.Decode(parts.Manifest, HeaderRules.MaxRecipients));
    }

    /// <summary>A manifest, by whoever may see it and by the recipient.</summary>
    public static void Sealed(byte[] der)
    {
        var manifest = AuthEnveloped.Decode(der, HeaderRules.MaxRecipients);
        Targets.Equal(der, manifest.Encode());
        Targets.Try(() => Manifest.Check(manifest, Ctx, [Key.Certificate]));
        Targets.Try(() => Manifest.Check(manifest, Ctx, [.. manifest.Recipients.SelectMany(r => r.Keys).Select(_ => default(Crypto.Trust.Certificate))]));
        using var opened = ManifestOpener.Open(manifest, Ctx, Commitment, Key);
        Targets.Equal(Secret, opened.Secret.Span);
    }

    /// <summary>What is inside a manifest, sealed to the recipient by whoever wrote it.</summary>
    public static void Frame(byte[] frame)
    {
        var manifest = ManifestSealer.Encrypt(frame, Cek, new byte[KeySchedule.NonceLength], Wrapped.Value);
        Targets.Try(() => Manifest.Check(manifest, Ctx, [Key.Certificate]));
        using var opened = ManifestOpener.Open(manifest, Ctx, Commitment, Key);
        byte[] again = [.. Ctx.ToArray(), .. opened.Secret.Span, .. opened.Dispatch.Span];
        Targets.Equal(frame.AsSpan(0, again.Length), again);
        Targets.Demand(!frame.AsSpan(again.Length).ContainsAnyExcept((byte)0), "something behind the dispatch");
    }

    static readonly Lazy<IReadOnlyList<RecipientInfo>> Wrapped = new(() => ManifestSealer.Wrap(Cek, [Key.Certificate], Ctx.ToArray()));

    /// <summary>A copy sealed once more, as it comes.</summary>
    public static void Parcel(byte[] bytes)
    {
        _ = SealedParcelOpener.IsSealed(bytes.AsSpan(0, Math.Min(32, bytes.Length)));
        using var envelope = new MemoryStream();
        var opened = SealedParcelOpener.OpenAsync(new MemoryStream(bytes), [Key], envelope, default).GetAwaiter().GetResult();
        Targets.Demand(opened.Length == envelope.Length, "length of the envelope inside");
    }

    static readonly Lazy<IReadOnlyList<RecipientInfo>> WrappedParcel = new(() => ManifestSealer.Wrap(Cek, [Key.Certificate], SealedParcel.Context.ToArray()));

    /// <summary>The head of a sealed parcel and what follows it, both encrypted by whoever wrote them: length of the head in one byte, head, content.</summary>
    public static void ParcelContent(byte[] bytes)
    {
        if (bytes.Length == 0 || bytes.Length - 1 < bytes[0]) return;
        var head = bytes.AsSpan(1, bytes[0]);
        var content = bytes[(1 + bytes[0])..];
        var frame = new byte[Manifest.FrameUnit];
        SealedParcel.Context.CopyTo(frame);
        Secret.CopyTo(frame, Digest.Size);
        head.CopyTo(frame.AsSpan(Manifest.FrameHead));
        Array.Resize(ref content, (int)Payload.PaddedLength(content.Length, SealedParcel.Bucket));
        using var wire = new MemoryStream();
        wire.Write(ManifestSealer.Encrypt(frame, Cek, new byte[KeySchedule.NonceLength], WrappedParcel.Value).Encode());
        wire.Write(Segment(content));
        wire.Position = 0;
        using var envelope = new MemoryStream();
        var opened = SealedParcelOpener.OpenAsync(wire, [Key], envelope, default).GetAwaiter().GetResult();
        Targets.Equal(content.AsSpan(SealedParcel.Prefix, opened.Receipt.Length), opened.Receipt);
        Targets.Equal(content.AsSpan(SealedParcel.Prefix + opened.Receipt.Length, (int)opened.Length), envelope.ToArray());
        Targets.Demand(BinaryPrimitives.ReadInt32BigEndian(content) == opened.Receipt.Length, "length of the receipt");
    }

    /// <summary>A payload of one segment, docs/envelope.md section 8.</summary>
    static byte[] Segment(byte[] plain)
    {
        var key = new byte[32];
        KeySchedule.PayloadKey(Secret, key);
        using var gcm = new AesGcm(key, Payload.TagLength);
        var nonce = new byte[KeySchedule.NonceLength];
        KeySchedule.SegmentNonce(0, true, nonce);
        var wire = new byte[plain.Length + Payload.TagLength];
        gcm.Encrypt(nonce, plain, wire.AsSpan(0, plain.Length), wire.AsSpan(plain.Length));
        return wire;
    }
}
