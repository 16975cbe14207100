using System.Diagnostics;
using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Store;

namespace Exchange.Benchmarks;

/// <summary>
/// The index that auditors search in, over so many made-up entries of 500 offices and 8 labels, four of which the auditor may read: how long it takes to make, and what a chunk of 500 rows costs by each
/// filter, from a random place on. What is measured is the index on a disk that is TMPDIR's; salts, details and the entry that a look leaves come on top in the gateway.
/// </summary>
static class SearchRates
{
    const int Chunk = 500, Questions = 2000, Step = 20_000;

    public static int Run(string place, int count)
    {
        using var index = AuditIndex.Open(Path.Combine(place, "index.db"), _ => null);
        long[] audiences = [.. Enumerable.Range(0, 8).Select(i => index.Audience($"label {i}"))];
        var draw = new CountedDraw();
        var (made, keys) = (Stopwatch.GetTimestamp(), Enumerable.Range(0, 500).Select(i => Digest.Of(BitConverter.GetBytes(i)).GetHashCode() * 7919L).ToArray());
        Guid envelope = default;
        for (long seq = 0; seq < count; seq += Step)
        {
            var rows = new List<AboutRow>(Step);
            for (var at = seq; at < Math.Min(count, seq + Step); at++)
            {
                // Four entries a dispatch; one in a hundred is refused.
                if (at % 4 == 0) envelope = Guid.CreateVersion7(DateTimeOffset.FromUnixTimeMilliseconds(1_795_000_000_000 + at));
                var (sender, office) = (draw.Next(500), draw.Next(500));
                var kind = (at % 4) switch { 0 when draw.Next(100) == 0 => EntryKind.Rejection, 0 => EntryKind.Submission, 1 => EntryKind.Consignment, 2 => EntryKind.Opening, _ => EntryKind.Status };
                rows.Add(new()
                {
                    Seq = at, Audience = audiences[draw.Next(8)], Kind = kind, Verdict = kind switch { EntryKind.Submission => 2, EntryKind.Rejection => 0, _ => null }, Sender = $"O{sender}",
                    Office = at % 4 == 0 ? null : $"O{office}", Envelope = envelope, Key = at % 4 == 0 ? null : keys[office], Time = 1_795_000_000_000 + at,
                });
            }
            index.Add(new(rows[^1].Seq + 1, default, rows, [], []));
        }
        var took = Stopwatch.GetElapsedTime(made).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} entries indexed in {took:0.0} s, {count / took:0} a second, {new FileInfo(Path.Combine(place, "index.db")).Length >> 20} MiB"));
        long[] seen = audiences[..4];
        foreach (var (name, column) in new (string, Func<(string, object)?>)[]
        {
            ("no filter", () => null), ("kind", () => ("kind", (long)EntryKind.Opening)), ("refused", () => ("verdict", 0L)), ("sender", () => ("sender", $"O{draw.Next(500)}")),
            ("office", () => ("office", $"O{draw.Next(500)}")), ("certificate", () => ("key", keys[draw.Next(500)])), ("dispatch", () => ("envelope", envelope)),
        })
        {
            var times = new double[Questions];
            for (var i = 0; i < Questions; i++)
            {
                var start = Stopwatch.GetTimestamp();
                index.Find(seen, draw.Next(count), count, column(), Chunk);
                times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }
            Array.Sort(times);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-12} 500 rows: median {times[Questions / 2],7:0.00} ms   p99 {times[Questions * 99 / 100],7:0.00} ms   most {times[^1],7:0.00} ms"));
        }
        Console.WriteLine($"load {BenchGateway.Load()}");
        return 0;
    }

    /// <summary>The same numbers in each run.</summary>
    sealed class CountedDraw
    {
        ulong state = 88172645463325252;

        public int Next(int below)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            return (int)(state % (ulong)below);
        }
    }
}
