using System.Formats.Asn1;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;
using Exchange.Tests.Envelope;
using Exchange.Tests.Evidence;
using Microsoft.Extensions.Time.Testing;
using Finding = Exchange.Crypto.Evidence.Finding;
using Sut = Exchange.Crypto.Envelope.Envelope;

namespace Exchange.Tests.TimeStamps;

/// <summary>Time-stamps inside a dispatch: sealed in, verified when it is opened, counted for the author's certificates, and beside it as evidence.</summary>
public sealed class TimeStampedDispatchTests
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly FileKey Authority = Pki.Key("TSA", "TSA", "tsa", KeyUse.TimeStamp);
    static readonly byte[] Content = "nội dung"u8.ToArray();

    static ReadOnlyMemory<byte> Token(Digest imprint, DateTimeOffset? at = null, IPrivateKey? by = null) =>
        new DevTimeStamps(by ?? Authority).Token(new DevStampQuery("2.16.840.1.101.3.4.2.1", imprint.ToArray(), null, null), at ?? TestPki.Now);

    static async Task<(SealedEnvelope Sealed, byte[] Wire)> Seal(Func<IReadOnlyList<Digest>, IReadOnlyList<ReadOnlyMemory<byte>>>? stamp, IReadOnlyList<IPrivateKey>? authors = null, DateTimeOffset? at = null)
    {
        using var wire = new MemoryStream();
        var done = await Sut.SealAsync(new SealRequest
        {
            Id = Guid.CreateVersion7(TestPki.Now), Gateway = "gateway.test/ledger", Sender = "G22", Recipients = [new("H41", Pki["H41"].Encrypt.Certificate, "to")], To = ["H41"], Label = Forge.Thuong,
            Urgency = 1, Times = new Times(null, TestPki.Now.AddDays(7).ToUnixTimeMilliseconds(), null), Policy = Digest.Of("policy"u8), Directory = Pki.Directory.Ref, Seen = null,
            Sheet = new Sheet { Number = "1", Notation = "VPCP", Subject = "Về việc thử", DocumentType = "Công văn", Place = null, Date = "2026-11-24", Signatory = null },
            Documents = [new DocumentSource("a.bin", "application/octet-stream", Content.Length, null, () => new MemoryStream(Content))],
            Authors = authors ?? [Pki["G22"].Signatory, Pki["G22"].Sign], Approvers = [], Office = Pki["G22"].Sign, ManifestBucket = 4096, PayloadBucket = 1,
            TimeStamp = stamp is null ? null : imprints => Task.FromResult(stamp(imprints)),
        }, wire, new FakeTimeProvider(at ?? TestPki.Now), default);
        return (done, wire.ToArray());
    }

    static IReadOnlyList<ReadOnlyMemory<byte>> Each(IReadOnlyList<Digest> imprints) => [.. imprints.Select(i => Token(i))];

    static async Task<OpenedEnvelope> Open((SealedEnvelope Sealed, byte[] Wire) made, TimeStampNeed need = TimeStampNeed.Demanded, CertificateCheck? trust = null, DateTimeOffset? at = null, OfficeDirectory? directory = null)
    {
        var folder = Directory.CreateTempSubdirectory("exchange-stamped-");
        try
        {
            return await Sut.OpenAsync(new OpenRequest
            {
                Parts = made.Sealed.Parts, Payload = new MemoryStream(made.Wire), Context = new EnvelopeContext(directory ?? Pki.Directory, trust ?? Pki.Check, at ?? TestPki.Now), Office = "H41", Key = Pki["H41"].Encrypt,
                Folder = folder.FullName, OfficeSignsDispatch = true, TimeStamp = need,
            }, default);
        }
        finally { folder.Delete(recursive: true); }
    }

    static async Task<Refusal> Refused(Func<IReadOnlyList<Digest>, IReadOnlyList<ReadOnlyMemory<byte>>>? stamp, TimeStampNeed need = TimeStampNeed.Demanded) =>
        (await Assert.ThrowsAsync<RefusedException>(async () => await Open(await Seal(stamp), need))).Refusal;

    [Fact]
    public async Task Every_signature_of_the_dispatch_bears_its_token_and_the_header_names_the_signatures_as_they_stand()
    {
        // Whatever the order of the SET becomes with the tokens in it: twenty times, since it is by chance.
        for (var round = 0; round < 20; round++)
        {
            var made = await Seal(Each);
            var opened = await Open(made);
            Assert.Equal(2, opened.TimeStamps.Count);
            var header = Statement.Read(made.Sealed.Parts.Header, StatementType.Header).As<Header>();
            Assert.Equal(header.Dispatch.Signatures.Order(), opened.TimeStamps.Select(t => t.Imprint).Order());
            var carried = Statement.Read(opened.DispatchDer, StatementType.Dispatch).TimeStamps.ToDictionary(t => t.Signature, t => Convert.ToHexString(t.Token!.Value.Span));
            Assert.Equal(header.Dispatch.Signatures.Select(s => carried[s]), made.Sealed.TimeStamps!.Select(t => Convert.ToHexString(t.Span)));
        }
    }

    [Fact]
    public async Task OpenSSL_verifies_the_dispatch_as_it_did_without_a_time_stamp()
    {
        using var openssl = new OpenSsl();
        var opened = await Open(await Seal(Each));
        openssl.Write("dispatch.p7s", opened.DispatchDer.Span);
        openssl.Write("ca.pem", Pki.Root.Certificate.ExportCertificatePem() + "\n" + Pki.Issuing.Certificate.ExportCertificatePem());
        Assert.Contains("\"type\":\"dispatch\"", openssl.Run($"cms -verify -inform DER -in dispatch.p7s -CAfile ca.pem -purpose any -attime {TestPki.Now.ToUnixTimeSeconds()}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task None_is_opened_only_where_the_level_lets_that_be()
    {
        Assert.Equal(Refusal.TimeStampMissing, await Refused(null));
        Assert.Equal(Refusal.TimeStampMissing, await Refused(_ => []));
        foreach (var need in new[] { TimeStampNeed.Due, TimeStampNeed.None }) Assert.Empty((await Open(await Seal(_ => []), need)).TimeStamps);
    }

    // Whatever is there must hold, also where nobody asked for it.
    [Theory, InlineData(TimeStampNeed.None), InlineData(TimeStampNeed.Due), InlineData(TimeStampNeed.Demanded)]
    public async Task A_token_that_does_not_hold_is_refused_at_every_level(TimeStampNeed need)
    {
        Assert.Equal(Refusal.TimeStamp, await Refused(i => [Token(i[1]), Token(i[0])], need));
        Assert.Equal(Refusal.TimeStamp, await Refused(i => [Token(i[0]), Token(i[1], TestPki.Now.AddHours(1))], need));
        Assert.Equal(Refusal.CertificatePurpose, await Refused(i => [Token(i[0]), Token(i[1], by: Pki["H14"].Sign)], need));
    }

    [Fact]
    public async Task Some_signatures_with_a_token_are_none_and_other_statements_carry_no_token()
    {
        var dispatch = Statement.Read((await Open(await Seal(Each))).DispatchDer, StatementType.Dispatch);
        var data = SignedData.Decode(dispatch.Der, 4);
        var half = Statement.Read((data with { Signers = [data.Signers[0] with { TimeStamp = null }, data.Signers[1]] }).Encode(), StatementType.Dispatch);
        Assert.Equal("not on every signature", Assert.Throws<RefusedException>(() => TimeStampCheck.OfDispatch(half, Pki.Check)).Detail);
        var header = SignedData.Decode((await Seal(null)).Sealed.Parts.Header, 1);
        var stamped = (header with { Signers = [header.Signers[0] with { TimeStamp = Token(Digest.Of("x"u8)) }] }).Encode();
        Assert.Equal(Refusal.StatementAttributes, Assert.Throws<RefusedException>(() => Statement.Read(stamped, StatementType.Header)).Refusal);
    }

    [Fact]
    public async Task A_token_larger_than_any_is_not_carried()
    {
        var data = SignedData.Decode((await Open(await Seal(Each))).DispatchDer, 4);
        var large = new AsnWriter(AsnEncodingRules.DER);
        large.WriteOctetString(new byte[TimeStampCheck.MaxLength]);
        var der = (data with { Signers = [data.Signers[0] with { TimeStamp = large.Encode() }, data.Signers[1]] }).Encode();
        Assert.Equal(Refusal.Size, Assert.Throws<RefusedException>(() => Statement.Read(der, StatementType.Dispatch)).Refusal);
    }

    // The person's certificate was revoked after the time-stamp and before the gateway took it in.
    [Fact]
    public async Task What_was_signed_before_a_certificate_ended_counts_by_its_time_stamp_and_not_without_one()
    {
        var (revoked, accepted) = (TestPki.Now.AddMinutes(20), TestPki.Now.AddMinutes(40));
        using var signatory = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(Pki["G22"].Signatory.Certificate.Der.Span);
        var trust = new CertificateCheck(Pki.Trust.WithCrls([Pki.Issuing.Crl(2, TestPki.Start, TestPki.NextUpdate, (signatory, revoked))]));
        Assert.NotEmpty((await Open(await Seal(Each), trust: trust, at: accepted)).TimeStamps);
        var refused = await Assert.ThrowsAsync<RefusedException>(async () => await Open(await Seal(null), TimeStampNeed.Due, trust, accepted));
        Assert.Equal(Refusal.CertificateRevoked, refused.Refusal);
        refused = await Assert.ThrowsAsync<RefusedException>(async () => await Open(await Seal(i => [.. i.Select(d => Token(d, revoked.AddMinutes(1)))]), trust: trust, at: accepted));
        Assert.Equal(Refusal.CertificateRevoked, refused.Refusal);
    }

    [Fact]
    public void As_evidence_tokens_prove_themselves_by_the_header_alone_and_until_they_are_there_it_is_pending()
    {
        var @case = EvidenceCase.Shared;
        var signatures = @case.Header.Dispatch.Signatures;
        List<Finding> Of(IReadOnlyList<EvidencePart> tokens, string? away) =>
            [.. DispatchEvidence.Check(@case.With(tokens, away)).All.Where(f => f.Check == "time-stamp of the author's signature")];
        EvidencePart Part(int i, Digest about, DateTimeOffset? at = null) => new($"timestamps/{i:00}.tst", Token(about, at));
        EvidencePart[] both = [Part(1, signatures[0]), Part(2, signatures[1])];

        Assert.Empty(Of([], null));
        Assert.All(Of(both, null), f => Assert.Equal((FindingKind.Good, "OK"), (f.Kind, f.Code)));
        Assert.Equal([(FindingKind.Incomplete, "PENDING")], Of([], "pending").Select(f => (f.Kind, f.Code)));
        Assert.Equal([(FindingKind.Incomplete, "MISSING")], Of([], "refuse").Select(f => (f.Kind, f.Code)));
        foreach (var away in new[] { "pending", "refuse" }) Assert.Equal([FindingKind.Good, FindingKind.Good], Of(both, away).Select(f => f.Kind));
        // One of two, twice: the other is missing still.
        Assert.Equal([FindingKind.Good, FindingKind.Good, FindingKind.Incomplete], Of([both[0], both[0]], "pending").Select(f => f.Kind));
        Assert.Contains("2026-11-24T08:00:00Z", Of(both, "refuse")[0].Detail, StringComparison.Ordinal);
        // Fetched two days later it is as good, where the level lets it wait; where it does not, it cannot have been sealed in.
        var late = Part(1, signatures[0], TestPki.Now.AddDays(2));
        Assert.Equal(FindingKind.Good, Of([late, both[1]], "pending")[0].Kind);
        Assert.Equal((FindingKind.Bad, "E_TIMESTAMP", "later than the submission"), Of([late, both[1]], "refuse")[0] is var f ? (f.Kind, f.Code, f.Detail) : default);
        Assert.Equal((FindingKind.Bad, "E_TIMESTAMP", "imprint"), Of([Part(1, Digest.Of("another"u8)), both[1]], "pending")[0] is var g ? (g.Kind, g.Code, g.Detail) : default);
    }
}
