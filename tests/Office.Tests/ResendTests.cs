using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>What was sent goes once more to an office that lost its key: from what was kept, without author and documents.</summary>
public sealed class ResendTests(DevPkiFixture pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    static async Task<OutboxEntry> ResendAsync(Bench bench, Guid id, params string[] to)
    {
        using var client = new OfficeClient(bench.Start("G22"));
        await client.RefreshAsync(Cancel);
        var entry = await client.ResendAsync(client.Find(id)!, to, TimeSpan.FromDays(5), [], Cancel);
        Assert.IsType<DeliveryVerdict.Accepted>(await client.DeliverAsync(entry, null, Cancel));
        return entry;
    }

    static Header HeaderOf(byte[] file) => EnvelopeFile.PeekUnverified(EnvelopeFile.ReadPartsAsync(new MemoryStream(file), CancellationToken.None).GetAwaiter().GetResult().Header);

    [Fact]
    public async Task An_office_with_a_new_key_gets_the_same_dispatch_sealed_to_that_and_its_author_signs_nothing()
    {
        using var bench = new Bench(pki.Folder);
        var original = (await bench.SendAsync(change: r => r with { To = ["H14"], Cc = ["H41"] })).Entry;
        // As long as the key is the office's, its copy is of use; and who never got one gets none so.
        Assert.Equal("E_HAS_COPY H41", await Refused(bench, original.Id, "H41"));
        Assert.StartsWith("E_RECALL_TARGET H37", await Refused(bench, original.Id, "H37"), StringComparison.Ordinal);
        var key = await bench.ReplaceKeyAsync("H41");
        // The persons' keys are not even here.
        bench.Keys["G22"] = keys => keys with { Persons = new Dictionary<string, string>() };
        var again = await ResendAsync(bench, original.Id, "H41");
        Assert.Equal(again.Id, (await ResendAsync(bench, original.Id, "H41")).Id);
        // Delivered is delivered: the second time not a byte went.
        Assert.Equal(2, bench.Gateway.Submitted.Count);
        var (first, second) = (HeaderOf(bench.Gateway.Submitted[0]), HeaderOf(bench.Gateway.Submitted[1]));
        Assert.True(second.CarriesSame(first));
        Assert.Equal((new Reference("update", first.Id, original.Record.Ctx, 1), new Recipient("H41", key.Certificate.Key, "to")), (second.References[^1], Assert.Single(second.Recipients)));
        Assert.Equal(EnvelopeFile.Write(again.Parts()), bench.Gateway.Submitted[1]);
        // Both stand in what is known of the dispatch.
        using var client = new OfficeClient(bench.Start("G22"));
        Assert.Equal([("H14", (Guid?)null), ("H41", null), ("H41", again.Id)], (await client.TrackAsync(client.Find(original.Id)!, audit: false, Cancel)).Copies.Select(c => (c.Office, c.Update)));

        var file = bench.At("new.p12");
        File.WriteAllBytes(file, Crypto.Keys.Pkcs12.Write(key.ForTls, [], pki.Passphrase, 2_048));
        bench.Keys["H41"] = keys => keys with { Encrypt = [file] };
        using var theirs = new OfficeClient(bench.Start("H41"));
        await theirs.RefreshAsync(Cancel);
        Assert.Equal(Refusal.NotForThisKey, (await Assert.ThrowsAsync<RefusedException>(() => theirs.OpenAsync(original.Id, bench.At("received"), null, Cancel))).Refusal);
        Assert.Equal(File.ReadAllBytes(bench.At("document.bin")), File.ReadAllBytes(Assert.Single((await theirs.OpenAsync(again.Id, bench.At("received"), null, Cancel)).Files)));
    }

    [Fact]
    public void What_became_of_a_copy_says_what_to_do()
    {
        static string Where(string state, Refusal code) => CopyText.Where(new CopyView("H41", "to", state, CopyEvidence.Failed, code.Code, null), new Output(TextWriter.Null, TextWriter.Null, false, false, TimeProvider.System));
        Assert.Contains("exchange resend", Where("refused", Refusal.KeyRetired), StringComparison.Ordinal);
        Assert.Contains("sent again", Where("recalled", Refusal.Resent), StringComparison.Ordinal);
        Assert.DoesNotContain("resend", Where("refused", Refusal.NotReleasable), StringComparison.Ordinal);
    }

    static async Task<string> Refused(Bench bench, Guid id, string to) => await Assert.ThrowsAsync<RefusedException>(() => ResendAsync(bench, id, to)) is var e ? $"{e.Refusal.Code} {e.Detail}" : "";
}
