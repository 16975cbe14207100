using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Office.Join;
using Exchange.Tests.Http;

namespace Exchange.Tests.Audit;

public sealed class AuditorDoorTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    readonly TestGateway gateway = shared.Gateway;

    static Task<Answer> Get(HttpClient client, string path) => TestGateway.Send(client, HttpMethod.Get, path);

    [Fact]
    public async Task An_auditor_reaches_the_ledger_and_nothing_of_the_offices()
    {
        var auditor = gateway.AsAuditor("AUDIT-MAT");
        Assert.Equal(404, (await Get(auditor, $"/ledger/inclusion?leaf={Digest.Of("none"u8)}")).Status);
        foreach (var path in new[] { "/directory", "/policy", "/mailbox", "/dispatches", "/held", "/statuses", "/trust/crls", "/openapi.json", "/health" })
            Assert.Equal((403, "E_NOT_SIGNED_IN"), (await Get(auditor, path)) is var answer ? (answer.Status, answer.Code) : default);
        var (_, file) = await gateway.SealFile("H41");
        Assert.Equal("E_NOT_SIGNED_IN", (await TestGateway.Send(auditor, HttpMethod.Post, "/dispatches", file)).Code);
    }

    [Fact]
    public async Task An_office_does_not_reach_the_audit() => Assert.Equal((403, "E_NOT_SIGNED_IN"), (await Get(gateway.As("G22"), "/audit/entries")) is var answer ? (answer.Status, answer.Code) : default);

    [Fact]
    public async Task A_certificate_that_nobody_appointed_or_that_is_revoked_or_whose_time_is_over_does_not_get_in()
    {
        async Task Refused(X509Certificate2 tls) => await Assert.ThrowsAsync<HttpRequestException>(() => Get(gateway.As(tls), "/audit/entries"));
        using var stranger = NewKeys.Issue("AUDIT-X", KeyUse.TlsClient);
        await Refused(stranger);
        foreach (var name in new[] { "revoked", "expired" })
        {
            using var bad = X509CertificateLoader.LoadPkcs12FromFile(DevPkiFolder.At("hostile", name + ".p12"), DevPkiFolder.Passphrase);
            await gateway.Appoint(a => [.. a, a[0] with { Code = "AUDIT-X", Key = Digest.Of(bad.RawData) }]);
            await Refused(bad);
        }
        await gateway.Appoint(a => [.. a, a[0] with { Code = "AUDIT-X", Key = Digest.Of(stranger.RawData) }]);
        Assert.NotEqual("E_NOT_SIGNED_IN", (await Get(gateway.As(stranger), "/audit/entries")).Code);
        await gateway.Appoint(a => [.. a, a[0] with { Code = "AUDIT-X", Key = Digest.Of(stranger.RawData), Clearance = a[0].Clearance with { ValidTo = gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds() } }]);
        await Refused(stranger);
        // On a connection that is already open, too.
        var open = gateway.AsAuditor("AUDIT-MAT");
        Assert.NotEqual("E_NOT_SIGNED_IN", (await Get(open, "/audit/entries")).Code);
        await gateway.Appoint(a => [a[0]]);
        Assert.Equal("E_NOT_SIGNED_IN", (await Get(open, "/audit/entries")).Code);
        await gateway.Appoint(a => a);
    }

    [Fact]
    public async Task The_key_of_an_office_is_no_auditors()
    {
        foreach (var key in new[] { DevPkiFolder.Sign("H41").Certificate.Key, DevPkiFolder.Person("H41", "clerk").Certificate.Key, Digest.Of(DevPkiFolder.Tls("H41").RawData) })
            Assert.Equal(Refusal.Request, (await Assert.ThrowsAsync<RefusedException>(() => gateway.Appoint(a => [a[0], a[1] with { Key = key }]))).Refusal);
    }
}
