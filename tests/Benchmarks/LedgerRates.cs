using System.Diagnostics;
using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;

namespace Exchange.Benchmarks;

/// <summary>
/// The ledger's mathematics on one core, in memory: append (entry, leaf, frontier, tiles; batches of 256), check of the whole export, and proofs. Rates are per
/// second of processor time, so that other work on the machine moves them little.
/// </summary>
static class LedgerRates
{
    public static int Run(int count)
    {
        var rows = new Dictionary<(int, long), TileRow>();
        var leaves = new List<Digest>(count);
        var entries = new List<Digest>(count);
        var frontier = TreeFrontier.Empty;
        var detail = EntryDetails.Write(new ConsignmentDetail("G22", Guid.CreateVersion7(), Digest.Of([1]), "H41", Digest.Of([2]), Digest.Of([3])) { Time = 1 });
        Measure("append, salted entry of " + detail.Length + " bytes", count, () =>
        {
            while (entries.Count < count)
            {
                var batch = new Digest[Math.Min(256, count - entries.Count)];
                for (var i = 0; i < batch.Length; i++)
                {
                    var entry = LedgerEntry.Create(detail).Hash;
                    entries.Add(entry);
                    batch[i] = LedgerEntry.LeafOf(entry);
                }
                foreach (var row in Tiles.Completed(leaves.Count, batch, Read)) rows.Add((row.Level, row.Index), row);
                leaves.AddRange(batch);
                frontier = frontier.Append(batch);
            }
        });

        using var key = CheckpointKey.Create("benchmark/ledger");
        var note = Encoding.UTF8.GetBytes(key.Sign(new Checkpoint(key.Origin, count, frontier.Root())));
        Measure("check of every file", count, () =>
        {
            var findings = LedgerCheck.Check(note, key.VerifierKey, path => path.Level != TilePath.Entries ? Read(path.Level, path.Index, path.Width).ToArray()
                : EntryBundle.Write(entries.GetRange((int)path.Index * Tiles.Width, path.Width)));
            if (findings.ExitCode != 0) throw new InvalidOperationException("the check found something");
        });

        const int proofs = 20_000;
        var root = frontier.Root();
        var made = new IReadOnlyList<Digest>[proofs / 10];
        Measure("inclusion proof made from tiles", made.Length, () =>
        {
            for (var i = 0; i < made.Length; i++) made[i] = Tiles.InclusionProof(Index(i), count, Read);
        });
        Measure("inclusion proof checked", proofs, () =>
        {
            for (var i = 0; i < proofs; i++)
                if (!MerkleTree.VerifyInclusion(leaves[(int)Index(i % made.Length)], Index(i % made.Length), count, made[i % made.Length], root)) throw new InvalidOperationException("proof");
        });
        Measure("checkpoint signature checked", 2_000, () => { for (var i = 0; i < 2_000; i++) Checkpoint.Open(note, key.VerifierKey); });
        return 0;

        long Index(int i) => i * 7919L % count;

        ReadOnlyMemory<byte> Read(int level, long index, int width)
        {
            if (rows.TryGetValue((level, index), out var row)) return row.Data.AsMemory(0, width * Digest.Size);
            var bytes = new byte[width * Digest.Size];
            for (var i = 0; i < width; i++)
                (level == 0 ? leaves[(int)(index * Tiles.Width) + i] : rows[(level - 1, (index * Tiles.Width) + i)].Root).CopyTo(bytes.AsSpan(i * Digest.Size));
            return bytes;
        }
    }

    static void Measure(string what, int count, Action run)
    {
        using var process = Process.GetCurrentProcess();
        var (cpu, wall) = (process.TotalProcessorTime, Stopwatch.GetTimestamp());
        run();
        process.Refresh();
        var used = (process.TotalProcessorTime - cpu).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-44} {count / used,10:0} per cpu second   {count / Stopwatch.GetElapsedTime(wall).TotalSeconds,10:0} per second"));
    }
}
