using System.Text;

namespace Exchange.Adapters.Mail;

/// <summary>Delivery status notifications (RFC 3464) about our own mails.</summary>
static class MailReport
{
    /// <summary>Of the report, and of what is read of a returned mail.</summary>
    public const int MaxBytes = 64 << 10;

    /// <param name="status">The part message/delivery-status, decoded.</param>
    /// <param name="returned">The beginning of the returned mail or header; "": none.</param>
    /// <param name="domain">Of our Message-IDs.</param>
    /// <returns>null: about none of our mails, or it says nothing that we know.</returns>
    public static CarrierReport? Read(string status, string returned, string domain)
    {
        var groups = status.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(g => MailScan.Fields(g, "original-envelope-id", "original-recipient", "final-recipient", "action", "status")).ToList();
        if (groups.Count == 0 || groups.Contains(null)) return null;
        var said = groups.Where(g => g!.ContainsKey("action")).Select(g => g!).ToList();
        if (said.Count == 0 || Parcel(groups[0]!.GetValueOrDefault("original-envelope-id"), returned, domain) is not { } parcel) return null;
        // A parcel goes to one address; behind it may be a list. The worst of what became of it counts, so that "delivered" is never too much.
        var actions = said.Select(g => ActionOf(g["action"])).ToList();
        if (actions.Contains(null)) return null;
        var worst = new ReportedAction?[] { ReportedAction.Failed, ReportedAction.Relayed, ReportedAction.Delayed, ReportedAction.Delivered }.First(actions.Contains)!.Value;
        var group = said[actions.IndexOf(worst)];
        return new CarrierReport(parcel, Address(group.GetValueOrDefault("original-recipient") ?? group.GetValueOrDefault("final-recipient")), worst, Code(group.GetValueOrDefault("status")));
    }

    static Guid? Parcel(string? envelope, string returned, string domain)
    {
        if (Guid.TryParseExact(envelope?.Trim(), "D", out var named)) return named;
        // A server that loses the name of the envelope may still return the mail's own.
        var header = returned.ReplaceLineEndings("\n").Split("\n\n")[0];
        var id = MailScan.Fields(header, "message-id")?.GetValueOrDefault("message-id")?.Trim().Trim('<', '>');
        return id is not null && id.EndsWith("@" + domain, StringComparison.OrdinalIgnoreCase) && Guid.TryParseExact(id[..id.IndexOf('@')], "D", out var found) ? found : null;
    }

    static ReportedAction? ActionOf(string word) => word.Split(' ', '(')[0].ToLowerInvariant() switch
    {
        "delivered" => ReportedAction.Delivered,
        "failed" => ReportedAction.Failed,
        "delayed" => ReportedAction.Delayed,
        // Given to a list, or to a server that does not report: nobody will say that it arrived.
        "relayed" or "expanded" => ReportedAction.Relayed,
        _ => null,
    };

    static string Address(string? field) => field is not null && field.IndexOf(';') is >= 0 and var at ? field[(at + 1)..].Trim().Trim('<', '>') : "";

    static string Code(string? status)
    {
        var digits = new StringBuilder("DSN");
        foreach (var part in (status ?? "").Split(' ', '(')[0].Split('.').Take(3)) digits.Append('_').Append(part.Length is > 0 and <= 3 && part.All(char.IsAsciiDigit) ? part : "X");
        return digits.ToString();
    }
}
