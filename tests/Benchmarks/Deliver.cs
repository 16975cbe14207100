using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Threading.Channels;
using Exchange.Tests;

namespace Exchange.Benchmarks;

/// <summary>
/// Whole ways a second, from a sender's first byte until the gateway has settled: checked, decided, journalled, carried or fetched, receipted by the receiving office where the channel can, and by the
/// gateway. Dispatches of 10 KB, as in accept, each to one office; 16 clients with one connection each. Clients, endpoint and Postfix share the cores with the gateway, and what they use is printed.
/// In turn with accept alone on the same gateway, and with Postfix taking mails of the same size and delivering them into a Maildir.
/// </summary>
sealed class Deliver(string pki, int seconds, string work) : IAsyncDisposable
{
    const int Size = 10_000, Rounds = 3, Clients = 16, AtOnce = 32, Fetchers = 8, Fewest = 300, Most = 6000;
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    static readonly (string Name, string To, bool Seals, double Aim)[] Ways =
    [
        ("accept alone", "G22", false, 0), ("https", "H41", false, 400), ("https, sealing in the loop", "H41", true, 250), ("folder", "H14", false, 0), ("mailbox, fetched", "H37", false, 0),
    ];
    readonly OfficeByHand sender = new(pki, "G22"), other = new(pki, "H41"), fetcher = new(pki, "H37");
    readonly Dictionary<string, List<Figure>> figures = [];
    BenchGateway? gateway;
    Endpoints? endpoints;
    long sent;

    sealed record Figure(double Rate, double GatewayMs, double OthersMs);

    public async Task<int> RunAsync()
    {
        // One office stands for all that are delivered to as well.
        gateway = await BenchGateway.StartAsync(pki, work, ("deliveries", AtOnce), ("deliveriesPerOffice", AtOnce));
        endpoints = await Endpoints.StartAsync(sender, "H41");
        Directory.CreateDirectory(Path.Combine(work, "folders", "h14"));
        await gateway.ReachAsync(new Dictionary<string, (string, string, string)> { ["H41"] = ("https", "url", endpoints.UrlOf("H41")), ["H14"] = ("folder", "folder", "h14") });
        using var postfix = PostfixPeer.Start(delivers: true);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Size} bytes, {Clients} clients, {Rounds} rounds in turn, {Environment.ProcessorCount} cores for the gateway, the clients, the endpoint and Postfix{(postfix is null ? " (not run)" : "")} together, load {BenchGateway.Load()}"));
        // A gateway runs for months: until what it does often is compiled for good, and the offices' windows are wide, it is not the one that is measured.
        for (var warm = 0; warm < 4; warm++)
            foreach (var (name, to, seals, _) in Ways) await RunAsync(name, to, seals, Fewest + warm * Fewest / 2);
        figures.Clear();
        Console.WriteLine("so far to warm up");
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var (name, to, seals, _) in Ways) await RunAsync(name, to, seals, Count(name));
            if (postfix is not null) Add("Postfix into a Maildir", new(postfix.Deliver(Clients, Count("Postfix into a Maildir"), Size), 0, 0));
        }
        foreach (var (name, list) in figures) Print(name, list, Ways.FirstOrDefault(w => w.Name == name).Aim);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"https: {Rate("https") / Rate("accept alone"):0.00} times accept alone{(postfix is null ? "" : $", {Rate("https") / Rate("Postfix into a Maildir"):0.0} times Postfix")}; load {BenchGateway.Load()} at the end"));
        Demand();
        return 0;
    }

    // Whatever was counted above must stand in the store: every copy that a channel carried is delivered, and the gateway's consignment says so.
    void Demand()
    {
        var carried = gateway!.Longs("SELECT count(*) FROM parcel WHERE state = 2")[0];
        var consigned = gateway.Longs("SELECT count(*) FROM receipt WHERE event = 'ContentConsignment'")[0];
        var left = gateway.Longs("SELECT count(*) FROM parcel WHERE state NOT IN (1, 2)")[0];
        Console.WriteLine($"{carried} copies delivered, {consigned} consignments signed, {left} in any other state");
        if (left > 0) throw new InvalidOperationException("A copy was not delivered.");
    }

    void Add(string name, Figure figure)
    {
        if (!figures.TryGetValue(name, out var list)) figures[name] = list = [];
        list.Add(figure);
    }

    int Count(string name) => figures.TryGetValue(name, out var known) ? (int)Math.Clamp(known[^1].Rate * seconds, Fewest, Most) : Fewest * 2;

    double Rate(string name) => Median(figures[name], f => f.Rate);

    static double Median(List<Figure> list, Func<Figure, double> value) => list.Select(value).Order().ElementAt(list.Count / 2);

    static void Print(string name, List<Figure> list, double aim)
    {
        var cpu = list[0].GatewayMs > 0 ? string.Create(CultureInfo.InvariantCulture, $"   CPU-ms each: gateway {Median(list, f => f.GatewayMs):0.00}, clients and endpoint {Median(list, f => f.OthersMs):0.00}") : "";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-28} median {Median(list, f => f.Rate),5:0}/s   {list.Min(f => f.Rate):0} .. {list.Max(f => f.Rate):0}{(aim > 0 ? $" (aim: {aim})" : "")}{cpu}"));
    }

    async Task RunAsync(string name, string to, bool seals, int count)
    {
        // Accept alone goes to an office that never fetches, from another sender.
        var from = to == "G22" ? other : sender;
        var ready = new ConcurrentQueue<Ready>();
        if (!seals) await Parallel.ForAsync(0, count, async (_, _) => ready.Enqueue(await from.SealAsync(to, Size)));
        var connections = new List<LeanClient>();
        while (connections.Count < Clients) connections.Add(await LeanClient.ConnectAsync(gateway!.Address, from.Tls));
        using var mailbox = fetcher.Connect(gateway!.Address);
        (sent, var mine) = (0, Environment.CpuUsage.TotalTime);
        var (cpu, began) = (gateway.CpuMs(), Stopwatch.GetTimestamp());
        var fetching = to == "H37" ? FetchAsync(mailbox, count) : Task.CompletedTask;
        await Task.WhenAll(connections.Select(connection => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref sent) <= count)
            {
                var one = seals ? await from.SealAsync(to, Size) : ready.TryDequeue(out var made) ? made : throw new InvalidOperationException("Too few were sealed.");
                var (status, body) = await connection.PostAsync("/dispatches", one.File);
                if (status != 201) throw new InvalidOperationException($"{status}: {System.Text.Encoding.UTF8.GetString(body)}");
            }
        })));
        await fetching;
        while (gateway.Waiting > 0)
        {
            if (Stopwatch.GetElapsedTime(began) > Patience) throw new TimeoutException($"{name}: {gateway.Waiting} copies still wait.");
            await Task.Delay(5);
        }
        var elapsed = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Add(name, new(count / elapsed, (gateway.CpuMs() - cpu) / count, (Environment.CpuUsage.TotalTime - mine).TotalMilliseconds / count));
        foreach (var connection in connections) connection.Dispose();
        // What a folder holds is its office's to take away.
        foreach (var file in Directory.EnumerateFiles(Path.Combine(work, "folders", "h14"))) File.Delete(file);
    }

    // An office's software: it lists as things come, and some at once fetch, sign and acknowledge.
    async Task FetchAsync(HttpClient http, int count)
    {
        var listed = Channel.CreateUnbounded<Guid>();
        var working = Enumerable.Range(0, Fetchers).Select(_ => Task.Run(async () =>
        {
            await foreach (var parcel in listed.Reader.ReadAllAsync())
            {
                var file = await http.GetByteArrayAsync($"/mailbox/{parcel}");
                using var content = new ByteArrayContent(fetcher.Handover(file));
                content.Headers.ContentType = new MediaTypeHeaderValue("application/cms");
                using var answer = await http.PostAsync($"/mailbox/{parcel}/receipts", content);
                answer.EnsureSuccessStatusCode();
            }
        })).ToArray();
        // From the first each time: a commit may bring a parcel that is older than one that was listed before.
        for (var (known, before) = (new HashSet<Guid>(), -1); known.Count < count; before = known.Count)
        {
            if (known.Count == before) await Task.Delay(20);
            using var page = JsonDocument.Parse(await http.GetByteArrayAsync("/mailbox?wait=10"));
            foreach (var parcel in page.RootElement.GetProperty("parcels").EnumerateArray().Select(p => p.GetProperty("parcel").GetGuid()).Where(known.Add)) await listed.Writer.WriteAsync(parcel);
        }
        listed.Writer.Complete();
        await Task.WhenAll(working);
    }

    public async ValueTask DisposeAsync()
    {
        gateway?.Dispose();
        if (endpoints is not null) await endpoints.DisposeAsync();
    }
}
