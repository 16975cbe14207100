using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Exchange.Crypto.Keys;

namespace Exchange.Tests;

/// <summary>Erasing by the commands alone, as two administrators and the machine's own do it.</summary>
public sealed partial class ErasureCommandTests(DevelopmentPki pki)
{
    [Fact]
    public async Task Two_administrators_erase_a_dispatch_and_the_room_is_given_back()
    {
        await using var site = await Site.StartAsync(pki);
        var (passphrase, origin) = (pki.At("passphrase"), File.ReadAllText(pki.At("gateway", "origin")).Trim());
        string Officer(int n) => pki.At("officers", $"directory-{n}.p12");
        string Key(int n) => FileKey.Load(Officer(n), File.ReadLines(passphrase).First()).Certificate.Key.ToString();
        await site.StopGatewayAsync();
        var config = Path.Combine(site.Data, "gateway.json");
        var settings = JsonNode.Parse(await File.ReadAllTextAsync(config))!;
        settings["administrators"] = new JsonArray(Key(1), Key(2));
        await File.WriteAllTextAsync(config, settings.ToJsonString());
        await site.ServeAsync();

        var sent = await site.SendAsync(site.Document("report.pdf", 1), "H41");
        Assert.True(sent.Code == 0, sent.ToString());
        var id = Identifier().Match(sent.Out).Value;
        Task<Ran> Admin(params string[] arguments) => Site.RunAsync(Site.GatewayProgram, ["admin", "erase", "--data", site.Data, .. arguments]);
        var early = await Admin("--dispatch", id);
        Assert.True(early.Code == 0 && early.Out.Contains("not yet: a copy is still under way", StringComparison.Ordinal), early.ToString());
        Assert.Equal(0, (await site.OfficeAsync("H41", "open", "--all", "--out", site.At("received"))).Code);

        // What is to be signed; the first, the second; then the gateway does it.
        var order = site.At("order.json");
        Assert.NotEqual(0, (await Admin("--dispatch", id, "--out", order)).Code);
        Assert.NotEqual(0, (await Admin("--dispatch", Guid.Empty.ToString(), "--code", "LAW_17", "--out", order)).Code);
        var written = await Admin("--dispatch", id, "--code", "LAW_17", "--out", order);
        Assert.True(written.Code == 0, written.ToString());
        async Task Operate(string file, int officer, params string[] more)
        {
            var ran = await Site.RunAsync(Site.Exchange, ["officer", "operate", file, "--key", Officer(officer), "--passphrase-file", passphrase, "--yes", "--lang", "en", .. more]);
            Assert.True(ran.Code == 0 && ran.Out.Contains($"erase 1 dispatches at {origin} for good, LAW_17", StringComparison.Ordinal) && ran.Out.Contains($"G22 {id}", StringComparison.Ordinal), ran.ToString());
        }
        await Operate(order, 1, "--gateway", origin, "--with", Key(2));
        var half = await Admin("--signed", order + ".p7s");
        Assert.True(half.Code == 1, half.ToString());
        await Operate(order + ".p7s", 2);
        var done = await Admin("--signed", order + ".p7s");
        Assert.True(done.Code == 0 && done.Out.StartsWith("1 erased, LAW_17; nothing of them is left", StringComparison.Ordinal), done.ToString());
        var list = await Admin();
        Assert.Matches($@"^\S+Z  G22 {id}  LAW_17  \S{{43}}\r?\n$", list.Out);

        // The sender still has what he was given, and is told; kill -9 changes nothing; the stopped store shrinks and keeps its promises.
        var status = await site.OfficeAsync("G22", "status", id);
        Assert.True(status.Code == 0 && status.Out.Contains("erased at the gateway", StringComparison.Ordinal), status.ToString());
        await site.KillGatewayAsync();
        await site.ServeAsync();
        await site.StopGatewayAsync();
        var compact = await Site.RunAsync(Site.GatewayProgram, ["compact", "--data", site.Data]);
        Assert.True(compact.Code == 0 && compact.Out.StartsWith("good: ", StringComparison.Ordinal), compact.ToString());
        Assert.Equal("good", (await Site.RunAsync(Site.GatewayProgram, ["check", "--data", site.Data])).Out.Trim());
        await site.ServeAsync();
        Assert.Equal(1, (await Site.RunAsync(Site.GatewayProgram, ["compact", "--data", site.Data])).Code);
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Identifier();
}
