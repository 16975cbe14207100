using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;
using Exchange.Tests.Recalling;

namespace Exchange.Tests.Release;

public sealed class ErasePayloadsTests : IAsyncLifetime
{
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start();
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    async Task<(SealedEnvelope Envelope, Guid Parcel)> Delivered(string to, int size)
    {
        var (envelope, _, parcel) = await gateway.Accepted(to, "H41", size: size);
        Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{parcel}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover))).Status);
        return (envelope, parcel);
    }

    async Task After(TimeSpan time)
    {
        gateway.Clock.Advance(time);
        await gateway.Host.Loops.StepAll();
    }

    string[] Blobs() => Directory.GetFiles(Path.Combine(gateway.Data, "blobs"), "*", SearchOption.AllDirectories);

    int Erased()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return EntryTable.Walk(reader).Count(e => e.Entry.Kind == EntryKind.PayloadErased);
    }

    [Fact]
    public async Task A_payload_goes_when_every_copy_ended_long_enough_ago_and_all_evidence_stays()
    {
        await gateway.Handle("thuong", h => h with { PayloadDays = 1 });
        var (blob, inline, owed) = (await Delivered("H41", 100_000), await Delivered("H41", 1000), await Delivered("H41,H14", 200_000));
        await After(TimeSpan.FromHours(23));
        Assert.Equal((0, 2), (Erased(), Blobs().Length));

        await After(TimeSpan.FromHours(2));
        Assert.Equal((2, 1), (Erased(), Blobs().Length));
        foreach (var (envelope, parcel) in new[] { blob, inline })
        {
            var gone = await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/mailbox/{parcel}");
            Assert.Equal((410, "E_PAYLOAD_ERASED"), (gone.Status, gone.Code));
            Assert.Equal(200, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/mailbox/{parcel}/receipt")).Status);
            var receipts = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id}/receipts")).Json.GetProperty("receipts");
            Assert.Equal(3, receipts.GetArrayLength());
            // What the office says later is still filed.
            Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{parcel}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpening))).Status);
        }
        using (var reader = gateway.Host.Shared.Engine.Reader())
            Assert.All(DispatchTable.Walk(reader), d => Assert.Equal(d.Envelope == EnvelopeFile.PeekUnverified(owed.Envelope.Parts.Header).Id, d.PayloadErasedAt is null));
        // The one that an office has not fetched is still owed whole.
        var h14 = (await TestGateway.Send(gateway.As("H14"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels")[0].GetProperty("parcel").GetGuid();
        Assert.Equal(200, (await TestGateway.Send(gateway.As("H14"), HttpMethod.Get, $"/mailbox/{h14}")).Status);

        // It counts from the end of the last copy, not from when the dispatch came.
        Assert.Equal(201, (await TestGateway.Send(gateway.As("H14"), HttpMethod.Post, $"/mailbox/{h14}/receipts", OfficeReceipts.Sign(owed.Envelope, ReceiptEvent.ContentHandover, "H14"))).Status);
        await After(TimeSpan.FromHours(1));
        Assert.Equal(2, Erased());
        await After(TimeSpan.FromHours(24));
        Assert.Equal((3, 0), (Erased(), Blobs().Length));
        await gateway.Restart();      // refuses to start when a promise is not kept
    }

    [Fact]
    public async Task An_update_keeps_the_payload_that_its_original_lost_and_none_can_be_made_after_that()
    {
        await gateway.Handle("thuong", h => h with { PayloadDays = 1 });
        foreach (var size in new[] { 100_000, 1000 })
        {
            var (original, file) = await gateway.SendKept("H41", "H14,H37", size: size);
            var update = await gateway.Update(original, "H14");
            Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{await gateway.Parcel(original, "H41")}/receipts", OfficeReceipts.Sign(original, ReceiptEvent.ContentHandover))).Status);
            await After(TimeSpan.FromHours(25));
            Assert.Equal(410, (await gateway.Fetch(original, "H41")).Status);
            Assert.Equal(Updating.Whole(update, original, file), (await gateway.Fetch(update, "H14")).Body);
            var late = await gateway.Hand(gateway.Reseal(original, "H37", 2));
            Assert.Equal((410, "E_PAYLOAD_ERASED", ReceiptEvent.SubmissionRejection), (late.Status, late.Code, late.RejectionReceipt.Event));
        }
        Assert.Single(Blobs());
        await gateway.Restart();
    }

    [Fact]
    public async Task A_crash_between_the_commit_and_the_file_is_finished_later()
    {
        await gateway.Handle("thuong", h => h with { PayloadDays = 1 });
        await Delivered("H41", 100_000);
        var file = Assert.Single(Blobs());
        var bytes = File.ReadAllBytes(file);
        await After(TimeSpan.FromHours(25));
        Assert.Empty(Blobs());
        File.WriteAllBytes(file, bytes);
        await gateway.Restart();
        await After(TimeSpan.FromHours(25));
        Assert.Empty(Blobs());
        Assert.Equal(1, Erased());
    }

    [Fact]
    public async Task A_level_that_names_no_days_keeps_its_payloads()
    {
        await gateway.Handle("mat", h => h with { PayloadDays = 1 });
        var (_, parcel) = await Delivered("H41", 100_000);
        await After(TimeSpan.FromDays(20));
        Assert.Equal((0, 1), (Erased(), Blobs().Length));
        Assert.Equal(200, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/mailbox/{parcel}")).Status);
    }
}
