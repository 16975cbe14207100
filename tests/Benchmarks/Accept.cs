using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Net;
using System.Text.RegularExpressions;
using Exchange.Office.Dev;
using Exchange.Tests;

namespace Exchange.Benchmarks;

/// <summary>
/// Durable accepts a second: sealed dispatches of 10 KB over HTTP/2 and mutual TLS into a gateway process of its own, in turn with Postfix taking mail of the same
/// size into its queue. Each client has one connection and one message under way; sealing is done before the clock runs. Postfix speaks without TLS: its source cannot.
/// </summary>
sealed partial class Accept(string pki, int seconds, string work) : IDisposable
{
    const int Size = 10_000, Rounds = 3, Fewest = 200, Most = 4000;
    static readonly int[] Clients = [1, 16, 64];
    readonly OfficeByHand office = new(pki, "G22");
    readonly Dictionary<(string, int), List<Figure>> figures = [];
    ServerProcess? gateway;

    sealed record Figure(double Rate, double P50, double P99, double CpuMs);

    // One office is all the clients: the share of one office is not what is measured.
    static void AsManyAsItTakes(string settings)
    {
        var json = JsonNode.Parse(File.ReadAllText(settings))!;
        json["limits"] = new JsonObject { ["submissionsPerMinute"] = 1_000_000 };
        File.WriteAllText(settings, json.ToJsonString());
    }

    public async Task<int> RunAsync()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "exchange-gateway");
        await ServerProcess.InitAsync(program, Path.Combine(work, "gateway"), pki, CancellationToken.None);
        AsManyAsItTakes(Path.Combine(work, "gateway", "gateway.json"));
        gateway = await ServerProcess.ServeAsync(program, Path.Combine(work, "gateway"), Path.Combine(work, "gateway.log"), TimeProvider.System, CancellationToken.None);
        using var postfix = PostfixPeer.Start();
        var fsyncs = await FsyncRateAsync();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Size} bytes, {Rounds} rounds in turn, {Environment.ProcessorCount} cores, load {Load()}, {fsyncs:0} fsync/s of 8 KB on this disk, Postfix {(postfix is null ? "not run" : "without TLS")}"));
        foreach (var clients in Clients) await GatewayAsync(clients, Fewest * 2);   // warm: JIT, certificates, pages
        figures.Clear();
        for (var round = 0; round < Rounds; round++)
            foreach (var clients in Clients)
            {
                await GatewayAsync(clients, Count("exchange", clients));
                if (postfix is not null) Add("postfix", clients, postfix.Run(clients, Count("postfix", clients), Size));
            }
        foreach (var clients in Clients)
        {
            Print("exchange", clients);
            if (postfix is not null) Print("postfix", clients);
            if (postfix is not null) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clients,3} clients: {Median("exchange", clients, f => f.Rate) / Median("postfix", clients, f => f.Rate):0.0} times Postfix"));
        }
        Console.WriteLine($"load {Load()} at the end");
        Console.WriteLine(await SyncsAsync());
        return 0;
    }

    static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    int Count(string who, int clients) => figures.TryGetValue((who, clients), out var known) ? (int)Math.Clamp(known[^1].Rate * seconds, Fewest, Most) : Fewest * 2;

    void Add(string who, int clients, Figure figure)
    {
        if (!figures.TryGetValue((who, clients), out var list)) figures[(who, clients)] = list = [];
        list.Add(figure);
    }

    async Task GatewayAsync(int clients, int count)
    {
        var sealedOnes = new ConcurrentQueue<Ready>();
        await Parallel.ForAsync(0, count, async (_, _) => sealedOnes.Enqueue(await office.SealAsync("H41", Size)));
        var connections = Enumerable.Range(0, clients).Select(_ => office.Connect(gateway!.Address)).ToArray();
        foreach (var connection in connections) (await connection.GetAsync("/health")).Dispose();
        var times = new ConcurrentBag<double>();
        var (cpu, began) = (CpuMs(), Stopwatch.GetTimestamp());
        await Task.WhenAll(connections.Select(connection => Task.Run(async () =>
        {
            while (sealedOnes.TryDequeue(out var ready))
            {
                var asked = Stopwatch.GetTimestamp();
                var (status, body) = await OfficeByHand.PostAsync(connection, "/dispatches", ready.File);
                if (status != HttpStatusCode.Created) throw new InvalidOperationException($"{status}: {System.Text.Encoding.UTF8.GetString(body)}");
                times.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            }
        })));
        var elapsed = Stopwatch.GetElapsedTime(began).TotalSeconds;
        cpu = CpuMs() - cpu;
        foreach (var connection in connections) connection.Dispose();
        var sorted = times.Order().ToArray();
        Add("exchange", clients, new(count / elapsed, sorted[sorted.Length / 2], sorted[sorted.Length * 99 / 100], cpu / count));
    }

    // utime and stime, fields 14 and 15 of proc(5), in hundredths of a second.
    double CpuMs()
    {
        var fields = File.ReadAllText($"/proc/{gateway!.Id}/stat").Split(' ');
        return 10.0 * (long.Parse(fields[13], CultureInfo.InvariantCulture) + long.Parse(fields[14], CultureInfo.InvariantCulture));
    }

    double Median(string who, int clients, Func<Figure, double> value) => figures[(who, clients)].Select(value).Order().ElementAt(Rounds / 2);

    void Print(string who, int clients)
    {
        var rates = figures[(who, clients)].Select(f => f.Rate).Order().ToArray();
        var more = who == "exchange" ? string.Create(CultureInfo.InvariantCulture, $"   p50 {Median(who, clients, f => f.P50):0.0} ms, p99 {Median(who, clients, f => f.P99):0.0} ms, {Median(who, clients, f => f.CpuMs):0.00} CPU-ms each") : "";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clients,3} clients, {who,-8} median {rates[Rounds / 2],5:0}/s   {rates[0]:0} .. {rates[^1]:0}{more}"));
    }

    // A run of its own, because strace slows what it counts.
    async Task<string> SyncsAsync()
    {
        const int count = 600;
        var report = Path.Combine(work, "syncs");
        using var strace = Process.Start(new ProcessStartInfo("strace", ["-f", "-c", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-o", report, "-p", $"{gateway!.Id}"]) { RedirectStandardError = true });
        if (strace is null) return "syncs: not run";
        await strace.StandardError.ReadLineAsync();
        await GatewayAsync(16, count);
        using (var stop = Process.Start("kill", ["-INT", $"{strace.Id}"])) await stop.WaitForExitAsync();
        await strace.WaitForExitAsync();
        var syncs = Calls().Matches(await File.ReadAllTextAsync(report)).Sum(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));
        return string.Create(CultureInfo.InvariantCulture, $"{syncs} syncs for {count} accepts of 16 clients: {syncs / (double)count:0.00} each");
    }

    async Task<double> FsyncRateAsync()
    {
        const int times = 200;
        await using var file = new FileStream(Path.Combine(work, "probe"), FileMode.Create, FileAccess.Write, FileShare.None, 1);
        var block = new byte[8192];
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < times; i++)
        {
            await file.WriteAsync(block);
            file.Flush(flushToDisk: true);
        }
        return times / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    public void Dispose() => gateway?.Dispose();

    [GeneratedRegex(@"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?f(?:data)?sync\s*$", RegexOptions.Multiline)]
    private static partial Regex Calls();

    /// <summary>Postfix on a loopback port, with settings, queue and log in a folder of its own: it queues what it takes, and what it has queued it delivers to nowhere.</summary>
    sealed class PostfixPeer : IDisposable
    {
        readonly DirectoryInfo folder;
        readonly int port;

        PostfixPeer(DirectoryInfo folder, int port) => (this.folder, this.port) = (folder, port);

        /// <summary>null: it is not installed or does not start.</summary>
        public static PostfixPeer? Start()
        {
            if (!File.Exists("/usr/sbin/postfix") || !File.Exists("/usr/sbin/smtp-source")) return null;
            var folder = Directory.CreateTempSubdirectory("exchange-postfix-");
            File.SetUnixFileMode(folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
            using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var port = ((IPEndPoint)listener.LocalEndpoint).Port;
            listener.Stop();
            var peer = new PostfixPeer(folder, port);
            Directory.CreateDirectory(peer.At("conf"));
            Directory.CreateDirectory(peer.At("queue"));
            Directory.CreateDirectory(peer.At("data"));
            File.WriteAllText(peer.At("conf", "main.cf"), $"""
                compatibility_level=3.6
                queue_directory={peer.At("queue")}
                data_directory={peer.At("data")}
                mail_owner=postfix
                setgid_group=postdrop
                myhostname=bench.test
                mydestination=
                alias_maps=
                local_recipient_maps=
                inet_interfaces=loopback-only
                inet_protocols=ipv4
                mynetworks=127.0.0.0/8
                relay_domains=bench.test
                relay_transport=discard:
                default_transport=error:no outbound mail
                smtpd_relay_restrictions=permit_mynetworks,reject
                smtpd_client_connection_count_limit=0
                maillog_file={peer.At("mail.log")}
                maillog_file_prefixes={folder.FullName}

                """);
            File.WriteAllText(peer.At("conf", "master.cf"), $"""
                127.0.0.1:{port} inet n - n - 100 smtpd
                pickup unix n - n 60 1 pickup
                cleanup unix n - n - 0 cleanup
                qmgr unix n - n 300 1 qmgr
                tlsmgr unix - - n 1000? 1 tlsmgr
                rewrite unix - - n - - trivial-rewrite
                bounce unix - - n - 0 bounce
                defer unix - - n - 0 bounce
                trace unix - - n - 0 bounce
                verify unix - - n - 1 verify
                flush unix n - n 1000? 0 flush
                proxymap unix - - n - - proxymap
                error unix - - n - - error
                retry unix - - n - - error
                discard unix - - n - - discard
                anvil unix - - n - 1 anvil
                scache unix - - n - 1 scache
                postlog unix-dgram n - n - 1 postlogd

                """);
            if (Do("chown", "postfix", peer.At("data")) == 0 && Do("postfix", "-c", peer.At("conf"), "start") == 0) return peer;
            peer.Dispose();
            return null;
        }

        string At(params string[] parts) => Path.Combine([folder.FullName, .. parts]);

        public Figure Run(int clients, int count, int size)
        {
            var began = Stopwatch.GetTimestamp();
            if (Do("smtp-source", "-d", "-s", $"{clients}", "-m", $"{count}", "-l", $"{size}", "-f", "a@bench.test", "-t", "b@bench.test", $"127.0.0.1:{port}") != 0)
                throw new InvalidOperationException("smtp-source failed");
            return new(count / Stopwatch.GetElapsedTime(began).TotalSeconds, 0, 0, 0);
        }

        static int Do(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            var said = Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
            process.WaitForExit();
            return process.ExitCode;
        }

        public void Dispose()
        {
            Do("postfix", "-c", At("conf"), "stop");
            folder.Delete(recursive: true);
        }
    }
}
