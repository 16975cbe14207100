using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Offices;

/// <summary>
/// Unauthenticated failures: every one in the log and in the counter, but in the ledger one entry a minute per (reason, network). An entry is for ever,
/// so a scanner must not be able to write one per handshake.
/// </summary>
sealed class SignInFailures(TimeProvider clock, Meters meters, ILogger<SignInFailures> log)
{
    /// <summary>More networks than this in one minute share one line, "other": a flood from many addresses bounds memory and ledger too.</summary>
    internal const int MaxNetworks = 256;
    readonly ConcurrentDictionary<Key, int> counts = [];

    /// <param name="Minute">Unix milliseconds at which the minute began.</param>
    internal readonly record struct Key(string Reason, string Network, long Minute);

    public void Add(string reason, string detail, IPAddress from)
    {
        var network = Network(from);
        log.SignInWasRefused(reason, network, detail);
        meters.SignInFailures.Add(1, new KeyValuePair<string, object?>("reason", reason));
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var key = new Key(reason, network, now - now % 60_000);
        if (counts.Count >= MaxNetworks && !counts.ContainsKey(key)) key = key with { Network = "other" };
        counts.AddOrUpdate(key, 1, (_, count) => count + 1);
    }

    /// <summary>Takes out the minutes that have ended. What a crash loses is a count of the last minute; the log has each failure.</summary>
    internal IReadOnlyList<(Key Key, int Count)> TakeEnded(DateTimeOffset now)
    {
        List<(Key, int)> ended = [];
        foreach (var key in counts.Keys.Where(k => k.Minute + 60_000 <= now.ToUnixTimeMilliseconds()).OrderBy(k => k.Minute).ThenBy(k => k.Reason, StringComparer.Ordinal).ThenBy(k => k.Network, StringComparer.Ordinal))
            if (counts.TryRemove(key, out var count)) ended.Add((key, count));
        return ended;
    }

    /// <summary>One entry for each (reason, network, minute) that has ended by this time.</summary>
    public async Task Step(Journal journal, DateTimeOffset now)
    {
        foreach (var (key, count) in TakeEnded(now))
        {
            var entry = LedgerEntry.Create(new SignInFailuresDetail(key.Reason, key.Network, key.Minute, count) { Time = clock.GetUtcNow().ToUnixTimeMilliseconds() });
            await journal.Commit(b => b.Log(entry, EntryKind.SignInFailures) is not null, settle: true);
        }
    }

    internal static string Network(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        var kept = address.AddressFamily == AddressFamily.InterNetwork ? 3 : 6;
        Array.Clear(bytes, kept, bytes.Length - kept);
        return $"{new IPAddress(bytes)}/{kept * 8}";
    }
}

static partial class SignInLog
{
    [LoggerMessage(1001, LogLevel.Warning, "A connection from {Network} was refused: {Reason} ({Detail})")]
    public static partial void SignInWasRefused(this ILogger log, string reason, string network, string detail);
}
