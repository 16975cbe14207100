using System.CommandLine;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office.Join;

namespace Exchange.Office.Policies;

/// <summary>policy: from a draft to a policy in force, and from a decision back to its reasons. Everything is done on files, offline.</summary>
static class PolicyCommands
{
    public static Command Policy(Shell shell)
    {
        var command = new Command("policy", "For policy officers and auditors: looks at drafts, signs and activates policies, explains and replays decisions. Dành cho cán bộ chính sách và kiểm toán.");
        command.Subcommands.Add(Lint(shell));
        command.Subcommands.Add(Diff(shell));
        command.Subcommands.Add(new ProposeCommand(shell).CreatePolicy());
        command.Subcommands.Add(new ActivateCommand(shell).Create());
        command.Subcommands.Add(Explain(shell));
        command.Subcommands.Add(Replay(shell));
        return command;
    }

    static Option<string?> FolderOption() => new("--folder") { Description = "An officer's folder: its standing and directory in force are looked at too", HelpName = "DIR" };
    static Option<string?> StandingOption() => new("--standing") { Description = "Clearances and channels: which offices a change meets", HelpName = "FILE" };

    static Command Lint(Shell shell)
    {
        var file = new Argument<string>("FILE") { Description = "A draft, or a signed policy" };
        var (folder, standing) = (FolderOption(), StandingOption());
        var directory = new Option<string?>("--directory") { Description = "Directory, its cards in cards/ beside it: who has which role", HelpName = "FILE" };
        var others = new Option<string[]>("--other") { Description = "Another policy in use, which must not share an OID", HelpName = "FILE" };
        var command = new Command("lint", "What an officer should know of a policy before signing it. Exit 0: nothing found, 1: an error, 2: warnings only") { file, standing, directory, folder, others };
        return shell.Does(command, (parsed, say, _) =>
        {
            var (inForce, named) = (Given(parsed.GetValue(standing), parsed.GetValue(folder), "standing.p7s"), Given(parsed.GetValue(directory), parsed.GetValue(folder), "directory.p7s"));
            var found = PolicyLint.Run(PolicyFile.Draft(parsed.GetValue(file)!), new LintContext
            {
                Standing = inForce is null ? null : PolicyFile.Standing(inForce), Cards = named is null ? null : PolicyFile.Cards(named),
                Others = [.. (parsed.GetValue(others) ?? []).Select(PolicyFile.Draft)], Day = DateOnly.FromDateTime(shell.Clock.GetUtcNow().UtcDateTime),
            });
            say.Json(new { findings = found });
            Tell(found, say);
            return Task.FromResult(found.Any(f => f.Level == LintLevel.Error) ? ExchangeProgram.Bad : found.Count > 0 ? ExchangeProgram.Incomplete : ExchangeProgram.Good);
        });
    }

    static Command Explain(Shell shell)
    {
        var from = new Argument<string>("DECISION") { Description = "Folder that exchange-gateway decision wrote, or a record alone" };
        var reader = new Option<string>("--for") { Description = "sender: the verdict and its one code; officer, auditor: every rule", DefaultValueFactory = _ => "officer", HelpName = "sender|officer|auditor" };
        var command = new Command("explain", "Why a dispatch was permitted, held or denied, from the decision's own trace") { from, reader.AcceptOnlyFromAmong("sender", "officer", "auditor") };
        return shell.Does(command, (parsed, say, _) =>
        {
            var lines = ExplainWords.Of(DecisionFiles.RecordOf(parsed.GetValue(from)!), parsed.GetValue(reader)!, say);
            say.Json(new { reader = parsed.GetValue(reader), lines });
            foreach (var line in lines) say.Say(line.En, line.Vi);
            return Task.FromResult(ExchangeProgram.Good);
        });
    }

    static Command Replay(Shell shell)
    {
        var from = new Argument<string>("DECISION") { Description = "Folder that exchange-gateway decision wrote, or a record alone" };
        var policy = new Option<string?>("--policy") { Description = "Policy statement that decided; default policy.p7s in the folder", HelpName = "FILE" };
        var command = new Command("replay", "Decides again on the same facts by the policy of that time: the record must come out byte for byte. Exit 0: it does, 1: it does not") { from, policy };
        return shell.Does(command, (parsed, say, _) =>
        {
            var lines = DecisionFiles.Open(parsed.GetValue(from)!, parsed.GetValue(policy)).Check();
            var good = lines.All(l => l.Good);
            say.Json(new { good, checks = lines.Select(l => new { l.Good, l.En, l.Vi }) });
            foreach (var (holds, en, vi) in lines) say.Say($"{(holds ? "good  " : "WRONG ")} {en}", $"{(holds ? "đúng  " : "SAI   ")} {vi}");
            return Task.FromResult(good ? ExchangeProgram.Good : ExchangeProgram.Bad);
        });
    }

    internal static void Tell(IReadOnlyList<LintFinding> found, Output say)
    {
        foreach (var f in found) say.Say($"{(f.Level == LintLevel.Error ? "ERROR  " : "warning")} {f.Code}  {f.Place}: {f.En}", $"{(f.Level == LintLevel.Error ? "LỖI     " : "lưu ý   ")} {f.Code}  {f.Place}: {f.Vi}");
        if (found.Count == 0) say.Say("nothing found", "không phát hiện gì");
    }

    static Command Diff(Shell shell)
    {
        var old = new Argument<string>("OLD") { Description = "The policy in force, or a draft" };
        var next = new Argument<string>("NEW") { Description = "The next one, or a draft" };
        var (folder, standing) = (FolderOption(), StandingOption());
        var command = new Command("diff", "Every label, clearance and channel whose verdict changes from one policy to the next. Exit 0 in any case") { old, next, standing, folder };
        return shell.Does(command, (parsed, say, _) =>
        {
            var given = Given(parsed.GetValue(standing), parsed.GetValue(folder), "standing.p7s");
            var now = shell.Clock.GetUtcNow();
            var diff = PolicyDiff.Between(PolicyFile.Compiled(parsed.GetValue(old)!, now), PolicyFile.Compiled(parsed.GetValue(next)!, now), given is null ? null : PolicyFile.Standing(given));
            say.Json(new { diff.Ref, diff });
            foreach (var line in DiffWords.Lines(diff)) say.Say(line.En, line.Vi);
            return Task.FromResult(ExchangeProgram.Good);
        });
    }

    static string? Given(string? file, string? folder, string name) => file ?? (folder is null ? null : Path.Combine(folder, "statements", name));
}
