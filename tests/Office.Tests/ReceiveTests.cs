using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Exchange.Adapters;
using Exchange.Adapters.Https;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>The office's endpoint on real Kestrel, with the gateway's real adapter on the other side.</summary>
public sealed class ReceiveTests(DevPkiFixture pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;
    static readonly string[] BothReceipts = [ReceiptEvent.ContentHandover, ReceiptEvent.ContentOpening];

    /// <summary>H41 receiving, on the folder of a bench.</summary>
    sealed class Receiver(Bench bench, ReceiveServer server, Uri address, ReceivedOpener opener, OfficeClient client) : IAsyncDisposable
    {
        public StringWriter Said { get; private init; } = new();
        public OfficeClient Client => client;
        public IEnumerable<(string Method, string Path)> Routes => server.Routes;
        public Uri Address => address;

        public static async Task<Receiver> StartAsync(Bench bench, Action<string>? step = null)
        {
            var said = new StringWriter();
            var say = new Output(said, said, vietnamese: false, json: false, bench.Clock);
            var context = bench.Start("H41", step);
            await context.RefreshAsync(Cancel);
            var client = new OfficeClient(bench.Start("H41"));
            var opener = new ReceivedOpener(client, bench.At("received"), say, bench.Clock);
            var server = new ReceiveServer(context, say, opener.Wake);
            return new Receiver(bench, server, await server.StartAsync(new IPEndPoint(IPAddress.Loopback, 0)), opener, client) { Said = said };
        }

        public Task OpenAsync() => opener.StepAsync(bench.Clock.GetUtcNow(), Cancel);
        public Parcel Parcel(Guid id, byte[] file, byte[] acceptance) => new(id, "H41", file.Length, acceptance, new Dictionary<string, string> { ["url"] = address.AbsoluteUri });

        public async ValueTask DisposeAsync()
        {
            await server.DisposeAsync();
            client.Dispose();
            opener.Dispose();
        }
    }

    HttpsAdapter Adapter(string keyFile = "gateway/tls.p12")
    {
        var certificate = X509CertificateLoader.LoadPkcs12FromFile(pki.At(keyFile), File.ReadLines(pki.At("passphrase")).First());
        X509Certificate2Collection chain = X509CertificateLoader.LoadPkcs12CollectionFromFile(pki.At("gateway/tls.p12"), File.ReadLines(pki.At("passphrase")).First());
        using var office = pki.Certificate("offices/H41/tls.p12");
        var key = office.Thumbprint;
        return new HttpsAdapter(new HttpsOptions { Client = SslStreamCertificateContext.Create(certificate, chain, offline: true), IsServerOf = (_, server) => server.Thumbprint == key, AnswerSeconds = 20 }, TimeProvider.System);
    }

    static Func<CancellationToken, Task<Stream>> Open(byte[] bytes) => _ => Task.FromResult<Stream>(new MemoryStream(bytes, writable: false));

    [Fact]
    public async Task What_the_gateway_brings_is_held_opened_and_acknowledged_with_one_and_the_same_handover()
    {
        using var bench = new Bench(pki.Folder);
        var entry = (await bench.SendAsync()).Entry;
        var (file, acceptance, _) = bench.Gateway.Accepted[entry.Id];
        await using var h41 = await Receiver.StartAsync(bench);
        using var adapter = Adapter();
        var parcel = h41.Parcel(entry.Id, file, acceptance);
        Assert.Null(await adapter.AskAsync(parcel, Cancel));

        var first = Assert.IsType<DeliveryOutcome.Delivered>(await adapter.DeliverAsync(parcel, Open(file), Cancel)).Receipt!.Value.ToArray();
        Assert.Equal(entry.Id, Assert.Single(h41.Client.Held()).Parcel);
        // The sender can believe it, and nothing was opened for it.
        using (var g22 = bench.Start("G22"))
            Assert.Equal(ReceiptEvent.ContentHandover, ReceiptCheck.Office(first, OfficeContext.Subject(entry, Statement.Read(entry.Parts().Header, StatementType.Header).As<Header>()), g22.View.Directory, g22.View.Trust, entry.Opened()).Event);
        Assert.False(Directory.Exists(bench.At("received")));

        await h41.OpenAsync();
        Assert.Equal(File.ReadAllBytes(bench.At("document.bin")), File.ReadAllBytes(Assert.Single(Directory.GetFiles(bench.At("received"), "*", SearchOption.AllDirectories))));
        Assert.Equal(first, bench.Gateway.Acknowledged[0]);
        Assert.Equal(BothReceipts, bench.Gateway.Acknowledged.Select(a => Statement.Read(a, StatementType.Receipt).As<Receipt>().Event));
        Assert.Empty(h41.Client.Held());
        Assert.Contains($"received  {entry.Id}  G22", h41.Said.ToString(), StringComparison.Ordinal);

        // For ever after the same answer, also when nothing but our word is left here, and the payload is not even read.
        Assert.Equal(first, Assert.IsType<DeliveryOutcome.Delivered>(await adapter.DeliverAsync(parcel, Open(file), Cancel)).Receipt!.Value.ToArray());
        Assert.Equal(first, Assert.IsType<DeliveryOutcome.Delivered>(await adapter.AskAsync(parcel, Cancel)).Receipt!.Value.ToArray());
        await h41.OpenAsync();
        Assert.Single(Directory.GetDirectories(bench.At("received")));
    }

    [Fact]
    public async Task Its_routes_are_those_of_the_document_and_everything_else_is_not_there()
    {
        using var bench = new Bench(pki.Folder);
        await using var h41 = await Receiver.StartAsync(bench);
        using var resource = typeof(ReceiveTests).Assembly.GetManifestResourceStream("openapi-receive.json")!;
        using var document = await JsonDocument.ParseAsync(resource, cancellationToken: Cancel);
        var documented = document.RootElement.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Where(o => o.Name != "parameters").Select(o => (o.Name.ToUpperInvariant(), p.Name)));
        Assert.Equal(documented.Order(), h41.Routes.Order());

        var certificate = X509CertificateLoader.LoadPkcs12FromFile(pki.At("gateway/tls.p12"), File.ReadLines(pki.At("passphrase")).First());
        using var gateway = new HttpClient(new SocketsHttpHandler { SslOptions = new() { LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate, RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null } }) { BaseAddress = h41.Address };
        var id = Guid.CreateVersion7();
        foreach (var (method, path, status) in new[] { ("GET", $"/parcels/{id}/receipt", 404), ("POST", $"/parcels/{id}", 404), ("GET", $"/parcels/{id}", 404), ("PUT", "/parcels/x", 404), ("PUT", $"/parcels/{id}", 400), ("GET", "/", 404) })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            using var response = await gateway.SendAsync(request, Cancel);
            Assert.Equal((status, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
            var problem = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(Cancel)).RootElement;
            Assert.Equal(document.RootElement.GetProperty("components").GetProperty("schemas").GetProperty("Problem").GetProperty("required").EnumerateArray().Select(m => m.GetString()), problem.EnumerateObject().Select(m => m.Name));
        }
    }

    [Fact]
    public async Task Another_envelope_or_length_under_a_known_name_is_a_conflict_and_a_replayed_one_too()
    {
        using var bench = new Bench(pki.Folder);
        var (one, two) = ((await bench.SendAsync()).Entry, (await bench.SendAsync()).Entry);
        await using var h41 = await Receiver.StartAsync(bench);
        using var adapter = Adapter();
        var (file, acceptance, _) = bench.Gateway.Accepted[one.Id];
        var (other, otherAcceptance, _) = bench.Gateway.Accepted[two.Id];
        Assert.IsType<DeliveryOutcome.Delivered>(await adapter.DeliverAsync(h41.Parcel(one.Id, file, acceptance), Open(file), Cancel));
        Assert.Equal("E_SAME_ID", Assert.IsType<DeliveryOutcome.Refused>(await adapter.DeliverAsync(h41.Parcel(one.Id, other, otherAcceptance), Open(other), Cancel)).Code);
        byte[] longer = [.. file, 0];
        Assert.Equal("E_SAME_ID", Assert.IsType<DeliveryOutcome.Refused>(await adapter.DeliverAsync(h41.Parcel(one.Id, longer, acceptance), Open(longer), Cancel)).Code);
        // Also when the first of them was killed before it had signed for it.
        using (var dying = bench.Start("H41", step => { if (step.EndsWith(".json", StringComparison.Ordinal)) throw new KilledException(); }))
        using (var hold = new HoldParcel(dying))
            await Assert.ThrowsAsync<KilledException>(() => hold.RunAsync(two.Id, other.Length, otherAcceptance, new MemoryStream(other), null, Cancel));
        Assert.Equal("E_SAME_ID", Assert.IsType<DeliveryOutcome.Refused>(await adapter.DeliverAsync(h41.Parcel(two.Id, file, acceptance), Open(file), Cancel)).Code);
        File.Delete(bench.At("H41", "state", "fetch", two.Id + ".envelope"));
        // The sender's name is taken by another envelope.
        using (var context = bench.Start("H41"))
            context.Received.Save(context.Received.Find("G22", one.Id)! with { Id = two.Id });
        Assert.Equal("E_REPLAY", Assert.IsType<DeliveryOutcome.Refused>(await adapter.DeliverAsync(h41.Parcel(two.Id, other, otherAcceptance), Open(other), Cancel)).Code);
        Assert.Equal(one.Id, Assert.Single(h41.Client.Held()).Parcel);
    }

    [Fact]
    public async Task What_does_not_hold_or_is_not_for_this_office_is_refused_and_leaves_nothing()
    {
        using var bench = new Bench(pki.Folder);
        var entry = (await bench.SendAsync()).Entry;
        Guid elsewhere;
        using (var g22 = new OfficeClient(bench.Start("G22"))) elsewhere = (await g22.SendAsync(bench.Request("H14"), null, Cancel)).Entry.Id;
        await using var h41 = await Receiver.StartAsync(bench);
        using var adapter = Adapter();
        var (file, acceptance, _) = bench.Gateway.Accepted[entry.Id];
        var (foreign, foreignAcceptance, _) = bench.Gateway.Accepted[elsewhere];
        async Task<string> RefusalAsync(byte[] bytes, byte[] receipt) =>
            Assert.IsType<DeliveryOutcome.Refused>(await adapter.DeliverAsync(h41.Parcel(entry.Id, bytes, receipt), Open(bytes), Cancel)).Code;
        byte[] flipped = [.. file], cut = file[..^1], noise = System.Security.Cryptography.RandomNumberGenerator.GetBytes(5000);
        flipped[^100] ^= 1;
        Assert.Equal("E_PAYLOAD_ROOT", await RefusalAsync(flipped, acceptance));
        Assert.Equal("E_PAYLOAD_LENGTH", await RefusalAsync(cut, acceptance));
        Assert.Equal("E_DER", await RefusalAsync(noise, acceptance));
        Assert.Equal("E_RECEIPT", await RefusalAsync(file, foreignAcceptance));
        Assert.Equal("E_NOT_FOR_THIS_KEY", await RefusalAsync(foreign, foreignAcceptance));
        Assert.Equal("E_REQUEST", await RefusalAsync(file, []));
        Assert.Empty(h41.Client.Held());
        Assert.All(Directory.GetFiles(bench.At("H41", "state", "fetch")), f => Assert.EndsWith(".lock", f, StringComparison.Ordinal));
        Assert.Null(await adapter.AskAsync(h41.Parcel(entry.Id, file, acceptance), Cancel));
        // And the right one is still welcome.
        Assert.IsType<DeliveryOutcome.Delivered>(await adapter.DeliverAsync(h41.Parcel(entry.Id, file, acceptance), Open(file), Cancel));
    }

    [Theory]
    [InlineData("offices/H14/tls.p12")]        // another office, though its certificate is good for this host name too
    [InlineData("offices/G22/sign.p12")]
    [InlineData("hostile/look-alike.p12")]     // of the trusted CA, for no host
    [InlineData("hostile/wrong-eku.p12")]
    [InlineData("hostile/foreign-ca.p12")]
    public async Task Nobody_but_the_gateway_gets_past_the_handshake(string keyFile)
    {
        using var bench = new Bench(pki.Folder);
        var entry = (await bench.SendAsync()).Entry;
        var (file, acceptance, _) = bench.Gateway.Accepted[entry.Id];
        await using var h41 = await Receiver.StartAsync(bench);
        using var adapter = Adapter(keyFile);
        Assert.IsType<DeliveryOutcome.TryLater>(await adapter.DeliverAsync(h41.Parcel(entry.Id, file, acceptance), Open(file), Cancel));
        Assert.IsType<DeliveryOutcome.Unknown>(await adapter.AskAsync(h41.Parcel(entry.Id, file, acceptance), Cancel));
        Assert.Empty(h41.Client.Held());
    }

    [Fact]
    public async Task A_full_disk_is_told_as_no_room_and_the_same_parcel_comes_again()
    {
        using var bench = new Bench(pki.Folder);
        var entry = (await bench.SendAsync()).Entry;
        var (file, acceptance, _) = bench.Gateway.Accepted[entry.Id];
        var full = true;
        await using var h41 = await Receiver.StartAsync(bench, step => { if (full && step == "flush part") throw new IOException("No space left on device", 28); });
        using var adapter = Adapter();
        Assert.Equal("HTTP 507", Assert.IsType<DeliveryOutcome.TryLater>(await adapter.DeliverAsync(h41.Parcel(entry.Id, file, acceptance), Open(file), Cancel)).Reason);
        Assert.Empty(h41.Client.Held());
        full = false;
        Assert.IsType<DeliveryOutcome.Delivered>(await adapter.DeliverAsync(h41.Parcel(entry.Id, file, acceptance), Open(file), Cancel));
    }

    [Fact]
    public async Task A_gateway_that_has_not_yet_written_its_delivery_down_gets_the_receipts_a_little_later()
    {
        using var bench = new Bench(pki.Folder);
        var entry = (await bench.SendAsync()).Entry;
        var (file, acceptance, _) = bench.Gateway.Accepted[entry.Id];
        await using var h41 = await Receiver.StartAsync(bench);
        using var adapter = Adapter();
        await adapter.DeliverAsync(h41.Parcel(entry.Id, file, acceptance), Open(file), Cancel);
        bench.Gateway.AcknowledgeRefusals.Enqueue(Refusal.Busy);
        bench.Gateway.AcknowledgeRefusals.Enqueue(Refusal.Busy);
        await h41.OpenAsync();
        Assert.Single(Directory.GetDirectories(bench.At("received")));
        Assert.Empty(bench.Gateway.Acknowledged);
        Assert.DoesNotContain("not opened", h41.Said.ToString(), StringComparison.Ordinal);
        bench.Clock.Advance(TimeSpan.FromSeconds(5));
        await h41.OpenAsync();
        Assert.Equal(2, bench.Gateway.Acknowledged.Count);
    }

    [Fact]
    public Task A_program_killed_at_a_third_of_the_steps_of_taking_a_parcel_in_gives_one_handover_and_opens_it() => Killed(every: 3);

    [Fact, Trait("tier", "long")]
    public Task A_program_killed_at_any_step_of_taking_a_parcel_in_gives_one_handover_and_opens_it() => Killed(every: 1);

    // Every run begins at another one.
    async Task Killed(int every)
    {
        async Task<HoldVerdict> HoldAsync(Bench bench, Guid id, Action<string>? step)
        {
            var (file, acceptance, _) = bench.Gateway.Accepted[id];
            using var office = bench.Start("H41", step);
            await office.RefreshAsync(Cancel);
            using var hold = new HoldParcel(office);
            return await hold.RunAsync(id, file.Length, acceptance, new MemoryStream(file), null, Cancel);
        }
        var steps = new List<string>();
        using (var bench = new Bench(pki.Folder)) await HoldAsync(bench, (await bench.SendAsync()).Entry.Id, steps.Add);
        var first = steps.IndexOf("take bytes");
        Assert.True(first >= 0 && steps.Count - first >= 5, string.Join(", ", steps));
        for (var killed = first + Random.Shared.Next(every); killed < steps.Count; killed += every)
        {
            using var bench = new Bench(pki.Folder);
            var id = (await bench.SendAsync()).Entry.Id;
            var count = 0;
            await Assert.ThrowsAsync<KilledException>(() => HoldAsync(bench, id, _ => { if (count++ == killed) throw new KilledException(); }));
            // Whatever a clerk can open from what is left, he opens; the gateway brings it again and gets one answer.
            using (var between = new OfficeClient(bench.Start("H41")))
                foreach (var held in between.Held()) await between.OpenAsync(held.Parcel, bench.At("received"), null, Cancel);
            var handover = Assert.IsType<HoldVerdict.Held>(await HoldAsync(bench, id, null)).Receipt.ToArray();
            Assert.Equal(handover, Assert.IsType<HoldVerdict.Held>(await HoldAsync(bench, id, null)).Receipt.ToArray());
            using var client = new OfficeClient(bench.Start("H41"));
            foreach (var held in client.Held()) await client.OpenAsync(held.Parcel, bench.At("received"), null, Cancel);
            Assert.Equal(File.ReadAllBytes(bench.At("document.bin")), File.ReadAllBytes(Assert.Single(Directory.GetFiles(bench.At("received"), "*", SearchOption.AllDirectories))));
            Assert.Equal(handover, Assert.Single(bench.Gateway.Acknowledged.DistinctBy(Convert.ToHexString), a => Statement.Read(a, StatementType.Receipt).As<Receipt>().Event == ReceiptEvent.ContentHandover));
            Assert.Empty(client.Held());
        }
    }

    [Fact]
    public async Task A_fetch_goes_on_where_a_killed_program_left_it()
    {
        using var bench = new Bench(pki.Folder);
        var id = (await bench.SendAsync()).Entry.Id;
        var whole = bench.Gateway.Accepted[id].File.Length;
        async Task OpenAsync(Action<string>? step = null)
        {
            using var client = new OfficeClient(bench.Start("H41", step));
            await client.RefreshAsync(Cancel);
            await client.OpenAsync(id, bench.At("received"), null, Cancel);
        }
        var ranges = 0;
        await Assert.ThrowsAsync<KilledException>(() => OpenAsync(step => { if (step == "fetch range" && ++ranges == 2) throw new KilledException(); }));
        var before = Assert.Single(bench.Gateway.Ranges);
        Assert.InRange(before.Sent, 1, whole - 1);
        await OpenAsync();
        Assert.Equal(before.Sent, bench.Gateway.Ranges[1].From);
        Assert.Equal(whole, bench.Gateway.Ranges.Sum(r => r.Sent));
        Assert.Equal(File.ReadAllBytes(bench.At("document.bin")), File.ReadAllBytes(Assert.Single(Directory.GetFiles(bench.At("received"), "*", SearchOption.AllDirectories))));
    }

    [Fact]
    public async Task Bytes_that_do_not_hold_are_set_aside_and_fetched_anew()
    {
        using var bench = new Bench(pki.Folder);
        var id = (await bench.SendAsync()).Entry.Id;
        bench.Gateway.Accepted[id].File[^100] ^= 1;
        using var client = new OfficeClient(bench.Start("H41"));
        await client.RefreshAsync(Cancel);
        await Assert.ThrowsAsync<RefusedException>(() => client.OpenAsync(id, bench.At("received"), null, Cancel));
        Assert.Empty(client.Held());
        bench.Gateway.Accepted[id].File[^100] ^= 1;
        Assert.Null((await client.OpenAsync(id, bench.At("received"), null, Cancel)).Failure);
    }
}
