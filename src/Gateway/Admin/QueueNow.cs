using System.Buffers.Binary;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Admin;

/// <param name="Channel">Adapter.</param>
/// <param name="Breaker">"closed", "open", or "probing": one attempt may see whether the office is back.</param>
/// <param name="Probe">When it may, Unix milliseconds; null: closed.</param>
/// <param name="Window">Attempts that may be under way at once.</param>
sealed record ChannelNow(string Channel, string Breaker, long? Probe, int Window, int Failures, string LastError, long? LastErrorAt);

/// <param name="Waiting">By class, 0 the most urgent.</param>
/// <param name="Held">Under way.</param>
/// <param name="Behind">Waiting for another copy of their conversation.</param>
/// <param name="Oldest">When the oldest that waits was accepted, Unix milliseconds.</param>
/// <param name="Next">When the next attempt may be made, Unix milliseconds; null: none is planned.</param>
/// <param name="Why">What it waits for, in words.</param>
sealed record OfficeNow(string Office, IReadOnlyList<ChannelNow> Channels, long[] Waiting, long Held, long Behind, long? Oldest, long? Next, string Why);

sealed record DeadNow(string Office, string Reason, long Copies, long Oldest);

/// <summary>What is stuck and why, as the store has it. Offices that nothing is wrong with and for which nothing waits are not in it.</summary>
sealed record QueueNow(long At, long Waiting, long Held, long BreakersOpen, long Dead, IReadOnlyList<OfficeNow> Offices, IReadOnlyList<DeadNow> DeadByReason)
{
    /// <summary>Counting stops here: an administrator needs to know that it is many.</summary>
    public const int Bound = 200_000;
    const int Classes = 5;

    public static QueueNow Read(Source source, DateTimeOffset at)
    {
        var now = at.ToUnixTimeMilliseconds();
        var lanes = JobTable.Backlog(source, Bound).ToLookup(l => l.Office, StringComparer.Ordinal);
        var others = JobTable.Others(source).ToDictionary(o => o.Office, StringComparer.Ordinal);
        var states = OfficeStateTable.All(source).ToLookup(s => s.Office, StringComparer.Ordinal);
        var dead = DeadTable.Groups(source, Bound);
        var offices = lanes.Select(l => l.Key).Concat(others.Keys).Concat(states.Where(s => s.Any(c => c.OpenUntil is not null)).Select(s => s.Key)).Distinct(StringComparer.Ordinal)
            .Select(office => Of(office, [.. states[office]], [.. lanes[office]], others.GetValueOrDefault(office), now))
            // What hurts comes first: open breakers, then who waits longest.
            .OrderBy(o => o.Channels.All(c => c.Breaker == "closed")).ThenBy(o => o.Oldest ?? long.MaxValue).ThenBy(o => o.Office, StringComparer.Ordinal).ToList();
        return new(now, offices.Sum(o => o.Waiting.Sum()), offices.Sum(o => o.Held), offices.Sum(o => o.Channels.Count(c => c.Breaker != "closed")), dead.Sum(d => d.Copies), offices,
            [.. dead.OrderByDescending(d => d.Copies).ThenBy(d => d.Office, StringComparer.Ordinal).Select(d => new DeadNow(d.Office, d.Reason, d.Copies, d.Oldest))]);
    }

    static OfficeNow Of(string office, List<OfficeState> states, List<LaneBacklog> lanes, OfficeJobs? jobs, long now)
    {
        var waiting = new long[Classes];
        foreach (var lane in lanes) waiting[lane.Class] = lane.Waiting;
        var channels = states.Select(s => new ChannelNow(s.Channel, s.OpenUntil is not { } until ? "closed" : until > now ? "open" : "probing", s.OpenUntil, Breaker.Window(s), s.Failures, s.LastError, s.LastErrorAt)).ToList();
        var due = lanes.Count == 0 ? (long?)null : lanes.Min(l => l.Due);
        var closed = channels.Count == 0 || channels.Exists(c => c.Breaker == "closed");
        var next = due is null ? null : closed ? due : Math.Max(due.Value, channels.Min(c => c.Probe)!.Value) is var probe ? probe : (long?)null;
        return new(office, channels, waiting, jobs?.Held ?? 0, jobs?.Behind ?? 0, lanes.Count == 0 ? null : lanes.Min(l => MadeAt(l.Oldest)), next, Why(channels, closed, due, jobs, now));
    }

    static string Why(List<ChannelNow> channels, bool closed, long? due, OfficeJobs? jobs, long now)
    {
        if (!closed) return $"no channel works: {channels.MaxBy(c => c.LastErrorAt)!.LastError}";
        var broken = channels.Find(c => c.Breaker != "closed");
        if (broken is not null) return $"{broken.Channel} does not work ({broken.LastError}); goes by another channel";
        if (due is null) return jobs is { Behind: > 0, Held: 0 } ? "wait for an earlier envelope of their conversation: see the dead" : "under way";
        if (due <= now) return jobs?.Held > 0 ? "the office takes no more at once" : "its turn comes next";
        return channels.MaxBy(c => c.LastErrorAt) is { LastErrorAt: not null } failed && failed.Failures > 0 ? $"tried again later: {failed.LastError}" : "not due yet: a time was given, or the office asked for time";
    }

    // A UUIDv7 begins with its time: no other column is read.
    static long MadeAt(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadInt64BigEndian(bytes) >> 16;
    }
}
