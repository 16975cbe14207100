using System.CommandLine;
using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>send and outbox.</summary>
static class SendCommands
{
    public static Command Send(Shell shell)
    {
        var form = new SendForm();
        var command = new Command("send", "Seals documents and sends them. Niêm phong và gửi văn bản.");
        form.AddTo(command);
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            if (await client.RefreshAsync(cancel).ConfigureAwait(false) is { } offline)
                say.Note($"{offline.Code}: the gateway cannot be reached; sealing with the directory and policy of the last time",
                    $"{offline.Code}: không kết nối được tới trục; niêm phong theo danh bạ và chính sách lần trước");
            DemandLevel(parsed.GetValue(form.Level), client.Policy);
            var request = form.Read(parsed, client.Policy, say, shell.Clock);
            if (parsed.GetValue(form.DryRun)) return await DryRunAsync(client, request, say, cancel).ConfigureAwait(false);
            if (client.Floor(request) is { NotRead: > 0 } floor)
                say.Note($"the word list was not held against {floor.NotRead} of {request.Files.Count} documents: only plain text and .docx are read", $"chưa đối chiếu danh sách từ ngữ với {floor.NotRead}/{request.Files.Count} tài liệu: chỉ đọc văn bản thuần và .docx");
            var total = request.Files.Sum(f => File.Exists(f) ? new FileInfo(f).Length : 0);
            var entry = await say.ProgressAsync("sealing", "niêm phong", total, p => client.SealAsync(request, p, cancel)).ConfigureAwait(false);
            var verdict = await say.ProgressAsync("sending", "gửi", entry.WireLength, p => client.DeliverAsync(entry, p, cancel)).ConfigureAwait(false);
            say.Json(Describe(entry, verdict));
            return Tell(entry, verdict, say);
        });
    }

    public static Command Outbox(Shell shell)
    {
        var sendNow = new Option<bool>("--send") { Description = "Try everything that waits, now" };
        var command = new Command("outbox", "What is sealed and what became of it. Hộp gửi.") { sendNow };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            return parsed.GetValue(sendNow) ? await FlushAsync(client, say, cancel).ConfigureAwait(false) : List(client, say);
        });
    }

    static int List(OfficeClient client, Output say)
    {
        var entries = client.Outbox();
        say.Json(entries.Select(e => e.Record));
        if (entries.Count == 0) say.Say("the outbox is empty", "hộp gửi trống");
        else say.Table(["id", say.Text("number", "số, ký hiệu"), say.Text("level", "độ mật"), say.Text("to", "nơi nhận"), say.Text("state", "trạng thái"), say.Text("sealed", "niêm phong"), say.Text("code", "mã")],
            entries.Select(e => new[] { e.Id.ToString(), e.Record.Number ?? "", e.Record.Level, string.Join(",", e.Record.To.Concat(e.Record.Cc)), StateText(e.State, say), say.Time(e.Record.Created), e.Record.Code ?? "" }));
        foreach (var entry in entries.Where(e => e.AwaitsTimeStamp)) TellAwaited(entry, say);
        var waiting = entries.Count(e => e.State is OutboxState.Sealed or OutboxState.Sending);
        if (waiting > 0) say.Hint($"{waiting} waiting; to try now", $"{waiting} đang chờ; để gửi ngay", "exchange outbox --send");
        return ExchangeProgram.Good;
    }

    static async Task<int> FlushAsync(OfficeClient client, Output say, CancellationToken cancel)
    {
        var results = new List<object>();
        var code = ExchangeProgram.Good;
        foreach (var entry in client.Outbox().Where(e => e.State is OutboxState.Sealed or OutboxState.Sending or OutboxState.Held))
        {
            var verdict = await say.ProgressAsync("sending", "gửi", entry.WireLength, p => client.DeliverAsync(entry, p, cancel)).ConfigureAwait(false);
            results.Add(Describe(entry, verdict));
            code = Math.Max(code, Tell(entry, verdict, say));
        }
        // After everything has gone: who is away for one is away for all.
        foreach (var entry in client.Outbox().Where(e => e.AwaitsTimeStamp).ToList())
        {
            var why = await client.StampAsync(entry, cancel).ConfigureAwait(false);
            results.Add(new { id = entry.Id, timeStamp = entry.Record.TimeStamp, refusal = why is null ? null : Output.Describe(why) });
            TellStamp(entry, say);
            if (why is null) continue;
            code = Math.Max(code, ExchangeProgram.Incomplete);
            if (why == Refusal.TimeStampAway) break;
        }
        say.Json(results);
        if (results.Count == 0) say.Say("nothing waits", "không có gì đang chờ");
        return code;
    }

    static async Task<int> DryRunAsync(OfficeClient client, SendRequest request, Output say, CancellationToken cancel)
    {
        var verdict = await client.DryRunAsync(request, cancel).ConfigureAwait(false);
        say.Json(new { verdict.Verdict, refusal = verdict.Refusal is null ? null : Output.Describe(verdict.Refusal) });
        if (verdict.Refusal is { } refusal && !say.IsJson) say.Refused(refusal);
        if (verdict.Verdict == "permit") say.Say("this would be permitted; nothing was sent", "sẽ được phép; chưa gửi gì");
        else if (verdict.Verdict == "hold") say.Say("this would be held; nothing was sent", "sẽ bị giữ lại; chưa gửi gì");
        return verdict.Verdict == "permit" ? ExchangeProgram.Good : ExchangeProgram.Bad;
    }

    // No default level: a clerk who names none is told which there are.
    static void DemandLevel(string? level, CompiledPolicy policy)
    {
        var levels = policy.Content.Levels.Where(l => !l.Obsolete).ToList();
        if (level is not null && levels.Any(l => l.Code == level)) return;
        var (en, vi) = level is null ? (Refusal.LabelMissing.En, Refusal.LabelMissing.Vi) : (Refusal.LabelClass.En, Refusal.LabelClass.Vi);
        var list = string.Join("\n", levels.Select(l => $"  --level {l.Code,-10}  {l.Name.Vi} ({l.Name.En})"));
        throw new UsageException($"{Refusal.LabelMissing.Code}  {en} {vi}\nLevels of the active policy:\n{list}", $"{Refusal.LabelMissing.Code}  {vi} {en}\nCác độ mật của chính sách hiện hành:\n{list}");
    }

    internal static int Tell(OutboxEntry entry, DeliveryVerdict verdict, Output say)
    {
        switch (verdict)
        {
            case DeliveryVerdict.Accepted accepted:
                say.Say($"accepted  {entry.Id}  {entry.Record.Level}  to {string.Join(", ", entry.Record.To.Concat(entry.Record.Cc))}  at {say.Time(accepted.Receipt.Time)}",
                    $"đã tiếp nhận  {entry.Id}  {entry.Record.Level}  gửi {string.Join(", ", entry.Record.To.Concat(entry.Record.Cc))}  lúc {say.Time(accepted.Receipt.Time)}");
                TellStamp(entry, say);
                if (entry.Besides() is { Count: > 0 } besides) say.Say($"          {Besides(besides, say)}", $"          {Besides(besides, say)}");
                say.Hint("where each copy is", "xem từng bản gửi", $"exchange status {entry.Id}");
                return ExchangeProgram.Good;
            case DeliveryVerdict.Held held:
                TellStamp(entry, say);
                say.Say($"held      {entry.Id}  at the gateway, not on its way: persons of this office must say a word first", $"tạm giữ   {entry.Id}  tại trục, chưa chuyển: người có thẩm quyền của cơ quan phải có ý kiến");
                if (!say.IsJson && Refusal.All.TryGetValue(held.Receipt.Code, out var reason)) say.Refused(reason);
                say.Hint("who must say it, and until when", "ai phải cho phép, và đến khi nào", "exchange held");
                return ExchangeProgram.Held;
            case DeliveryVerdict.Refused refused:
                say.Say($"refused   {entry.Id}", $"bị từ chối  {entry.Id}");
                if (!say.IsJson) say.Refused(refused.Refusal);
                return ExchangeProgram.Bad;
            case DeliveryVerdict.Waiting waiting:
                TellStamp(entry, say);
                say.Say($"waiting   {entry.Id}  sealed and safe in the outbox", $"đang chờ  {entry.Id}  đã niêm phong, nằm an toàn trong hộp gửi");
                if (!say.IsJson) say.Refused(waiting.Refusal, waiting.Detail);
                say.Hint("to try again", "để thử lại", "exchange outbox --send");
                return ExchangeProgram.Incomplete;
            default:
                say.Say($"elsewhere {entry.Id}  another process is sending it", $"nơi khác  {entry.Id}  một tiến trình khác đang gửi");
                return ExchangeProgram.Incomplete;
        }
    }

    /// <summary>One line where its level asks for a time-stamp; nothing otherwise.</summary>
    internal static void TellStamp(OutboxEntry entry, Output say)
    {
        if (entry.AwaitsTimeStamp) TellAwaited(entry, say);
        else if (entry.Record.TimeStamp == OutboxRecord.Given) say.Say($"  time-stamped  {entry.Id}", $"  đã có dấu thời gian  {entry.Id}");
    }

    static void TellAwaited(OutboxEntry entry, Output say)
    {
        say.Say($"  time-stamp pending  {entry.Id}  no authority answered; it is fetched later", $"  chờ dấu thời gian  {entry.Id}  chưa có nơi cấp trả lời; sẽ lấy sau");
        say.Hint("to fetch it now", "để lấy ngay", "exchange outbox --send");
    }

    /// <summary>Who else can open it is never hidden.</summary>
    internal static string Besides(IReadOnlyList<Recipient> besides, Output say) => say.Text("can be opened by ", "mở được bởi ") + string.Join(", ", besides.Select(r => r.Role == "self"
        ? say.Text($"{r.Office}, its sender", $"{r.Office} (cơ quan gửi)") : say.Text($"{r.Office}, for recovery", $"{r.Office} (khôi phục)"))) + say.Text(" too", "");

    static object Describe(OutboxEntry entry, DeliveryVerdict verdict) => new
    {
        id = entry.Id, state = verdict.GetType().Name.ToLowerInvariant(), level = entry.Record.Level, to = entry.Record.To, cc = entry.Record.Cc, ctx = entry.Record.Ctx, timeStamp = entry.Record.TimeStamp, besides = entry.Besides(),
        acceptedAt = verdict is DeliveryVerdict.Accepted a ? a.Receipt.Time : (long?)null, waitsFor = verdict is DeliveryVerdict.Held h ? h.Receipt.Code : null,
        refusal = verdict switch { DeliveryVerdict.Refused r => Output.Describe(r.Refusal), DeliveryVerdict.Waiting w => Output.Describe(w.Refusal, w.Detail), _ => null },
    };

    internal static string StateText(OutboxState state, Output say) => state switch
    {
        OutboxState.Sealed => say.Text("sealed", "đã niêm phong"),
        OutboxState.Sending => say.Text("waiting", "đang chờ"),
        OutboxState.Held => say.Text("held at the gateway", "tạm giữ tại trục"),
        OutboxState.Accepted => say.Text("accepted", "đã tiếp nhận"),
        _ => say.Text("refused", "bị từ chối"),
    };
}
