using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Join;

/// <summary>officer propose: one change of one office, the next policy, or the empty beginning.</summary>
sealed class ProposeCommand(Shell shell)
{
    readonly Option<string> folder = OfficerCommands.FolderOption();
    readonly Option<string?> key = OfficerCommands.KeyOption(), passphrase = Passphrase.Option();
    readonly Option<bool> yes = OfficerCommands.YesOption();
    readonly Option<string> target = new("--out") { Description = "Folder for the proposal, which then goes to the other officer", HelpName = "DIR" };
    readonly Option<string?> with = new("--with") { Description = "Key of the officer who will sign as well; needed when more than two are pinned", HelpName = "KEY" };

    readonly Option<string?> office = new("--office") { Description = "Code of the office that joins, changes or leaves", HelpName = "H41" };
    readonly Option<string?> card = new("--card") { Description = "Its card, as exchange keys take wrote it", HelpName = "FILE" };
    readonly Option<string?> vi = new("--name-vi") { Description = "Its name in Vietnamese", HelpName = "NAME" };
    readonly Option<string?> en = new("--name-en") { Description = "Its name in English", HelpName = "NAME" };
    readonly Option<string?> parent = new("--parent") { Description = "Code of the office above it", HelpName = "G22" };
    readonly Option<bool> loss = new("--loss") { Description = "You know by another way that the office lost its keys: vouch for a card that no key before signed" };
    readonly Option<bool> remove = new("--remove") { Description = "The office leaves the directory" };
    readonly Option<string?> levels = new("--levels") { Description = "What it may hold: codes of the policy's levels, comma-separated", HelpName = "thuong,mat" };
    readonly Option<string[]> categories = new("--category") { Description = "Categories it holds, of one tag set", HelpName = "OID=1,2" };
    readonly Option<string?> channel = new("--channel") { Description = "How it is reached: mailbox, https or folder; a new office: mailbox", HelpName = "NAME" };
    readonly Option<string[]> settings = new("--setting") { Description = "url=https://host:port for https, folder=NAME for folder", HelpName = "NAME=VALUE" };
    readonly Option<string?> ceiling = new("--ceiling") { Description = "Levels that may travel through the channel; a new channel: the lowest only", HelpName = "thuong" };

    readonly Option<string[]> fallbacks = new("--fallback") { Description = "How it is reached while the channel does not work; several in order: \"sftp host=… user=… ceiling=thuong\"; none: \"\"", HelpName = "CHANNEL" };

    readonly Option<string?> auditor = new("--auditor") { Description = "Code of an auditor who begins, changes or (--remove) ends; his levels by --levels and --category, his end by --until", HelpName = "AUDIT-1" };
    readonly Option<string?> certificate = new("--certificate") { Description = "The TLS client certificate that he signs in with, PEM or DER", HelpName = "FILE" };

    readonly Option<string?> policy = new("--policy") { Description = "The next policy, from a draft such as samples/policies/vietnam-state.json", HelpName = "FILE" };
    readonly Option<DateTime?> until = new("--until") { Description = "Last day of the policy, default two years from now; of an auditor, default that of the policy", HelpName = "yyyy-mm-dd" };
    readonly Option<bool> empty = new("--empty") { Description = "The first directory and standing of all, with no office yet" };

    public Command Create() => shell.Does(new Command("propose", "Shows what would change, makes the next version, and signs it as the first of two")
    {
        office, card, vi, en, parent, loss, remove, levels, categories, channel, settings, ceiling, fallbacks, auditor, certificate, policy, until, empty, folder, key, passphrase, with, target, yes,
    }, (parsed, say, _) => Task.FromResult(Run(parsed, say)));

    /// <summary>The same for a policy alone, as policy sign takes it: a draft to begin with, or a proposal that waits for the other officer.</summary>
    public Command CreatePolicy()
    {
        var from = new Argument<string>("FILE") { Description = "A draft such as samples/policies/vietnam-state.json, or the folder that the other officer made of one" };
        return shell.Does(new Command("sign", "Shows what a policy changes and signs it: first from a draft (--out), then as the second officer from that folder") { from, target, until, folder, key, passphrase, with, yes },
            (parsed, say, _) => Task.FromResult(Directory.Exists(parsed.GetValue(from))
                ? OfficerCommands.SignProposal(shell, say, parsed.GetValue(from)!, parsed.GetValue(folder)!, parsed.GetValue(key), parsed.GetValue(passphrase), parsed.GetValue(yes))
                : Run(parsed, say, parsed.GetValue(from))));
    }

    int Run(ParseResult parsed, Output say, string? draftOfPolicy = null)
    {
        if (parsed.GetValue(target) is null) throw new UsageException("--out: into which folder?", "--out: vào thư mục nào?");
        var draftPolicy = draftOfPolicy ?? parsed.GetValue(policy);
        var known = OfficerFolder.Open(parsed.GetValue(folder)!);
        var now = shell.Clock.GetUtcNow();
        var to = Path.GetFullPath(parsed.GetValue(target)!);
        if (Directory.Exists(to) && Directory.EnumerateFileSystemEntries(to).Any()) throw new UsageException($"--out: {to} is not empty", $"--out: {to} không trống");
        if (new[] { parsed.GetValue(office) is not null, parsed.GetValue(auditor) is not null, draftPolicy is not null, parsed.GetValue(empty) }.Count(asked => asked) != 1)
            throw new UsageException("one of --office, --auditor, --policy, --empty", "một trong --office, --auditor, --policy, --empty");
        var newCard = parsed.GetValue(card) is { } file ? Statement.Read(File.ReadAllBytes(file), StatementType.Card) : null;

        // Signed before it is shown, so that what is shown is what was signed; nothing leaves before the answer.
        using var signer = OfficerCommands.Load(parsed.GetValue(key), parsed.GetValue(folder)!, parsed.GetValue(passphrase), say);
        IReadOnlyList<Digest> Two(IReadOnlyList<Digest> pinned) => Signers(pinned, signer.Certificate.Key, parsed.GetValue(with));
        List<PartlySigned> statements = [];
        if (draftPolicy is { } draft) statements.Add(PartlySigned.Begin(Policy(parsed, draft, known, Two(known.PolicyOfficers), now), signer, now));
        if (Directory_(parsed, known, newCard, Two, now) is { } directory) statements.Add(PartlySigned.Begin(directory, signer, now));
        if (Standing(parsed, known, Two, now) is { } standing) statements.Add(PartlySigned.Begin(standing, signer, now));
        if (statements.Count == 0) throw new UsageException("nothing would change: say --card, --name-vi, --levels, --channel …", "không có gì thay đổi: hãy dùng --card, --name-vi, --levels, --channel …");

        var proposal = new Proposal(statements, newCard is null ? [] : [newCard]);
        proposal.Demand(known);
        if (!OfficerCommands.Agrees(proposal, known, parsed.GetValue(yes), say, now)) return ExchangeProgram.Incomplete;
        proposal.Write(to);
        say.Hint("one signature of two; the other officer now says", "đã có một trong hai chữ ký; cán bộ kia chạy", $"exchange officer sign {parsed.GetValue(target)} --folder DIR");
        return ExchangeProgram.Good;
    }

    PolicyStatement Policy(ParseResult parsed, string draft, OfficerFolder known, IReadOnlyList<Digest> signers, DateTimeOffset now)
    {
        var last = parsed.GetValue(until) is { } day ? new DateTimeOffset(day, TimeSpan.Zero).AddDays(1) : now.AddYears(2);
        return PolicyDraft.ToStatement(File.ReadAllBytes(draft), signers, (known.Policy?.Version ?? 0) + 1, now, last);
    }

    DirectoryStatement? Directory_(ParseResult parsed, OfficerFolder known, Statement? newCard, Func<IReadOnlyList<Digest>, IReadOnlyList<Digest>> two, DateTimeOffset now)
    {
        if (parsed.GetValue(empty)) return NextStatements.EmptyDirectory(two(known.DirectoryOfficers), now);
        if (parsed.GetValue(office) is not { } code) return null;
        var (nameVi, nameEn) = (parsed.GetValue(vi), parsed.GetValue(en));
        if (nameVi is null != nameEn is null) throw new UsageException("--name-vi and --name-en: both", "--name-vi và --name-en: cả hai");
        if (newCard is null && nameVi is null && parsed.GetValue(parent) is null && !parsed.GetValue(remove)) return null;
        var change = new DirectoryChange(code, newCard, nameVi is null ? null : new OfficeName(nameVi, nameEn!), parsed.GetValue(parent), parsed.GetValue(remove), parsed.GetValue(loss));
        return NextStatements.Directory(known.Directory, known.DirectoryRef, known.CardOf, change, two(known.DirectoryOfficers), now);
    }

    StandingStatement? Standing(ParseResult parsed, OfficerFolder known, Func<IReadOnlyList<Digest>, IReadOnlyList<Digest>> two, DateTimeOffset now)
    {
        if (parsed.GetValue(empty)) return NextStatements.EmptyStanding(two(known.DirectoryOfficers), now);
        if (parsed.GetValue(auditor) is { } reader)
            return NextStatements.Auditor(known.Standing, known.Policy, new(reader, parsed.GetValue(certificate) is { } file ? KeyOf(file) : null, List(parsed.GetValue(levels)), Categories(parsed.GetValue(categories)),
                parsed.GetValue(until) is { } day ? new DateTimeOffset(day, TimeSpan.Zero).AddDays(1) : null, parsed.GetValue(remove)), two(known.DirectoryOfficers), now);
        if (parsed.GetValue(office) is not { } code) return null;
        var change = new StandingChange(code, parsed.GetValue(channel), OfficerCommands.Settings(parsed.GetValue(settings)), List(parsed.GetValue(levels)), List(parsed.GetValue(ceiling)), Categories(parsed.GetValue(categories)))
        {
            Fallbacks = parsed.GetValue(fallbacks) is { Length: > 0 } given ? [.. given.Where(f => f.Length > 0).Select(FallbackChannel.Parse)] : null,
        };
        return change.IsNone ? null : NextStatements.Standing(known.Standing, known.Policy, change, two(known.DirectoryOfficers), now);
    }

    /// <summary>This officer and the other one, in the order in which they are pinned.</summary>
    internal static IReadOnlyList<Digest> Signers(IReadOnlyList<Digest> pinned, Digest own, string? with)
    {
        if (!pinned.Contains(own)) throw new RefusedException(Refusal.Officers, "this key is not pinned in pins.json");
        if (with is null && pinned.Count != 2) throw new UsageException($"--with: {pinned.Count} officers are pinned; say who will sign as well", $"--with: có {pinned.Count} cán bộ được ghim; hãy nêu người ký cùng");
        var other = with is null ? pinned.First(p => p != own) : Digest.TryParse(with, out var given) && pinned.Contains(given) && given != own ? given
            : throw new UsageException($"--with: {with} is not another pinned officer", $"--with: {with} không phải cán bộ khác được ghim");
        return [.. pinned.Where(p => p == own || p == other)];
    }

    static Dictionary<string, int[]>? Categories(string[]? given)
    {
        if (given is not { Length: > 0 }) return null;
        try { return given.Select(g => g.Split('=', 2)).ToDictionary(g => g[0], g => g[1].Split(',').Select(v => int.Parse(v, CultureInfo.InvariantCulture)).ToArray()); }
        catch (Exception e) when (e is FormatException or OverflowException or IndexOutOfRangeException or ArgumentException) { throw new UsageException("--category: OID=1,2", "--category: OID=1,2"); }
    }

    static Digest KeyOf(string file)
    {
        if (!File.Exists(file)) throw new UsageException($"--certificate: there is no file {file}", $"--certificate: không có tệp {file}");
        var bytes = File.ReadAllBytes(file);
        // Either form; anything else is refused as what it is not.
        try { return new Certificate(PemEncoding.TryFindUtf8(bytes, out var pem) ? Convert.FromBase64String(System.Text.Encoding.ASCII.GetString(bytes[pem.Base64Data])) : bytes).Key; }
        catch (FormatException) { throw new UsageException($"--certificate: {file} is no certificate", $"--certificate: {file} không phải chứng thư"); }
    }

    static string[]? List(string? given) => given?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
