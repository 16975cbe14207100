using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Office.Dev;
using Exchange.Office.Join;
using Sut = Exchange.Crypto.Envelope.Envelope;

namespace Exchange.Tests.Envelope;

/// <summary>Each known way to cheat, done by someone who has the keys it takes, and the one code with which it is refused. facts: what CMS libraries accept here.</summary>
public partial class AttackTests
{
    static readonly TestPki Pki = TestPki.Shared;
    static FileKey Signatory => Pki["G22"].Signatory;

    static void Refused(Refusal expected, Forge forge) => Refused(expected, forge.Make().Parts);
    static void Refused(Refusal expected, EnvelopeParts parts)
    {
        var refused = Assert.Throws<RefusedException>(() => Sut.Verify(parts, Forge.Context));
        Assert.True(expected == refused.Refusal, $"{expected} expected, {refused.Message}");
    }

    /// <summary>Passes outside, is refused inside.</summary>
    static async Task RefusedInside(Refusal expected, Forge forge, string office = "H41", bool officeSigns = false, IReadOnlyList<string>? roles = null)
    {
        var (parts, wire) = forge.Make();
        Sut.Verify(parts, Forge.Context);
        var refused = await Assert.ThrowsAsync<RefusedException>(() => Forge.Open(parts, wire, office, officeSigns, roles));
        Assert.True(expected == refused.Refusal, $"{expected} expected, {refused.Message}");
    }

    [Fact]
    public async Task What_is_not_forged_opens()
    {
        var opened = await new Forge { Approvers = [Signatory], Authors = [Signatory, Pki["G22"].Sign] }.OpenAs("H41", officeSigns: true, roles: ["signatory"]);
        Assert.Equal(["công văn.docx", "phụ lục.pdf"], opened.Files.Select(f => f.Name));
    }

    // Keys and recipients

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
    public Task Open_refuses_a_secret_that_the_header_did_not_commit_to() =>
        RefusedInside(Refusal.CannotOpen, new Forge { Frame = f => [.. f[..32], .. RandomNumberGenerator.GetBytes(32), .. f[64..]] });

    // The secret that is inside opens everything; only the commitment says that it is not the one of this header.
    [Fact]
    public Task Open_refuses_a_commitment_to_another_secret() =>
        RefusedInside(Refusal.CannotOpen, new Forge { Header = h => h with { Commitment = KeySchedule.Commitment(KeySchedule.Opened(new byte[32])) } });

    [Fact]
    public Task Open_refuses_a_replayed_frame_of_another_header() =>
        RefusedInside(Refusal.CannotOpen, new Forge { Frame = f => [.. SHA256.HashData("another header"u8), .. f[32..]] });

    [Fact]
    public Task Open_refuses_a_fill_that_is_not_zeros() =>
        RefusedInside(Refusal.CannotOpen, new Forge { Frame = f => [.. f[..^1], 1] });

    [Fact]
    public Task Open_refuses_a_frame_without_a_DER_value() =>
        RefusedInside(Refusal.CannotOpen, new Forge { Frame = f => [.. f[..64], .. new byte[f.Length - 64]] });

    [Fact]
    public void Verify_refuses_the_ukm_of_another_header() => Refused(Refusal.Manifest, new Forge { Ukm = _ => SHA256.HashData("other"u8) });

    [Fact]
    public void Verify_refuses_a_manifest_without_ukm() =>
        Refused(Refusal.Manifest, new Forge { Manifest = m => m with { Recipients = [.. m.Recipients.Select(r => r is KeyAgreement a ? a with { Ukm = null } : r)] } });

    [Fact]
    public void Verify_refuses_an_extra_recipient_in_the_manifest()
    {
        foreach (var extra in new[] { "H14", "G22" })
            Refused(Refusal.Recipients, new Forge { SealedTo = [Pki["H37"].Encrypt.Certificate, Pki["H41"].Encrypt.Certificate, Pki[extra].Encrypt.Certificate] });
    }

    [Fact]
    public void Verify_refuses_a_recipient_without_a_key() => Refused(Refusal.Recipients, new Forge { SealedTo = [Pki["H41"].Encrypt.Certificate] });

    [Fact]
    public void Verify_refuses_a_swapped_recipient() =>
        Refused(Refusal.Recipients, new Forge { SealedTo = [Pki["H37"].Encrypt.Certificate, Pki["H14"].Encrypt.Certificate] });

    [Fact]
    public void Verify_refuses_one_certificate_twice() =>
        Refused(Refusal.Recipients, new Forge { SealedTo = [Pki["H41"].Encrypt.Certificate, Pki["H41"].Encrypt.Certificate] });

    [Fact]
    public void Verify_refuses_keys_in_another_order_than_the_header()
    {
        var forge = new Forge
        {
            Recipients = [("H14", Pki["H14"].Encrypt, "to"), ("H41", Pki["H41"].Encrypt, "to")],
            SealedTo = [Pki["H41"].Encrypt.Certificate, Pki["H14"].Encrypt.Certificate],
        };
        Refused(Refusal.Recipients, forge);
    }

    [Fact]
    public void Verify_refuses_two_KeyAgreeRecipientInfos() => Refused(Refusal.ManifestForm, new Forge
    {
        Recipients = [("H14", Pki["H14"].Encrypt, "to"), ("H41", Pki["H41"].Encrypt, "to")],
        Manifest = m =>
        {
            var both = (KeyAgreement)m.Recipients[0];
            return m with { Recipients = [both with { RecipientKeys = [both.Keys[0]] }, both with { RecipientKeys = [both.Keys[1]] }] };
        },
    });

    [Fact]
    public void Verify_refuses_an_ephemeral_point_off_the_curve() => Refused(Refusal.ManifestForm, new Forge
    {
        Manifest = m => m with { Recipients = [.. m.Recipients.Select(r => r is KeyAgreement a ? a with { Point = (byte[])[4, .. new byte[96]] } : r)] },
    });

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

    // Cipher and form of the manifest

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    [InlineData(12)]
    [InlineData(15)]
    [InlineData(17)]
    public void Verify_refuses_a_tag_of_another_size(int size) =>
        Refused(Refusal.Algorithm, new Forge { Manifest = m => m with { Tag = (byte[])[.. m.Tag.ToArray().Take(size), .. new byte[Math.Max(0, size - 16)]] } });

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
        Refused(Refusal.Algorithm, parts);
    }

    [Theory]
    [InlineData("2.16.840.1.101.3.4.1.43")]   // OFB
    [InlineData("2.16.840.1.101.3.4.1.44")]   // CFB
    [InlineData("2.16.840.1.101.3.4.1.42")]   // CBC
    [InlineData("2.16.840.1.101.3.4.1.6")]    // AES-128-GCM
    [InlineData("1.2.840.113549.1.9.16.3.18")] // ChaCha20-Poly1305
    public void Verify_refuses_another_cipher_in_place_of_GCM(string oid) =>
        Refused(Refusal.Algorithm, new Forge { ManifestDer = m => Tlv.Replace(m, Tlv.Oid(Oids.Aes256Gcm), Tlv.Oid(oid)) });

    [Fact]
    public void Verify_refuses_a_nonce_of_another_size()
    {
        foreach (var size in new[] { 0, 8, 11, 13, 16 }) Refused(Refusal.Algorithm, new Forge { Manifest = m => m with { Nonce = new byte[size] } });
    }

    [Fact]
    public void Verify_refuses_a_tag_length_left_to_its_default_or_another_one()
    {
        var icv = new byte[] { 2, 1, 16 };
        Refused(Refusal.Algorithm, new Forge { ManifestDer = m => Tlv.Edit(m, t => t.Encoded.AsSpan().SequenceEqual(icv), null) });
        Refused(Refusal.Algorithm, new Forge { ManifestDer = m => Tlv.Edit(m, t => t.Encoded.AsSpan().SequenceEqual(icv), [2, 1, 12]) });
    }

    [Fact]
    public void Verify_refuses_EnvelopedData_and_an_inner_type_of_its_own()
    {
        Refused(Refusal.ManifestForm, new Forge { ManifestDer = m => Tlv.Replace(m, Tlv.Oid(Oids.AuthEnvelopedData), Tlv.Oid("1.2.840.113549.1.7.3")) });
        Refused(Refusal.ManifestForm, new Forge { ManifestDer = m => Tlv.Replace(m, Tlv.Oid(Oids.Data), Tlv.Oid(Oids.SignedData)) });
    }

    [Fact]
    public void Verify_refuses_a_frame_whose_length_shows_the_content() =>
        Refused(Refusal.ManifestForm, new Forge { Frame = f => f[..^1] });

    // Parts that do not belong together

    [Fact]
    public void Verify_refuses_a_manifest_under_another_header()
    {
        var (a, _) = new Forge().Make();
        var (b, _) = new Forge().Make();
        Refused(Refusal.Manifest, a with { Manifest = b.Manifest });
    }

    [Fact]
    public void Verify_refuses_an_outside_stripped_and_signed_by_another_office()
    {
        // H14 takes the manifest that G22 made and puts its own header around it.
        var secret = RandomNumberGenerator.GetBytes(32);
        var (stolen, _) = new Forge { Secret = secret }.Make();
        Refused(Refusal.Manifest, new Forge { Secret = secret, Office = Pki["H14"].Sign, Header = h => h with { Sender = "H14" }, ManifestDer = _ => stolen.Manifest.ToArray() });
    }

    [Fact]
    public Task Open_refuses_a_dispatch_of_another_office_sealed_anew_under_an_own_header() =>
        RefusedInside(Refusal.DispatchSigners, new Forge { Office = Pki["H14"].Sign, Header = h => h with { Sender = "H14" } });

    [Fact]
    public Task Open_refuses_a_dispatch_that_says_it_is_from_another_office() =>
        RefusedInside(Refusal.SenderMismatch, new Forge { Dispatch = d => d with { From = "H14" } });

    [Fact]
    public void Verify_refuses_a_header_signed_by_another_office_than_its_sender() => Refused(Refusal.SignerUnknown, new Forge { Office = Pki["H14"].Sign });

    [Fact]
    public void Verify_refuses_a_header_signed_by_a_person_or_by_an_unknown_office()
    {
        Refused(Refusal.SignerUnknown, new Forge { Office = Signatory });
        Refused(Refusal.SignerUnknown, new Forge { Header = h => h with { Sender = "X99" } });
    }

    [Fact]
    public void Verify_refuses_a_signer_whose_certificate_does_not_hold_at_T()
    {
        var (parts, _) = new Forge().Make();
        var late = Forge.Context with { At = TestPki.Start.AddYears(3) };
        Assert.Equal(Refusal.CertificateTime, Assert.Throws<RefusedException>(() => Sut.Verify(parts, late)).Refusal);
    }

    [Fact]
    public void Verify_refuses_swapped_labels()
    {
        Refused(Refusal.LabelForm, new Forge { HeaderEss = _ => EssLabel.ToEss(Forge.Mat) });
        Refused(Refusal.LabelMismatch, new Forge { Approvers = [Signatory], Approval = a => a with { Label = Forge.Mat } });
    }

    [Fact]
    public async Task Open_refuses_a_low_label_outside_around_a_high_one_inside()
    {
        await RefusedInside(Refusal.LabelMismatch, new Forge { Header = h => h with { Label = Forge.Thuong }, Dispatch = d => d with { Label = Forge.Mat } });
        await RefusedInside(Refusal.LabelForm, new Forge { DispatchEss = _ => EssLabel.ToEss(Forge.Mat) });
    }

    [Fact]
    public async Task Open_refuses_surreptitious_forwarding()
    {
        // The author wrote to H14 alone; the office (or a recipient who holds the dispatch) addresses H41.
        await RefusedInside(Refusal.Addressees, new Forge { Dispatch = d => d with { To = ["H14"] } });
        await RefusedInside(Refusal.Addressees, new Forge { Dispatch = d => d with { To = ["H41"] } });
    }

    [Fact]
    public async Task Open_refuses_another_dispatch_than_the_header_names()
    {
        await RefusedInside(Refusal.DispatchMismatch, new Forge { Header = h => h with { Dispatch = h.Dispatch with { Ref = Digest.Of([1]) } } });
        await RefusedInside(Refusal.DispatchMismatch, new Forge { Signatures = s => [Digest.Of([1])] });
        await RefusedInside(Refusal.DispatchMismatch, new Forge { Signatures = s => [s[0], Digest.Of([1])] });
    }

    [Fact]
    public Task Open_refuses_bytes_after_the_dispatch_even_when_they_are_a_second_one() =>
        RefusedInside(Refusal.CannotOpen, new Forge { DispatchDer = d => [.. d, .. d] });
}
