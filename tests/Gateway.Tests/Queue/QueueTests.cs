using CsCheck;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Store;

namespace Exchange.Tests.Queue;

public sealed class QueueTests
{
    static readonly QueueOptions Options = QueueOptions.Defaults;
    static readonly Slots Slots = new(16, 2, 5, [.. Enumerable.Range(0, 5).Select(c => (long)Options.Of(c).Target.TotalMilliseconds)]);
    static OfficeGate Well(string _) => new("https", 4, null);

    [Theory]
    [InlineData(4, 0), InlineData(3, 0), InlineData(2, 1), InlineData(1, 2), InlineData(0, 3)]
    public void The_most_urgent_go_in_class_0(int urgency, int expected) => Assert.Equal(expected, RetrySchedule.ClassOf(urgency));

    [Theory]
    [InlineData(0, 1, 2), InlineData(0, 2, 4), InlineData(0, 6, 60), InlineData(0, 1000, 60)]
    [InlineData(1, 1, 5), InlineData(1, 7, 300), InlineData(2, 1, 15), InlineData(2, 7, 900), InlineData(3, 1, 60), InlineData(3, 2, 120), InlineData(3, 7, 3600), InlineData(4, 1, 60), InlineData(4, 0, 60)]
    public void The_delay_doubles_from_the_first_to_the_longest_of_its_class(int @class, int attempt, double seconds)
    {
        Assert.Equal(seconds, RetrySchedule.Delay(Options.Of(@class), attempt, 1).TotalSeconds, 6);
        Assert.Equal(seconds / 2, RetrySchedule.Delay(Options.Of(@class), attempt, 0).TotalSeconds, 6);
    }

    [Fact]
    public void A_time_that_the_other_side_names_is_kept_within_the_longest_of_the_class()
    {
        Assert.Equal(30, RetrySchedule.Delay(Options.Of(0), 1, 0.5, TimeSpan.FromSeconds(30)).TotalSeconds);
        Assert.Equal(60, RetrySchedule.Delay(Options.Of(0), 1, 0.5, TimeSpan.FromHours(30)).TotalSeconds);
        Assert.Equal(1.5, RetrySchedule.Delay(Options.Of(0), 1, 0.5, TimeSpan.FromSeconds(-1)).TotalSeconds);
    }

    [Fact]
    public void A_backlog_of_one_office_leaves_slots_to_the_others()
    {
        var claims = Choose([Head("A", 3, 0), Head("B", 3, 50), Head("C", 0, 90), Head("D", 3, 200)], [], Well, Slots, new Turns(), 100);
        Assert.Equal("C", claims[0].Office);
        Assert.Equal([("A", 3), ("B", 3), ("C", 4)], claims.OrderBy(c => c.Office).Select(c => (c.Office, c.Count)));
    }

    [Fact]
    public void With_every_common_slot_taken_only_the_most_urgent_go()
    {
        var flying = Enumerable.Range(0, 14).Select(i => new Flying($"X{i}", 3, "https")).ToList();
        Assert.Equal([("B", 2)], Choose([Head("A", 1, 0), Head("B", 0, 0)], flying, Well, Slots, new Turns(), 1).Select(c => (c.Office, c.Count)));
    }

    [Fact]
    public void No_choice_ever_exceeds_a_limit_or_takes_what_is_not_due() =>
        Gen.Select(Gen.Select(Gen.Int[0, 5], Gen.Int[0, 4], Gen.Long[0, 200]).Array[0, 12], Gen.Select(Gen.Int[0, 5], Gen.Int[0, 4]).Array[0, 16], Gen.Int[1, 6]).Sample((lanes, flying, deep) =>
        {
            var heads = lanes.DistinctBy(l => (l.Item1, l.Item2)).Select(l => Head($"O{l.Item1}", l.Item2, l.Item3, deep)).ToList();
            var up = flying.Select(f => new Flying($"O{f.Item1}", f.Item2, "https")).ToList();
            var claims = Choose(heads, up, Well, Slots, new Turns(), 100);
            Assert.True(claims.Count == 0 || up.Count + claims.Sum(c => c.Count) <= Slots.Total);
            var common = claims.Where(c => c.Class > 0).Sum(c => c.Count);
            Assert.True(common == 0 || up.Count(u => u.Class > 0) + common <= Slots.Total - Slots.FlashOnly);
            foreach (var office in claims.GroupBy(c => c.Office))
            {
                var before = up.Count(u => u.Office == office.Key);
                Assert.True(before + office.Sum(c => c.Count) <= 4);
                common = office.Where(c => c.Class > 0).Sum(c => c.Count);
                Assert.True(common == 0 || up.Count(u => u.Office == office.Key && u.Class > 0) + common <= 3);
            }
            Assert.All(claims, c => Assert.InRange(c.Count, 1, heads.Single(h => h.Office == c.Office && h.Class == c.Class).Due.Count(d => d <= 100)));
        });

    [Fact]
    public void Under_any_flood_the_urgent_are_slowed_at_most_by_a_quarter_and_the_others_keep_a_fifth() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 6], Gen.Int[1, 6], Gen.Int[3, 24], Gen.Int[1, 40]).Sample((other, urgentOffices, otherOffices, total, length) =>
        {
            // Everybody has more than can go; every delivery takes as long as any other; what ends is replaced by whoever is chosen.
            var slots = Slots with { Total = total, FlashOnly = Math.Max(1, total / 10) };
            var heads = Enumerable.Range(0, urgentOffices).Select(i => Head($"F{i}", 0, 0, 64)).Concat(Enumerable.Range(0, otherOffices).Select(i => Head($"N{i}", other, 0, 64))).ToList();
            var (turns, flying, picked) = (new Turns(), new Queue<Flying>(), new int[5]);
            for (var now = 1; now < 600; now++)
            {
                for (var ends = 0; ends < length && flying.Count > 0; ends++) flying.Dequeue();
                foreach (var c in Choose(heads, flying, _ => new("https", 64, null), slots, turns, now * 10_000))
                    for (var n = 0; n < c.Count; n++)
                    {
                        flying.Enqueue(new(c.Office, c.Class, c.Channel));
                        picked[c.Class]++;
                    }
            }
            var all = picked.Sum();
            Assert.True(picked[0] >= 0.8 * all - total, $"{picked[0]} of {all} for the urgent");
            Assert.True(picked[other] >= 0.2 * all - total - 1, $"{picked[other]} of {all} for the others");
        }, iter: 60);

    [Fact]
    public void The_turn_of_age_goes_to_whoever_has_waited_longest_for_what_its_class_is_worth()
    {
        // Class 1 has waited for ten of its minutes, class 3 for four of its half hours, class 4 for half of its four hours.
        var turns = new Turns();
        var heads = new[] { Head("A", 0, 7_200_000, 64), Head("B", 1, 6_600_000, 64), Head("C", 3, 0, 64), Head("D", 4, 0, 64) };
        List<string> order = [];
        for (var i = 0; i < 10; i++) order.Add(Choose(heads, Enumerable.Repeat(new Flying("X", 0, "https"), 4).ToList(), _ => new("https", 64, null), Slots with { Total = 5, FlashOnly = 0 }, turns, 7_200_000).Single().Office);
        Assert.Equal(["A", "A", "A", "A", "B", "A", "A", "A", "A", "B"], order);
    }

    [Fact]
    public void Offices_of_one_class_share_time_evenly_however_long_their_deliveries_take() =>
        Gen.Int[1, 3000].Array[2, 5].Sample(lengths =>
        {
            // One slot; each office always has more to send; its deliveries take their own time.
            var heads = lengths.Select((_, i) => Head($"O{i}", 3, 0, 1)).ToList();
            var (turns, used) = (new Turns(), new double[lengths.Length]);
            for (var now = 0L; now < 2_000_000;)
            {
                var office = Choose(heads, [], Well, Slots with { Total = 1, FlashOnly = 0 }, turns, now + 1).Single().Office;
                var i = office[1] - '0';
                used[i] += lengths[i];
                now += lengths[i];
                turns.Charge(office, 3, TimeSpan.FromMilliseconds(lengths[i]));
            }
            Assert.True(used.Max() - used.Min() <= 2 * (1000 + lengths.Max()), string.Join(' ', used));
        }, iter: 40);

    [Fact]
    public void A_probe_is_the_oldest_of_the_most_urgent_and_alone()
    {
        OfficeGate Down(string _) => new(null, 0, "https");
        var heads = new[] { Head("A", 0, 5, 3), Head("A", 3, 0, 3) };
        Assert.Equal([new("A", 0, "https", true, 1)], Choose(heads, [], Down, Slots, new Turns(), 100));
        Assert.Empty(Choose(heads, [new("A", 3, "https")], Down, Slots, new Turns(), 100));
        Assert.Empty(Choose(heads, [], _ => new(null, 0, null), Slots, new Turns(), 100));
    }

    [Fact]
    public void While_the_first_channel_is_tried_the_others_go_by_the_next()
    {
        var claims = Choose([Head("A", 3, 0, 5)], [], _ => new("sftp", 4, "https"), Slots, new Turns(), 100);
        Assert.Equal([("https", true, 1), ("sftp", false, 3)], claims.OrderBy(c => c.Channel).Select(c => (c.Channel, c.IsProbe, c.Count)));
    }

    [Fact]
    public void A_choice_is_the_one_that_a_look_at_every_lane_would_make() => Gen.Int[0, 1_000_000].Sample(seed =>
    {
        // Lanes come, go and change between choices; some offices are closed, tried, or at their limit; time passes unevenly, and sometimes back.
        var (random, slots, now) = (new Random(seed), Slots with { Total = 8, FlashOnly = 2 }, 1_000_000L);
        var (orders, heads, turns, reference) = (new LaneOrders(), new Dictionary<(string, int), LaneHead>(), new Turns(), new ReferenceTurns());
        for (var step = 0; step < 40; step++)
        {
            for (var changes = random.Next(6); changes > 0; changes--)
            {
                var (office, @class) = ($"O{random.Next(6)}", random.Next(5));
                orders.Remove(office, @class);
                heads.Remove((office, @class));
                if (random.Next(4) == 0) continue;
                orders.Put(heads[(office, @class)] = new(office, @class, [.. Enumerable.Range(0, 1 + random.Next(4)).Select(_ => now - 60_000 + random.Next(90_000)).Order()]));
            }
            now += random.Next(20_000) - 2_000;
            var gates = Enumerable.Range(0, 6).ToDictionary(i => $"O{i}", _ => random.Next(5) switch { 0 => new OfficeGate(null, 0, null), 1 => new(null, 0, "https"), 2 => new("sftp", 1 + random.Next(4), "https"), _ => new("https", 2 + random.Next(4), null) });
            var flying = Enumerable.Range(0, random.Next(8)).Select(_ => new Flying($"O{random.Next(6)}", random.Next(5), random.Next(2) == 0 ? "https" : "sftp")).ToList();
            var chosen = Lanes.Choose(orders, flying, office => gates[office], slots, turns, now);
            Assert.Equal(ReferenceLanes.Choose([.. heads.Values], flying, office => gates[office], slots, reference, now), chosen);
            foreach (var claim in chosen)
            {
                var took = TimeSpan.FromMilliseconds(random.Next(3000));
                turns.Charge(claim.Office, claim.Class, took);
                reference.Charge(claim.Office, claim.Class, took);
            }
        }
    }, iter: 200);

    [Fact]
    public void A_pick_looks_at_what_it_takes_and_what_it_passes_over_however_much_else_waits()
    {
        var lanes = LaneOrders.Of(Enumerable.Range(0, 2000).Select(i => Head($"H{i:0000}", 1 + i % 4, 0)).Prepend(Head("DOWN", 0, 0)));
        var (turns, asked) = (new Turns(), 0);
        OfficeGate Gate(string office)
        {
            asked++;
            return office == "DOWN" ? new(null, 0, null) : new("https", 4, null);
        }
        for (var i = 0; i < 100; i++) Assert.Single(Lanes.Choose(lanes, [], Gate, Slots with { Total = 1, FlashOnly = 0 }, turns, 1));
        Assert.InRange(asked, 100, 1000);
    }

    [Fact]
    public void The_next_probe_is_that_of_the_newest_states()
    {
        var states = new OfficeStates(Options);
        OfficeState State(string office, long changes, long? until) => Breaker.New(office, "https", Options) with { Changes = changes, OpenUntil = until };
        Assert.Null(states.NextProbe(0));
        states.Tell(State("A", 1, 500));
        states.Tell(State("B", 1, 300));
        Assert.Equal<(long?, long?, long?)>((300, 500, null), (states.NextProbe(0), states.NextProbe(300), states.NextProbe(500)));
        states.Tell(State("B", 3, null));
        states.Tell(State("B", 2, 200));
        Assert.Equal(500, states.NextProbe(0));
    }

    static IReadOnlyList<LaneClaim> Choose(IReadOnlyList<LaneHead> heads, IReadOnlyCollection<Flying> flying, Func<string, OfficeGate> gateOf, Slots slots, Turns turns, long now) =>
        Lanes.Choose(LaneOrders.Of(heads), flying, gateOf, slots, turns, now);

    static LaneHead Head(string office, int @class, long due, int jobs = 8) => new(office, @class, [.. Enumerable.Repeat(due, jobs)]);
}
