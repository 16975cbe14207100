using System.Collections.Concurrent;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Queue;

/// <summary>How each office is reached, in memory as the store has it: read at start, then told after each commit. The store is what counts; this process is the only one that changes it.</summary>
sealed class OfficeStates(QueueOptions options)
{
    readonly ConcurrentDictionary<(string Office, string Channel), OfficeState> states = [];
    readonly Lock gate = new();
    /// <summary>Of those whose breaker is open: when they are probed.</summary>
    readonly Dictionary<(string Office, string Channel), long> open = [];

    public void Load(IEngine engine)
    {
        using var reader = engine.Reader();
        foreach (var state in OfficeStateTable.All(reader)) Tell(state);
    }

    /// <summary>After the commit that wrote it; commits may be told of in any order.</summary>
    public void Tell(OfficeState state)
    {
        var key = (state.Office, state.Channel);
        lock (gate)
        {
            if (states.TryGetValue(key, out var known) && known.Changes >= state.Changes) return;
            states[key] = state;
            if (state.OpenUntil is { } until) open[key] = until;
            else open.Remove(key);
        }
    }

    /// <summary>When an office that cannot be reached may be tried again at the soonest, of those that may not be tried yet; null: there is none.</summary>
    public long? NextProbe(long now)
    {
        lock (gate)
        {
            long? next = null;
            foreach (var until in open.Values)
                if (until > now && until < (next ?? long.MaxValue)) next = until;
            return next;
        }
    }

    /// <param name="channels">Of the office, in the order in which they are to be used; not empty.</param>
    public OfficeGate Gate(string office, IReadOnlyList<string> channels, long now)
    {
        string? probe = null;
        foreach (var channel in channels)
        {
            if (!states.TryGetValue((office, channel), out var state)) return new(channel, (int)options.WindowLeast, probe);
            if (state.OpenUntil is not { } until) return new(channel, Breaker.Window(state), probe);
            if (until <= now) probe ??= channel;
        }
        return new(null, 0, probe);
    }
}
