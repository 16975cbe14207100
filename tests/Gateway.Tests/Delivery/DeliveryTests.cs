using System.Text.Json;
using Exchange.Adapters;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Delivery;

public sealed class DeliveryTests : ScriptedOffice
{
    [Theory, InlineData(1_000), InlineData(2_500_000)]
    public async Task A_copy_is_carried_byte_for_byte_and_the_sender_gets_a_consignment(int size)
    {
        var (envelope, file, id) = await Accepted(size);
        Assert.Equal("queued", (await Copy(id)).GetProperty("state").GetString());
        Assert.Equal(1, await gateway.Deliver());
        Assert.Equal(file, Assert.Single(h41.Received));
        Assert.Equal("delivered", (await Copy(id)).GetProperty("state").GetString());
        Assert.Contains(ReceiptEvent.ContentConsignment, await Events(id));
        Assert.Equal(0, await gateway.Deliver());
        Assert.NotEqual(default, envelope.Ctx);
    }

    [Fact]
    public async Task The_offices_receipt_in_the_answer_is_verified_and_filed()
    {
        var (envelope, _, id) = await Accepted();
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover)));
        await gateway.Deliver();
        Assert.Equal([ReceiptEvent.SubmissionAcceptance, ReceiptEvent.ContentConsignment, ReceiptEvent.ContentHandover], (await Events(id)).OrderBy(e => e != ReceiptEvent.SubmissionAcceptance).ThenBy(e => e));
    }

    [Fact]
    public async Task A_receipt_that_does_not_hold_delivers_nothing_and_the_office_is_asked_next_time()
    {
        var (envelope, _, id) = await Accepted();
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover, signer: DevPkiFolder.Sign("H14"))));
        await gateway.Deliver();
        Assert.Equal("queued", (await Copy(id)).GetProperty("state").GetString());
        h41.Holds = _ => new DeliveryOutcome.Delivered(OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover));
        await NextTry();
        Assert.Equal(("delivered", 1), ((await Copy(id)).GetProperty("state").GetString()!, h41.Received.Count));
    }

    [Fact]
    public async Task A_copy_delivered_without_a_signature_takes_the_offices_handover_afterwards_once()
    {
        var (envelope, _, id) = await Accepted();
        await gateway.Deliver();
        var parcel = (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox?all=true")).Json.GetProperty("parcels").EnumerateArray().Last().GetProperty("parcel").GetGuid();
        var handover = OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover);
        Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{parcel}/receipts", handover)).Status);
        Assert.Equal(200, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{parcel}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover))).Status);
        Assert.Single(await Events(id), e => e == ReceiptEvent.ContentHandover);
        Assert.Single(Entries(EntryKind.Handover));
    }

    [Fact]
    public async Task What_may_pass_is_tried_again_later_and_the_sender_sees_when()
    {
        var (_, _, id) = await Accepted();
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.TryLater("connection refused"));
        await gateway.Deliver();
        var copy = await Copy(id);
        Assert.Equal(("queued", 1, "TryLater"), (copy.GetProperty("state").GetString(), copy.GetProperty("attempts").GetInt32(), copy.GetProperty("last").GetString()));
        Assert.InRange(copy.GetProperty("nextAt").GetInt64() - gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds(), 1, 15_000);
        Assert.Equal(0, await gateway.Deliver());
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(null));
        await NextTry();
        Assert.Equal(("delivered", 0), ((await Copy(id)).GetProperty("state").GetString()!, h41.Asked));
    }

    [Fact]
    public async Task After_an_unknown_end_the_office_is_asked_and_nothing_is_sent_twice()
    {
        var (_, _, id) = await Accepted();
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Unknown("no answer in time"));
        await gateway.Deliver();
        h41.Holds = _ => new DeliveryOutcome.Delivered(null);
        await NextTry();
        Assert.Equal(("delivered", 1, 1), ((await Copy(id)).GetProperty("state").GetString()!, h41.Asked, h41.Received.Count));
    }

    [Fact]
    public async Task What_a_carrier_has_on_the_way_is_asked_about_and_not_sent_again()
    {
        var (_, _, id) = await Accepted();
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.HandedOn(TimeSpan.FromMinutes(10)));
        h41.Holds = _ => new DeliveryOutcome.HandedOn(TimeSpan.FromMinutes(10));
        await gateway.Deliver();
        var copy = await Copy(id);
        Assert.Equal(("queued", "HandedOn"), (copy.GetProperty("state").GetString(), copy.GetProperty("last").GetString()));
        Assert.InRange(copy.GetProperty("nextAt").GetInt64() - gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds(), 590_000, 600_000);
        gateway.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(1, await gateway.Deliver());
        h41.Holds = _ => new DeliveryOutcome.Delivered(null);
        gateway.Clock.Advance(TimeSpan.FromMinutes(10));
        await gateway.Deliver();
        Assert.Equal(("delivered", 2, 1), ((await Copy(id)).GetProperty("state").GetString()!, h41.Asked, h41.Received.Count));
    }

    [Fact]
    public async Task An_office_that_is_faster_than_our_settling_is_told_to_say_it_again()
    {
        var (envelope, _, id) = await Accepted();
        Answer early = null!, fetched = null!;
        h41.Answer = async (parcel, _, _) =>
        {
            early = await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{parcel.Id}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpening));
            fetched = await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/mailbox/{parcel.Id}");
            return new DeliveryOutcome.Delivered(null);
        };
        await gateway.Deliver();
        Assert.Equal((503, "E_BUSY", 503), (early.Status, early.Code, fetched.Status));
        Assert.Equal("delivered", (await Copy(id)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task An_office_that_asks_for_time_gets_it()
    {
        var (_, _, id) = await Accepted();
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Busy(TimeSpan.FromSeconds(300)));
        await gateway.Deliver();
        Assert.InRange((await Copy(id)).GetProperty("nextAt").GetInt64() - gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds(), 295_000, 300_000);
    }

    [Fact]
    public async Task What_the_other_side_refuses_for_good_is_dead_with_a_receipt_and_nothing_is_deleted()
    {
        var (_, _, id) = await Accepted();
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Refused("E_NOT_FOR_THIS_KEY"));
        await gateway.Deliver();
        var copy = await Copy(id);
        Assert.Equal(("dead", "E_CHANNEL_REFUSED"), (copy.GetProperty("state").GetString(), copy.GetProperty("code").GetString()));
        Assert.Contains(ReceiptEvent.ContentConsignmentFailure, await Events(id));
    }

    [Fact]
    public async Task Clearance_revoked_between_accept_and_claim_ends_the_copy_as_refused_with_a_receipt()
    {
        var (_, _, id) = await Accepted();
        await gateway.TakeClearanceFrom("H41");
        await gateway.Deliver();
        Assert.Empty(h41.Received);
        Assert.Equal("refused", (await Copy(id)).GetProperty("state").GetString());
        Assert.Contains(ReceiptEvent.ContentConsignmentFailure, await Events(id));
    }

    [Fact]
    public async Task A_worker_paused_past_its_lease_writes_one_late_attempt_and_changes_nothing()
    {
        var (_, _, id) = await Accepted();
        var (entered, paused) = (new TaskCompletionSource(), new TaskCompletionSource<DeliveryOutcome>());
        h41.Answer = (_, _, _) => { entered.TrySetResult(); return paused.Task; };
        await gateway.Host.Worker.Step(gateway.Clock.GetUtcNow());
        await entered.Task;

        // Its lease ends unnoticed; the copy is claimed again and delivered by the second worker.
        gateway.Clock.Advance(TimeSpan.FromSeconds(61));
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.TryLater("still away"));
        await gateway.Host.Worker.Step(gateway.Clock.GetUtcNow());
        await Until(async () => (await Copy(id)).GetProperty("attempts").GetInt32() == 2);
        var before = await Copy(id);

        paused.SetResult(new DeliveryOutcome.Delivered(null));
        await gateway.Host.Worker.Idle();
        var after = await Copy(id);
        Assert.Equal(("queued", 3, "Late"), (after.GetProperty("state").GetString(), after.GetProperty("attempts").GetInt32(), after.GetProperty("last").GetString()));
        Assert.Equal(before.GetProperty("nextAt").GetInt64(), after.GetProperty("nextAt").GetInt64());
        Assert.DoesNotContain(ReceiptEvent.ContentConsignment, await Events(id));
        Assert.Single(Attempts(id), a => a.Outcome == AttemptOutcome.Late);
    }

    [Fact]
    public async Task A_heartbeat_keeps_a_long_delivery_from_being_given_away()
    {
        var (_, _, id) = await Accepted();
        var (entered, paused) = (new TaskCompletionSource(), new TaskCompletionSource<DeliveryOutcome>());
        h41.Answer = (_, _, _) => { entered.TrySetResult(); return paused.Task; };
        await gateway.Host.Worker.Step(gateway.Clock.GetUtcNow());
        await entered.Task;
        for (var i = 0; i < 4; i++)
        {
            gateway.Clock.Advance(TimeSpan.FromSeconds(40));
            await gateway.Host.Worker.Heartbeat(gateway.Clock.GetUtcNow());
            Assert.Equal(0, await gateway.Host.Worker.Step(gateway.Clock.GetUtcNow()));
        }
        paused.SetResult(new DeliveryOutcome.Delivered(null));
        await gateway.Host.Worker.Idle();
        Assert.Equal("delivered", (await Copy(id)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_fresh_start_frees_what_the_process_before_had_claimed_and_asks_before_it_sends()
    {
        var (_, _, id) = await Accepted();
        var now = gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        // As a process that died right after its claim.
        await gateway.Host.Shared.Journal.Commit(b => { b.Quiet(QuietKind.Claim); return JobTable.Claim(b, "H41", 2, 1, now, now + 60_000).Count; });
        await gateway.Restart();
        await gateway.Deliver();
        Assert.Equal(("delivered", 1), ((await Copy(id)).GetProperty("state").GetString()!, h41.Asked));
        Assert.Equal([AttemptOutcome.LeaseLost, AttemptOutcome.Delivered], Attempts(id).Select(a => a.Outcome));
    }

    [Fact]
    public async Task A_queued_copy_past_its_time_expires_but_not_while_a_worker_carries_it()
    {
        var (_, _, id) = await Accepted();
        var (entered, paused) = (new TaskCompletionSource(), new TaskCompletionSource<DeliveryOutcome>());
        h41.Answer = (_, _, _) => { entered.TrySetResult(); return paused.Task; };
        await gateway.Host.Worker.Step(gateway.Clock.GetUtcNow());
        await entered.Task;
        gateway.Clock.Advance(TimeSpan.FromDays(6));
        await gateway.Host.Worker.Heartbeat(gateway.Clock.GetUtcNow());
        var expire = new Gateway.Release.ExpireParcels(gateway.Host.Shared, new Gateway.Release.EndParcel(gateway.Host.Shared));
        Assert.Equal(0, await expire.Step(gateway.Clock.GetUtcNow()));
        paused.SetResult(new DeliveryOutcome.TryLater("away"));
        await gateway.Host.Worker.Idle();
        Assert.Equal(1, await expire.Step(gateway.Clock.GetUtcNow()));
        Assert.Equal("expired", (await Copy(id)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task An_office_that_goes_back_to_its_mailbox_finds_the_copy_there()
    {
        var (_, _, id) = await Accepted();
        await gateway.GiveClearancesBack();
        await gateway.Deliver();
        Assert.Empty(h41.Received);
        Assert.Equal("available", (await Copy(id)).GetProperty("state").GetString());
        Assert.Single((await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels").EnumerateArray());
    }

    [Fact]
    public async Task A_standing_with_a_channel_that_nobody_serves_is_refused() =>
        Assert.Equal(Crypto.Refusal.Request, (await Assert.ThrowsAsync<Crypto.RefusedException>(() => gateway.Reach("H41", "gateway"))).Refusal);

    async Task<(SealedEnvelope Envelope, byte[] File, Guid Id)> Accepted(int size = 1000)
    {
        var (envelope, file) = await gateway.SealFile("H41", size: size);
        var answer = await gateway.Submit(file);
        Assert.True(answer.Status == 201, answer.Text);
        return (envelope, file, answer.Receipt.Envelope);
    }

    async Task NextTry()
    {
        gateway.Clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(1, await gateway.Deliver());
    }

    List<AttemptRow> Attempts(Guid envelope)
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return [.. reader.Query<AttemptRow>("SELECT a.parcel, a.fence, a.outcome, a.started_at, a.ended_at, a.next_at, a.detail, a.leaf FROM attempt a JOIN parcel p ON p.id = a.parcel WHERE p.dispatch = @dispatch ORDER BY a.rowid",
            new { dispatch = DispatchTable.Find(reader, "G22", envelope)!.Id })];
    }

    List<EntryRow> Entries(EntryKind kind)
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return [.. EntryTable.Walk(reader).Select(e => e.Entry).Where(e => e.Kind == kind)];
    }

    static async Task Until(Func<Task<bool>> holds)
    {
        for (var i = 0; i < 2000 && !await holds(); i++) await Task.Yield();
        Assert.True(await holds());
    }
}
