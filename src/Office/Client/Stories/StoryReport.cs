using System.Security;
using System.Security.Cryptography;
using System.Text;
using Exchange.Crypto.Evidence;

namespace Exchange.Office.Client.Stories;

/// <summary>
/// A story as one page that needs nothing else and runs nothing: no script, no link, no picture, one style that its policy names by digest. Vietnamese first, then English. Its bytes follow from the story
/// alone, without clock, place or language of a machine, so that a verifier can write it again and compare. Whoever changes what is written here, or the words of findings, gives it the next
/// number in <see cref="Form"/>: an older report is then nobody's fault. A kept evidence file in the tests fails until he does.
/// </summary>
static class StoryReport
{
    const string Before = "<!DOCTYPE html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"generator\" content=\"exchange report-", Form = "2", After = "\">\n";
    const string Style = "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111;background:#fff}h1{font-size:1.5em}h2{font-size:1.15em;margin:1.6em 0 .3em}"
        + "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25em .6em;border-bottom:1px solid #ccc}td{overflow-wrap:anywhere}.good{color:#0a5c1f}.bad{color:#fff;background:#a40000;font-weight:bold}"
        + ".open{color:#7a4b00}.t{white-space:nowrap}section+section{margin-top:4em;border-top:3px solid #111}";

    /// <param name="own">Made by whoever checks, with his own pins: for him alone, and nobody compares it.</param>
    public static byte[] Write(Story story, bool own = false)
    {
        var note = own ? new Told("This page was made by whoever checked the evidence, with pins that he gave.", "Trang này do người kiểm tra lập, với khóa ghim do người đó cung cấp.")
            : new("This page was made from the evidence with the pins that lie in the same file; by itself it proves nothing. Check it: exchange audit story FILE --pins pins.json",
                "Trang này được lập từ tệp chứng cứ với khóa ghim nằm trong chính tệp đó; tự nó không chứng minh gì. Hãy kiểm tra: exchange audit story TỆP --pins pins.json");
        var page = new StringBuilder(Before + Form + After);
        page.Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-").Append(Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style))))
            .Append("'; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>Chứng cứ của một văn bản · Evidence of a dispatch</title>\n<style>").Append(Style).Append("</style>\n</head>\n<body>\n");
        Section(page, story, "vi", t => t.Vi, note);
        Section(page, story, "en", t => t.En, note);
        return Encoding.UTF8.GetBytes(page.Append("</body>\n</html>\n").ToString());
    }

    /// <summary>Whether these bytes claim to be a report in the form of this version; null: in another one.</summary>
    public static bool? IsOurs(ReadOnlySpan<byte> page)
    {
        if (page.StartsWith(Encoding.UTF8.GetBytes(Before + Form + After))) return true;
        var number = page.StartsWith(Encoding.UTF8.GetBytes(Before)) ? page[Before.Length..] : [];
        var digits = 0;
        while (digits < number.Length && digits < 9 && number[digits] is >= (byte)'0' and <= (byte)'9') digits++;
        return digits > 0 && number[digits..].StartsWith(Encoding.UTF8.GetBytes(After)) ? null : false;
    }

    static void Section(StringBuilder page, Story story, string language, Func<Told, string> word, Told note)
    {
        page.Append("<section lang=\"").Append(language).Append("\">\n<h1>").Append(Encoded(word(new("Evidence of a dispatch", "Chứng cứ của một văn bản")))).Append("</h1>\n<p>").Append(Encoded(word(note))).Append("</p>\n<p class=\"").Append(Class(story.Verdict)).Append("\">")
            .Append(Encoded(word(Verdict(story)))).Append("</p>\n");
        foreach (var section in story.Sections)
        {
            page.Append("<h2>").Append(Encoded(word(section.Title))).Append("</h2>\n<table>\n");
            foreach (var line in section.Lines)
                Row(page, line.Kind, word, line.Time is { } time ? Told.Time(time) : null, word(line.Text));
            page.Append("</table>\n");
        }
        page.Append("<h2>").Append(Encoded(word(new("Findings", "Kết quả kiểm tra")))).Append("</h2>\n<table>\n");
        foreach (var finding in story.Findings) Row(page, finding.Kind, word, Told.Of(finding.Part), Told.Of(word(FindingWords.Check(finding))), word(FindingWords.Reason(finding)));
        page.Append("</table>\n</section>\n");
    }

    public static Told Verdict(Story story)
    {
        var count = story.Findings.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return story.Verdict switch
        {
            FindingKind.Good => new($"GOOD: {count} checks, all hold.", $"TỐT: {count} mục kiểm tra, tất cả đều đúng."),
            FindingKind.Bad => new("BAD: something does not hold; see the findings.", "SAI: có nội dung không hợp lệ; xem kết quả kiểm tra."),
            _ => new("NOT PROVABLE IN FULL: nothing is wrong, but not everything can be said from what is here.", "CHƯA CHỨNG MINH ĐỦ: không có gì sai, nhưng chưa đủ dữ liệu để kết luận mọi điều."),
        };
    }

    static void Row(StringBuilder page, FindingKind kind, Func<Told, string> word, string? time, params ReadOnlySpan<string> cells)
    {
        page.Append("<tr><td class=\"").Append(Class(kind)).Append("\">").Append(Encoded(word(FindingWords.Kind(kind)))).Append("</td>");
        if (time is not null) page.Append("<td class=\"t\">").Append(Encoded(time)).Append("</td>");
        foreach (var cell in cells) page.Append("<td>").Append(Encoded(cell)).Append("</td>");
        page.Append("</tr>\n");
    }

    static string Class(FindingKind kind) => kind switch { FindingKind.Good => "good", FindingKind.Bad => "bad", _ => "open" };

    // What others wrote stands in an element of its own, whose direction of writing ends with it.
    static string Encoded(string text) => SecurityElement.Escape(text).Replace($"{Told.Begin}", "<bdi>", StringComparison.Ordinal).Replace($"{Told.End}", "</bdi>", StringComparison.Ordinal);
}
