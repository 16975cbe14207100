using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>What an auditor's program makes of a real gateway, and of one that lies. The gateway runs in this process, on a clock that the test moves.</summary>
public sealed class AuditorTests(DevelopmentPki pki) : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-auditor-");
    readonly LedgerPins pins = AuditCommands.PinsOf(pki.At("pins.json"), null);
    Served gateway = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await Served.StartAsync(pki, At("gateway"));
        await gateway.GrowAsync(300);
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        folder.Delete(recursive: true);
    }

    string At(string name) => Path.Combine(folder.FullName, name);

    HttpClient Http(string auditor, Served? of = null)
    {
        var tls = X509CertificateLoader.LoadPkcs12FromFile(pki.At("auditors", auditor, "tls.p12"), File.ReadLines(pki.At("passphrase")).First());
        return new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { LocalCertificateSelectionCallback = (_, _, _, _, _) => tls, RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        })
        { BaseAddress = (of ?? gateway).Host.Address };
    }

    AuditApi Api(string auditor, Served? of = null) => new(new GatewayApi(Http(auditor, of), TimeProvider.System));

    AuditApi Lying(string auditor, Func<string, byte[], byte[]> change) => new(new GatewayApi(new HttpClient(new Liar(Http(auditor), change)) { BaseAddress = gateway.Host.Address }, TimeProvider.System));

    sealed class Liar(HttpClient inner, Func<string, byte[], byte[]> change) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await inner.GetAsync(request.RequestUri, cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            return new(response.StatusCode) { Content = new ByteArrayContent(response.IsSuccessStatusCode ? change(request.RequestUri!.PathAndQuery, body) : body) };
        }
    }

    Task<Checkpoint> Export(string auditor, string to) => new AuditExport(Api(auditor), pins, At(to)).RunAsync(null, CancellationToken.None);

    static Dictionary<string, string> Files(string root) =>
        Directory.GetFiles(root, "*", SearchOption.AllDirectories).ToDictionary(f => Path.GetRelativePath(root, f), f => Convert.ToHexString(File.ReadAllBytes(f)));

    [Fact]
    public async Task An_export_is_good_for_who_may_see_all_and_incomplete_for_who_may_not()
    {
        var head = await Export("AUDIT-ALL", "all");
        var all = LedgerCheck.Check(new LedgerFolder(At("all")), pins);
        Assert.True(all.ExitCode == 0, string.Join("\n", all.All));
        Assert.Equal(gateway.Host.Shared.Ledger.Newest!.Size, head.Size);
        await Export("AUDIT-MAT", "mat");
        var mat = LedgerCheck.Check(new LedgerFolder(At("mat")), pins);
        Assert.True(mat.ExitCode == 2 && mat.All.Any(f => f.Code == "WITHHELD"), string.Join("\n", mat.All));
        var lines = Directory.GetFiles(At("mat/details"), "*", SearchOption.AllDirectories).SelectMany(File.ReadAllLines).ToList();
        Assert.Contains(lines, l => l.Contains("\"kind\":\"start\"", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, l => l.Contains("dummy", StringComparison.Ordinal) || l.Contains("audit-read", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_export_that_broke_off_goes_on_at_its_own_size_whatever_was_logged_since()
    {
        await Export("AUDIT-ALL", "whole");
        var whole = Files(At("whole"));
        Directory.CreateDirectory(At("broken/tile/0"));
        File.Copy(At("whole/checkpoint"), At("broken/exporting"));
        File.Copy(At("whole/tile/0/000"), At("broken/tile/0/000"));
        File.WriteAllText(At("broken/.tmp-1"), "half");
        Assert.True(AuditExport.IsFree(At("broken")));
        await gateway.GrowAsync(600);
        await Export("AUDIT-ALL", "broken");
        Assert.Equal(whole.OrderBy(f => f.Key), Files(At("broken")).OrderBy(f => f.Key));
        Assert.False(AuditExport.IsFree(At("broken")));
        Assert.True(AuditExport.IsFree(At("none")));
    }

    [Fact]
    public async Task What_is_found_is_proven_or_refused()
    {
        async Task<List<ProvenEntry>> Find(AuditApi api, params string[] filter) => await new AuditSearch(api, pins).FindAsync(filter, 1000, CancellationToken.None).ToListAsync();
        var found = await Find(Api("AUDIT-ALL"));
        Assert.Equal(Enumerable.Range(0, found.Count).Select(i => (long)i), found.Select(e => e.Index));
        Assert.True(found.Count > 300);
        Assert.Single(await Find(Api("AUDIT-MAT"), "kind=start"));
        Assert.Empty(await Find(Api("AUDIT-MAT"), "kind=dummy"));
        async Task Lies(string old, string @new, string path = "/audit/entries") => Assert.True((await Assert.ThrowsAsync<RefusedException>(() => Find(Lying("AUDIT-ALL", (asked, body) =>
            asked.StartsWith(path, StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).Replace(old, @new, StringComparison.Ordinal)) : body)))).Refusal is var refusal
            && (refusal == Refusal.Proof || refusal == Refusal.Note), old);
        await Lies($"\"leaf\":\"{found[5].Leaf}\"", $"\"leaf\":\"{found[6].Leaf}\"");
        await Lies("\"index\":7,", "\"index\":8,");
        await Lies("\"kind\":\"dummy\"", "\"kind\":\"stop\"");
        await Lies("\"proof\":[", "\"proof\":[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",");
        await Lies("\n\n— ", "\n\n— x", "/ledger/checkpoints/");
    }

    [Fact]
    public async Task A_watch_keeps_each_head_and_alarms_on_silence_a_step_back_and_a_fork()
    {
        var clock = gateway.Clock;
        AuditWatch Watching(AuditApi api) => new(api, pins, new OfficeFiles(At("watch")), clock);
        async Task<WatchVerdict> Look(AuditApi? api = null) => (await Watching(api ?? Api("AUDIT-MAT")).LookAsync(Patience, CancellationToken.None)).Verdict;

        var first = await Http("AUDIT-MAT").GetByteArrayAsync(new Uri("/ledger/checkpoint", UriKind.Relative));
        Assert.Equal([WatchVerdict.Grown, WatchVerdict.Quiet], new[] { await Look(), await Look() });
        await gateway.GrowAsync(10);
        // A new program each time: all that it knows is in the folder.
        Assert.Equal([WatchVerdict.Grown, WatchVerdict.Quiet], new[] { await Look(), await Look() });
        Assert.Equal(2, Directory.GetFiles(At("watch/checkpoints"), "*", SearchOption.AllDirectories).Length);
        Assert.Equal(WatchVerdict.Back, await Look(Lying("AUDIT-MAT", (asked, body) => asked == "/ledger/checkpoint" ? first : body)));
        clock.Advance(Patience);
        Assert.Equal(WatchVerdict.Silent, await Look());
        Assert.Equal(WatchVerdict.Silent, await Look(Lying("AUDIT-MAT", (_, _) => [])));
        await gateway.GrowAsync(1);
        Assert.Equal(WatchVerdict.Grown, await Look());

        // The same name and key over another store.
        await using var other = await Served.StartAsync(pki, At("other"));
        await other.GrowAsync(2000);
        Assert.Equal(WatchVerdict.Fork, await Look(Api("AUDIT-MAT", other)));
        Assert.Equal(2, Directory.GetFiles(At("watch/fork")).Length);
        Assert.Equal(WatchVerdict.Quiet, await Look());
    }

    [Fact]
    public async Task The_commands_say_and_exit_as_the_rest_does()
    {
        foreach (var auditor in new[] { "AUDIT-ALL", "AUDIT-MAT" })
        {
            Directory.CreateDirectory(At(auditor));
            File.WriteAllBytes(At($"{auditor}/auditor.json"), AuditorProfile.Write(gateway.Host.Address.GetLeftPart(UriPartial.Authority), pki.At("auditors", auditor, "tls.p12"), pki.At("passphrase"), pki.At("trust"), pki.At("pins.json"), "state"));
        }
        Assert.Equal(0, (await RunAsync("export", At("all"), "--auditor", At("AUDIT-ALL"))).Code);
        Assert.Equal(2, (await RunAsync("export", At("mat"), "--auditor", At("AUDIT-MAT"))).Code);
        Assert.Equal(64, (await RunAsync("export", At("all"), "--auditor", At("AUDIT-ALL"))).Code);
        var (code, output) = await RunAsync("search", "--kind", "start", "--csv", "--auditor", At("AUDIT-MAT"));
        Assert.True(code == 0 && output.Split('\n')[1].EndsWith("}\"", StringComparison.Ordinal) && output.Contains(",start,,", StringComparison.Ordinal), output);

        // What was found proves itself later, without the gateway.
        (code, output) = await RunAsync("search", "--kind", "start", "--proofs", At("proofs"), "--auditor", At("AUDIT-MAT"));
        Assert.True(code == 0, output);
        var proof = Directory.GetFiles(At("proofs"))[0];
        (code, output) = await RunAsync("proof", proof, "--pins", pki.At("pins.json"));
        Assert.True(code == 0 && output.Contains("\"kind\":\"start\"", StringComparison.Ordinal), output);
        File.WriteAllText(proof, File.ReadAllText(proof).Replace("index ", "index 1", StringComparison.Ordinal));
        Assert.Equal(1, (await RunAsync("proof", proof, "--pins", pki.At("pins.json"))).Code);

        (code, output) = await RunAsync("search", "--kind", "nothing", "--auditor", At("AUDIT-MAT"));
        Assert.True(code == 64 && output.Contains("--kind nothing: one of activation, ", StringComparison.Ordinal), output);
        Assert.Equal(64, (await RunAsync("search", "--verdict", "maybe", "--auditor", At("AUDIT-MAT"))).Code);
        Assert.Equal(1, (await RunAsync("search", "--level", "nothing", "--auditor", At("AUDIT-MAT"))).Code);
        (code, output) = await RunAsync("watch", At("AUDIT-MAT"), At("AUDIT-ALL"), "--once");
        Assert.True(code == 0 && output.Split("good").Length == 3, output);
    }

    static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        var code = await ExchangeProgram.RunAsync(["audit", .. arguments, "--lang", "en"], TimeProvider.System, output, error);
        return (code, output + error.ToString());
    }
}
