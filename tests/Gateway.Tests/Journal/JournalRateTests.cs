using System.Diagnostics;
using Exchange.Gateway.Journaling;

namespace Exchange.Tests;

/// <summary>
/// How many accepts a second the journal makes durable (dispatch of 6 KB, two parcels, receipt, decision, entry), without HTTP, TLS or signatures:
/// dotnet run -c Release --project tests/Gateway.Tests -- -class Exchange.Tests.JournalRateTests -showliveoutput
/// </summary>
public sealed class JournalRateTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 300)]
    [InlineData(16, 3000)]
    [InlineData(64, 6000)]
    [Trait("tier", "long")]
    public async Task Accepts_per_second(int senders, int count)
    {
        using var store = new TestStore(options: new JournalOptions());
        store.Journal.Start();
        var one = store.NewDispatch("G22", "H41", "H14");
        var dispatches = Enumerable.Range(0, count).Select(_ => one.Again(store)).ToArray();
        var milliseconds = new double[count];
        var next = -1;

        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, senders).Select(_ => Task.Run(async () =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count;)
            {
                var asked = Stopwatch.GetTimestamp();
                Assert.True(await store.Journal.Commit(dispatches[i].Accept, 6000));
                milliseconds[i] = Stopwatch.GetElapsedTime(asked).TotalMilliseconds;
            }
        })));
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;

        Assert.Equal(count, store.Head().Size);
        Array.Sort(milliseconds);
        output.WriteLine($"{senders,3} senders: {count / seconds:0} accepts/s, p50 {milliseconds[count / 2]:0.0} ms, p99 {milliseconds[count * 99 / 100]:0.0} ms, load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}");
    }
}
