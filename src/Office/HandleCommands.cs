using System.CommandLine;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>handle: what this office does with a copy that it received, told to the sender.</summary>
static class HandleCommands
{
    public static Command Handle(Shell shell)
    {
        var parcel = new Argument<string>("PARCEL") { Description = "Of a parcel that was opened here, or of its envelope; its first characters will do" };
        var status = new Option<string?>("--status") { Description = "01 arrived, 02 refused, 03 registered, 04 assigned, 05 in hand, 06 done; nothing: only shows what was said", HelpName = "CODE" };
        status.AcceptOnlyFromAmong([.. HandlingCode.All.Where(c => !HandlingCode.IsAnswer(c))]);
        var reason = new Option<string?>("--reason") { Description = $"With 02: {string.Join(", ", HandlingReason.OfRefusal)}", HelpName = "CODE" };
        reason.AcceptOnlyFromAmong([.. HandlingReason.OfRefusal, .. HandlingReason.OfDeclining]);
        var agree = new Option<bool>("--agree-recall") { Description = "15: the dispatch is given up, as its sender asked" };
        var decline = new Option<bool>("--refuse-recall") { Description = $"16: it is not, with --reason {string.Join(", ", HandlingReason.OfDeclining)}" };
        var command = new Command("handle", "Tells the sender what is done with what it sent. Báo trạng thái xử lý văn bản đến.") { parcel, status, reason, agree, decline };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            var record = Find(client, parsed.GetValue(parcel)!);
            if (parsed.GetValue(agree) || parsed.GetValue(decline))
            {
                if ((parsed.GetValue(agree) && parsed.GetValue(decline)) || parsed.GetValue(status) is not null)
                    throw new UsageException("one of --status, --agree-recall, --refuse-recall", "chọn một trong --status, --agree-recall, --refuse-recall");
                return await AnswerAsync(client, client.Subject(record), parsed.GetValue(agree), parsed.GetValue(reason), say, cancel).ConfigureAwait(false);
            }
            if (parsed.GetValue(status) is not { } code) return Show(client, record, say);
            if (code == HandlingCode.Refused && parsed.GetValue(reason) is null)
                throw new UsageException($"--reason: a refusal says why: {string.Join(", ", HandlingReason.OfRefusal)}", $"--reason: từ chối phải nêu lý do: {string.Join(", ", HandlingReason.OfRefusal)}");
            var verdict = await client.HandleAsync(record, code, parsed.GetValue(reason), null, cancel).ConfigureAwait(false);
            return Tell(verdict, say);
        });
    }

    static async Task<int> AnswerAsync(OfficeClient client, ReceivedRecord record, bool agrees, string? reason, Output say, CancellationToken cancel)
    {
        var notice = client.Notice(record) ?? throw new RefusedException(Refusal.NotFound, "nobody asks this dispatch back");
        if (!agrees && reason is null)
            throw new UsageException($"--reason: a refusal says why: {string.Join(", ", HandlingReason.OfDeclining)}", $"--reason: từ chối phải nêu lý do: {string.Join(", ", HandlingReason.OfDeclining)}");
        var verdict = await client.HandleAsync(record, agrees ? HandlingCode.Agreed : HandlingCode.Declined, agrees ? null : reason, new AnsweredEnvelope(notice.Id, notice.Ctx, notice.Revision), cancel).ConfigureAwait(false);
        var code = Tell(verdict, say);
        if (agrees && record.Folder is { } folder) say.Say($"its documents are still in {folder}: take them out of use", $"tài liệu vẫn còn trong {folder}: hãy ngừng sử dụng");
        return code;
    }

    static int Tell(HandleVerdict verdict, Output say)
    {
        var (record, status) = (verdict.Record, verdict.Status);
        say.Json(new { parcel = record.Parcel, record.Sender, envelope = record.Id, status.Sequence, status.Code, status.Reason, status.Time, told = verdict.Waits is null, waits = verdict.Waits?.Code });
        var what = $"{record.Sender}  {record.Number ?? record.Id.ToString()}  {Word(status.Code, say)}";
        if (verdict.Waits is null)
        {
            say.Say($"signed and on record  {what}", $"đã ký và ghi sổ  {what}");
            return ExchangeProgram.Good;
        }
        say.Say($"signed; the gateway could not be told yet ({verdict.Waits.Code}): it goes with the next inbox, open or handle", $"đã ký; chưa báo được cho trục ({verdict.Waits.Code}): sẽ gửi trong lần sau");
        return ExchangeProgram.Incomplete;
    }

    static int Show(OfficeClient client, ReceivedRecord record, Output say)
    {
        var said = client.Handling(record);
        say.Json(new { parcel = record.Parcel, record.Sender, envelope = record.Id, statuses = said });
        say.Say($"{record.Parcel}  {record.Sender}  {record.Number ?? record.Id.ToString()}", $"{record.Parcel}  {record.Sender}  {record.Number ?? record.Id.ToString()}");
        if (said.Count == 0) say.Say("nothing was said about it yet", "chưa báo trạng thái nào");
        else say.Table([say.Text("number", "số"), say.Text("status", "trạng thái"), say.Text("time", "thời gian"), say.Text("told", "đã báo")],
            said.Select(s => new[] { $"{s.Sequence}", Word(s.Code, say) + (s.Reason is null ? "" : $" ({s.Reason})"), say.Time(s.Time), s.Told ? say.Text("yes", "có") : say.Text("not yet", "chưa") }));
        return ExchangeProgram.Good;
    }

    internal static ReceivedRecord Find(OfficeClient client, string prefix)
    {
        var found = client.Received().Where(r => Starts(r.Parcel) || Starts(r.Id)).ToList();
        return found.Count switch
        {
            1 => found[0],
            0 => throw new RefusedException(Refusal.NotFound, prefix),
            _ => throw new UsageException($"{prefix}: more than one parcel begins so", $"{prefix}: có nhiều bưu phẩm bắt đầu như vậy"),
        };

        bool Starts(Guid id) => id.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A code in a clerk's words.</summary>
    internal static string Word(string code, Output say) => code switch
    {
        HandlingCode.Arrived => say.Text("01 arrived", "01 đã đến"),
        HandlingCode.Refused => say.Text("02 refused", "02 từ chối tiếp nhận"),
        HandlingCode.Registered => say.Text("03 registered", "03 đã tiếp nhận"),
        HandlingCode.Assigned => say.Text("04 assigned", "04 phân công"),
        HandlingCode.InHand => say.Text("05 in hand", "05 đang xử lý"),
        HandlingCode.Done => say.Text("06 done", "06 hoàn thành"),
        HandlingCode.Agreed => say.Text("15 agrees", "15 đồng ý"),
        HandlingCode.Declined => say.Text("16 declines", "16 từ chối"),
        _ => code,
    };
}
