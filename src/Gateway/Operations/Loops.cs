namespace Exchange.Gateway.Operations;

/// <summary>One thing that happens again and again.</summary>
/// <param name="Step">Pure in the time it is given; a failed one is logged and tried again at the next beat.</param>
/// <param name="Wake">Asked before each step; when what it gives completes, the next step does not wait for its beat.</param>
/// <param name="Next">Asked after each step: a time at which the next one is due, if that is before its beat.</param>
sealed record Loop(string Name, TimeSpan Every, Func<DateTimeOffset, Task> Step, Func<Task>? Wake = null, Func<DateTimeOffset?>? Next = null);

/// <summary>The host loop around every Step(now): the only place that waits. A simulator calls the steps itself.</summary>
sealed class Loops(IReadOnlyList<Loop> loops, Meters meters, TimeProvider clock, ILogger<Loops> log) : IAsyncDisposable
{
    readonly CancellationTokenSource stopping = new();
    Task running = Task.CompletedTask;

    public void Start() => running = Task.WhenAll(loops.Select(loop => Task.Run(() => Run(loop))));

    /// <summary>Each once, in order: for tests.</summary>
    public async Task StepAll()
    {
        foreach (var loop in loops) await loop.Step(clock.GetUtcNow());
    }

    async Task Run(Loop loop)
    {
        while (!stopping.IsCancellationRequested)
        {
            var woken = loop.Wake?.Invoke();
            try { await loop.Step(clock.GetUtcNow()); }
            catch (Exception e) when (!stopping.IsCancellationRequested) { Failed(loop, e); }
            catch (Exception) { return; }
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
            var beat = Task.Delay(Pause(loop), clock, waiting.Token);
            await Task.WhenAny(woken is null ? [beat] : [beat, woken]);
            await waiting.CancelAsync();
        }
    }

    // Timers count in milliseconds: a step too early would find nothing due, so it is rather one late.
    TimeSpan Pause(Loop loop)
    {
        if (loop.Next?.Invoke() is not { } at || at - clock.GetUtcNow() is var left && left >= loop.Every) return loop.Every;
        return TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(left.TotalMilliseconds)));
    }

    void Failed(Loop loop, Exception failure)
    {
        log.StepFailed(failure, loop.Name);
        meters.FailedSteps.Add(1, new KeyValuePair<string, object?>("step", loop.Name));
    }

    /// <summary>Waits for the steps under way.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested) return;
        await stopping.CancelAsync();
        await running;
        stopping.Dispose();
    }
}
