using System.CommandLine;
using Exchange.Crypto;
using Exchange.Office.Client;
using Exchange.Office.Join;

namespace Exchange.Office;

/// <summary>archive key, list, open, verify: what the office opened, under a key that no card names.</summary>
static class ArchiveCommands
{
    public static Command Archive(Shell shell)
    {
        var command = new Command("archive", "What this office opened, kept under its own archive key. Lưu trữ.");
        command.Subcommands.Add(Key(shell));
        command.Subcommands.Add(List(shell));
        command.Subcommands.Add(Open(shell));
        command.Subcommands.Add(Verify(shell));
        return command;
    }

    static Command Key(Shell shell)
    {
        var command = new Command("key", "Makes an archive key and names it first in the profile: everything opened from now on is archived under it. Older ones stay and open what is under them");
        return shell.Does(command, (parsed, say, _) =>
        {
            var profile = shell.Profile(parsed);
            var path = Path.GetFullPath(shell.ProfilePath(parsed));
            var file = Directory.Exists(path) ? Path.Combine(path, "profile.json") : path;
            var key = ArchiveKey.Make(file, profile.Office, profile.Passphrase(say.AskPassphrase), shell.Clock.GetUtcNow());
            say.Json(new { key = key.Key, file = key.File });
            say.Say($"archive key {key.Key}: {key.File}", $"khóa lưu trữ {key.Key}: {key.File}");
            say.Note("keep a copy of this file and of its passphrase in another place: without it nothing that is archived opens", "hãy giữ bản sao tệp này và mật khẩu ở nơi khác: thiếu nó thì không mở được tài liệu lưu trữ");
            return Task.FromResult(ExchangeProgram.Good);
        });
    }

    static Command List(Shell shell)
    {
        var command = new Command("list", "What is archived");
        return shell.Does(command, (parsed, say, _) =>
        {
            using var client = shell.Client(parsed, say);
            var items = client.Archived();
            say.Json(items);
            if (items.Count == 0) say.Say("the archive is empty", "kho lưu trữ trống");
            else say.Table(["id", say.Text("from", "nơi gửi"), say.Text("number", "số, ký hiệu"), say.Text("archived", "lưu lúc"), say.Text("size", "dung lượng")],
                items.Select(i => new[] { i.Envelope.ToString(), i.Sender, i.Number ?? "", say.Time(i.ArchivedAt), Output.Size(i.Size) }));
            if (client.Profile.Keys.Archive.Count == 0) say.Hint("nothing new is archived: the profile names no archive key; to make one", "chưa lưu trữ gì mới: hồ sơ chưa có khóa lưu trữ; để tạo", "exchange archive key");
            return Task.FromResult(ExchangeProgram.Good);
        });
    }

    static Command Open(Shell shell)
    {
        var id = new Argument<string>("ID") { Description = "Of one archived dispatch; its first characters will do" };
        var folder = new Option<string>("--out") { Description = "Folder in which it gets its own folder", Required = true, HelpName = "DIR" };
        var command = new Command("open", "Opens one by the archive key; the key that it came to is not needed, nor is the gateway") { id, folder };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            return await OpenAsideCommand.TellAsync(client, await client.OpenArchivedAsync(Find(client, parsed.GetValue(id)!), parsed.GetValue(folder)!, null, cancel).ConfigureAwait(false), say, cancel).ConfigureAwait(false);
        });
    }

    static Command Verify(Shell shell)
    {
        var id = new Argument<string?>("ID") { Description = "Of one archived dispatch; all of them otherwise", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("verify", "Checks every signature and byte, and that it opens; writes nothing. Exit 0 good, 1 bad") { id };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            var findings = new List<ArchiveFinding>();
            foreach (var item in parsed.GetValue(id) is { } prefix ? [Find(client, prefix)] : client.Archived()) findings.Add(await client.VerifyArchivedAsync(item, cancel).ConfigureAwait(false));
            var bad = findings.Where(f => f.Refusal is not null).ToList();
            say.Json(findings.Select(f => new { f.Item.Sender, f.Item.Envelope, good = f.Refusal is null, refusal = f.Refusal is null ? null : Output.Describe(f.Refusal, f.Detail) }));
            foreach (var finding in bad)
            {
                say.Say($"BAD  {finding.Item.Sender}  {finding.Item.Envelope}", $"SAI  {finding.Item.Sender}  {finding.Item.Envelope}");
                if (!say.IsJson) say.Refused(finding.Refusal!, finding.Detail);
            }
            say.Say($"{findings.Count} archived, {bad.Count} bad", $"{findings.Count} đã lưu trữ, {bad.Count} sai");
            return bad.Count == 0 ? ExchangeProgram.Good : ExchangeProgram.Bad;
        });
    }

    static ArchivedDispatch Find(OfficeClient client, string prefix) => client.Archived().Where(i => i.Envelope.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).ToList() switch
    {
        [var one] => one,
        [] => throw new RefusedException(Refusal.NotFound, prefix),
        _ => throw new UsageException($"{prefix}: more than one archived dispatch begins so", $"{prefix}: có nhiều văn bản lưu trữ bắt đầu như vậy"),
    };
}
