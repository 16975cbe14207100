using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Office.Join;
using Sut = Exchange.Crypto.Envelope.Envelope;

namespace Exchange.Tests.Envelope;

/// <summary>What an attack is besides refused: where somebody else opens, where a key is left alone, what another program says. The attacks themselves are the table in Hostile.</summary>
public class AttackTests
{
    static readonly TestPki Pki = TestPki.Shared;
    static FileKey Signatory => Pki["G22"].Signatory;

    [Fact]
    public async Task Open_refuses_one_manifest_with_two_content_keys()
    {
        // GCM is not committing: another key gives another text. Recipients H41 and H37 get different keys around one ciphertext; at most one can be the committed one.
        var forge = new Forge
        {
            Manifest = m =>
            {
                var other = ManifestSealer.Wrap(RandomNumberGenerator.GetBytes(32), [Pki["H37"].Encrypt.Certificate], []);
                return m with { Recipients = [.. m.Recipients.Select(r => r is KeyTransport ? other[0] : r)] };
            },
        };
        var (parts, wire) = forge.Make();
        Sut.Verify(parts, Forge.Context);
        await Forge.Open(parts, wire, "H41");
        Assert.Equal(Refusal.CannotOpen, (await Assert.ThrowsAsync<RefusedException>(() => Forge.Open(parts, wire, "H37"))).Refusal);
    }

    [Fact]
    public void Verify_says_when_a_key_is_not_a_current_one_of_its_office()
    {
        var stray = Pki.Key("Stray", "H41", "encrypt", KeyUse.Encrypt);
        Assert.Equal([true, false], new Forge { Recipients = [("H37", Pki["H37"].Encrypt, "cc"), ("H41", stray, "to")] }.Verify().RecipientKeysCurrent);
        // A key of another office in the directory is no better.
        Assert.Equal([true, false], new Forge { Recipients = [("H37", Pki["H37"].Encrypt, "cc"), ("H41", Pki["H14"].Encrypt, "to")] }.Verify().RecipientKeysCurrent);
    }

    [Fact]
    public async Task Who_else_can_open_it_stands_in_the_header_and_every_one_of_these_keys_must_be_of_its_office()
    {
        // Several keys of one office, as while one follows another, in the order of the keys; an addressee has one.
        var more = Enumerable.Range(0, 2).Select(i => Pki.Key("Stray", "G22", $"recovery {i}", KeyUse.Encrypt)).Append(Pki["G22"].Encrypt).OrderBy(k => k.Certificate.Key.ToString(), StringComparer.Ordinal).ToArray();
        var forge = new Forge { Recipients = [.. more.Select(k => ("G22", (FileKey)k, "recovery")), ("H41", Pki["H41"].Encrypt, "to")] };
        Assert.Equal([.. more.Select(k => k.Certificate.Equals(Pki["G22"].Encrypt.Certificate)), true], forge.Verify().RecipientKeysCurrent);
        Refused(Refusal.Header, new Forge { Recipients = [.. more.Reverse().Select(k => ("G22", (FileKey)k, "recovery")), ("H41", Pki["H41"].Encrypt, "to")] });
        Refused(Refusal.Header, new Forge { Recipients = [("H41", Pki["H41"].Encrypt, "to"), ("H41", Pki["H14"].Encrypt, "to")] });
        // It opens what it was sealed to and nothing that it was not.
        var (parts, wire) = new Forge { Recipients = [("G22", Pki["G22"].Encrypt, "recovery"), ("H41", Pki["H41"].Encrypt, "to")] }.Make();
        Assert.NotEmpty((await Forge.Open(parts, wire, "G22")).Files);
    }

    static void Refused(Refusal refusal, Forge forge) => Assert.Equal(refusal, Assert.Throws<RefusedException>(() => forge.Verify()).Refusal);

    [Fact]
    public async Task Open_refuses_a_key_to_which_it_was_not_sealed_without_using_it()
    {
        var (parts, wire) = new Forge().Make();
        var spy = new SpyKey(Pki["H14"].Encrypt);
        Assert.Equal(Refusal.NotForThisKey, (await Assert.ThrowsAsync<RefusedException>(() => Forge.Open(parts, wire, "H14", key: spy))).Refusal);
        Assert.Equal(Refusal.NotForThisKey, (await Assert.ThrowsAsync<RefusedException>(() => Forge.Open(parts, wire, "H14", key: Pki["H41"].Encrypt))).Refusal);
        Assert.Equal(0, spy.Uses);
    }

    [Fact]
    public async Task No_private_key_is_touched_before_the_outside_holds()
    {
        var (parts, wire) = new Forge { Approvers = [Signatory] }.Make();
        var (other, _) = new Forge { Approvers = [Signatory] }.Make();
        var spy = new SpyKey(Pki["H41"].Encrypt);
        EnvelopeParts[] broken =
        [
            parts with { Manifest = other.Manifest }, parts with { Approvals = other.Approvals }, parts with { Approvals = [] }, parts with { Header = parts.Header[..^1] },
            new Forge { Ukm = _ => new byte[32] }.Make().Parts, new Forge { Office = Pki["H14"].Sign }.Make().Parts, new Forge { HeaderEss = _ => EssLabel.ToEss(Forge.Mat) }.Make().Parts,
        ];
        foreach (var one in broken) await Assert.ThrowsAsync<RefusedException>(() => Forge.Open(one, wire, "H41", key: spy));
        Assert.Equal(0, spy.Uses);
        await Forge.Open(parts, wire, "H41", key: spy);
        Assert.Equal(1, spy.Uses);
    }

    [Fact]
    public void A_one_byte_tag_that_openssl_may_open_is_refused_here()
    {
        using var openssl = new OpenSsl();
        var (parts, _) = new Forge { Manifest = m => m with { Tag = m.Tag[..1] } }.Make();
        openssl.Write("m.der", parts.Manifest.Span);
        openssl.Write("k.pem", Pki["H41"].Encrypt.ForTls.ExportCertificatePem());
        openssl.Write("k.key", Pki["H41"].Encrypt.ForTls.GetECDiffieHellmanPrivateKey()!.ExportPkcs8PrivateKeyPem());
        // Newer ones may refuse it too: the point is that its answer is no measure.
        var (code, _, _) = openssl.Try("cms -decrypt -inform DER -in m.der -recip k.pem -inkey k.key -out text");
        TestContext.Current.TestOutputHelper?.WriteLine($"openssl answered {code}");
        Assert.Equal(Refusal.Algorithm, Assert.Throws<RefusedException>(() => Sut.Verify(parts, Forge.Context)).Refusal);
    }

    [Fact]
    public void Signature_bytes_are_no_identity()
    {
        // (r, n - s) verifies as well: CTX and manifest digest stay what they were.
        var (parts, _) = new Forge().Make();
        var data = SignedData.Decode(parts.Header, 1);
        var reader = new AsnReader(data.Signers[0].Signature, AsnEncodingRules.DER).ReadSequence();
        var r = reader.ReadInteger();
        var s = reader.ReadInteger();
        var n = new System.Numerics.BigInteger(Ecdsa.P384.Domain.N.ToByteArrayUnsigned(), isUnsigned: true, isBigEndian: true);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(r);
            writer.WriteInteger(n - s);
        }
        var twin = parts with { Header = (data with { Signers = [data.Signers[0] with { Signature = writer.Encode() }] }).Encode() };
        Assert.False(twin.Header.Span.SequenceEqual(parts.Header.Span));
        Assert.Equal(Sut.Verify(parts, Forge.Context).Ctx, Sut.Verify(twin, Forge.Context).Ctx);
    }
}
