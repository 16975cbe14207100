using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Tests.Envelope;
using static Exchange.Tests.Hostile.Read;

namespace Exchange.Tests.Hostile;

/// <summary>The file form: lengths that lie, depth, parts that are missing or of another envelope.</summary>
static class FileRows
{
    static byte[] Whole(EnvelopeParts parts, byte[] wire) => [.. EnvelopeFile.Write(parts), .. wire];
    static Row Length(string name, Refusal code, params byte[] header) => new($"file: header with {name}", code, () => Filed((p, w) => [.. header, .. p.Header.Span[4..], .. w]));

    public static readonly Row[] All =
    [
        new("file: nothing", Refusal.Der, () => Filed([])),
        new("file: one byte", Refusal.Der, () => Filed([0x30])),
        new("file: text", Refusal.Der, () => Filed("Kính gửi"u8.ToArray())),
        new("file: a SET", Refusal.Der, () => Filed((p, w) => [0x31, .. Whole(p, w)[1..]])),
        Length("a length of 2 GiB", Refusal.Size, 0x30, 0x84, 0x7f, 0xff, 0xff, 0xff),
        Length("a length of 4 GiB", Refusal.Size, 0x30, 0x84, 0xff, 0xff, 0xff, 0xff),
        Length("a length of 1 MiB and a byte", Refusal.Size, 0x30, 0x83, 0x10, 0x00, 0x01),
        Length("a million recipients announced, 80 MB", Refusal.Size, 0x30, 0x84, 0x04, 0xc4, 0xb4, 0x00),
        Length("a length in five bytes", Refusal.Der, 0x30, 0x85, 0x00, 0x00, 0x00, 0x01, 0x00),
        Length("a length in 126 bytes", Refusal.Der, 0x30, 0xfe),
        Length("the length that is reserved", Refusal.Der, 0x30, 0xff),
        Length("an indefinite length", Refusal.Der, 0x30, 0x80),
        Length("a length that is not minimal", Refusal.Der, 0x30, 0x83, 0x00, 0x01, 0x00),
        Length("a short length in the long form", Refusal.Der, 0x30, 0x81, 0x7f),
        new("file: 2 GiB inside the header", Refusal.Der, () => Filed([0x30, 0x06, 0x30, 0x84, 0x7f, 0xff, 0xff, 0xff])),
        new("file: 2 GiB of a bit string inside the header", Refusal.Der, () => Filed([0x30, 0x06, 0x03, 0x84, 0x7f, 0xff, 0xff, 0xff])),
        new("file: approval of 2 GiB", Refusal.Size, () => Filed((p, w) => [.. p.Header.Span, 0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, .. w])),
        new("file: approval of 64 KiB and a byte", Refusal.Size, () => Filed((p, w) => [.. p.Header.Span, 0x30, 0x83, 0x01, 0x00, 0x01, .. w])),
        new("file: manifest of 2 GiB", Refusal.Size, () => Filed((p, w) => [.. p.Header.Span, .. p.Approvals[0].Span, 0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, .. w])),
        new("file: 250000 SEQUENCEs in each other as header", Refusal.Der, () => Filed(Deep(1 << 20))),
        new("file: as many SETs in each other as header", Refusal.Der, () => Filed(Tlv.Value(0x30, Deep(1 << 19, 0x31)))),
        new("file: 16000 SEQUENCEs in each other as approval", Refusal.Der, () => Filed((p, w) => [.. p.Header.Span, .. Deep(1 << 16), .. p.Manifest.Span, .. w])),
        new("file: a million SEQUENCEs in each other as manifest", Refusal.Manifest, () => Filed((p, w) => [.. p.Header.Span, .. p.Approvals[0].Span, .. Deep(4 << 20), .. w])),
        new("file: ends inside the header", Refusal.Der, () => Filed((p, w) => Whole(p, w)[..100])),
        new("file: ends inside the approval", Refusal.Der, () => Filed((p, w) => Whole(p, w)[..(p.Header.Length + 9)])),
        new("file: ends before the manifest", Refusal.Der, () => Filed((p, w) => Whole(p, w)[..(p.Header.Length + p.Approvals[0].Length)])),
        new("file: ends inside the manifest", Refusal.Der, () => Filed((p, w) => Whole(p, w)[..^(w.Length + 1)])),
        new("file: ends before the payload", Refusal.PayloadLength, () => Filed((p, w) => Whole(p, w)[..^w.Length])),
        new("file: a byte behind the payload", Refusal.PayloadLength, () => Filed((p, w) => [.. Whole(p, w), 0])),
        new("file: itself again behind it", Refusal.PayloadLength, () => Filed((p, w) => [.. Whole(p, w), .. Whole(p, w)])),
        new("file: a byte between header and approval", Refusal.Der, () => Filed((p, w) => [.. p.Header.Span, 0, .. p.Approvals[0].Span, .. p.Manifest.Span, .. w])),
        new("file: header twice", Refusal.Manifest, () => Filed((p, w) => [.. p.Header.Span, .. Whole(p, w)])),
        new("file: without its approval", Refusal.Der, () => Filed((p, w) => [.. p.Header.Span, .. p.Manifest.Span])),
        new("file: a manifest in the place of the header", Refusal.Der, () => Filed((p, w) => [.. p.Manifest.Span, .. w])),
        new("file: 17 approvals named", Refusal.Size, () =>
        {
            var (parts, wire) = new Forge { Header = h => h with { Approvals = [.. Enumerable.Range(0, 17).Select(i => Digest.Of([(byte)i]))] } }.Make();
            return Filed([.. EnvelopeFile.Write(parts), .. wire]);
        }),
        new("part: header of 1 MiB and a byte", Refusal.Size, () => Outside(new Forge().Make().Parts with { Header = new byte[EnvelopeParts.MaxHeader + 1] })),
        new("part: manifest of 4 MiB and a byte", Refusal.Size, () => Outside(new Forge().Make().Parts with { Manifest = new byte[EnvelopeParts.MaxManifest + 1] })),
        new("part: approval of 64 KiB and a byte", Refusal.Size, () => Outside(new Forge().Make().Parts with { Approvals = [new byte[EnvelopeParts.MaxApproval + 1]] })),
        new("part: the header without its last byte", Refusal.Der, () => Outside(new Forge().Make().Parts is var p ? p with { Header = p.Header[..^1] } : null!)),
        new("part: the header and a byte", Refusal.Der, () => Outside(new Forge().Make().Parts is var p ? p with { Header = (byte[])[.. p.Header.Span, 0] } : null!)),
        new("part: an approval in the place of the header", Refusal.StatementType, () => Outside(new Forge { Approvers = [G22.Signatory] }.Make().Parts is var p ? p with { Header = p.Approvals[0] } : null!)),
        new("part: the header in the place of an approval", Refusal.StatementType, () => Outside(new Forge { Approvers = [G22.Signatory] }.Make().Parts is var p ? p with { Approvals = [p.Header] } : null!)),
        new("part: a manifest of another envelope", Refusal.Manifest, () => Outside(new Forge().Make().Parts with { Manifest = new Forge().Make().Parts.Manifest })),
    ];
}
