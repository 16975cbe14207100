using System.Diagnostics;
using System.Net.Security;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Store;

namespace Exchange.Tests.Http;

public sealed class DoorTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    readonly TestGateway gateway = shared.Gateway;

    [Theory]
    [InlineData("expired", "E_CERTIFICATE_TIME")]
    [InlineData("not-yet-valid", "E_CERTIFICATE_TIME")]
    [InlineData("revoked", "E_CERTIFICATE_REVOKED")]
    [InlineData("wrong-eku", "E_CERTIFICATE_PURPOSE")]
    [InlineData("foreign-ca", "E_CERTIFICATE_UNTRUSTED")]
    [InlineData("sha1", "E_CERTIFICATE_ALGORITHM")]
    [InlineData("rsa-1024", "E_CERTIFICATE_ALGORITHM")]
    [InlineData("look-alike", "E_NOT_SIGNED_IN")]
    public async Task A_hostile_certificate_is_refused_at_the_door_and_the_reason_is_in_the_log_only(string name, string reason)
    {
        foreach (var version in new[] { "-tls1_2", "-tls1_3" })
        {
            var before = gateway.Logs.Lines.Count(l => l.Contains($"was refused: {reason}", StringComparison.Ordinal));
            var answer = await Openssl(DevPkiFolder.At("hostile", name + ".p12"), version);
            Assert.DoesNotContain("HTTP/1.1", answer, StringComparison.Ordinal);
            Assert.DoesNotContain("E_", answer, StringComparison.Ordinal);
            Assert.DoesNotContain(gateway.Host.Shared.Options.Origin, answer, StringComparison.Ordinal);
            Assert.True(gateway.Logs.Lines.Count(l => l.Contains($"was refused: {reason}", StringComparison.Ordinal)) > before, $"{name} {version}: {answer}");
        }
    }

    [Fact]
    public async Task An_office_gets_through_the_same_client_so_the_refusals_above_are_the_gateways() =>
        Assert.Contains("HTTP/1.1 200", await Openssl(DevPkiFolder.At("offices", "H41", "tls.p12"), "-tls1_3"), StringComparison.Ordinal);

    [Fact]
    public async Task Without_a_certificate_there_is_no_answer()
    {
        using var handler = new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } };
        using var client = new HttpClient(handler) { BaseAddress = gateway.Address };
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("/health", UriKind.Relative)));
        Assert.Contains(gateway.Logs.Lines, l => l.Contains("was refused: no-certificate", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Failures_become_one_entry_a_minute_for_each_reason_and_network()
    {
        await Openssl(DevPkiFolder.At("hostile", "expired.p12"), "-tls1_3");
        await Openssl(DevPkiFolder.At("hostile", "expired.p12"), "-tls1_3");
        gateway.Clock.Advance(TimeSpan.FromMinutes(2));
        await gateway.Host.Loops.StepAll();
        using var reader = gateway.Host.Shared.Engine.Reader();
        var details = EntryTable.Walk(reader).Where(e => e.Entry.Kind == EntryKind.SignInFailures).Select(e => (SignInFailuresDetail)EntryDetails.Read(e.Secret!.Detail)).ToList();
        Assert.Contains(details, d => d is { Reason: "E_CERTIFICATE_TIME", Network: "127.0.0.0/24", Count: >= 2 });
        Assert.Equal(details.Count, details.Select(d => (d.Reason, d.Network, d.Minute)).Distinct().Count());
        gateway.Clock.Advance(TimeSpan.FromMinutes(-2));
    }

    [Theory]
    [InlineData("GET", "/nothing/here", 404, "E_NOT_FOUND")]
    [InlineData("DELETE", "/dispatches", 400, "E_REQUEST")]
    [InlineData("GET", "/mailbox/not-an-id", 404, "E_NOT_FOUND")]
    [InlineData("GET", "/mailbox/01A20C65-10D5-7265-B360-7E8BE788136A", 404, "E_NOT_FOUND")]
    [InlineData("GET", "/ledger/tile/0/999", 404, "E_NOT_FOUND")]
    [InlineData("GET", "/ledger/inclusion?leaf=x", 400, "E_REQUEST")]
    [InlineData("POST", "/dispatches/dry-run", 400, "E_REQUEST")]
    public async Task What_the_interface_does_not_know_is_a_problem_with_a_code(string method, string path, int status, string code)
    {
        var answer = await TestGateway.Send(gateway.As("H41"), new HttpMethod(method), path, method == "POST" ? "{\"recipients\":3}"u8.ToArray() : null);
        Assert.Equal((status, code, "application/problem+json"), (answer.Status, answer.Code, answer.Type));
        Assert.Equal(status, answer.Json.GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task Directory_cards_policy_and_lists_come_out_as_they_were_signed()
    {
        var h41 = gateway.As("H41");
        Assert.Equal(File.ReadAllBytes(DevPkiFolder.At("statements", "directory.p7s")), (await TestGateway.Send(h41, HttpMethod.Get, "/directory")).Body);
        Assert.Equal(File.ReadAllBytes(DevPkiFolder.At("statements", "policy.p7s")), (await TestGateway.Send(h41, HttpMethod.Get, "/policy")).Body);
        foreach (var office in gateway.Host.Shared.Worlds.Current.Directory.Offices)
            Assert.Equal(File.ReadAllBytes(DevPkiFolder.At("statements", "cards", office.Code + ".p7s")), (await TestGateway.Send(h41, HttpMethod.Get, $"/directory/cards/{office.CardRef}")).Body);
        Assert.Equal(2, (await TestGateway.Send(h41, HttpMethod.Get, "/trust/crls")).Json.GetProperty("crls").GetArrayLength());
        Assert.Equal("E_NOT_FOUND", (await TestGateway.Send(h41, HttpMethod.Get, $"/directory/cards/{Digest.Of("x"u8)}")).Code);
    }

    [Fact]
    public async Task The_operator_sees_whether_the_gateway_lives_and_nothing_else()
    {
        using var client = new HttpClient { BaseAddress = gateway.Host.OperationsAddress };
        Assert.Equal("ok\n", await client.GetStringAsync(new Uri("/health/live", UriKind.Relative)));
        Assert.Equal("ok\n", await client.GetStringAsync(new Uri("/health/ready", UriKind.Relative)));
        Assert.Equal(404, (int)(await client.GetAsync(new Uri("/directory", UriKind.Relative))).StatusCode);
    }

    async Task<string> Openssl(string p12, string version)
    {
        var pem = p12 + ".pem";
        if (!File.Exists(pem)) await Run($"pkcs12 -in {p12} -passin file:{DevPkiFolder.At("passphrase")} -nodes -clcerts -out {pem}", "");
        return await Run($"s_client {version} -connect {gateway.Address.Authority} -cipher DEFAULT@SECLEVEL=0 -cert {pem} -quiet", "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    }

    static async Task<string> Run(string arguments, string input)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try { await process.StandardInput.WriteAsync(input); await process.StandardInput.FlushAsync(); }
        catch (IOException) { }      // refused before it was read
        if (input.Length == 0) process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        return await output + await error;
    }
}
