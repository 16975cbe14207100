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
            var folder = parsed.GetRequiredValue(data).FullName;
            var options = Configuration.Read(folder);
            using var equipment = Equipment.Open(folder, options, TimeProvider.System);
            if (equipment.Witnesses is not { } set)
            {
                await Console.Out.WriteLineAsync("no witness is asked: gateway.json has no \"witness\"");
                return 0;
            }
            using var guard = Guard.OpenReadOnly(Guard.FileIn(options.Guard), options.Origin);
            if (guard.NewestNote is not { } newest)
            {
                await Console.Out.WriteLineAsync("no checkpoint was signed yet");
                return Pending;
            }
            var isQuorum = set.IsQuorum(newest.Note);
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"checkpoint {newest.Size}: {(isQuorum ? "cosigned by enough witnesses" : "pending")}"));
            foreach (var peer in set.Peers)
                await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"  {peer.Name}  {(peer.Signed(newest.Note) ? "cosigned" : "pending ")}  has {guard.WitnessHas(peer.Url.AbsoluteUri)}  {peer.Url}"));
            return isQuorum ? 0 : Pending;
        });
        return command;
    }
}
