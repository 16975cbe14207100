using System.Globalization;
using System.Security.Cryptography;
using Exchange.Crypto.Envelope;

namespace Exchange.Benchmarks;

/// <summary>
/// One file sealed and opened, in turn with other programs on the same file; the check without a key beside SHA-256 alone; documents of 64 KiB. TMPDIR had better be a folder in memory: a disk would measure
/// itself. What the product does runs in this process, warm; a peer's time includes its start, a few milliseconds of what is here hundreds.
/// </summary>
sealed class EnvelopeRates(string pki, int megabytes, int rounds, string work)
{
    readonly Dictionary<string, List<Took>> took = [];

    public async Task<int> RunAsync()
    {
        var file = Path.Combine(work, "document.bin");
        Fill(file);
        var product = new SealAndOpen(pki, work, file);
        List<Peer> peers = [.. new[] { Peer.Age(work, file), Peer.Gpg(work, file), Peer.OpenSsl(work, file, pki) }.OfType<Peer>()];
        try
        {
            // Warm: JIT, page cache, curves. And once it is looked whether what comes out is what went in.
            await product.SealAsync();
            await product.OpenAsync(keep: true);
            Demand(file, product.Opened, "exchange");
            foreach (var peer in peers.ToList())
                try
                {
                    await peer.SealAsync();
                    await peer.OpenAsync();
                    Demand(file, peer.Opened, peer.Name);
                    File.Delete(peer.Opened);
                }
                catch (InvalidOperationException e)
                {
                    Say($"{peer.Name}: not run. {e.Message}");
                    peers.Remove(peer);
                }
            for (var round = 0; round < rounds; round++)
            {
                await Take("seal", "exchange", async () => { await product.SealAsync(); return 0; });
                foreach (var peer in peers) await Take("seal", peer.Name, peer.SealAsync);
                await Take("open", "exchange", async () => { await product.OpenAsync(); return 0; });
                foreach (var peer in peers) await Take("open", peer.Name, peer.OpenAsync);
            }
            await CheckAsync(product);
        }
        finally { foreach (var peer in peers) await peer.EndAsync(); }
        Say($"{megabytes} MB, {rounds} rounds in turn: median (slowest .. fastest); times: of each round");
        foreach (var job in (string[])["seal", "open", "check"]) Tell(job);
        await new SmallRates(product, rounds).RunAsync();
        return 0;
    }

    /// <summary>The payload in memory, against SHA-256 of the same bytes by all cores and nothing else.</summary>
    async Task CheckAsync(SealAndOpen product)
    {
        var wire = await File.ReadAllBytesAsync(product.Payload);
        const int piece = Payload.SegmentLength + Payload.TagLength;
        Task Raw() => Task.Run(() => Parallel.For(0, (wire.Length + piece - 1) / piece,
            i => SHA256.HashData(wire.AsSpan(i * piece, Math.Min(piece, wire.Length - i * piece)), stackalloc byte[SHA256.HashSizeInBytes])));
        await Raw();
        for (var round = 0; round < rounds; round++)
        {
            await Take("check", "exchange", async () => { await product.CheckAsync(wire); return 0; });
            await Take("check", "SHA-256 alone", async () => { await Raw(); return 0; });
        }
    }

    async Task Take(string job, string name, Func<Task<double>> run)
    {
        var key = $"{job}, {name}";
        if (!took.TryGetValue(key, out var list)) took.Add(key, list = []);
        list.Add(await Took.ByAsync(run));
    }

    void Tell(string job)
    {
        var ours = took[$"{job}, exchange"];
        foreach (var (key, theirs) in took.Where(t => t.Key.StartsWith(job, StringComparison.Ordinal)))
        {
            var mine = ReferenceEquals(theirs, ours);
            var beside = mine ? $"{Spread.Of(theirs.Select(t => t.Allocated / 1024.0)).As("0")} KiB allocated" : $"exchange is {Spread.Of(theirs.Zip(ours, (t, o) => t.Wall / o.Wall)).As("0.00")} times as fast";
            Say($"{key,-22} {Spread.Of(theirs.Select(t => megabytes / t.Wall)).As("0"),-21} MB/s {Spread.Of(theirs.Select(t => t.Cpu * 1000 / megabytes)).Median,6:0.00} cpu-s/GB   {beside}");
        }
    }

    void Fill(string file)
    {
        using var stream = File.Create(file);
        var block = new byte[1_000_000];
        for (var i = 0; i < megabytes; i++)
        {
            RandomNumberGenerator.Fill(block);
            stream.Write(block);
        }
    }

    static void Demand(string file, string opened, string who)
    {
        using FileStream one = File.OpenRead(file), other = File.OpenRead(opened);
        if (!SHA256.HashData(one).AsSpan().SequenceEqual(SHA256.HashData(other))) throw new InvalidDataException($"{who}: what came out is not what went in");
    }

    public static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
