using System.Buffers.Binary;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

/// <summary>C2SP tlog-cosignature. Known answers: made once with @noble/post-quantum 0.7.1 (ML-DSA-44, deterministic) and Node 20 (Ed25519) from the seeds 00 01 02 …</summary>
public sealed class CosignatureTests : IDisposable
{
    const long Time = 1679315147;
    /// <summary>The specification's own example.</summary>
    static readonly Checkpoint Example = new("example.com/behind-the-sofa", 20852163, new Digest(Convert.FromBase64String("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")));
    readonly string folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    static byte[] Seed(int first) => [.. Enumerable.Range(first, 32).Select(i => (byte)i)];

    static CosignerKey LogKey() => CosignerKey.FromSeed(Example.Origin, NoteKeyType.MlDsa44Cosignature, Seed(0));

    static CosignerKey WitnessMlDsa() => CosignerKey.FromSeed("witness.example/w1", NoteKeyType.MlDsa44Cosignature, Seed(32));

    static CosignerKey WitnessEd25519() => CosignerKey.FromSeed("witness.example/w1", NoteKeyType.Ed25519Cosignature, Seed(64));

    static string HexOf(string text) => Convert.ToHexStringLower(Digest.Of(Encoding.UTF8.GetBytes(text)).ToArray());

    [Fact]
    public void An_MlDsa44_cosignature_is_byte_for_byte_another_implementations()
    {
        using var log = LogKey();
        Assert.Equal("b78011bf5b44c9f214d41efeed91216671da89224903db5399831f5b219216d5", HexOf(log.VerifierKey.ToString()));
        Assert.Equal("317e9d486c01b7249dcee2bb83de82970320731790b64d8776c35a764ce5becd", HexOf(log.SignLine(Example, 0)));
        using var witness = WitnessMlDsa();
        Assert.Equal("cb2ff3458d73f83aea0a7ff64b9cd8b0304aab53309f759c65e51e54cfd1c1e5", HexOf(witness.VerifierKey.ToString()));
        Assert.Equal("e890e8a9f192ee9afe3f42af52916071d183195c85c7f74d72c1f5e259d974cf", HexOf(witness.SignLine(Example, Time)));
    }

    [Fact]
    public void An_Ed25519_cosignature_is_byte_for_byte_another_implementations()
    {
        using var witness = WitnessEd25519();
        Assert.Equal("witness.example/w1+b72bab2e+BCVDuS/xCVURR2rcg2nbbdyTNmWhGXjdoUBO4QZsqVWd", witness.VerifierKey.ToString());
        Assert.Equal("— witness.example/w1 tyurLgAAAABkGFDLwPBhXXk+OyI8rc29JCAPsjuXB48IGydaojM0TqjSqQyM5rV8Sex4ujelFEilmUG+RFt9ZG9wTvK221uhW+SsAQ==\n", witness.SignLine(Example, Time));
    }

    [Fact]
    public void A_published_verifier_key_of_type_04_agrees()
    {
        // transparency-dev/formats, note_cosigv1_test.go.
        const string published = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
        var key = VerifierKey.Parse(published);
        Assert.Equal((NoteKeyType.Ed25519Cosignature, published), (key.Type, key.ToString()));
        Assert.False(VerifierKey.TryParse(published.Replace("da77ade7", "da77ade8", StringComparison.Ordinal), out _));
    }

    [Fact]
    public void One_note_opens_by_keys_of_every_type_and_says_when_witnesses_signed()
    {
        using var ed = CheckpointKey.FromSeed(Example.Origin, Seed(96));
        using var log = LogKey();
        using var w1 = WitnessMlDsa();
        using var w2 = WitnessEd25519();
        var note = Encoding.UTF8.GetBytes(ed.Sign(Example) + log.SignLine(Example, 0) + w1.SignLine(Example, Time) + w2.SignLine(Example, Time + 1));
        VerifierKey[] all = [ed.VerifierKey, log.VerifierKey, w1.VerifierKey, w2.VerifierKey];
        Assert.Equal(4, SignedNote.Open(note, all).Verified.Count);
        foreach (var key in all)
        {
            var opened = SignedNote.Open(note, [key]);
            Assert.Equal((Example.Text, 1, 3), (opened.Text, opened.Verified.Count, opened.Others.Count));
            long? expected = key == w1.VerifierKey ? Time : key == w2.VerifierKey ? Time + 1 : null;
            Assert.Equal(expected, key.TimeOf(opened.Verified[0]));
        }
        Assert.Equal(Example, Checkpoint.Open(note, all, Example.Origin));
        Assert.Throws<RefusedException>(() => Checkpoint.Open(note, [w1.VerifierKey], Example.Origin));
    }

    [Fact]
    public void A_cosignature_holds_for_its_head_its_time_its_name_and_its_origin_only()
    {
        foreach (var witness in new[] { WitnessMlDsa(), WitnessEd25519() })
            using (witness)
            {
                var key = witness.VerifierKey;
                var signature = Assert.Single(SignedNote.ReadLines(Encoding.UTF8.GetBytes(witness.SignLine(Example, Time)))).Signature.ToArray();
                bool Holds(Checkpoint head, byte[] by) => key.Verify(Encoding.UTF8.GetBytes(head.Text), by);
                Assert.True(Holds(Example, signature));
                Assert.False(Holds(Example with { Size = Example.Size + 1 }, signature));
                Assert.False(Holds(Example with { Root = Digest.Of([1]) }, signature));
                Assert.False(Holds(Example with { Origin = "example.com/other" }, signature));
                Assert.False(key.Verify(Encoding.UTF8.GetBytes(Example.Text + "extension\n"), signature));
                foreach (var at in new[] { 0, 7, 8, signature.Length - 1 })
                {
                    var changed = (byte[])signature.Clone();
                    changed[at] ^= at == 0 ? (byte)0x80 : (byte)1;
                    Assert.False(Holds(Example, changed));
                }
                Assert.False(Holds(Example, signature[..^1]));
                Assert.False(Holds(Example, [.. signature, 0]));
                Assert.False(Holds(Example, []));
            }
        // The ML-DSA form names the cosigner: the same key under another name is another signer.
        using var w1 = WitnessMlDsa();
        using var w2 = CosignerKey.FromSeed("witness.example/w2", NoteKeyType.MlDsa44Cosignature, Seed(32));
        var line = SignedNote.ReadLines(Encoding.UTF8.GetBytes(w1.SignLine(Example, Time)))[0];
        Assert.False(w2.VerifierKey.Verify(Encoding.UTF8.GetBytes(Example.Text), line.Signature.Span));
    }

    [Fact]
    public void What_an_MlDsa44_cosignature_would_leave_unsigned_is_neither_signed_nor_accepted()
    {
        using var key = LogKey();
        Assert.Throws<ArgumentException>(() => key.SignLine(new Checkpoint(Example.Origin, 0, Digest.Of([1])), 0));
        Assert.NotEmpty(key.SignLine(new Checkpoint(Example.Origin, 0, MerkleTree.EmptyRoot), 0));
        Assert.Throws<ArgumentException>(() => key.SignLine(Example with { Origin = new string('a', 256) }, 0));
        Assert.Throws<ArgumentException>(() => CosignerKey.Create(new string('a', 256), NoteKeyType.MlDsa44Cosignature));
        Assert.Throws<ArgumentException>(() => CosignerKey.Create("a", NoteKeyType.Ed25519));
    }

    [Fact]
    public void A_mangled_MlDsa44_verifier_key_is_refused()
    {
        using var key = LogKey();
        var text = key.VerifierKey.ToString();
        Assert.Equal(key.VerifierKey, VerifierKey.Parse(text));
        for (var i = 0; i < text.Length; i += 7)
        {
            var mangled = text.ToCharArray();
            mangled[i]++;
            Assert.False(VerifierKey.TryParse(new string(mangled), out _), $"{i}");
            Assert.False(VerifierKey.TryParse(text[..i], out _));
        }
    }

    [Theory, InlineData(NoteKeyType.Ed25519Cosignature), InlineData(NoteKeyType.MlDsa44Cosignature)]
    public void A_saved_cosigner_key_loads_with_its_passphrase_and_only_with_it(NoteKeyType type)
    {
        if (OperatingSystem.IsWindows()) return;
        using var key = CosignerKey.Create("witness.example/w1", type);
        var path = Path.Combine(folder, $"{type}.key");
        key.Save(path, "mật khẩu");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Throws<IOException>(() => key.Save(path, "mật khẩu"));
        using var loaded = CosignerKey.Load(path, "mật khẩu", key.Name);
        Assert.Equal(key.VerifierKey, loaded.VerifierKey);
        Assert.Equal(key.SignLine(Example, Time), loaded.SignLine(Example, Time));
        Assert.Equal(Refusal.Passphrase, Assert.Throws<RefusedException>(() => CosignerKey.Load(path, "mat khau", key.Name)).Refusal);
    }

    [Fact]
    public void An_MlDsa44_key_file_holds_what_RFC_9881_writes()
    {
        if (OperatingSystem.IsWindows()) return;
        using var key = LogKey();
        var path = Path.Combine(folder, "mldsa.key");
        key.Save(path, "p");
        // RFC 9881 section 6 and appendix C.1: OneAsymmetricKey version 0, id-ml-dsa-44, the seed as [0] in an OCTET STRING.
        byte[] expected = [0x30, 0x34, 2, 1, 0, 0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x11, 4, 0x22, 0x80, 0x20, .. Seed(0)];
        Assert.Equal(Convert.ToHexString(expected), KeyFile.Load(path, "p", "test", Convert.ToHexString));

        // Seed and expanded key, as openssl writes it, is the same key; anything less canonical is none.
        var both = Org.BouncyCastle.Pkcs.PrivateKeyInfoFactory.CreatePrivateKeyInfo(Org.BouncyCastle.Crypto.Parameters.MLDsaPrivateKeyParameters.FromSeed(
            Org.BouncyCastle.Crypto.Parameters.MLDsaParameters.ml_dsa_44, Seed(0), Org.BouncyCastle.Crypto.Parameters.MLDsaPrivateKeyParameters.Format.SeedAndEncoding)).GetDerEncoded();
        var theirs = Path.Combine(folder, "both.key");
        KeyFile.Save(theirs, both, "p");
        using var loaded = CosignerKey.Load(theirs, "p", key.Name);
        Assert.Equal(key.VerifierKey, loaded.VerifierKey);
        both[^1] ^= 1;
        var broken = Path.Combine(folder, "broken.key");
        KeyFile.Save(broken, both, "p");
        Assert.Equal(Refusal.Passphrase, Assert.Throws<RefusedException>(() => CosignerKey.Load(broken, "p", key.Name)).Refusal);
    }

    [Fact]
    public void While_keys_change_both_sign_and_either_opens()
    {
        using var old = CheckpointKey.Create(Example.Origin);
        using var next = CheckpointKey.Create(Example.Origin);
        var note = old.Sign(Example) + next.SignLine(Example);
        Assert.Equal(Example, Checkpoint.Open(note, old.VerifierKey.ToString()));
        Assert.Equal(Example, Checkpoint.Open(note, next.VerifierKey.ToString()));
        Assert.Throws<ArgumentException>(() => next.SignLine(Example with { Origin = "other" }));
    }

    [Fact]
    public void Times_are_the_first_eight_bytes()
    {
        using var witness = WitnessEd25519();
        var line = SignedNote.ReadLines(Encoding.UTF8.GetBytes(witness.SignLine(Example, Time)))[0];
        Assert.Equal(Time, BinaryPrimitives.ReadInt64BigEndian(line.Signature.Span));
    }
}
