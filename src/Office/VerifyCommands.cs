using System.CommandLine;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Trust;
using Exchange.Office.Client;
using Exchange.Office.Client.Stories;

namespace Exchange.Office;

/// <summary>verify: offline.</summary>
static class VerifyCommands
{
    public static Command Verify(Shell shell)
    {
        var files = new Argument<string[]>("FILE") { Description = "Statements or envelopes", Arity = ArgumentArity.ZeroOrMore };
        var dispatch = new Option<string?>("--dispatch") { Description = "A folder written by receipts --export, or evidence/ of an unpacked container: then the documents beside it too", HelpName = "FOLDER" };
        var pins = new Option<string?>("--pins") { Description = "pins.json as the officers gave it; default the profile's, else the one in the folder", HelpName = "FILE" };
        var command = new Command("verify", "Checks offline and lists every finding. Exit 0 good, 1 bad, 2 incomplete. Kiểm tra ngoại tuyến.") { files, dispatch, pins };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var named = parsed.GetValue(files) ?? [];
            var folder = parsed.GetValue(dispatch);
            if (named.Length == 0 == folder is null) throw new UsageException("verify: name files, or --dispatch FOLDER", "verify: chọn tệp, hoặc --dispatch THƯMỤC");
            if (folder is null) return await FilesAsync(shell, parsed, named, say, cancel).ConfigureAwait(false);
            var given = parsed.GetValue(pins) is { } path ? EvidenceFolder.PinsOf(path) : null;
            return Dispatch(folder, given, say);
        });
    }

    static int Dispatch(string folder, Pins? pins, Output say)
    {
        var findings = DispatchEvidence.Check(EvidenceFolder.Read(folder, pins));
        say.Json(new { verdict = findings.Verdict, pins = pins is null ? "folder" : "given", findings = findings.All });
        Show(findings.All, say);
        Verdict(findings.ExitCode, findings.All.Count, say);
        if (pins is null) say.Note("the pins came with the folder: compare pins.json with what the officers gave you, or use --pins FILE",
            "khóa ghim lấy từ thư mục: hãy so pins.json với bản do cán bộ cung cấp, hoặc dùng --pins TỆP");
        return findings.ExitCode;
    }

    static async Task<int> FilesAsync(Shell shell, ParseResult parsed, string[] files, Output say, CancellationToken cancel)
    {
        // Trust and directory are the office's own; without a profile only form and signatures can be said, which is incomplete.
        var path = shell.ProfilePath(parsed);
        using var client = File.Exists(path) || Directory.Exists(path) ? shell.Client(parsed, say) : null;
        var all = new List<Finding>();
        foreach (var file in files) all.AddRange(await FileCheck.RunAsync(file, client, shell.Clock, cancel).ConfigureAwait(false));
        var worst = all.Max(f => f.Kind);
        say.Json(new { verdict = worst, findings = all });
        Show(all, say);
        var code = worst switch { FindingKind.Good => ExchangeProgram.Good, FindingKind.Bad => ExchangeProgram.Bad, _ => ExchangeProgram.Incomplete };
        Verdict(code, all.Count, say);
        return code;
    }

    internal static void Verdict(int code, int count, Output say) => say.Say(code switch
    {
        ExchangeProgram.Good => $"GOOD: {count} checks, all hold",
        ExchangeProgram.Bad => "BAD: something does not hold; see above",
        _ => "INCOMPLETE: nothing is wrong, but not everything can be said from what is here",
    }, code switch
    {
        ExchangeProgram.Good => $"TỐT: {count} mục kiểm tra, tất cả đều đúng",
        ExchangeProgram.Bad => "SAI: có nội dung không hợp lệ; xem ở trên",
        _ => "CHƯA ĐỦ: không có gì sai, nhưng chưa đủ dữ liệu để kết luận mọi điều",
    });

    internal static void Show(IEnumerable<Finding> findings, Output say) => say.Table([say.Text("finding", "kết quả"), say.Text("part", "phần"), say.Text("check", "kiểm tra"), say.Text("code", "mã"), say.Text("detail", "chi tiết")],
        findings.Select(f => new[] { Word(f.Kind, say), f.Part, say.Text(f.Check, FindingWords.Check(f).Vi), f.Code, say.Text(f.Detail, DetailWords.Vietnamese(f.Detail)) }));

    static string Word(FindingKind kind, Output say) => kind switch
    {
        FindingKind.Good => say.Text("good", "đúng"),
        FindingKind.Bad => say.Text("BAD", "SAI"),
        _ => say.Text("incomplete", "chưa đủ"),
    };
}
