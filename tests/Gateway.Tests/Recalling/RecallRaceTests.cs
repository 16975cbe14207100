using Exchange.Adapters;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Tests.Http;

namespace Exchange.Tests.Recalling;

/// <summary>A recall against everything that may happen to a copy beside it, as a table. Every batch of the journal runs twice in these tests.</summary>
public sealed class RecallRaceTests(RecallBench bench) : IClassFixture<RecallBench>
{
    readonly TestGateway gateway = bench.Gateway;

    /// <summary>When it comes, what the attempt under way then brings, what the office says when it is asked → how the original ends, how the recall's own copy ends, how often the original was carried.</summary>
    public static readonly TheoryData<string, string, string, string, string, int> Queued = new()
    {
        { "before the claim", "-", "-", "recalled E_RECALLED", "recalled E_NOTHING_TO_RECALL", 0 },
        { "while it waits for another try", "TryLater", "-", "recalled E_RECALLED", "recalled E_NOTHING_TO_RECALL", 1 },
        { "while it waits to be asked about", "Unknown", "no", "recalled E_RECALLED", "delivered", 1 },
        { "while it waits to be asked about", "Unknown", "yes", "delivered", "delivered", 1 },
        { "while it waits to be asked about", "Unknown", "-", "queued", "queued", 1 },
        { "while it is carried", "Delivered", "-", "delivered", "delivered", 1 },
        { "while it is carried", "TryLater", "-", "recalled E_RECALLED", "delivered", 1 },
        { "while it is carried", "Busy", "-", "recalled E_RECALLED", "delivered", 1 },
        { "while it is carried", "Unknown", "no", "recalled E_RECALLED", "delivered", 1 },
        { "while it is carried", "Unknown", "yes", "delivered", "delivered", 1 },
        { "while it is carried", "Refused", "-", "dead E_CHANNEL_REFUSED", "queued", 1 },
        { "while it is carried", "lost", "no", "recalled E_RECALLED", "delivered", 1 },
        { "after it was delivered", "Delivered", "-", "delivered", "delivered", 1 },
    };

    [Theory, MemberData(nameof(Queued))]
    public async Task A_recall_stops_what_has_not_left_and_asks_for_what_may_have(string when, string brings, string asked, string original, string own, int carried)
    {
        // The breaker of the office, which the case before may have opened, lets one through again.
        gateway.Clock.Advance(TimeSpan.FromMinutes(20));
        var envelope = await bench.Send("H41");
        SealedEnvelope? recall = null;
        Guid parcel = await bench.Parcel(envelope, "H41");
        var (times, entered, paused) = (0, new TaskCompletionSource(), new TaskCompletionSource<DeliveryOutcome>());
        bench.H41.Answer = async (p, _, _) =>
        {
            if (p.Id != parcel) return new DeliveryOutcome.Delivered(null);
            times++;
            if (when == "while it is carried") recall = await bench.Recall(envelope, "H41");
            entered.TrySetResult();
            if (brings == "lost") return await paused.Task;
            return brings switch
            {
                "Delivered" => new DeliveryOutcome.Delivered(null), "TryLater" => new DeliveryOutcome.TryLater("away"), "Busy" => new DeliveryOutcome.Busy(null),
                "Refused" => new DeliveryOutcome.Refused("E_SIZE"), _ => (DeliveryOutcome)new DeliveryOutcome.Unknown("no answer"),
            };
        };
        bench.H41.Holds = p => p.Id != parcel ? null : asked switch { "yes" => new DeliveryOutcome.Delivered(null), "no" => null, _ => new DeliveryOutcome.TryLater("cannot be asked") };

        if (brings == "lost")
        {
            // Nobody settles it in time: the lease of a worker that is stuck.
            for (var i = 0; i < 5 && !entered.Task.IsCompleted; i++)
            {
                await gateway.Host.Worker.Step(gateway.Clock.GetUtcNow());
                await Task.WhenAny(entered.Task, gateway.Host.Worker.Idle());
                if (!entered.Task.IsCompleted) gateway.Clock.Advance(TimeSpan.FromMinutes(20));
            }
            await entered.Task.WaitAsync(TimeSpan.FromMinutes(1));
        }
        // What a case before left in the queue may take the one turn that an open breaker leaves.
        for (var i = 0; when != "before the claim" && brings != "lost" && times == 0 && i < 5; i++)
        {
            await gateway.Deliver();
            if (times == 0) gateway.Clock.Advance(TimeSpan.FromMinutes(20));
        }
        recall ??= await bench.Recall(envelope, "H41");
        await bench.Stop();
        if (brings == "lost")
        {
            gateway.Clock.Advance(TimeSpan.FromMinutes(2));
            await gateway.Host.Worker.Step(gateway.Clock.GetUtcNow());
            paused.SetResult(new DeliveryOutcome.Delivered(null));
            await gateway.Host.Worker.Idle();
        }
        for (var i = 0; i < 4; i++)
        {
            gateway.Clock.Advance(TimeSpan.FromMinutes(20));
            await gateway.Deliver();
        }
        Assert.Equal((original, own), (await bench.Copy(envelope, "H41"), await bench.Copy(recall, "H41")));
        Assert.Equal(carried, times);
        if (original.StartsWith("recalled", StringComparison.Ordinal)) Assert.Equal(["ContentConsignmentFailure E_RECALLED"], await bench.Receipts(envelope, "H41"));
    }

    /// <summary>What the office did before → how the original ends, whether the recall's own copy is in its mailbox, and whether what it had fetched is on record all the same.</summary>
    public static readonly TheoryData<string, string, string, bool> Mailboxes = new()
    {
        { "nothing", "recalled E_RECALLED", "recalled E_NOTHING_TO_RECALL", false },
        { "listed", "recalled E_RECALLED", "recalled E_NOTHING_TO_RECALL", false },
        { "fetched", "recalled E_RECALLED", "available", true },
        { "acknowledged", "delivered", "available", false },
    };

    [Theory, MemberData(nameof(Mailboxes))]
    public async Task A_mailbox_that_was_not_read_hears_nothing_and_one_that_was_is_asked(string did, string original, string own, bool late)
    {
        var envelope = await bench.Send("H14");
        if (did != "nothing") await bench.Parcel(envelope, "H14");
        if (did is "fetched" or "acknowledged") Assert.Equal(200, (await bench.Fetch(envelope, "H14")).Status);
        if (did == "acknowledged") Assert.Equal(201, (await bench.Say(envelope, "H14", ReceiptEvent.ContentHandover)).Status);
        var recall = await bench.Recall(envelope, "H14");
        Assert.Equal((original, own), (await bench.Copy(envelope, "H14"), await bench.Copy(recall, "H14")));
        if (did != "acknowledged") Assert.Equal((410, "E_RECALLED"), await bench.Fetch(envelope, "H14") is var a ? (a.Status, a.Code) : default);
        if (late)
        {
            // It has it all the same, says so, and may be asked: the sender sees both.
            Assert.Equal("E_RECEIPT", (await bench.Say(envelope, "H14", ReceiptEvent.ContentOpening)).Code);
            Assert.Equal((201, 200), ((await bench.Say(envelope, "H14", ReceiptEvent.ContentHandover)).Status, (await bench.Say(envelope, "H14", ReceiptEvent.ContentHandover)).Status));
            Assert.Equal(201, (await bench.Say(envelope, "H14", ReceiptEvent.ContentOpening)).Status);
            Assert.Equal(["ContentConsignmentFailure E_RECALLED", "ContentHandover OK", "ContentOpening OK"], (await bench.Receipts(envelope, "H14")).Order(StringComparer.Ordinal));
            Assert.Equal(201, (await bench.Answer(envelope, recall, "H14", "15")).Status);
            Assert.Equal("recalled E_RECALLED", await bench.Copy(envelope, "H14"));
        }
    }

    [Fact]
    public async Task Whoever_fetches_beside_the_recall_is_told_of_it_or_got_nothing()
    {
        for (var i = 0; i < 3; i++)
        {
            var envelope = await bench.Send("H14");
            var parcel = await bench.Parcel(envelope, "H14");
            var (_, file) = await bench.Seal(envelope, "H14");
            var recalling = gateway.Submit(file);
            var fetches = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TestGateway.Send(gateway.As("H14"), HttpMethod.Get, $"/mailbox/{parcel}")));
            Assert.Equal(201, (await recalling).Status);
            var recall = EnvelopeFile.PeekUnverified((await EnvelopeFile.ReadPartsAsync(new MemoryStream(file), default)).Header).Id;
            var told = (await TestGateway.Send(gateway.As("H14"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels").EnumerateArray().Any(p => p.GetProperty("envelope").GetGuid() == recall);
            Assert.True(told || fetches.All(f => f.Status is 410 or 503), string.Join(", ", fetches.Select(f => f.Status)));
            Assert.Equal("recalled E_RECALLED", await bench.Copy(envelope, "H14"));
        }
    }

    [Fact]
    public async Task A_recall_goes_behind_its_original_to_an_office_that_is_slow_and_nothing_else_waits_for_it()
    {
        await Settle();
        var (envelope, arrives, entered, carried) = (await bench.Send("H41"), new TaskCompletionSource<DeliveryOutcome>(), new TaskCompletionSource(), new List<Guid>());
        var (parcel, passed, otherParcel) = (await bench.Parcel(envelope, "H41"), new TaskCompletionSource(), Guid.Empty);
        bench.H41.Holds = _ => null;
        bench.H41.Answer = (p, _, _) =>
        {
            lock (carried) carried.Add(p.Id);
            if (p.Id == otherParcel) passed.TrySetResult();
            if (p.Id != parcel) return Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(null));
            entered.TrySetResult();
            return arrives.Task;
        };
        await Work(entered.Task);
        var recall = await bench.Recall(envelope, "H41");
        var own = await bench.Parcel(recall, "H41");
        otherParcel = await bench.Parcel(await bench.Send("H41"), "H41");
        await Work(passed.Task);
        lock (carried) Assert.DoesNotContain(own, carried);
        arrives.SetResult(new DeliveryOutcome.Delivered(null));
        await gateway.Host.Worker.Idle();
        await gateway.Deliver();
        Assert.Equal([parcel, otherParcel, own], carried.Where(c => c == parcel || c == otherParcel || c == own));
        Assert.Equal(("delivered", "delivered"), (await bench.Copy(envelope, "H41"), await bench.Copy(recall, "H41")));

        // Whatever cases came before: nothing of theirs is in the queue, and the window of the office is wide enough for two at once.
        async Task Settle()
        {
            bench.H41.Holds = _ => null;
            bench.H41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(null));
            for (var i = 0; i < 6; i++)
            {
                gateway.Clock.Advance(TimeSpan.FromMinutes(20));
                await bench.Send("H41");
                await gateway.Deliver();
            }
        }

        async Task Work(Task until)
        {
            while (!until.IsCompleted)
            {
                var woken = gateway.Host.Worker.Woken();
                await gateway.Host.Worker.Step(gateway.Clock.GetUtcNow());
                try { await Task.WhenAny(until, woken).WaitAsync(TimeSpan.FromMinutes(1)); }
                catch (TimeoutException)
                {
                    // Or the cases behind this one would wait for it for ever.
                    arrives.TrySetResult(new DeliveryOutcome.Delivered(null));
                    Assert.Fail($"Nothing goes on; under way: {string.Join(", ", gateway.Host.Worker.UnderWay)}");
                }
            }
        }
    }
}
