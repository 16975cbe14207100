using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Office;
using Exchange.Office.Client;
using Exchange.Office.Join;

namespace Exchange.Tests;

/// <summary>What an office opened is kept under a key that no card names, and opens when the key that it came to is gone.</summary>
public sealed class ArchiveTests(DevPkiFixture pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A key as the command makes it, which every later start of the office has.</summary>
    async Task<string> KeyAsync(Bench bench)
    {
        using (bench.Start("H41")) { }
        var text = new StringWriter();
        Assert.Equal(0, await ExchangeProgram.RunAsync(["--profile", bench.At("H41"), "--json", "archive", "key"], bench.Clock, text, TextWriter.Null));
        var file = JsonDocument.Parse(text.ToString()).RootElement.GetProperty("file").GetString()!;
        Assert.Equal(file, Profile.Load(bench.At("H41")).Keys.Archive[0]);
        return file;
    }

    static async Task<OpenResult> OpenAsync(Bench bench, Guid id, Action<string>? step = null)
    {
        using var client = new OfficeClient(bench.Start("H41", step));
        await client.RefreshAsync(Cancel);
        return await client.OpenAsync(id, bench.At("received"), null, Cancel);
    }

    [Fact]
    public async Task It_opens_after_the_transport_key_is_gone_and_after_another_archive_key_followed()
    {
        using var bench = new Bench(pki.Folder);
        var key = await KeyAsync(bench);
        bench.Keys["H41"] = keys => keys with { Archive = [key] };
        var id = (await bench.SendAsync()).Entry.Id;
        Assert.True((await OpenAsync(bench, id)).Acknowledged);
        Directory.Delete(bench.At("received"), recursive: true);
        // The key that it came to is gone, and a newer one of the archive is in use.
        var newer = await KeyAsync(bench);
        bench.Keys["H41"] = keys => keys with { Encrypt = [], Archive = [newer, key] };
        using (var client = new OfficeClient(bench.Start("H41")))
        {
            var item = Assert.Single(client.Archived());
            Assert.Equal(("G22", id, "7816/VPCP"), (item.Sender, item.Envelope, item.Number));
            Assert.Null((await client.VerifyArchivedAsync(item, Cancel)).Refusal);
            var opened = await client.OpenArchivedAsync(item, bench.At("again"), null, Cancel);
            Assert.Equal("archive", opened.Role);
            Assert.Equal(File.ReadAllBytes(bench.At("document.bin")), File.ReadAllBytes(Assert.Single(opened.Files)));
        }
        // Under the newer one alone it does not: each is its own.
        bench.Keys["H41"] = keys => keys with { Encrypt = [], Archive = [newer] };
        using var without = new OfficeClient(bench.Start("H41"));
        Assert.Equal(Refusal.NotForThisKey, (await without.VerifyArchivedAsync(without.Archived()[0], Cancel)).Refusal);
        Assert.Equal(Refusal.NotForThisKey, (await Assert.ThrowsAsync<RefusedException>(() => without.OpenArchivedAsync(without.Archived()[0], bench.At("no"), null, Cancel))).Refusal);
        Assert.Empty(Directory.GetFiles(bench.At("H41", "state", "archive"), "*document*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Without_an_archive_key_nothing_is_kept_and_a_recall_is_no_document()
    {
        using var bench = new Bench(pki.Folder);
        var id = (await bench.SendAsync()).Entry.Id;
        await OpenAsync(bench, id);
        using var client = new OfficeClient(bench.Start("H41"));
        Assert.Empty(client.Archived());
    }

    [Fact]
    public async Task A_kill_at_any_step_of_archiving_leaves_nothing_that_was_acknowledged_and_is_not_there()
    {
        using var first = new Bench(pki.Folder);
        var key = await KeyAsync(first);
        Func<KeyFiles, KeyFiles> archived = keys => keys with { Archive = [key] };
        first.Keys["H41"] = archived;
        var steps = new List<string>();
        await OpenAsync(first, (await first.SendAsync()).Entry.Id, steps.Add);
        var (from, to) = (steps.IndexOf("archive envelope"), steps.FindLastIndex(s => s == "name G22"));
        Assert.True(from > 0 && to > from, string.Join(", ", steps));
        for (var killed = from; killed <= to + 1; killed++)
        {
            using var bench = new Bench(pki.Folder);
            bench.Keys["H41"] = archived;
            var (id, count) = ((await bench.SendAsync()).Entry.Id, 0);
            await Assert.ThrowsAsync<KilledException>(() => OpenAsync(bench, id, _ => { if (count++ == killed) throw new KilledException(); }));
            Assert.Empty(bench.Gateway.Acknowledged);
            Assert.True((await OpenAsync(bench, id)).Acknowledged);
            using var client = new OfficeClient(bench.Start("H41"));
            Assert.Null((await client.VerifyArchivedAsync(Assert.Single(client.Archived()), Cancel)).Refusal);
            Assert.Empty(Directory.GetDirectories(bench.At("H41", "state", "archive", "G22"), ".making-*"));
        }
    }

    [Fact]
    public async Task Any_byte_that_is_not_as_it_was_is_found()
    {
        using var bench = new Bench(pki.Folder);
        var key = await KeyAsync(bench);
        bench.Keys["H41"] = keys => keys with { Archive = [key] };
        var id = (await bench.SendAsync()).Entry.Id;
        await OpenAsync(bench, id);
        using var client = new OfficeClient(bench.Start("H41"));
        var item = Assert.Single(client.Archived());
        foreach (var (name, places) in new[] { ("envelope", 24), ("receipt.p7s", 12), ("archive.p7m", 12) })
        {
            var file = bench.At("H41", "state", "archive", "G22", id.ToString(), name);
            var whole = File.ReadAllBytes(file);
            for (var i = 0; i < places; i++)
            {
                var at = (int)((long)whole.Length * i / places);
                File.WriteAllBytes(file, [.. whole[..at], (byte)(whole[at] ^ 1), .. whole[(at + 1)..]]);
                Assert.True((await client.VerifyArchivedAsync(item, Cancel)).Refusal is not null, $"{name} {at}");
            }
            File.WriteAllBytes(file, whole[..^1]);
            Assert.NotNull((await client.VerifyArchivedAsync(item, Cancel)).Refusal);
            File.WriteAllBytes(file, whole);
        }
        Assert.Null((await client.VerifyArchivedAsync(item, Cancel)).Refusal);
    }
}
