using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>How an office is reached by one of its channels; what changes it is in Queue/Breaker.cs.</summary>
internal sealed record OfficeState
{
    public required string Office { get; init; }
    /// <summary>Adapter.</summary>
    public required string Channel { get; init; }
    /// <summary>Attempts that may be under way at once, in thousandths.</summary>
    public required long AtOnce { get; init; }
    /// <summary>Attempts in a row that did not deliver, for whatever reason.</summary>
    public int Run { get; init; }
    /// <summary>Attempts in a row that failed by the channel's fault.</summary>
    public int Failures { get; init; }
    /// <summary>Good and failed attempts in slots of five seconds.</summary>
    public string Recent { get; init; } = "";
    /// <summary>The breaker is open, and from then on one attempt may see whether the office is back, Unix milliseconds; null: it is closed.</summary>
    public long? OpenUntil { get; init; }
    /// <summary>Milliseconds for which it opened last; 0: it is closed.</summary>
    public long OpenFor { get; init; }
    public long? OpenedAt { get; init; }
    /// <summary>Codes and system errors, never content.</summary>
    public string LastError { get; init; } = "";
    public long? LastErrorAt { get; init; }
    /// <summary>Rises with each change.</summary>
    public long Changes { get; init; }
}

internal static class OfficeStateTable
{
    const string Columns = "office, channel, at_once, run, failures, recent, open_until, open_for, opened_at, last_error, last_error_at, changes";

    public static OfficeState? Find(Source source, string office, string channel) =>
        source.OneWritten<OfficeState>($"SELECT {Columns} FROM office_state WHERE office = @office AND channel = @channel", new { office, channel });

    /// <summary>Of all offices that were ever tried: two rows or three for each.</summary>
    public static IReadOnlyList<OfficeState> All(Source source) => source.Query<OfficeState>($"SELECT {Columns} FROM office_state ORDER BY office, channel");

    /// <summary>Channels whose breaker is open.</summary>
    public static long Down(Source source) => source.One<long>("SELECT count(*) FROM office_state WHERE open_until IS NOT NULL");

    public static void Put(Batch b, OfficeState state) => b.Execute(
        $"""
        INSERT INTO office_state ({Columns}) VALUES (@Office, @Channel, @AtOnce, @Run, @Failures, @Recent, @OpenUntil, @OpenFor, @OpenedAt, @LastError, @LastErrorAt, @Changes)
        ON CONFLICT (office, channel) DO UPDATE SET at_once = @AtOnce, run = @Run, failures = @Failures, recent = @Recent, open_until = @OpenUntil, open_for = @OpenFor,
            opened_at = @OpenedAt, last_error = @LastError, last_error_at = @LastErrorAt, changes = @Changes
        """, state);
}
