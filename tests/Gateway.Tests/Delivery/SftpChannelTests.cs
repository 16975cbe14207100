using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Gateway;
using Exchange.Gateway.Delivery;
using Exchange.Gateway.Operations;
using Exchange.Tests.Http;

namespace Exchange.Tests.Delivery;

/// <summary>The real sftp channel behind the real worker, to a real server.</summary>
public sealed class SftpChannelTests(SftpServer server) : IClassFixture<SftpServer>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_copy_is_put_on_the_offices_server_sealed_once_more_and_ping_tells_what_is_in_the_way()
    {
        var folder = server.NewFolder();
        await using var gateway = await TestGateway.Start();
        await WithKey(gateway);
        await Reach(gateway, 2, ("H41", server.Settings(folder)));
        Assert.Contains("good   sftp: its server showed a pinned key", await Ping(gateway), StringComparison.Ordinal);

        var (_, file) = await gateway.SealFile("H41", size: 300_000);
        var accepted = await gateway.Submit(file);
        Assert.Equal(201, accepted.Status);
        Assert.Equal(1, await gateway.Deliver());
        Assert.Equal(2, Directory.GetFiles(folder).Length);
        var id = Path.GetFileNameWithoutExtension(Assert.Single(Directory.GetFiles(folder, "*.ready")));
        using var inside = new MemoryStream();
        var put = await File.ReadAllBytesAsync(Path.Combine(folder, id + ".envelope"), Cancel);
        Assert.Equal(accepted.Body, (await SealedParcelOpener.OpenAsync(new MemoryStream(put), [DevPkiFolder.Key("offices", "H41", "encrypt.p12")], inside, Cancel)).Receipt);
        Assert.Equal(file, inside.ToArray());
        var copy = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{accepted.Receipt.Envelope}")).Json.GetProperty("copies")[0];
        Assert.Equal(("delivered", "sftp"), (copy.GetProperty("state").GetString(), copy.GetProperty("channel").GetString()));

        // Another machine answers there, or the server has a new key: nothing leaves, and the administrator hears what to do.
        await Reach(gateway, 3, ("H41", new(server.Settings(folder)) { ["hostKey"] = "SHA256:" + Convert.ToBase64String(new byte[32])[..43] }));
        var text = await Ping(gateway);
        Assert.Contains($"WRONG  sftp: settings: hostKey: the server shows {server.HostKey}", text, StringComparison.Ordinal);
        Assert.Contains("by another way, whether it has a new key", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_office_sends_and_another_acknowledges_by_nothing_but_files_on_their_own_servers()
    {
        var (from, fromIn, to, toIn) = (server.NewFolder(), server.NewFolder(), server.NewFolder(), server.NewFolder());
        await using var gateway = await TestGateway.Start();
        await WithKey(gateway);
        await Reach(gateway, 2, ("G22", new(server.Settings(from)) { ["inbound"] = fromIn }), ("H41", new(server.Settings(to)) { ["inbound"] = toIn }));
        Assert.Contains("good   sftp:", await Ping(gateway), StringComparison.Ordinal);

        // G22 sends, and somebody else's words lie beside it.
        var (envelope, file) = await gateway.SealFile("H41", size: 300_000);
        Put(fromIn, "dispatch-1", "envelope", file);
        Put(fromIn, "other", "envelope", "not an envelope"u8.ToArray());
        await gateway.Host.Loops.StepAll();
        Assert.Empty(Directory.GetFiles(fromIn));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(fromIn, "quarantine"), "other.*", SearchOption.AllDirectories).Length);
        var answer = Statement.Read(await File.ReadAllBytesAsync(Assert.Single(Directory.GetFiles(from)), Cancel), StatementType.Receipt).As<Receipt>();
        Assert.Equal((ReceiptEvent.SubmissionAcceptance, envelope.Ctx), (answer.Event, answer.Ctx));

        // H41 gets it, and says so.
        await gateway.Deliver();
        Assert.Single(Directory.GetFiles(to, "*.ready"));
        Put(toIn, "handover", "receipt.p7s", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover));
        Put(toIn, "opening", "receipt.p7s", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpening));
        await gateway.Host.Loops.StepAll();
        Assert.Empty(Directory.GetFiles(toIn));
        var receipts = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{answer.Envelope}")).Json.GetProperty("copies")[0];
        Assert.Equal("delivered", receipts.GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_key_that_does_not_fit_is_named_and_the_gateway_does_not_start()
    {
        await using var gateway = await TestGateway.Start();
        string Checked(string key)
        {
            SetKey(gateway, key);
            return string.Join('\n', Configuration.Check(gateway.Data, gateway.Clock));
        }
        Assert.Equal("sftp.key: another passphrase, or not a private key", Checked(server.Stranger));
        Assert.Contains("sftp.key: must be an absolute path", Checked("relative"), StringComparison.Ordinal);
        Assert.Contains("sftp.key: ", Checked("/nowhere/key"), StringComparison.Ordinal);
    }

    async Task WithKey(TestGateway gateway)
    {
        var key = server.At("of-the-gateway");
        if (!File.Exists(key))
        {
            File.Copy(server.Ed25519, key);
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Assert.True(SftpServer.Try("ssh-keygen", "-q", "-p", "-a", "1", "-P", SftpServer.Passphrase, "-N", DevPkiFolder.Passphrase, "-f", key));
        }
        SetKey(gateway, key);
        await gateway.Restart();
    }

    static void SetKey(TestGateway gateway, string key)
    {
        var config = Path.Combine(gateway.Data, "gateway.json");
        var json = JsonNode.Parse(File.ReadAllBytes(config))!.AsObject();
        json["sftp"] = new JsonObject { ["key"] = key };
        File.WriteAllText(config, json.ToJsonString());
    }

    static Task Reach(TestGateway gateway, int version, params (string Office, Dictionary<string, string> Settings)[] channels) => gateway.Activate(DevPkiFolder.Standing(version,
        o => channels.FirstOrDefault(c => c.Office == o.Code) is { Settings: { } settings } ? o with { Channel = o.Channel with { Adapter = "sftp", Settings = new(settings, StringComparer.Ordinal) } } : o));

    // As an office does it: the marker last, with the digest of what it is for.
    void Put(string inbound, string name, string kind, byte[] bytes)
    {
        File.WriteAllBytes(Path.Combine(inbound, $"{name}.{kind}"), bytes);
        File.WriteAllText(Path.Combine(inbound, $"{name}.ready"), $"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))}  {name}.{kind}\n");
        foreach (var file in Directory.GetFiles(inbound)) server.Give(file);
    }

    // As the command does it: beside the running gateway.
    static async Task<string> Ping(TestGateway gateway)
    {
        var shared = gateway.Host.Shared;
        using var equipment = Equipment.Open(gateway.Data, Configuration.Read(gateway.Data), gateway.Clock);
        var adapters = Composition.Adapters(shared.Options, shared.Worlds, equipment, shared.Engine, gateway.Clock);
        var (_, lines) = await new PingOffice(shared.Worlds.Current, shared.Engine, adapters, gateway.Clock).Run("H41", Cancel);
        foreach (var adapter in adapters.OfType<IDisposable>()) adapter.Dispose();
        return string.Join('\n', lines);
    }
}
