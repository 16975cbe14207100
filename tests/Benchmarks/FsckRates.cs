using System.Diagnostics;
using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;

namespace Exchange.Benchmarks;

/// <summary>
/// An exported ledger of so many made-up entries, written file by file, and the check of all of it on two threads: entries a second, and how far the process grew. The
/// folder is TMPDIR's: in memory, or the disk is measured. 65 bytes an entry and, with details, some 120 more.
/// </summary>
static class FsckRates
{
    public static int Run(string place, int count, bool withDetails)
    {
        const string origin = "benchmark/ledger";
        using var key = CheckpointKey.Create(origin);
        using var second = CosignerKey.Create(origin, NoteKeyType.MlDsa44Cosignature);
        var made = Stopwatch.GetTimestamp();
        Write(place, count, withDetails, head => key.Sign(head) + second.SignLine(head, 0), origin);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} entries written in {Stopwatch.GetElapsedTime(made).TotalSeconds:0.0} s"));
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        var (before, cpu, start) = (process.WorkingSet64, process.TotalProcessorTime, Stopwatch.GetTimestamp());
        var peak = new Peak();
        var findings = LedgerCheck.Check(new LedgerFolder(place), new LedgerPins(origin, [key.VerifierKey, second.VerifierKey]), peak, threads: 2);
        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        process.Refresh();
        var used = (process.TotalProcessorTime - cpu).TotalSeconds;
        foreach (var finding in findings.All) Console.WriteLine($"  {finding.Kind} {finding.Part} {finding.Check} {finding.Detail}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"checked in {took:0.0} s, {count / took:0} entries a second, {count / used:0} a second of processor time; working set {before >> 20} MiB before, at most {peak.Bytes >> 20} MiB while it ran; load {BenchGateway.Load()}"));
        return findings.ExitCode;
    }

    static void Write(string place, int count, bool withDetails, Func<Checkpoint, string> sign, string origin)
    {
        var frontier = TreeFrontier.Empty;
        var leaves = new List<Digest>(Tiles.Width);
        var pending = new Dictionary<(int, long), byte[]>();
        var detail = EntryDetails.Write(new DummyDetail { Time = 1_795_000_000_000 });
        for (long start = 0; start < count; start += Tiles.Width)
        {
            var entries = new LedgerEntry[Math.Min(Tiles.Width, count - start)];
            for (var i = 0; i < entries.Length; i++) entries[i] = LedgerEntry.Create(detail);
            Digest[] hashes = [.. entries.Select(e => e.Hash)];
            leaves.Clear();
            leaves.AddRange(hashes.Select(LedgerEntry.LeafOf));
            var path = new TilePath(0, start / Tiles.Width, entries.Length);
            File(place, (path with { Level = TilePath.Entries }).ToString(), EntryBundle.Write(hashes));
            if (withDetails) File(place, DetailBundle.PathOf(path), DetailBundle.Write([.. entries.Select(DetailLine.Open)]));
            frontier = frontier.Append(leaves);
            Level(place, pending, 0, start, leaves);
            // A thousand checkpoints in all.
            if (start / Tiles.Width % Math.Max(1, count / Tiles.Width / 1000) == 0) File(place, LedgerCheck.KeptPath(frontier.Size), Encoding.UTF8.GetBytes(sign(new Checkpoint(origin, frontier.Size, frontier.Root()))));
        }
        foreach (var ((level, index), bytes) in pending) File(place, new TilePath(level, index, bytes.Length / Digest.Size).ToString(), bytes);
        File(place, LedgerCheck.Newest, Encoding.UTF8.GetBytes(sign(new Checkpoint(origin, frontier.Size, frontier.Root()))));
    }

    // Hashes of one level, in order; what is complete is written and gives one hash to the level above.
    static void Level(string place, Dictionary<(int, long), byte[]> pending, int level, long first, IReadOnlyList<Digest> hashes)
    {
        var key = (level, first / Tiles.Width);
        byte[] bytes = [.. pending.GetValueOrDefault(key, []), .. hashes.SelectMany(h => h.ToArray())];
        pending[key] = bytes;
        if (bytes.Length < Tiles.Width * Digest.Size) return;
        pending.Remove(key);
        File(place, new TilePath(level, key.Item2, Tiles.Width).ToString(), bytes);
        Level(place, pending, level + 1, key.Item2, [Tiles.Fold(Tiles.Hashes(bytes))]);
    }

    static void File(string place, string path, byte[] bytes)
    {
        var file = Path.Combine(place, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        System.IO.File.WriteAllBytes(file, bytes);
    }

    sealed class Peak : IProgress<long>
    {
        public long Bytes { get; private set; }

        public void Report(long value) => Bytes = Math.Max(Bytes, Environment.WorkingSet);
    }
}
