using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Tests.Envelope;
using static Exchange.Tests.Hostile.Read;

namespace Exchange.Tests.Hostile;

/// <summary>Manifests that the sender signed: ciphers, sizes, recipients, and what is inside the frame.</summary>
static class ManifestRows
{
    static Row Values(string name, Refusal code, Func<AuthEnveloped, AuthEnveloped> change) => new("manifest: " + name, code, () => Outside(new Forge { Manifest = change }));
    static Row Der(string name, Refusal code, Func<byte[], byte[]> change) => new("manifest: " + name, code, () => Outside(new Forge { ManifestDer = change }));
    static Row SealedTo(string name, params string[] offices) => new("manifest: " + name, Refusal.Recipients, () => Outside(new Forge { SealedTo = [.. offices.Select(o => Pki[o].Encrypt.Certificate)] }));
    static Row Framed(string name, Func<byte[], byte[]> frame) => new("frame: " + name, Refusal.CannotOpen, () => Inside(new Forge { Frame = frame }));
    static Row Agreement(string name, Refusal code, Func<KeyAgreement, RecipientInfo> change) =>
        Values(name, code, m => m with { Recipients = [.. m.Recipients.Select(r => r is KeyAgreement a ? change(a) : r)] });

    static byte[] Cipher(byte[] der, string oid) => Tlv.Replace(der, Tlv.Oid(Oids.Aes256Gcm), Tlv.Oid(oid));
    static byte[] Icv(byte[] der, byte[]? other) => Tlv.Edit(der, t => t.Encoded.AsSpan().SequenceEqual((byte[])[2, 1, 16]), other);

    static readonly Forge TwoPoints = new() { Recipients = [("H14", Pki["H14"].Encrypt, "to"), ("H41", Pki["H41"].Encrypt, "to")] };

    public static readonly Row[] All =
    [
        .. new[] { 0, 1, 4, 12, 15, 17 }.Select(n => Values($"tag of {n} bytes", Refusal.Algorithm, m => m with { Tag = (byte[])[.. m.Tag.ToArray().Take(n), .. new byte[Math.Max(0, n - 16)]] })),
        .. new[] { 0, 8, 11, 13, 16 }.Select(n => Values($"nonce of {n} bytes", Refusal.Algorithm, m => m with { Nonce = new byte[n] })),
        .. new[] { ("OFB", "2.16.840.1.101.3.4.1.43"), ("CFB", "2.16.840.1.101.3.4.1.44"), ("CBC", "2.16.840.1.101.3.4.1.42"), ("AES-128-GCM", "2.16.840.1.101.3.4.1.6"), ("AES-256-CCM", "2.16.840.1.101.3.4.1.47"),
            ("ChaCha20-Poly1305", "1.2.840.113549.1.9.16.3.18") }.Select(c => Der($"{c.Item1} in the place of GCM", Refusal.Algorithm, m => Cipher(m, c.Item2))),
        Der("tag length left to its default", Refusal.Algorithm, m => Icv(m, null)),
        Der("tag length 12", Refusal.Algorithm, m => Icv(m, [2, 1, 12])),
        Der("tag length 272", Refusal.Algorithm, m => Icv(m, [2, 2, 1, 16])),
        Der("EnvelopedData", Refusal.ManifestForm, m => Tlv.Replace(m, Tlv.Oid(Oids.AuthEnvelopedData), Tlv.Oid("1.2.840.113549.1.7.3"))),
        Der("an inner type of its own", Refusal.ManifestForm, m => Tlv.Replace(m, Tlv.Oid(Oids.Data), Tlv.Oid(Oids.SignedData))),
        Der("version 1", Refusal.ManifestForm, m => Tlv.Edit(m, t => t.Path == "/1/0/0", [2, 1, 1])),
        Der("originatorInfo", Refusal.ManifestForm, m => Tlv.Edit(m, t => t.Path == "/1/0/0", [2, 1, 0, 0xa0, 0])),
        Der("authAttrs", Refusal.ManifestForm, m => Tlv.Edit(m, t => t.Path == "/1/0/2", [.. Tlv.Parse(m).Children![1].Children![0].Children![2].Encoded, 0xa1, 0])),
        Der("unauthAttrs", Refusal.ManifestForm, m => Tlv.Edit(m, t => t.Path == "/1/0/3", [.. Tlv.Parse(m).Children![1].Children![0].Children![3].Encoded, 0xa2, 0])),
        Der("a byte behind it", Refusal.Der, m => [.. m, 0]),
        Der("itself again behind it", Refusal.Der, m => [.. m, .. m]),
        Der("nothing", Refusal.Der, _ => []),
        Der("a million SEQUENCEs in each other, signed", Refusal.Der, _ => Deep(EnvelopeParts.MaxManifest)),
        Der("2 GiB inside it", Refusal.Der, _ => [0x30, 0x06, 0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]),
        Der("ciphertext of 2 GiB", Refusal.Der, m => Tlv.Edit(m, t => t.Path == "/1/0/2/2", [0x80, 0x84, 0x7f, 0xff, 0xff, 0xff, .. new byte[4096]])),
        Values("a frame whose length shows the content", Refusal.ManifestForm, m => m with { Ciphertext = m.Ciphertext[..^1] }),
        Values("no frame", Refusal.ManifestForm, m => m with { Ciphertext = default(ReadOnlyMemory<byte>) }),
        new("manifest: digest of another", Refusal.Manifest, () => Outside(new Forge { ManifestDigest = _ => Digest.Of([1]) })),
        new("manifest: of another office, under an own header", Refusal.Manifest, () =>
        {
            // H14 takes the manifest that G22 made and puts its own header around it.
            var secret = RandomNumberGenerator.GetBytes(32);
            var (stolen, _) = new Forge { Secret = secret }.Make();
            return Outside(new Forge { Secret = secret, Office = Pki["H14"].Sign, Header = h => h with { Sender = "H14" }, ManifestDer = _ => stolen.Manifest.ToArray() });
        }),

        new("recipients: the ukm of another header", Refusal.Manifest, () => Outside(new Forge { Ukm = _ => SHA256.HashData("other"u8) })),
        Agreement("no ukm", Refusal.Manifest, a => a with { Ukm = null }),
        Agreement("point off the curve", Refusal.ManifestForm, a => a with { Point = (byte[])[4, .. new byte[96]] }),
        Agreement("point at infinity", Refusal.ManifestForm, a => a with { Point = (byte[])[0] }),
        Agreement("compressed point", Refusal.ManifestForm, a => a with { Point = (byte[])[2, .. a.Point.Span[1..49]] }),
        Agreement("point of another curve", Refusal.ManifestForm, a => a with { Point = (byte[])[4, .. new byte[64]] }),
        Agreement("no point", Refusal.ManifestForm, a => a with { Point = default }),
        Agreement("wrapped key a block short", Refusal.ManifestForm, a => a with { RecipientKeys = [a.Keys[0] with { EncryptedKey = a.Keys[0].EncryptedKey[..32] }] }),
        Agreement("no wrapped key", Refusal.ManifestForm, a => a with { RecipientKeys = [a.Keys[0] with { EncryptedKey = default }] }),
        Agreement("no recipient in the agreement", Refusal.ManifestForm, a => a with { RecipientKeys = [] }),
        Agreement("name of 100000 SEQUENCEs in each other", Refusal.Recipients, a => a with { RecipientKeys = [a.Keys[0] with { Rid = Deep(1 << 19) }] }),
        Agreement("a key of one kind in the place of the other", Refusal.ManifestForm, a => new KeyTransport(a.Keys[0])),
        Values("no recipients", Refusal.ManifestForm, m => m with { Recipients = [] }),
        new("manifest: two agreements", Refusal.ManifestForm, () => Outside(new Forge
        {
            Recipients = TwoPoints.Recipients,
            Manifest = m => (KeyAgreement)m.Recipients[0] is var both ? m with { Recipients = [both with { RecipientKeys = [both.Keys[0]] }, both with { RecipientKeys = [both.Keys[1]] }] } : m,
        })),
        Agreement("300000 recipients in it", Refusal.Size, a => a with { RecipientKeys = [.. Enumerable.Repeat(new RecipientKey((byte[])[0x30, 0], default), 300_000)] }),
        Values("40000 recipients each by itself", Refusal.Size, m => m with { Recipients = [.. Enumerable.Repeat(new KeyTransport(new RecipientKey((byte[])[0x30, 0], default)), 40_000)] }),
        new("manifest: one recipient more than a header may name", Refusal.Size, () => Outside(new Forge { Manifest = m => m with { Recipients = [.. Enumerable.Repeat(new KeyTransport(new RecipientKey((byte[])[0x30, 0], new byte[384])), 1001)] } })),
        SealedTo("one recipient too many", "H37", "H41", "H14"),
        SealedTo("the sender besides", "H37", "H41", "G22"),
        SealedTo("one recipient too few", "H41"),
        SealedTo("another recipient", "H37", "H14"),
        SealedTo("one certificate twice", "H41", "H41"),
        new("manifest: keys in another order than the header", Refusal.Recipients, () => Outside(new Forge
        {
            Recipients = TwoPoints.Recipients, SealedTo = [Pki["H41"].Encrypt.Certificate, Pki["H14"].Encrypt.Certificate],
        })),

        Framed("a secret that the header did not commit to", f => [.. f[..32], .. RandomNumberGenerator.GetBytes(32), .. f[64..]]),
        new("frame: a commitment to another secret", Refusal.CannotOpen, () => Inside(new Forge { Header = h => h with { Commitment = KeySchedule.Commitment(KeySchedule.Opened(new byte[32])) } })),
        Framed("of another header", f => [.. SHA256.HashData("another header"u8), .. f[32..]]),
        Framed("a fill that is not zeros", f => [.. f[..^1], 1]),
        Framed("no DER value", f => [.. f[..64], .. new byte[f.Length - 64]]),
        Framed("a SET in the place of the dispatch", f => [.. f[..64], 0x31, .. f[65..]]),
        Framed("a dispatch of 2 GiB", f => [.. f[..64], 0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, .. f[70..]]),
        Framed("a dispatch longer than the frame", f => [.. f[..64], 0x30, 0x82, 0xff, 0xff, .. f[68..]]),
        Framed("nothing but zeros", f => new byte[f.Length]),
        new("frame: a second dispatch behind the first", Refusal.CannotOpen, () => Inside(new Forge { DispatchDer = d => [.. d, .. d] })),
        new("frame: one manifest with two content keys", Refusal.CannotOpen, () => Inside(new Forge
        {
            // GCM is not committing: another key gives another text. At most one of the two can be the committed one.
            Manifest = m => m with { Recipients = [.. m.Recipients.Select(r => r is KeyTransport ? ManifestSealer.Wrap(RandomNumberGenerator.GetBytes(32), [Pki["H37"].Encrypt.Certificate], [])[0] : r)] },
        }, "H37")),
        new("key: of an office that it was not sealed to", Refusal.NotForThisKey, () => new Forge().Make() is var (parts, wire) ? Opened(parts, wire, "H14") : null!),
        new("key: of another office under the own code", Refusal.NotForThisKey, () => new Forge().Make() is var (parts, wire) ? Opened(parts, wire, "H14", key: Pki["H41"].Encrypt) : null!),
    ];
}
