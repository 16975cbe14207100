using System.CommandLine;
using Exchange.Crypto;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>recall: what was sent is taken back.</summary>
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
            var entry = await client.RecallAsync(original, new RecallRequest
            {
                Reason = parsed.GetValue(reason)!, To = parsed.GetValue(to)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [], Level = parsed.GetValue(level), As = parsed.GetValue(author),
                Approve = parsed.GetValue(approve) ?? [], Release = parsed.GetValue(release) ?? [],
            }, cancel).ConfigureAwait(false);
            var verdict = await client.DeliverAsync(entry, null, cancel).ConfigureAwait(false);
            var code = SendCommands.Tell(entry, verdict, say);
            var view = verdict is DeliveryVerdict.Accepted ? await client.TrackAsync(original, audit: false, cancel).ConfigureAwait(false) : null;
            say.Json(new { id = entry.Id, recalls = original.Id, revision = entry.Record.About!.Revision, state = verdict.GetType().Name.ToLowerInvariant(), copies = view?.Copies.Where(c => entry.Record.To.Contains(c.Office)).Select(c => new { c.Office, c.State, c.Code }) });
            foreach (var copy in view?.Copies.Where(c => entry.Record.To.Contains(c.Office)) ?? []) say.Say($"  {copy.Office}: {What(copy, say)}", $"  {copy.Office}: {What(copy, say)}");
            return code;
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
