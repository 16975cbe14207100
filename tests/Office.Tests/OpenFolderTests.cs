using System.Formats.Asn1;
using Exchange.Adapters;
using Exchange.Adapters.Folder;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>What the gateway's folder channel puts down, taken up by the office.</summary>
public sealed class OpenFolderTests(DevPkiFixture pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    static async Task<Guid> PutAsync(Bench bench, Guid? under = null, Action<byte[]>? spoil = null, bool sealedOnceMore = false)
    {
        var id = (await bench.SendAsync()).Entry.Id;
        var (file, acceptance, _) = bench.Gateway.Accepted[id];
        byte[] bytes = [.. file];
        if (sealedOnceMore) (bytes, acceptance) = (await bench.SealAsync(id), []);
        spoil?.Invoke(bytes);
        Directory.CreateDirectory(bench.At("drop", "H41"));
        var adapter = new FolderAdapter(new FolderOptions { Root = bench.At("drop") });
        var parcel = new Parcel(under ?? id, "H41", bytes.Length, acceptance, new Dictionary<string, string> { ["folder"] = "H41" });
        Assert.IsType<DeliveryOutcome.Delivered>(await adapter.DeliverAsync(parcel, _ => Task.FromResult<Stream>(new MemoryStream(bytes)), Cancel));
        return parcel.Id;
    }

    static async Task<List<FolderResult>> OpenAsync(Bench bench, Action<string>? step = null)
    {
        using var client = new OfficeClient(bench.Start("H41", step));
        await client.RefreshAsync(Cancel);
        var results = new List<FolderResult>();
        await foreach (var result in client.OpenFolderAsync(bench.At("drop", "H41"), bench.At("received"), Cancel)) results.Add(result);
        return results;
    }

    static string[] Left(Bench bench, params string[] under) => [.. Directory.GetFiles(bench.At(["drop", "H41", .. under])).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task What_is_whole_is_opened_acknowledged_and_moved_and_what_has_no_marker_is_left_alone()
    {
        using var bench = new Bench(pki.Folder);
        var id = await PutAsync(bench);
        var torn = Guid.CreateVersion7();
        await File.WriteAllTextAsync(bench.At("drop", "H41", $"{torn}.envelope"), "half", Cancel);
        var result = Assert.Single(await OpenAsync(bench));
        Assert.True(result.IsMoved && result.Opened is { Failure: null, Acknowledged: true });
        Assert.Equal([$"{torn}.envelope"], Left(bench));
        Assert.Equal([$"{id}.envelope", $"{id}.ready", $"{id}.receipt.p7s"], Left(bench, "opened"));
        Assert.Equal(File.ReadAllBytes(bench.At("document.bin")), File.ReadAllBytes(Assert.Single(Directory.GetFiles(bench.At("received"), "*", SearchOption.AllDirectories))));
        Assert.Equal([ReceiptEvent.ContentHandover, ReceiptEvent.ContentOpening], bench.Gateway.Acknowledged.Select(a => Statement.Read(a, StatementType.Receipt).As<Receipt>().Event).ToArray());
        Assert.Empty(await OpenAsync(bench));
    }

    [Fact]
    public async Task What_does_not_hold_goes_to_failed_with_its_reason_and_the_next_one_is_opened_all_the_same()
    {
        using var bench = new Bench(pki.Folder);
        var bad = await PutAsync(bench, spoil: bytes => bytes[^100] ^= 1);
        var good = await PutAsync(bench);
        var results = await OpenAsync(bench);
        Assert.Equal(Refusal.PayloadRoot, results.Single(r => r.Parcel == bad).Refusal);
        Assert.NotNull(results.Single(r => r.Parcel == good).Opened);
        Assert.Equal([$"{bad}.envelope", $"{bad}.ready", $"{bad}.reason.txt", $"{bad}.receipt.p7s"], Left(bench, "failed"));
        var reason = await File.ReadAllTextAsync(bench.At("drop", "H41", "failed", $"{bad}.reason.txt"), Cancel);
        // What the reason says to do brings the whole copy from the gateway.
        Assert.Contains($"exchange open {bad}", reason, StringComparison.Ordinal);
        using (var client = new OfficeClient(bench.Start("H41"))) Assert.Null((await client.OpenAsync(bad, bench.At("received"), null, Cancel)).Failure);
        Assert.StartsWith("E_PAYLOAD_ROOT", reason, StringComparison.Ordinal);
        Assert.Contains(Refusal.PayloadRoot.Vi, reason, StringComparison.Ordinal);
        Assert.Empty(Left(bench));
    }

    [Fact]
    public async Task What_was_sealed_once_more_is_opened_like_any_other()
    {
        using var bench = new Bench(pki.Folder);
        var id = await PutAsync(bench, sealedOnceMore: true);
        Assert.Equal([$"{id}.envelope", $"{id}.ready"], Left(bench));
        var result = Assert.Single(await OpenAsync(bench));
        Assert.True(result.IsMoved && result.Opened is { Failure: null, Acknowledged: true });
        Assert.Equal([$"{id}.envelope", $"{id}.ready"], Left(bench, "opened"));
        Assert.Equal(File.ReadAllBytes(bench.At("document.bin")), File.ReadAllBytes(Assert.Single(Directory.GetFiles(bench.At("received"), "*", SearchOption.AllDirectories))));
        Assert.Empty(Directory.GetFiles(bench.At("H41"), "*.unsealing", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_sealed_copy_that_was_changed_or_stands_under_another_name_goes_to_failed()
    {
        using var bench = new Bench(pki.Folder);
        var changed = await PutAsync(bench, spoil: bytes => bytes[^100] ^= 1, sealedOnceMore: true);
        var renamed = await PutAsync(bench, under: Guid.CreateVersion7(), sealedOnceMore: true);
        var results = await OpenAsync(bench);
        Assert.Equal((Refusal.ParcelDamaged, true), results.Where(r => r.Parcel == changed).Select(r => (r.Refusal!, r.IsMoved)).Single());
        Assert.Equal((Refusal.Replay, true), results.Where(r => r.Parcel == renamed).Select(r => (r.Refusal!, r.IsMoved)).Single());
    }

    [Fact]
    public async Task A_sealed_copy_attached_to_a_mail_is_opened_from_its_file_whatever_that_is_called()
    {
        using var bench = new Bench(pki.Folder);
        var id = (await bench.SendAsync()).Entry.Id;
        var file = bench.At("attachment (1).bin");
        await File.WriteAllBytesAsync(file, await bench.SealAsync(id), Cancel);
        using var client = new OfficeClient(bench.Start("H41"));
        await client.RefreshAsync(Cancel);
        var opened = await client.OpenFileAsync(file, bench.At("received"), Cancel);
        Assert.True(opened is { Failure: null, Acknowledged: true, Again: false } && opened.Parcel == id);
        Assert.True((await client.OpenFileAsync(file, bench.At("received"), Cancel)).Again);
        await File.WriteAllBytesAsync(file, bench.Gateway.Accepted[id].File, Cancel);
        Assert.Equal(Refusal.NoParcel, (await Assert.ThrowsAsync<RefusedException>(() => client.OpenFileAsync(file, bench.At("received"), Cancel))).Refusal);
        await File.WriteAllTextAsync(file, "a letter", Cancel);
        Assert.Equal(Refusal.NoParcel, (await Assert.ThrowsAsync<RefusedException>(() => client.OpenFileAsync(file, bench.At("received"), Cancel))).Refusal);
    }

    [Fact]
    public async Task Wherever_a_sealed_copy_was_damaged_its_office_is_told_the_same()
    {
        using var bench = new Bench(pki.Folder);
        var (whole, file) = (await bench.SealAsync((await bench.SendAsync()).Entry.Id), bench.At("a.bin"));
        AsnDecoder.ReadEncodedValue(whole, AsnEncodingRules.DER, out _, out _, out var wrap);
        using var client = new OfficeClient(bench.Start("H41"));
        await client.RefreshAsync(Cancel);
        // In the wrap: its end, its frame, a byte less; in the content: a byte, a byte less or more, all of it missing.
        foreach (var damaged in new[] { Flipped(wrap - 1), Flipped(wrap - 300), [.. whole[..(wrap - 1)], .. whole[wrap..]], Flipped(wrap + 10), Flipped(whole.Length - 1), whole[..^1], [.. whole, 0], whole[..wrap], whole[..100] })
        {
            await File.WriteAllBytesAsync(file, damaged, Cancel);
            var refused = await Assert.ThrowsAsync<RefusedException>(() => client.OpenFileAsync(file, bench.At("received"), Cancel));
            Assert.Equal((Refusal.ParcelDamaged, ""), (refused.Refusal, refused.Detail));
        }
        Assert.Empty(bench.Gateway.Acknowledged);

        byte[] Flipped(int at)
        {
            byte[] bytes = [.. whole];
            bytes[at] ^= 1;
            return bytes;
        }
    }

    [Fact]
    public async Task Put_down_again_after_it_was_taken_it_is_recognised()
    {
        using var bench = new Bench(pki.Folder);
        var id = await PutAsync(bench);
        await OpenAsync(bench);
        foreach (var kind in new[] { "envelope", "receipt.p7s", "ready" }) File.Copy(bench.At("drop", "H41", "opened", $"{id}.{kind}"), bench.At("drop", "H41", $"{id}.{kind}"));
        // The gateway has it no longer, and is not asked.
        bench.Gateway.Accepted.Remove(id);
        Assert.True(Assert.Single(await OpenAsync(bench)).Opened!.Again);
        Assert.Single(Directory.GetDirectories(bench.At("received")));
        Assert.Single(bench.Gateway.Acknowledged.DistinctBy(Convert.ToHexString), a => Statement.Read(a, StatementType.Receipt).As<Receipt>().Event == ReceiptEvent.ContentHandover);
    }

    [Fact]
    public Task A_program_killed_at_a_sixth_of_its_steps_ends_with_one_opening_and_one_handover() => Killed(every: 6);

    [Fact, Trait("tier", "long")]
    public Task A_program_killed_at_any_step_ends_with_one_opening_and_one_handover() => Killed(every: 1);

    // Every run begins at another one.
    async Task Killed(int every)
    {
        var steps = new List<string>();
        using (var bench = new Bench(pki.Folder))
        {
            await PutAsync(bench);
            await OpenAsync(bench, steps.Add);
        }
        for (var killed = steps.IndexOf("take bytes") + Random.Shared.Next(every); killed < steps.Count; killed += every)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(steps[killed]);
            using var bench = new Bench(pki.Folder);
            var id = await PutAsync(bench);
            var count = 0;
            await Assert.ThrowsAsync<KilledException>(() => OpenAsync(bench, _ => { if (count++ == killed) throw new KilledException(); }));
            await OpenAsync(bench);
            Assert.Empty(Left(bench));
            Assert.Equal([$"{id}.envelope", $"{id}.ready", $"{id}.receipt.p7s"], Left(bench, "opened"));
            Assert.Equal(File.ReadAllBytes(bench.At("document.bin")), File.ReadAllBytes(Assert.Single(Directory.GetFiles(bench.At("received"), "*", SearchOption.AllDirectories))));
            var said = bench.Gateway.Acknowledged.DistinctBy(Convert.ToHexString).Select(a => Statement.Read(a, StatementType.Receipt).As<Receipt>().Event);
            Assert.Equal([ReceiptEvent.ContentHandover, ReceiptEvent.ContentOpening], said.ToArray());
        }
    }
}
