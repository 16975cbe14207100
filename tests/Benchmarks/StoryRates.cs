using System.Diagnostics;
using System.Globalization;
using Exchange.Crypto.Evidence;
using Exchange.Office;
using Exchange.Office.Client.Stories;

namespace Exchange.Benchmarks;

/// <summary>What an evidence file costs once its receipts are at hand: report, list and file made of its parts; and the whole check and story, from the file's bytes.</summary>
static class StoryRates
{
    public static int Run(string file, string pinsFile, int rounds)
    {
        var (bytes, pins) = (File.ReadAllBytes(file), EvidenceFolder.PinsFileOf(pinsFile));
        var parts = EvidenceZip.Read(bytes, new Findings());
        List<double> made = [], told = [];
        // The first rounds find code that is not compiled yet.
        for (var round = -5; round < rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            var again = EvidenceZip.Write(EvidenceFile.Complete(parts, pins));
            var between = Stopwatch.GetTimestamp();
            var findings = new Findings();
            var story = StoryCheck.Run(EvidenceZip.Read(bytes, findings), whole: true, findings, pins, null);
            var end = Stopwatch.GetTimestamp();
            if (!again.AsSpan().SequenceEqual(bytes) || story.ExitCode != 0) { Console.Error.WriteLine($"not good, or written otherwise: {file}"); return 1; }
            if (round < 0) continue;
            made.Add(Stopwatch.GetElapsedTime(start, between).TotalMilliseconds);
            told.Add(Stopwatch.GetElapsedTime(between, end).TotalMilliseconds);
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Machine.Name}, {Environment.ProcessorCount} cores, load {BenchGateway.Load()}; {parts.Count} files, {bytes.Length / 1024} KiB, {rounds} rounds"));
        Say("made", made);
        Say("checked and told", told);
        return 0;
    }

    static void Say(string what, List<double> times)
    {
        times.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-18} median {times[times.Count / 2],7:0.0} ms   {times[0]:0.0} to {times[^1]:0.0}"));
    }
}
