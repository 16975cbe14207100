using System.Diagnostics;
using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Policy;

namespace Exchange.Benchmarks;

/// <summary>Policies swapped as fast as one thread can, while every core decides. A decision is torn when it names no loaded policy or does not replay under the one it names.</summary>
static class SwapRates
{
    public static void Run(CompiledPolicy one, CompiledPolicy two, DecisionFacts[] questions, DateTimeOffset now)
    {
        var byRef = new[] { one, two }.ToDictionary(p => p.Ref);
        var current = one;
        long decided = 0, swaps = 0, torn = 0, kept = 0;
        var perPolicy = new System.Collections.Concurrent.ConcurrentDictionary<Digest, long>();
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var began = Stopwatch.GetTimestamp();
        Thread[] threads =
        [
            .. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() =>
            {
                for (var i = 0; !over.IsCancellationRequested; i++)
                {
                    var decision = Decision.Decide(questions[i % questions.Length], Volatile.Read(ref current), now);
                    Interlocked.Increment(ref decided);
                    // Every hundredth is written down and made again; of all it is known under what they were made.
                    if (!byRef.TryGetValue(decision.Policy, out var named) || (i % 100 == 0 && (Decision.PolicyOf(decision.Record) != named.Ref || !Decision.Replay(decision.Record, named)))) Interlocked.Increment(ref torn);
                    if (i % 100 != 0) continue;
                    Interlocked.Increment(ref kept);
                    perPolicy.AddOrUpdate(decision.Policy, 1, (_, n) => n + 1);
                }
            })),
            new Thread(() =>
            {
                for (var i = 0u; !over.IsCancellationRequested; i++)
                {
                    Volatile.Write(ref current, i % 2 == 0 ? two : one);
                    swaps++;
                    Thread.SpinWait(200);
                }
            }),
        ];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        PolicyRates.Demand(torn == 0, $"{torn} torn decisions");
        PolicyRates.Demand(perPolicy.Count == 2, "one policy never decided");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{decided:#,0} decisions while policies were swapped {swaps:#,0} times in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s: {kept:#,0} records replayed, {torn} torn"));
    }
}
