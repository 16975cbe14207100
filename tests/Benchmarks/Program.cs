using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Exchange.Benchmarks;
using Exchange.Crypto;

// dotnet run -c Release --project tests/Benchmarks -- PKI [MB] [ROUNDS]
// Seals and opens one file, in turn with named peers that do the same job on the same file, and prints medians, spread and ratios.
// PKI: a folder made by `exchange dev pki`. A peer that is not installed is "not run", never a win.
//                                                    -- ledger [ENTRIES]
// Rates of the ledger's mathematics.
if (args is ["ledger", ..]) return LedgerRates.Run(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1_000_000);
//                                                    -- policy [DRAFT] [ROUNDS]
// Rates of the decision, beside a XACML engine on the same questions.
if (args is ["policy", ..]) return PolicyRates.Run(args.Length > 1 ? args[1] : "samples/policies/vietnam-state.json", args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 5);
int Number(int at, int otherwise) => args.Length > at ? int.Parse(args[at], CultureInfo.InvariantCulture) : otherwise;
async Task<int> InAsync(string what, Func<string, Task<int>> run)
{
    var place = Directory.CreateTempSubdirectory($"exchange-{what}-").FullName;
    try { return await run(place); }
    finally { Directory.Delete(place, recursive: true); }
}
//                                                    -- accept PKI [SECONDS]
// Durable accepts a second over mutual TLS at 1, 16 and 64 clients, in turn with Postfix; SECONDS for each of them. As root, for Postfix.
if (args is ["accept", var senders, ..]) return await InAsync("accept", async place =>
{
    using var accept = new Accept(Path.GetFullPath(senders), Number(2, 5), place);
    return await accept.RunAsync();
});
//                                                    -- deliver PKI [SECONDS]
// Whole ways a second, from a sender to the receipt: by https with and without sealing, folder and mailbox, in turn with accept alone and Postfix into a Maildir. As root, for Postfix.
if (args is ["deliver", var carried, ..]) return await InAsync("deliver", async place =>
{
    await using var deliver = new Deliver(Path.GetFullPath(carried), Number(2, 5), place);
    return await deliver.RunAsync();
});
//                                                    -- flash PKI [SECONDS]
// How long a flash dispatch waits for its first attempt while the gateway has more routine ones than it can carry.
if (args is ["flash", var urgent, ..]) return await InAsync("flash", async place =>
{
    await using var flash = new Flash(Path.GetFullPath(urgent), Number(2, 10), place);
    return await flash.RunAsync();
});
//                                                    -- blackhole PKI [SECONDS]
// What one office of five hundred that never answers costs the others. PKI: a folder that is made with so many offices when it is not there.
if (args is ["blackhole", var many, ..]) return await InAsync("blackhole", async place =>
{
    await using var blackhole = new Blackhole(Path.GetFullPath(many), Number(2, 10), place);
    return await blackhole.RunAsync();
});
//                                                    -- pick PKI [ROWS] [CHURN]
// What the next job costs among so many that wait, and after so many have gone through a lane.
if (args is ["pick", var trust, ..]) return await InAsync("pick", place => Task.FromResult(new PickRates(Path.GetFullPath(trust), place).Run(Number(2, 1_000_000), Number(3, 10_000_000))));
if (args.Length is < 1 or > 3)
{
    Console.Error.WriteLine("usage: Benchmarks PKI [MB=256] [ROUNDS=5] | ledger [ENTRIES=1000000] | policy [DRAFT] [ROUNDS=5] | accept PKI [SECONDS=5] | deliver PKI [SECONDS=5] | flash PKI [SECONDS=10] | blackhole PKI [SECONDS=10] | pick PKI [ROWS=1000000] [CHURN=10000000]");
    return 64;
}
var megabytes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 256;
var rounds = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 5;
var work = Directory.CreateTempSubdirectory("exchange-benchmark-").FullName;
try
{
    var file = Path.Combine(work, "document.bin");
    using (var stream = File.Create(file))
    {
        var block = new byte[1_000_000];
        for (var i = 0; i < megabytes; i++)
        {
            RandomNumberGenerator.Fill(block);
            stream.Write(block);
        }
    }
    var product = new SealAndOpen(Path.GetFullPath(args[0]), work, file);
    var openssl = new OpenSslPeer(Path.GetFullPath(args[0]), work, file);
    (string Name, Func<Task> Run)[] rivals =
    [
        ("seal, exchange", product.SealAsync), ("seal, openssl cms sign|encrypt|sign", openssl.SealAsync),
        ("open, exchange", product.OpenAsync), ("open, openssl cms verify|decrypt|verify", openssl.OpenAsync),
    ];
    foreach (var (_, run) in rivals) await run();   // warm: JIT, page cache, curves
    var seconds = rivals.ToDictionary(r => r.Name, _ => new List<double>());
    for (var round = 0; round < rounds; round++)
        foreach (var (name, run) in rivals)
        {
            var began = Stopwatch.GetTimestamp();
            await run();
            seconds[name].Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
        }
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{megabytes} MB, {rounds} rounds in turn, {Environment.ProcessorCount} cores, load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}"));
    foreach (var (name, times) in seconds)
    {
        times.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-42} median {megabytes / times[times.Count / 2],7:0} MB/s   {megabytes / times[^1]:0} .. {megabytes / times[0]:0}"));
    }
    foreach (var job in (string[])["seal", "open"])
    {
        var pair = seconds.Where(s => s.Key.StartsWith(job, StringComparison.Ordinal)).Select(s => s.Value[s.Value.Count / 2]).ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{job}: {pair[1] / pair[0]:0.0} times openssl cms"));
    }
    return 0;
}
finally { Directory.Delete(work, recursive: true); }
