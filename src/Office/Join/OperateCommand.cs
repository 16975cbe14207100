using System.CommandLine;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Join;

/// <summary>officer operate: two administrators of a gateway sign, each on a machine of his own, what one alone may not do there.</summary>
static class OperateCommand
{
    public static Command Create(Shell shell)
    {
        var from = new Argument<string>("FILE") { Description = "What `exchange-gateway admin discard --out`, `admin erase --out` or `new-origin --out` wrote, or what the other administrator signed" };
        var key = new Option<string?>("--key") { Description = "PKCS#12 file; default officer.p12 here", HelpName = "FILE" };
        var gateway = new Option<string?>("--gateway") { Description = "Ledger origin of the gateway; the first of two says it", HelpName = "ORIGIN" };
        var with = new Option<string?>("--with") { Description = "Key of the other administrator; the first of two says it", HelpName = "KEY" };
        var target = new Option<string?>("--out") { Description = "Where to write it; default: over FILE, or FILE.p7s", HelpName = "FILE" };
        var (yes, passphrase) = (OfficerCommands.YesOption(), Passphrase.Option());
        var command = new Command("operate", "Shows what a gateway is to do and signs it: first from the order that its command wrote, then as the second administrator. Ký lệnh vận hành trục, hai quản trị viên.")
        {
            from, key, gateway, with, target, passphrase, yes,
        };
        return shell.Does(command, (parsed, say, _) => Task.FromResult(Run(shell, say, parsed.GetValue(from)!, (parsed.GetValue(key), parsed.GetValue(passphrase), parsed.GetValue(yes)),
            (parsed.GetValue(gateway), parsed.GetValue(with)), parsed.GetValue(target))));
    }

    static int Run(Shell shell, Output say, string file, (string? File, string? Passphrase, bool Yes) signer, (string? Gateway, string? With) first, string? target)
    {
        var (bytes, now) = (File.ReadAllBytes(file), shell.Clock.GetUtcNow());
        var begins = bytes is [(byte)'{', ..];
        using var key = OfficerCommands.Load(signer.File, ".", signer.Passphrase, say);
        var begun = begins ? null : PartlySigned.Read(bytes, StatementType.Operation);
        var operation = begun?.As<OperationStatement>() ?? Order(bytes, key.Certificate.Key, first, now);
        Tell(say, operation);
        if (!OfficerCommands.Yes(signer.Yes, say)) return ExchangeProgram.Incomplete;
        var signed = begun is null ? PartlySigned.Begin(operation, key, now) : begun.Add(key, now);
        var to = Path.GetFullPath(target ?? (begins ? file + ".p7s" : file));
        DurableFile.Write(to, signed.Der.Span);
        if (signed.Missing.Count > 0) say.Hint("then the other administrator", "sau đó quản trị viên kia", $"exchange officer operate {to}");
        else say.Hint("complete; at the gateway", "đã đủ chữ ký; tại trục", operation.Succession is { } follows ? $"exchange-gateway new-origin --data DIR --origin {follows.Origin} --operation {to}" : $"exchange-gateway admin {operation.Act} --data DIR --signed {to}");
        return ExchangeProgram.Good;
    }

    static void Tell(Output say, OperationStatement operation)
    {
        if (operation.Succession is { } next)
        {
            var (en, vi) = operation.Code == Succession.Year ? ("It is the end of a year: nothing is lost, or the gateway refuses it", "Đây là kết thúc năm: không mất gì, nếu không trục sẽ từ chối")
                : ("What was promised behind the entries that the gateway still has is lost, and admitted", "Những gì đã hứa mà trục không còn giữ coi như mất, và được thừa nhận");
            say.Say($"{operation.Act}: the ledger {operation.Gateway} ends at {next.Size} entries, root {next.Root}; {next.Origin} follows it, {operation.Code}. {en}",
                $"{operation.Act}: sổ {operation.Gateway} kết thúc ở {next.Size} mục, gốc {next.Root}; sổ {next.Origin} tiếp nối, {operation.Code}. {vi}");
            return;
        }
        if (operation.Dispatches is { } dispatches)
        {
            say.Say($"{operation.Act} {dispatches.Length} dispatches at {operation.Gateway} for good, {operation.Code}", $"xóa vĩnh viễn {dispatches.Length} văn bản tại {operation.Gateway}, {operation.Code}");
            foreach (var dispatch in dispatches) say.Say($"  {dispatch.Sender} {dispatch.Envelope}", $"  {dispatch.Sender} {dispatch.Envelope}");
            return;
        }
        say.Say($"{operation.Act} {operation.Parcels.Length} copies at {operation.Gateway}, {operation.Code}", $"{operation.Act} {operation.Parcels.Length} bản tại {operation.Gateway}, {operation.Code}");
        foreach (var parcel in operation.Parcels) say.Say($"  {parcel}", $"  {parcel}");
    }

    static OperationStatement Order(byte[] json, Digest mine, (string? Gateway, string? With) first, DateTimeOffset now)
    {
        if (!Digest.TryParse(first.With, out var other)) throw Missing();
        try
        {
            using var order = JsonDocument.Parse(json);
            var root = order.RootElement;
            // An order for a new origin names its gateway: a name that is given as well must be that one.
            var named = root.TryGetProperty("gateway", out var given) ? given.GetString() : null;
            if ((first.Gateway ?? named) is not { } gateway) throw Missing();
            if (named is not null && named != gateway) throw new UsageException($"--gateway: the order is for {named}", $"--gateway: lệnh dành cho {named}");
            var act = root.GetProperty("act").GetString()!;
            return new()
            {
                V = 1, Type = OperationStatement.TypeName, Signers = [mine, other], Gateway = gateway, Act = act, Code = root.GetProperty("code").GetString()!, Issued = now.ToUnixTimeMilliseconds(),
                Parcels = act == OperationStatement.Erase ? [] : [.. root.GetProperty("parcels").EnumerateArray().Select(p => p.GetGuid())],
                Dispatches = act == OperationStatement.Erase ? [.. root.GetProperty("dispatches").EnumerateArray().Select(d => new OperatedDispatch(d.GetProperty("sender").GetString()!, d.GetProperty("envelope").GetGuid()))] : null,
                Succession = !root.TryGetProperty("succession", out var s) ? null : new(s.GetProperty("origin").GetString()!, s.GetProperty("size").GetInt64(), Digest.TryParse(s.GetProperty("root").GetString(), out var head) ? head : throw new FormatException()),
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new UsageException("FILE: not an order to discard, to erase, nor for a new origin", "FILE: không phải lệnh hủy bỏ, lệnh xóa hay lệnh lập tên sổ mới");
        }

        static UsageException Missing() => new("--gateway and --with: say which gateway, and which administrator signs as well", "--gateway và --with: trục nào, và quản trị viên nào cùng ký");
    }
}
