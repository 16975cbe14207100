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
        var from = DecisionArgument();
        var reader = new Option<string>("--for") { Description = "sender: the verdict, and what his own side lacks; officer: each rule that did not permit; auditor: every rule, if his clearance covers the label", DefaultValueFactory = _ => "officer", HelpName = string.Join('|', ExplainWords.Readers) };
        var (policy, standing) = (PolicyOption(), new Option<string?>("--standing") { Description = "For an auditor: the clearances", HelpName = "FILE" });
        var cleared = new Option<string?>("--cleared-as") { Description = "For an auditor: the office there whose clearance is his", HelpName = "CODE" };
        var command = new Command("explain", "Why a dispatch was permitted, held or denied, from the decision's own trace") { from, reader.AcceptOnlyFromAmong([.. ExplainWords.Readers]), policy, standing, cleared };
        return shell.Does(command, (parsed, say, _) =>
        {
            var (who, file, office) = (parsed.GetValue(reader)!, parsed.GetValue(standing), parsed.GetValue(cleared));
            if (who == "auditor" && (file is null || office is null)) throw new UsageException("--for auditor needs --standing and --cleared-as: what may he read?", "--for auditor cần --standing và --cleared-as: được phép đọc những gì?");
            var (decision, by) = DecisionFiles.Open(parsed.GetValue(from)!, parsed.GetValue(policy)).Again();
            var clearance = who == "auditor" ? PolicyFile.Standing(file!).Offices.FirstOrDefault(o => o.Code == office)?.Clearance : null;
            var lines = ExplainWords.Of(decision, by, who, clearance, say);
            say.Json(new { reader = who, lines });
            foreach (var line in lines) say.Say(line.En, line.Vi);
            return Task.FromResult(ExchangeProgram.Good);
        });
    }

    static Argument<string> DecisionArgument() => new("DECISION") { Description = "Folder that exchange-gateway decision wrote, or a record alone" };
    static Option<string?> PolicyOption() => new("--policy") { Description = "Policy statement that decided; default policy.p7s in the folder", HelpName = "FILE" };

    static Command Replay(Shell shell)
    {
        var (from, policy) = (DecisionArgument(), PolicyOption());
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
