using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Exchange.Office.Client;
using Microsoft.Data.Sqlite;

namespace Exchange.Tests;

/// <summary>backup and restore as an administrator runs them, and the gateway that starts on what they made, or does not.</summary>
public sealed partial class BackupTests(DevelopmentPki pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    static Task<Ran> GatewayAsync(params string[] arguments) => Site.RunAsync(Site.GatewayProgram, arguments);

    static async Task<Ran> GoodAsync(params string[] arguments)
    {
        var ran = await GatewayAsync(arguments);
        Assert.True(ran.Code == 0, ran.ToString());
        return ran;
    }

    static async Task<Ran> RefusedAsync(params string[] arguments)
    {
        var ran = await GatewayAsync(arguments);
        Assert.True(ran.Code == 1, ran.ToString());
        return ran;
    }

    // One that is stopped, after a dispatch with its payload in a file of its own.
    async Task<Site> StoppedAsync()
    {
        var site = await Site.StartAsync(pki);
        await SendAsync(site, "before.bin");
        await site.StopGatewayAsync();
        return site;
    }

    static async Task SendAsync(Site site, string name)
    {
        var sent = await site.SendAsync(site.Document(name, 1), "H41");
        Assert.True(sent.Code == 0, sent.ToString());
    }

    static long SizeIn(string backup) => JsonDocument.Parse(File.ReadLines(Path.Combine(backup, "manifest.jsonl")).Last()).RootElement.GetProperty("ledger").GetProperty("size").GetInt64();

    [Fact]
    public async Task What_was_accepted_is_there_after_a_restore_and_offices_go_on()
    {
        await using var site = await StoppedAsync();
        await GoodAsync("backup", "--data", site.Data, "--to", site.At("backup"));
        Directory.Delete(site.Data, recursive: true);
        var restored = await GoodAsync("restore", "--from", site.At("backup"), "--data", site.Data);
        Assert.Contains($"{SizeIn(site.At("backup"))} entries", restored.Out, StringComparison.Ordinal);
        await site.ServeAsync();

        // The sender asks again and gets the receipt that was given before; the recipient reads and opens; the next one goes through.
        using (var sender = site.Client("G22"))
            Assert.Equal("available", (await sender.TrackAsync(Assert.Single(sender.Outbox()), audit: true, Cancel)).Copies.Single().State);
        await SendAsync(site, "after.bin");
        var opened = await site.OfficeAsync("H41", "open", "--all", "--out", site.At("received"));
        Assert.True(opened.Code == 0, opened.ToString());
        foreach (var name in new[] { "before.bin", "after.bin" })
            Assert.Equal(File.ReadAllBytes(site.At(name)), File.ReadAllBytes(Assert.Single(Directory.GetFiles(site.At("received"), name, SearchOption.AllDirectories))));
        await site.StopGatewayAsync();
        await GoodAsync("check", "--data", site.Data);
    }

    [Fact]
    public async Task A_running_gateway_is_not_backed_up()
    {
        await using var site = await Site.StartAsync(pki);
        var refused = await RefusedAsync("backup", "--data", site.Data, "--to", site.At("backup"));
        Assert.Contains("Another gateway runs", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(site.At("backup")));
    }

    [Fact]
    public async Task A_backup_older_than_what_was_signed_is_not_restored_and_one_that_is_put_there_all_the_same_does_not_serve()
    {
        await using var site = await StoppedAsync();
        await GoodAsync("backup", "--data", site.Data, "--to", site.At("backup"));
        await site.ServeAsync();
        await SendAsync(site, "later.bin");
        await site.StopGatewayAsync();
        var (old, now) = (SizeIn(site.At("backup")), SignedSize(site));
        Assert.True(now > old);
        Directory.Move(site.Data, site.At("newer"));

        var refused = await RefusedAsync("restore", "--from", site.At("backup"), "--data", site.Data);
        Names(refused.Error, old, now);
        Assert.Contains("new origin", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(site.Data));

        await GoodAsync("restore", "--from", site.At("backup"), "--data", site.Data, "--behind-guard");
        var before = Contents(site.Data);
        var serve = await RefusedAsync("serve", "--data", site.Data);
        Names(serve.Error, old, now);
        Assert.Contains("restored from an older copy", serve.Error, StringComparison.Ordinal);
        Assert.Equal(before, Contents(site.Data));
        Assert.Equal(now, SignedSize(site));

        // The newer data is the way on.
        Directory.Delete(site.Data, recursive: true);
        Directory.Move(site.At("newer"), site.Data);
        await site.ServeAsync();
        await SendAsync(site, "last.bin");
    }

    [Fact]
    public async Task Without_its_guard_nothing_starts_until_somebody_gives_his_word()
    {
        await using var site = await StoppedAsync();
        await GoodAsync("backup", "--data", site.Data, "--to", site.At("backup"));
        await site.ServeAsync();
        await SendAsync(site, "later.bin");
        await site.StopGatewayAsync();
        Directory.Delete(site.Data + ".guard", recursive: true);

        Assert.Contains("The guard of the ledger is missing", (await RefusedAsync("serve", "--data", site.Data)).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(site.Data + ".guard"));
        var refused = await RefusedAsync("restore", "--from", site.At("backup"), "--data", site.At("other"));
        Assert.Contains("--guard-from-backup", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(site.At("other")));

        // The data is the newest, and only the guard is put back.
        await GoodAsync("restore", "--guard-only", "--from", site.At("backup"), "--data", site.Data);
        var again = await RefusedAsync("restore", "--guard-only", "--from", site.At("backup"), "--data", site.Data);
        Assert.Contains("It is kept", again.Error, StringComparison.Ordinal);
        await site.ServeAsync();
        await SendAsync(site, "last.bin");
        await site.StopGatewayAsync();

        // Everything is lost but the backup.
        Directory.Delete(site.Data, recursive: true);
        Directory.Delete(site.Data + ".guard", recursive: true);
        await GoodAsync("restore", "--guard-from-backup", "--from", site.At("backup"), "--data", site.Data);
        await site.ServeAsync();
    }

    [Fact]
    public async Task A_guard_that_is_there_is_not_replaced_by_the_one_of_a_backup()
    {
        await using var site = await StoppedAsync();
        await GoodAsync("backup", "--data", site.Data, "--to", site.At("backup"));
        await site.ServeAsync();
        await SendAsync(site, "later.bin");
        await site.StopGatewayAsync();
        var now = SignedSize(site);
        Directory.Delete(site.Data, recursive: true);
        Names((await RefusedAsync("restore", "--guard-from-backup", "--from", site.At("backup"), "--data", site.Data)).Error, SizeIn(site.At("backup")), now);
        Assert.Equal(now, SignedSize(site));
    }

    [Fact]
    public async Task A_backup_with_any_file_damaged_or_missing_is_named_and_nothing_is_restored()
    {
        await using var site = await StoppedAsync();
        var backup = site.At("backup");
        await GoodAsync("backup", "--data", site.Data, "--to", backup);
        Directory.Delete(site.Data, recursive: true);
        Assert.StartsWith("good", (await GoodAsync("restore", "--verify", "--from", backup)).Out, StringComparison.Ordinal);
        var blob = Assert.Single(Directory.GetFiles(Path.Combine(backup, "data", "blobs"), "*", SearchOption.AllDirectories));
        foreach (var file in new[] { blob, Path.Combine(backup, "data", "store", "exchange.db"), Path.Combine(backup, "guard", "guard.db"), Path.Combine(backup, "data", "gateway.json") })
        {
            var bytes = await File.ReadAllBytesAsync(file, Cancel);
            var flipped = bytes.ToArray();
            flipped[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(file, flipped, Cancel);
            Assert.Contains(Path.GetRelativePath(backup, file), (await RefusedAsync("restore", "--from", backup, "--data", site.Data)).Error, StringComparison.Ordinal);
            await File.WriteAllBytesAsync(file, bytes, Cancel);
        }
        File.Move(blob, site.At("blob"));
        Assert.Contains("is missing", (await RefusedAsync("restore", "--verify", "--from", backup)).Error, StringComparison.Ordinal);
        File.Move(site.At("blob"), blob);
        var manifest = Path.Combine(backup, "manifest.jsonl");
        var lines = await File.ReadAllLinesAsync(manifest, Cancel);
        // A line less, a name outside, no last line, none at all.
        foreach (var wrong in (string[][])[[.. lines[1..]], [lines[0].Replace("\"data/", "\"data/../../", StringComparison.Ordinal), .. lines[1..]], lines[..^1]])
        {
            await File.WriteAllLinesAsync(manifest, wrong, Cancel);
            Assert.Contains("damaged", (await RefusedAsync("restore", "--from", backup, "--data", site.Data)).Error, StringComparison.Ordinal);
        }
        File.Delete(manifest);
        Assert.Contains("never finished", (await RefusedAsync("restore", "--from", backup, "--data", site.Data)).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(site.Data));
    }

    [Fact]
    public async Task No_key_and_no_passphrase_is_in_a_backup_also_when_one_lies_in_the_data_folder()
    {
        await using var site = await StoppedAsync();
        await GoodAsync("backup", "--data", site.Data, "--to", site.At("backup"));
        var keys = Directory.GetFiles(pki.At("gateway")).Append(pki.At("passphrase")).Select(f => Convert.ToHexString(File.ReadAllBytes(f))).ToHashSet();
        Assert.DoesNotContain(Contents(site.At("backup")).Values, keys.Contains);

        File.Copy(pki.At("gateway", "tls.p12"), Path.Combine(site.Data, "tls.p12"));
        var settings = Path.Combine(site.Data, "gateway.json");
        await File.WriteAllTextAsync(settings, (await File.ReadAllTextAsync(settings, Cancel)).Replace(pki.At("gateway", "tls.p12"), Path.Combine(site.Data, "tls.p12"), StringComparison.Ordinal), Cancel);
        Assert.Contains("Keys are never part of a backup", (await RefusedAsync("backup", "--data", site.Data, "--to", site.At("second"))).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Places_that_cannot_take_a_backup_or_a_restore_are_refused()
    {
        await using var site = await StoppedAsync();
        Assert.Contains("lies inside", (await RefusedAsync("backup", "--data", site.Data, "--to", Path.Combine(site.Data, "backup"))).Error, StringComparison.Ordinal);
        Assert.Contains("lies inside", (await RefusedAsync("backup", "--data", site.Data, "--to", Path.Combine(site.Data + ".guard", "backup"))).Error, StringComparison.Ordinal);
        Assert.Contains("is not empty", (await RefusedAsync("backup", "--data", site.Data, "--to", site.Pki.At("trust"))).Error, StringComparison.Ordinal);
        await GoodAsync("backup", "--data", site.Data, "--to", site.At("backup"));
        Assert.Contains("is not empty", (await RefusedAsync("restore", "--from", site.At("backup"), "--data", site.Data)).Error, StringComparison.Ordinal);
        Assert.Equal(64, (await GatewayAsync("restore", "--from", site.At("backup"))).Code);
    }

    [Fact]
    public async Task A_store_that_misses_something_is_not_backed_up_as_if_it_were_whole()
    {
        await using var site = await StoppedAsync();
        File.Delete(Assert.Single(Directory.GetFiles(Path.Combine(site.Data, "blobs"), "*", SearchOption.AllDirectories)));
        Assert.Contains("does not keep its promises", (await RefusedAsync("backup", "--data", site.Data, "--to", site.At("backup"))).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(site.At("backup")));
    }

    static void Names(string text, long old, long now)
    {
        var numbers = Numbers().Matches(text).Select(m => long.Parse(m.Value, CultureInfo.InvariantCulture)).ToList();
        Assert.Contains(old, numbers);
        Assert.Contains(now, numbers);
    }

    static long SignedSize(Site site)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(site.Data + ".guard", "guard.db")};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT size FROM guard";
        return (long)command.ExecuteScalar()!;
    }

    // What SQLite keeps beside its file only while it is open says nothing.
    static Dictionary<string, string> Contents(string folder) => Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith("-shm", StringComparison.Ordinal) && new FileInfo(f).Length > 0)
        .ToDictionary(f => Path.GetRelativePath(folder, f), f => Convert.ToHexString(File.ReadAllBytes(f)));

    [GeneratedRegex(@"\d+")]
    private static partial Regex Numbers();
}
