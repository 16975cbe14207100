using System.Data.Common;
using Exchange.Gateway.Journaling;

namespace Exchange.Tests.Simulation;

/// <summary>
/// A gateway's hours in seconds: see <see cref="Simulator"/>. Every run prints its seed; ./simulate --seed N --hours 3 --look 2 runs it again, or longer. The promises are looked at every other simulated second here,
/// by the script every one.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    static readonly SimulationPlan Short = new() { Seed = 20261124, Offices = 24, Dispatches = 400, Duration = TimeSpan.FromHours(3), LookEvery = TimeSpan.FromSeconds(2) };

    [Fact]
    public void Every_promise_holds_through_a_day_of_trouble()
    {
        Holds(Short);
        Holds(Short with { Seed = (ulong)Random.Shared.NextInt64(1, 1_000_000_000) });
    }

    [Fact]
    public void The_same_seed_gives_the_same_ledger()
    {
        var plan = Short with { Dispatches = 60, Duration = TimeSpan.FromMinutes(10) };
        var (first, second, other) = (Run(plan), Run(plan), Run(plan with { Seed = plan.Seed + 1 }));
        Assert.Equal((null, null), (first.Broken, second.Broken));
        Assert.Equal((first.Root, first.Counts), (second.Root, second.Counts));
        Assert.NotEqual(first.Root, other.Root);
    }

    [Fact]
    public void Control_without_the_fence_a_worker_that_comes_too_late_settles() =>
        Assert.Contains("whose lease was lost", Run(Short with { Wrap = engine => new EngineWithoutFence(engine), Trouble = 0, LateWorkers = 12, Dispatches = 1500, Duration = TimeSpan.FromHours(1) }).Broken);

    [Fact]
    public void Control_without_a_sync_at_each_commit_something_acknowledged_is_gone_after_a_power_cut() =>
        Assert.NotNull(Run(Short with { Pragma = "PRAGMA synchronous = NORMAL", Trouble = 4 }).Broken);

    [Fact, Trait("tier", "long")]
    public void Control_without_aging_who_is_less_urgent_waits_for_ever_behind_who_is_more()
    {
        // More hỏa tốc than two slots carry, at every moment at which one comes free, and little else.
        var plan = Short with
        {
            Trouble = 0, LateWorkers = 0, Dispatches = 12, Duration = TimeSpan.FromMinutes(18), Flood = (4, TimeSpan.FromSeconds(4)),
            Options = Short.Options with { Limits = Short.Options.Limits with { Deliveries = 2 }, Queue = Short.Options.Queue with { AgingPick = int.MaxValue } },
        };
        Assert.Matches("the copy .* of class [123] for .* has waited .* for its first attempt, and nothing is in its way", Run(plan).Broken);
    }

    void Holds(SimulationPlan plan) => Assert.Null(Run(plan).Broken);

    SimulationResult Run(SimulationPlan plan)
    {
        var result = Simulator.Run(plan);
        output.WriteLine($"{result}");
        return result;
    }

    /// <summary>As a build whose settling statements do not look at the fence: their text is changed on its way to SQLite.</summary>
    sealed class EngineWithoutFence(IEngine inner) : IEngine
    {
        public long Schema => inner.Schema;
        public IEngineTransaction Begin() => new Transaction(inner.Begin());
        public Reader Reader() => inner.Reader();
        public bool TryEmptyLog() => inner.TryEmptyLog();
        public void Dispose() { }

        sealed class Transaction(IEngineTransaction inner) : IEngineTransaction
        {
            public DbConnection Connection => inner.Connection;
            public LedgerHead Head => inner.Head;
            public long Written => inner.Written;
            public int Execute(string sql, object? args) => inner.Execute(sql.Replace(" AND fence = @fence", "", StringComparison.Ordinal), args);
            public void Insert<T>(RowShape<T> shape, IReadOnlyList<T> rows) => inner.Insert(shape, rows);
            public void Commit() => inner.Commit();
            public void Rollback() => inner.Rollback();
            public void Dispose() => inner.Dispose();
        }
    }
}
