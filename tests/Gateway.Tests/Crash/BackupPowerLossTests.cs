using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Crash;

/// <summary>Another workload of <see cref="StartupHook"/>: "backup" or "restore", from, to.</summary>
static class CrashBackup
{
    public const string Variable = "EXCHANGE_CRASH_BACKUP";

    public static void Run(string[] asked)
    {
        if (asked[0] == "backup") BackUp.Run(asked[1], asked[2], "test", TimeProvider.System, _ => { });
        else Restore.Run(new RestoreRequest(asked[1], asked[2], Path.Combine(Path.GetDirectoryName(asked[2])!, "guard"), GuardFromBackup: true, BehindGuard: false), TimeProvider.System, _ => { });
        Console.OpenStandardError().Write("@ACK done\n"u8);
    }
}

/// <summary>Power loss in the middle of a backup or of a restore: what is left is whole, or does not pass for it.</summary>
public sealed class BackupPowerLossTests(ITestOutputHelper output) : IAsyncLifetime
{
    readonly string root = Directory.CreateTempSubdirectory("exchange-lost-").FullName;
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.Start();
        await gateway.Accepted("H41", "H41", size: 40_000);
        await gateway.Host.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        Directory.Delete(root, recursive: true);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_backup_that_broke_off_is_none(bool unsynced)
    {
        var recording = Record("backup", gateway.Data);
        var (whole, none, bad) = Count(recording, unsynced, at => { Restore.Verify(new BackupFolder(at), TimeProvider.System, _ => { }); });
        // Control: without syncs a manifest names files that are not there, and restore says so.
        if (unsynced) Assert.InRange(bad, 10, 200);
        else Assert.Equal((0, true, true), (bad, whole > 0, none > 0));
    }

    [Fact]
    public void A_restore_that_broke_off_is_no_data_folder()
    {
        BackUp.Run(gateway.Data, Path.Combine(root, "made"), "test", TimeProvider.System, _ => { });
        var recording = Record("restore", Path.Combine(root, "made"));
        var (whole, none, bad) = Count(recording, unsynced: false, at =>
        {
            if (!File.Exists(Path.Combine(at, Options.FileName))) throw new CannotRestoreException("no settings");
            using var folder = DataFolder.Open(at);
            using var engine = SqliteEngine.Open(folder.Database);
            using var guard = Guard.Open(Guard.FileIn(Path.Combine(Path.GetDirectoryName(at)!, "guard")), Configuration.Read(at).Origin);
            Checkpoints.DemandContinues(engine, guard);
            if (StoreCheck.Run(engine, new BlobStore(folder.Blobs, TimeProvider.System), guard.Heads()) is [var finding, ..]) throw new InvalidDataException(finding.ToString());
        });
        Assert.Equal((0, true, true), (bad, whole > 0, none > 0));
    }

    Recording Record(string what, string from)
    {
        var watched = Directory.CreateDirectory(Path.Combine(root, "watched")).FullName;
        return Recording.Of(watched, new Dictionary<string, string> { [CrashBackup.Variable] = $"{what}|{from}|{Path.Combine(watched, "it")}", [DevPkiFolder.Variable] = DevPkiFolder.Root });
    }

    // Whole: it passes, and it is. None: nothing passes for it, which it may not be once it was said to be done. Bad: it passes and is not.
    (int Whole, int None, int Bad) Count(Recording recording, bool unsynced, Action<string> use)
    {
        const int states = 200;
        var (whole, none, bad, first) = (0, 0, 0, "");
        for (var n = 0; n < states; n++)
        {
            var state = new CrashState(recording, (0, int.MaxValue), 7, n, _ => !unsynced);
            var folder = Directory.CreateDirectory(Path.Combine(root, $"state-{n}")).FullName;
            state.Write(folder);
            try
            {
                use(Path.Combine(folder, "it"));
                whole++;
            }
            catch (CannotRestoreException e) when (!state.Said.Any() && (e.Message.Contains("never finished", StringComparison.Ordinal) || e.Message == "no settings")) { none++; }
            catch (Exception e) when (e is CannotRestoreException or CannotStartException or OptionsException or IOException)
            {
                bad++;
                first = first.Length > 0 ? first : $"state {n} cut {state.Cut}: {e.Message}";
            }
            Directory.Delete(folder, recursive: true);
        }
        output.WriteLine($"{states} states of {recording.Events.Count} events: {whole} whole, {none} none, {bad} bad. First: {(first.Length > 0 ? first : "none")}");
        return (whole, none, bad);
    }
}
