using System.CommandLine;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office.Join;

namespace Exchange.Office.Policies;

/// <summary>policy activate: each of two officers sees what changes against what is in force, and signs that he has. The gateway makes the same diff again before it believes them.</summary>
sealed class ActivateCommand(Shell shell)
{
    public const string FileName = "activation.p7s";

    readonly Argument<string> from = new("PROPOSAL") { Description = "Folder with the signed policy" };
    readonly Option<string> folder = OfficerCommands.FolderOption();
    readonly Option<string?> key = OfficerCommands.KeyOption(), passphrase = Passphrase.Option();
    readonly Option<bool> yes = OfficerCommands.YesOption();
    readonly Option<string?> with = new("--with") { Description = "Key of the officer who will approve as well; needed when more than two are pinned", HelpName = "KEY" };
    readonly Option<int> days = new("--days") { Description = "For how many days the approval holds", DefaultValueFactory = _ => 7 };

    public Command Create() => shell.Does(new Command("activate", "Shows what a signed policy changes and signs that it may come into force; both officers, then the gateway") { from, folder, key, passphrase, with, days, yes },
        (parsed, say, _) => Task.FromResult(Run(parsed, say)));

    int Run(ParseResult parsed, Output say)
    {
        // 1. The policy, judged as the gateway will, and what it changes as this officer's own folder says.
        var known = OfficerFolder.Open(parsed.GetValue(folder)!);
        var (at, now) = (Path.GetFullPath(parsed.GetValue(from)!), shell.Clock.GetUtcNow());
        var policy = CompiledPolicy.Open(PolicyFile.Bytes(Path.Combine(at, OfficerFolder.FileOf(StatementType.Policy))), [.. known.PolicyOfficers], known.Trust, now);
        var diff = PolicyWords.Diff(policy.Content, known)
            ?? throw new UsageException("no policy before this one is known here: the first one goes into exchange-gateway init", "tại đây chưa biết chính sách nào trước đó: chính sách đầu tiên nộp qua exchange-gateway init");

        // 2. The other officer's approval, when it is of the same; else a new one begins.
        var file = Path.Combine(at, FileName);
        var begun = File.Exists(file) ? PartlySigned.Read(File.ReadAllBytes(file), StatementType.Activation) : null;
        if (begun is not null && !(begun.As<ActivationApproval>().Names(diff) && begun.As<ActivationApproval>().NotAfter > now.ToUnixTimeMilliseconds()))
        {
            say.Note("the approval that lies there is of something else or has lapsed; a new one begins", "phê duyệt có sẵn là của nội dung khác hoặc đã hết hạn; bắt đầu phê duyệt mới");
            begun = null;
        }
        if (begun is { Missing.Count: 0 }) return Complete(say, parsed.GetValue(from)!);

        // 3. Seen, and signed.
        using var signer = OfficerCommands.Load(parsed.GetValue(key), parsed.GetValue(folder)!, parsed.GetValue(passphrase), say);
        var lines = PolicyWords.Of(policy.Content, known);
        say.Json(new { diff.Ref, changes = lines });
        foreach (var line in lines) say.Say(line.En, line.Vi);
        if (!OfficerCommands.Yes(parsed.GetValue(yes), say)) return ExchangeProgram.Incomplete;
        if (begun is not null && !begun.Missing.Contains(signer.Certificate.Key)) throw new RefusedException(Refusal.Officers, "this key is not asked to approve, or has approved");
        var next = begun is not null ? begun.Add(signer, now) : PartlySigned.Begin(ActivationApproval.Of(diff, ProposeCommand.Signers(known.PolicyOfficers, signer.Certificate.Key, parsed.GetValue(with)), now.AddDays(parsed.GetValue(days))), signer, now);
        if (next.Missing.Count == 0) ActivationApproval.Open(next.Der, diff, [.. known.PolicyOfficers], known.Trust, now);
        DurableFile.Write(file, next.Der.Span);
        if (next.Missing.Count == 0) return Complete(say, parsed.GetValue(from)!);
        say.Hint("one approval of two; the other officer now says", "đã có một trong hai phê duyệt; cán bộ kia chạy", $"exchange policy activate {parsed.GetValue(from)} --folder DIR");
        return ExchangeProgram.Good;
    }

    static int Complete(Output say, string proposal)
    {
        say.Say("approved by two", "đã có hai phê duyệt");
        say.Hint("at the gateway", "tại trục", $"exchange-gateway activate --data DIR {proposal}/*.p7s");
        return ExchangeProgram.Good;
    }
}
