using System.Diagnostics;
using System.Net;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Crash;

/// <summary>
/// The kernel says no: strace lets one call fail in each thread of a whole gateway, then the power goes at any moment of what was recorded. Whatever the gateway made
/// of the error, it answered nobody with something that is not there. A sync that failed has kept nothing: see <see cref="Event.SyncFailed"/>.
/// </summary>
public sealed class InjectedFaultTests(ITestOutputHelper output)
{
    const string Syncs = "fsync,fdatasync", Writes = "pwrite64", Names = "link,rename,unlink,mkdir";

    [Theory]
    [InlineData(Syncs, "EIO", 8)]
    [InlineData(Writes, "ENOSPC", 40)]
    public async Task After_a_failed_call_nothing_acknowledged_is_missing(string calls, string error, int nth) =>
        Assert.Null(await FaultAsync(calls, error, nth));

    [Theory, Trait("tier", "long")]
    [InlineData(Syncs, "EIO", 60, 1)]
    [InlineData(Syncs, "ENOSPC", 60, 3)]
    [InlineData(Writes, "EIO", 400, 13)]
    [InlineData(Writes, "ENOSPC", 400, 13)]
    [InlineData(Names, "EIO", 12, 1)]
    [InlineData(Names, "ENOSPC", 12, 1)]
    public async Task After_any_failed_call_of_the_whole_run_nothing_acknowledged_is_missing(string calls, string error, int last, int step)
    {
        var bad = new List<string?>();
        for (var nth = 1; nth <= last; nth += step) bad.Add(await FaultAsync(calls, error, nth));
        Assert.Empty(bad.OfType<string>());
    }

    [Theory, Trait("tier", "long")]
    [InlineData(Syncs, "EIO", 40, 1)]
    [InlineData(Writes, "ENOSPC", 120, 10)]
    public async Task After_any_failed_call_during_uploads_no_offset_that_was_told_is_taken_back(string calls, string error, int last, int step)
    {
        var bad = new List<string?>();
        for (var nth = 1; nth <= last; nth += step) bad.Add(await FaultAsync(calls, error, nth, uploads: true));
        Assert.Empty(bad.OfType<string>());
    }

    [Fact]
    public async Task A_sync_that_fails_while_the_log_is_carried_over_stops_the_gateway()
    {
        // SQLite itself keeps quiet about it: only then is the store's own file synced while a gateway runs.
        var folder = Directory.CreateTempSubdirectory("exchange-hurt-").FullName;
        try
        {
            var data = Path.Combine(folder, CrashWorkload.Data);
            await Initialise.Run(Initialise.FromDevelopment(data, DevPkiFolder.Root, new(IPAddress.Loopback, 0), null, null), TimeProvider.System);
            var start = new ProcessStartInfo("strace") { RedirectStandardError = true, RedirectStandardOutput = true };
            foreach (var argument in (string[])["-f", "-qq", "-o", "/dev/null", "-P", DataFolder.DatabaseIn(data), "-e", $"inject={Syncs}:error=EIO", Environment.ProcessPath!]) start.ArgumentList.Add(argument);
            if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(Recording).Assembly.Location);
            start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(Recording).Assembly.Location;
            (start.Environment[CrashWorkload.Variable], start.Environment[CrashWorkload.Faulty], start.Environment[DevPkiFolder.Variable]) = (folder, "1", DevPkiFolder.Root);
            using var process = Process.Start(start)!;
            var (told, _) = (process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
            Assert.Contains("@READY", await told);
            Assert.DoesNotContain("@END", await told);
            Assert.NotEqual(0, process.ExitCode);
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    async Task<string?> FaultAsync(string calls, string error, int nth, bool uploads = false)
    {
        const int states = 60;
        var senders = uploads ? Directory.CreateTempSubdirectory("exchange-senders-").FullName : null;
        var folder = Directory.CreateTempSubdirectory("exchange-hurt-").FullName;
        try
        {
            // The folder is there and safe: what is hurt is a gateway's life, from start on.
            await Initialise.Run(Initialise.FromDevelopment(Path.Combine(folder, CrashWorkload.Data), DevPkiFolder.Root, new(IPAddress.Loopback, 0), null, null), TimeProvider.System);
            var recording = Recording.Of(folder, new Dictionary<string, string>
            {
                [CrashWorkload.Variable] = folder, [CrashWorkload.Faulty] = "1", [DevPkiFolder.Variable] = DevPkiFolder.Root, [CrashWorkload.Uploads] = senders ?? "",
            }, $"{calls}:error={error}:when={nth}");
            string[] said = [.. recording.Events.OfType<Event.Said>().Select(s => s.Line[..3])];
            var ready = recording.Ready;
            var faults = ready < 0 ? [] : Enumerable.Range(0, states)
                .Select(n => Recovered.Fault(new CrashState(recording, (n == 0 ? recording.Events.Count - 1 : ready, int.MaxValue), nth, n, _ => true))?.What).OfType<string>().ToList();
            output.WriteLine($"{calls} {error} at {nth}: {said.Count(s => s == "ACK")} acknowledged, {said.Count(s => s == "NAK")} not, {(said.Contains("END") ? "went on" : "stopped")}; {states} states, {faults.Count} bad{(faults.Count > 0 ? ": " + faults[0] : "")}");
            if (ready < 0 && said.Contains("ACK")) return "acknowledged before it was ready";
            return faults.Count == 0 ? null : $"{calls} {error} at {nth}: {faults[0]}";
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
            if (senders is not null) Directory.Delete(senders, recursive: true);
        }
    }
}
