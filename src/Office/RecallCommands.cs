using System.CommandLine;
using Exchange.Crypto;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>recall, update and resend: what was sent is taken back, goes further, or goes once more.</summary>
static class RecallCommands
{
    public static Command Recall(Shell shell)
    {
        var id = new Argument<string>("ID") { Description = "Of a dispatch that was sent from here; its first characters will do" };
        var reason = new Option<string>("--reason") { Description = "Why; sealed, only its receivers read it. A command line can be read by others on this computer: no secret here", Required = true, HelpName = "TEXT" };
        var to = new Option<string?>("--to") { Description = "Only from these offices; default: from all that it went to", HelpName = "H41,H14" };
        var level = new Option<string?>("--level") { Description = "Of the reason; default: that of what is recalled", HelpName = "thuong|mat|…" };
        var author = new Option<string?>("--as") { Description = "Role of the author", HelpName = "ROLE" };
        var approve = new Option<string[]>("--approve") { Description = "Role that approves, for example signatory", HelpName = "ROLE" };
        var release = new Option<string[]>("--release") { Description = "Person of the profile who releases it, at a level under dual control", HelpName = "PERSON" };
        var command = new Command("recall", "Takes a dispatch back: stops what has not left, asks whoever has it. Thu hồi văn bản đã gửi.") { id, reason, to, level, author, approve, release };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            await client.RefreshAsync(cancel).ConfigureAwait(false);
            var original = TrackCommands.Find(client, parsed.GetValue(id)!);
            var entries = await client.RecallAsync(original, new RecallRequest
            {
                Reason = parsed.GetValue(reason)!, To = SendForm.Codes(parsed.GetValue(to)), Level = parsed.GetValue(level), As = parsed.GetValue(author),
                Approve = parsed.GetValue(approve) ?? [], Release = parsed.GetValue(release) ?? [],
            }, cancel).ConfigureAwait(false);
            // One for each envelope by which an office has it; to a clerk it is one dispatch.
            var (code, sent) = (ExchangeProgram.Good, new List<(OutboxEntry Entry, DeliveryVerdict Verdict)>());
            foreach (var entry in entries)
            {
                sent.Add((entry, await client.DeliverAsync(entry, null, cancel).ConfigureAwait(false)));
                code = Math.Max(code, SendCommands.Tell(entry, sent[^1].Verdict, say));
            }
            var view = sent.Any(s => s.Verdict is DeliveryVerdict.Accepted) ? await client.TrackAsync(original, audit: false, cancel).ConfigureAwait(false) : null;
            var copies = view?.Copies.Where(c => sent.Any(s => s.Entry.Record.About!.Id == (c.Update ?? original.Id) && s.Entry.Record.To.Contains(c.Office))).ToList() ?? [];
            say.Json(new
            {
                recalls = sent.Select(s => new { id = s.Entry.Id, recalls = s.Entry.Record.About!.Id, revision = s.Entry.Record.About.Revision, state = s.Verdict.GetType().Name.ToLowerInvariant() }),
                copies = copies.Select(c => new { c.Office, c.State, c.Code }),
            });
            foreach (var copy in copies) say.Say($"  {copy.Office}: {What(copy, say)}", $"  {copy.Office}: {What(copy, say)}");
            return code;
        });
    }

    public static Command Update(Shell shell)
    {
        var id = new Argument<string>("ID") { Description = "Of a dispatch that was sent from here; its first characters will do" };
        var add = new Option<string>("--add") { Description = "Offices that its author named and that have no copy", Required = true, HelpName = "H37,H14" };
        var cc = new Option<string?>("--cc") { Description = "Likewise, as copies", HelpName = "H09" };
        var remove = new Option<string?>("--remove") { Description = "Offices that are to give it back", HelpName = "H41" };
        var reason = new Option<string?>("--reason") { Description = "Why they are to; sealed, only they read it. A command line can be read by others on this computer: no secret here", HelpName = "TEXT" };
        var expires = new Option<string?>("--expires") { Description = "Accepted until then at the latest: 30m, 12h, 5d; default 30d", HelpName = "5d" };
        var author = new Option<string?>("--as") { Description = "With --remove: role of the author of the recall", HelpName = "ROLE" };
        var approve = new Option<string[]>("--approve") { Description = "Role that approves, where the approvals of then have lapsed", HelpName = "ROLE" };
        var release = new Option<string[]>("--release") { Description = "With --remove: person of the profile who releases the recall, at a level under dual control", HelpName = "PERSON" };
        var command = new Command("update", "Gives a dispatch to further offices, without its author and without its documents. Bổ sung nơi nhận.") { id, add, cc, remove, reason, expires, author, approve, release };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            if (parsed.GetValue(remove) is not null && string.IsNullOrWhiteSpace(parsed.GetValue(reason))) throw new UsageException("--remove: say why, with --reason TEXT", "--remove: nêu lý do bằng --reason");
            using var client = shell.Client(parsed, say);
            await client.RefreshAsync(cancel).ConfigureAwait(false);
            var original = TrackCommands.Find(client, parsed.GetValue(id)!);
            var entries = await client.UpdateAsync(original, new UpdateRequest
            {
                Add = SendForm.Codes(parsed.GetValue(add)), Cc = SendForm.Codes(parsed.GetValue(cc)), Remove = SendForm.Codes(parsed.GetValue(remove)), Reason = parsed.GetValue(reason),
                Expires = SendForm.Span(parsed.GetValue(expires) ?? "30d"), As = parsed.GetValue(author), Approve = parsed.GetValue(approve) ?? [], Release = parsed.GetValue(release) ?? [],
            }, cancel).ConfigureAwait(false);
            var (code, told) = (ExchangeProgram.Good, new List<object>());
            foreach (var entry in entries)
            {
                var verdict = await client.DeliverAsync(entry, null, cancel).ConfigureAwait(false);
                told.Add(new { id = entry.Id, kind = entry.Record.About!.Kind, of = entry.Record.About.Id, revision = entry.Record.About.Revision, to = entry.Record.To, cc = entry.Record.Cc, state = verdict.GetType().Name.ToLowerInvariant() });
                code = Math.Max(code, SendCommands.Tell(entry, verdict, say));
            }
            say.Json(told);
            return code;
        });
    }

    public static Command Resend(Shell shell)
    {
        var id = new Argument<string>("ID") { Description = "Of a dispatch that was sent from here; its first characters will do" };
        var to = new Option<string>("--to") { Description = "Offices that had a copy and cannot open it, because their key is lost, or whose copy ended undelivered", Required = true, HelpName = "H41" };
        var expires = new Option<string?>("--expires") { Description = "Accepted until then at the latest: 30m, 12h, 5d; default 30d", HelpName = "5d" };
        var approve = new Option<string[]>("--approve") { Description = "Role that approves, where the approvals of then have lapsed", HelpName = "ROLE" };
        var command = new Command("resend", "Sends a dispatch once more to an office that lost its key, without its author and without its documents. Gửi lại cho nơi nhận đã mất khóa.") { id, to, expires, approve };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            await client.RefreshAsync(cancel).ConfigureAwait(false);
            var entry = await client.ResendAsync(TrackCommands.Find(client, parsed.GetValue(id)!), SendForm.Codes(parsed.GetValue(to)), SendForm.Span(parsed.GetValue(expires) ?? "30d"), parsed.GetValue(approve) ?? [], cancel).ConfigureAwait(false);
            var verdict = await client.DeliverAsync(entry, null, cancel).ConfigureAwait(false);
            say.Json(new { id = entry.Id, of = entry.Record.About!.Id, revision = entry.Record.About.Revision, to = entry.Record.To, cc = entry.Record.Cc, state = verdict.GetType().Name.ToLowerInvariant() });
            return SendCommands.Tell(entry, verdict, say);
        });
    }

    static string What(CopyView copy, Output say) => copy.State switch
    {
        "recalled" => say.Text("stopped before it was handed over", "đã dừng trước khi giao"),
        "delivered" => say.Text("has it, and is asked to give it back", "đã nhận, đang được yêu cầu trả lại"),
        "available" or "queued" => say.Text("on its way at this moment: stopped if it does not arrive, asked if it does", "đang trên đường: dừng nếu chưa tới, yêu cầu trả lại nếu đã tới"),
        _ => CopyText.Where(copy, say),
    };
}
