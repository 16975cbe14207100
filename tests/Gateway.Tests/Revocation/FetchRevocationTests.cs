using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Revocation;
using Exchange.Gateway.Store;
using Exchange.Office.Dev;
using Exchange.Tests.Http;
using Exchange.Tests.Trust;
using Microsoft.AspNetCore.Http;

namespace Exchange.Tests.Revocation;

/// <summary>Lists and answers are fetched beside all requests; what comes is believed by its signature alone, and what does not come is told.</summary>
public sealed class FetchRevocationTests : IAsyncLifetime
{
    static readonly DevAuthority Issuing = DevAuthority.Of(X509CertificateLoader.LoadPkcs12FromFile(DevPkiFolder.At("ca", "issuing.p12"), DevPkiFolder.Passphrase, X509KeyStorageFlags.Exportable));
    static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    CaServer server = null!;

    public async ValueTask InitializeAsync() => server = await CaServer.Start();
    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    static byte[] Crl(int number, params (X509Certificate2, DateTimeOffset)[] revoked) => Issuing.Crl(number, Now.AddMinutes(-1), Now.AddDays(30), revoked);

    Task<TestGateway> Gateway(Func<RevocationOptions, RevocationOptions>? change = null)
    {
        var options = RevocationOptions.None with { Crls = [server.At("issuing.crl")] };
        return TestGateway.Start(options: o => o with { Revocation = change?.Invoke(options) ?? options });
    }

    static Refusal? At(TestGateway gateway, Certificate certificate, Purpose purpose = Purpose.OfficeSigning) => gateway.Host.Shared.Worlds.Current.Trust.Check(certificate, purpose, gateway.Clock.GetUtcNow()).Refusal;

    static int Activations(TestGateway gateway)
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return EntryTable.Walk(reader).Count(e => e.Entry.Kind == EntryKind.Activation);
    }

    static async Task Step(TestGateway gateway, TimeSpan after = default)
    {
        gateway.Clock.Advance(after);
        await gateway.Host.Loops.StepAll();
    }

    [Fact]
    public async Task A_newer_list_goes_in_by_the_journal_once_and_its_server_is_asked_conditionally()
    {
        await using var gateway = await Gateway();
        using var tls = DevPkiFolder.Tls("H41");
        server.List = Crl(2, (tls, Now.AddHours(-1)));
        var before = Activations(gateway);
        Assert.Equal(200, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/policy")).Status);
        await Step(gateway);
        Assert.Equal(before + 1, Activations(gateway));
        await Assert.ThrowsAsync<HttpRequestException>(() => TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/policy"));
        Assert.Equal("GET /issuing.crl", Assert.Single(server.Asked));

        await Step(gateway, TimeSpan.FromMinutes(59));      // not due
        Assert.Single(server.Asked);
        await Step(gateway, TimeSpan.FromMinutes(2));
        Assert.Equal($"GET /issuing.crl \"{Digest.Of(server.List)}\"", server.Asked[1]);
        await gateway.Restart();      // the word of the server is remembered
        await Step(gateway);
        Assert.Equal(server.Asked[1], server.Asked[2]);
        server.List = Crl(3);
        await Step(gateway, TimeSpan.FromMinutes(61));
        Assert.Equal((before + 2, null), (Activations(gateway), At(gateway, new Certificate(tls.RawData), Purpose.TlsClient)));
        Assert.Empty(gateway.Alarms.Raised);
    }

    [Fact]
    public async Task Nothing_but_a_newer_list_of_a_CA_of_ours_goes_in_and_each_failure_is_told_and_tried_again()
    {
        await using var gateway = await Gateway(o => o with { CrlBytes = 64 << 10, Redirects = 1 });
        using var root = DevAuthority.Root("Exchange development root CA", new(Now.AddDays(-1), Now.AddDays(9)));
        using var stranger = root.Subordinate("Exchange development issuing CA", new(Now.AddDays(-1), Now.AddDays(9)));
        var (before, good) = (Activations(gateway), Crl(2));
        (string Why, Func<HttpContext, Task> Answer)[] bad =
        [
            ("HTTP 500", c => { c.Response.StatusCode = 500; return Task.CompletedTask; }),
            ("E_DER", c => c.Response.Body.WriteAsync(good.AsMemory(0, good.Length - 1)).AsTask()),
            ("E_SIGNATURE", c => c.Response.Body.WriteAsync(stranger.Crl(9, Now, Now.AddDays(1))).AsTask()),
            ("not a revocation list", c => c.Response.Body.WriteAsync(DevPkiFolder.WithoutClearance(2, "H41")).AsTask()),
            ("too large", c => c.Response.Body.WriteAsync(new byte[(64 << 10) + 1]).AsTask()),
            ("too many redirects", c => { c.Response.Redirect("/again"); return Task.CompletedTask; }),
            ("a redirect to nowhere", c => { c.Response.Redirect("ftp://127.0.0.1/x"); return Task.CompletedTask; }),
        ];
        foreach (var (why, answer) in bad)
        {
            server.Answer = answer;
            await Step(gateway, TimeSpan.FromMinutes(6));
            Assert.Contains(gateway.Logs.Lines, l => l.Contains($"issuing.crl gave no revocation list or OCSP response ({why})", StringComparison.Ordinal));
        }
        Assert.Equal(before, Activations(gateway));
        Assert.Equal($"{server.At("issuing.crl")}: HTTP 500", Assert.Single(gateway.Alarms.Raised, a => a.Code == AlarmCode.RevocationUnfetched).Detail);

        server.Answer = async c =>
        {
            if (c.Request.Path == "/issuing.crl") c.Response.Redirect("/moved.crl");
            else await c.Response.Body.WriteAsync(good);
        };
        await Step(gateway, TimeSpan.FromMinutes(6));
        Assert.Equal(before + 1, Activations(gateway));
        Assert.Contains(gateway.Alarms.Raised, a => a.Code == AlarmCode.Over && a.Detail == nameof(AlarmCode.RevocationUnfetched));
        Assert.Equal("GET /moved.crl", server.Asked[^1]);
    }

    [Fact]
    public async Task An_answer_that_does_not_come_is_given_up_in_time()
    {
        await using var gateway = await Gateway(o => o with { Seconds = 1 });
        server.Answer = async c => { try { await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, c.RequestAborted); } catch (OperationCanceledException) { } };
        await Step(gateway);
        Assert.Contains(gateway.Logs.Lines, l => l.Contains("(no answer in time)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_fetched_serves_a_store_of_before_when_the_server_is_away()
    {
        await using var first = await Gateway();
        server.List = Crl(2);
        await Step(first);
        await using var restored = await Gateway();
        foreach (var file in Directory.GetFiles(Path.Combine(first.Data, "revocation", "crls"))) File.Copy(file, Path.Combine(restored.Data, "revocation", "crls", Path.GetFileName(file)));
        server.Answer = c => { c.Response.StatusCode = 503; return Task.CompletedTask; };
        var before = Activations(restored);
        await Step(restored);
        Assert.Equal(before + 1, Activations(restored));
        Assert.Equal(first.Host.Shared.Worlds.Current.Trust.Store.Id, restored.Host.Shared.Worlds.Current.Trust.Store.Id);
    }

    [Fact]
    public async Task What_a_responder_says_counts_at_once_and_after_a_start_without_it_and_offices_get_it()
    {
        var (revoked, good) = (DevPkiFolder.Sign("H41").Certificate, DevPkiFolder.Sign("G22").Certificate);
        var known = Directory.GetFiles(DevPkiFolder.Root, "*.p12", SearchOption.AllDirectories).Where(f => !f.Contains("/ca/", StringComparison.Ordinal) && !f.Contains("/hostile/", StringComparison.Ordinal))
            .Select(f => X509CertificateLoader.LoadPkcs12FromFile(f, DevPkiFolder.Passphrase)).Select(c => new Certificate(c.RawData)).Distinct().ToList();
        using var responder = new OpenSslResponder(Issuing, known.Select(c => (c, c.Equals(revoked) ? Now.AddHours(-1) : default(DateTimeOffset?))));
        var asked = new OcspResponder(responder.Url, new Certificate(Issuing.Certificate.RawData).Key, Nonce: true, Sha1: false);
        await using var gateway = await Gateway(_ => RevocationOptions.None with { Responders = [asked] });
        var client = gateway.As("G22");
        Assert.Equal(404, (await TestGateway.Send(client, HttpMethod.Get, $"/trust/ocsp/{good.Key}")).Status);
        // OpenSSL's responder serves one connection at a time and may cut another: it is asked again.
        for (var i = 0; i < 20 && At(gateway, revoked) is null; i++) await Step(gateway, TimeSpan.FromMinutes(i > 0 ? 6 : 0));
        Assert.True(At(gateway, revoked) == Refusal.CertificateRevoked, string.Join('\n', gateway.Logs.Lines.Where(l => l.Contains("evocation", StringComparison.Ordinal) || l.Contains("esponder", StringComparison.Ordinal))));
        var trust = gateway.Host.Shared.Worlds.Current.Trust;
        var verdict = trust.Check(good, Purpose.OfficeSigning, gateway.Clock.GetUtcNow());
        Assert.True(verdict.Good && verdict.RevocationAsOf >= Now.AddSeconds(-2), verdict.Detail);
        var answer = await TestGateway.Send(client, HttpMethod.Get, $"/trust/ocsp/{good.Key}");
        Assert.Equal((200, "application/ocsp-response"), (answer.Status, answer.Type));
        Assert.Equal("good", OcspResponse.Read(answer.Body, trust.Store).Says(good));
        Assert.Contains(gateway.Logs.Lines, l => l.Contains($"says of the certificate {revoked.Key}: revoked", StringComparison.Ordinal));

        responder.Stop();
        await gateway.Restart();
        Assert.Equal(Refusal.CertificateRevoked, At(gateway, revoked));
        Assert.Empty(gateway.Host.Shared.Worlds.Current.Directory.Find("H41")!.Signing);
        bool Told() => gateway.Alarms.Raised.Any(a => a.Code == AlarmCode.RevocationUnfetched && a.Detail.StartsWith(responder.Url.ToString(), StringComparison.Ordinal));
        for (var i = 0; i < 4 && !Told(); i++) await Step(gateway, TimeSpan.FromMinutes(61));
        Assert.True(Told());
        Assert.Equal(Refusal.CertificateRevoked, At(gateway, revoked));
    }

    [Fact]
    public async Task Responses_that_have_ended_are_removed_a_revocation_stays_and_what_is_swept_at_once_is_bounded()
    {
        await using var gateway = await Gateway(_ => RevocationOptions.None);
        var cache = new RevocationCache(Path.Combine(gateway.Data, "revocation"));
        var store = gateway.Host.Shared.Worlds.Current.Trust.Store;
        var now = gateway.Clock.GetUtcNow();
        OcspForge About(string office) => new(Issuing, DevPkiFolder.Sign(office).Certificate) { ThisUpdate = now.AddMinutes(-1), NextUpdate = now.AddHours(4) };
        Digest Keep(string name, OcspForge forge)
        {
            var key = Digest.Of(System.Text.Encoding.UTF8.GetBytes(name));
            cache.Keep(key, forge.Read(store));
            return key;
        }
        var (ended, later, revoked) = (Keep("ended", About("H41")), Keep("later", About("H41") with { NextUpdate = now.AddHours(6) }), Keep("revoked", About("H14") with { Revoked = now.AddHours(-1) }));
        var spoiled = Digest.Of("spoiled"u8);
        await File.WriteAllBytesAsync(Path.Combine(gateway.Data, "revocation", "ocsp", spoiled + ".ors"), [1, 2, 3]);
        bool[] Left() => [.. new[] { ended, later, revoked, spoiled }.Select(k => cache.ResponseOf(k) is not null)];
        await Step(gateway, TimeSpan.FromHours(3));
        Assert.Equal([true, true, true, true], Left());
        await Step(gateway, TimeSpan.FromHours(2));
        Assert.Equal([false, true, true, true], Left());
        await Step(gateway, TimeSpan.FromHours(2));
        Assert.Equal([false, false, true, true], Left());

        for (var i = 0; i < AskResponders.MostAtOnce + 10; i++) Keep($"{i}", About("H41"));
        await Step(gateway, TimeSpan.FromMinutes(2));
        Assert.InRange(Directory.GetFiles(Path.Combine(gateway.Data, "revocation", "ocsp")).Length, 10, AskResponders.MostAtOnce + 11);
        for (var i = 0; i < 3; i++) await Step(gateway, TimeSpan.FromMinutes(2));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(gateway.Data, "revocation", "ocsp")).Length);
    }

    [Fact]
    public void A_full_cache_takes_no_more_responses_but_revocations_and_those_in_place_of_others()
    {
        var folder = Directory.CreateTempSubdirectory("exchange-ocsp-");
        try
        {
            var cache = new RevocationCache(folder.FullName) { Most = 2 };
            var store = TrustStore.Load(DevPkiFolder.At("trust"));
            OcspResponse Of(DateTimeOffset? revoked = null) => new OcspForge(Issuing, DevPkiFolder.Sign("H41").Certificate) { ThisUpdate = Now, NextUpdate = Now.AddHours(4), Revoked = revoked }.Read(store);
            Digest[] keys = [.. Enumerable.Range(0, 4).Select(i => Digest.Of([(byte)i]))];
            for (var i = 0; i < 3; i++) cache.Keep(keys[i], Of());
            Assert.Equal((true, true, false), (cache.ResponseOf(keys[0]) is not null, cache.ResponseOf(keys[1]) is not null, cache.ResponseOf(keys[2]) is not null));
            cache.Keep(keys[1], Of());
            cache.Keep(keys[2], Of(Now));
            Assert.NotNull(cache.ResponseOf(keys[2]));
            // Counted anew at a start, and one less with each that is swept.
            cache = new RevocationCache(folder.FullName) { Most = 2 };
            cache.Keep(keys[3], Of());
            Assert.Null(cache.ResponseOf(keys[3]));
            cache.Sweep(store, Now.AddHours(5), 10);
            cache.Keep(keys[3], Of());
            Assert.Equal((false, true, true), (cache.ResponseOf(keys[0]) is not null, cache.ResponseOf(keys[2]) is not null, cache.ResponseOf(keys[3]) is not null));
        }
        finally { folder.Delete(recursive: true); }
    }

    [Fact]
    public void OpenSSL_reads_the_lists_that_these_tests_hand_out()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("exchange-crl-").FullName, "x.crl");
        File.WriteAllBytes(file, Crl(2));
        using var process = Process.Start(new ProcessStartInfo("openssl", $"crl -inform DER -in {file} -noout -crlnumber -CAfile {DevPkiFolder.At("trust", "intermediates", "issuing.pem")}") { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (number, told) = (process.StandardOutput.ReadToEnd(), process.StandardError.ReadToEnd());
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        Assert.Equal(("crlNumber=0x02", "verify OK"), (number.Trim(), told.Trim()));
    }
}
