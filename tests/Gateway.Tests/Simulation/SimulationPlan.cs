using System.Net;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;

namespace Exchange.Tests.Simulation;

/// <summary>What is simulated: all of it follows from this.</summary>
sealed record SimulationPlan
{
    public required ulong Seed { get; init; }
    public required int Offices { get; init; }
    public required int Dispatches { get; init; }
    public required TimeSpan Duration { get; init; }
    /// <summary>Of everything that goes wrong, so many times as much as usual.</summary>
    public double Trouble { get; init; } = 1;
    /// <summary>How often the heartbeat stands for some minutes while answers take longer than a lease.</summary>
    public double LateWorkers { get; init; } = 6;
    /// <summary>Simulated time between two looks at the promises.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(1);
    /// <summary>The store's own check reads everything: run at a start only as long as the ledger has no more entries than this, and at the end in any case.</summary>
    public long ChecksUpTo { get; init; } = 5_000;
    /// <summary>For controls: run on the writer's connection after it was opened.</summary>
    public string? Pragma { get; init; }
    /// <summary>For controls: what the journal writes through.</summary>
    public Func<IEngine, IEngine>? Wrap { get; init; }
    /// <summary>For controls: at any time at least so many hỏa tốc wait for a slot, and every delivery takes so long. Nothing is lost meanwhile. null: none.</summary>
    public (int Waiting, TimeSpan Takes)? Flood { get; init; }
    /// <summary>Told now and then, for whoever waits.</summary>
    public Action<string>? Progress { get; init; }

    // Set by the simulator.
    public string Root { get; init; } = "";
    public SimulatedRandom Ids { get; init; } = new(0);

    public string Data => Path.Combine(Root, "data");
    public string GuardFolder => Path.Combine(Root, "guard");
    public SimulatedWorld World => SimulatedWorld.Of(Offices);

    // A message that is lost holds a slot for two and a half minutes: a busy exchange has more of them.
    public Options Options
    {
        get => field ??= new()
        {
            Origin = SimulatedWorld.Origin, Environment = Options.Development, Listen = new IPEndPoint(IPAddress.Loopback, 0), Operations = null, Guard = "unused", Keys = new("", "", "", ""),
            DirectoryOfficers = [], PolicyOfficers = [], Limits = Limits.Defaults with { Deliveries = Dispatches > 2 * Duration.TotalSeconds ? 256 : 64 },
        };
        init;
    }

    public bool ChecksStoreAt(SqliteEngine engine)
    {
        using var reader = engine.Reader();
        return Exchange.Gateway.Store.HeadTable.Read(reader).Size <= ChecksUpTo;
    }
}

/// <param name="Broken">What did not hold; null: all did.</param>
sealed record SimulationResult(ulong Seed, string Root, string? Broken, TimeSpan Took, string Counts)
{
    public TimeSpan Starting { get; init; }
    public TimeSpan Looking { get; init; }

    public override string ToString() => $"seed {Seed}: {Counts}; {Took.TotalSeconds:0.0} s, of them {Starting.TotalSeconds:0.0} s starts and {Looking.TotalSeconds:0.0} s looks; root {Root}{(Broken is null ? "" : $"\nBROKEN: {Broken}")}";
}
