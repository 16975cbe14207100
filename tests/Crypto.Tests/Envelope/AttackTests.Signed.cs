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

/// <summary>The same, after the parts: signatures, approvals, payload, header values.</summary>
public partial class AttackTests
{
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

    static readonly Guid Other = Guid.Parse("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");

    public static TheoryData<string, Func<Header, Header>, string> Headers => new()
    {
        { "suite", h => h with { Suite = "hybrid-1" }, "E_SUITE" },
        { "kind", h => h with { Kind = "forward" }, "E_KIND" },
        { "recall with documents", h => h with { Kind = "recall", References = [new Reference("recall", Other, Digest.Of([1]), 1)] }, "E_HEADER" },
        { "recall of nothing", h => h with { Kind = "recall", Payload = null }, "E_HEADER" },
        { "recall of two", h => h with { Kind = "recall", Payload = null, References = [new Reference("recall", Other, Digest.Of([1]), 1), new Reference("recall", Other, Digest.Of([2]), 1)] }, "E_HEADER" },
        { "recall that replies", h => h with { Kind = "recall", Payload = null, References = [new Reference("recall", Other, Digest.Of([1]), 1), new Reference("reply", Other, Digest.Of([2]), 0)] }, "E_HEADER" },
        { "recall of itself", h => h with { Kind = "recall", Payload = null, References = [new Reference("recall", h.Id, Digest.Of([1]), 1)] }, "E_HEADER" },
        { "recall without revision", h => h with { Kind = "recall", Payload = null, References = [new Reference("recall", Other, Digest.Of([1]), 0)] }, "E_HEADER" },
        { "update that recalls", h => h with { Kind = "update", References = [new Reference("recall", Other, Digest.Of([1]), 1)] }, "E_HEADER" },
        { "replacement of nothing", h => h with { Kind = "replace" }, "E_HEADER" },
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
