using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Exchange.Crypto;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Tests.Http;
using Microsoft.Data.Sqlite;

namespace Exchange.Tests.Crash;

/// <summary>
/// Power loss: a gateway's work is recorded once, then the states in which the disk may be after the lights went out at any moment are built and opened as a
/// start would. Seed and number of a state that fails are printed; EXCHANGE_CRASH_SEED and EXCHANGE_CRASH_STATE run that one again (on a new recording: the
/// moments are the same, the identifiers are not).
/// </summary>
public sealed class PowerLossTests(PowerLossTests.Recordings recordings, ITestOutputHelper output) : IClassFixture<PowerLossTests.Recordings>
{
    [Fact]
    public void No_state_after_power_loss_lacks_anything_acknowledged_or_holds_half_a_thing() => Good(Try(recordings.Full, 500, Without.Nothing));

    [Fact, Trait("tier", "long")]
    public void No_state_after_power_loss_lacks_anything_acknowledged_in_ten_thousand() => Good(Try(recordings.Full, 10_000, Without.Nothing));

    [Fact]
    public void No_state_after_power_loss_during_uploads_takes_back_an_offset_that_was_told() => Good(Try(recordings.Uploads, 60, Without.Nothing));

    [Fact, Trait("tier", "long")]
    public void No_state_after_power_loss_during_uploads_takes_back_an_offset_that_was_told_in_two_thousand() => Good(Try(recordings.Uploads, 2000, Without.Nothing));

    [Fact]
    public void Power_loss_while_the_folder_is_being_made_leaves_a_whole_one_or_none_that_says_it_is() => Good(Try(recordings.Full, 100, Without.Nothing, fromInit: true));

    [Fact, Trait("tier", "long")]
    public void Control_a_store_that_does_not_sync_each_commit_loses_acknowledged_work() => Assert.InRange(Try(recordings.Normal, 150, Without.Nothing).Lost, 15, 150);

    [Fact, Trait("tier", "long")]
    public void Control_payload_files_that_are_not_synced_lose_acknowledged_work() => Assert.InRange(Try(recordings.Full, 100, Without.BlobSync).Bad, 10, 100);

    [Fact, Trait("tier", "long")]
    public void Control_folders_that_are_not_synced_lose_acknowledged_work() => Assert.InRange(Try(recordings.Full, 100, Without.BlobFolderSync).Bad, 10, 100);

    [Fact, Trait("tier", "long")]
    public void Control_uploads_that_are_not_synced_lose_what_was_said_to_be_here_for_good() => Assert.InRange(Try(recordings.Uploads, 60, Without.PartSync).Bad, 10, 60);

    [Fact, Trait("tier", "long")]
    public void Control_leaves_of_uploads_that_are_not_synced_take_back_an_offset_that_was_told() => Assert.InRange(Try(recordings.Uploads, 100, Without.LeavesSync).Lost, 5, 100);

    sealed record Figures(int States, int Lost, int Corrupt, string? First)
    {
        public int Bad => Lost + Corrupt;
    }

    static void Good(Figures figures) => Assert.True(figures.Bad == 0, figures.First);

    Figures Try(Recording recording, int states, Without without, bool fromInit = false)
    {
        var seed = Environment.GetEnvironmentVariable("EXCHANGE_CRASH_SEED") is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next();
        var only = Environment.GetEnvironmentVariable("EXCHANGE_CRASH_STATE") is { } one ? int.Parse(one, CultureInfo.InvariantCulture) : -1;
        var began = Stopwatch.GetTimestamp();
        var (first, last) = fromInit ? (recording.Made, recording.Ready) : (recording.Ready, int.MaxValue);
        var files = without switch { Without.BlobSync => recording.Blobs, Without.PartSync => recording.Uploads(".part"), Without.LeavesSync => recording.Uploads(".leaves"), _ => [] };
        var bad = new ConcurrentBag<(int Index, bool Lost, string What)>();
        Parallel.For(only < 0 ? 0 : only, only < 0 ? states : only + 1, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, index =>
        {
            var state = new CrashState(recording, (first, last), seed, index, e => Kept(recording, files, e, without));
            if (Recovered.Fault(state) is { } fault) bad.Add((index, fault.Lost, $"seed {seed} state {index} cut {state.Cut}: {fault.What}"));
        });
        var worst = bad.OrderBy(b => b.Index).Select(b => b.What).FirstOrDefault();
        var figures = new Figures(states, bad.Count(b => b.Lost), bad.Count(b => !b.Lost), worst);
        output.WriteLine($"{states} states of {recording.Events.Count} events (seed {seed}): {figures.Lost} lost something acknowledged, {figures.Corrupt} do not start or hold half a thing, "
            + $"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s. First: {worst ?? "none"}");
        return figures;
    }

    // As a build without it would have been recorded.
    static bool Kept(Recording recording, HashSet<int> unsynced, Event e, Without without) => (without, e) switch
    {
        (_, Event.Synced s) when unsynced.Contains(s.File) => false,
        (Without.BlobFolderSync, Event.FolderSynced f) => !f.Folder.StartsWith(recording.BlobFolder, StringComparison.Ordinal),
        _ => true,
    };

    /// <summary>Recorded once for all.</summary>
    public sealed class Recordings : IDisposable
    {
        readonly string folder = Directory.CreateTempSubdirectory("exchange-recorded-").FullName;
        readonly Lazy<Recording> full, normal, uploads;

        public Recordings()
        {
            full = new(() => Record("full"));
            normal = new(() => Record("normal", (CrashWorkload.Pragma, "PRAGMA synchronous = NORMAL")));
            // What the senders still have lies outside of what is recorded.
            uploads = new(() => Record("uploads", (CrashWorkload.Uploads, Directory.CreateDirectory(Path.Combine(folder, "senders")).FullName)));
        }

        internal Recording Full => full.Value;
        internal Recording Normal => normal.Value;
        internal Recording Uploads => uploads.Value;

        Recording Record(string name, params (string Name, string Value)[] more)
        {
            var root = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
            return Recording.Of(root, more.Append((CrashWorkload.Variable, root)).Append((DevPkiFolder.Variable, DevPkiFolder.Root)).ToDictionary());
        }

        public void Dispose() => Directory.Delete(folder, recursive: true);
    }
}
