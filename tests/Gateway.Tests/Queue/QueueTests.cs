using CsCheck;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Store;

namespace Exchange.Tests.Queue;

public sealed class QueueTests
{
    [Theory]
    [InlineData(4, 0), InlineData(3, 0), InlineData(2, 1), InlineData(1, 2), InlineData(0, 3)]
    public void The_most_urgent_go_in_class_0(int urgency, int expected) => Assert.Equal(expected, RetrySchedule.ClassOf(urgency));

    [Theory]
    [InlineData(0, 1, 2), InlineData(0, 2, 4), InlineData(0, 6, 60), InlineData(0, 1000, 60)]
    [InlineData(1, 1, 5), InlineData(1, 7, 300), InlineData(2, 1, 15), InlineData(2, 7, 900), InlineData(3, 1, 60), InlineData(3, 2, 120), InlineData(3, 7, 3600)]
    public void The_delay_doubles_from_the_first_to_the_longest_of_its_class(int @class, int attempt, double seconds)
    {
        Assert.Equal(seconds, RetrySchedule.Delay(@class, attempt, 1).TotalSeconds, 6);
        Assert.Equal(seconds / 2, RetrySchedule.Delay(@class, attempt, 0).TotalSeconds, 6);
    }

    [Fact]
    public void A_time_that_the_other_side_names_is_kept_within_the_longest_of_the_class()
    {
        Assert.Equal(30, RetrySchedule.Delay(0, 1, 0.5, TimeSpan.FromSeconds(30)).TotalSeconds);
        Assert.Equal(60, RetrySchedule.Delay(0, 1, 0.5, TimeSpan.FromHours(30)).TotalSeconds);
        Assert.Equal(1.5, RetrySchedule.Delay(0, 1, 0.5, TimeSpan.FromSeconds(-1)).TotalSeconds);
    }

    static readonly Slots Slots = new(16, 4, 2);

    [Fact]
    public void A_backlog_of_one_office_leaves_slots_to_the_others()
    {
        var heads = new[] { Head("A", 3, 0), Head("B", 3, 50), Head("C", 0, 90), Head("D", 3, 200) };
        var claims = Lanes.Choose(heads, [], Slots, 100);
        Assert.Equal("C", claims[0].Office);
        Assert.Equal([("A", 3), ("B", 3), ("C", 4)], claims.OrderBy(c => c.Office).Select(c => (c.Office, c.Count)));
    }

    [Fact]
    public void With_every_common_slot_taken_only_the_most_urgent_go()
    {
        var flying = Enumerable.Range(0, 14).Select(i => ($"X{i}", 3)).ToList();
        Assert.Equal([("B", 2)], Lanes.Choose([Head("A", 1, 0), Head("B", 0, 0)], flying, Slots, 1).Select(c => (c.Office, c.Count)));
    }

    [Fact]
    public void No_choice_ever_exceeds_a_limit_or_takes_what_is_not_due() =>
        Gen.Select(Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3], Gen.Long[0, 200]).Array[0, 12], Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3]).Array[0, 16]).Sample((lanes, flying) =>
        {
            var heads = lanes.DistinctBy(l => (l.Item1, l.Item2)).Select(l => Head($"O{l.Item1}", l.Item2, l.Item3)).ToList();
            var up = flying.Select(f => ($"O{f.Item1}", f.Item2)).ToList();
            var claims = Lanes.Choose(heads, up, Slots, 100);
            Assert.True(claims.Count == 0 || up.Count + claims.Sum(c => c.Count) <= Slots.Total);
            foreach (var office in claims.GroupBy(c => c.Office)) Assert.True(up.Count(u => u.Item1 == office.Key) + office.Sum(c => c.Count) <= Slots.PerOffice);
            Assert.All(claims, c => Assert.True(heads.Single(h => h.Office == c.Office && h.Class == c.Class).Due <= 100));
        });

    static LaneHead Head(string office, int @class, long due) => new() { Office = office, Class = @class, Due = due };
}
