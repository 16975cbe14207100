using System.CommandLine;
using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>audit search, export, watch: what an auditor asks of a running gateway, and checks before he believes it.</summary>
static class AuditOnlineCommands
{
    static Option<string> AuditorOption() => new("--auditor")
    {
        Description = "auditor.json or its folder: gateway, key, trust, pins, state. Hồ sơ kiểm toán viên", HelpName = "FILE", DefaultValueFactory = _ => AuditorProfile.FileName,
    };

    public static Command Search(Shell shell)
    {
        var auditor = AuditorOption();
        Option<string?> Filter(string name, string en, string help) => new("--" + name) { Description = en, HelpName = help };
        Option<string?>[] filters =
        [
            Filter("kind", "Word of the kind of entry, such as submission, rejection, consignment. Loại mục", "KIND"), Filter("office", "Sender, or whose copy it is. Cơ quan gửi hoặc nhận", "H41"),
            Filter("dispatch", "Id of a dispatch. Mã văn bản", "ID"), Filter("verdict", "permit, hold or deny. Quyết định", "WORD"), Filter("level", "Code of a level within your clearance. Độ mật", "mat"),
            Filter("certificate", "Key of a certificate that the entry names. Khóa chứng thư", "KEY"),
        ];
        Option<DateTimeOffset?> since = new("--from") { Description = "From this time on. Từ lúc", HelpName = "TIME" }, until = new("--to") { Description = "Before this time. Trước lúc", HelpName = "TIME" };
        Option<int> most = new("--most") { Description = "At most so many. Số mục tối đa", HelpName = "N", DefaultValueFactory = _ => 1000 };
        Option<bool> csv = new("--csv") { Description = "Comma-separated, one line an entry. Dạng CSV" };
        Option<string?> proofs = new("--proofs") { Description = "Also writes each to this folder as INDEX.tlog-proof, for exchange audit proof. Thư mục ghi bằng chứng của từng mục", HelpName = "DIR" };
        var command = new Command("search", "Entries of a running gateway that you are cleared for, each proven to be in its ledger. Tìm trong sổ của trục.") { auditor, since, until, most, csv, proofs };
        foreach (var filter in filters) command.Options.Add(filter);
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            if (parsed.GetValue(most) < 1) throw new UsageException("--most: 1 or more", "--most: từ 1 trở lên");
            if (parsed.GetValue(filters[0]) is { } kind && !EntryKinds.TryParse(kind, out _))
                throw new UsageException($"--kind {kind}: one of {string.Join(", ", EntryKinds.Words)}", $"--kind {kind}: một trong {string.Join(", ", EntryKinds.Words)}");
            if (parsed.GetValue(filters[3]) is not (null or "permit" or "hold" or "deny")) throw new UsageException("--verdict: permit, hold or deny", "--verdict: permit, hold hoặc deny");
            List<string> asked = [.. filters.Where(f => parsed.GetValue(f) is not null).Select(f => $"{f.Name[2..]}={Uri.EscapeDataString(parsed.GetValue(f)!)}")];
            foreach (var (name, option) in new[] { ("from", since), ("to", until) })
                if (parsed.GetValue(option) is { } time) asked.Add(string.Create(CultureInfo.InvariantCulture, $"{name}={time.ToUnixTimeMilliseconds()}"));
            var profile = AuditorProfile.Load(parsed.GetValue(auditor)!);
            using var connection = new AuditorConnection(profile, say.AskPassphrase, shell.Clock);
            List<ProvenEntry> found = [];
            var isCsv = parsed.GetValue(csv) && !say.IsJson;
            if (parsed.GetValue(proofs) is { } folder) DurableFile.CreateFolder(folder);
            if (isCsv) shell.Output.WriteLine("index,time,kind,level,leaf,detail");
            await foreach (var entry in new AuditSearch(new AuditApi(connection.Api), AuditCommands.PinsOf(profile.Pins, null)).FindAsync(asked, parsed.GetValue(most), cancel).ConfigureAwait(false))
            {
                if (parsed.GetValue(proofs) is { } place) DurableFile.Write(Path.Combine(place, string.Create(CultureInfo.InvariantCulture, $"{entry.Index}.tlog-proof")), Encoding.UTF8.GetBytes(entry.Proof.Write()));
                if (isCsv) shell.Output.WriteLine(Csv(entry));
                else found.Add(entry);
            }
            say.Json(new { entries = found });
            if (isCsv) return ExchangeProgram.Good;
            say.Table([say.Text("entry", "mục"), say.Text("time", "thời gian"), say.Text("kind", "loại"), say.Text("says", "nội dung")],
                found.Select(e => new[] { e.Index.ToString(CultureInfo.InvariantCulture), say.Time(e.Time), e.Kind, Output.Visible(e.Detail ?? say.Text("erased", "đã xóa")) }));
            say.Say(string.Create(CultureInfo.InvariantCulture, $"{found.Count} entries, each proven"), string.Create(CultureInfo.InvariantCulture, $"{found.Count} mục, đều có bằng chứng"));
            return ExchangeProgram.Good;
        });
    }

    // RFC 4180.
    static string Csv(ProvenEntry entry) => string.Join(',', new[]
    {
        entry.Index.ToString(CultureInfo.InvariantCulture), DateTimeOffset.FromUnixTimeMilliseconds(entry.Time).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture), entry.Kind,
        entry.Level?.ToString(CultureInfo.InvariantCulture) ?? "", entry.Leaf.ToString(), entry.Detail is null ? "" : $"\"{entry.Detail.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
    });

    public static Command Export(Shell shell)
    {
        var auditor = AuditorOption();
        var folder = new Argument<string>("DIR") { Description = "Folder to fill: empty, or an export that broke off. Thư mục xuất ra" };
        var shard = AuditCommands.ShardOption();
        var command = new Command("export", "Writes a running gateway's ledger as files, and checks them. Xuất sổ của trục ra tệp và kiểm tra.") { folder, auditor, shard };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var root = Path.GetFullPath(parsed.GetValue(folder)!);
            if (!AuditExport.IsFree(root)) throw new UsageException($"export: {root} is neither empty nor an export that broke off", $"export: {root} không trống và không phải bản xuất dở dang");
            var profile = AuditorProfile.Load(parsed.GetValue(auditor)!);
            var pins = AuditCommands.PinsOf(profile.Pins, null) with { Shard = parsed.GetValue(shard), TimeStamps = new CertificateCheck(TrustStore.Load(profile.Trust)) };
            using (var connection = new AuditorConnection(profile, say.AskPassphrase, shell.Clock))
            {
                var head = await new AuditExport(new AuditApi(connection.Api), pins, root).RunAsync(new AuditCommands.Millions(say), cancel).ConfigureAwait(false);
                say.Note(string.Create(CultureInfo.InvariantCulture, $"{head.Size} entries in {root}; checking"), string.Create(CultureInfo.InvariantCulture, $"{head.Size} mục trong {root}; đang kiểm tra"));
            }
            var findings = await Task.Run(() => LedgerCheck.Check(new LedgerFolder(root), pins, new AuditCommands.Millions(say), Math.Max(2, Environment.ProcessorCount), cancel), cancel).ConfigureAwait(false);
            return AuditCommands.Answer(findings, pins, say);
        });
    }

    public static Command Watch(Shell shell)
    {
        var profiles = new Argument<string[]>("AUDITOR") { Description = "auditor.json of each gateway to follow. Hồ sơ của từng trục", Arity = ArgumentArity.OneOrMore };
        Option<int> silence = new("--silence") { Description = "Minutes without a newer head after which it is an alarm. Số phút im lặng", HelpName = "MINUTES", DefaultValueFactory = _ => 15 };
        Option<int> every = new("--every") { Description = "Seconds between two looks. Số giây giữa hai lần xem", HelpName = "SECONDS", DefaultValueFactory = _ => 30 };
        Option<bool> once = new("--once") { Description = "One look, for cron. Chỉ xem một lần" };
        var command = new Command("watch", "Follows ledgers from outside: a fork, a head that goes back and silence are alarms, exit 1. Theo dõi sổ từ bên ngoài.") { profiles, silence, every, once };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var patience = TimeSpan.FromMinutes(parsed.GetValue(silence));
            if (patience <= TimeSpan.Zero || parsed.GetValue(every) < 1) throw new UsageException("--silence and --every: 1 or more", "--silence và --every: từ 1 trở lên");
            var connections = new List<AuditorConnection>();
            try
            {
                List<(string Name, AuditWatch Watch)> watched = [];
                foreach (var profile in parsed.GetValue(profiles)!.Select(AuditorProfile.Load))
                {
                    connections.Add(new AuditorConnection(profile, say.AskPassphrase, shell.Clock));
                    var pins = AuditCommands.PinsOf(profile.Pins, null);
                    watched.Add((pins.Origin, new AuditWatch(new AuditApi(connections[^1].Api), pins, new OfficeFiles(profile.State), shell.Clock)));
                }
                for (; ; )
                {
                    var looks = new List<(string Name, Watched Found)>();
                    foreach (var (name, watch) in watched) looks.Add((name, await watch.LookAsync(patience, cancel).ConfigureAwait(false)));
                    foreach (var (name, found) in looks) Tell(name, found, say);
                    say.Json(looks.Select(l => new { ledger = l.Name, verdict = l.Found.Verdict.ToString().ToLowerInvariant(), l.Found.Size, l.Found.Detail }));
                    // A fork is no matter of waiting; the others may end by themselves.
                    if (parsed.GetValue(once) || looks.Any(l => l.Found.Verdict == WatchVerdict.Fork)) return looks.Any(l => l.Found.IsAlarm) ? ExchangeProgram.Bad : ExchangeProgram.Good;
                    await Task.Delay(TimeSpan.FromSeconds(parsed.GetValue(every)), shell.Clock, cancel).ConfigureAwait(false);
                }
            }
            finally { connections.ForEach(c => c.Dispose()); }
        });
    }

    static void Tell(string name, Watched found, Output say)
    {
        var (en, vi) = found.Verdict switch
        {
            WatchVerdict.Grown => ("good", "tốt"),
            WatchVerdict.Quiet => ("quiet", "yên lặng"),
            WatchVerdict.NextYear => ("the year ended, and this is the next one", "năm cũ đã kết thúc, đây là sổ năm mới"),
            WatchVerdict.Silent => ("ALARM silence", "BÁO ĐỘNG im lặng"),
            WatchVerdict.Succeeded => ("ALARM another ledger follows", "BÁO ĐỘNG sổ khác tiếp nối"),
            WatchVerdict.Back => ("ALARM it went back", "BÁO ĐỘNG sổ lùi lại"),
            _ => ("ALARM FORK: two ledgers under one name", "BÁO ĐỘNG PHÂN NHÁNH: hai sổ cùng một tên"),
        };
        var tail = string.Create(CultureInfo.InvariantCulture, $"{found.Size}{(found.Detail.Length == 0 ? "" : "; ")}{Output.Visible(found.Detail)}");
        say.Say($"{name}: {en}, {tail}", $"{name}: {vi}, {tail}");
    }
}
