using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Security.Cryptography;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Envelope;

/// <summary>
/// One copy, sealed once more to its office, for channels that do not end in the office's own TLS: whoever runs the mail server or the folder on the way sees a parcel id
/// and a size, neither sender, label nor addressees. It adds nothing to the envelope inside, which is checked as always; docs/envelope.md section 13.
/// <code>
/// file     AuthEnvelopedData ‖ segments of one payload (section 8) under a secret of its own
/// frame    CTX ‖ secret(32) ‖ head ‖ 00… to 4096; CTX = SHA-256("exchange/v1/parcel"), also the ukm
/// head     SEQUENCE { version INTEGER 1, parcel OCTET STRING (16), length INTEGER }: length of the content before its padding
/// content  length of the receipt (4 bytes, big-endian) ‖ receipt DER ‖ envelope in its file form ‖ 00… to a multiple of 65536
/// </code>
/// </summary>
public static class SealedParcel
{
    public const string MediaType = "application/octet-stream";
    internal const int Prefix = 4, Bucket = 1 << 16, MaxReceipt = 1 << 16;
    internal const int MaxWrap = 2 * Manifest.FrameUnit;
    internal static readonly Digest Context = Digest.Of("exchange/v1/parcel"u8);

    /// <summary>Draws a secret, so the bytes differ each time: whoever may have to send them again keeps them.</summary>
    /// <param name="receipt">The gateway's acceptance, DER.</param>
    /// <param name="envelope">The file form; opened once.</param>
    /// <param name="office">Encryption certificate of the one who may open it.</param>
    /// <exception cref="RefusedException">Size, CertificateAlgorithm.</exception>
    /// <exception cref="InvalidDataException">The envelope is not as long as said: what was written is of no use.</exception>
    public static async Task SealAsync(Guid parcel, ReadOnlyMemory<byte> receipt, long length, Func<Stream> envelope, Certificate office, Stream output, CancellationToken cancel)
    {
        if (receipt.Length > MaxReceipt) throw new RefusedException(Refusal.Size, "receipt");
        var prefix = new byte[Prefix + receipt.Length];
        BinaryPrimitives.WriteInt32BigEndian(prefix, receipt.Length);
        receipt.CopyTo(prefix.AsMemory(Prefix));
        var secret = GC.AllocateArray<byte>(KeySchedule.SecretLength, pinned: true);
        try
        {
            RandomNumberGenerator.Fill(secret);
            await output.WriteAsync(ManifestSealer.Seal(Context, secret, Head(parcel, prefix.Length + length), [office], Manifest.FrameUnit), cancel);
            DocumentSource[] content = [new("", "", prefix.Length, null, () => new MemoryStream(prefix, writable: false)), new("", "", length, null, envelope)];
            await PayloadSealer.SealAsync(content, Bucket, secret, output, null, cancel);
        }
        finally { CryptographicOperations.ZeroMemory(secret); }
    }

    static byte[] Head(Guid parcel, long length)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(1);
            writer.WriteOctetString(parcel.ToByteArray(bigEndian: true));
            writer.WriteInteger(length);
        }
        return writer.Encode();
    }
}

/// <param name="Receipt">The gateway's acceptance, DER, not yet verified.</param>
/// <param name="Length">Bytes of the envelope that was written.</param>
public sealed record UnsealedParcel(Guid Parcel, byte[] Receipt, long Length);

/// <summary>The office's end of <see cref="SealedParcel"/>.</summary>
public static class SealedParcelOpener
{
    /// <summary>Whether a file that begins so is a sealed parcel; an envelope begins with a SignedData. 32 bytes are enough.</summary>
    public static bool IsSealed(ReadOnlySpan<byte> start)
    {
        // The length of the outer SEQUENCE takes up to five bytes; then comes the content type.
        Span<byte> type = stackalloc byte[] { 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17 };
        var at = start.IndexOf(type);
        return start.Length > 0 && start[0] == 0x30 && at is >= 2 and <= 6;
    }

    /// <summary>Writes the envelope inside. Nothing of it may be used before this has returned, nor before it was verified as any other.</summary>
    /// <param name="keys">Keys of this office; the one it was sealed to opens it.</param>
    /// <exception cref="RefusedException">Der, ManifestForm, Manifest, Recipients, Size, NotForThisKey; CannotOpen, PayloadLength: changed on the way.</exception>
    public static async Task<UnsealedParcel> OpenAsync(Stream parcel, IEnumerable<IPrivateKey> keys, Stream envelope, CancellationToken cancel)
    {
        var wrap = AuthEnveloped.Decode(await EnvelopeFile.ReadPartAsync(parcel, SealedParcel.MaxWrap, cancel), maxKeys: 1);
        var rid = wrap.Recipients.SelectMany(r => r.Keys).Select(k => k.Rid).Single();
        var key = keys.FirstOrDefault(k => rid.Span.SequenceEqual(KeyWraps.Rid(k.Certificate))) ?? throw new RefusedException(Refusal.NotForThisKey);
        Manifest.Check(wrap, SealedParcel.Context, [key.Certificate]);
        var frame = ManifestOpener.Decrypt(wrap, key) ?? throw new RefusedException(Refusal.CannotOpen);
        try
        {
            var (id, length) = Head(frame);
            var sink = new Splitter(length, envelope);
            await PayloadOpener.OpenAsync(parcel, Payload.PaddedLength(length, SealedParcel.Bucket), root: null, frame.AsMemory(Digest.Size, KeySchedule.SecretLength), sink, null, cancel);
            return new UnsealedParcel(id, sink.Receipt ?? throw new RefusedException(Refusal.CannotOpen), sink.Length);
        }
        finally { CryptographicOperations.ZeroMemory(frame); }
    }

    static (Guid Parcel, long Length) Head(byte[] frame)
    {
        try
        {
            if (frame.Length != Manifest.FrameUnit || !frame.AsSpan(0, Digest.Size).SequenceEqual(SealedParcel.Context.ToArray())) throw new RefusedException(Refusal.CannotOpen);
            AsnDecoder.ReadEncodedValue(frame.AsSpan(Manifest.FrameHead), AsnEncodingRules.DER, out _, out _, out var consumed);
            if (frame.AsSpan(Manifest.FrameHead + consumed).ContainsAnyExcept((byte)0)) throw new RefusedException(Refusal.CannotOpen);
            var head = new AsnReader(frame.AsMemory(Manifest.FrameHead, consumed), AsnEncodingRules.DER).ReadSequence();
            var good = head.TryReadInt32(out var version) & version == 1;
            var id = head.ReadOctetString();
            good &= head.TryReadInt64(out var length) && length is >= SealedParcel.Prefix and <= Payload.MaxLength && id.Length == 16 && !head.HasData;
            return good ? (new Guid(id, bigEndian: true), length) : throw new RefusedException(Refusal.CannotOpen);
        }
        catch (AsnContentException) { throw new RefusedException(Refusal.CannotOpen); }
    }

    /// <summary>Receipt aside, envelope through, padding checked.</summary>
    sealed class Splitter(long length, Stream envelope) : IPlaintextSink
    {
        byte[] front = new byte[SealedParcel.Prefix];
        int have;
        long at;

        public byte[]? Receipt { get; private set; }
        public long Length { get; private set; }

        public async ValueTask WriteAsync(ReadOnlyMemory<byte> plaintext, CancellationToken cancel)
        {
            var content = plaintext[..(int)Math.Clamp(length - at, 0, plaintext.Length)];
            if (plaintext.Span[content.Length..].ContainsAnyExcept((byte)0)) throw new RefusedException(Refusal.CannotOpen);
            at += plaintext.Length;
            while (Receipt is null && content.Length > 0)
            {
                var taken = Math.Min(front.Length - have, content.Length);
                content.Span[..taken].CopyTo(front.AsSpan(have));
                (content, have) = (content[taken..], have + taken);
                if (have == front.Length) Filled();
            }
            await envelope.WriteAsync(content, cancel);
            Length += content.Length;
        }

        void Filled()
        {
            var said = BinaryPrimitives.ReadInt32BigEndian(front);
            if (said is < 0 or > SealedParcel.MaxReceipt) throw new RefusedException(Refusal.CannotOpen);
            if (have == SealedParcel.Prefix + said) Receipt = front[SealedParcel.Prefix..];
            else Array.Resize(ref front, SealedParcel.Prefix + said);
        }
    }
}
