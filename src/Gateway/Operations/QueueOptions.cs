using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace Exchange.Gateway.Operations;

/// <summary>What one urgency class is worth.</summary>
/// <param name="First">Delay before the second attempt; doubles with each.</param>
/// <param name="Longest">Longest delay.</param>
/// <param name="Life">From when it may leave until it is given up, if header.expires is later.</param>
/// <param name="Target">How long it should wait for a slot at most: what the turn of aging measures waiting in.</param>
sealed record ClassOptions(TimeSpan First, TimeSpan Longest, TimeSpan Life, TimeSpan Target);

/// <summary>How the queue behaves, under "queue" in gateway.json; what is left out has its default. docs/operations.md says what each does.</summary>
sealed record QueueOptions
{
    [Option(2, 1, 3600, "seconds before the second attempt at a flash copy (hỏa tốc, also at a given time); doubles with each")]
    public long FlashRetrySeconds { get; init; }
    [Option(60, 1, 86400, "seconds between two attempts at a flash copy at most")]
    public long FlashRetryMostSeconds { get; init; }
    [Option(24, 1, 8760, "hours for which a channel tries a flash copy, if header.expires is later")]
    public long FlashLifeHours { get; init; }
    [Option(5, 1, 86400, "seconds that a flash copy should wait for a slot at most")]
    public long FlashTargetSeconds { get; init; }
    [Option(5, 1, 3600, "seconds before the second attempt at an express copy (thượng khẩn)")]
    public long ExpressRetrySeconds { get; init; }
    [Option(300, 1, 86400, "seconds between two attempts at an express copy at most")]
    public long ExpressRetryMostSeconds { get; init; }
    [Option(120, 1, 8760, "hours for which a channel tries an express copy")]
    public long ExpressLifeHours { get; init; }
    [Option(60, 1, 86400, "seconds that an express copy should wait for a slot at most")]
    public long ExpressTargetSeconds { get; init; }
    [Option(15, 1, 3600, "seconds before the second attempt at an urgent copy (khẩn)")]
    public long UrgentRetrySeconds { get; init; }
    [Option(900, 1, 86400, "seconds between two attempts at an urgent copy at most")]
    public long UrgentRetryMostSeconds { get; init; }
    [Option(120, 1, 8760, "hours for which a channel tries an urgent copy")]
    public long UrgentLifeHours { get; init; }
    [Option(300, 1, 86400, "seconds that an urgent copy should wait for a slot at most")]
    public long UrgentTargetSeconds { get; init; }
    [Option(60, 1, 3600, "seconds before the second attempt at a normal copy (thường)")]
    public long NormalRetrySeconds { get; init; }
    [Option(3600, 1, 86400, "seconds between two attempts at a normal copy at most")]
    public long NormalRetryMostSeconds { get; init; }
    [Option(120, 1, 8760, "hours for which a channel tries a normal copy")]
    public long NormalLifeHours { get; init; }
    [Option(1800, 1, 86400, "seconds that a normal copy should wait for a slot at most")]
    public long NormalTargetSeconds { get; init; }
    [Option(60, 1, 3600, "seconds before the second attempt at a redriven copy")]
    public long BulkRetrySeconds { get; init; }
    [Option(3600, 1, 86400, "seconds between two attempts at a redriven copy at most")]
    public long BulkRetryMostSeconds { get; init; }
    [Option(120, 1, 8760, "hours for which a channel tries a redriven copy")]
    public long BulkLifeHours { get; init; }
    [Option(14400, 1, 86400, "seconds that a redriven copy should wait for a slot at most")]
    public long BulkTargetSeconds { get; init; }

    [Option(300, 10, 86400, "seconds after which a flash copy that is still not delivered raises an alarm")]
    public long FlashAlarmSeconds { get; init; }
    [Option(5, 2, 100, "every so manieth pick goes to the lane that waits longest for its class, whatever its class")]
    public long AgingPick { get; init; }
    [Option(2, 2, 64, "attempts under way to one office that is new or fails; grows to deliveriesPerOffice while it takes what it gets")]
    public long WindowLeast { get; init; }
    [Option(3, 2, 1000, "leases lost in a row, after which a copy is given up as one that brings the program down")]
    public long LostLeases { get; init; }

    [Option(5, 2, 1000, "failures in a row that open the breaker of an office's channel")]
    public long BreakerFailures { get; init; }
    [Option(50, 1, 100, "percent of failures that open it")]
    public long BreakerPercent { get; init; }
    [Option(10, 2, 100000, "attempts that the percentage needs at least")]
    public long BreakerSample { get; init; }
    [Option(60, 10, 3600, "seconds over which the percentage is taken")]
    public long BreakerSeconds { get; init; }
    [Option(15, 1, 3600, "seconds until an opened breaker lets one attempt see whether the office is back; doubles when it is not")]
    public long BreakerOpenSeconds { get; init; }
    [Option(900, 1, 86400, "seconds at most between two such attempts")]
    public long BreakerOpenMostSeconds { get; init; }

    [Option(5000, 1, 5000, "dead copies redriven by one order at most")]
    public long RedriveMost { get; init; }
    [Option(60, 0, 3600, "seconds over which the first attempts of an order are spread")]
    public long RedriveSeconds { get; init; }

    static readonly (PropertyInfo Property, string Name, OptionAttribute Option)[] Each =
        [.. typeof(QueueOptions).GetProperties().Select(p => (p, JsonNamingPolicy.CamelCase.ConvertName(p.Name), p.GetCustomAttribute<OptionAttribute>()!)).Where(o => o.Item3 is not null)];

    public static readonly QueueOptions Defaults = Read(default, []);

    public static IEnumerable<(string Name, OptionAttribute Option)> All => Each.Select(o => (o.Name, o.Option));

    /// <param name="class">0 flash, 1 express, 2 urgent, 3 normal, 4 redriven.</param>
    public ClassOptions Of(int @class)
    {
        var (first, longest, life, target) = @class switch
        {
            0 => (FlashRetrySeconds, FlashRetryMostSeconds, FlashLifeHours, FlashTargetSeconds),
            1 => (ExpressRetrySeconds, ExpressRetryMostSeconds, ExpressLifeHours, ExpressTargetSeconds),
            2 => (UrgentRetrySeconds, UrgentRetryMostSeconds, UrgentLifeHours, UrgentTargetSeconds),
            3 => (NormalRetrySeconds, NormalRetryMostSeconds, NormalLifeHours, NormalTargetSeconds),
            _ => (BulkRetrySeconds, BulkRetryMostSeconds, BulkLifeHours, BulkTargetSeconds),
        };
        return new(TimeSpan.FromSeconds(first), TimeSpan.FromSeconds(longest), TimeSpan.FromHours(life), TimeSpan.FromSeconds(target));
    }

    internal static QueueOptions Read(JsonElement json, List<string> errors)
    {
        var options = new QueueOptions();
        foreach (var (property, _, option) in Each) property.SetValue(options, option.Default);
        if (json.ValueKind == JsonValueKind.Object)
            foreach (var member in json.EnumerateObject())
            {
                var (property, _, option) = Array.Find(Each, o => o.Name == member.Name);
                if (property is null) errors.Add($"queue.{member.Name}: no such option; there are: {string.Join(", ", Each.Select(o => o.Name))}");
                else if (member.Value.ValueKind != JsonValueKind.Number || !member.Value.TryGetInt64(out var number) || number < option.Min || number > option.Max)
                    errors.Add(string.Create(CultureInfo.InvariantCulture, $"queue.{member.Name}: must be an integer from {option.Min} to {option.Max} ({option.Meaning})"));
                else property.SetValue(options, number);
            }
        else if (json.ValueKind != JsonValueKind.Undefined) errors.Add("queue: must be an object");
        for (var c = 0; c < 5; c++)
            if (options.Of(c).Longest < options.Of(c).First) errors.Add($"queue: the longest delay of class {c} is shorter than its first");
        return options;
    }

    internal void Write(Utf8JsonWriter json)
    {
        foreach (var (property, name, option) in Each)
            if ((long)property.GetValue(this)! is var value && value != option.Default) json.WriteNumber(name, value);
    }
}
