using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Exchange.Tests;

namespace Exchange.Benchmarks;

/// <summary>
/// Durable accepts a second: sealed dispatches of 10 KB over mutual TLS into a gateway process of its own, in turn with Postfix taking mail of the same
/// size into its queue. Each client has one connection and one message under way; sealing is done before the clock runs. Postfix speaks without TLS: its source cannot.
/// </summary>
sealed partial class Accept(string pki, int seconds, string work) : IDisposable
{
    const int Size = 10_000, Rounds = 3, Fewest = 200, Most = 4000;
    static readonly int[] Clients = [1, 16, 64];
    readonly OfficeByHand office = new(pki, "G22");
    readonly Dictionary<(string, int), List<Figure>> figures = [];
    BenchGateway? gateway;

    sealed record Figure(double Rate, double P50, double P99, double CpuMs, double ClientMs);

    public async Task<int> RunAsync()
    {
        gateway = await BenchGateway.StartAsync(pki, work);
        using var postfix = PostfixPeer.Start();
        var fsyncs = await FsyncRateAsync();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Size} bytes, {Rounds} rounds in turn, {Environment.ProcessorCount} cores, load {BenchGateway.Load()}, {fsyncs:0} fsync/s of 8 KB on this disk, Postfix {(postfix is null ? "not run" : "without TLS")}"));
        // A gateway runs for months: until what it does often is compiled for good, it is not the one that is measured.
        foreach (var _ in Enumerable.Range(0, 4)) await GatewayAsync(Clients[1], Most / 4);
        figures.Clear();
        for (var round = 0; round < Rounds; round++)
            foreach (var clients in Clients)
            {
                await GatewayAsync(clients, Count("exchange", clients));
                if (postfix is not null) Add("postfix", clients, new(postfix.Accept(clients, Count("postfix", clients), Size), 0, 0, 0, 0));
            }
        foreach (var clients in Clients)
        {
            Print("exchange", clients);
            if (postfix is not null) Print("postfix", clients);
            if (postfix is not null) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clients,3} clients: {Median("exchange", clients, f => f.Rate) / Median("postfix", clients, f => f.Rate):0.0} times Postfix"));
        }
        Console.WriteLine($"load {BenchGateway.Load()} at the end");
        Console.WriteLine(await SyncsAsync());
        return 0;
    }

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
        var connections = new List<LeanClient>();
        while (connections.Count < clients) connections.Add(await LeanClient.ConnectAsync(gateway!.Address, office.Tls));
        var times = new ConcurrentBag<double>();
        var (cpu, mine, began) = (gateway!.CpuMs(), Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        await Task.WhenAll(connections.Select(connection => Task.Run(async () =>
        {
            while (sealedOnes.TryDequeue(out var ready))
            {
                var asked = Stopwatch.GetTimestamp();
                var (status, body) = await connection.PostAsync("/dispatches", ready.File);
                if (status != 201) throw new InvalidOperationException($"{status}: {System.Text.Encoding.UTF8.GetString(body)}");
                times.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            }
        })));
        var elapsed = Stopwatch.GetElapsedTime(began).TotalSeconds;
        (cpu, mine) = (gateway.CpuMs() - cpu, Environment.CpuUsage.TotalTime - mine);
        foreach (var connection in connections) connection.Dispose();
        var sorted = times.Order().ToArray();
        Add("exchange", clients, new(count / elapsed, sorted[sorted.Length / 2], sorted[sorted.Length * 99 / 100], cpu / count, mine.TotalMilliseconds / count));
    }

    double Median(string who, int clients, Func<Figure, double> value) => figures[(who, clients)].Select(value).Order().ElementAt(Rounds / 2);

    void Print(string who, int clients)
    {
        var rates = figures[(who, clients)].Select(f => f.Rate).Order().ToArray();
        var more = who == "exchange" ? string.Create(CultureInfo.InvariantCulture, $"   p50 {Median(who, clients, f => f.P50):0.0} ms, p99 {Median(who, clients, f => f.P99):0.0} ms, {Median(who, clients, f => f.CpuMs):0.00} CPU-ms each, {Median(who, clients, f => f.ClientMs):0.00} of the client") : "";
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
}
