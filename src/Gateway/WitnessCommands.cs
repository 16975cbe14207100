using System.CommandLine;
using System.Globalization;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;

namespace Exchange.Gateway;

/// <summary>admin witnesses: reads gateway.json and the guard, beside the running gateway.</summary>
static class WitnessCommands
{
    const int Pending = 2;

    public static Command Witnesses(Option<DirectoryInfo> data)
    {
        var command = new Command("witnesses", "Which witnesses cosigned the newest checkpoint and which are pending. Exit 0: enough of them; 2: pending. Runs beside the gateway.") { data };
        command.SetAction(async (parsed, _) =>
        {
            var (code, lines) = Look(parsed.GetRequiredValue(data).FullName);
            foreach (var line in lines) await Console.Out.WriteLineAsync(line);
            return code;
        });
        return command;
    }

    /// <returns>Exit code, and what is said.</returns>
    internal static (int Code, IReadOnlyList<string> Lines) Look(string folder)
    {
        var options = Configuration.Read(folder);
        using var equipment = Equipment.Open(folder, options, TimeProvider.System);
        if (equipment.Witnesses is not { } set) return (0, ["no witness is asked: gateway.json has no \"witness\""]);
        using var guard = Guard.OpenReadOnly(Guard.FileIn(options.Guard), options.Origin);
        if (guard.NewestNote is not { } newest) return (Pending, ["no checkpoint was signed yet"]);
        var isQuorum = set.IsQuorum(newest.Note);
        return (isQuorum ? 0 : Pending, [string.Create(CultureInfo.InvariantCulture, $"checkpoint {newest.Size}: {(isQuorum ? "cosigned by enough witnesses" : "pending")}"),
            .. set.Peers.Select(p => string.Create(CultureInfo.InvariantCulture, $"  {p.Name}  {(p.Signed(newest.Note) ? "cosigned" : "pending ")}  has {guard.WitnessHas(p.Url.AbsoluteUri)}  {p.Url}"))]);
    }
}
