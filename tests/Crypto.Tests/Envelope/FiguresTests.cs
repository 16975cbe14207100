using System.Diagnostics;
using System.Security.Cryptography;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;

namespace Exchange.Tests.Envelope;

/// <summary>Rates, printed, and the bounds that must hold on any machine. Run alone: dotnet run -c Release --project tests/Crypto.Tests -- -class "*.FiguresTests" -showliveoutput.</summary>
[Collection(nameof(Alone))]
public class FiguresTests
{
    const long Length = 256L << 20;

    [Fact, Trait("tier", "long")]
    public async Task Payloads_of_256_MiB_pass_in_memory_that_does_not_grow_with_them()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        var path = Path.Combine(Directory.CreateTempSubdirectory("exchange-figures-").FullName, "payload");
        try
        {
            PayloadRef? payload = null;
            await Measure("seal", async () =>
            {
                await using var output = File.Create(path, 1);
                (payload, _) = await PayloadSealer.SealAsync([new DocumentSource("zeros", "a/b", Length, null, () => new ZeroStream(Length))], 1, secret, output, null, default);
            });
            await Measure("verify", async () =>
            {
                await using var input = File.OpenRead(path);
                await Payload.VerifyAsync(input, payload!, null, null, default);
            });
            await Measure("open", async () =>
            {
                await using var input = File.OpenRead(path);
                await PayloadOpener.OpenAsync(input, payload!.Length, payload.Root, secret, new Nowhere(), null, default);
            });
        }
        finally { Directory.Delete(Path.GetDirectoryName(path)!, recursive: true); }
    }

    [Fact, Trait("tier", "long")]
    public async Task A_manifest_for_a_thousand_recipients_is_sealed_in_seconds()
    {
        var certificates = ManyRecipients.Take(1000).Recipients.Select(r => r.Certificate).ToList();
        var manifest = Array.Empty<byte>();
        var took = await Measure("manifest", () =>
        {
            manifest = ManifestSealer.Seal(default, new byte[32], new byte[2000], certificates, 4096);
            return Task.CompletedTask;
        }, bytes: 0);
        TestContext.Current.TestOutputHelper?.WriteLine($"{manifest.Length} bytes for 1000 recipients, 100 of them RSA-3072");
        Assert.InRange(took.TotalSeconds, 0, 15);
    }

    static async Task<TimeSpan> Measure(string what, Func<Task> action, long bytes = Length)
    {
        var self = Process.GetCurrentProcess();
        var (cpu, allocated, clock) = (self.TotalProcessorTime, GC.GetTotalAllocatedBytes(precise: true), Stopwatch.StartNew());
        await action();
        self.Refresh();
        var used = self.TotalProcessorTime - cpu;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{what}: {clock.Elapsed.TotalMilliseconds:f0} ms wall, {used.TotalMilliseconds:f0} ms cpu" + (bytes == 0 ? "" : $", {bytes / 1e6 / clock.Elapsed.TotalSeconds:f0} MB/s wall, {bytes / 1e6 / used.TotalSeconds:f0} MB per cpu-s"));
        if (bytes > 0) Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - allocated, 0, Length / 4);
        return used;
    }

    sealed class Nowhere : IPlaintextSink
    {
        public ValueTask WriteAsync(ReadOnlyMemory<byte> plaintext, CancellationToken cancel) => ValueTask.CompletedTask;
    }
}

/// <summary>Runs when nothing else does: what is counted belongs to the test.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone;
