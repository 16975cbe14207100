using System.CommandLine;
using System.Text.Json;
using Exchange.Gateway.Admin;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway;

/// <summary>admin queue, dead, redrive, discard; erase is in EraseCommands.cs. The first two read beside the running gateway; the others hand it an order through its incoming folder.</summary>
static class AdminCommands
{
    static readonly Option<string?> Office = new("--office") { Description = "Only copies for this office." };
    static readonly Option<string?> Reason = new("--reason") { Description = "Only copies that died with this code, for example E_CHANNEL_REFUSED." };
    static readonly Option<int> Most = new("--most") { Description = "No more than so many copies.", DefaultValueFactory = _ => 5000 };
    static readonly Option<string[]> Parcels = new("--parcel") { Description = "Exactly this copy; may be given several times. See admin dead." };

    public static Command Admin(Option<DirectoryInfo> data) => new("admin", "For administrators: what is stuck and why, which witnesses and time-stamps are pending, what becomes of copies that were given up, and erasing.") { Queue(data), Dead(data), Redrive(data), Discard(data), EraseCommands.Erase(data), WitnessCommands.Witnesses(data), TimeStampCommands.TimeStamps(data) };

    static Command Queue(Option<DirectoryInfo> data)
    {
        var all = new Option<bool>("--all") { Description = "All offices, not only those that wait longest." };
        var json = new Option<bool>("--json") { Description = "As JSON, as GET /queue on the operations listener." };
        var command = new Command("queue", "What is stuck and why: of each office its channels, breaker, window, what waits by class, the oldest, the next try; what is dead, by reason.") { data, all, json };
        command.SetAction(async (parsed, _) =>
        {
            var now = Beside(parsed.GetRequiredValue(data), reader => QueueNow.Read(reader, TimeProvider.System.GetUtcNow()));
            if (parsed.GetValue(json)) await Console.Out.WriteLineAsync(JsonSerializer.Serialize(now, AdminJson.Default.QueueNow));
            else foreach (var line in QueueScreen.Lines(now, parsed.GetValue(all))) await Console.Out.WriteLineAsync(line);
            return 0;
        });
        return command;
    }

    static Command Dead(Option<DirectoryInfo> data)
    {
        var command = new Command("dead", "Lists copies that were given up and about which nobody has decided yet, oldest first.") { data, Office, Reason, Most };
        command.SetAction(async (parsed, _) =>
        {
            await Print(Matching(parsed, data));
            return 0;
        });
        return command;
    }

    static Command Redrive(Option<DirectoryInfo> data)
    {
        var run = new Option<bool>("--run") { Description = "Do it. Without it only what would be done is listed." };
        var command = new Command("redrive", "Sends dead copies on their way again, behind everything else, spread over a minute; the same idempotency key, so nothing arrives twice. Lists first; --run does it.") { data, Office, Reason, Parcels, Most, run };
        command.SetAction(async (parsed, cancel) =>
        {
            if (parsed.GetValue(run)) return await Give(parsed, data, Order(parsed, QueueOrder.Redrive, null).Write(), Operations.IncomingFolder.Order, cancel);
            await Print(Matching(parsed, data));
            await Console.Error.WriteLineAsync("Nothing was done. Repeat with --run to send them again.");
            return 0;
        });
        return command;
    }

    static Command Discard(Option<DirectoryInfo> data)
    {
        var code = new Option<string?>("--code") { Description = "Why, in a code: capitals, digits, underscores, for example DUPLICATE." };
        var run = new Option<bool>("--run") { Description = "Do it. Without it only what would be done is listed." };
        var signed = new Option<FileInfo?>("--signed") { Description = "Operation statement of two administrators, made with `exchange officer operate`: needed above the lowest level." };
        var ask = new Option<FileInfo?>("--out") { Description = "Writes what is to be signed by two administrators to this file." };
        var command = new Command("discard", "Gives dead copies up for good. Lists first; --run does it. Above the lowest level two administrators sign: --out, then `exchange officer operate`, then --signed.") { data, Office, Reason, Parcels, Most, code, run, signed, ask };
        command.SetAction(async (parsed, cancel) =>
        {
            if (parsed.GetValue(signed) is { } statement) return await Give(parsed, data, await File.ReadAllBytesAsync(statement.FullName, cancel), Operations.IncomingFolder.SignedOrder, cancel);
            var order = Order(parsed, QueueOrder.Discard, parsed.GetValue(code));
            var found = Matching(parsed, data);
            if (parsed.GetValue(ask) is { } file)
            {
                await File.WriteAllBytesAsync(file.FullName, (order with { Parcels = [.. found.Select(f => f.Parcel)] }).Write(), cancel);
                await Console.Error.WriteLineAsync($"{found.Count} copies are named in {file}. Each administrator: exchange officer operate {file} …");
                return 0;
            }
            if (parsed.GetValue(run)) return await Give(parsed, data, order.Write(), Operations.IncomingFolder.Order, cancel);
            await Print(found);
            await Console.Error.WriteLineAsync("Nothing was done. Repeat with --run and --code to discard them.");
            return 0;
        });
        return command;
    }

    static QueueOrder Order(ParseResult parsed, string act, string? code) => new(1, act, parsed.GetValue(Office), parsed.GetValue(Reason), Given(parsed), code, parsed.GetValue(Most));

    static Guid[]? Given(ParseResult parsed) => parsed.GetValue(Parcels) is { Length: > 0 } given ? [.. given.Select(Guid.Parse)] : null;

    static IReadOnlyList<DeadCopy> Matching(ParseResult parsed, Option<DirectoryInfo> data) =>
        Beside(parsed.GetRequiredValue(data), reader => DeadTable.Matching(reader, parsed.GetValue(Office), parsed.GetValue(Reason), parsed.CommandResult.Command.Options.Contains(Parcels) ? Given(parsed) : null, parsed.GetValue(Most)));

    internal static T Beside<T>(DirectoryInfo data, Func<Source, T> read)
    {
        using var engine = SqliteEngine.OpenReadOnly(DataFolder.DatabaseIn(data.FullName));
        using var reader = engine.Reader();
        return read(reader);
    }

    static async Task Print(IReadOnlyList<DeadCopy> copies)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var group in copies.GroupBy(c => (c.Office, c.Reason)))
        {
            await Console.Out.WriteLineAsync($"{group.Key.Office} {group.Key.Reason}: {group.Count()}");
            foreach (var copy in group)
                await Console.Out.WriteLineAsync($"  {copy.Parcel}  of {copy.Sender} {copy.Envelope}  dead for {QueueScreen.Span(now - copy.DiedAt)}{(copy.Expires <= now ? "  past its time: can only be discarded" : "")}");
        }
        await Console.Out.WriteLineAsync($"{copies.Count} copies");
    }

    static Task<int> Give(ParseResult parsed, Option<DirectoryInfo> data, byte[] order, string end, CancellationToken cancel) => Give(parsed.GetRequiredValue(data), order, end, cancel);

    internal static async Task<int> Give(DirectoryInfo data, byte[] order, string end, CancellationToken cancel)
    {
        var (done, wrong) = await HandOver.Give(data.FullName, order, end, TimeProvider.System, cancel);
        await (wrong is null ? Console.Out : Console.Error).WriteLineAsync(done ?? $"error: {wrong}");
        return wrong is null ? 0 : 1;
    }
}
