using System.Text;
using Exchange.Adapters;
using Exchange.Adapters.Mail;

namespace Exchange.Fuzz;

static class MailTargets
{
    const string Domain = "gateway.example";

    /// <summary>A mail as it lies in the file it was fetched into, taken apart as the intake does.</summary>
    public static void Mail(byte[] bytes)
    {
        using var mail = new MemoryStream(bytes);
        if (MailScan.ReadAsync(mail, default).GetAwaiter().GetResult() is not { } scanned) return;
        Targets.Demand(scanned.Parts.All(p => p.Offset >= 0 && p.Length >= 0 && p.Offset + p.Length <= bytes.Length), "a part outside the mail");
        foreach (var (part, kind, name) in MailParts.Of(scanned))
        {
            Targets.Demand(name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-') && name.Length <= 64, "a name that is not neutral");
            using var content = new MemoryStream();
            if (kind == BroughtKind.Report)
            {
                var text = MailParts.TextAsync(mail, part, default).GetAwaiter().GetResult();
                foreach (var returned in scanned.Parts) MailReport.Read(text, MailParts.TextAsync(mail, returned, default).GetAwaiter().GetResult(), Domain);
                continue;
            }
            MailParts.DecodeAsync(mail, part, content, default).GetAwaiter().GetResult();
            Targets.Demand(content.Length <= part.Length, "more than was sent");
        }
    }

    /// <summary>A delivery status, an empty line of three dots, what it returns.</summary>
    public static void Report(byte[] bytes)
    {
        var text = Encoding.Latin1.GetString(bytes).Split("\n...\n", 2);
        var report = MailReport.Read(text[0], text.Length > 1 ? text[1] : "", Domain);
        if (report is null) return;
        Targets.Demand(report.Parcel != default || text[0].Contains(default(Guid).ToString("D"), StringComparison.Ordinal) || text[^1].Contains(default(Guid).ToString("D"), StringComparison.Ordinal), "a parcel out of nothing");
    }
}
