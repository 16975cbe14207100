using CsCheck;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Store;

namespace Exchange.Tests.Queue;

public sealed class BreakerTests
{
    static readonly QueueOptions Options = QueueOptions.Defaults;
    static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    OfficeState state = Breaker.New("H41", "https", Options);
    DateTimeOffset now = Start;

    BreakerMove After(ChannelSign sign, bool isProbe = false, double chance = 0.5)
    {
        (state, var move) = Breaker.After(state, sign, "connection: refused", isProbe, now, chance, Options, 10);
        return move;
    }

    void Open()
    {
        for (var i = 0; i < 4; i++) Assert.Equal(BreakerMove.None, After(ChannelSign.Failed));
        Assert.Equal(BreakerMove.Opened, After(ChannelSign.Failed));
    }

    [Fact]
    public void Five_failures_in_a_row_open_it_for_fifteen_seconds()
    {
        Open();
        Assert.Equal((15_000, now.AddSeconds(15).ToUnixTimeMilliseconds(), "connection: refused"), (state.OpenFor, state.OpenUntil, state.LastError));
    }

    [Fact]
    public void One_answer_in_between_begins_the_row_anew()
    {
        foreach (var good in new[] { ChannelSign.Good, ChannelSign.Busy })
        {
            for (var i = 0; i < 4; i++) Assert.Equal(BreakerMove.None, After(ChannelSign.Failed));
            After(good);
            now = now.AddMinutes(2);
        }
        Assert.Null(state.OpenUntil);
    }

    [Theory, InlineData(9, 4, false), InlineData(10, 5, true), InlineData(11, 5, false), InlineData(20, 10, true)]
    public void Half_of_ten_and_more_in_a_minute_open_it(int attempts, int failed, bool opens)
    {
        // Never more than one failure in a row: a good one goes before each.
        List<ChannelSign> signs = [.. Enumerable.Repeat(ChannelSign.Good, attempts - 2 * failed)];
        for (var i = 0; i < failed; i++) signs.AddRange([ChannelSign.Good, ChannelSign.Failed]);
        var moves = signs.Select(s => After(s)).ToList();
        Assert.Equal(opens, moves.Contains(BreakerMove.Opened));
    }

    [Fact]
    public void What_is_older_than_a_minute_counts_for_no_percentage()
    {
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(BreakerMove.None, After(i % 2 == 0 ? ChannelSign.Good : ChannelSign.Failed));
            now = now.AddSeconds(7);
        }
    }

    [Fact]
    public void A_failed_probe_doubles_the_time_to_a_quarter_of_an_hour_and_what_ends_late_does_not()
    {
        Open();
        After(ChannelSign.Failed);
        Assert.Equal(15_000, state.OpenFor);
        foreach (var expected in new long[] { 30, 60, 120, 240, 480, 900, 900 })
        {
            now = DateTimeOffset.FromUnixTimeMilliseconds(state.OpenUntil!.Value);
            Assert.Equal(BreakerMove.None, After(ChannelSign.Failed, isProbe: true));
            Assert.Equal((expected * 1000, now.AddSeconds(expected).ToUnixTimeMilliseconds()), (state.OpenFor, state.OpenUntil));
        }
    }

    [Fact]
    public void The_next_probe_is_up_to_a_fifth_sooner_or_later()
    {
        foreach (var (chance, seconds) in new[] { (0.0, 12), (1.0, 18) })
        {
            (state, _) = Breaker.After(Breaker.New("H41", "https", Options) with { Failures = 4 }, ChannelSign.Failed, "", false, now, chance, Options, 10);
            Assert.Equal(now.AddSeconds(seconds).ToUnixTimeMilliseconds(), state.OpenUntil);
        }
    }

    [Theory, InlineData(ChannelSign.Good), InlineData(ChannelSign.Busy)]
    public void Any_answer_closes_it_and_forgets_what_was(object sign)
    {
        Open();
        Assert.Equal(BreakerMove.Closed, After((ChannelSign)sign, isProbe: true));
        Assert.Equal((null, 0, null, 0), (state.OpenUntil, state.OpenFor, state.OpenedAt, state.Failures));
        Assert.Equal(BreakerMove.None, After(ChannelSign.Failed));
    }

    [Fact]
    public void The_window_grows_by_one_for_as_many_successes_as_it_is_wide_and_shrinks_once_for_a_run_of_failures()
    {
        After(ChannelSign.Good);
        After(ChannelSign.Good);
        After(ChannelSign.Good);
        Assert.Equal(3, Breaker.Window(state));
        for (var i = 0; i < 100; i++) After(ChannelSign.Good);
        Assert.Equal(10, Breaker.Window(state));
        for (var i = 0; i < 4; i++) After(ChannelSign.Failed);
        Assert.Equal(9, Breaker.Window(state));
        After(ChannelSign.Good);
        After(ChannelSign.Busy);
        After(ChannelSign.Busy);
        Assert.Equal(8, Breaker.Window(state));
    }

    [Fact]
    public void Whatever_happens_the_window_and_the_time_stay_in_their_range() =>
        Gen.Select(Gen.Int[0, 3], Gen.Bool, Gen.Int[0, 20_000], Gen.Double[0, 1]).Array[0, 200].Sample(events =>
        {
            var (s, at) = (Breaker.New("H41", "https", Options), Start);
            foreach (var (sign, probe, pause, chance) in events)
            {
                at = at.AddMilliseconds(pause);
                var before = s;
                (s, var move) = Breaker.After(s, (ChannelSign)sign, "x", probe, at, chance, Options, 10);
                Assert.InRange(Breaker.Window(s), 2, 10);
                Assert.True(s.OpenFor == 0 ? s.OpenUntil is null && s.OpenedAt is null : s.OpenUntil is not null && s.OpenFor is >= 15_000 and <= 900_000);
                Assert.True(move == BreakerMove.None || (before.OpenUntil is null) != (s.OpenUntil is null));
                Assert.True(s.Recent.Length < 400);
            }
        }, iter: 200);
}
