using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Exchange.Crypto.Ledger;
using Exchange.Gateway;
using Exchange.Gateway.Operations;
using Exchange.Tests.Http;
using Microsoft.Extensions.Time.Testing;

namespace Exchange.Tests.Witnesses;

/// <summary>"witness" in gateway.json, and a whole gateway with it.</summary>
public sealed class WitnessOptionsTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("exchange-witnessed-").FullName;
    readonly CosignerKey a = CosignerKey.Create("a.test/1", NoteKeyType.Ed25519Cosignature), b = CosignerKey.Create("b.test/1", NoteKeyType.MlDsa44Cosignature);

    public void Dispose()
    {
        a.Dispose();
        b.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    string File(string text, string name = "policy")
    {
        var path = Path.Combine(folder, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    static IReadOnlyList<string> Errors(JsonNode witness)
    {
        var json = JsonNode.Parse(Initialise.FromDevelopment("/d", DevPkiFolder.Root, new(System.Net.IPAddress.Loopback, 0), null, null).Options.Write())!.AsObject();
        json["witness"] = witness;
        try { Options.Read(Encoding.UTF8.GetBytes(json.ToJsonString())); }
        catch (OptionsException e) { return e.Errors; }
        return [];
    }

    [Fact]
    public void What_is_written_is_read_and_what_is_wrong_is_named()
    {
        var good = new WitnessOptions(File(""), new Dictionary<string, Uri> { ["a"] = new("https://a.test/w/"), ["b"] = new("http://127.0.0.1:8455") }, File("", "ca.pem"));
        var options = Initialise.FromDevelopment("/d", DevPkiFolder.Root, new(System.Net.IPAddress.Loopback, 0), null, null).Options with { Witness = good };
        var read = Options.Read(options.Write()).Witness!;
        Assert.Equal((good.Policy, good.Authorities), (read.Policy, read.Authorities));
        Assert.Equal(good.Urls, read.Urls);
        Assert.Null(Options.Read((options with { Witness = null }).Write()).Witness);

        Assert.StartsWith("witness.policy: missing", Assert.Single(Errors(new JsonObject())), StringComparison.Ordinal);
        Assert.StartsWith("witness:", Errors("policy")[0], StringComparison.Ordinal);
        Assert.StartsWith("witness.surprise", Assert.Single(Errors(new JsonObject { ["policy"] = "/p", ["surprise"] = 1 })), StringComparison.Ordinal);
        foreach (var url in new[] { "http://witness.test/", "ftp://a/", "https://u@a.test/", "https://a.test/?q", "https://a.test/#f", "a.test" })
            Assert.StartsWith("witness.witnesses.a:", Assert.Single(Errors(new JsonObject { ["policy"] = "/p", ["witnesses"] = new JsonObject { ["a"] = url } })), StringComparison.Ordinal);
        Assert.StartsWith("witness.authorities", Assert.Single(Errors(new JsonObject { ["policy"] = "/p", ["authorities"] = "/nowhere.pem" })), StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_that_cannot_be_used_is_named_before_the_gateway_starts()
    {
        var urls = new Dictionary<string, Uri> { ["a"] = new("https://a.test/") };
        var own = TestStore.SharedKeys.VerifierKeys;
        WitnessSet Open(string text, Dictionary<string, Uri>? given = null) => new WitnessOptions(File(text), given ?? urls, null).Open(TestStore.Origin, own);
        var witness = $"witness a {a.VerifierKey}\n";
        Assert.Equal("https://a.test/", Assert.Single(Open(witness + "quorum a\n").Peers).Url.AbsoluteUri);
        // Two keys of one address are asked once.
        Assert.Equal(2, Assert.Single(Open($"{witness}witness b {b.VerifierKey} https://a.test/\nquorum a\n").Peers).Keys.Count);
        Assert.Single(Open($"log {own[0]}\n{witness}quorum none\n").Peers);

        Assert.Throws<FormatException>(() => Open("quorum none\n"));
        Assert.Throws<FormatException>(() => Open(witness + "quorum a\n", []));
        Assert.Throws<FormatException>(() => Open(witness + "quorum a\n", new() { ["a"] = new("https://a.test/"), ["c"] = new("https://c.test/") }));
        Assert.Throws<FormatException>(() => Open($"{witness}witness b {b.VerifierKey} http://b.test/\nquorum a\n"));
        using var stranger = CheckpointKey.Create(TestStore.Origin);
        Assert.Throws<FormatException>(() => Open($"log {stranger.VerifierKey}\n{witness}quorum a\n"));
        Assert.Throws<Exchange.Crypto.RefusedException>(() => Open(witness));
        Assert.False(Open(witness + "quorum a\n").IsQuorum(TestStore.SharedKeys.Sign(new Checkpoint(TestStore.Origin, 0, MerkleTree.EmptyRoot))));
    }

    [Fact]
    public async Task A_gateway_shows_offices_the_cosignatures_and_an_administrator_what_is_pending()
    {
        VerifierKey[] logs = [.. new[] { "checkpoint.key", "checkpoint-mldsa.key" }.Select(f =>
        {
            using var key = LedgerKey.Load(DevPkiFolder.At("gateway", f), DevPkiFolder.Passphrase, System.IO.File.ReadAllText(DevPkiFolder.At("gateway", "origin")).Trim());
            return key.VerifierKey;
        })];
        using var tls = SelfSigned();
        await using var witness = await TestWitness.Start(logs, new FakeTimeProvider(TimeProvider.System.GetUtcNow()), tls);
        var policy = string.Concat(witness.Keys.Select((k, i) => $"witness w{i} {k} {witness.Address}\n")) + "group both all w0 w1\nquorum both\n";
        var options = new WitnessOptions(File(policy), new Dictionary<string, Uri>(), File(tls.ExportCertificatePem(), "ca.pem"));
        await using var gateway = await TestGateway.Start(options: o => o with { Witness = options });
        (int Code, string Text) Witnesses() => WitnessCommands.Look(gateway.Data) is var (exit, lines) ? (exit, string.Join('\n', lines)) : default;

        await witness.Stop();
        await gateway.Host.Loops.StepAll();
        var (code, text) = Witnesses();
        Assert.True(code == 2 && text.Contains("pending", StringComparison.Ordinal), text);
        gateway.Clock.Advance(TimeSpan.FromMinutes(11));
        await gateway.Host.Loops.StepAll();
        Assert.Contains(gateway.Alarms.Raised, r => r.Code == AlarmCode.WitnessPending);
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);

        await witness.Run();
        gateway.Clock.Advance(TimeSpan.FromMinutes(6));
        await gateway.Host.Loops.StepAll();
        var shown = await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/ledger/checkpoint");
        var full = WitnessPolicy.Parse(Encoding.UTF8.GetBytes(string.Concat(logs.Select(k => $"log {k}\n")) + policy));
        Assert.Equal(gateway.Host.Shared.Ledger.Newest!.Size, full.Open(shown.Body).Size);
        Assert.Equal(gateway.Host.Shared.Ledger.Newest.Size, Checkpoint.OpenBoth(shown.Body, logs, logs[0].Name).Size);
        (code, text) = Witnesses();
        Assert.True(code == 0 && text.Contains("cosigned", StringComparison.Ordinal) && !text.Contains("pending", StringComparison.Ordinal), text);
        await gateway.Host.Loops.StepAll();
        Assert.Contains(gateway.Alarms.Raised, r => r is { Code: AlarmCode.Over, Detail: nameof(AlarmCode.WitnessPending) });

        using var equipment = Equipment.Open(gateway.Data, Configuration.Read(gateway.Data), gateway.Clock);
        Export.Run(gateway.Host.Shared.Options, equipment, gateway.Host.Shared.Worlds.Current, Path.Combine(folder, "out"), officers: false);
        using var pins = JsonDocument.Parse(System.IO.File.ReadAllBytes(Path.Combine(folder, "out", "pins.json")));
        Assert.Equal(policy, pins.RootElement.GetProperty("witnessPolicy").GetString());
    }

    [Fact]
    public async Task A_witness_whose_certificate_nobody_vouches_for_is_not_asked()
    {
        using var store = new TestStore();
        using var tls = SelfSigned();
        using var other = SelfSigned();
        await using var witness = await TestWitness.Start(TestStore.SharedKeys.VerifierKeys, store.Clock, tls);
        using var client = new Gateway.Witnesses.WitnessClient([other], store.Clock);
        Assert.IsType<Gateway.Witnesses.WitnessVerdict.Failed>(await client.Ask(witness.Address, new WitnessRequest(0, [], TestStore.SharedKeys.Sign(new Checkpoint(TestStore.Origin, 0, MerkleTree.EmptyRoot))), CancellationToken.None));
    }

    static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest("CN=witness", key, HashAlgorithmName.SHA384);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
    }
}
