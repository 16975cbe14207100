using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Stamping;
using Exchange.Office.Dev;
using Exchange.Office.Join;
using Exchange.Tests.Witnesses;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Exchange.Tests.Stamping;

/// <summary>Tokens over checkpoints: when they are due, what is kept, and what an outage of any length leaves behind.</summary>
public sealed class StampCheckpointsTests : IAsyncLifetime
{
    static readonly FileKey Key = TestPki.Shared.Key("TSA", "TSA", "tsa", KeyUse.TimeStamp);
    readonly TestStore store = new();
    readonly Meters meters = new();
    readonly List<IDisposable> owned = [];
    ScriptedWitness first = null!, second = null!;
    int number;

    public async ValueTask InitializeAsync()
    {
        (first, second) = (await ScriptedWitness.Start(), await ScriptedWitness.Start());
        first.Answer = Honest();
        second.Answer = Honest();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var one in owned) one.Dispose();
        await first.DisposeAsync();
        await second.DisposeAsync();
        meters.Dispose();
        store.Dispose();
    }

    DateTimeOffset Now => store.Clock.GetUtcNow();
    PublishedCheckpoint Head => store.Checkpoints.Newest!;
    KeptNotes Kept => new(store.GuardFile, TestStore.Origin, []);
    static Checkpoint Of(PublishedCheckpoint head) => new(TestStore.Origin, head.Size, head.Root);

    /// <summary>What a real authority answers, by the test's clock.</summary>
    Func<byte[], (int, string, byte[])?> Honest(DevTimeStamps? authority = null, TimeSpan fast = default) => query => (200, TimeStampQuery.ReplyType, (authority ?? new(Key)).Answer(query, Now + fast));

    sealed record Stamping(StampCheckpoints Stamps, PendingTimeStamps Pending)
    {
        public bool IsAlarm => Pending.Alarms().Any(a => a.Code == AlarmCode.TimeStampPending);
    }

    Stamping Start(Func<TimeStampOptions, TimeStampOptions>? change = null, CancellationToken stopping = default)
    {
        var options = TimeStampOptions.Of([first.Address]);
        options = change?.Invoke(options) ?? options;
        var client = new AuthorityClient(TimeSpan.FromSeconds(options.Seconds), store.Clock);
        owned.Add(client);
        var pending = new PendingTimeStamps(store.Clock);
        return new(new StampCheckpoints(new(options, client, () => TestPki.Shared.Check), new Stamps(store.Checkpoints), () => store.Checkpoints.Newest, TestStore.Origin, pending, meters, store.Clock, NullLogger.Instance, stopping), pending);
    }

    /// <summary>So many entries more, and a checkpoint over them.</summary>
    void Grow(int count = 1)
    {
        var entries = Enumerable.Range(0, count).Select(_ => TestStore.Entry(++number)).ToList();
        store.Commit(b => { foreach (var entry in entries) b.Log(entry, EntryKind.Start); return true; });
        Assert.True(store.Checkpoints.Step(Now, force: true));
    }

    VerifiedTimeStamp Held(PublishedCheckpoint head) => CheckpointStamp.Run(Kept.StampOf(head.Size)!, Of(head), TestPki.Shared.Check);

    IReadOnlyList<long> Stamped => Kept.Stamped(0, long.MaxValue);

    [Fact]
    public async Task The_newest_head_gets_a_token_every_ten_minutes_while_the_ledger_grows_and_none_while_it_does_not()
    {
        var stamping = Start();
        await stamping.Stamps.Step(Now);
        Assert.Equal(0, first.Asked);
        for (var minute = 0; minute < 60; minute++)
        {
            if (minute < 30) Grow();
            await stamping.Stamps.Step(Now);
            store.Clock.Advance(TimeSpan.FromMinutes(1));
        }
        // Of minutes 0, 10 and 20, and of 30, when what grew since 20 is due.
        Assert.Equal([1, 11, 21, 30], Stamped);
        Assert.Equal(4, first.Asked);
        var held = Held(Head);
        Assert.Equal((CheckpointStamp.ImprintOf(Of(Head)), TestStore.Start.AddMinutes(30)), (held.Imprint, held.Time));
        // About the text that signatures cover, and so about the note whatever lines it gets later.
        Assert.Equal(Digest.Of(Encoding.UTF8.GetBytes(Head.Note[..(Head.Note.IndexOf("\n\n", StringComparison.Ordinal) + 1)])), held.Imprint);
        Assert.Equal(TimeSpan.Zero, stamping.Pending.For);
    }

    [Theory]
    [InlineData(24, 420, 17, 0)]
    [InlineData(17, 420, 10, 0)]
    [InlineData(24, 0, 24, 0)]
    [InlineData(24, -90, 25, 30)]
    public async Task The_last_head_of_a_day_gets_a_token_whatever_the_minutes_say(int hour, int offset, int utcHour, int utcMinute)
    {
        var stamping = Start(o => o with { DayEndHour = hour, UtcOffsetMinutes = offset, Minutes = 1440 });
        var end = TestStore.Start.Date.AddHours(utcHour).AddMinutes(utcMinute);
        Grow();
        await stamping.Stamps.Step(Now);
        store.Clock.SetUtcNow(new DateTimeOffset(end, TimeSpan.Zero).AddSeconds(-2));
        Grow();
        await stamping.Stamps.Step(Now);
        Assert.Equal([1], Stamped);
        store.Clock.Advance(TimeSpan.FromSeconds(2));
        await stamping.Stamps.Step(Now);
        Assert.Equal([1, 2], Stamped);
        // A day without anything: its last head is the one that has its token already.
        var asked = first.Asked;
        store.Clock.Advance(TimeSpan.FromDays(1));
        await stamping.Stamps.Step(Now);
        Assert.Equal((asked, TimeSpan.Zero), (first.Asked, stamping.Pending.For));
    }

    [Fact]
    public async Task An_outage_of_a_day_queues_is_told_after_an_hour_also_over_a_restart_and_is_repaired()
    {
        var stamping = Start(o => o with { DayEndHour = 24, UtcOffsetMinutes = 0 });
        Grow();
        await stamping.Stamps.Step(Now);
        first.Answer = _ => (503, "text/plain", []);
        PublishedCheckpoint? dayEnd = null;
        for (var minutes = 0; minutes < 24 * 60; minutes += 5)
        {
            store.Clock.Advance(TimeSpan.FromMinutes(5));
            if (Now >= TestStore.Start.Date.AddDays(1)) dayEnd ??= Head;
            else Grow();
            await stamping.Stamps.Step(Now);
            // Due ten minutes after the first; an hour later somebody must hear of it.
            Assert.Equal(minutes + 5 >= 70, stamping.IsAlarm);
            if (minutes != 12 * 60) continue;
            store.Reopen();
            stamping = Start(o => o with { DayEndHour = 24, UtcOffsetMinutes = 0 });
        }
        Assert.Equal([1], Stamped);
        Assert.Contains("503", stamping.Pending.Alarms().Single().Detail, StringComparison.Ordinal);
        // However long it took: the end of the day, and what is newest now.
        Grow();
        store.Clock.Advance(TimeSpan.FromMinutes(10));
        await stamping.Stamps.Step(Now);
        Assert.Equal([dayEnd!.Size, Head.Size], store.Guard.WaitingForTime(10).Select(w => w.Size));

        first.Answer = Honest();
        store.Clock.Advance(TimeSpan.FromMinutes(5));
        await stamping.Stamps.Step(Now);
        Assert.Equal([1, dayEnd.Size, Head.Size], Stamped);
        Assert.Equal(Now, Held(Head).Time);
        Held(dayEnd);
        Assert.False(stamping.IsAlarm);
        Assert.Empty(store.Guard.WaitingForTime(10));
    }

    [Fact]
    public async Task Dead_between_the_answer_and_keeping_it_asks_again_and_keeps_one_token()
    {
        using var dying = new CancellationTokenSource();
        Grow(3);
        // The authority has answered, and nothing of it was kept: as after a power cut at that moment.
        first.Answer = query => { dying.Cancel(); return Honest()(query); };
        await Start(stopping: dying.Token).Stamps.Step(Now);
        Assert.Empty(Stamped);
        store.Reopen();
        first.Answer = Honest();
        store.Clock.Advance(TimeSpan.FromSeconds(30));
        var stamping = Start();
        await stamping.Stamps.Step(Now);
        await stamping.Stamps.Step(Now);
        Assert.Equal([3], Stamped);
        Assert.Equal((2, Now), (first.Asked, Held(Head).Time));
        // A token that is kept stays.
        store.Guard.KeepStamp(3, new byte[] { 1 }, new StampTime(Now, TimeSpan.Zero));
        Held(Head);
    }

    public static TheoryData<string> Lies => [.. new[] { "another imprint", "the whole note", "another head", "another nonce", "no nonce", "another policy", "an hour ago", "untrusted chain", "another use", "rejected", "a web page", "a redirect", "large", "nothing", "endless" }];

    [Theory, MemberData(nameof(Lies))]
    public async Task An_answer_that_lies_is_not_kept_and_the_next_authority_is_asked(string lie)
    {
        Grow(2);
        var whole = Digest.Of(Encoding.UTF8.GetBytes(Head.Note)).ToArray();
        DevTimeStamps Hearing(Func<DevStampQuery, DevStampQuery> heard) => new(Key) { Heard = heard };
        first.Answer = lie switch
        {
            "another imprint" => Honest(Hearing(q => q with { Imprint = new byte[32] })),
            "the whole note" => Honest(Hearing(q => q with { Imprint = whole })),
            "another head" => Honest(Hearing(q => q with { Imprint = CheckpointStamp.ImprintOf(Of(Head) with { Size = 3 }).ToArray() })),
            "another nonce" => Honest(Hearing(q => q with { Nonce = q.Nonce + 1 })),
            "no nonce" => Honest(Hearing(q => q with { Nonce = null })),
            "another policy" => Honest(Hearing(q => q with { Policy = "1.2.3.4" })),
            "an hour ago" => Honest(fast: TimeSpan.FromHours(-1)),
            "untrusted chain" => Honest(new(new TestPki().Key("TSA", "TSA", "tsa", KeyUse.TimeStamp))),
            "another use" => Honest(new(TestPki.Shared["H41"].Sign)),
            "rejected" => Honest(new(Key) { Status = 2 }),
            "a web page" => _ => (200, "text/html", "<html>"u8.ToArray()),
            "a redirect" => _ => (302, TimeStampQuery.ReplyType, []),
            "large" => _ => (200, TimeStampQuery.ReplyType, new byte[TimeStampQuery.MaxReply + 1]),
            "nothing" => _ => (200, TimeStampQuery.ReplyType, []),
            _ => _ => (200, TimeStampQuery.ReplyType, new byte[40 << 20]),
        };
        var alone = Start(o => o with { Policy = "2.25.1" });
        await alone.Stamps.Step(Now);
        Assert.Empty(Stamped);
        Assert.Single(store.Guard.WaitingForTime(9));
        // Not at once.
        var asked = first.Asked;
        await alone.Stamps.Step(Now);
        Assert.Equal(asked, first.Asked);

        var both = Start(o => o with { Policy = "2.25.1", Urls = [first.Address, second.Address] });
        store.Clock.Advance(TimeSpan.FromSeconds(6));
        await both.Stamps.Step(Now);
        Assert.Equal(1, second.Asked);
        Assert.Equal("2.25.1", Held(Head).Policy);
    }

    [Fact]
    public async Task A_token_that_is_earlier_than_that_of_a_smaller_head_is_not_kept()
    {
        var stamping = Start();
        Grow();
        // Five minutes fast, which is within what clocks may be apart.
        first.Answer = Honest(fast: TimeSpan.FromMinutes(5));
        await stamping.Stamps.Step(Now);
        Grow();
        first.Answer = Honest(fast: TimeSpan.FromMinutes(-6));
        store.Clock.Advance(TimeSpan.FromMinutes(10));
        await stamping.Stamps.Step(Now);
        Assert.Equal([1], Stamped);
        first.Answer = Honest();
        store.Clock.Advance(TimeSpan.FromSeconds(6));
        await stamping.Stamps.Step(Now);
        Assert.Equal([1, 2], Stamped);
    }

    [Fact]
    public async Task An_authority_that_is_slow_is_given_up_and_a_clock_that_was_set_back_does_not_silence_it()
    {
        Grow();
        first.Answer = _ => null;
        var stamping = Start(o => o with { Seconds = 10 });
        var waiting = stamping.Stamps.Step(Now);
        while (!waiting.IsCompleted)
        {
            store.Clock.Advance(TimeSpan.FromSeconds(11));
            await Task.WhenAny(waiting, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
        }
        await waiting;
        Assert.Empty(Stamped);
        first.Answer = Honest();
        await Start().Stamps.Step(Now);
        // What came due by a clock that was a year ahead keeps nothing waiting.
        Grow();
        store.Guard.QueueForTime(Head.Size, Now.AddYears(1), null);
        await Start().Stamps.Step(Now);
        Grow();
        await Start().Stamps.Step(Now);
        Assert.Equal([1, 2, 3], Stamped);
    }

    [Fact]
    public void A_guard_of_an_earlier_version_gets_its_table_and_looking_at_it_does_not_need_it()
    {
        Grow();
        store.Close();
        using (var connection = new SqliteConnection($"Data Source={store.GuardFile};Pooling=False"))
        {
            connection.Open();
            using var drop = connection.CreateCommand();
            drop.CommandText = "DROP TABLE timestamp";
            drop.ExecuteNonQuery();
        }
        using (var looking = Guard.OpenReadOnly(store.GuardFile, TestStore.Origin)) Assert.True(looking.NewestStamp is null && looking.WaitingForTime(5).Count == 0 && looking.LastTurn is null);
        store.Reopen();
        store.Guard.QueueForTime(1, Now, 5);
        Assert.Equal((1, 5), (store.Guard.LastTurn!.Size, store.Guard.LastTurn.Day));
    }
}
