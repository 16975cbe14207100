using System.Text.Json.Nodes;
using Exchange.Office.Dev;

namespace Exchange.Tests;

/// <summary>docs/install.md, part 2: its own commands, with OpenSSL as the CA and a gateway of environment Production.</summary>
public sealed class JoinTests
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_guide_makes_a_gateway_and_joins_an_office_in_at_most_ten_commands()
    {
        if (!File.Exists("/usr/bin/openssl")) Assert.Skip("no openssl command on this machine");
        using var guide = new Guide();
        var gateway = await BeginAsync(guide);
        try { await JoinAsync(guide); }
        finally { await EndAsync(gateway); }
    }

    [Fact]
    [Trait("tier", "long")]
    public async Task The_guide_replaces_leaked_keys_and_a_gateways_and_rolls_others_over()
    {
        if (!File.Exists("/usr/bin/openssl")) Assert.Skip("no openssl command on this machine");
        using var guide = new Guide();
        var gateway = await BeginAsync(guide);
        try
        {
            await JoinAsync(guide);
            await MailboxAsync(guide);
            await LeakAsync(guide);

            // The gateway's own TLS key, then a restart: offices notice nothing.
            await guide.DoAsync(guide.Blocks("Replace a leaked certificate")[2]);
            Assert.Equal(0, await gateway.StopAsync(TimeProvider.System));
            gateway.Dispose();
            gateway = await ServeAsync(guide);
            await SendAsync(guide, "G22", "H41", "after a new TLS key of the gateway");

            // Roll-over: what is sent before and after is opened.
            var rolled = await guide.DoAsync(Assert.Single(guide.Blocks("Roll over a key before it ends")));
            Assert.EndsWith("H41 can be reached\n", rolled.Out, StringComparison.Ordinal);
            Assert.Contains("keys change in the usual way", rolled.Out, StringComparison.Ordinal);
            await SendAsync(guide, "G22", "H41", "after a roll-over");
            Assert.Contains("archived, 0 bad", (await guide.DoAsync(Assert.Single(guide.Blocks("Keep what was opened")))).Out, StringComparison.Ordinal);
        }
        finally { await EndAsync(gateway); }
    }

    static async Task<ServerProcess> BeginAsync(Guide guide)
    {
        foreach (var block in guide.Blocks("Once: officers, gateway, policy")) await guide.DoAsync(block);
        Assert.Contains("\"Production\"", await File.ReadAllTextAsync(guide.At("gateway", "gateway.json"), Cancel), StringComparison.Ordinal);
        return await ServeAsync(guide);
    }

    static async Task EndAsync(ServerProcess gateway)
    {
        await gateway.StopAsync(TimeProvider.System);
        gateway.Dispose();
    }

    static async Task JoinAsync(Guide guide)
    {
        var join = Assert.Single(guide.Blocks("Join an office"));
        Assert.InRange(join.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 1, 10);
        var joined = await guide.DoAsync(join);
        Assert.EndsWith("H41 can be reached\n", joined.Out, StringComparison.Ordinal);
        Assert.Contains("FIRST card", joined.Out, StringComparison.Ordinal);

        // What ping says of an office that is not there, and of one whose endpoint is not.
        var unknown = await guide.RunAsync("exchange-gateway ping h41 --data gateway");
        Assert.Equal(1, unknown.Code);
        Assert.Contains("did you mean H41?", unknown.Out, StringComparison.Ordinal);
        await guide.DoAsync("kill $(cat receive.pid); while kill -0 $(cat receive.pid) 2>/dev/null; do sleep 0.05; done");
        var away = await guide.RunAsync("exchange-gateway ping H41 --data gateway");
        Assert.Equal(1, away.Code);
        Assert.True(away.Out.Contains("WRONG  https: connection: ConnectionRefused", StringComparison.Ordinal), away.ToString());
        Assert.Contains("the office starts exchange receive", away.Out, StringComparison.Ordinal);
    }

    /// <summary>A second one, by the same commands, with a mailbox; then dispatches both ways.</summary>
    static async Task MailboxAsync(Guide guide)
    {
        var mailbox = string.Join('\n', guide.Blocks("Join an office")[0].Split('\n').Where(l => !l.Contains(" receive ", StringComparison.Ordinal))).Replace("H41", "G22", StringComparison.Ordinal);
        var joined = await guide.DoAsync(System.Text.RegularExpressions.Regex.Replace(mailbox, " --channel https --setting \\S+", ""));
        Assert.Contains("good   mailbox: nothing waits", joined.Out, StringComparison.Ordinal);
        await guide.DoAsync(guide.Blocks("Join an office")[0].Split('\n').Single(l => l.Contains(" receive ", StringComparison.Ordinal)));
        await SendAsync(guide, "G22", "H41", "the first one");
        await SendAsync(guide, "H41", "G22", "and back");
    }

    static async Task LeakAsync(Guide guide)
    {
        var blocks = guide.Blocks("Replace a leaked certificate");
        Assert.Equal(0, (await guide.RunAsync("exchange --profile H41 inbox")).Code);
        File.Copy(guide.At("H41", "profile.json"), guide.At("H41", "leaked.json"));

        // 1. Revoked and in force: whoever has the old key is stopped in the handshake.
        await guide.DoAsync(blocks[0]);
        var knock = await guide.RunAsync("exchange --profile H41/leaked.json inbox");
        Assert.NotEqual(0, knock.Code);
        Assert.Contains("E_UNREACHABLE", knock.Error, StringComparison.Ordinal);
        await Site.UntilAsync(async () => (await File.ReadAllTextAsync(guide.At("gateway.log"), Cancel)).Contains("E_CERTIFICATE_REVOKED (end)", StringComparison.Ordinal));
        var ping = await guide.RunAsync("exchange-gateway ping H41 --data gateway");
        Assert.Equal(1, ping.Code);
        Assert.Contains("WRONG  encrypt: no usable key", ping.Out, StringComparison.Ordinal);

        // 2. All keys anew; the officers vouch, which shows.
        var again = await guide.DoAsync(blocks[1]);
        Assert.EndsWith("H41 can be reached\n", again.Out, StringComparison.Ordinal);
        Assert.Contains("LOSS", again.Out, StringComparison.Ordinal);
        Assert.Contains("card: version 2, new: held back from Mật up", again.Out, StringComparison.Ordinal);
        Assert.NotEqual(0, (await guide.RunAsync("exchange --profile H41/leaked.json inbox")).Code);
        await SendAsync(guide, "G22", "H41", "to the new key");
        await SendAsync(guide, "H41", "G22", "signed by the new key");

        // 3. The old signature is worth nothing, even on a line that the new TLS key opened.
        var mixed = JsonNode.Parse(await File.ReadAllTextAsync(guide.At("H41", "profile.json"), Cancel))!;
        mixed["keys"]!["sign"] = JsonNode.Parse(await File.ReadAllTextAsync(guide.At("H41", "leaked.json"), Cancel))!["keys"]!["sign"]!.DeepClone();
        mixed["state"] = "mixed";
        await File.WriteAllTextAsync(guide.At("H41", "mixed.json"), mixed.ToJsonString(), Cancel);
        var forged = await guide.RunAsync(Send("H41/mixed.json", "G22", "forged"));
        Assert.NotEqual(0, forged.Code);
        Assert.Matches("E_CERTIFICATE_REVOKED|E_SIGNER_UNKNOWN", forged.Error);
    }

    static Task<ServerProcess> ServeAsync(Guide guide) => ServerProcess.ServeAsync(Site.GatewayProgram, guide.At("gateway"), guide.At("gateway.log"), TimeProvider.System, Cancel);

    static string Send(string profile, string to, string text) => $$"""
        echo '{{text}}' > '{{text}}.txt'
        echo '{"number":"1","notation":"VP","subject":"{{text}}"}' > sheet.json
        exchange --profile {{profile}} send '{{text}}.txt' --to {{to}} --level thuong --sheet sheet.json
        """;

    /// <summary>Sent, and read at the other end: G22 fetches, H41 is brought it.</summary>
    static async Task SendAsync(Guide guide, string from, string to, string text)
    {
        await guide.DoAsync(Send(from, to, text));
        if (to == "G22") await guide.DoAsync("exchange --profile G22 open --all --out G22/received");
        await Site.UntilAsync(() => Task.FromResult(Directory.Exists(guide.At(to, "received"))
            && Directory.GetFiles(guide.At(to, "received"), $"{text}.txt", SearchOption.AllDirectories).Any(f => !f.Contains("/.", StringComparison.Ordinal) && File.ReadAllText(f) == text + "\n")));
    }
}
