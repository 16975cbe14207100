using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Tests;

// A dispatch that goes to further offices: from the sender's outbox, without its author, to the receiver's folder. One PKI with what takes it back.
public sealed partial class RecallTests
{
    static Task<(OutboxEntry Entry, DeliveryVerdict Verdict)> SendFurtherAsync(Bench bench, string later = "H14") => bench.SendAsync(change: r => r with { Later = [later] });

    static async Task<IReadOnlyList<OutboxEntry>> UpdateAsync(Bench bench, Guid id, string add, Func<UpdateRequest, UpdateRequest>? change = null, Action<string>? step = null)
    {
        using var client = new OfficeClient(bench.Start("G22", step));
        await client.RefreshAsync(Cancel);
        var request = new UpdateRequest { Add = [add] };
        var entries = await client.UpdateAsync(client.Find(id)!, change?.Invoke(request) ?? request, Cancel);
        foreach (var entry in entries) Assert.IsType<DeliveryVerdict.Accepted>(await client.DeliverAsync(entry, null, Cancel));
        return entries;
    }

    static Header HeaderOf(byte[] file) => EnvelopeFile.PeekUnverified(EnvelopeFile.ReadPartsAsync(new MemoryStream(file), CancellationToken.None).GetAwaiter().GetResult().Header);

    [Fact]
    public async Task An_update_travels_without_payload_and_is_the_same_entry_when_asked_again()
    {
        using var bench = new Bench(pki.Folder);
        var original = (await SendFurtherAsync(bench)).Entry;
        var update = Assert.Single(await UpdateAsync(bench, original.Id, "H14"));
        Assert.Equal(update.Id, Assert.Single(await UpdateAsync(bench, original.Id, "H14")).Id);
        Assert.Equal(new AboutDispatch("update", original.Id, original.Record.Ctx, 1), update.Record.About);
        Assert.Equal(EnvelopeFile.Write(update.Parts()), bench.Gateway.Submitted[1]);
        Assert.Equal(2, bench.Gateway.Submitted.Count);
        Assert.Equal((original.Record.DispatchRef, original.Record.Payload), (update.Record.DispatchRef, update.Record.Payload));
        // What is kept for the next one stays where it is, and only there.
        Assert.All(bench.Gateway.Submitted, body => Assert.Equal(-1, body.AsSpan().IndexOf(original.Kept().AsSpan(100, 200))));
        Assert.Null(update.Kept());
        // To a clerk it is one dispatch.
        using var client = new OfficeClient(bench.Start("G22"));
        var view = await client.TrackAsync(client.Find(original.Id)!, audit: false, Cancel);
        Assert.Equal([("H41", (Guid?)null), ("H14", update.Id)], view.Copies.Select(c => (c.Office, c.Update)));
        Assert.Equal(2, view.Receipts.Count);
        // And it has one label, whichever envelope it is asked by.
        Assert.Equal((original.Id, original.Record.Ctx, original.Record.ManifestDigest), await client.ShowLabelAsync(update.Id.ToString(), Cancel) is var label ? (label.Id, label.Ctx, label.ManifestDigest) : default);
    }

    [Fact]
    public async Task Who_has_it_whom_the_author_did_not_name_and_what_was_not_kept_is_refused_and_nothing_is_taken_back_for_it()
    {
        using var bench = new Bench(pki.Folder);
        var original = (await SendFurtherAsync(bench)).Entry;
        async Task<string> Refused(string add, Func<UpdateRequest, UpdateRequest>? change = null) =>
            await Assert.ThrowsAsync<RefusedException>(() => UpdateAsync(bench, original.Id, add, change)) is var e ? $"{e.Refusal.Code} {e.Detail}" : "";
        Assert.Equal("E_HAS_COPY H41", await Refused("H41"));
        Assert.Equal("E_ADDRESSEES H37", await Refused("H37", r => r with { Remove = ["H41"], Reason = "nhầm" }));
        File.Delete(Path.Combine(original.Folder, "kept.p7m"));
        Assert.Equal("E_NOT_KEPT ", await Refused("H14"));
        Assert.Single(bench.Gateway.Submitted);
        using var client = new OfficeClient(bench.Start("G22"));
        Assert.Single(client.Outbox());
    }

    [Fact]
    public async Task Offices_are_removed_and_added_in_one_and_a_recall_finds_each_envelope()
    {
        using var bench = new Bench(pki.Folder);
        var original = (await SendFurtherAsync(bench)).Entry;
        var entries = await UpdateAsync(bench, original.Id, "H14", r => r with { Remove = ["H41"], Reason = "chuyển cho nơi khác" });
        Assert.Equal([("recall", 1), ("update", 2)], entries.Select(e => (e.Record.About!.Kind, e.Record.About.Revision)));
        using var client = new OfficeClient(bench.Start("G22"));
        await client.RefreshAsync(Cancel);
        var again = client.Find(original.Id)!;
        var one = Assert.Single(await client.RecallAsync(again, new RecallRequest { Reason = "r", To = ["H14"] }, Cancel));
        Assert.Equal(entries[1].Id, one.Record.About!.Id);
        Assert.Equal([original.Id, entries[1].Id], (await client.RecallAsync(again, new RecallRequest { Reason = "r" }, Cancel)).Select(e => e.Record.About!.Id));
    }

    [Fact, Trait("tier", "long")]
    public async Task A_replacement_takes_the_updates_back_after_it_went()
    {
        using var bench = new Bench(pki.Folder);
        var original = (await SendFurtherAsync(bench)).Entry;
        var update = Assert.Single(await UpdateAsync(bench, original.Id, "H14"));
        // Named by either of its envelopes it is the same dispatch.
        Assert.IsType<DeliveryVerdict.Accepted>((await bench.SendAsync(change: r => r with { Replaces = update.Id.ToString() })).Verdict);
        var sent = bench.Gateway.Submitted.Select(HeaderOf).ToList();
        Assert.Equal(["new", "update", "replace", "recall"], sent.Select(h => h.Kind));
        Assert.Equal((original.Id, update.Id), (sent[2].Target!.Id, sent[3].Target!.Id));
    }

    [Fact, Trait("tier", "long")]
    public async Task A_copy_that_was_not_opened_can_be_given_again_and_whoever_has_it_by_then_is_told()
    {
        using var bench = new Bench(pki.Folder);
        var original = (await bench.SendAsync()).Entry;
        using (var client = new OfficeClient(bench.Start("G22")))
        {
            await client.RefreshAsync(Cancel);
            var recall = Assert.Single(await client.RecallAsync(client.Find(original.Id)!, new RecallRequest { Reason = "nhầm" }, Cancel));
            await client.DeliverAsync(recall, null, Cancel);
            await OpenAsync(bench, recall.Id);
        }
        Assert.Equal(Refusal.Recalled, (await OpenAsync(bench, original.Id)).Failure);
        bench.Gateway.OfficeReceipts.AddRange(bench.Gateway.Acknowledged.Where(a => Statement.Read(a, StatementType.Receipt).As<Receipt>() is { Event: ReceiptEvent.ContentOpeningFailure } r && r.Envelope == original.Id));
        var update = Assert.Single(await UpdateAsync(bench, original.Id, "H41"));
        var opened = await OpenAsync(bench, update.Id);
        Assert.Equal((null, null), (opened.Failure, opened.CopyOf));
        Assert.Equal(File.ReadAllBytes(bench.At("document.bin")), File.ReadAllBytes(Assert.Single(opened.Files)));
        // It opens the first one after all, and looks at the second again.
        Assert.Null((await OpenAsync(bench, original.Id, recalled: true)).Failure);
        Assert.Equal(original.Id, (await OpenAsync(bench, update.Id)).CopyOf);
    }
}
