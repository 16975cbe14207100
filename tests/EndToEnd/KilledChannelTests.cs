using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>kill -9 over and over of what carries without anybody asking: the office's endpoint, the gateway that delivers to it, the folder of jobs.</summary>
public sealed class KilledChannelTests(DevelopmentPki pki, ITestOutputHelper output)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;
    // What is killed on purpose is no poison, and a server that is back in a second is not waited for.
    static readonly (string, long)[] KilledOnPurpose = [("lostLeases", 1000), ("breakerOpenSeconds", 1), ("breakerOpenMostSeconds", 2)];

    [Fact]
    public Task An_endpoint_and_its_gateway_killed_five_times_while_one_delivers_to_the_other_open_each_document_once() => DeliveriesAsync(5);

    [Fact, Trait("tier", "long")]
    public Task An_endpoint_and_its_gateway_killed_a_hundred_times_while_one_delivers_to_the_other_open_each_document_once() => DeliveriesAsync(100);

    [Fact, Trait("tier", "long")]
    public Task Intakes_killed_a_hundred_times_send_each_job_once() => IntakesAsync(100);

    async Task DeliveriesAsync(int kills)
    {
        await using var site = await Site.StartAsync(pki, KilledOnPurpose);
        // The wire keeps its address over all lives of the endpoint, and sees what is under way.
        using var wire = new Proxy(port: 1);
        await site.ReachAsync(2, "--office", "H41", "--adapter", "https", "--setting", $"url=https://localhost:{wire.Address.Port}");
        using var sender = new SteadySender(new OfficeByHand(pki.Folder.FullName, "G22"));
        var receiver = await Endpoint.StartAsync(site, wire);
        int endpoints = 0, open = 0;
        try
        {
            for (var kill = 0; kill < kills; kill++)
            {
                var came = wire.Sent;
                await sender.SendAsync(site.Gateway.Address, 3);
                // Somewhere in what a delivery takes, from its first bytes on.
                await Site.UntilAsync(() => Task.FromResult(wire.Sent > came));
                for (var n = 0; n < 1000 && !wire.IsAsking; n++) await Task.Delay(1, Cancel);
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * 30), Cancel);
                if (wire.IsAsking) open++;
                if (kill % 2 == 0)
                {
                    endpoints++;
                    await receiver.KillAsync();
                    receiver.Dispose();
                    receiver = await Endpoint.StartAsync(site, wire);
                }
                else
                {
                    await site.KillGatewayAsync();
                    await site.ServeAsync();
                }
            }
            // One that failed again and again is tried after a minute.
            await Site.UntilAsync(() => Task.FromResult(Opened(site).Count >= sender.Sent.Count), seconds: 180);
            // Whoever does not know how an attempt ended asks the endpoint, so that lives until the gateway has written down everything that the office says it has.
            using var office = site.Client("H41");
            await Site.UntilAsync(async () => await office.AcknowledgeAsync(Cancel) == 0, seconds: 180);
            await receiver.KillAsync();
        }
        finally { receiver.Dispose(); }

        var opened = Opened(site);
        var lost = sender.Sent.Keys.Except(opened.Select(o => o.Name)).ToList();
        var doubled = opened.GroupBy(o => o.Name).Count(g => g.Count() > 1);
        output.WriteLine($"{kills} kills, {endpoints} of the endpoint and {kills - endpoints} of the gateway, {open} with a delivery under way; {sender.Sent.Count} receipts, {opened.Count} opened; {lost.Count} lost, {doubled} doubled");
        Assert.Empty(lost);
        Assert.Equal(0, doubled);
        Assert.All(opened, o => Assert.Equal(sender.Sent[o.Name], o.Digest));
        Assert.True(open >= kills / 5, $"only {open} of {kills} kills hit a delivery");
        await RegisteredOnceAsync(site, sender.Sent.Count);
    }

    [Fact, Trait("tier", "long")]
    public async Task An_sftp_server_and_its_gateway_killed_forty_times_while_one_delivers_to_the_other_hold_each_document_once()
    {
        const int Kills = 40;
        await using var site = await Site.StartAsync(pki, KilledOnPurpose);
        await using var server = new SftpServer();
        await server.InitializeAsync();
        var folder = server.NewFolder();
        await site.WithSftpAsync(server);
        using var wire = new Proxy(server.Port);
        await site.ReachAsync(2, ["--office", "H41", "--adapter", "sftp", .. server.Settings(folder, wire.Address.Port).SelectMany(s => new[] { "--setting", $"{s.Key}={s.Value}" })]);
        using var sender = new SteadySender(new OfficeByHand(pki.Folder.FullName, "G22"));
        var open = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            var sent = wire.Sent;
            await sender.SendAsync(site.Gateway.Address, 3);
            // Somewhere in the four megabytes of the three.
            await Site.UntilAsync(() => Task.FromResult(wire.Sent > sent));
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * 200), Cancel);
            if (Directory.GetFiles(folder, ".*").Length > 0) open++;
            if (kill % 2 == 0)
            {
                server.Kill();
                await server.StartAsync();
            }
            else
            {
                await site.KillGatewayAsync();
                await site.ServeAsync();
            }
        }
        await Site.UntilAsync(() => Task.FromResult(Directory.GetFiles(folder, "*.ready").Length >= sender.Sent.Count), seconds: 180);
        var opening = await site.OfficeAsync("H41", "open", "--from", folder, "--out", site.At("received"));
        var opened = Opened(site);
        output.WriteLine($"{Kills} kills, {open} with a file half there; {sender.Sent.Count} receipts, {opened.Count} opened");
        Assert.True(opening.Code is 0 or 2, opening.ToString());
        Assert.Equal(sender.Sent.Keys.Order(StringComparer.Ordinal), opened.Select(o => o.Name).Order(StringComparer.Ordinal));
        Assert.All(opened, o => Assert.Equal(sender.Sent[o.Name], o.Digest));
        Assert.Empty(Directory.GetFiles(folder));
        Assert.True(open >= Kills / 5, $"only {open} of {Kills} kills hit a delivery");
        using var office = site.Client("H41");
        await Site.UntilAsync(async () => await office.AcknowledgeAsync(Cancel) == 0, seconds: 180);
        await RegisteredOnceAsync(site, sender.Sent.Count);
    }

    // In the office's own record, in the gateway's, and in the ledger.
    static async Task RegisteredOnceAsync(Site site, int count)
    {
        using var office = site.Client("H41");
        var record = new Received(new OfficeFiles(site.At("H41", "state"))).List().ToList();
        Assert.All(record, r => Assert.Equal(ReceivedState.Opened, r.Stage));
        Assert.Equal(count, record.Count);
        var parcels = new List<MailboxParcel>();
        for (Guid? after = null; await office.InboxAsync(after, 0, all: true, Cancel) is { Count: > 0 } page; after = page[^1].Parcel) parcels.AddRange(page);
        Assert.Equal(record.Select(r => r.Id).Order(), parcels.Select(p => p.Envelope).Order());
        await site.Gateway.StopAsync(TimeProvider.System);
        var check = await Site.RunAsync(Site.GatewayProgram, ["check", "--data", site.Data]);
        Assert.True(check.Code == 0, check.ToString());
    }

    async Task IntakesAsync(int kills)
    {
        await using var site = await Site.StartAsync(pki);
        await site.OfficeAsync("G22", "directory", "update");
        using var wire = new Proxy(site.Gateway.Address.Port);
        site.Profile("G22", wire.Address);
        var jobs = new JobFolder(site.At("in"));
        // So much waits that each run has work, and one in five can only fail.
        var (put, ended, open, whole) = (0, 0, 0, TimeSpan.FromSeconds(1.5));
        for (var kill = 0; kill - ended < kills && ended < kills; kill++)
        {
            while (jobs.Waiting < 3) jobs.Put(++put, good: put % 5 != 0);
            using var intake = site.StartOffice("G22", "intake", "--folder", jobs.Folder, "--once");
            // Every other one in the middle of a request, if it comes to one.
            if (kill % 2 == 0) await Site.UntilAsync(() => Task.FromResult(intake.HasExited || wire.IsAsking));
            await Task.Delay(kill % 2 == 0 ? TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * 10) : whole * Random.Shared.NextDouble(), Cancel);
            var (running, asking) = (!intake.HasExited, wire.IsAsking);
            intake.Kill();
            await intake.WaitForExitAsync(Cancel);
            if (!running) ended++;
            else if (asking) open++;
            whole *= running ? 1.1 : 0.7;
        }
        Assert.True(ended < kills, "too few kills hit a running command");
        for (var pass = 0; jobs.Waiting > 0 && pass < 5; pass++) await site.OfficeAsync("G22", "intake", "--folder", jobs.Folder, "--once");

        using var client = site.Client("G22");
        using var recipient = site.Client("H41");
        var outbox = client.Outbox();
        var envelopes = new List<Guid>();
        for (Guid? after = null; await recipient.InboxAsync(after, 0, all: true, Cancel) is { Count: > 0 } page; after = page[^1].Parcel) envelopes.AddRange(page.Select(p => p.Envelope));
        output.WriteLine($"{kills} kills, {open} with a request open, {ended} more came after the end; {put} jobs: {jobs.In("sent").Count} sent, {jobs.In("failed").Count} failed; {envelopes.Count} copies");
        jobs.DemandEachInOnePlace(put);
        Assert.Equal(Enumerable.Range(1, put).Where(n => n % 5 == 0), jobs.In("failed"));
        Assert.Equal(put - put / 5, envelopes.Count);
        Assert.Equal(outbox.Select(e => e.Id).Order(), envelopes.Order());
        Assert.All(outbox, e => Assert.Equal(OutboxState.Accepted, e.State));
        // Each document came once, by its bytes.
        var into = site.At("H41", "received");
        var opened = await site.OfficeAsync("H41", "open", "--all", "--out", into);
        Assert.True(opened.Code == 0, opened.ToString());
        Assert.Equal(Enumerable.Range(1, put).Where(n => n % 5 != 0).Select(jobs.DigestOf).Order(StringComparer.Ordinal),
            Directory.GetFiles(into, "j-*.bin", SearchOption.AllDirectories).Select(f => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f)))).Order(StringComparer.Ordinal));
    }

    static List<(string Name, string Digest)> Opened(Site site) => !Directory.Exists(site.At("received")) ? [] :
        [.. Directory.GetFiles(site.At("received"), "d-*.bin", SearchOption.AllDirectories).Where(f => !f.Contains("/.opening-", StringComparison.Ordinal))
            .Select(f => (Path.GetFileName(f), Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f)))))];

    /// <summary>exchange receive of H41, behind the wire.</summary>
    sealed class Endpoint(Process process) : IDisposable
    {
        public static async Task<Endpoint> StartAsync(Site site, Proxy wire)
        {
            var process = site.StartOffice("H41", "receive", "--listen", "127.0.0.1:0", "--out", site.At("received"));
            // It may open what the life before had taken before it says where it listens.
            string? line;
            do line = await process.StandardOutput.ReadLineAsync(Cancel);
            while (line?.StartsWith("receiving at ", StringComparison.Ordinal) == false);
            Assert.NotNull(line);
            wire.Port = new Uri(line["receiving at ".Length..].Split(';')[0]).Port;
            _ = process.StandardOutput.ReadToEndAsync(Cancel);
            _ = process.StandardError.ReadToEndAsync(Cancel);
            return new(process);
        }

        public Task KillAsync()
        {
            process.Kill();
            return process.WaitForExitAsync(Cancel);
        }

        public void Dispose()
        {
            if (!process.HasExited) process.Kill();
            process.Dispose();
        }
    }

    /// <summary>Sends until each has its receipt, and remembers what was in it.</summary>
    sealed class SteadySender(OfficeByHand office) : IDisposable
    {
        int number;

        /// <summary>Name of the document → SHA-256 of it.</summary>
        public Dictionary<string, string> Sent { get; } = [];

        public async Task SendAsync(Uri gateway, int count)
        {
            using var line = office.Connect(gateway);
            for (var n = 0; n < count; n++)
            {
                var (name, document) = ($"d-{++number}.bin", RandomNumberGenerator.GetBytes(n == 0 ? 3_000_000 : 100_000));
                var ready = await office.SealAsync("H41", document, name, urgency: 4);
                Assert.Equal(HttpStatusCode.Created, (await OfficeByHand.PostAsync(line, "/dispatches", ready.File)).Status);
                Sent[name] = Convert.ToHexString(SHA256.HashData(document));
            }
        }

        public void Dispose() => Sent.Clear();
    }

    /// <summary>A folder of numbered jobs.</summary>
    sealed class JobFolder(string folder)
    {
        readonly Dictionary<int, string> digests = [];
        public string Folder { get; } = Directory.CreateDirectory(folder).FullName;
        public int Waiting => Directory.GetFiles(Folder, "*.job.json").Length;
        public string DigestOf(int number) => digests[number];

        public void Put(int number, bool good)
        {
            var document = RandomNumberGenerator.GetBytes(400_000);
            digests[number] = Convert.ToHexString(SHA256.HashData(document));
            File.WriteAllBytes(Path.Combine(Folder, $"j-{number}.bin"), document);
            File.WriteAllText(Path.Combine(Folder, $"{number}.tmp"), $$"""{"files":["j-{{number}}.bin"],"to":["{{(good ? "H41" : "NOBODY")}}"],"level":"thuong","sheet":{"number":"{{number}}","notation":"VPCP","subject":"S"} }""");
            File.Move(Path.Combine(Folder, $"{number}.tmp"), Path.Combine(Folder, $"{number}.job.json"));
        }

        public IReadOnlyList<int> In(string place) => [.. (Directory.Exists(Path.Combine(Folder, place)) ? Directory.GetDirectories(Path.Combine(Folder, place)) : []).Select(d => int.Parse(Path.GetFileName(d), System.Globalization.CultureInfo.InvariantCulture)).Order()];

        public void DemandEachInOnePlace(int put)
        {
            Assert.Equal(Enumerable.Range(1, put), In("sent").Concat(In("failed")).Order());
            // Nothing is left where jobs are put, and each place holds its whole job.
            Assert.DoesNotContain(Directory.GetFiles(Folder).Select(Path.GetFileName), f => f![0] != '.');
            foreach (var n in Enumerable.Range(1, put))
            {
                var place = new[] { "sent", "failed" }.Select(p => Path.Combine(Folder, p, $"{n}")).Single(Directory.Exists);
                Assert.True(File.Exists(Path.Combine(place, $"{n}.job.json")) && File.Exists(Path.Combine(place, $"j-{n}.bin")), $"job {n} is not whole");
            }
        }
    }
}
