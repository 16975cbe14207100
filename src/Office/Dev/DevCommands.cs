using System.CommandLine;
using Exchange.Crypto.Keys;
using Exchange.Office.Join;

namespace Exchange.Office.Dev;

/// <summary>exchange dev …: what a developer's machine needs and nothing else may use.</summary>
static class DevCommands
{
    public static Command Create(Shell shell)
    {
        var command = new Command("dev", "For developers only: keys and offices that nobody outside this machine trusts. Chỉ dành cho phát triển.");
        command.Subcommands.Add(Pki(shell));
        command.Subcommands.Add(Channel(shell));
        command.Subcommands.Add(Tsa(shell));
        command.Subcommands.Add(DemoCommand(shell));
        return command;
    }

    static Command Tsa(Shell shell)
    {
        var pki = new Option<string>("--pki") { Description = "Folder made by dev pki", Required = true, HelpName = "DIR" };
        var port = new Option<int>("--port") { Description = "Of 127.0.0.1; default a free one", HelpName = "PORT" };
        var command = new Command("tsa", "A time-stamp authority (RFC 3161) on this machine, by its clock") { pki, port };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var folder = parsed.GetValue(pki)!;
            using var key = FileKey.Load(Path.Combine(folder, "tsa", "tsa.p12"), File.ReadLines(Path.Combine(folder, "passphrase")).First());
            using var server = DevTimeStampServer.Start(new DevTimeStamps(key), parsed.GetValue(port), shell.Clock);
            say.Say($"time-stamping at {server.Address}", null);
            say.Hint("in an office's profile.json", "trong profile.json của cơ quan", $$"""  "timestamps": { "authorities": ["{{server.Address}}"] }""");
            await server.RunAsync(cancel).ConfigureAwait(false);
            return ExchangeProgram.Good;
        });
    }

    static Command DemoCommand(Shell shell)
    {
        var gateway = new Option<string>("--gateway-program") { Description = "The exchange-gateway program", Required = true, HelpName = "PATH" };
        var pki = new Option<string>("--pki") { Description = "Folder made by dev pki", Required = true, HelpName = "DIR" };
        var work = new Option<string>("--work") { Description = "Empty folder of this run", Required = true, HelpName = "DIR" };
        var samples = new Option<string>("--samples") { Description = "Folder with a .docx and a .pdf", Required = true, HelpName = "DIR" };
        var large = new Option<string?>("--large") { Description = "A file of about 50 MB; made when none is given", HelpName = "FILE" };
        var once = new Option<bool>("--once") { Description = "Stop after the story, with its result" };
        var command = new Command("demo", "Starts a gateway and takes real dispatches through it: what ./run tells") { gateway, pki, work, samples, large, once };
        return shell.Does(command, (parsed, say, cancel) => new Demo(shell, say,
            new DemoRequest(Path.GetFullPath(parsed.GetValue(gateway)!), Path.GetFullPath(parsed.GetValue(pki)!), parsed.GetValue(work)!, parsed.GetValue(samples)!, parsed.GetValue(large), parsed.GetValue(once))).RunAsync(cancel));
    }

    static Command Channel(Shell shell)
    {
        var pki = new Option<string>("--pki") { Description = "Folder made by dev pki", Required = true, HelpName = "DIR" };
        var from = new Option<string?>("--from") { Description = "Standing in force; default the first one of the PKI", HelpName = "FILE" };
        var office = new Option<string>("--office") { Required = true, HelpName = "H41" };
        var adapter = new Option<string>("--adapter") { Description = "mailbox, https or folder", Required = true, HelpName = "NAME" };
        var settings = new Option<string[]>("--setting") { Description = "url=https://host:port for https, folder=NAME for folder", HelpName = "NAME=VALUE" };
        var target = new Option<string>("--out") { Description = "File for exchange-gateway activate", Required = true, HelpName = "FILE" };
        var command = new Command("channel", "Signs the next standing, in which one office is reached in another way") { pki, from, office, adapter, settings, target };
        return shell.Does(command, (parsed, say, _) =>
        {
            var folder = parsed.GetValue(pki)!;
            var next = DevChannel.Next(folder, File.ReadAllBytes(parsed.GetValue(from) ?? Path.Combine(folder, "statements", "standing.p7s")), parsed.GetValue(office)!, parsed.GetValue(adapter)!,
                OfficerCommands.Settings(parsed.GetValue(settings)), shell.Clock.GetUtcNow());
            DurableFile.Write(Path.GetFullPath(parsed.GetValue(target)!), next);
            say.Json(new { file = parsed.GetValue(target) });
            say.Hint("to put it in force", "để áp dụng", $"exchange-gateway activate --data DIR {parsed.GetValue(target)}");
            return Task.FromResult(ExchangeProgram.Good);
        });
    }

    static Command Pki(Shell shell)
    {
        var folder = new Option<string>("--out") { Description = "Folder to fill; made when it is not there", Required = true, HelpName = "DIR" };
        var force = new Option<bool>("--force") { Description = "Replace the development PKI that is there" };
        var command = new Command("pki", "Makes root, issuing CA, revocation lists, offices, officers, a gateway, their statements, and certificates to be refused") { folder, force };
        return shell.Does(command, (parsed, say, _) =>
        {
            var began = shell.Clock.GetTimestamp();
            var made = DevPki.Write(parsed.GetValue(folder)!, shell.Clock.GetUtcNow(), parsed.GetValue(force));
            var seconds = shell.Clock.GetElapsedTime(began).TotalSeconds;
            say.Json(new { folder = made.Folder, offices = made.Offices, hostile = made.Hostile, directory = made.Directory, policy = made.Policy, checkpointKey = made.CheckpointKey });
            say.Say(FormattableString.Invariant($"development PKI in {made.Folder} ({seconds:0.0} s)"), FormattableString.Invariant($"PKI phát triển tại {made.Folder} ({seconds:0.0} giây)"));
            say.Table([say.Text("what", "nội dung"), say.Text("where", "vị trí")],
            [
                [say.Text("root, issuing CA, revocation lists", "CA gốc, CA cấp phát, danh sách thu hồi"), "trust/, ca/"],
                [say.Text("offices: ", "cơ quan: ") + string.Join(", ", made.Offices), "offices/"],
                [say.Text("directory, cards, standing, policy", "danh bạ, thẻ khóa, thẩm quyền, chính sách"), "statements/"],
                [say.Text("gateway, officers, pins", "trục, cán bộ, ghim khóa"), "gateway/, officers/, pins.json"],
                [say.Text("time-stamp authority", "nơi cấp dấu thời gian"), "tsa/"],
                [say.Text("auditors: ", "kiểm toán viên: ") + string.Join(", ", DevAuditor.List.Select(a => a.Code)), "auditors/"],
                [say.Text("to be refused: ", "phải bị từ chối: ") + string.Join(", ", made.Hostile), "hostile/"],
            ]);
            say.Say("Nothing outside this machine may trust it; a gateway outside Development refuses its root.",
                "Không nơi nào ngoài máy này được tin cậy nó; trục không ở chế độ Development sẽ từ chối CA gốc này.");
            return Task.FromResult(ExchangeProgram.Good);
        });
    }
}
