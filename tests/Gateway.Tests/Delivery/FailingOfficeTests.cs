using System.Text.Json;
using Exchange.Adapters;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Delivery;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Delivery;

/// <summary>What happens when an office, or this program, does not do its part: breaker, poison, order, and the life of a copy.</summary>
public sealed class FailingOfficeTests : ScriptedOffice
{
    [Fact]
    public async Task The_breaker_of_a_dead_office_lets_one_probe_through_and_survives_a_restart()
    {
        // Flash copies are retried soon: five failures come together within a minute.
        var flash = await Accepted(urgency: 3);
        await Accepted();
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.TryLater("connection: refused"));
        for (var i = 0; i < 40 && State() is not { OpenUntil: not null }; i++)
        {
            await gateway.Deliver();
            gateway.Clock.Advance(TimeSpan.FromSeconds(5));
        }
        // The fifth opens it; one that was under way beside it may be the sixth.
        Assert.InRange(State()!.Failures, 5, 6);
        Assert.Equal(["open"], Breakers());
        Assert.Contains(gateway.Logs.Lines, l => l.Contains("is closed to copies after 5 failures", StringComparison.Ordinal) && l.Contains("exchange-gateway ping H41", StringComparison.Ordinal));
        Assert.Single(gateway.Alarms.Raised, a => a is { Code: AlarmCode.BreakerOpened, Office: "H41" });

        // While it is open nothing is tried, also by a process that has just started.
        await gateway.Restart();
        var (tried, until) = (Attempts().Count, State()!.OpenUntil!.Value);
        while (Now < until - 1000)
        {
            Assert.Equal(0, await gateway.Deliver());
            // A copy whose own delay ends before wakes the worker too, and stays where it is.
            Assert.InRange(gateway.Host.Worker.Next!.Value.ToUnixTimeMilliseconds(), Now + 1, until);
            gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        // Then one is, the oldest flash copy; it does not count, and the time doubles.
        gateway.Clock.Advance(TimeSpan.FromSeconds(60));
        var before = Job(flash).Attempt;
        Assert.Equal(1, await gateway.Deliver());
        Assert.Equal(0, await gateway.Deliver());
        Assert.Equal((tried + 1, before, 30_000L), (Attempts().Count, Job(flash).Attempt, State()!.OpenFor));

        // The office is back: everything goes out.
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(null));
        gateway.Clock.Advance(TimeSpan.FromHours(1));
        await gateway.Deliver();
        await gateway.Deliver();
        Assert.Equal((null, 0), (State()!.OpenUntil, State()!.Failures));
        Assert.Equal(["open", "closed"], Breakers());
        Assert.Equal(0, Count("SELECT count(*) FROM job"));
    }

    [Fact]
    public async Task Three_leases_lost_in_a_row_end_a_copy_and_a_settled_attempt_begins_the_row_anew()
    {
        var id = await Accepted();
        await Lose();
        await Lose();
        h41.Holds = _ => new DeliveryOutcome.Busy(null);
        gateway.Clock.Advance(TimeSpan.FromMinutes(20));
        await gateway.Deliver();
        gateway.Clock.Advance(TimeSpan.FromMinutes(20));
        await Lose();
        await Lose();
        Assert.Equal("queued", (await Copy(id)).GetProperty("state").GetString());
        await Lose();
        Assert.Equal(("dead", "E_POISON"), ((await Copy(id)).GetProperty("state").GetString(), (await Copy(id)).GetProperty("code").GetString()));
        Assert.Contains(ReceiptEvent.ContentConsignmentFailure, await Events(id));
        Assert.Equal(1, Count("SELECT count(*) FROM dead WHERE reason = 'E_POISON' AND fence = 6"));
        Assert.Single(gateway.Alarms.Raised, a => a.Code == AlarmCode.ParcelDead);
    }

    [Fact]
    public async Task A_timed_flash_order_leaves_at_its_time_and_never_before()
    {
        var at = gateway.Clock.GetUtcNow().AddHours(2).ToUnixTimeMilliseconds();
        await Accepted(urgency: 4, notBefore: at);
        Assert.Equal(0, await gateway.Deliver());
        Assert.Equal(at, gateway.Host.Worker.Next!.Value.ToUnixTimeMilliseconds());
        gateway.Clock.Advance(TimeSpan.FromHours(2) - TimeSpan.FromMinutes(1));
        Assert.Equal(0, await gateway.Deliver());
        gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, await gateway.Deliver());
        Assert.Single(h41.Received);
    }

    [Fact]
    public async Task The_sender_hears_once_at_half_of_the_time_and_at_the_end_of_the_classs_life_the_copy_is_dead()
    {
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Busy(null));
        var id = await Accepted(urgency: 3);
        await gateway.Deliver();
        await After(TimeSpan.FromMinutes(4));
        Assert.Empty(gateway.Alarms.Raised);
        await After(TimeSpan.FromMinutes(2));
        await After(TimeSpan.FromMinutes(2));
        Assert.Single(gateway.Alarms.Raised, a => a is { Code: AlarmCode.FlashUndelivered, Office: "H41" });
        Assert.Single(Entries(EntryKind.FlashAlarm));

        await After(TimeSpan.FromHours(11));
        Assert.DoesNotContain(ReceiptEvent.ContentConsignmentDelay, await Events(id));
        await After(TimeSpan.FromHours(1));
        await After(TimeSpan.FromHours(1));
        Assert.Single(await Events(id), e => e == ReceiptEvent.ContentConsignmentDelay);
        Assert.Single(Entries(EntryKind.Delay));

        // header.expires is four days away: its class gives it up, and an operator may send it again.
        await After(TimeSpan.FromHours(12));
        Assert.Equal(("dead", "E_UNDELIVERED"), ((await Copy(id)).GetProperty("state").GetString(), (await Copy(id)).GetProperty("code").GetString()));
        Assert.Contains(ReceiptEvent.ContentConsignmentFailure, await Events(id));
    }

    async Task After(TimeSpan time)
    {
        gateway.Clock.Advance(time);
        await new Gateway.Release.ExpireParcels(gateway.Host.Shared, new Gateway.Release.EndParcel(gateway.Host.Shared)).Step(gateway.Clock.GetUtcNow());
    }

    // As a process that died right after its claim, and its successor.
    async Task Lose()
    {
        await gateway.Host.Shared.Journal.Commit(b => { b.Quiet(QuietKind.Claim); return Assert.Single(JobTable.Claim(b, "H41", 2, 1, Now, Now + 1)); });
        gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        await gateway.Host.Worker.Recover(gateway.Clock.GetUtcNow());
    }

    async Task<Guid> Accepted(int urgency = 1, long? notBefore = null)
    {
        var (_, file) = await gateway.SealFile("H41", change: r => r with { Urgency = urgency, Times = r.Times with { NotBefore = notBefore } });
        var answer = await gateway.Submit(file);
        Assert.True(answer.Status == 201, answer.Text);
        return answer.Receipt.Envelope;
    }

    long Now => gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    OfficeState? State()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return OfficeStateTable.Find(reader, "H41", "https");
    }

    List<string> Breakers() => [.. Entries(EntryKind.Breaker).Select(d => ((BreakerDetail)d).State)];

    List<LedgerDetail> Entries(EntryKind kind)
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return [.. EntryTable.Walk(reader).Where(e => e.Entry.Kind == kind).Select(e => EntryDetails.Read(e.Secret!.Detail))];
    }

    sealed record Tried
    {
        public required int Attempt { get; init; }
    }

    Tried Job(Guid envelope)
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return reader.One<Tried>("SELECT j.attempt FROM job j JOIN parcel p ON p.id = j.parcel WHERE p.dispatch = @dispatch", new { dispatch = DispatchTable.Find(reader, "G22", envelope)!.Id })!;
    }

    List<long> Attempts()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return [.. reader.Query<long>("SELECT fence FROM attempt WHERE channel = 'https'")];
    }

    long Count(string sql)
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return reader.One<long>(sql);
    }
}

/// <summary>Keeps what was raised.</summary>
sealed class RaisedAlarms : IAlarms
{
    public System.Collections.Concurrent.ConcurrentQueue<Alarm> Raised { get; } = [];
    public void Raise(Alarm alarm) => Raised.Enqueue(alarm);
}
