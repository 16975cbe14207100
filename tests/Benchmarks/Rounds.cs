using System.Diagnostics;
using System.Globalization;

namespace Exchange.Benchmarks;

/// <summary>What one run took.</summary>
/// <param name="Wall">Seconds.</param>
/// <param name="Cpu">Processor seconds of all threads and children.</param>
/// <param name="Allocated">Bytes by this process.</param>
readonly record struct Took(double Wall, double Cpu, long Allocated)
{
    /// <param name="run">Gives the processor seconds of its children.</param>
    public static async Task<Took> ByAsync(Func<Task<double>> run)
    {
        using var self = Process.GetCurrentProcess();
        var (cpu, allocated, began) = (self.TotalProcessorTime, GC.GetTotalAllocatedBytes(precise: true), Stopwatch.GetTimestamp());
        var children = await run();
        var wall = Stopwatch.GetElapsedTime(began).TotalSeconds;
        self.Refresh();
        return new(wall, (self.TotalProcessorTime - cpu).TotalSeconds + children, GC.GetTotalAllocatedBytes(precise: true) - allocated);
    }

    public static Task<Took> ByAsync(Func<Task> run) => ByAsync(async () => { await run(); return 0; });
}

/// <summary>A median with its extremes; how figures of several rounds are told.</summary>
readonly record struct Spread(double Median, double Low, double High)
{
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new(sorted[sorted.Length / 2], sorted[0], sorted[^1]);
    }

    public string As(string format) => string.Create(CultureInfo.InvariantCulture, $"{Median.ToString(format, CultureInfo.InvariantCulture)} ({Low.ToString(format, CultureInfo.InvariantCulture)} .. {High.ToString(format, CultureInfo.InvariantCulture)})");
}

static class Machine
{
    /// <summary>As the kernel names the processor.</summary>
    public static string Name => File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown processor";
}
