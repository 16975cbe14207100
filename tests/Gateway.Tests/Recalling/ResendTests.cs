using Exchange.Adapters;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Office.Join;
using Exchange.Tests.Http;

namespace Exchange.Tests.Recalling;

/// <summary>An office that lost its key gets the same dispatch again, to its new key: without the author, without an upload, and never twice.</summary>
public sealed class ResendTests : IAsyncLifetime
{
    readonly RecallBench bench = new();
    TestGateway Gateway => bench.Gateway;

    public ValueTask InitializeAsync() => bench.InitializeAsync();
    public ValueTask DisposeAsync() => bench.DisposeAsync();

    static (int, string?) Of(Answer answer) => (answer.Status, answer.Code);

    async Task<FileKey> LoseEncryption(string office)
    {
        var key = FileKey.Of(NewKeys.Issue(office, KeyUse.Encrypt));
        await Gateway.Roll(office, [("encrypt", key.Certificate)], ["encrypt"]);
        return key;
    }

    [Fact]
    public async Task The_old_copy_ends_in_the_commit_that_takes_the_new_one_in_and_both_are_on_record()
    {
        var (original, file) = await Gateway.SendKept("H14", "H37", size: 100_000);
        // As long as its key is current, its copy is of use.
        Assert.Equal((409, "E_HAS_COPY"), Of(await Gateway.Hand(Gateway.Reseal(original, "H14"))));
        var key = await LoseEncryption("H14");
        var again = await Gateway.Update(original, "H14");
        Assert.Equal(key.Certificate.Key, EnvelopeFile.PeekUnverified(again.Parts.Header).Recipients.Single().Key);
        Assert.Equal("recalled E_RESENT", await bench.Copy(original, "H14"));
        Assert.Equal(["ContentConsignmentFailure E_RESENT"], await bench.Receipts(original, "H14"));
        Assert.Equal((410, "E_RESENT"), Of(await bench.Fetch(original, "H14")));
        var got = (await bench.Fetch(again, "H14")).Body;
        Assert.Equal(Updating.Whole(again, original, file), got);

        // It opens with the new key, is acknowledged, and there is no third.
        var (world, folder) = (Gateway.Host.Shared.Worlds.Current, Directory.CreateTempSubdirectory());
        var opened = await Envelope.OpenAsync(new OpenRequest
        {
            Parts = again.Parts, Payload = new MemoryStream(got[EnvelopeFile.Write(again.Parts).Length..]), Context = new EnvelopeContext(world.Directory, world.Trust, Gateway.Clock.GetUtcNow()), Office = "H14", Key = key,
            Folder = folder.FullName, OfficeSignsDispatch = false,
        }, default);
        Assert.Equal(100_000, new FileInfo(Assert.Single(opened.Files)).Length);
        folder.Delete(recursive: true);
        Assert.Equal(201, (await bench.Say(again, "H14", ReceiptEvent.ContentHandover)).Status);
        Assert.Equal("delivered", await bench.Copy(again, "H14"));
        Assert.Equal((409, "E_HAS_COPY"), Of(await Gateway.Hand(Gateway.Reseal(original, "H14", 2))));
    }

    [Fact]
    public async Task A_key_lost_twice_ends_the_copy_of_the_first_resend_too()
    {
        var (original, _) = await Gateway.SendKept("H14", "H37");
        await LoseEncryption("H14");
        var first = await Gateway.Update(original, "H14");
        await LoseEncryption("H14");
        var second = await Gateway.Update(original, "H14", 2);
        Assert.Equal(("recalled E_RESENT", "recalled E_RESENT", "available"), (await bench.Copy(original, "H14"), await bench.Copy(first, "H14"), await bench.Copy(second, "H14")));
    }

    [Fact]
    public async Task A_copy_that_waits_for_its_channel_is_never_carried_after_it_was_sent_again()
    {
        bench.H41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.TryLater("away"));
        var (original, _) = await Gateway.SendKept("H41", "H37");
        await Gateway.Deliver();
        await LoseEncryption("H41");
        var again = await Gateway.Update(original, "H41");
        Assert.Equal("recalled E_RESENT", await bench.Copy(original, "H41"));
        bench.H41.Received.Clear();
        bench.H41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(null));
        Gateway.Clock.Advance(TimeSpan.FromHours(3));
        await Gateway.Deliver();
        var parts = await EnvelopeFile.ReadPartsAsync(new MemoryStream(Assert.Single(bench.H41.Received)), default);
        Assert.Equal(again.Ctx, Statement.Read(parts.Header, StatementType.Header).Ref);
        Assert.Equal(("recalled E_RESENT", "delivered"), (await bench.Copy(original, "H41"), await bench.Copy(again, "H41")));
    }

    [Fact]
    public async Task What_may_have_arrived_is_asked_about_before_it_ends()
    {
        bench.H41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Unknown("cut"));
        var (original, _) = await Gateway.SendKept("H41", "H37");
        await Gateway.Deliver();
        await LoseEncryption("H41");
        await Gateway.Update(original, "H41");
        Assert.Equal("queued", await bench.Copy(original, "H41"));
        var asked = bench.H41.Asked;
        // The other copy stands in the same lane, and after a failure one goes at a time.
        for (var i = 0; i < 6 && bench.H41.Asked == asked; i++)
        {
            Gateway.Clock.Advance(TimeSpan.FromHours(1));
            await Gateway.Deliver();
        }
        Assert.True(bench.H41.Asked > asked);
        Assert.Equal("recalled E_RESENT", await bench.Copy(original, "H41"));
    }

    [Fact]
    public async Task A_copy_that_ended_undelivered_or_was_not_opened_can_be_sent_again_under_the_same_key()
    {
        var (original, _) = await Gateway.SendKept("H14", "H37", change: r => r with { Times = r.Times with { Expires = Gateway.Clock.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds() } });
        var (other, _) = await Gateway.SendKept("H14", "H37");
        await bench.Say(other, "H14", ReceiptEvent.ContentHandover);
        Assert.Equal((409, "E_HAS_COPY"), Of(await Gateway.Hand(Gateway.Reseal(other, "H14"))));
        var failed = OfficeReceipts.Sign(other, ReceiptEvent.ContentOpeningFailure, "H14", "E_CANNOT_OPEN");
        Assert.Equal(201, (await TestGateway.Send(Gateway.As("H14"), HttpMethod.Post, $"/mailbox/{await bench.Parcel(other, "H14")}/receipts", failed)).Status);
        await Gateway.Update(other, "H14");
        // What was delivered stays so: it is only of no use.
        Assert.Equal("delivered", await bench.Copy(other, "H14"));

        Gateway.Clock.Advance(TimeSpan.FromHours(2));
        await Gateway.Host.Loops.StepAll();
        Assert.StartsWith("expired", await bench.Copy(original, "H14"), StringComparison.Ordinal);
        await Gateway.Update(original, "H14");
        Assert.StartsWith("expired", await bench.Copy(original, "H14"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_after_a_loss_is_held_back_from_the_second_level_up_for_a_day_and_the_dispatch_goes_then()
    {
        var (original, _) = await Gateway.SendKept("H14", "H41");
        var (secret, _) = await Gateway.SendKept("H41", "H37", "mat");
        await Gateway.Lose("H41");
        // What is ordinary goes at once; what is not waits for the day to pass.
        await Gateway.Update(original, "H41");
        Assert.Equal((403, "E_NOT_RELEASABLE"), Of(await Gateway.Hand(Gateway.Reseal(secret, "H41"))));
        Gateway.Clock.Advance(TimeSpan.FromHours(25));
        await Gateway.Host.Loops.StepAll();
        Assert.Equal("refused E_KEY_RETIRED", await bench.Copy(secret, "H41"));
        await Gateway.Update(secret, "H41");
    }
}
