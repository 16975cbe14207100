using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>From a folder of jobs through the gateway to an office's own endpoint and to an office's folder: real programs, real channels.</summary>
public sealed class ChannelTests(DevelopmentPki pki) : IDisposable
{
    readonly List<Process> started = [];

    public void Dispose()
    {
        foreach (var process in started)
        {
            if (!process.HasExited) process.Kill();
            process.Dispose();
        }
    }

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The receiving program, and the address it said; ended in any case when the test ends.</summary>
    async Task<(Process Process, string Address)> ReceiveAsync(Site site, string listen)
    {
        var process = site.StartOffice("H41", "receive", "--listen", listen, "--out", site.At("received"));
        started.Add(process);
        var line = await process.StandardOutput.ReadLineAsync(Cancel);
        Assert.StartsWith("receiving at ", line, StringComparison.Ordinal);
        _ = process.StandardOutput.ReadToEndAsync(Cancel);
        _ = process.StandardError.ReadToEndAsync(Cancel);
        return (process, line!["receiving at ".Length..].Split(';')[0]);
    }

    static string Job(string file, string to) => $$"""{"files":["{{file}}"],"to":["{{to}}"],"level":"thuong","urgency":3,"sheet":{"number":"12","notation":"VPCP","subject":"S"} }""";

    static void Put(Site site, string name, byte[] bytes, string to)
    {
        Directory.CreateDirectory(site.At("in"));
        File.WriteAllBytes(site.At("in", name + ".bin"), bytes);
        File.WriteAllText(site.At("in", name + ".tmp"), Job(name + ".bin", to));
        File.Move(site.At("in", name + ".tmp"), site.At("in", name + ".job.json"));
    }

    static bool Has(string folder, byte[] bytes) => Directory.Exists(folder) && Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
        .Any(f => !f.Contains("/.opening-", StringComparison.Ordinal) && new FileInfo(f).Length == bytes.Length && File.ReadAllBytes(f).AsSpan().SequenceEqual(bytes));

    [Fact]
    public async Task A_job_reaches_an_office_at_its_own_endpoint_and_the_receiver_may_be_killed_in_between()
    {
        await using var site = await Site.StartAsync(pki);
        var (receiver, address) = await ReceiveAsync(site, "127.0.0.1:0");
        await site.ReachAsync(2, "--office", "H41", "--adapter", "https", "--setting", $"url={address}");
        byte[] first = new byte[300_000], second = new byte[40 << 20];
        System.Security.Cryptography.RandomNumberGenerator.Fill(first);
        System.Security.Cryptography.RandomNumberGenerator.Fill(second);
        Put(site, "first", first, "H41");
        var sent = await site.OfficeAsync("G22", "intake", "--folder", site.At("in"), "--once");
        Assert.True(sent.Code == 0, sent.ToString());
        Assert.True(File.Exists(site.At("in", "sent", "first", "first.bin")));
        await Site.UntilAsync(() => Task.FromResult(Has(site.At("received"), first)));

        // kill -9 while the second one comes in; started again at the same address it gets it once more, and opens it once.
        Put(site, "second", second, "H41");
        sent = await site.OfficeAsync("G22", "intake", "--folder", site.At("in"), "--once");
        Assert.True(sent.Code == 0, sent.ToString());
        await Site.UntilAsync(() => Task.FromResult(Directory.GetFiles(site.At("H41", "state", "fetch"), "*.part").Length > 0 || Has(site.At("received"), second)));
        receiver.Kill();
        await receiver.WaitForExitAsync(Cancel);
        (receiver, _) = await ReceiveAsync(site, address["https://".Length..]);
        await Site.UntilAsync(() => Task.FromResult(Has(site.At("received"), second)));
        Assert.Equal(2, Directory.GetFiles(site.At("received"), "*.bin", SearchOption.AllDirectories).Length);
        using var sender = site.Client("G22");
        foreach (var entry in sender.Outbox())
            await Site.UntilAsync(async () => (await sender.TrackAsync(entry, audit: false, Cancel)).Copies.Single() is { Evidence: CopyEvidence.OpenedProven, State: "delivered" });
        // A clean end, as a service manager asks for it.
        using (Process.Start("kill", ["-TERM", $"{receiver.Id}"])) await receiver.WaitForExitAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(15), Cancel);
        Assert.Equal(0, receiver.ExitCode);
    }

    [Fact]
    public async Task A_dispatch_is_put_into_an_offices_folder_opened_from_there_and_proven_to_its_sender()
    {
        await using var site = await Site.StartAsync(pki);
        Directory.CreateDirectory(site.At("drop", "h14"));
        await site.Gateway.StopAsync(TimeProvider.System);
        site.Gateway.Dispose();
        var settings = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(site.Data, "gateway.json"), Cancel))!;
        settings["folders"] = site.At("drop");
        await File.WriteAllTextAsync(Path.Combine(site.Data, "gateway.json"), settings.ToJsonString(), Cancel);
        await site.ServeAsync();
        await site.ReachAsync(2, "--office", "H14", "--adapter", "folder", "--setting", "folder=h14");
        var bytes = System.Security.Cryptography.RandomNumberGenerator.GetBytes(500_000);
        await File.WriteAllBytesAsync(site.At("a.bin"), bytes, Cancel);
        var sent = await site.SendAsync(site.At("a.bin"), "H14");
        Assert.True(sent.Code == 0, sent.ToString());
        await Site.UntilAsync(() => Task.FromResult(Directory.GetFiles(site.At("drop", "h14"), "*.ready").Length == 1));
        var opened = await site.OfficeAsync("H14", "open", "--from", site.At("drop", "h14"), "--out", site.At("received"));
        Assert.True(opened.Code is 0 or 2, opened.ToString());
        Assert.True(Has(site.At("received"), bytes));
        Assert.Equal(2, Directory.GetFiles(site.At("drop", "h14", "opened")).Length);
        Assert.Empty(Directory.GetFiles(site.At("drop", "h14")));
        // The gateway may still have been writing down that it had put it there: then the receipts go with the next call.
        using var recipient = site.Client("H14");
        await Site.UntilAsync(async () => await recipient.AcknowledgeAsync(Cancel) == 0);
        using var sender = site.Client("G22");
        Assert.Equal(CopyEvidence.OpenedProven, (await sender.TrackAsync(Assert.Single(sender.Outbox()), audit: false, Cancel)).Copies.Single().Evidence);
    }

    [Fact, Trait("tier", "long")]
    public async Task A_dispatch_is_put_on_an_offices_sftp_server_opened_from_there_and_proven_to_its_sender()
    {
        await using var site = await Site.StartAsync(pki);
        await using var server = new SftpServer();
        await server.InitializeAsync();
        var folder = server.NewFolder();
        await site.WithSftpAsync(server);
        await site.ReachAsync(2, ["--office", "H14", "--adapter", "sftp", .. server.Settings(folder).SelectMany(s => new[] { "--setting", $"{s.Key}={s.Value}" })]);
        var ping = await Site.RunAsync(Site.GatewayProgram, ["ping", "H14", "--data", site.Data]);
        Assert.True(ping.Code == 0, ping.ToString());
        var bytes = System.Security.Cryptography.RandomNumberGenerator.GetBytes(500_000);
        await File.WriteAllBytesAsync(site.At("a.bin"), bytes, Cancel);
        var sent = await site.SendAsync(site.At("a.bin"), "H14");
        Assert.True(sent.Code == 0, sent.ToString());
        await Site.UntilAsync(() => Task.FromResult(Directory.GetFiles(folder, "*.ready").Length == 1));
        var opened = await site.OfficeAsync("H14", "open", "--from", folder, "--out", site.At("received"));
        Assert.True(opened.Code is 0 or 2, opened.ToString());
        Assert.True(Has(site.At("received"), bytes));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(folder, "opened")).Length);
        Assert.Empty(Directory.GetFiles(folder));
        using var recipient = site.Client("H14");
        await Site.UntilAsync(async () => await recipient.AcknowledgeAsync(Cancel) == 0);
        using var sender = site.Client("G22");
        Assert.Equal(CopyEvidence.OpenedProven, (await sender.TrackAsync(Assert.Single(sender.Outbox()), audit: false, Cancel)).Copies.Single().Evidence);
    }

    [Fact, Trait("tier", "long")]
    public async Task An_administrator_sees_what_is_dead_sends_one_again_and_two_discard_the_other()
    {
        await using var site = await Site.StartAsync(pki);
        var file = Path.Combine(site.Data, "gateway.json");
        var (settings, officers) = (JsonNode.Parse(await File.ReadAllTextAsync(file, Cancel))!, JsonNode.Parse(await File.ReadAllTextAsync(pki.At("pins.json"), Cancel))!["directoryOfficers"]!.AsArray());
        var second = officers[1]!.GetValue<string>();
        await site.StopGatewayAsync();
        settings["administrators"] = officers.DeepClone();
        await File.WriteAllTextAsync(file, settings.ToJsonString(), Cancel);
        await site.ServeAsync();
        async Task<Ran> AdminAsync(params string[] args)
        {
            var ran = await Site.RunAsync(Site.GatewayProgram, ["admin", .. args, "--data", site.Data]);
            Assert.True(ran.Code == 0, ran.ToString());
            return ran;
        }
        Assert.StartsWith("0 waiting, 0 under way, 0 channels closed by failures, 0 dead", (await AdminAsync("queue")).Out, StringComparison.Ordinal);

        // An endpoint that wants nothing of it: both copies are given up at once.
        int port;
        using (var gone = new GoneEndpoint(pki.At("offices", "H41", "tls.p12"), File.ReadLines(pki.At("passphrase")).First()))
        {
            port = gone.Port;
            await site.ReachAsync(2, "--office", "H41", "--adapter", "https", "--setting", $"url=https://localhost:{port}");
            foreach (var name in new[] { "a", "b" })
            {
                var sent = await site.SendAsync(site.Document(name + ".bin", 1), "H41", number: name);
                Assert.True(sent.Code == 0, sent.ToString());
            }
            await Site.UntilAsync(async () => (await AdminAsync("queue")).Out.Contains("2 dead", StringComparison.Ordinal));
        }
        Assert.Matches("(?m)^  H41 +2  E_CHANNEL_REFUSED +oldest ", (await AdminAsync("queue")).Out);
        Assert.Equal(2, JsonNode.Parse((await AdminAsync("queue", "--json")).Out)!["dead"]!.GetValue<int>());
        var dead = (await AdminAsync("dead", "--office", "H41")).Out;
        Assert.StartsWith("H41 E_CHANNEL_REFUSED: 2", dead, StringComparison.Ordinal);
        Assert.StartsWith("0 copies", (await AdminAsync("dead", "--office", "H14")).Out, StringComparison.Ordinal);
        var copy = dead.Split('\n')[1].Trim().Split(' ')[0];

        // One goes again, when he says so, to the endpoint that is there now.
        Assert.Contains("Nothing was done", (await AdminAsync("redrive", "--parcel", copy)).Error, StringComparison.Ordinal);
        await ReceiveAsync(site, $"127.0.0.1:{port}");
        Assert.StartsWith("1 redriven", (await AdminAsync("redrive", "--parcel", copy, "--run")).Out, StringComparison.Ordinal);
        await Site.UntilAsync(() => Task.FromResult(Directory.Exists(site.At("received")) && Directory.GetFiles(site.At("received"), "*.bin", SearchOption.AllDirectories).Any(f => !f.Contains("/.opening-", StringComparison.Ordinal))));

        // The other one two give up, each with a key of his own.
        Assert.Contains("1 copies are named", (await AdminAsync("discard", "--code", "DUPLICATE", "--out", site.At("order.json"))).Error, StringComparison.Ordinal);
        Assert.Contains("1 dead", (await AdminAsync("queue")).Out, StringComparison.Ordinal);
        async Task OperateAsync(string order, int officer, params string[] args)
        {
            var ran = await Site.RunAsync(Site.Exchange, ["officer", "operate", site.At(order), "--key", pki.At("officers", $"directory-{officer}.p12"), "--passphrase-file", pki.At("passphrase"), "--yes", "--lang", "en", .. args]);
            Assert.True(ran.Code == 0, ran.ToString());
        }
        await OperateAsync("order.json", 1, "--gateway", settings["origin"]!.GetValue<string>(), "--with", second);
        var alone = await Site.RunAsync(Site.GatewayProgram, ["admin", "discard", "--signed", site.At("order.json.p7s"), "--data", site.Data]);
        Assert.True(alone.Code == 1 && alone.Error.StartsWith("error: E_", StringComparison.Ordinal), alone.ToString());
        await OperateAsync("order.json.p7s", 2);
        Assert.StartsWith("1 discarded, DUPLICATE", (await AdminAsync("discard", "--signed", site.At("order.json.p7s"))).Out, StringComparison.Ordinal);
        Assert.StartsWith("0 waiting, 0 under way, 0 channels closed by failures, 0 dead", (await AdminAsync("queue")).Out, StringComparison.Ordinal);
    }

    /// <summary>Has the office's certificate, and answers 410 to everything.</summary>
    sealed class GoneEndpoint : IDisposable
    {
        readonly TcpListener listener = new(IPAddress.Loopback, 0);
        readonly X509Certificate2 certificate;

        public GoneEndpoint(string file, string passphrase)
        {
            certificate = X509CertificateLoader.LoadPkcs12FromFile(file, passphrase);
            listener.Start();
            _ = ServeAsync();
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        async Task ServeAsync()
        {
            try
            {
                while (true) _ = AnswerAsync(await listener.AcceptTcpClientAsync());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException) { }
        }

        async Task AnswerAsync(TcpClient client)
        {
            try
            {
                using (client)
                await using (var tls = new SslStream(client.GetStream()))
                {
                    await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate, ClientCertificateRequired = true, RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null });
                    using var reader = new StreamReader(tls);
                    while (await reader.ReadLineAsync() is { Length: > 0 }) { }
                    await tls.WriteAsync("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
                }
            }
            catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException) { }
        }

        public void Dispose()
        {
            listener.Stop();
            certificate.Dispose();
        }
    }
}
