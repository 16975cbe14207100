using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Tests.Envelope;

/// <summary>
/// Whoever may send to an office may have its private key tried on bytes of his choice and hear what came of it (Bleichenbacher 1998, Manger 2001). He hears one thing, whatever failed:
/// the padding, the length of the key in it, the wrap, the tag, CTX, fill or commitment. The same type, code and text; and the same time, within what can be measured here.
/// </summary>
public partial class DecryptionFailureTests
{
    static readonly TestPki Pki = TestPki.Shared;

    /// <param name="Public">Refused for its length or size alone, which everyone sees: the private key is not used, and it is quicker.</param>
    sealed record Case(string Name, Func<int, Forge> Make, bool Public = false);

    static readonly Case[] Rsa =
    [
        new("first byte 1", s => Sealed("H37", s, cek => Oaep(cek, first: 1))),
        new("first byte 7f", s => Sealed("H37", s, cek => Oaep(cek, first: 0x7f))),
        new("hash of another label", s => Sealed("H37", s, cek => Oaep(cek, db: d => d[0] ^= 1))),
        new("no separator", s => Sealed("H37", s, _ => Oaep([], db: d => d[^1] = 0))),
        new("2 before the separator", s => Sealed("H37", s, cek => Oaep(cek, db: d => d[40] = 2))),
        new("2 in place of the separator", s => Sealed("H37", s, cek => Oaep(cek, db: d => d[^(KeyWraps.CekLength + 1)] = 2))),
        new("no key in it", s => Sealed("H37", s, _ => Oaep([]))),
        new("a key of 16 bytes", s => Sealed("H37", s, cek => Oaep(cek[..16]))),
        new("a key of 31 bytes", s => Sealed("H37", s, cek => Oaep(cek[..31]))),
        new("a key of 33 bytes", s => Sealed("H37", s, cek => Oaep([.. cek, 0]))),
        new("a key as long as can be", s => Sealed("H37", s, cek => Oaep([.. cek, .. new byte[384 - 66 - 32]]))),
        new("ciphertext 1", s => Sealed("H37", s, _ => [.. new byte[383], 1])),
        new("another key", s => Sealed("H37", s, _ => Oaep(RandomNumberGenerator.GetBytes(32)))),
        new("tag", s => Sealed("H37", s, cek => Oaep(cek), last: Tag)),
        new("CTX", s => Sealed("H37", s, cek => Oaep(cek), OfAnother)),
        new("commitment", s => Sealed("H37", s, cek => Oaep(cek), OtherSecret)),
        new("fill", s => Sealed("H37", s, cek => Oaep(cek), f => [.. f[..^1], 1])),
        new("no dispatch", s => Sealed("H37", s, cek => Oaep(cek), f => [.. f[..64], .. new byte[f.Length - 64]])),
        new("ciphertext not below the modulus", s => Sealed("H37", s, _ => [.. Enumerable.Repeat((byte)0xff, 384)]), Public: true),
        new("ciphertext a byte short", s => Sealed("H37", s, cek => Oaep(cek)[..^1]), Public: true),
        new("ciphertext a byte long", s => Sealed("H37", s, cek => [.. Oaep(cek), 0]), Public: true),
        new("no ciphertext", s => Sealed("H37", s, _ => []), Public: true),
    ];

    static readonly Case[] Ecdh =
    [
        .. Enumerable.Range(0, 5).Select(i => new Case($"wrapped key, block {i}", s => Agreed(s, w => w[8 * i] ^= 1))),
        new("another wrapped key", s => Agreed(s, cek: RandomNumberGenerator.GetBytes(32))),
        new("tag", s => Agreed(s, last: Tag)),
        new("CTX", s => Agreed(s, frame: OfAnother)),
        new("commitment", s => Agreed(s, frame: OtherSecret)),
        new("fill", s => Agreed(s, frame: f => [.. f[..^1], 1])),
        new("no dispatch", s => Agreed(s, frame: f => [.. f[..64], .. new byte[f.Length - 64]])),
    ];

    static AuthEnveloped Tag(AuthEnveloped m) => m with { Tag = (byte[])[(byte)(m.Tag.Span[0] ^ 1), .. m.Tag.Span[1..]] };
    static byte[] OfAnother(byte[] frame) => [.. SHA256.HashData("another header"u8), .. frame[32..]];
    static byte[] OtherSecret(byte[] frame) => [.. frame[..32], .. RandomNumberGenerator.GetBytes(32), .. frame[64..]];

    /// <summary>An envelope to one RSA recipient, as good as the sender can make it but for what he does to key, frame and manifest.</summary>
    static Forge Sealed(string office, int size, Func<byte[], byte[]> wrapped, Func<byte[], byte[]>? frame = null, Func<AuthEnveloped, AuthEnveloped>? last = null) =>
        Made(office, size, (_, cek) => new KeyTransport(new RecipientKey(KeyWraps.Rid(Pki[office].Encrypt.Certificate), wrapped(cek))), frame, last);

    static Forge Agreed(int size, Action<byte[]>? spoil = null, byte[]? cek = null, Func<byte[], byte[]>? frame = null, Func<AuthEnveloped, AuthEnveloped>? last = null) =>
        Made("H41", size, (ukm, right) =>
        {
            var agreement = (KeyAgreement)ManifestSealer.Wrap(cek ?? right, [Pki["H41"].Encrypt.Certificate], ukm)[0];
            var key = agreement.Keys[0].EncryptedKey.ToArray();
            spoil?.Invoke(key);
            return agreement with { RecipientKeys = [agreement.Keys[0] with { EncryptedKey = key }] };
        }, frame, last);

    static Forge Made(string office, int size, Func<byte[], byte[], RecipientInfo> recipient, Func<byte[], byte[]>? frame, Func<AuthEnveloped, AuthEnveloped>? last)
    {
        var (plain, ukm) = (Array.Empty<byte>(), Array.Empty<byte>());
        var cek = RandomNumberGenerator.GetBytes(32);
        return new Forge
        {
            Recipients = [(office, Pki[office].Encrypt, "to")],
            Ukm = ctx => ukm = ctx.ToArray(),
            Frame = f =>
            {
                Array.Resize(ref f, Math.Max(size, f.Length));
                return plain = frame?.Invoke(f) ?? f;
            },
            Manifest = _ =>
            {
                var m = ManifestSealer.Encrypt(plain, cek, RandomNumberGenerator.GetBytes(12), [recipient(ukm, cek)]);
                return last?.Invoke(m) ?? m;
            },
        };
    }

    /// <summary>RSAES-OAEP (RFC 8017 7.1.1) by hand, so that each step can be done wrong.</summary>
    static byte[] Oaep(byte[] message, byte first = 0, Action<byte[]>? db = null)
    {
        using var rsa = Pki["H37"].Encrypt.ForTls.GetRSAPublicKey()!;
        var key = rsa.ExportParameters(includePrivateParameters: false);
        var length = key.Modulus!.Length;
        byte[] block = [.. SHA256.HashData([]), .. new byte[length - 66 - message.Length], 1, .. message];
        db?.Invoke(block);
        var seed = RandomNumberGenerator.GetBytes(32);
        var maskedDb = Xor(block, Mgf1(seed, block.Length));
        byte[] encoded = [first, .. Xor(seed, Mgf1(maskedDb, 32)), .. maskedDb];
        var cipher = BigInteger.ModPow(Number(encoded), Number(key.Exponent!), Number(key.Modulus)).ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[length - cipher.Length], .. cipher];
    }

    static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
    static byte[] Xor(byte[] a, byte[] b) => [.. a.Zip(b, (x, y) => (byte)(x ^ y))];
    static byte[] Mgf1(byte[] seed, int length) =>
        [.. Enumerable.Range(0, (length + 31) / 32).SelectMany(i => SHA256.HashData([.. seed, 0, 0, 0, (byte)i])).Take(length)];

    [Fact]
    public async Task The_hand_made_padding_is_right_where_nothing_is_done_to_it()
    {
        await Sealed("H37", 4096, cek => Oaep(cek)).OpenAs("H37");
        await Agreed(4096).OpenAs("H41");
    }

    [Fact]
    public async Task Whatever_fails_the_answer_is_one_type_one_code_and_one_text()
    {
        foreach (var (office, cases) in new[] { ("H37", Rsa), ("H41", Ecdh) })
            foreach (var one in cases)
            {
                var (parts, wire) = one.Make(4096).Make();
                var answer = await Record.ExceptionAsync(() => Forge.Open(parts, wire, office));
                Assert.True(answer is RefusedException, $"{one.Name}: {answer}");
                Assert.Equal((Refusal.CannotOpen, "", "E_CANNOT_OPEN", null, 0), (((RefusedException)answer).Refusal, ((RefusedException)answer).Detail, answer.Message, answer.InnerException, answer.Data.Count));
            }
    }

    // Segments are opened under a secret that is right: a tag there says no more either.
    [Fact]
    public async Task A_segment_that_does_not_open_has_the_same_text()
    {
        var (_, wire) = new Forge().Make();
        var tree = new SegmentTree();
        tree.Add(SegmentTree.Leaf(wire));
        var (parts, other) = new Forge { Wire = _ => wire, PayloadRef = p => p with { Root = tree.Root() } }.Make();
        Assert.Equal("E_CANNOT_OPEN", (await Assert.ThrowsAsync<RefusedException>(() => Forge.Open(parts, other, "H41"))).Message);
    }

    [Fact, Trait("tier", "long")]
    public void However_it_fails_it_takes_the_same_time()
    {
        foreach (var (office, cases) in new[] { ("H37", Rsa), ("H41", Ecdh) }) Compare(office, cases, rounds: 600, apart: 0.08);
    }

    /// <summary>
    /// Medians of every case, each round in a new order, lie together; one that is made slower by more than they may lie apart does not.
    /// A busy machine needs more rounds: up to four times as many. What really takes longer stays apart in all of them.
    /// </summary>
    /// <param name="apart">As a part of the median: what this machine cannot tell apart in so many rounds.</param>
    static void Compare(string office, Case[] cases, int rounds, double apart)
    {
        // A frame of 2 MiB: what is left out when the key does not unwrap would show.
        // Each is copied to one place first: where bytes lie is worth more time than what is measured.
        var place = GC.AllocateArray<byte>(2 << 20, pinned: true);
        var open = cases.Where(c => !c.Public).Select(c => (c.Name, Run: Prepare(c.Make(2 << 20).Make().Parts, Pki[office].Encrypt, place))).ToList();
        var slow = new SlowKey(Pki[office].Encrypt);
        open.Add(("control", Prepare(cases.First(c => !c.Public).Make(2 << 20).Make().Parts, slow, place)));
        var times = open.ToDictionary(c => c.Name, _ => new List<double>());
        foreach (var (_, run) in open) Took(run);
        slow.Delay = 2.5 * apart * Median(open.Select(o => Took(o.Run)));
        for (var most = 4 * rounds; ; )
        {
            for (var round = 0; round < rounds; round++)
                foreach (var (name, run) in open.OrderBy(_ => RandomNumberGenerator.GetInt32(int.MaxValue))) times[name].Add(Took(run));
            var medians = times.ToDictionary(t => t.Key, t => Median(t.Value));
            medians.Remove("control", out var control);
            var (low, high, done) = (medians.MinBy(m => m.Value), medians.MaxBy(m => m.Value), times["control"].Count);
            var middle = Median(medians.Values);
            TestContext.Current.TestOutputHelper?.WriteLine($"{office}, {done} rounds: {low.Key} {low.Value:0.000} ms … {high.Key} {high.Value:0.000} ms, {(high.Value - low.Value) / middle:P1} apart; control {control:0.000} ms");
            var (alike, told) = (high.Value - low.Value < apart * middle, control - middle > apart * middle);
            if (alike && told) return;
            if (done < most) continue;
            foreach (var (name, median) in medians.OrderBy(m => m.Value)) TestContext.Current.TestOutputHelper?.WriteLine($"  {median:0.000} ms {name}");
            Assert.True(alike, $"{office}: {low.Key} takes {low.Value:0.000} ms, {high.Key} {high.Value:0.000} ms");
            Assert.Fail($"{office}: a key that is made slower takes {control:0.000} ms, and the others {middle:0.000} ms: nothing can be told here");
        }
    }

    static (Action Place, Action Open) Prepare(EnvelopeParts parts, IPrivateKey key, byte[] place)
    {
        var statement = Statement.Read(parts.Header, StatementType.Header);
        var manifest = AuthEnveloped.Decode(parts.Manifest, 1);
        var placed = manifest with { Ciphertext = place };
        Assert.Equal(place.Length, manifest.Ciphertext.Length);
        return (() => manifest.Ciphertext.CopyTo(place), () => Assert.Throws<RefusedException>(() => ManifestOpener.Open(placed, statement.Ref, statement.As<Header>().Commitment, key)));
    }

    static double Took((Action Place, Action Open) run)
    {
        run.Place();
        var before = Worked();
        run.Open();
        return Worked() - before;
    }

    static double Median(IEnumerable<double> values) => values.Order().ToArray() is var sorted ? sorted[sorted.Length / 2] : 0;

    /// <summary>Milliseconds that this thread has worked: on a busy machine the time on the wall says little.</summary>
    static double Worked()
    {
        Assert.Equal(0, ClockGetTime(3, out var time));
        return time.Seconds * 1e3 + time.Nanoseconds / 1e6;
    }

    readonly record struct Time(long Seconds, long Nanoseconds);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out Time time);

    /// <summary>Works on for a while after it was used.</summary>
    sealed class SlowKey(IPrivateKey inner) : IPrivateKey
    {
        public double Delay { get; set; }
        public Certificate Certificate => inner.Certificate;
        public byte[] Sign(ReadOnlySpan<byte> data) => inner.Sign(data);

        public byte[] Agree(ReadOnlySpan<byte> peerPoint, ReadOnlySpan<byte> sharedInfo)
        {
            Wait();
            return inner.Agree(peerPoint, sharedInfo);
        }

        public byte[] Decrypt(ReadOnlySpan<byte> ciphertext)
        {
            Wait();
            return inner.Decrypt(ciphertext);
        }

        void Wait()
        {
            for (var until = Worked() + Delay; Worked() < until;) { }
        }

        public void Dispose() { }
    }
}
