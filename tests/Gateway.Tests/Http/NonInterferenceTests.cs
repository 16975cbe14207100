using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;

namespace Exchange.Tests.Http;

/// <summary>
/// P9: two gateways with the same directory, policy and standing, which H14 has used in the same way. Through one of them others have besides sent, held and been refused what H14 is not
/// cleared for. On every route, also when it knows the names of those, H14 gets the same answer from both.
/// </summary>
public sealed class NonInterferenceTests : IAsyncLifetime
{
    /// <summary>What is removed before comparing, and nothing else: names and times that the gateway draws for H14's own things, and signed bytes, which differ from one signature to the next.</summary>
    static readonly string[] Removed = ["parcel", "time", "receivedAt", "updatedAt", "receipt", "since", "traceId"];
    static readonly string[] RemovedHeaders = ["Date", "Last-Modified"];

    /// <summary>The log is append-only for everybody: its size tells that something happened, not what, to whom or at which level. A fixed beat and dummies are the ledger's own affair.</summary>
    static readonly string[] Log = ["/ledger/checkpoint", "/ledger/tile/{rest}", "/ledger/inclusion", "/ledger/consistency", "/health", "/ledger/checkpoints", "/ledger/checkpoints/{size}", "/ledger/checkpoints/{size}/timestamp"];

    sealed record Probe(string Method, string Route, Func<World, string> Path, Func<World, byte[]?>? Body = null);

    /// <param name="Own">H14's copy of what it received.</param>
    sealed record World(TestGateway Gateway, HttpClient H14, Guid Own);

    World plain = null!, busy = null!;
    SealedEnvelope own = null!, received = null!, secret = null!, held = null!, refused = null!;
    byte[] below = null!, sameName = null!, answers = null!, raise = null!;
    Guid secretParcel;

    public async ValueTask InitializeAsync()
    {
        var (first, second) = (await TestGateway.Start(), await TestGateway.Start());
        // The same bytes through both.
        (own, var ownFile) = await first.SealFile("H41", from: "H14");
        (received, var receivedFile) = await first.SealFile("H14");
        (secret, var secretFile) = await first.SealFile("H41", "mat");
        (held, var heldFile) = await first.SealFile("H41", "toi-mat");
        (refused, var refusedFile) = await first.SealFile("H14", "mat");
        (_, below) = await first.SealFile("H41", "mat", from: "H14");
        (_, sameName) = await first.SealFile("H41", change: r => r with { Id = Id(secret) }, from: "H14");
        (_, answers) = await first.SealFile("H41", change: r => r with { References = [new("reply", Id(secret), secret.Ctx, 0)] }, from: "H14");
        raise = Raise(first);
        plain = await Used(first, ownFile, receivedFile);
        busy = await Used(second, ownFile, receivedFile);
        foreach (var (file, status) in new[] { (secretFile, 201), (heldFile, 202), (refusedFile, 403) }) Assert.Equal(status, (await second.Submit(file)).Status);
        secretParcel = (await TestGateway.Send(second.As("H41"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels").EnumerateArray().Last().GetProperty("parcel").GetGuid();
    }

    /// <summary>A person of H14 wants the label of G22's secret dispatch raised.</summary>
    byte[] Raise(TestGateway gateway)
    {
        var (key, now) = (DevPkiFolder.Person("H14", "signatory"), gateway.Clock.GetUtcNow());
        var change = new LabelChange
        {
            Salt = new byte[32], Sender = "G22", Id = Id(secret), Ctx = secret.Ctx, Previous = secret.Ctx, Act = LabelAct.Label, At = null, Until = null, Reason = null,
            Label = gateway.Host.Shared.Worlds.Current.Policy.NewLabel("toi-mat", "test-basis"),
        };
        return Statement.Sign(new LabelStatement { V = 1, Type = LabelStatement.TypeName, Signers = [key.Certificate.Key], Office = "H14", NotAfter = now.AddDays(1).ToUnixTimeMilliseconds(), Change = change }, [key], now).Der.ToArray();
    }

    static async Task<World> Used(TestGateway gateway, byte[] own, byte[] received)
    {
        Assert.Equal(201, (await gateway.Submit(own, "H14")).Status);
        Assert.Equal(201, (await gateway.Submit(received)).Status);
        var client = gateway.As("H14");
        return new(gateway, client, (await TestGateway.Send(client, HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels")[0].GetProperty("parcel").GetGuid());
    }

    public async ValueTask DisposeAsync()
    {
        await plain.Gateway.DisposeAsync();
        await busy.Gateway.DisposeAsync();
    }

    static Guid Id(SealedEnvelope envelope) => EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;

    IEnumerable<Probe> Probes()
    {
        foreach (var id in new[] { own, secret, held, refused }.Select(Id))
        {
            yield return new("GET", "/dispatches/{id}", _ => $"/dispatches/{id}");
            yield return new("GET", "/dispatches/{id}/header", _ => $"/dispatches/{id}/header");
            yield return new("GET", "/dispatches/{id}/receipts", _ => $"/dispatches/{id}/receipts");
            yield return new("POST", "/dispatches/{id}/approvals", _ => $"/dispatches/{id}/approvals", w => w.Gateway.Word(own, "signatory", from: "H14"));
            yield return new("GET", "/dispatches/{id}/labels", _ => $"/dispatches/{id}/labels");
            yield return new("POST", "/dispatches/{id}/labels", _ => $"/dispatches/{id}/labels", _ => raise);
            yield return new("GET", "/dispatches/{id}/statuses", _ => $"/dispatches/{id}/statuses");
            yield return new("HEAD", "/dispatches/{id}/payload", _ => $"/dispatches/{id}/payload");
            yield return new("PUT", "/dispatches/{id}/payload", _ => $"/dispatches/{id}/payload", _ => new byte[16]);
            yield return new("PATCH", "/dispatches/{id}/payload", _ => $"/dispatches/{id}/payload", _ => new byte[16]);
        }
        yield return new("GET", "/dispatches", _ => "/dispatches");
        yield return new("GET", "/dispatches", _ => $"/dispatches?after={Id(secret)}");
        yield return new("GET", "/held", _ => "/held");
        yield return new("GET", "/statuses", _ => "/statuses");
        yield return new("GET", "/mailbox", _ => "/mailbox?all=true");
        yield return new("GET", "/mailbox", _ => $"/mailbox?all=true&after={secretParcel}&limit=5");
        foreach (var parcel in new Func<World, Guid>[] { w => w.Own, _ => secretParcel })
        {
            yield return new("GET", "/mailbox/{parcel}", w => $"/mailbox/{parcel(w)}");
            yield return new("HEAD", "/mailbox/{parcel}", w => $"/mailbox/{parcel(w)}");
            yield return new("GET", "/mailbox/{parcel}/receipt", w => $"/mailbox/{parcel(w)}/receipt");
            yield return new("GET", "/mailbox/{parcel}/labels", w => $"/mailbox/{parcel(w)}/labels");
            yield return new("POST", "/mailbox/{parcel}/labels", w => $"/mailbox/{parcel(w)}/labels", _ => raise);
            yield return new("GET", "/mailbox/{parcel}/statuses", w => $"/mailbox/{parcel(w)}/statuses");
            yield return new("POST", "/mailbox/{parcel}/receipts", w => $"/mailbox/{parcel(w)}/receipts", _ => OfficeReceipts.Sign(received, ReceiptEvent.ContentHandover, "H14"));
            yield return new("POST", "/mailbox/{parcel}/statuses", w => $"/mailbox/{parcel(w)}/statuses", _ => Handling.Status.Sign(received, 1, "01", "H14"));
        }
        yield return new("GET", "/directory", _ => "/directory");
        yield return new("GET", "/directory/cards/{reference}", w => $"/directory/cards/{w.Gateway.Host.Shared.Worlds.Current.Directory.Find("H41")!.CardRef}");
        yield return new("GET", "/policy", _ => "/policy");
        yield return new("GET", "/trust/crls", _ => "/trust/crls");
        yield return new("GET", "/trust/ocsp/{key}", _ => $"/trust/ocsp/{DevPkiFolder.Sign("H41").Certificate.Key}");
        yield return new("GET", "/openapi.json", _ => "/openapi.json");
        foreach (var level in new[] { "thuong", "mat" })
            foreach (var to in new[] { "H41", "H37", "NONE" })
                yield return new("POST", "/dispatches/dry-run", _ => "/dispatches/dry-run", w => Question(w, level, to));
        // Above itself; under the name that G22 gave its secret one; an answer to that one.
        foreach (var file in new[] { below, sameName, answers }) yield return new("POST", "/dispatches", _ => "/dispatches", _ => file);
        yield return new("GET", "/dispatches", _ => "/dispatches");
        // For auditors alone.
        foreach (var path in new[] { "/audit/entries", "/audit/refused", "/audit/overdue", "/audit/counts", "/audit/details" }) yield return new("GET", path, _ => path);
        foreach (var (route, path) in new[] { (Log[0], Log[0]), (Log[1], "/ledger/tile/0/000.p/1"), (Log[2], $"/ledger/inclusion?leaf={Digest.Of("none"u8)}"), (Log[3], "/ledger/consistency?from=1&to=2"), (Log[4], Log[4]), (Log[5], Log[5]), (Log[6], "/ledger/checkpoints/1"), (Log[7], "/ledger/checkpoints/1/timestamp"), ("/ledger/succession", "/ledger/succession") })
            yield return new("GET", route, _ => path);
    }

    static byte[] Question(World world, string level, string to)
    {
        var label = world.Gateway.Host.Shared.Worlds.Current.Policy.NewLabel(level, level == "thuong" ? null : "test-basis");
        return Encoding.UTF8.GetBytes($$"""{"label":{{JsonSerializer.Serialize(label, JsonSerializerOptions.Web)}},"recipients":[{"office":"{{to}}","role":"to"}],"approvals":["signatory"]}""");
    }

    [Fact]
    public async Task No_route_tells_what_lies_above_whoever_asks()
    {
        var probes = Probes().ToList();
        Assert.Empty(Interface.Operations.Except(probes.Select(p => (p.Method, p.Route))));
        foreach (var probe in probes)
        {
            var answers = new[] { await Ask(plain, probe), await Ask(busy, probe) };
            Assert.True(answers[0] == answers[1], $"{probe.Method} {probe.Path(busy)}:\n{answers[0]}\n-- and with what is above it --\n{answers[1]}");
        }
    }

    /// <summary>The comparison is one that can fail: whose those dispatches are, G22, is told of them.</summary>
    [Fact]
    public async Task The_same_comparison_tells_the_two_apart_for_whoever_may_know()
    {
        HashSet<string> differ = [];
        foreach (var probe in Probes().Where(p => p.Method == "GET"))
            if (await Ask(plain with { H14 = plain.Gateway.As("G22") }, probe) != await Ask(busy with { H14 = busy.Gateway.As("G22") }, probe)) differ.Add(probe.Route);
        Assert.Equal(["/dispatches", "/dispatches/{id}", "/dispatches/{id}/header", "/dispatches/{id}/labels", "/dispatches/{id}/receipts", "/dispatches/{id}/statuses", "/held"], differ.Order());
    }

    /// <summary>A sender is told the same, whatever it is about the other side that denies.</summary>
    [Fact]
    public async Task A_sender_cannot_tell_one_reason_on_the_other_side_from_another()
    {
        await plain.Gateway.TakeClearanceFrom("H41");
        await busy.Gateway.Activate(DevPkiFolder.Standing(2, o => o.Code == "H41" ? o with { Channel = o.Channel with { Ceiling = null } } : o));
        var (_, file) = await plain.Gateway.SealFile("H41", "mat");
        Probe[] probes = [new("POST", "/dispatches", _ => "/dispatches", _ => file), new("POST", "/dispatches/dry-run", _ => "/dispatches/dry-run", w => Question(w, "mat", "H41"))];
        foreach (var probe in probes)
        {
            var said = new[] { await Ask(plain with { H14 = plain.Gateway.As("G22") }, probe), await Ask(busy with { H14 = busy.Gateway.As("G22") }, probe) };
            Assert.Contains("E_NOT_RELEASABLE", said[0], StringComparison.Ordinal);
            Assert.Equal(said[0], said[1]);
        }
        // Nor from an office that is not there.
        Assert.Equal(await Ask(plain with { H14 = plain.Gateway.As("G22") }, probes[1]), await Ask(plain with { H14 = plain.Gateway.As("G22") }, probes[1] with { Body = w => Question(w, "mat", "NONE") }));
    }

    /// <summary>Routes where finding or not finding takes different ways through the program.</summary>
    [Fact, Trait("tier", "long")]
    public async Task Nor_does_the_time_that_an_answer_takes()
    {
        string[] tellTales = ["/dispatches/{id}", "/dispatches/{id}/receipts", "/mailbox/{parcel}", "/mailbox/{parcel}/receipt", "/dispatches/{id}/approvals", "/dispatches/dry-run"];
        foreach (var route in tellTales)
        {
            var probe = Probes().Last(p => p.Route == route && p.Method is ("GET" or "POST"));
            var took = new[] { new List<double>(), new List<double>() };
            for (var i = 0; i < 210; i++)
                foreach (var (world, times) in new[] { plain, busy }.Zip(took))
                {
                    var began = TimeProvider.System.GetTimestamp();
                    await Ask(world, probe);
                    // The first ones compile.
                    if (i >= 10) times.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
                }
            took[0].Sort();
            took[1].Sort();
            TestContext.Current.TestOutputHelper?.WriteLine($"{route}: median {took[0][100]:0.00} and {took[1][100]:0.00} ms, middle half {took[0][50]:0.00}..{took[0][150]:0.00} and {took[1][50]:0.00}..{took[1][150]:0.00}");
            Assert.True(took[0][50] <= took[1][150] && took[1][50] <= took[0][150], $"{route}: the middle halves of 200 timings each do not overlap: {took[0][50]:0.00}..{took[0][150]:0.00} and {took[1][50]:0.00}..{took[1][150]:0.00} ms");
        }
    }

    static async Task<string> Ask(World world, Probe probe)
    {
        using var request = new HttpRequestMessage(new HttpMethod(probe.Method), probe.Path(world)) { Version = System.Net.HttpVersion.Version20 };
        if (probe.Body?.Invoke(world) is { } body)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        }
        if (probe.Method == "PATCH") request.Headers.Add("Upload-Offset", "0");
        using var response = await world.H14.SendAsync(request);
        var content = await response.Content.ReadAsByteArrayAsync();
        if (Log.Contains(probe.Route)) return $"{(int)response.StatusCode} {response.Content.Headers.ContentType}";
        var headers = response.Headers.Concat(response.Content.Headers).Where(h => !RemovedHeaders.Contains(h.Key)).OrderBy(h => h.Key, StringComparer.Ordinal).Select(h => $"{h.Key}: {string.Join(", ", h.Value)}").ToList();
        var type = response.Content.Headers.ContentType?.MediaType;
        // A signed receipt: what it says, without what is drawn for it; its length goes with its bytes.
        var signed = type == "application/cms" && Said(content) is not null;
        if (signed || (type?.EndsWith("json", StringComparison.Ordinal) ?? false)) headers.RemoveAll(h => h.StartsWith("Content-Length", StringComparison.Ordinal));
        var text = signed ? Said(content)! : (type?.EndsWith("json", StringComparison.Ordinal) ?? false) ? Without(content) : $"{content.Length} bytes {Digest.Of(content)}";
        return $"{(int)response.StatusCode}\n{string.Join("\n", headers)}\n\n{text}";
    }

    static string? Said(byte[] cms)
    {
        try { return Statement.Read(cms, StatementType.Receipt).As<Receipt>() is var r ? $"{r.Event} {r.Code} {r.Sender} {r.Envelope} {r.Ctx} {r.Office} {r.Policy}" : null; }
        catch (RefusedException) { return null; }
    }

    static string Without(byte[] json)
    {
        var node = json.Length == 0 ? null : JsonNode.Parse(json);
        Strip(node);
        return node?.ToJsonString() ?? "null";

        static void Strip(JsonNode? node)
        {
            if (node is JsonArray list) foreach (var item in list) Strip(item);
            if (node is not JsonObject members) return;
            // A receipt's own id is drawn for it; an envelope's is its sender's.
            if (members.ContainsKey("receipt")) members.Remove("id");
            foreach (var name in Removed) members.Remove(name);
            foreach (var (_, value) in members) Strip(value);
        }
    }
}
