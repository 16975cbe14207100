using System.Globalization;

namespace Exchange.Tests.Simulation;

/// <summary>What the script ./simulate calls: runs of any length, one after another, until one breaks a promise.</summary>
static class SimulationCommand
{
    public const string Variable = "EXCHANGE_SIMULATION";

    /// <returns>0: all held. 1: one did not.</returns>
    public static int Run(string[] words)
    {
        var given = Enumerable.Range(0, words.Length / 2).ToDictionary(n => words[2 * n], n => double.Parse(words[2 * n + 1], CultureInfo.InvariantCulture));
        double Value(string name, double otherwise) => given.GetValueOrDefault(name, otherwise);
        var seed = (ulong)Value("--seed", Random.Shared.NextInt64(1, 1_000_000_000));
        for (var run = 0; run < Value("--runs", 1); run++, seed++)
        {
            var result = Simulator.Run(new SimulationPlan
            {
                Seed = seed, Offices = (int)Value("--offices", 24), Dispatches = (int)Value("--dispatches", 400), Duration = TimeSpan.FromHours(Value("--hours", 1)), Trouble = Value("--trouble", 1),
                LookEvery = TimeSpan.FromSeconds(Value("--look", 1)), Progress = given.ContainsKey("--quiet") ? null : Console.Out.WriteLine,
            });
            Console.Out.WriteLine(result);
            if (result.Broken is not null) return 1;
        }
        return 0;
    }
}
