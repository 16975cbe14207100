using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Exchange.Tests;

namespace Exchange.Benchmarks;

/// <summary>
/// From the acceptance of a flash dispatch until its first attempt begins, while clients keep the gateway busy with routine ones to the same office: what the store says of both, in milliseconds, so
/// the commit of the acceptance, the choice and the commit of the claim are in it. The routine backlog is printed: it must never run out.
/// </summary>
sealed class Flash(string pki, int seconds, string work) : IAsyncDisposable
{
    const int Size = 10_000, Rounds = 3, Clients = 16, EveryMs = 50, Urgent = 3, MostASecond = 1000;
    readonly OfficeByHand sender = new(pki, "G22");
    BenchGateway? gateway;
    Endpoints? endpoints;

    public async Task<int> RunAsync()
    {
        gateway = await BenchGateway.StartAsync(pki, work);
        endpoints = await Endpoints.StartAsync(sender, "H41");
        await gateway.ReachAsync(new Dictionary<string, (string, string, string)> { ["H41"] = ("https", "url", endpoints.UrlOf("H41")) });
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Clients} clients with routine dispatches of {Size} bytes, one flash dispatch each {EveryMs} ms to the same office; {Rounds} rounds of {seconds} s, {Environment.ProcessorCount} cores for gateway, clients and endpoint, load {BenchGateway.Load()}"));
        // A gateway runs for months: until what it does often is compiled for good, and the office's window is wide, it is not the one that is measured.
        for (var warm = 0; warm < 3; warm++) await RoundAsync(4);
        Console.WriteLine("  so far to warm up");
        var p99 = new List<double>();
        for (var round = 0; round < Rounds; round++) p99.Add(await RoundAsync(seconds));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"flash, accepted until its first attempt: p99 median {p99.Order().ElementAt(Rounds / 2):0} ms   {p99.Min():0} .. {p99.Max():0} (aim: at most 250); load {BenchGateway.Load()} at the end"));
        return 0;
    }

    async Task<double> RoundAsync(int length)
    {
        var (routine, flash) = (new ConcurrentQueue<Ready>(), new ConcurrentQueue<Ready>());
        await Parallel.ForAsync(0, length * 1000 / EveryMs + 20, async (_, _) => flash.Enqueue(await sender.SealAsync(["H41"], new byte[Size], "a.bin", Urgent)));
        // More than can be accepted in that time.
        await Parallel.ForAsync(0, length * MostASecond, async (_, _) => routine.Enqueue(await sender.SealAsync("H41", Size)));
        var before = gateway!.Longs("SELECT coalesce(max(rowid), 0) FROM attempt")[0];
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(length));
        var accepted = 0;
        var clients = Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            using var connection = await LeanClient.ConnectAsync(gateway.Address, sender.Tls);
            while (!over.IsCancellationRequested && routine.TryDequeue(out var one))
                if (Taken(await connection.PostAsync("/dispatches", one.File))) Interlocked.Increment(ref accepted);
        })).ToList();
        var waiting = new List<long>();
        using (var urgent = sender.Connect(gateway.Address))
        {
            var sending = new List<Task>();
            for (var (began, n) = (Stopwatch.GetTimestamp(), 0); !over.IsCancellationRequested && flash.TryDequeue(out var one); n++)
            {
                sending.Add(SendAsync(urgent, one));
                if (n % 10 == 0) waiting.Add(gateway.Waiting);
                var next = TimeSpan.FromMilliseconds((n + 1) * EveryMs) - Stopwatch.GetElapsedTime(began);
                if (next > TimeSpan.Zero) await Task.Delay(next);
            }
            await Task.WhenAll(sending);
        }
        await Task.WhenAll(clients);
        var delivered = gateway.Longs($"SELECT count(*) FROM attempt WHERE rowid > {before}")[0];
        for (var patience = Stopwatch.GetTimestamp(); gateway.Waiting > 0;)
        {
            if (Stopwatch.GetElapsedTime(patience) > TimeSpan.FromMinutes(2)) throw new TimeoutException("Copies still wait.");
            await Task.Delay(50);
        }
        var waits = gateway.Longs($"SELECT a.started_at - d.received_at FROM attempt a JOIN parcel p ON p.id = a.parcel JOIN dispatch d ON d.id = p.dispatch WHERE a.rowid > {before} AND a.fence = 1 AND d.urgency >= {Urgent}").Order().ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {waits.Length} flash: p50 {waits[waits.Length / 2]} ms, p99 {waits[waits.Length * 99 / 100]} ms, longest {waits[^1]} ms; {accepted / (double)length:0}/s accepted, {delivered / (double)length:0}/s delivered, {waiting.Order().ElementAt(waiting.Count / 2)} waited (median)"));
        return waits[waits.Length * 99 / 100];
    }

    static async Task SendAsync(HttpClient connection, Ready one)
    {
        var (status, body) = await OfficeByHand.PostAsync(connection, "/dispatches", one.File);
        if (!Taken(((int)status, body))) throw new InvalidOperationException("A flash dispatch was put off.");
    }

    // Busy is an answer to a routine one: a share of the journal is kept for flash.
    static bool Taken((int Status, byte[] Body) answer) =>
        answer.Status is 201 or 503 ? answer.Status == 201 : throw new InvalidOperationException($"{answer.Status}: {System.Text.Encoding.UTF8.GetString(answer.Body)}");

    public async ValueTask DisposeAsync()
    {
        gateway?.Dispose();
        if (endpoints is not null) await endpoints.DisposeAsync();
    }
}
