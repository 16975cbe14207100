using System.CommandLine;
using System.Globalization;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Operations;

namespace Exchange.Gateway;

/// <summary>new-origin: the way on when the guard refuses a store for good, and the end of a year.</summary>
static class NewOriginCommand
{
    public static Command Create(Option<DirectoryInfo> data)
    {
        var origin = new Option<string>("--origin") { Description = "The new name, never used before, for example gateway.example/ledger-2.", Required = true };
        var code = new Option<string?>("--code") { Description = $"With --out: why, in a code, for example RESTORED or KEYS_LOST. {Succession.Year} ends a year on purpose: only of a whole store, with its last head, which the witnesses have cosigned." };
        var ask = new Option<FileInfo?>("--out") { Description = "Writes what two administrators are to sign to this file; nothing else is done." };
        var operation = new Option<FileInfo?>("--operation") { Description = "What both signed, with `exchange officer operate`: does it." };
        var (classic, second) = (new Option<FileInfo?>("--checkpoint-key") { Description = "File of the new Ed25519 key; made when there is none. Default: beside the old one." },
            new Option<FileInfo?>("--mldsa-key") { Description = "Likewise of the new ML-DSA-44 key." });
        var command = new Command("new-origin", "Goes on under a new name, whose first entry says how the old one ended: with a store that its guard refuses for good, and then it admits what is lost; when the checkpoint keys are lost; or when a year ends. Two administrators sign; the gateway is stopped. First --code and --out, then --operation; what breaks off is finished by the same command.")
        {
            data, origin, code, ask, operation, classic, second,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(operation) is null == (result.GetValue(ask) is null || result.GetValue(code) is null)) result.AddError("Either --code and --out, or --operation.");
        });
        command.SetAction(async (parsed, cancel) =>
        {
            var (folder, name) = (parsed.GetRequiredValue(data).FullName, parsed.GetRequiredValue(origin));
            if (parsed.GetValue(ask) is { } target)
            {
                DurableFile.Write(target.FullName, NewOrigin.Order(folder, name, parsed.GetValue(code)!));
                await Console.Error.WriteLineAsync($"{target} names the head that ends and the name that follows. Each of two administrators: exchange officer operate {target} …");
                return 0;
            }
            var done = await NewOrigin.Run(new(folder, name, await File.ReadAllBytesAsync(parsed.GetRequiredValue(operation)!.FullName, cancel), parsed.GetValue(classic)?.FullName, parsed.GetValue(second)?.FullName), TimeProvider.System);
            foreach (var ended in done.Follows)
                await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{ended.Origin} ended at {ended.Size} entries; {done.Origin} continues its first {ended.Common}{(ended.HasGap ? ", and admits that what was promised behind them is lost as far as it is not here" : "")}"));
            await Console.Error.WriteLineAsync($"""
                Now, in this order:
                1. exchange-gateway serve --data {folder}, and a backup as soon as it can be stopped; keep copies of the new key files apart.
                2. exchange-gateway export --data {folder} --out FOLDER: everyone takes the new pins (offices, auditors, witnesses: add-log), which name the old keys as well.
                3. {(done.Code == Succession.Year ? $"The shard of the year that ended: exchange audit export DIR --shard {done.Follows[0].Origin}" : "Offices are told by their own programs which of their dispatches are lost, and send them again.")}
                """);
            return 0;
        });
        return command;
    }
}
