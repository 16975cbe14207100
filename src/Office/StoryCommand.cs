using System.CommandLine;
using Exchange.Crypto.Evidence;
using Exchange.Office.Client.Stories;

namespace Exchange.Office;

/// <summary>audit story: what became of one dispatch, from its evidence file alone.</summary>
static class StoryCommand
{
    public static Command Create(Shell shell)
    {
        var file = new Argument<string>("FILE") { Description = "An evidence file that receipts --export wrote, or a folder with the same. Tệp chứng cứ hoặc thư mục" };
        var pins = new Option<string?>("--pins") { Description = "pins.json as the officers gave it; without it those in the file are used, which are what its maker says. Tệp khóa ghim do cán bộ cung cấp", HelpName = "FILE" };
        var policy = AuditCommands.PolicyOption();
        var html = new Option<string?>("--html") { Description = "Write your own report, by your own pins, into a new file. Ghi báo cáo của chính bạn", HelpName = "FILE" };
        var command = new Command("story", "Who signed a dispatch, what was permitted and why, where it went, who opened it, where it stands in the ledger. Chuyện của một văn bản, từ tệp chứng cứ.") { file, pins, policy, html };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var (from, given, to) = (parsed.GetValue(file)!, parsed.GetValue(pins), parsed.GetValue(html));
            if (!Path.Exists(from)) throw new UsageException($"story: there is no file {from}", $"story: không có tệp {from}");
            if (given is null && parsed.GetValue(policy) is not null) throw new UsageException("--policy goes with --pins", "--policy đi kèm --pins");
            if (to is not null && Path.Exists(to)) throw new UsageException($"--html: {to} is there already", $"--html: đã có {to}");
            // The sender's own, however they were named, are not from elsewhere.
            if (given is not null && Directory.Exists(from) && !Path.GetRelativePath(from, given).StartsWith("..", StringComparison.Ordinal))
                throw new UsageException("--pins: these lie in the evidence, so they are what its maker says; give those that the officers gave you", "--pins: khóa ghim này nằm trong chính chứng cứ; hãy dùng bản do cán bộ cung cấp");
            var story = EvidenceFile.Tell(from, given is null ? null : EvidenceFolder.PinsFileOf(given), given is null ? null : AuditCommands.PinsOf(given, parsed.GetValue(policy)));
            if (to is not null) await DurableFile.WriteAsync(to, StoryReport.Write(story, own: given is not null), replace: false, cancel).ConfigureAwait(false);
            say.Json(Describe(story, given is not null));
            Show(story, say);
            if (given is null) say.Note("the pins came with the file, so this is what its maker says: use --pins FILE with those that the officers gave you", "khóa ghim lấy từ chính tệp nên đây chỉ là lời của người lập tệp: dùng --pins TỆP do cán bộ cung cấp");
            return story.ExitCode;
        });
    }

    static void Show(Story story, Output say)
    {
        foreach (var section in story.Sections)
        {
            say.Say(section.Title.En, section.Title.Vi);
            foreach (var line in section.Lines) say.Say(Line(line, t => t.En), Line(line, t => t.Vi));
            say.Say("", null);
        }
        say.Table([say.Text("finding", "kết quả"), say.Text("part", "phần"), say.Text("check", "kiểm tra"), say.Text("why", "lý do")], story.Findings.Select(f => new[]
        {
            In(FindingWords.Kind(f.Kind), say), Output.Visible(f.Part), Output.Visible(In(FindingWords.Check(f), say)), In(FindingWords.Reason(f), say),
        }));
        var verdict = StoryReport.Verdict(story);
        say.Say(verdict.En, verdict.Vi);
    }

    static string Line(StoryLine line, Func<Told, string> word)
    {
        var kind = line.Kind == FindingKind.Good ? "" : $"  [{word(FindingWords.Kind(line.Kind))}]";
        return $"  {(line.Time is { } time ? Told.Time(time) + "  " : "")}{Told.Plain(word(line.Text))}{kind}";
    }

    static string In(Told told, Output say) => Told.Plain(say.Text(told.En, told.Vi));

    static object Describe(Story story, bool given) => new
    {
        verdict = story.Verdict, pins = given ? "given" : "file",
        story = story.Sections.Select(s => new { title = Both(s.Title), lines = s.Lines.Select(l => new { l.Kind, l.Part, l.Time, text = Both(l.Text) }) }),
        findings = story.Findings.Select(f => new { f.Kind, f.Part, f.Check, f.Code, f.Detail, asked = Both(FindingWords.Check(f)), why = Both(FindingWords.Reason(f)) }),
    };

    static object Both(Told told) => new { en = Told.Plain(told.En), vi = Told.Plain(told.Vi) };
}
