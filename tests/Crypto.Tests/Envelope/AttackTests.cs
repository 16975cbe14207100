using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Office.Dev;
using Sut = Exchange.Crypto.Envelope.Envelope;

namespace Exchange.Tests.Envelope;

/// <summary>Each known way to cheat, done by someone who has the keys it takes, and the one code with which it is refused. facts: what CMS libraries accept here.</summary>
public class AttackTests
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
        var stray = Pki.Key("Stray", "H41", "encrypt", DevUse.Encrypt);
        Assert.Equal([true, false], new Forge { Recipients = [("H37", Pki["H37"].Encrypt, "cc"), ("H41", stray, "to")] }.Verify().RecipientKeysCurrent);
        // A key of another office in the directory is no better.
        Assert.Equal([true, false], new Forge { Recipients = [("H37", Pki["H37"].Encrypt, "cc"), ("H41", Pki["H14"].Encrypt, "to")] }.Verify().RecipientKeysCurrent);
    }

    [Fact]
    public void Verify_refuses_a_hidden_recovery_key() =>
        Refused(Refusal.RecipientKeys, new Forge { Recipients = [("G22", Pki["G22"].Encrypt, "recovery"), ("H41", Pki["H41"].Encrypt, "to")] });

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

    // Signatures

    [Fact]
    public async Task Open_refuses_a_dispatch_whose_second_signer_was_stripped()
    {
        var forge = new Forge { Authors = [Signatory, Pki["G22"].Sign] };
        forge.DispatchDer = der =>
        {
            var data = SignedData.Decode(der, 4);
            return (data with { Signers = [data.Signers[0]], Certificates = [data.Certificates[0]] }).Encode();
        };
        await RefusedInside(Refusal.StatementSigners, forge);
        forge.DispatchDer = der =>
        {
            var data = SignedData.Decode(der, 4);
            return (data with { Signers = [data.Signers[0]] }).Encode();
        };
        await RefusedInside(Refusal.StatementSigners, forge);
    }

    [Fact]
    public async Task Open_refuses_a_dispatch_without_the_signature_that_the_level_asks_for()
    {
        await RefusedInside(Refusal.DispatchSigners, new Forge(), officeSigns: true);
        await RefusedInside(Refusal.DispatchSigners, new Forge { Authors = [Pki["G22"].Sign] });
        await RefusedInside(Refusal.DispatchSigners, new Forge { Authors = [Pki["G22"].Clerk] }, roles: ["signatory"]);
        await RefusedInside(Refusal.DispatchSigners, new Forge { Authors = [Signatory, Pki["G22"].Clerk] });
        await RefusedInside(Refusal.DispatchSigners, new Forge { Authors = [Pki["H14"].Signatory] });
    }

    [Fact]
    public void Verify_refuses_dropped_signed_attributes()
    {
        // Without signedAttrs the content is signed directly: DER(signedAttrs) becomes a content that libraries accept.
        var (parts, _) = new Forge().Make();
        var data = SignedData.Decode(parts.Header, 1);
        byte[] forged = (data with { Content = data.Signers[0].Attributes.ToBeSigned() }).Encode();
        var attributes = Tlv.Parse(data.Signers[0].Encode()).Children!.First(c => c.Encoded[0] == 0xA0).Encoded;
        Refused(Refusal.StatementAttributes, parts with { Header = Tlv.Edit(forged, t => t.Encoded.AsSpan().SequenceEqual(attributes), null) });
    }

    [Fact]
    public void Verify_refuses_id_data_and_other_types_in_the_place_of_a_header()
    {
        // "Sign this file" with the office's key over header bytes does not make a header, nor does an approval.
        var (parts, _) = new Forge { Approvers = [Signatory] }.Make();
        var json = SignedData.Decode(parts.Header, 1).Content.ToArray();
        foreach (var type in new[] { Oids.Data, Oids.ContentType(StatementType.Approval), Oids.ContentType(StatementType.Receipt) })
        {
            var signer = Pki["G22"].Sign;
            var attributes = new SignedAttributes(type, SHA384.HashData(json), TestPki.Now, signer.Certificate.Key, EssLabel.ToEss(Forge.Thuong), Digest.Of(parts.Manifest.Span));
            var info = new SignerInfo(signer.Certificate.IssuerDer, signer.Certificate.SerialNumber, attributes, signer.Sign(attributes.ToBeSigned()), null);
            Refused(Refusal.StatementType, parts with { Header = new SignedData(type, json, [signer.Certificate.Der], [info]).Encode() });
        }
        Refused(Refusal.StatementType, parts with { Header = parts.Approvals[0] });
        Refused(Refusal.StatementType, parts with { Approvals = [parts.Header] });
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
        var n = new System.Numerics.BigInteger(EcdsaP384.Domain.N.ToByteArrayUnsigned(), isUnsigned: true, isBigEndian: true);
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

    // Approvals

    [Fact]
    public void Verify_refuses_an_approval_of_something_else()
    {
        Refused(Refusal.Approval, new Forge { Approvers = [Signatory], Approval = a => a with { Act = "forward" } });
        Refused(Refusal.Approval, new Forge { Approvers = [Signatory], Approval = a => a with { Dispatch = Digest.Of([1]) } });
        Refused(Refusal.Approval, new Forge { Approvers = [Signatory], Approval = a => a with { From = "H14" } });
        Refused(Refusal.Approval, new Forge { Approvers = [Signatory], Approval = a => a with { To = ["H41"] } });
        Refused(Refusal.Approval, new Forge { Approvers = [Signatory], Approval = a => a with { NotAfter = TestPki.Now.ToUnixTimeMilliseconds() - 1 } });
        Refused(Refusal.Approval, new Forge { Approvers = [Pki["H41"].Signatory] });
        Refused(Refusal.Approval, new Forge { Approvers = [Pki["G22"].Sign] });
    }

    [Fact]
    public void Verify_refuses_approvals_left_out_added_or_exchanged()
    {
        var (parts, _) = new Forge { Approvers = [Signatory, Pki["G22"].Clerk] }.Make();
        Sut.Verify(parts, Forge.Context);
        Refused(Refusal.Approval, parts with { Approvals = [] });
        Refused(Refusal.Approval, parts with { Approvals = [parts.Approvals[0]] });
        Refused(Refusal.Approval, parts with { Approvals = [parts.Approvals[1], parts.Approvals[0]] });
        Refused(Refusal.Approval, parts with { Approvals = [.. parts.Approvals, parts.Approvals[0]] });
        Refused(Refusal.Size, parts with { Approvals = [.. Enumerable.Repeat(parts.Approvals[0], 17)] });
    }

    // Payload, of which the mathematics are tested in PayloadTests

    [Fact]
    public async Task Open_refuses_a_changed_cut_or_lengthened_payload()
    {
        await RefusedInside(Refusal.PayloadRoot, new Forge { Wire = w => [.. w[..^1], (byte)(w[^1] ^ 1)] });
        await RefusedInside(Refusal.PayloadLength, new Forge { Wire = w => w[..^1] });
        await RefusedInside(Refusal.PayloadLength, new Forge { Wire = w => [.. w, 0] });
        await RefusedInside(Refusal.PayloadLength, new Forge { Wire = _ => [] });
    }

    [Fact]
    public async Task Open_refuses_a_payload_under_another_secret_even_when_the_root_is_right()
    {
        var other = new Forge();
        var (_, wire) = other.Make();
        var tree = new SegmentTree();
        tree.Add(SegmentTree.Leaf(wire));
        await RefusedInside(Refusal.CannotOpen, new Forge { Wire = _ => wire, PayloadRef = p => p with { Root = tree.Root() } });
    }

    [Fact]
    public async Task Open_refuses_documents_that_the_author_did_not_sign()
    {
        await RefusedInside(Refusal.DocumentDigest, new Forge { Dispatch = d => d with { Documents = [d.Documents[0] with { Sha256 = Digest.Of([9]) }, d.Documents[1]] } });
        await RefusedInside(Refusal.DocumentDigest, new Forge { Plaintext = p => [9, .. p[1..]] });
        await RefusedInside(Refusal.DocumentDigest, new Forge { Dispatch = d => d with { Documents = [d.Documents[0] with { Length = 4 }, d.Documents[1] with { Length = 1 }] } });
        await RefusedInside(Refusal.PayloadLength, new Forge { Dispatch = d => d with { Documents = [d.Documents[0], d.Documents[1] with { Length = 100 }] } });
    }

    [Fact]
    public async Task Open_refuses_anything_hidden_behind_the_documents()
    {
        await RefusedInside(Refusal.PayloadPadding, new Forge { Plaintext = p => [.. p[..^1], 1] });
        await RefusedInside(Refusal.PayloadPadding, new Forge { Dispatch = d => d with { Documents = [d.Documents[0]] } });
    }

    [Theory]
    [InlineData("../etc")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("C:x")]
    [InlineData(".hidden")]
    [InlineData("")]
    [InlineData("a.")]
    [InlineData("a ")]
    [InlineData("a\u0000b")]
    [InlineData("a\nb")]
    [InlineData("gpj\u202Eexe.pdf")]
    [InlineData("a\u200Bb")]
    [InlineData("NUL")]
    [InlineData("com1.txt")]
    [InlineData("a?b")]
    public Task Open_refuses_a_document_name_that_is_not_one(string name) =>
        RefusedInside(Refusal.DocumentName, new Forge { Dispatch = d => d with { Documents = [d.Documents[0] with { Name = name }, d.Documents[1]] } });

    [Fact]
    public async Task Open_refuses_two_documents_that_would_be_one_file()
    {
        await RefusedInside(Refusal.DocumentName, new Forge { Dispatch = d => d with { Documents = [d.Documents[0] with { Name = "Ấn.pdf" }, d.Documents[1] with { Name = "ấn.PDF" }] } });
        await RefusedInside(Refusal.DocumentName, new Forge { Dispatch = d => d with { Documents = [d.Documents[0] with { Name = new string('ư', 128) }, d.Documents[1]] } });
    }

    [Fact]
    public async Task Open_refuses_a_dispatch_with_values_out_of_range()
    {
        await RefusedInside(Refusal.DispatchForm, new Forge { Dispatch = d => d with { Salt = new byte[31] } });
        await RefusedInside(Refusal.DispatchForm, new Forge { Dispatch = d => d with { To = [] } });
        await RefusedInside(Refusal.DispatchForm, new Forge { Dispatch = d => d with { To = ["H41", "H37", "H41"] } });
        await RefusedInside(Refusal.DispatchForm, new Forge { Dispatch = d => d with { Documents = [] } });
        await RefusedInside(Refusal.DispatchForm, new Forge { Dispatch = d => d with { Sheet = d.Sheet with { Date = "2026-02-30" } } });
        await RefusedInside(Refusal.DispatchForm, new Forge { Dispatch = d => d with { Documents = [d.Documents[0] with { Length = -1 }, d.Documents[1]] } });
        await RefusedInside(Refusal.DispatchForm, new Forge { Dispatch = d => d with { Documents = [d.Documents[0] with { Pages = 0 }, d.Documents[1]] } });
    }

    // Header values

    public static TheoryData<string, Func<Header, Header>, string> Headers => new()
    {
        { "suite", h => h with { Suite = "hybrid-1" }, "E_SUITE" },
        { "kind", h => h with { Kind = "recall" }, "E_KIND" },
        { "id of another version", h => h with { Id = new Guid("0192f7d2-0000-4000-8000-000000000000") }, "E_HEADER" },
        { "id of another variant", h => h with { Id = new Guid("0192f7d2-0000-7000-c000-000000000000") }, "E_HEADER" },
        { "no gateway", h => h with { Gateway = "" }, "E_HEADER" },
        { "gateway with a space", h => h with { Gateway = "a b" }, "E_HEADER" },
        { "office code", h => h with { Sender = "g22" }, "E_HEADER" },
        { "no recipients", h => h with { Recipients = [] }, "E_HEADER" },
        { "unsorted", h => h with { Recipients = [.. h.Recipients.Reverse()] }, "E_HEADER" },
        { "one key twice", h => h with { Recipients = [h.Recipients[0], h.Recipients[1] with { Key = h.Recipients[0].Key }] }, "E_HEADER" },
        { "one office and role twice", h => h with { Recipients = [h.Recipients[0], h.Recipients[0] with { Key = h.Recipients[1].Key }] }, "E_HEADER" },
        { "unknown role", h => h with { Recipients = [h.Recipients[0] with { Role = "bcc" }, h.Recipients[1]] }, "E_HEADER" },
        { "self of another", h => h with { Recipients = [h.Recipients[0] with { Role = "self" }, h.Recipients[1]] }, "E_HEADER" },
        { "nobody addressed", h => h with { Recipients = [.. h.Recipients.Select(r => r with { Role = "cc" })] }, "E_HEADER" },
        { "urgency", h => h with { Urgency = -1 }, "E_HEADER" },
        { "expires before it begins", h => h with { Times = new Times(h.Times.Expires, h.Times.Expires, null) }, "E_HEADER" },
        { "respond before it begins", h => h with { Times = new Times(5, h.Times.Expires, 5) }, "E_HEADER" },
        { "time after 9999", h => h with { Times = h.Times with { Expires = 253402300800000 } }, "E_HEADER" },
        { "relation", h => h with { References = [new Reference("recall", h.Id, Digest.Of([1]), 1)] }, "E_HEADER" },
        { "one reference twice", h => h with { References = [new Reference("reply", h.Id, Digest.Of([1]), 1), new Reference("reply", h.Id, Digest.Of([1]), 1)] }, "E_HEADER" },
        { "negative revision", h => h with { References = [new Reference("reply", h.Id, Digest.Of([1]), -1)] }, "E_HEADER" },
        { "no dispatch signature", h => h with { Dispatch = h.Dispatch with { Signatures = [] } }, "E_HEADER" },
        { "one approval twice", h => h with { Approvals = [Digest.Of([1]), Digest.Of([1])] }, "E_HEADER" },
        { "seen nothing", h => h with { Seen = new Seen("", 1, Digest.Of([1])) }, "E_HEADER" },
        { "seen less than nothing", h => h with { Seen = new Seen("a", -1, Digest.Of([1])) }, "E_HEADER" },
        { "no payload", h => h with { Payload = null }, "E_HEADER" },
        { "payload too long", h => h with { Payload = h.Payload! with { Length = (1L << 40) + 1 } }, "E_HEADER" },
        { "negative payload", h => h with { Payload = h.Payload! with { Length = -1 } }, "E_HEADER" },
        { "type in words", h => h with { Type = "approval" }, "E_STATEMENT_TYPE" },
        { "version", h => h with { V = 2 }, "E_STATEMENT_TYPE" },
        { "another signer", h => h with { Signers = [Digest.Of([1])] }, "E_STATEMENT_SIGNERS" },
        { "no signer", h => h with { Signers = [] }, "E_STATEMENT_SIGNERS" },
    };

    [Theory]
    [MemberData(nameof(Headers), DisableDiscoveryEnumeration = true)]
    public void Verify_refuses_a_header_with(string what, Func<Header, Header> change, string code)
    {
        var refused = Assert.Throws<RefusedException>(() => new Forge { Header = change, HeaderEss = _ => EssLabel.ToEss(Forge.Thuong) }.Verify());
        Assert.True(code == refused.Refusal.Code, $"{what}: {refused.Message}");
    }

    [Fact]
    public void Verify_refuses_parts_over_their_limits_unread()
    {
        var (parts, _) = new Forge().Make();
        Refused(Refusal.Size, parts with { Header = new byte[EnvelopeParts.MaxHeader + 1] });
        Refused(Refusal.Size, parts with { Manifest = new byte[EnvelopeParts.MaxManifest + 1] });
        Refused(Refusal.Size, parts with { Approvals = [new byte[EnvelopeParts.MaxApproval + 1]] });
    }
}
