using System.Diagnostics;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>The office's two commands killed at any moment, over and over.</summary>
public sealed class KilledCommandTests(DevelopmentPki pki, ITestOutputHelper output)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task Sends_killed_five_times_leave_each_dispatch_once_or_not_at_all() => SendAsync(5);

    [Fact, Trait("tier", "long")]
    public Task Sends_killed_a_hundred_times_leave_each_dispatch_once_or_not_at_all() => SendAsync(100);

    [Fact, Trait("tier", "long")]
    public Task Openings_killed_a_hundred_times_leave_each_document_once() => OpenAsync(100);

    async Task SendAsync(int kills)
    {
        await using var site = await Site.StartAsync(pki);
        await site.OfficeAsync("G22", "directory", "update");
        var began = Stopwatch.GetTimestamp();
        var first = await site.OfficeProgramAsync("G22", "send", site.Document("s-first.bin", 1), "--to", "H41", "--level", "thuong", "--sheet", site.Sheet("first", "S"));
        Assert.True(first.Code == 0, first.ToString());
        var whole = Stopwatch.GetElapsedTime(began);
        var (ended, outbox) = (0, site.At("G22", "state", "outbox"));
        List<string> entries = [.. Directory.GetDirectories(outbox)];
        for (var kill = 0; kill - ended < kills && ended < kills; kill++)
        {
            using var sender = site.StartOffice("G22", "send", site.Document($"s-{kill}.bin", 1), "--to", "H41", "--level", "thuong", "--sheet", site.Sheet($"{kill}", "S"));
            // Every other one once its entry is being made: there is where most can go wrong.
            if (kill % 2 == 0) await Site.UntilAsync(() => Task.FromResult(sender.HasExited || Directory.GetDirectories(outbox).Except(entries).Any()));
            var hit = await KillAsync(sender, kill % 2 == 0 ? whole * 0.6 : whole);
            ended += hit ? 0 : 1;
            // One that came after the end is none, and the machine is faster than it was.
            whole *= hit ? 1.05 : 0.7;
            entries = [.. Directory.GetDirectories(outbox)];
        }
        var flushed = await site.OfficeAsync("G22", "outbox", "--send");
        Assert.True(flushed.Code == 0, flushed.ToString());

        using var client = site.Client("G22");
        var sent = client.Outbox();
        Assert.All(sent, e => Assert.Equal(OutboxState.Accepted, e.State));
        var envelopes = await EnvelopesAsync(site);
        output.WriteLine($"{kills} kills, {ended} more came after the end; {sent.Count} sealed and accepted, {envelopes.Count} copies");
        Assert.True(ended < kills, "too few kills hit a running command");
        // What was sealed arrived once, and nothing that the office does not know of.
        Assert.Equal(sent.Select(e => e.Id).Order(), envelopes.Order());
    }

    async Task OpenAsync(int kills)
    {
        // So many that one run does not take them all.
        var documents = 5 * kills;
        await using var site = await Site.StartAsync(pki);
        var office = new OfficeByHand(pki.Folder.FullName, "G22");
        using (var gateway = office.Connect(site.Gateway.Address))
            for (var n = 0; n < documents; n++) Assert.True((int)(await OfficeByHand.PostAsync(gateway, "/dispatches", (await office.SealAsync("H41", 100_000, $"o-{n}.bin")).File)).Status == 201);
        await site.OfficeAsync("H41", "directory", "update");
        var into = site.At("H41", "received");
        // Each run opens some before it dies; the measure of a whole run is not known beforehand.
        var whole = TimeSpan.FromSeconds(1);
        var ended = 0;
        for (var kill = 0; kill - ended < kills && ended < kills; kill++)
        {
            using var opener = site.StartOffice("H41", "open", "--all", "--out", into);
            var hit = await KillAsync(opener, whole);
            ended += hit ? 0 : 1;
            whole *= hit ? 1.15 : 0.6;
        }
        int Opened() => Directory.Exists(into) ? Directory.GetFiles(into, "o-*.bin", SearchOption.AllDirectories).Length : 0;
        var killed = Opened();
        var last = await site.OfficeAsync("H41", "open", "--all", "--out", into);
        Assert.True(last.Code == 0, last.ToString());

        var files = Directory.GetFiles(into, "o-*.bin", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToList();
        Assert.True(ended < kills, "too few kills hit a running command");
        output.WriteLine($"{kills} kills, {ended} more came after the end; {killed} of {documents} documents opened in between, {files.Count} at the end");
        Assert.Equal(Enumerable.Range(0, documents).Select(n => $"o-{n}.bin").Order(StringComparer.Ordinal), files);
        Assert.Empty(Directory.GetFiles(into, ".tmp-*", SearchOption.AllDirectories));
        using var client = site.Client("H41");
        Assert.Empty(await client.InboxAsync(null, 0, all: false, Cancel));
    }

    // False: it had ended by itself.
    static async Task<bool> KillAsync(Process process, TimeSpan whole)
    {
        await Task.Delay(whole * Random.Shared.NextDouble(), Cancel);
        var running = !process.HasExited;
        process.Kill();
        await process.WaitForExitAsync(Cancel);
        return running;
    }

    static async Task<List<Guid>> EnvelopesAsync(Site site)
    {
        using var recipient = site.Client("H41");
        var all = new List<Guid>();
        for (Guid? after = null; await recipient.InboxAsync(after, 0, all: true, Cancel) is { Count: > 0 } page; after = page[^1].Parcel) all.AddRange(page.Select(p => p.Envelope));
        return all;
    }
}
