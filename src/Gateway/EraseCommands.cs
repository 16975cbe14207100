using System.CommandLine;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Admin;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway;

/// <summary>admin erase: what is to be erased is listed and written down, two administrators sign it, the running gateway does it. compact: the stopped one gives back the room.</summary>
static class EraseCommands
{
    const int Shown = 100, Bad = 1;
    static readonly string[] Files = ["", "-wal", "-shm"];

    public static Command Erase(Option<DirectoryInfo> data)
    {
        var given = new Option<string[]>("--dispatch") { Description = "Envelope id, or the gateway's id; may be given several times. What updates it comes with it." };
        var sender = new Option<string?>("--sender") { Description = "Only this office's: two offices may have used one envelope id." };
        var code = new Option<string?>("--code") { Description = "On what basis, in a code: capitals, digits, underscores, for example ORDER_17_2026. It stands in the ledger for ever." };
        var ask = new Option<FileInfo?>("--out") { Description = "Writes what is to be signed by two administrators to this file." };
        var signed = new Option<FileInfo?>("--signed") { Description = "Operation statement of two administrators, made with `exchange officer operate`." };
        var command = new Command("erase", "Erases dispatches for good: payload, manifest, header, receipts, decisions, and every salt and detail about them in the ledger; leaves, ids and digests stay. Two administrators sign: --out, then `exchange officer operate`, then --signed. Without any of them it lists what was erased. It reaches neither backups nor what was given out: docs/operations.md.")
        {
            data, given, sender, code, ask, signed,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var folder = parsed.GetRequiredValue(data);
            if (parsed.GetValue(signed) is { } statement) return await AdminCommands.Give(folder, await File.ReadAllBytesAsync(statement.FullName, cancel), Operations.IncomingFolder.SignedOrder, cancel);
            if (parsed.GetValue(given) is not { Length: > 0 } ids) return await List(folder);
            if (ids.FirstOrDefault(i => !Guid.TryParse(i, out _)) is { } strange) return await Fail($"--dispatch: {strange} is no id");
            var (found, wrong) = AdminCommands.Beside(folder, reader => Find(reader, [.. ids.Select(Guid.Parse)], parsed.GetValue(sender)));
            foreach (var dispatch in found) await Console.Out.WriteLineAsync($"{dispatch.Sender} {dispatch.Envelope}  {dispatch.Id}{Also(dispatch, found)}");
            if (wrong is not null) return await Fail(wrong);
            if (parsed.GetValue(ask) is not { } file)
            {
                await Console.Error.WriteLineAsync("Nothing was done. With --code and --out it is written down for two administrators to sign.");
                return 0;
            }
            if (parsed.GetValue(code) is not { } basis || !OperationStatement.IsCode(basis)) return await Fail("--code: on what basis, in capitals, digits and underscores");
            if (found.Count > OperationStatement.MaxDispatches) return await Fail($"{found.Count} dispatches: no more than {OperationStatement.MaxDispatches} in one order");
            await File.WriteAllBytesAsync(file.FullName, new EraseOrder(1, OperationStatement.Erase, [.. found.Select(f => new OperatedDispatch(f.Sender, f.Envelope))], basis).Write(), cancel);
            await Console.Error.WriteLineAsync($"{found.Count} dispatches are named in {file}. Each administrator: exchange officer operate {file} …");
            return 0;
        });
        return command;
    }

    public static Command Compact(Option<DirectoryInfo> data)
    {
        var command = new Command("compact", "Writes the store anew while the gateway is stopped: the room of what was erased goes back to the disk, and nothing is left in a page of before. Needs as much free room as the store has.") { data };
        command.SetAction(async (parsed, _) =>
        {
            using var folder = DataFolder.Open(parsed.GetRequiredValue(data).FullName);
            // Brings it to the newest schema, or says why it cannot be opened.
            SqliteEngine.Open(folder.Database).Dispose();
            var (need, room) = (new FileInfo(folder.Database).Length, new DriveInfo(folder.Root).AvailableFreeSpace);
            if (room < need) return await Fail($"{need} bytes are needed and {room} are free; make room, then try again");
            var (before, after) = CompactStore.Run(folder.Database);
            // The auditors' index is made anew from the store when it is missing.
            foreach (var end in Files) File.Delete(folder.AuditIndex + end);
            await Console.Out.WriteLineAsync($"good: {before} bytes before, {after} now");
            return 0;
        });
        return command;
    }

    static (IReadOnlyList<ErasableDispatch> Found, string? Wrong) Find(Source reader, Guid[] ids, string? sender)
    {
        List<ErasableDispatch> found = [];
        foreach (var id in ids)
        {
            var called = ErasureTable.Called(reader, id).Where(c => sender is null || c.Sender == sender).ToList();
            if (called.Count != 1) return (found, called.Count == 0 ? $"{id}: no such dispatch" : $"{id}: of {string.Join(", ", called.Select(c => c.Sender))}; say which with --sender");
            foreach (var (office, envelope) in ErasureTable.UpdatesKept(reader, called[0].Sender, called[0].Envelope).Select(u => (called[0].Sender, u)).Append(called[0]))
                if (!found.Exists(f => (f.Sender, f.Envelope) == (office, envelope))) found.Add(ErasureTable.Find(reader, office, envelope)!);
        }
        return (found, null);
    }

    static string Also(ErasableDispatch dispatch, IReadOnlyList<ErasableDispatch> found) => dispatch switch
    {
        { BegunAt: not null } => "  erased before",
        { Owed: ErasureTable.Updated } when found.Count > 1 => "",
        { Owed: { } owed } => $"  not yet: {owed}",
        _ => "",
    };

    static async Task<int> List(DirectoryInfo folder)
    {
        foreach (var row in AdminCommands.Beside(folder, reader => ErasureTable.Newest(reader, Shown)))
            await Console.Out.WriteLineAsync($"{DateTimeOffset.FromUnixTimeMilliseconds(row.BegunAt):yyyy-MM-ddTHH:mm:ssZ}  {row.Sender} {row.Envelope}  {row.Basis}  {row.Operation}{(row.EndedAt is null ? "  goes on" : "")}");
        return 0;
    }

    static async Task<int> Fail(string wrong)
    {
        await Console.Error.WriteLineAsync($"error: {wrong}");
        return Bad;
    }
}
