using System.CommandLine;
using Exchange.Gateway.Operations;

namespace Exchange.Gateway;

/// <summary>backup and restore.</summary>
static class BackupCommands
{
    public static Command Backup(Option<DirectoryInfo> data)
    {
        var to = new Option<DirectoryInfo>("--to") { Description = "Folder for the backup, not there yet or empty; on another disk.", Required = true };
        var command = new Command("backup", "Copies a stopped gateway's data folder and guard, verified. Never the keys and their passphrase: keep a copy of those yourself, apart.") { data, to };
        command.SetAction((parsed, _) =>
        {
            var made = BackUp.Run(parsed.GetRequiredValue(data).FullName, parsed.GetRequiredValue(to).FullName, Program.Version, TimeProvider.System, Console.Error.WriteLine);
            Console.WriteLine(Describe(made));
            Console.Error.WriteLine("Not in it: the key files and their passphrase. Keep a copy of them apart from this backup.");
            return Task.FromResult(0);
        });
        return command;
    }

    public static Command Restore(Option<DirectoryInfo> data)
    {
        var from = new Option<DirectoryInfo>("--from") { Description = "Folder that `backup` wrote.", Required = true };
        var to = new Option<DirectoryInfo?>(data.Name) { Description = "Data folder to make; not there yet or empty." };
        var guard = new Option<DirectoryInfo?>("--guard") { Description = "Folder of the guard, if it is not where gateway.json says." };
        var fromBackup = new Option<bool>("--guard-from-backup") { Description = "The guard is lost for good: put the backup's in its place. It is then your word that nothing newer was signed." };
        var guardOnly = new Option<bool>("--guard-only") { Description = "The data folder is there and only the guard is lost: put back the guard and nothing else. Your word, as before." };
        var behind = new Option<bool>("--behind-guard") { Description = "Restore a backup that is older than what was signed, to look at; serve will refuse it." };
        var verify = new Option<bool>("--verify") { Description = "Only read the backup and say whether it is whole." };
        var command = new Command("restore", "Makes a data folder from a backup, after reading all of it. Refuses where the ledger would contradict what was signed.") { from, to, guard, fromBackup, guardOnly, behind, verify };
        command.Validators.Add(result =>
        {
            if (!result.GetValue(verify) && result.GetValue(to) is null) result.AddError($"Option '{to.Name}' is required, except with {verify.Name}.");
        });
        command.SetAction((parsed, _) =>
        {
            var (clock, backup) = (TimeProvider.System, parsed.GetRequiredValue(from).FullName);
            if (parsed.GetValue(verify))
            {
                Console.WriteLine($"good: {Describe(Operations.Restore.Verify(new BackupFolder(backup), clock, Console.Error.WriteLine))}");
                return Task.FromResult(0);
            }
            var request = new RestoreRequest(backup, parsed.GetValue(to)!.FullName, parsed.GetValue(guard)?.FullName, parsed.GetValue(fromBackup), parsed.GetValue(behind));
            var restored = parsed.GetValue(guardOnly) ? Operations.Restore.GuardAlone(request, clock, Console.Error.WriteLine) : Operations.Restore.Run(request, clock, Console.Error.WriteLine);
            Console.WriteLine(Describe(restored));
            Console.Error.WriteLine(request.BehindGuard ? "Older than what was signed: serve will refuse it." : $"Start it with: exchange-gateway serve --data {request.Data}");
            return Task.FromResult(0);
        });
        return command;
    }

    static string Describe(BackupSummary summary) => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"{summary.Origin}, {summary.Ledger.Size} entries, {summary.Files} files, {summary.Bytes} bytes, made {summary.Made.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
}
