using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>Who can open a dispatch besides its addressees: the offices whose keys the policy keeps for recovery, and its sender. Never hidden, and no copy goes to them.</summary>
public sealed class RecoveryTests(DevPkiFixture pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    Digest KeyOf(string office) => pki.Directory.Find(office)!.Encryption[0].Key;

    static Header HeaderOf(byte[] file) => EnvelopeFile.PeekUnverified(EnvelopeFile.ReadPartsAsync(new MemoryStream(file), CancellationToken.None).GetAwaiter().GetResult().Header);

    static string Said(Action<Output> tell)
    {
        var text = new StringWriter();
        tell(new Output(text, TextWriter.Null, vietnamese: false, json: false, TimeProvider.System));
        return text.ToString();
    }

    [Fact]
    public async Task What_the_policy_keeps_for_recovery_is_sealed_to_that_office_which_opens_it_without_a_gateway_and_tells_nobody()
    {
        using var bench = new Bench(pki.Folder);
        bench.Handle("thuong", h => h with { Recovery = [KeyOf("H37")] });
        var (entry, verdict) = await bench.SendAsync();
        Assert.Equal([("H37", "recovery"), ("H41", "to")], HeaderOf(bench.Gateway.Submitted[0]).Recipients.Select(r => (r.Office, r.Role)));
        Assert.Contains("can be opened by H37, for recovery too", Said(say => SendCommands.Tell(entry, verdict, say)), StringComparison.Ordinal);
        using (var client = new OfficeClient(bench.Start("G22")))
        {
            var view = await client.TrackAsync(client.Find(entry.Id)!, audit: false, Cancel);
            Assert.Equal("can open it, gets no copy", CopyText.Where(view.Copies.Single(c => c.Role == "recovery"), new Output(TextWriter.Null, TextWriter.Null, false, false, TimeProvider.System)));
        }

        // What H41 hands over, once it cannot open it: the envelope and the receipt beside it.
        var (file, receipt, _) = bench.Gateway.Accepted[entry.Id];
        File.WriteAllBytes(bench.At("x.envelope"), file);
        File.WriteAllBytes(bench.At("x.receipt.p7s"), receipt);
        using var recovering = new OfficeClient(bench.Start("H37"));
        await recovering.RefreshAsync(Cancel);
        var opened = await recovering.OpenAsideAsync(bench.At("x.envelope"), OpenAsideCommand.ReceiptOf(bench.At("x.envelope"), null)!, bench.At("recovered"), null, Cancel);
        Assert.Equal(("recovery", "G22", "7816/VPCP"), (opened.Role, opened.Sender, opened.Number));
        Assert.Equal(File.ReadAllBytes(bench.At("document.bin")), File.ReadAllBytes(Assert.Single(opened.Files)));
        Assert.Contains("in the role recovery", Said(say => OpenAsideCommand.Tell(opened, say, [])), StringComparison.Ordinal);
        Assert.Empty(bench.Gateway.Acknowledged);
        Assert.Empty(recovering.Received());
        // It is no parcel of that office, nor does the addressee open it so.
        await Assert.ThrowsAsync<RefusedException>(() => recovering.OpenAsync(entry.Id, bench.At("recovered"), null, Cancel));
        using var addressee = new OfficeClient(bench.Start("H41"));
        Assert.Equal(("G22", "H37"), await addressee.RefreshAsync(Cancel) is null ? ("G22", Assert.Single((await addressee.OpenAsync(entry.Id, bench.At("received"), null, Cancel)).Besides).Office) : default);
        Assert.Equal(Refusal.NotForThisKey, (await Assert.ThrowsAsync<RefusedException>(() => addressee.OpenAsideAsync(bench.At("x.envelope"), receipt, bench.At("aside"), null, Cancel))).Refusal);
        Assert.False(Directory.Exists(bench.At("aside")));
    }

    [Fact]
    public async Task Updates_and_recalls_are_sealed_to_the_recovery_keys_too_and_an_office_with_no_other_key_gets_nothing()
    {
        using var bench = new Bench(pki.Folder);
        bench.Handle("thuong", h => h with { Recovery = [KeyOf("H37")] });
        var entry = (await bench.SendAsync(change: r => r with { Later = ["H14"] })).Entry;
        using var client = new OfficeClient(bench.Start("G22"));
        await client.RefreshAsync(Cancel);
        foreach (var update in await client.UpdateAsync(client.Find(entry.Id)!, new UpdateRequest { Add = ["H14"] }, Cancel)) await client.DeliverAsync(update, null, Cancel);
        foreach (var recall in await client.RecallAsync(client.Find(entry.Id)!, new RecallRequest { Reason = "r", To = ["H41"] }, Cancel)) await client.DeliverAsync(recall, null, Cancel);
        Assert.Equal(["new", "update", "recall"], bench.Gateway.Submitted.Select(b => HeaderOf(b).Kind));
        Assert.All(bench.Gateway.Submitted, b => Assert.Equal(("H37", KeyOf("H37")), HeaderOf(b).Besides is [var one] ? (one.Office, one.Key) : default));
        var refused = await Assert.ThrowsAsync<RefusedException>(() => bench.SendAsync(change: r => r with { To = ["H37"] }));
        Assert.Equal((Refusal.RecipientKeys, "H37 has no key but for recovery"), (refused.Refusal, refused.Detail));
        // One that is in no card keeps everything in: nobody could be told whose it is.
        bench.Handle("thuong", h => h with { Recovery = [Digest.Of("lost"u8)] });
        using var fresh = new Bench(pki.Folder);
        fresh.Gateway.Policy = bench.Gateway.Policy;
        Assert.Equal(Refusal.RecipientKeys, (await Assert.ThrowsAsync<RefusedException>(() => fresh.SendAsync())).Refusal);
        Assert.Empty(fresh.Gateway.Submitted);
    }

    [Theory, InlineData(true, false), InlineData(null, true)]
    public async Task A_sender_opens_again_what_it_kept_or_the_policy_had_it_keep(bool? self, bool keep)
    {
        using var bench = new Bench(pki.Folder);
        if (self is not null) bench.Handle("thuong", h => h with { Self = self });
        var entry = (await bench.SendAsync(change: r => r with { Keep = keep })).Entry;
        Assert.Equal([("G22", "self"), ("H41", "to")], HeaderOf(bench.Gateway.Submitted[0]).Recipients.Select(r => (r.Office, r.Role)));
        using var client = new OfficeClient(bench.Start("G22"));
        var opened = await client.OpenSentAsync(client.Find(entry.Id)!, bench.At("again"), null, Cancel);
        Assert.Equal("self", opened.Role);
        Assert.Equal(File.ReadAllBytes(bench.At("document.bin")), File.ReadAllBytes(Assert.Single(opened.Files)));
    }

    [Fact]
    public async Task What_was_not_kept_cannot_be_opened_again_and_a_policy_may_bar_it()
    {
        using var bench = new Bench(pki.Folder);
        var entry = (await bench.SendAsync()).Entry;
        Assert.False(File.Exists(entry.PayloadFile));
        using (var client = new OfficeClient(bench.Start("G22")))
            Assert.Equal(Refusal.NotForThisKey, (await Assert.ThrowsAsync<RefusedException>(() => client.OpenSentAsync(client.Find(entry.Id)!, bench.At("again"), null, Cancel))).Refusal);
        bench.Handle("thuong", h => h with { Self = false });
        Assert.Equal(Refusal.RecipientKeys, (await Assert.ThrowsAsync<RefusedException>(() => bench.SendAsync(change: r => r with { Keep = true }))).Refusal);
        await bench.SendAsync();
        Assert.Equal(2, bench.Gateway.Submitted.Count);
    }
}
