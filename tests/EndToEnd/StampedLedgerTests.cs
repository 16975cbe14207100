using System.Diagnostics;
using System.Net;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Gateway;
using Exchange.Gateway.Operations;
using Exchange.Office;
using Exchange.Office.Client;
using Exchange.Office.Dev;
using Microsoft.Extensions.Logging.Abstractions;

namespace Exchange.Tests;

/// <summary>Time-stamps of a real gateway's checkpoints, from a real authority over HTTP to an auditor's stick, and what OpenSSL says of them there.</summary>
public sealed class StampedLedgerTests(DevelopmentPki pki) : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-stamped-");

    string At(string name) => Path.Combine(folder.FullName, name);

    static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        var code = await ExchangeProgram.RunAsync(["audit", .. arguments, "--lang", "en"], TimeProvider.System, output, error);
        return (code, output + error.ToString());
    }

    async Task<int> ShellAsync(string script)
    {
        if (!File.Exists("/usr/bin/openssl")) Assert.Skip("no openssl command on this machine");
        using var process = Process.Start(new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", script]) { WorkingDirectory = folder.FullName, RedirectStandardError = true, RedirectStandardOutput = true })!;
        _ = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }

    sealed class Moved : TimeProvider
    {
        TimeSpan shift;
        public void Advance(TimeSpan by) => shift += by;
        public override DateTimeOffset GetUtcNow() => TimeProvider.System.GetUtcNow() + shift;
        public override long GetTimestamp() => TimeProvider.System.GetTimestamp() + (long)(shift.TotalSeconds * TimestampFrequency);
    }

    /// <summary>Three heads of a running gateway, of which an authority stamped the first and the last, written out by an auditor.</summary>
    async Task ExportAsync()
    {
        var clock = new Moved();
        using var key = FileKey.Load(pki.At("tsa", "tsa.p12"), File.ReadLines(pki.At("passphrase")).First());
        using var authority = DevTimeStampServer.Start(new DevTimeStamps(key), 0, clock);
        _ = authority.RunAsync(TestContext.Current.CancellationToken);
        var request = Initialise.FromDevelopment(At("gateway"), pki.Folder.FullName, new IPEndPoint(IPAddress.Loopback, 0), null, null);
        // No day ends within these minutes.
        var today = TimeProvider.System.GetUtcNow();
        request = request with { Options = request.Options with { TimeStamp = TimeStampOptions.Of([authority.Address]) with { UtcOffsetMinutes = 0, DayEndHour = (today.Hour + 12) % 24 + 1 } } };
        await Initialise.Run(request, clock);
        await using var host = await GatewayHost.Start(At("gateway"), new HostSettings { Clock = clock, Logs = NullLoggerFactory.Instance, RunLoops = false, Stop = failure => throw failure });
        foreach (var minutes in new[] { 1, 5, 6 })
        {
            clock.Advance(TimeSpan.FromMinutes(minutes));
            var dummy = LedgerEntry.Create(new DummyDetail { Time = clock.GetUtcNow().ToUnixTimeMilliseconds() });
            await host.Shared.Journal.Commit(b => b.Log(dummy, EntryKind.Dummy) is not null);
            await host.Loops.StepAll();
        }
        Directory.CreateDirectory(At("auditor"));
        File.WriteAllBytes(At("auditor/auditor.json"), AuditorProfile.Write(host.Address.GetLeftPart(UriPartial.Authority), pki.At("auditors", "AUDIT-ALL", "tls.p12"), pki.At("passphrase"), pki.At("trust"), pki.At("pins.json"), "state"));
        var (code, output) = await RunAsync("export", At("ledger"), "--auditor", At("auditor"));
        Assert.True(code == 0 && output.Contains("2 tokens", StringComparison.Ordinal), output);
    }

    [Fact]
    public async Task OpenSSL_verifies_a_token_of_an_export_by_the_line_in_ledger_md_and_a_swapped_one_is_found()
    {
        await ExportAsync();
        var stamps = Directory.GetFiles(At("ledger/checkpoints"), "*.tst", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(2, stamps.Count);
        var line = File.ReadLines(Path.Combine(Guide.Repository(), "docs", "ledger.md")).Single(l => l.Contains("openssl ts -verify", StringComparison.Ordinal)).Trim();
        foreach (var stamp in stamps)
        {
            var note = Path.GetRelativePath(At("ledger"), stamp[..^".tst".Length]);
            Task<int> Verify(string of) => ShellAsync("cd ledger; " + line.Replace("checkpoints/N)", of + ")", StringComparison.Ordinal).Replace("checkpoints/N", note, StringComparison.Ordinal)
                .Replace("root.pem", pki.At("trust", "roots", "root.pem"), StringComparison.Ordinal).Replace("issuing.pem", pki.At("trust", "intermediates", "issuing.pem"), StringComparison.Ordinal));
            Assert.Equal(0, await Verify(note));
            var other = Directory.GetFiles(At("ledger/checkpoints")).First(f => !f.EndsWith(".tst", StringComparison.Ordinal) && f != At(Path.Combine("ledger", note)));
            Assert.NotEqual(0, await Verify(Path.GetRelativePath(At("ledger"), other)));
        }
        string[] fsck = ["fsck", At("ledger"), "--pins", pki.At("pins.json")];
        Assert.Equal(0, (await RunAsync([.. fsck, "--trust", pki.At("trust")])).Code);
        var (code, output) = await RunAsync(fsck);
        Assert.True(code == 2 && output.Contains("--trust", StringComparison.Ordinal), output);
        // Under another head's name.
        var free = Directory.GetFiles(At("ledger/checkpoints")).First(f => !f.EndsWith(".tst", StringComparison.Ordinal) && !File.Exists(f + ".tst"));
        File.Copy(stamps[0], free + ".tst");
        (code, output) = await RunAsync(fsck);
        Assert.True(code == 1 && output.Contains(Path.GetFileName(free) + ".tst", StringComparison.Ordinal), output);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
