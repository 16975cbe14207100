using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Exchange.Office.Client;
using Exchange.Office.Dev;
using Exchange.Tests;

namespace Exchange.Benchmarks;

/// <summary>
/// Copies a second that 499 offices take over https while the five-hundredth takes connections and never says a word, in turn with the same where it is well. Each round another office is the black
/// hole, so that its breaker is still closed when the round begins: the worst of it. One process plays all offices, each with its own keys and port; dispatches of 1 KB go to ten offices each.
/// </summary>
sealed class Blackhole(string pki, int seconds, string work) : IAsyncDisposable
{
    const int Offices = 500, Rounds = 5, Clients = 4, Size = 1_000, PerDispatch = 10, RampSeconds = 2, MostWaiting = 1500, MostASecond = 900;
    static readonly string[] Codes = [.. Enumerable.Range(0, Offices).Select(i => string.Create(CultureInfo.InvariantCulture, $"X{i:000}"))];
    BenchGateway? gateway;
    Endpoints? endpoints;
    OfficeByHand? sender;
    long submitted, failed;

    /// <summary>A development PKI with all of them, unless the folder is one.</summary>
    void MakePki()
    {
        if (Directory.Exists(Path.Combine(pki, "offices", Codes[^1]))) return;
        Console.WriteLine($"making a development PKI of {Offices} more offices in {pki}");
        DevPki.Write(pki, TimeProvider.System.GetUtcNow(), force: false, [.. Codes.Select(code => new DevOffice(code, new($"Cơ quan {code}", $"Office {code}"), [10], [2]))]);
    }

    public async Task<int> RunAsync()
    {
        MakePki();
        sender = new(pki, "G22");
        gateway = await BenchGateway.StartAsync(pki, work);
        endpoints = await Endpoints.StartAsync(sender, Codes);
        await gateway.ReachAsync(Codes.ToDictionary(code => code, code => ("https", "url", endpoints.UrlOf(code))));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Offices} offices, {Rounds} rounds in turn of {seconds} s after {RampSeconds} s, {Environment.ProcessorCount} cores for gateway, clients and endpoints, load {BenchGateway.Load()}"));
        // Everybody's connection stands, and what the gateway does often is compiled for good.
        for (var warm = 0; warm < 2; warm++) await RoundAsync(null);
        Console.WriteLine("  so far to warm up");
        var (well, holed) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            // Whichever comes first has an emptier store: by turns.
            if (round % 2 == 0) well.Add(await RoundAsync(null));
            holed.Add(await RoundAsync(Codes[round * 7]));
            if (round % 2 != 0) well.Add(await RoundAsync(null));
        }
        var lost = holed.Zip(well, (h, w) => 100 * (1 - h / w)).Order().ToArray();
        void Print(string name, List<double> rates) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-28} median {rates.Order().ElementAt(Rounds / 2),5:0}/s   {rates.Min():0} .. {rates.Max():0}"));
        Print("all well", well);
        Print("one of them a black hole", holed);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"lost to the others: median {lost[Rounds / 2]:0.0} %   {lost[0]:0.0} .. {lost[^1]:0.0} (aim: at most 5 %); {failed} attempts failed; load {BenchGateway.Load()} at the end"));
        return 0;
    }

    async Task<double> RoundAsync(string? hole)
    {
        // Everybody gets something, in an order of its own; enough for more than the round can carry.
        var ready = new ConcurrentQueue<Ready>();
        var order = Enumerable.Range(0, (seconds + RampSeconds) * MostASecond / Offices + 2).SelectMany(_ => Codes.OrderBy(_ => Random.Shared.Next())).Chunk(PerDispatch).Select(c => c.Order(StringComparer.Ordinal).ToArray()).ToList();
        await Parallel.ForEachAsync(order, async (to, _) => ready.Enqueue(await sender!.SealAsync(to, System.Security.Cryptography.RandomNumberGenerator.GetBytes(Size), "a.bin", urgency: 0)));
        endpoints!.Swallow(hole);
        using var over = new CancellationTokenSource();
        var (taken, before) = (endpoints.Taken, Failed());
        submitted = 0;
        var clients = Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            using var connection = sender!.Connect(gateway!.Address);
            while (!over.IsCancellationRequested)
            {
                // The queue stays full, and no fuller: what is measured is how it empties.
                if (Interlocked.Read(ref submitted) - (endpoints.Taken - taken) > MostWaiting)
                {
                    await Task.Delay(5);
                    continue;
                }
                if (!ready.TryDequeue(out var one)) throw new InvalidOperationException("Too few were sealed for this round.");
                var (status, body) = await OfficeByHand.PostAsync(connection, "/dispatches", one.File);
                if (status != HttpStatusCode.Created) throw new InvalidOperationException($"{status}: {System.Text.Encoding.UTF8.GetString(body)}");
                Interlocked.Add(ref submitted, PerDispatch);
            }
        })).ToList();
        await Task.Delay(TimeSpan.FromSeconds(RampSeconds));
        var (from, began) = (endpoints.Taken, Stopwatch.GetTimestamp());
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        var rate = (endpoints.Taken - from) / Stopwatch.GetElapsedTime(began).TotalSeconds;
        await over.CancelAsync();
        await Task.WhenAll(clients);
        endpoints.Swallow(null);
        // What went to the black hole is tried again later; it is all that may be left.
        for (var patience = Stopwatch.GetTimestamp(); gateway!.Waiting > MostWaiting / 10;)
        {
            if (Stopwatch.GetElapsedTime(patience) > TimeSpan.FromMinutes(1)) throw new TimeoutException($"{gateway.Waiting} copies still wait.");
            await Task.Delay(50);
        }
        failed = Failed();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {(hole is null ? "all well" : hole + " a black hole"),-20} {rate:0}/s, {failed - before} attempts failed"));
        return rate;
    }

    long Failed() => gateway!.Longs("SELECT count(*) FROM attempt WHERE outcome <> 1")[0];

    public async ValueTask DisposeAsync()
    {
        gateway?.Dispose();
        if (endpoints is not null) await endpoints.DisposeAsync();
    }
}
