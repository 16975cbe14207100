using System.CommandLine;
using Exchange.Crypto;
using Exchange.Crypto.Keys;

namespace Exchange.Office.Join;

/// <summary>officer propose, officer sign: two persons, each on a machine of his own, see what would change and sign the same bytes.</summary>
static class OfficerCommands
{
    public static Command Officer(Shell shell)
    {
        var command = new Command("officer", "For directory and policy officers: proposes and signs directory, standing and policy. Dành cho cán bộ danh bạ và chính sách.");
        command.Subcommands.Add(new ProposeCommand(shell).Create());
        command.Subcommands.Add(Sign(shell));
        command.Subcommands.Add(OperateCommand.Create(shell));
        return command;
    }

    internal static Option<string> FolderOption() => new("--folder") { Description = "The officer's own folder: pins.json, trust/, statements/", DefaultValueFactory = _ => ".", HelpName = "DIR" };
    internal static Option<string?> KeyOption() => new("--key") { Description = "PKCS#12 file; default officer.p12 in the folder", HelpName = "FILE" };
    internal static Option<bool> YesOption() => new("--yes") { Description = "Signs without asking: whoever gives it has read what changes" };

    static Command Sign(Shell shell)
    {
        var (folder, key, yes, passphrase) = (FolderOption(), KeyOption(), YesOption(), Passphrase.Option());
        var from = new Argument<string>("PROPOSAL") { Description = "Folder made by officer propose" };
        var command = new Command("sign", "Shows what would change, adds this officer's signature, and keeps it as in force when it is complete; again is harmless") { from, folder, key, passphrase, yes };
        return shell.Does(command, (parsed, say, _) => Task.FromResult(SignProposal(shell, say, parsed.GetValue(from)!, parsed.GetValue(folder)!, parsed.GetValue(key), parsed.GetValue(passphrase), parsed.GetValue(yes))));
    }

    internal static int SignProposal(Shell shell, Output say, string from, string folder, string? key, string? passphrase, bool yes)
    {
        var known = OfficerFolder.Open(folder);
        var now = shell.Clock.GetUtcNow();
        var proposal = Proposal.Read(from);
        proposal.Demand(known);
        if (!proposal.IsComplete)
        {
            using var signer = Load(key, folder, passphrase, say);
            if (!proposal.Statements.Any(s => s.Missing.Contains(signer.Certificate.Key))) throw new RefusedException(Refusal.Officers, "this key is not asked to sign, or has signed");
            if (!Agrees(proposal, known, yes, say, now)) return ExchangeProgram.Incomplete;
            proposal = proposal.Sign(signer, now);
        }
        else Tell(proposal, known, say, now);
        // Judged as the gateway will before anybody gets it.
        if (proposal.IsComplete) known.Keep(proposal.Complete(), proposal.Cards, now);
        proposal.Write(Path.GetFullPath(from));
        if (!proposal.IsComplete) return ExchangeProgram.Good;
        say.Say("complete, and kept here as in force", "đã đủ chữ ký, và lưu tại đây như bản có hiệu lực");
        // The first policy of all goes into init; any other needs an approval of what it changes.
        if (proposal.Statements.Any(s => s.Type == Crypto.Statements.StatementType.Policy) && known.Policy is not null)
            say.Hint("then both officers approve its activation", "sau đó hai cán bộ phê duyệt đưa vào hiệu lực", $"exchange policy activate {from} --folder DIR");
        else say.Hint("at the gateway; the other officer keeps it with exchange officer sign", "tại trục; cán bộ kia lưu bằng exchange officer sign", $"exchange-gateway activate --data DIR {from}/*.p7s");
        return ExchangeProgram.Good;
    }

    internal static bool Agrees(Proposal proposal, OfficerFolder known, bool yes, Output say, DateTimeOffset now)
    {
        Tell(proposal, known, say, now);
        return Yes(yes, say);
    }

    /// <summary>Whoever was shown the lines above agrees.</summary>
    internal static bool Yes(bool given, Output say)
    {
        if (given) return true;
        if (!say.IsInteractive) throw new UsageException("nobody sits here to agree: read the lines above, then repeat with --yes", "không có người xác nhận: đọc các dòng trên, rồi chạy lại với --yes");
        return say.Ask("Sign this? Type yes", "Ký nội dung này? Gõ yes") == "yes";
    }

    static void Tell(Proposal proposal, OfficerFolder known, Output say, DateTimeOffset now)
    {
        var lines = new ProposalWords(known, proposal, say, now).Lines();
        say.Json(new { changes = lines });
        foreach (var line in lines) say.Say(line.En, line.Vi);
    }

    internal static FileKey Load(string? file, string folder, string? passphraseFile, Output say) => FileKey.Load(file ?? Path.Combine(folder, "officer.p12"), Passphrase.Get(passphraseFile, say));

    internal static IReadOnlyDictionary<string, string> Settings(string[]? given)
    {
        var pairs = (given ?? []).Select(s => s.Split('=', 2)).ToList();
        if (pairs.Any(p => p.Length != 2)) throw new UsageException("--setting: NAME=VALUE", "--setting: TÊN=GIÁ-TRỊ");
        return pairs.ToDictionary(p => p[0], p => p[1]);
    }
}
