using System.Collections.Concurrent;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Queue;

/// <summary>How each office is reached, in memory as the store has it: read at start, then told after each commit. The store is what counts; this process is the only one that changes it.</summary>
sealed class OfficeStates(QueueOptions options)
{
    readonly ConcurrentDictionary<(string Office, string Channel), OfficeState> states = [];

    public void Load(IEngine engine)
    {
        using var reader = engine.Reader();
        foreach (var state in OfficeStateTable.All(reader)) Tell(state);
    }

    /// <summary>After the commit that wrote it; commits may be told of in any order.</summary>
    public void Tell(OfficeState state) =>
        states.AddOrUpdate((state.Office, state.Channel), state, (_, known) => known.Changes >= state.Changes ? known : state);

    /// <param name="channels">Of the office, in the order in which they are to be used; not empty.</param>
    public OfficeGate Gate(string office, IReadOnlyList<string> channels, long now)
    {
        string? probe = null;
        long? until = null;
        foreach (var channel in channels)
        {
            if (!states.TryGetValue((office, channel), out var state)) return new(channel, (int)options.WindowLeast, probe, until);
            if (state.OpenUntil is not { } open) return new(channel, Breaker.Window(state), probe, until);
            if (open <= now) probe ??= channel;
            else until = Math.Min(open, until ?? open);
        }
        return new(null, 0, probe, until);
    }
}
