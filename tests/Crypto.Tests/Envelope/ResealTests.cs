using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Microsoft.Extensions.Time.Testing;
using Sut = Exchange.Crypto.Envelope.Envelope;

namespace Exchange.Tests.Envelope;

/// <summary>The same content for further offices, from what the sender kept: without the author, without the documents.</summary>
public sealed class ResealTests
{
    static readonly TestPki Pki = TestPki.Shared;
    readonly FakeTimeProvider clock = new(TestPki.Now);
    readonly byte[] document = RandomNumberGenerator.GetBytes(9000);

    async Task<(SealedEnvelope Sealed, byte[] Wire)> Seal(Func<SealRequest, SealRequest>? change = null)
    {
        var request = new SealRequest
        {
            Id = Guid.CreateVersion7(TestPki.Now), Gateway = "gateway.test/ledger", Sender = "G22", Recipients = [new("H41", Pki["H41"].Encrypt.Certificate, "to")], To = ["H41", "H37"],
            Label = Forge.Thuong, Urgency = 1, Times = new Times(null, TestPki.Now.AddDays(7).ToUnixTimeMilliseconds(), null), Policy = Digest.Of("policy"u8), Directory = Pki.Directory.Ref, Seen = null,
            Sheet = new Sheet { Number = "1", Notation = "VPCP", Subject = "Về việc thử", DocumentType = "Công văn", Place = null, Date = "2026-11-24", Signatory = null },
            Documents = [new DocumentSource("a.bin", "application/octet-stream", document.Length, null, () => new MemoryStream(document))],
            References = [new Reference("reply", Guid.CreateVersion7(TestPki.Now), Digest.Of("asked"u8), 0)], Keeper = Pki["G22"].Encrypt.Certificate,
            Authors = [Pki["G22"].Signatory], Approvers = [Pki["G22"].Signatory], Office = Pki["G22"].Sign, ManifestBucket = 4096, PayloadBucket = 4096,
        };
        using var wire = new MemoryStream();
        return (await Sut.SealAsync(change?.Invoke(request) ?? request, wire, clock, default), wire.ToArray());
    }

    SealedEnvelope Reseal(SealedEnvelope original, Func<ResealRequest, ResealRequest>? change = null)
    {
        var request = new ResealRequest
        {
            Original = original.Parts, Kept = original.Kept, Keepers = [Pki["H14"].Encrypt, Pki["G22"].Encrypt], Id = Guid.CreateVersion7(clock.GetUtcNow()), Revision = 1,
            Recipients = [new("H37", Pki["H37"].Encrypt.Certificate, "to")], Urgency = 2, Times = new Times(null, clock.GetUtcNow().AddDays(5).ToUnixTimeMilliseconds(), null),
            Policy = Digest.Of("newer"u8), Directory = Pki.Directory.Ref, Seen = null, Office = Pki["G22"].Sign, ManifestBucket = 8192,
        };
        return Sut.Reseal(change?.Invoke(request) ?? request, clock);
    }

    static Header HeaderOf(SealedEnvelope envelope) => EnvelopeFile.PeekUnverified(envelope.Parts.Header);

    static byte[] Cek(ReadOnlyMemory<byte> manifest, string office)
    {
        var (key, sealedFor) = (Pki[office].Encrypt, AuthEnveloped.Decode(manifest, 10));
        var rid = KeyWraps.Rid(key.Certificate);
        var (info, mine) = sealedFor.Recipients.SelectMany(i => i.Keys.Select(k => (i, k))).Single(p => p.k.Rid.Span.SequenceEqual(rid));
        return KeyWraps.For(key.Certificate).Unwrap(key, info, mine)!;
    }

    [Fact]
    public async Task An_office_that_is_added_opens_the_same_documents_from_the_same_ciphertext_under_another_key()
    {
        var (original, wire) = await Seal();
        var update = Reseal(original);
        var (before, header) = (HeaderOf(original), HeaderOf(update));
        Assert.Equal(document, Assert.Single((await Forge.Open(update.Parts, wire, "H37")).Files).Bytes);
        Assert.Equal(("update", before.Commitment, before.Payload, original.DispatchRef), (header.Kind, header.Commitment, header.Payload, header.Dispatch.Ref));
        Assert.Equal([before.References[0], new Reference("update", before.Id, original.Ctx, 1)], header.References);
        Assert.True(header.CarriesSame(before));
        Assert.Equal(original.Opened, update.Opened);
        Assert.Equal((update.Ctx, update.ManifestDigest), Sut.Verify(update.Parts, Forge.Context) is var seen ? (seen.Ctx, seen.ManifestDigest) : default);
        // Same secret, and nothing else twice: neither id nor CTX, nor the key and nonce of the manifest.
        Assert.NotEqual(original.Ctx, update.Ctx);
        Assert.NotEqual(Cek(original.Parts.Manifest, "H41"), Cek(update.Parts.Manifest, "H37"));
        Assert.NotEqual(Cek(original.Parts.Manifest, "H41"), Cek(original.Kept!, "G22"));
        // Its own office is no recipient of either: what it kept does not travel.
        Assert.Equal("H41", Assert.Single(before.Recipients).Office);
        Assert.Equal("H37", Assert.Single(header.Recipients).Office);
        Assert.Equal(Refusal.NotForThisKey, (await Assert.ThrowsAsync<RefusedException>(() => Forge.Open(update.Parts, wire, "H41"))).Refusal);
    }

    public static readonly TheoryData<string, string> Refused = new()
    {
        { "an office that the author did not name", "E_ADDRESSEES" },
        { "a byte of what was kept", "E_CANNOT_OPEN" },
        { "the header of another envelope", "E_MANIFEST" },
        { "another header over the same kept frame", "E_MANIFEST" },
        { "without the key", "E_NOT_FOR_THIS_KEY" },
        { "nothing kept", "E_DER" },
        { "a revision of nothing", "E_HEADER" },
    };

    [Theory, MemberData(nameof(Refused))]
    public async Task What_does_not_fit_gives_no_envelope(string what, string code)
    {
        var ((original, _), (other, _)) = (await Seal(), await Seal());
        var damaged = original.Kept!.ToArray();
        damaged[^20] ^= 1;
        var error = Assert.Throws<RefusedException>(() => Reseal(original, r => what switch
        {
            "an office that the author did not name" => r with { Recipients = [new("H14", Pki["H14"].Encrypt.Certificate, "to")] },
            "a byte of what was kept" => r with { Kept = damaged },
            "the header of another envelope" => r with { Original = other.Parts },
            "another header over the same kept frame" => r with { Original = Reseal(original).Parts },
            "without the key" => r with { Keepers = [Pki["H14"].Encrypt] },
            "nothing kept" => r with { Kept = default },
            _ => r with { Revision = 0 },
        }));
        Assert.Equal(code, error.Refusal.Code);
        if (code == "E_ADDRESSEES") Assert.Equal("H14", error.Detail);
    }

    [Fact]
    public async Task A_header_carries_the_same_only_if_nothing_of_the_content_differs()
    {
        var header = HeaderOf((await Seal()).Sealed);
        var other = Digest.Of("other"u8);
        Assert.True((header with { Id = Guid.CreateVersion7(), Urgency = 4, Policy = other, Recipients = [], Approvals = [] }).CarriesSame(header));
        foreach (var changed in new[]
        {
            header with { Sender = "H14" }, header with { Commitment = other }, header with { Payload = header.Payload! with { Root = other } }, header with { Payload = header.Payload! with { Length = 1 } }, header with { References = [] },
            header with { Dispatch = header.Dispatch with { Ref = other } }, header with { Dispatch = header.Dispatch with { Signatures = [other] } }, header with { Label = header.Label with { Class = 20 } },
        }) Assert.False(changed.CarriesSame(header));
    }

    [Fact]
    public async Task Approvals_go_along_until_they_lapse_and_whoever_approves_anew_says_it_once()
    {
        var (original, _) = await Seal(r => r with { Approvers = [Pki["G22"].Signatory, Pki["G22"].Clerk] });
        Assert.Equal(original.Parts.Approvals.Select(a => a.ToArray()), Reseal(original).Parts.Approvals.Select(a => a.ToArray()));
        var mixed = Reseal(original, r => r with { Approvers = [Pki["G22"].Signatory] });
        Assert.Equal(original.Parts.Approvals[1].ToArray(), mixed.Parts.Approvals[0].ToArray());
        Assert.Equal(2, Sut.Verify(mixed.Parts, Forge.Context).Approvals.Select(a => a.Person.Key).Distinct().Count());
        // They named every office of the dispatch, so they cover the one that is added; past their time they do not.
        clock.Advance(TimeSpan.FromDays(8));
        Assert.Empty(Reseal(original).Parts.Approvals);
        var fresh = Reseal(original, r => r with { Approvers = [Pki["G22"].Signatory] });
        Assert.Equal(["H41", "H37"], Statement.Read(Assert.Single(fresh.Parts.Approvals), StatementType.Approval).As<Approval>().To);
    }

    [Fact]
    public async Task OpenSSL_opens_what_was_kept_as_it_opens_a_manifest()
    {
        using var openssl = new OpenSsl();
        var (original, _) = await Seal();
        openssl.Write("kept.p7m", original.Kept);
        openssl.Write("g22.pem", Pki["G22"].Encrypt.ForTls.ExportCertificatePem());
        openssl.Write("g22.key", Pki["G22"].Encrypt.ForTls.GetECDiffieHellmanPrivateKey()!.ExportPkcs8PrivateKeyPem());
        openssl.Run("cms -decrypt -inform DER -in kept.p7m -recip g22.pem -inkey g22.key -out frame");
        Assert.Equal(original.Ctx, new Digest(openssl.Read("frame").AsSpan(0, 32)));
    }
}
