using System.Globalization;
using Exchange.Benchmarks;

// dotnet run -c Release --project tests/Benchmarks -- envelope PKI [MB] [ROUNDS]
// One file sealed and opened, in turn with age, gpg and openssl cms; the check without a key beside SHA-256 alone; documents of 64 KiB a second. PKI: a folder made by `exchange dev pki`.
// A peer that is not installed (age, gnupg, openssl) is "not run", never a win. TMPDIR=a folder in memory, or the disk is measured.
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
if (args is ["envelope", var keys, ..]) return await InAsync("envelope", place =>
{
    Console.WriteLine($"{Machine.Name}, {Environment.ProcessorCount} cores, load {BenchGateway.Load()}");
    return new EnvelopeRates(Path.GetFullPath(keys), Number(2, 256), Number(3, 5), place).RunAsync();
});
//                                                    -- fsck [ENTRIES] [details]
// The check of an exported ledger of so many entries, on two threads; with or without their details.
if (args is ["fsck", ..]) return await InAsync("fsck", place => Task.FromResult(FsckRates.Run(place, Number(1, 1_000_000), args is [_, _, "details"])));
//                                                    -- story FILE PINS [ROUNDS]
// An evidence file made whole out of its parts, and checked and told from its bytes. tests/Office.Tests/testdata/story has one.
if (args is ["story", var evidence, var pinned, ..]) return StoryRates.Run(evidence, pinned, Number(3, 50));
//                                                    -- search [ENTRIES]
// What auditors search in, over so many entries: how long it takes to make and to ask. The aim is a p99 of 50 ms at ten million.
if (args is ["search", ..]) return await InAsync("search", place => Task.FromResult(SearchRates.Run(place, Number(1, 1_000_000))));
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
Console.Error.WriteLine("usage: Benchmarks envelope PKI [MB=256] [ROUNDS=5] | ledger [ENTRIES=1000000] | fsck [ENTRIES=1000000] [details] | search [ENTRIES=1000000] | story FILE PINS [ROUNDS=50] | policy [DRAFT] [ROUNDS=5] | accept PKI [SECONDS=5] | deliver PKI [SECONDS=5] | flash PKI [SECONDS=10] | blackhole PKI [SECONDS=10] | pick PKI [ROWS=1000000] [CHURN=10000000]");
return 64;
