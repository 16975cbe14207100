using System.Runtime.InteropServices;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;

namespace Exchange.Tests.Hostile;

/// <param name="Name">What is done to a good one.</param>
/// <param name="Code">With what it is refused.</param>
/// <param name="Make">Does it. What it returns reads the result as the product does, and opens it into the given folder where it can.</param>
sealed record Row(string Name, Refusal Code, Func<Action<string>> Make);

/// <summary>Each known way to cheat, done by someone who has the keys it takes: refused with its one code, in bounded time and memory, and nothing is written.</summary>
public partial class HostileTests
{
    /// <summary>Of the thread that reads. Room for the largest parts (a manifest of 4 MiB, read and written again) and one pipeline of segments.</summary>
    const long MaxAllocated = 96 << 20;
    /// <summary>Of work, not on the wall: the slowest row takes a tenth of it.</summary>
    const double MaxMilliseconds = 2000;

    static readonly Row[] All =
        [.. FileRows.All, .. HeaderRows.All, .. HeaderJsonRows.All, .. SignatureRows.All, .. ManifestRows.All, .. DispatchRows.All, .. PayloadRows.All, .. ReceiptRows.All, .. LedgerRows.All];

    public static TheoryData<string> Names => [.. All.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Refused(string name)
    {
        var row = All.Single(r => r.Name == name);
        Read.Made = null;
        var read = row.Make();
        if (Read.Made is { } bytes) InspectionTests.Told(row, bytes);
        var folder = Directory.CreateTempSubdirectory("exchange-hostile-");
        try
        {
            var (allocated, worked) = (GC.GetAllocatedBytesForCurrentThread(), Worked());
            var answer = Record.Exception(() => read(folder.FullName));
            (allocated, worked) = (GC.GetAllocatedBytesForCurrentThread() - allocated, Worked() - worked);
            Assert.True(answer is RefusedException refused && row.Code == refused.Refusal, $"{row.Code.Code} expected, {(answer is RefusedException ? answer.Message : answer?.ToString() ?? "accepted")}");
            Assert.True(allocated <= MaxAllocated, $"{allocated} bytes");
            Assert.True(worked <= MaxMilliseconds, $"{worked} ms");
            Assert.Empty(folder.EnumerateFileSystemInfos());
        }
        finally { folder.Delete(recursive: true); }
    }

    [Fact]
    public void The_table_has_well_over_a_hundred_rows_each_with_a_name_of_its_own()
    {
        Assert.True(All.Length >= 200, $"{All.Length}");
        Assert.Equal(All.Length, All.Select(r => r.Name).Distinct().Count());
        Assert.True(All.Select(r => r.Code).Distinct().Count() >= 30);
    }

    [Fact]
    public async Task What_nothing_is_done_to_opens()
    {
        var opened = await new Envelope.Forge { Approvers = [TestPki.Shared["G22"].Signatory], Authors = [TestPki.Shared["G22"].Signatory, TestPki.Shared["G22"].Sign] }.OpenAs("H41", officeSigns: true, roles: ["signatory"]);
        Assert.Equal(["công văn.docx", "phụ lục.pdf"], opened.Files.Select(f => f.Name));
    }

    static double Worked()
    {
        Assert.Equal(0, ClockGetTime(3, out var time));
        return time.Seconds * 1e3 + time.Nanoseconds / 1e6;
    }

    readonly record struct Time(long Seconds, long Nanoseconds);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out Time time);
}
