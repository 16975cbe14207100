using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Tests.Envelope;
using static Exchange.Tests.Hostile.Read;

namespace Exchange.Tests.Hostile;

/// <summary>Payloads on their way, payloads by a sender who signs the root of whatever he likes, and copies sealed once more.</summary>
static class PayloadRows
{
    const int Wire = Payload.SegmentLength + Payload.TagLength;

    static Digest Root(byte[] wire) =>
        Payload.RootOf(Enumerable.Range(0, (wire.Length + Wire - 1) / Wire).Select(i => SegmentTree.Leaf(wire.AsSpan(i * Wire, Math.Min(Wire, wire.Length - i * Wire)))));

    /// <summary>Three segments changed on the way; and the same by the sender, who signs their root.</summary>
    static IEnumerable<Row> Segments(string name, Func<byte[], byte[]> change) =>
    [
        new($"segments: {name}", Refusal.PayloadRoot, () => Inside(Three(change, signed: false))),
        new($"segments: {name}, under a root made for it", Refusal.CannotOpen, () => Inside(Three(change, signed: true))),
    ];

    static readonly byte[] Document = RandomNumberGenerator.GetBytes(2 * Payload.SegmentLength + 5);

    static Forge Three(Func<byte[], byte[]> change, bool signed)
    {
        var wire = Array.Empty<byte>();
        return new Forge
        {
            Files = [("a.bin", Document)], PayloadBucket = 1, Wire = w => wire = change(w),
            PayloadRef = p => signed ? new PayloadRef(wire.Length - Payload.TagLength * ((wire.Length + Wire - 1) / Wire), Root(wire)) : p,
            Dispatch = d => d with { Documents = [d.Documents[0] with { Length = Math.Min(d.Documents[0].Length, wire.Length - Payload.TagLength * ((wire.Length + Wire - 1) / Wire)) }] },
        };
    }

    static byte[] At(byte[] wire, int segment) => wire[(segment * Wire)..Math.Min(wire.Length, (segment + 1) * Wire)];

    /// <summary>A segment encrypted under the right secret with another number or another last flag.</summary>
    static byte[] Encrypted(byte[] secret, byte[] plain, long index, bool last)
    {
        var key = new byte[32];
        KeySchedule.PayloadKey(secret, key);
        using var gcm = new AesGcm(key, Payload.TagLength);
        var nonce = new byte[KeySchedule.NonceLength];
        KeySchedule.SegmentNonce(index, last, nonce);
        var wire = new byte[plain.Length + Payload.TagLength];
        gcm.Encrypt(nonce, plain, wire.AsSpan(0, plain.Length), wire.AsSpan(plain.Length));
        return wire;
    }

    static Row Flag(string name, Func<byte[], byte[][]> make) => new($"segments: {name}", Refusal.CannotOpen, () =>
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        byte[] wire = [.. make(secret).SelectMany(s => s)];
        var forge = Three(_ => wire, signed: true);
        forge.Secret = secret;
        return Inside(forge);
    });

    static readonly byte[] Whole = new byte[Payload.SegmentLength];

    public static readonly Row[] All =
    [
        new("payload: a bit flipped", Refusal.PayloadRoot, () => Inside(new Forge { Wire = w => [.. w[..^1], (byte)(w[^1] ^ 1)] })),
        new("payload: a byte short", Refusal.PayloadLength, () => Inside(new Forge { Wire = w => w[..^1] })),
        new("payload: a byte too long", Refusal.PayloadLength, () => Inside(new Forge { Wire = w => [.. w, 0] })),
        new("payload: nothing", Refusal.PayloadLength, () => Inside(new Forge { Wire = _ => [] })),
        new("payload: 2^40 bytes announced", Refusal.PayloadLength, () => Inside(new Forge { PayloadRef = p => p with { Length = 1L << 40 } })),
        new("payload: of another envelope, under its root", Refusal.CannotOpen, () =>
        {
            var (_, wire) = new Forge().Make();
            return Inside(new Forge { Wire = _ => wire, PayloadRef = p => p with { Root = Root(wire) } });
        }),
        new("payload: other documents than the author's", Refusal.DocumentDigest, () => Inside(new Forge { Plaintext = p => [9, .. p[1..]] })),
        new("payload: something hidden behind the documents", Refusal.PayloadPadding, () => Inside(new Forge { Plaintext = p => [.. p[..^1], 1] })),
        .. Segments("swapped", w => [.. At(w, 1), .. At(w, 0), .. At(w, 2)]),
        .. Segments("the first twice", w => [.. At(w, 0), .. At(w, 0), .. At(w, 2)]),
        new("segments: one repeated", Refusal.PayloadLength, () => Inside(Three(w => [.. At(w, 0), .. At(w, 0), .. At(w, 1), .. At(w, 2)], signed: false))),
        new("segments: one repeated, under a root made for it", Refusal.CannotOpen, () => Inside(Three(w => [.. At(w, 0), .. At(w, 0), .. At(w, 1), .. At(w, 2)], signed: true))),
        new("segments: the last left out", Refusal.PayloadLength, () => Inside(Three(w => w[..(2 * Wire)], signed: false))),
        new("segments: the last left out, under a root made for it", Refusal.CannotOpen, () => Inside(Three(w => w[..(2 * Wire)], signed: true))),
        new("segments: the first left out, under a root made for it", Refusal.CannotOpen, () => Inside(Three(w => w[Wire..], signed: true))),
        .. Segments("from another payload", w => [.. At(w, 0), .. RandomNumberGenerator.GetBytes(Wire), .. At(w, 2)]),
        Flag("the last flag early", s => [Encrypted(s, Whole, 0, last: true), Encrypted(s, Whole, 1, last: true)]),
        Flag("no last flag", s => [Encrypted(s, Whole, 0, last: false), Encrypted(s, Whole, 1, last: false)]),
        Flag("one number twice", s => [Encrypted(s, Whole, 0, last: false), Encrypted(s, Whole, 0, last: true)]),
        Flag("a number left out", s => [Encrypted(s, Whole, 0, last: false), Encrypted(s, Whole, 2, last: true)]),
        Flag("a number of 2^32 more", s => [Encrypted(s, Whole, 1L << 32, last: false), Encrypted(s, Whole, 1, last: true)]),

        Copy("parcel: nothing", Refusal.Der, _ => []),
        Copy("parcel: 2 GiB", Refusal.Size, _ => [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]),
        Copy("parcel: cut", Refusal.PayloadLength, b => b[..^1]),
        Copy("parcel: a byte behind it", Refusal.PayloadLength, b => [.. b, 0]),
        Copy("parcel: a bit flipped at its end", Refusal.CannotOpen, b => [.. b[..^1], (byte)(b[^1] ^ 1)]),
        new("parcel: for another office", Refusal.NotForThisKey, () => Copied(Sealed([1, 2, 3]), Pki["H14"].Encrypt)),
        new("parcel: a manifest of an envelope", Refusal.Manifest, () => new Forge { Recipients = [("H41", Pki["H41"].Encrypt, "to")] }.Make() is var (parts, wire) ? Copied([.. parts.Manifest.Span, .. wire]) : null!),
        Head("of version 2", 2, 16, 9), Head("whose name is a byte short", 1, 15, 9), Head("of no length", 1, 16, 0), Head("of a negative length", 1, 16, -1), Head("of 2^62 bytes", 1, 16, 1L << 62),
        Content("a receipt of 2 GiB", [0x7f, 0xff, 0xff, 0xff, 1, 2]),
        Content("a receipt of a negative length", [0xff, 0xff, 0xff, 0xff, 1, 2]),
        Content("a receipt longer than the content", [0, 0, 0, 99, 1, 2]),
    ];

    static byte[] Sealed(byte[] envelope)
    {
        using var output = new MemoryStream();
        SealedParcel.SealAsync(WorkedExample.Id, new byte[] { 7 }, envelope.Length, () => new MemoryStream(envelope), Pki["H41"].Encrypt.Certificate, output, default).GetAwaiter().GetResult();
        return output.ToArray();
    }

    static Row Copy(string name, Refusal code, Func<byte[], byte[]> change) => new(name, code, () => Copied(change(Sealed([1, 2, 3]))));

    static Row Head(string name, int version, int id, long length) => new("parcel: a head " + name, Refusal.CannotOpen, () =>
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(version);
            writer.WriteOctetString(new byte[id]);
            writer.WriteInteger(length);
        }
        return Copied(Made(writer.Encode(), [0, 0, 0, 1, 7, 1, 2, 3, 4]));
    });

    static Row Content(string name, byte[] content) => new("parcel: " + name, Refusal.CannotOpen, () => Copied(Made([0x30, 0x18, 2, 1, 1, 4, 16, .. new byte[16], 2, 1, (byte)content.Length], content)));

    /// <summary>A parcel that the gateway itself would not make.</summary>
    static byte[] Made(byte[] head, byte[] content)
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        Array.Resize(ref content, SealedParcel.Bucket);
        return [.. ManifestSealer.Seal(SealedParcel.Context, secret, head, [Pki["H41"].Encrypt.Certificate], Manifest.FrameUnit), .. Encrypted(secret, content, 0, last: true)];
    }
}
