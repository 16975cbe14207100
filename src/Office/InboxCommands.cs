using System.CommandLine;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>inbox and open.</summary>
static class InboxCommands
{
    public static Command Inbox(Shell shell)
    {
        var watch = new Option<bool>("--watch") { Description = "Go on, and show each parcel as it comes" };
        var all = new Option<bool>("--all") { Description = "Also what was already fetched" };
        var command = new Command("inbox", "What waits in the mailbox. Hộp đến.") { watch, all };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            await client.AcknowledgeAsync(cancel).ConfigureAwait(false);
            if (parsed.GetValue(watch)) return await WatchAsync(client, say, cancel).ConfigureAwait(false);
            var parcels = await client.InboxAsync(null, 0, parsed.GetValue(all), cancel).ConfigureAwait(false);
            say.Json(parcels);
            if (parcels.Count == 0) say.Say("nothing waits", "không có văn bản chờ");
            else
            {
                Show(parcels, say);
                say.Hint("to open them", "để mở", "exchange open --all --out received");
            }
            return ExchangeProgram.Good;
        });
    }

    static async Task<int> WatchAsync(OfficeClient client, Output say, CancellationToken cancel)
    {
        say.Note("watching; Ctrl-C ends", "đang theo dõi; Ctrl-C để dừng");
        for (Guid? after = null; ;)
        {
            IReadOnlyList<MailboxParcel> parcels;
            try { parcels = await client.InboxAsync(after, 25, all: false, cancel).ConfigureAwait(false); }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested) { return ExchangeProgram.Good; }
            foreach (var parcel in parcels)
            {
                say.Json(parcel);
                say.Say(Line(parcel, say), Line(parcel, say));
                after = parcel.Parcel;
            }
        }
    }

    public static Command Open(Shell shell)
    {
        var parcel = new Argument<string?>("PARCEL") { Description = "One parcel of the mailbox; its first characters will do", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "Everything that waits" };
        var from = new Option<string?>("--from") { Description = "Everything that the gateway's folder or SFTP channel put into this folder", HelpName = "DIR" };
        var file = new Option<string?>("--file") { Description = "A sealed parcel that came as a file, attached to a mail for instance; or an envelope that this office can open for recovery", HelpName = "FILE" };
        var receipt = new Option<string?>("--receipt") { Description = "With --file of an envelope: the gateway's receipt that came with it. Default: FILE.receipt.p7s or FILE.receipt beside it", HelpName = "FILE" };
        var sent = new Option<string?>("--sent") { Description = "What was sent from here and sealed to this office too; its first characters will do", HelpName = "ID" };
        var folder = new Option<string>("--out") { Description = "Folder in which each dispatch gets its own folder", Required = true, HelpName = "DIR" };
        var recalled = new Option<bool>("--recalled") { Description = "Also what its sender has taken back; with one PARCEL" };
        var command = new Command("open", "Fetches, checks and opens; acknowledges when the documents are safe on disk. Mở văn bản.") { parcel, all, from, file, receipt, sent, folder, recalled };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var one = parsed.GetValue(parcel);
            var (source, attached) = (parsed.GetValue(from), parsed.GetValue(file));
            if ((one is null ? 0 : 1) + (parsed.GetValue(all) ? 1 : 0) + (source is null ? 0 : 1) + (attached is null ? 0 : 1) + (parsed.GetValue(sent) is null ? 0 : 1) != 1)
                throw new UsageException("open: name one parcel, or --all, or --from DIR, or --file FILE, or --sent ID", "open: chọn một bưu phẩm, hoặc --all, hoặc --from THƯ-MỤC, hoặc --file TỆP, hoặc --sent MÃ");
            if (parsed.GetValue(recalled) && one is null) throw new UsageException("--recalled: name the parcel", "--recalled: chọn một bưu phẩm");
            if (attached is not null && !File.Exists(attached)) throw new UsageException($"--file: there is no file {attached}", $"--file: không có tệp {attached}");
            if (source is not null && !Directory.Exists(source)) throw new UsageException($"--from: there is no folder {source}", $"--from: không có thư mục {source}");
            using var client = shell.Client(parsed, say);
            await client.RefreshAsync(cancel).ConfigureAwait(false);
            if (parsed.GetValue(sent) is { } id) return await OpenAsideCommand.TellAsync(client, await client.OpenSentAsync(TrackCommands.Find(client, id), parsed.GetValue(folder)!, null, cancel).ConfigureAwait(false), say, cancel).ConfigureAwait(false);
            if (attached is not null && OpenAsideCommand.ReceiptOf(attached, parsed.GetValue(receipt)) is { } acceptance)
                return await OpenAsideCommand.TellAsync(client, await client.OpenAsideAsync(attached, acceptance, parsed.GetValue(folder)!, null, cancel).ConfigureAwait(false), say, cancel).ConfigureAwait(false);
            await client.AcknowledgeAsync(cancel).ConfigureAwait(false);
            if (attached is not null)
            {
                var opened = await client.OpenFileAsync(attached, parsed.GetValue(folder)!, cancel).ConfigureAwait(false);
                var signed = await client.SignaturesAsync(opened.Files, opened.Accepted, cancel).ConfigureAwait(false);
                say.Json(new[] { Describe(opened, signed) });
                return Tell(opened, say, signed);
            }
            if (source is not null) return await OpenFolderAsync(client, source, parsed.GetValue(folder)!, say, cancel).ConfigureAwait(false);
            var parcels = await ChosenAsync(client, one, cancel).ConfigureAwait(false);
            return await OpenEachAsync(client, parcels, parsed.GetValue(folder)!, parsed.GetValue(recalled), say, cancel).ConfigureAwait(false);
        });
    }

    static async Task<int> OpenFolderAsync(OfficeClient client, string source, string folder, Output say, CancellationToken cancel)
    {
        var results = new List<object>();
        var code = ExchangeProgram.Good;
        await foreach (var result in client.OpenFolderAsync(source, folder, cancel).ConfigureAwait(false))
        {
            var signed = result.Opened is { } done ? await client.SignaturesAsync(done.Files, done.Accepted, cancel).ConfigureAwait(false) : [];
            results.Add(result.Opened is { } said ? Describe(said, signed) : new { parcel = result.Parcel, error = Output.Describe(result.Refusal!, result.Detail) });
            if (result.Opened is { } opened) code = Math.Max(code, Tell(opened, say, signed));
            else
            {
                say.Say(result.IsMoved ? $"refused  {result.Parcel}  moved to failed" : $"not opened yet  {result.Parcel}", result.IsMoved ? $"từ chối  {result.Parcel}  đã chuyển sang failed" : $"chưa mở được  {result.Parcel}");
                if (!say.IsJson) say.Refused(result.Refusal!, result.Detail);
                code = Math.Max(code, result.IsMoved ? ExchangeProgram.Bad : ExchangeProgram.Incomplete);
            }
        }
        say.Json(results);
        if (results.Count == 0) say.Say("nothing waits", "không có văn bản chờ");
        return code;
    }

    static async Task<int> OpenEachAsync(OfficeClient client, IReadOnlyList<MailboxParcel> parcels, string folder, bool recalled, Output say, CancellationToken cancel)
    {
        var results = new List<object>();
        var code = ExchangeProgram.Good;
        foreach (var parcel in parcels)
        {
            try
            {
                var opened = await say.ProgressAsync("fetching", "tải về", parcel.Size, p => client.OpenAsync(parcel.Parcel, folder, p, cancel, recalled)).ConfigureAwait(false);
                var signed = await client.SignaturesAsync(opened.Files, opened.Accepted, cancel).ConfigureAwait(false);
                results.Add(Describe(opened, signed));
                code = Math.Max(code, Tell(opened, say, signed));
            }
            catch (RefusedException e)
            {
                // One bad parcel does not keep the others shut.
                results.Add(new { parcel = parcel.Parcel, parcel.Sender, error = Output.Describe(e.Refusal, e.Detail) });
                say.Say($"not opened  {parcel.Sender}  {parcel.Envelope}", $"chưa mở được  {parcel.Sender}  {parcel.Envelope}");
                if (!say.IsJson) say.Refused(e.Refusal, e.Detail);
                code = ExchangeProgram.Bad;
            }
        }
        say.Json(results);
        if (parcels.Count == 0) say.Say("nothing waits", "không có văn bản chờ");
        return code;
    }

    static async Task<IReadOnlyList<MailboxParcel>> ChosenAsync(OfficeClient client, string? prefix, CancellationToken cancel)
    {
        // What `receive` took in, or an opening left behind, is here; the gateway need not list it, nor be reached.
        var parcels = client.Held().ToList();
        var here = parcels.Select(p => p.Parcel).ToHashSet();
        try
        {
            for (Guid? after = null; ;)
            {
                var page = await client.InboxAsync(after, 0, all: prefix is not null, cancel).ConfigureAwait(false);
                parcels.AddRange(page.Where(p => !here.Contains(p.Parcel)));
                if (page.Count == 0) break;
                after = page[^1].Parcel;
            }
        }
        catch (RefusedException e) when (e.Refusal == Refusal.Unreachable && parcels.Count > 0) { }
        if (prefix is null) return parcels;
        var found = parcels.Where(p => p.Parcel.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.Count switch
        {
            1 => found,
            0 => throw new RefusedException(Refusal.NotFound, prefix),
            _ => throw new UsageException($"{prefix}: more than one parcel begins so", $"{prefix}: có nhiều bưu phẩm bắt đầu như vậy"),
        };
    }

    internal static int Tell(OpenResult opened, Output say, IReadOnlyList<SignedDocument>? signed = null)
    {
        var name = $"{opened.Sender}  {opened.Number ?? opened.Envelope.ToString()}  {opened.Level}";
        if (opened.Failure == Refusal.Recalled)
        {
            say.Say($"recalled by its sender, not opened  {name}", $"nơi gửi đã thu hồi, không mở  {name}");
            say.Hint("to open it all the same", "để vẫn mở", $"exchange open {opened.Parcel} --recalled --out DIR");
            return ExchangeProgram.Good;
        }
        if (opened.Failure is { } failure)
        {
            say.Say($"could not be opened  {name}; the sender has been told", $"không mở được  {name}; đã báo nơi gửi");
            if (!say.IsJson) say.Refused(failure);
            return ExchangeProgram.Bad;
        }
        say.Say($"{(opened.Again ? "already open" : "opened")}  {name}  sent {say.Time(opened.Accepted)}{(opened.Folder is null ? "" : $"  →  {opened.Folder}")}",
            $"{(opened.Again ? "đã mở trước đó" : "đã mở")}  {name}  gửi {say.Time(opened.Accepted)}{(opened.Folder is null ? "" : $"  →  {opened.Folder}")}");
        if (opened.Notice is { } notice) TellNotice(notice, say);
        if (opened.CopyOf is { } before) say.Say($"    another copy of dispatch {before}, which is here already", $"    bản khác của văn bản {before} đã có ở đây");
        if (opened.StampedAt is { } stamped) say.Say($"    time-stamped {say.Time(stamped)}", $"    dấu thời gian {say.Time(stamped)}");
        else if (opened.StampPending) say.Say("    its time-stamp is pending, with the sender", "    dấu thời gian còn chờ ở nơi gửi");
        if (opened.Besides.Count > 0) say.Say($"    {SendCommands.Besides(opened.Besides, say)}", $"    {SendCommands.Besides(opened.Besides, say)}");
        foreach (var (en, vi) in HandlingOf(opened.Label, say)) say.Say($"    {en}", $"    {vi}");
        foreach (var file in opened.Files) say.Say($"    {Path.GetFileName(file)}  {SizeOf(file)}", $"    {Path.GetFileName(file)}  {SizeOf(file)}");
        SignatureCommands.Tell(signed ?? [], say);
        if (opened.Acknowledged) return ExchangeProgram.Good;
        say.Note("the gateway could not be told yet; the receipts go with the next inbox or open", "chưa báo được cho trục; biên nhận sẽ gửi trong lần sau");
        return ExchangeProgram.Incomplete;
    }

    static void TellNotice(RecallNotice notice, Output say)
    {
        if (notice.Kind == "recall")
        {
            say.Say($"    {notice.Sender} takes dispatch {notice.Target} back: {notice.Reason}", $"    {notice.Sender} thu hồi văn bản {notice.Target}: {notice.Reason}");
            say.Hint("if it is here, to answer", "nếu đã nhận, để trả lời", $"exchange handle {notice.Target} --agree-recall    (or --refuse-recall --reason acted-on)");
        }
        else
        {
            say.Say($"    it takes the place of dispatch {notice.Target}", $"    văn bản này thay thế văn bản {notice.Target}");
            say.Hint("if that is here, to answer", "nếu đã nhận, để trả lời", $"exchange handle {notice.Target} --agree-recall    (or --refuse-recall --reason acted-on)");
        }
    }

    // The forms of the 2020 circular on marks, where it has one.
    internal static IEnumerable<(string En, string Vi)> HandlingOf(Label label, Output say)
    {
        if (label.Basis is not null || label.Caveats.Length > 0) yield return ($"marked {label.Mark}", $"dấu {label.Mark}");
        foreach (var caveat in label.Caveats)
            yield return caveat switch
            {
                "named-only" => ("only who is named may read it", "Chỉ người có tên mới được bóc bì"),
                "no-forward" => ("not to be passed on", "Không được chuyển tiếp"),
                "originator-control" => ("passed on only with the sender's signed release", "Chỉ chuyển tiếp khi cơ quan ban hành cho phép"),
                "return-after-use" => ("to be returned after use", "Tài liệu thu hồi"),
                _ => (caveat, caveat),
            };
        if (label.Term is { } term) yield return ($"protected until {say.Time(term)}", $"thời hạn bảo vệ đến {say.Time(term)}");
    }

    internal static string SizeOf(string file) => File.Exists(file) ? Output.Size(new FileInfo(file).Length) : "";

    static void Show(IReadOnlyList<MailboxParcel> parcels, Output say) => say.Table(
        [say.Text("parcel", "bưu phẩm"), say.Text("from", "nơi gửi"), say.Text("urgency", "độ khẩn"), say.Text("received", "trục nhận"), say.Text("size", "dung lượng"), say.Text("state", "trạng thái")],
        parcels.Select(p => new[] { p.Parcel.ToString(), p.Sender, UrgencyText(p.Urgency), say.Time(p.ReceivedAt), Output.Size(p.Size), p.State }));

    static string Line(MailboxParcel p, Output say) => $"{p.Parcel}  {p.Sender}  {UrgencyText(p.Urgency)}  {say.Time(p.ReceivedAt)}  {Output.Size(p.Size)}";

    static string UrgencyText(int urgency) => urgency switch { 0 => "thường", 1 => "khẩn", 2 => "thượng khẩn", 3 => "hỏa tốc", 4 => "hỏa tốc hẹn giờ", _ => "?" };

    internal static object Describe(OpenResult o, IReadOnlyList<SignedDocument> signed) => new
    {
        parcel = o.Parcel, o.Sender, envelope = o.Envelope, o.Number, o.Level, mark = o.Label.Mark, o.Label.Caveats, o.Label.Term, acceptedAt = o.Accepted, o.Folder, o.Files, o.Again, o.Acknowledged, o.Notice, o.CopyOf, o.Besides, o.StampedAt, o.StampPending,
        failure = o.Failure is null ? null : Output.Describe(o.Failure), signatures = signed.Select(SignatureCommands.Describe),
    };
}
