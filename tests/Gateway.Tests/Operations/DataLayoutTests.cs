using System.Globalization;
using System.Text.RegularExpressions;
using Exchange.Crypto.Envelope;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Revocation;
using Exchange.Tests.Http;

namespace Exchange.Tests.Operations;

/// <summary>The table "What lies where" of docs/install.md against a real data folder with work in it, and against what a backup takes.</summary>
public sealed partial class DataLayoutTests : IAsyncLifetime
{
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.Start();
        // A payload of its own, one that is still coming, a document taken in and one refused.
        await gateway.Accepted("H41", "H41", size: 40_000);
        using var payload = new MemoryStream();
        var envelope = await gateway.Seal("H41", payload: payload, size: 2_500_000);
        Assert.Equal(202, (await gateway.Submit(EnvelopeFile.Write(envelope.Parts))).Status);
        var piece = payload.ToArray()[..(Payload.SegmentLength + 100)];
        var path = $"/dispatches/{EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id}/payload";
        Assert.Equal(204, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Patch, path, piece, r => r.Headers.Add("Upload-Offset", "0"))).Status);
        var incoming = Path.Combine(gateway.Data, "incoming");
        await File.WriteAllBytesAsync(Path.Combine(incoming, "standing-2.p7s"), DevPkiFolder.Standing(2, o => o));
        await File.WriteAllBytesAsync(Path.Combine(incoming, "nothing.p7s"), [1, 2, 3]);
        await gateway.Host.Loops.StepAll();
        await File.WriteAllBytesAsync(Path.Combine(incoming, "waits.p7s"), [1]);
        new RevocationCache(Path.Combine(gateway.Data, "revocation")).Keep(new Uri("http://ca.example/x.crl"), await File.ReadAllBytesAsync(DevPkiFolder.At("trust", "crls", "root.crl")), new(null, null));
    }

    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    [Fact]
    public void Everything_in_a_data_folder_and_its_guard_is_in_the_guide_and_nothing_else()
    {
        Assert.Equal(Rows(guard: false).Select(r => r.Path).Order(StringComparer.Ordinal), Found(gateway.Data).Order(StringComparer.Ordinal));
        Assert.Equal(Rows(guard: true).Select(r => r.Path).Order(StringComparer.Ordinal), Found(gateway.Data + ".guard").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_backup_takes_what_the_guide_says_that_it_takes()
    {
        await gateway.Host.DisposeAsync();
        var to = gateway.Data + ".backup";
        try
        {
            BackUp.Run(gateway.Data, to, "test", TimeProvider.System, _ => { });
            // Stopped: no log of newest commits is left to be taken.
            Assert.Equal(Rows(guard: false).Where(r => r.Backup == "yes").Select(r => r.Path).Order(StringComparer.Ordinal), Found(Path.Combine(to, "data")).Order(StringComparer.Ordinal));
            Assert.Equal(["guard.db"], Found(Path.Combine(to, "guard")));
        }
        finally { Directory.Delete(to, recursive: true); }
    }

    [Fact]
    public void A_gateway_that_died_is_backed_up_and_restored_with_its_newest_commits()
    {
        // What kill -9 leaves, beside one that still runs: the logs are there and not carried over.
        var died = Path.Combine(Path.GetDirectoryName(gateway.Data)!, $"died-{Path.GetFileName(gateway.Data)}");
        var (data, guard) = (Path.Combine(died, "data"), Path.Combine(died, "guard"));
        try
        {
            Copy(gateway.Data, data);
            Copy(gateway.Data + ".guard", guard);
            var settings = Path.Combine(data, Options.FileName);
            File.WriteAllText(settings, File.ReadAllText(settings).Replace(gateway.Data + ".guard", guard, StringComparison.Ordinal));
            Assert.True(new FileInfo(Path.Combine(data, "store", "exchange.db-wal")).Length > 0);

            var made = BackUp.Run(data, Path.Combine(died, "backup"), "test", TimeProvider.System, _ => { });
            var restored = Restore.Run(new(Path.Combine(died, "backup"), Path.Combine(died, "again"), null, GuardFromBackup: false, BehindGuard: false), TimeProvider.System, _ => { });
            using var reader = gateway.Host.Shared.Engine.Reader();
            Assert.Equal((Exchange.Gateway.Store.HeadTable.Read(reader).Size, made), (restored.Ledger.Size, restored));
        }
        finally { Directory.Delete(died, recursive: true); }
    }

    static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith("-shm", StringComparison.Ordinal) && Path.GetFileName(f) != "lock"))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    /// <summary>Relative paths, identifiers and what SQLite keeps beside a file as the guide writes them; folders only where the guide speaks of all that is in them.</summary>
    static IEnumerable<string> Found(string folder) => Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f))
        .Select(f => Blob().Replace(f, "blobs/XX/YY/ID")).Select(f => Upload().Replace(f, "uploads/ID")).Select(f => f.StartsWith("revocation/", StringComparison.Ordinal) ? "revocation/" : f)
        .Select(f => f.StartsWith("trust/", StringComparison.Ordinal) || f.StartsWith("incoming/", StringComparison.Ordinal) ? Path.GetDirectoryName(f)! + "/" : f).Distinct();

    static IEnumerable<(string Path, string Backup)> Rows(bool guard)
    {
        var text = File.ReadAllText(Guide());
        var part = text[text.IndexOf("## What lies where", StringComparison.Ordinal)..text.IndexOf("## Upgrade", StringComparison.Ordinal)].Split("In the guard's folder:")[guard ? 1 : 0];
        foreach (var line in part.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)))
        {
            var cells = line.Split('|', StringSplitOptions.TrimEntries);
            foreach (Match path in Code().Matches(cells[1])) yield return (path.Groups[1].Value, cells[4].Split(',')[0]);
        }
    }

    static string Guide()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Exchange.sln"))) return Path.Combine(folder.FullName, "docs", "install.md");
        throw new DirectoryNotFoundException("Exchange.sln");
    }

    [GeneratedRegex("^blobs/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{32}$")]
    private static partial Regex Blob();

    [GeneratedRegex("^uploads/[0-9a-f]{32}")]
    private static partial Regex Upload();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
