using System.CommandLine;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Policy;
using Exchange.Office.Client;
using Exchange.Office.Client.Exports;
using Exchange.Office.Client.Stories;

namespace Exchange.Office;

/// <summary>status and receipts: what became of what was sent.</summary>
static class TrackCommands
{
    public static Command Status(Shell shell)
    {
        var id = new Argument<string?>("ID") { Description = "Of one dispatch (its first characters will do); all that were sent otherwise", Arity = ArgumentArity.ZeroOrOne };
        var watch = new Option<bool>("--watch") { Description = "Go on, and show what receiving offices say as it comes" };
        var command = new Command("status", "Where each copy is, how well that is proven, and what its office does with it. Tình trạng từng bản gửi.") { id, watch };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            if (parsed.GetValue(watch)) return await WatchAsync(client, say, cancel).ConfigureAwait(false);
            // What went to further offices is shown with what it was at first.
            var entries = parsed.GetValue(id) is { } prefix ? [Find(client, prefix)] : client.Outbox().Where(e => e.Record.About is not { Kind: "update" } about || client.Find(about.Id) is null).ToList();
            if (entries.Count > 0) await client.RefreshAsync(cancel).ConfigureAwait(false);
            await StampAsync(client, entries, cancel).ConfigureAwait(false);
            var views = new List<DispatchView>();
            foreach (var entry in entries) views.Add(await client.TrackAsync(entry, audit: false, cancel).ConfigureAwait(false));
            say.Json(views.Select(v => Describe(v, client)));
            if (views.Count == 0) say.Say("nothing was sent yet", "chưa gửi văn bản nào");
            foreach (var view in views) Show(view, client, say);
            foreach (var end in client.Ending())
                say.Note($"the certificate for {end.Use}{(end.Role is null ? "" : " " + end.Role)} ends on {say.Time(end.Until)}: ask the CA for the next one now, exchange keys request",
                    $"chứng thư {end.Use}{(end.Role is null ? "" : " " + end.Role)} hết hạn ngày {say.Time(end.Until)}: xin chứng thư mới ngay, exchange keys request");
            return views.Any(v => v.Findings.Count > 0) || client.Contradictions().Count > 0 || client.Successions().Any(s => s.ToSendAgain.Count > 0) ? ExchangeProgram.Bad : views.Any(v => v.Offline is not null) ? ExchangeProgram.Incomplete : ExchangeProgram.Good;
        });
    }

    // Whatever waits for a time-stamp is asked for once more, until nobody answers.
    static async Task StampAsync(OfficeClient client, IEnumerable<OutboxEntry> entries, CancellationToken cancel)
    {
        foreach (var entry in entries.Where(e => e.AwaitsTimeStamp))
            if (await client.StampAsync(entry, cancel).ConfigureAwait(false) == Refusal.TimeStampAway) return;
    }

    static async Task<int> WatchAsync(OfficeClient client, Output say, CancellationToken cancel)
    {
        await client.RefreshAsync(cancel).ConfigureAwait(false);
        say.Note("watching; Ctrl-C ends", "đang theo dõi; Ctrl-C để dừng");
        while (true)
        {
            var findings = new List<string>();
            IReadOnlyList<StatusView> found;
            try { found = await client.NewHandlingAsync(25, findings, cancel).ConfigureAwait(false); }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested) { return ExchangeProgram.Good; }
            foreach (var one in found)
            {
                say.Json(one);
                var line = $"{one.Envelope}  {client.Find(one.Envelope)?.Record.Number}  {one.Office}  {HandleCommands.Word(one.Code, say)}{(one.Reason is null ? "" : $" ({one.Reason})")}  {say.Time(one.Time)}";
                say.Say(line, line);
            }
            foreach (var finding in findings) say.Say(finding, finding);
        }
    }

    public static Command Receipts(Shell shell)
    {
        var id = new Argument<string>("ID") { Description = "Of a dispatch that was sent; its first characters will do" };
        var export = new Option<string?>("--export") { Description = "Write everything that proves this dispatch into a new folder, or as one evidence file where the name ends in .zip. Xuất toàn bộ chứng cứ", HelpName = "FOLDER|FILE.zip" };
        var decision = new Option<string?>("--decision") { Description = "With --export: what exchange-gateway decision wrote about it goes too, so that it can be decided again. Kèm bản ghi quyết định của trục", HelpName = "FOLDER" };
        var command = new Command("receipts", "Every receipt, verified, and its place in the ledger. Biên nhận.") { id, export, decision };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var (folder, records) = (parsed.GetValue(export), Decisions(parsed.GetValue(decision), parsed.GetValue(export)));
            using var client = shell.Client(parsed, say);
            var entry = Find(client, parsed.GetValue(id)!);
            await client.RefreshAsync(cancel).ConfigureAwait(false);
            await StampAsync(client, [entry], cancel).ConfigureAwait(false);
            var view = await client.TrackAsync(entry, audit: true, cancel).ConfigureAwait(false);
            ExportResult? exported = folder is null ? null : await client.ExportAsync(entry, folder, cancel, records).ConfigureAwait(false);
            say.Json(new { id = entry.Id, receipts = view.Receipts.Select(r => new { r.Event, r.Office, r.Code, r.Time, r.Issuer, leaf = r.Leaf, index = r.InLedger?.Index, size = r.InLedger?.Size, finding = r.Finding?.Code }), view.Findings, exported });
            say.Table([say.Text("event", "sự kiện"), say.Text("office", "cơ quan"), say.Text("code", "mã"), say.Text("time", "thời gian"), say.Text("signed by", "người ký"), say.Text("in the ledger", "trong sổ")],
                view.Receipts.Select(r => new[] { r.Event, r.Office ?? "", r.Code, say.Time(r.Time), r.Issuer, LedgerText(r, say) }));
            foreach (var finding in view.Findings) say.Say(finding, finding);
            if (exported is not null) Tell(exported, say);
            return view.Findings.Count > 0 ? ExchangeProgram.Bad : view.Offline is not null || exported is { Complete: false } ? ExchangeProgram.Incomplete : ExchangeProgram.Good;
        });
    }

    static IReadOnlyList<EvidencePart> Decisions(string? folder, string? export)
    {
        if (folder is null) return [];
        if (export is null) throw new UsageException("--decision goes with --export", "--decision đi kèm --export");
        if (!Directory.Exists(folder) || EvidenceFile.Decisions(folder) is not { Count: > 0 } found) throw new UsageException($"--decision: {folder} holds no decision; exchange-gateway decision ID writes one", $"--decision: {folder} không có quyết định nào; dùng exchange-gateway decision ID");
        return found;
    }

    static void Tell(ExportResult exported, Output say)
    {
        say.Say($"written to {exported.Folder}", $"đã ghi vào {exported.Folder}");
        if (!exported.Complete) say.Say("some entries are not in a checkpoint yet: export again in a few seconds", "một số mục chưa có trong điểm kiểm tra: xuất lại sau vài giây");
        say.Hint("to verify it anywhere, offline", "để kiểm tra ở bất kỳ đâu, không cần mạng", $"exchange audit story {exported.Folder} --pins pins.json");
    }

    internal static OutboxEntry Find(OfficeClient client, string prefix)
    {
        var found = client.Outbox().Where(e => e.Id.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.Count switch
        {
            1 => found[0],
            0 => throw new RefusedException(Refusal.NotFound, prefix),
            _ => throw new UsageException($"{prefix}: more than one dispatch begins so", $"{prefix}: có nhiều văn bản bắt đầu như vậy"),
        };
    }

    static void Show(DispatchView view, OfficeClient client, Output say)
    {
        var record = view.Entry.Record;
        say.Say($"{record.Id}  {record.Number}  {record.Level}  {SendCommands.StateText(view.Entry.State, say)}  {say.Time(record.Created)}{(record.Code is null ? "" : "  " + record.Code)}",
            $"{record.Id}  {record.Number}  {record.Level}  {SendCommands.StateText(view.Entry.State, say)}  {say.Time(record.Created)}{(record.Code is null ? "" : "  " + record.Code)}");
        if (view.Entry.State == OutboxState.Accepted)
            say.Table([say.Text("office", "cơ quan"), say.Text("as", "vai trò"), say.Text("where it is", "đang ở đâu"), say.Text("proven", "bằng chứng"), say.Text("since", "từ lúc"), say.Text("code", "mã")],
                view.Copies.Select(c => new[] { c.Office, c.Role, CopyText.Where(c, say), EvidenceText(c.Evidence, say), c.At is { } at ? say.Time(at) : "", c.Code ?? "" }));
        SendCommands.TellStamp(view.Entry, say);
        if (InForce(view, client) is { } level && level.Code != record.Level)
            say.Say($"  in force: {level.Name.En} (exchange label show {record.Id})", $"  đang có hiệu lực: {level.Name.Vi} (exchange label show {record.Id})");
        if (view.State == TrackDispatch.Erased) say.Say("  erased at the gateway: what stands here was taken from there before", "  đã xóa tại trục: nội dung ở đây được lấy từ trước");
        if (view.Entry.State == OutboxState.Held) say.Say("  it is not on its way: persons of this office must release it (exchange held)", "  chưa được chuyển: người có thẩm quyền của cơ quan phải cho phép (exchange held)");
        foreach (var copy in view.Copies.Where(c => c.Handling.Count > 0))
        {
            var said = string.Join(", ", copy.Handling.Select(s => $"{HandleCommands.Word(s.Code, say)}{(s.Reason is null ? "" : $" ({s.Reason})")} {say.Time(s.Time)}"));
            say.Say($"  {copy.Office} says: {said}", $"  {copy.Office} báo: {said}");
        }
        foreach (var copy in view.Copies)
            if (CopyText.Next(copy, say) is { } next) say.Say($"  {copy.Office}: {next}", $"  {copy.Office}: {next}");
        if (view.Offline is { } offline) say.Say($"{offline.Code}: shown as of the last time the gateway was reached", $"{offline.Code}: hiển thị theo lần kết nối gần nhất");
        foreach (var finding in view.Findings) say.Say(finding, finding);
    }

    static string EvidenceText(CopyEvidence evidence, Output say) => evidence switch
    {
        CopyEvidence.OpenedProven => say.Text("opened, proven", "đã mở, có bằng chứng"),
        CopyEvidence.Failed => say.Text("could not be opened", "không mở được"),
        CopyEvidence.HandedOver => say.Text("handed over, signed by the office", "đã nhận đủ, cơ quan ký"),
        CopyEvidence.Consigned => say.Text("handed over, signed by the gateway", "đã giao, trục ký"),
        _ => say.Text("nothing yet", "chưa có"),
    };

    static string LedgerText(ReceiptView receipt, Output say) => receipt switch
    {
        { Leaf: null } => "",
        { InLedger: { } proof } => say.Text($"entry {proof.Index} of {proof.Size}", $"mục {proof.Index} trên {proof.Size}"),
        { Finding: not null } => say.Text("MISSING", "THIẾU"),
        _ => say.Text("not yet", "chưa"),
    };

    static PolicyLevel? InForce(DispatchView view, OfficeClient client) => view.Level is { } known ? client.Policy.Level(known) : null;

    static object Describe(DispatchView view, OfficeClient client) => new
    {
        id = view.Entry.Id, number = view.Entry.Record.Number, level = view.Entry.Record.Level, inForce = InForce(view, client)?.Code, outbox = view.Entry.State, code = view.Entry.Record.Code, timeStamp = view.Entry.Record.TimeStamp, state = view.State,
        copies = view.Copies.Select(c => new { c.Office, c.Role, c.Update, c.State, c.Evidence, c.Code, c.At, c.Status?.Channel, c.Status?.Attempts, c.Status?.Last, c.Status?.LastAt, c.Status?.NextAt, c.Status?.Expires, c.Handling }), offline = view.Offline?.Code, view.Findings,
    };
}
