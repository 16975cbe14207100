using Exchange.Crypto;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>One copy in the words of a clerk: where it is, what was tried, what happens next and when.</summary>
static class CopyText
{
    public static string Where(CopyView copy, Output say) => copy.State switch
    {
        "available" => say.Text("in the office's mailbox, not fetched yet", "trong hộp đến của cơ quan, chưa tải về"),
        "queued" => copy.Status?.NextAt is null && copy.Status?.Attempts is 0 ? say.Text("on its way", "đang chuyển") : say.Text("waiting at the gateway", "đang chờ tại trục"),
        "delivered" => say.Text("delivered", "đã giao"),
        "refused" when copy.Code == Refusal.KeyRetired.Code => say.Text("ended: its office has another key now; send it again with exchange resend", "kết thúc: cơ quan đã đổi khóa; gửi lại bằng exchange resend"),
        "recalled" when copy.Code == Refusal.Resent.Code => say.Text("ended: sent again to the office's new key", "kết thúc: đã gửi lại tới khóa mới của cơ quan"),
        "refused" => say.Text("ended: may no longer be released", "kết thúc: không còn được phép chuyển"),
        "expired" => say.Text("ended: its time ran out", "kết thúc: quá thời hạn"),
        "dead" => say.Text("ended: the office's system refused it", "kết thúc: hệ thống nơi nhận từ chối"),
        "recalled" => say.Text("recalled", "đã thu hồi"),
        null when copy.Role == "self" => say.Text("this office itself can open it", "cơ quan gửi tự mở lại được"),
        null when copy.Role == "recovery" => say.Text("can open it, gets no copy", "mở được khi khôi phục, không nhận bản gửi"),
        null => "?",
        var other => other,
    };

    /// <summary>null: nothing more is to come, or nothing is known.</summary>
    public static string? Next(CopyView copy, Output say)
    {
        if (copy is not { State: "available" or "queued", Status: { } status }) return null;
        var until = status.Expires is { } expires ? say.Text($"; given up at {say.Time(expires)}", $"; dừng lúc {say.Time(expires)}") : "";
        if (copy.State == "available") return say.Text("the office must fetch it", "chờ cơ quan nhận tải về") + until;
        var tried = status.Attempts == 0 ? say.Text("not tried yet", "chưa thử lần nào")
            : say.Text($"tried {status.Attempts} times, last {say.Time(status.LastAt ?? 0)}: {Outcome(status.Last, say)}", $"đã thử {status.Attempts} lần, gần nhất {say.Time(status.LastAt ?? 0)}: {Outcome(status.Last, say)}");
        var next = status.NextAt is { } at ? say.Text($"; next try {say.Time(at)}", $"; thử lại lúc {say.Time(at)}") : say.Text("; being carried now", "; đang chuyển lúc này");
        return tried + next + until;
    }

    static string Outcome(string? outcome, Output say) => outcome switch
    {
        "Busy" => say.Text("the office's system is busy", "hệ thống nơi nhận đang bận"),
        "TryLater" => say.Text("the office's system could not be reached", "không kết nối được hệ thống nơi nhận"),
        "Unknown" => say.Text("no answer, it will be asked first", "không có trả lời, sẽ hỏi trước khi gửi lại"),
        "LeaseLost" or "Late" => say.Text("interrupted", "bị gián đoạn"),
        "ToMailbox" => say.Text("moved to its mailbox", "chuyển vào hộp đến"),
        _ => outcome ?? "",
    };
}
