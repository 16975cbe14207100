using System.Text.Json.Nodes;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>docs/operations.md, "The guard refuses", with the real programs: from the backup that nobody may serve to offices that know what to send again.</summary>
public sealed class SuccessionTests(DevelopmentPki pki)
{
    const string Next = "gateway.dev.exchange/ledger-2";
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    static async Task<Ran> GatewayAsync(int code, params string[] arguments)
    {
        var ran = await Site.RunAsync(Site.GatewayProgram, arguments);
        Assert.True(ran.Code == code, ran.ToString());
        return ran;
    }

    static async Task<Guid> SendAsync(Site site, string name)
    {
        var before = Outbox(site);
        var sent = await site.SendAsync(site.Document(name, 1), "H41");
        Assert.True(sent.Code == 0, sent.ToString());
        return Assert.Single(Outbox(site).Except(before));
    }

    static List<Guid> Outbox(Site site)
    {
        using var client = site.Client("G22");
        return [.. client.Outbox().Select(e => e.Id)];
    }

    [Fact]
    public async Task After_the_newer_data_is_lost_for_good_a_gateway_goes_on_under_a_new_name_and_offices_send_again_what_it_admits_to_have_lost()
    {
        await using var site = await Site.StartAsync(pki);
        var kept = await SendAsync(site, "kept.bin");
        await site.StopGatewayAsync();
        await NameAdministratorsAsync(site);
        await GatewayAsync(0, "backup", "--data", site.Data, "--to", site.At("backup"));
        await site.ServeAsync();
        var lost = await SendAsync(site, "lost.bin");
        await site.StopGatewayAsync();
        Directory.Delete(site.Data, recursive: true);

        // Nothing serves this backup, and whoever is refused is told the way on.
        Assert.Contains("new-origin", (await GatewayAsync(1, "restore", "--from", site.At("backup"), "--data", site.Data)).Error, StringComparison.Ordinal);
        await GatewayAsync(0, "restore", "--from", site.At("backup"), "--data", site.Data, "--behind-guard");
        Assert.Contains("new-origin", (await GatewayAsync(1, "serve", "--data", site.Data)).Error, StringComparison.Ordinal);

        // Two administrators, each with his own key.
        await GatewayAsync(0, "new-origin", "--data", site.Data, "--origin", Next, "--code", "RESTORED", "--out", site.At("order.json"));
        string[] newOrigin = ["new-origin", "--data", site.Data, "--origin", Next, "--operation", site.At("order.json.p7s"), "--checkpoint-key", site.At("checkpoint-2.key"), "--mldsa-key", site.At("checkpoint-mldsa-2.key")];
        await OperateAsync(site, "order.json", 1, "--with", Pin(2));
        await GatewayAsync(1, newOrigin);
        await OperateAsync(site, "order.json.p7s", 2);
        var done = await GatewayAsync(0, newOrigin);
        Assert.Contains("admits that what was promised", done.Out, StringComparison.Ordinal);
        await GatewayAsync(0, newOrigin);
        await GatewayAsync(0, "check", "--data", site.Data);
        await site.ServeAsync();
        await GatewayAsync(0, "export", "--data", site.Data, "--out", site.At("for-offices"));

        // Until they pin the new keys nobody moves on; then the sender hears at once what is lost.
        Assert.NotEqual(0, (await site.OfficeAsync("G22", "status")).Code);
        foreach (var office in new[] { "G22", "H41" })
            Assert.Equal(0, (await site.OfficeAsync(office, "keys", "pin", site.At("for-offices", "pins.json"), "--yes")).Code);
        var status = await site.OfficeAsync("G22", "status");
        Assert.Equal(1, status.Code);
        Assert.Contains($"send them again: {lost}", status.Error + status.Out, StringComparison.Ordinal);
        Assert.DoesNotContain($"send them again: {kept}", status.Error + status.Out, StringComparison.Ordinal);
        using (var client = site.Client("G22")) Assert.Equal([lost], Assert.Single(client.Successions()).ToSendAgain);

        // What the gateway had goes on, and so does everything new.
        await SendAsync(site, "again.bin");
        var opened = await site.OfficeAsync("H41", "open", "--all", "--out", site.At("received"));
        Assert.True(opened.Code == 0, opened.ToString());
        Assert.Equal(["again.bin", "kept.bin"], Directory.GetFiles(site.At("received"), "*.bin", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        var evidence = site.At("evidence");
        Assert.Equal(0, (await site.OfficeAsync("G22", "receipts", kept.ToString(), "--export", evidence)).Code);
        Assert.Equal(0, (await site.OfficeAsync("G22", "verify", "--dispatch", evidence, "--pins", site.At("for-offices", "pins.json"))).Code);
        await site.StopGatewayAsync();

        // The backup again: its ledger has ended.
        Directory.Move(site.Data, site.At("good"));
        Assert.Contains($"{Next} follows it", (await GatewayAsync(1, "restore", "--from", site.At("backup"), "--data", site.Data)).Error, StringComparison.Ordinal);
        await GatewayAsync(0, "restore", "--from", site.At("backup"), "--data", site.Data, "--behind-guard");
        Assert.Contains($"{Next} follows it", (await GatewayAsync(1, "serve", "--data", site.Data)).Error, StringComparison.Ordinal);
    }

    string Pin(int n) => Exchange.Crypto.Keys.FileKey.Load(pki.At("officers", $"directory-{n}.p12"), File.ReadLines(pki.At("passphrase")).First()).Certificate.Key.ToString();

    async Task NameAdministratorsAsync(Site site)
    {
        var file = Path.Combine(site.Data, "gateway.json");
        var settings = JsonNode.Parse(await File.ReadAllTextAsync(file, Cancel))!;
        settings["administrators"] = new JsonArray(Pin(1), Pin(2));
        await File.WriteAllTextAsync(file, settings.ToJsonString(), Cancel);
    }

    async Task OperateAsync(Site site, string file, int administrator, params string[] more)
    {
        var ran = await Site.RunAsync(Site.Exchange, ["officer", "operate", site.At(file), "--key", pki.At("officers", $"directory-{administrator}.p12"), "--passphrase-file", pki.At("passphrase"), "--yes", "--lang", "en", .. more]);
        Assert.True(ran.Code == 0, ran.ToString());
        Assert.Contains(Next, ran.Out + ran.Error, StringComparison.Ordinal);
    }
}
