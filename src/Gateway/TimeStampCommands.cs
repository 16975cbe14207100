using System.CommandLine;
using System.Globalization;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;

namespace Exchange.Gateway;

/// <summary>admin timestamps: reads gateway.json and the guard, beside the running gateway.</summary>
static class TimeStampCommands
{
    const int Pending = 2, Most = 20;

    public static Command TimeStamps(Option<DirectoryInfo> data)
    {
        var command = new Command("timestamps", "Which checkpoint was time-stamped last, and which heads wait for a token since when. Exit 0: none waits; 2: pending. Runs beside the gateway.") { data };
        command.SetAction(async (parsed, _) =>
        {
            var (code, lines) = Look(parsed.GetRequiredValue(data).FullName, TimeProvider.System);
            foreach (var line in lines) await Console.Out.WriteLineAsync(line);
            return code;
        });
        return command;
    }

    /// <returns>Exit code, and what is said.</returns>
    internal static (int Code, IReadOnlyList<string> Lines) Look(string folder, TimeProvider clock)
    {
        var options = Configuration.Read(folder);
        using var guard = Guard.OpenReadOnly(Guard.FileIn(options.Guard), options.Origin);
        var (newest, waiting) = (guard.NewestStamp, guard.WaitingForTime(Most));
        List<string> lines = [];
        if (options.TimeStamp is not { } asked) lines.Add("no authority is asked: gateway.json has no \"timeStamp\"");
        else lines.AddRange(asked.Urls.Select(u => $"asked: {u}"));
        lines.Add(newest is null ? "no checkpoint has a time-stamp yet" : string.Create(CultureInfo.InvariantCulture, $"checkpoint {newest.Size}: time-stamped {Time(newest.Time)}"));
        lines.AddRange(waiting.Select(w => string.Create(CultureInfo.InvariantCulture, $"checkpoint {w.Size}: pending since {Time(w.Since)}, {(long)(clock.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(w.Since)).TotalMinutes} min; the log says what each authority did")));
        return (waiting.Count > 0 || (options.TimeStamp is not null && newest is null) ? Pending : 0, lines);
    }

    static string Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
