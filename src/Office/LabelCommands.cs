using System.CommandLine;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>label: the label in force of a dispatch sent or received, and a person's word to change it.</summary>
static class LabelCommands
{
    /// <summary>How long a statement says something: as long as the gateway lets a change wait, unless told otherwise.</summary>
    static readonly TimeSpan Lapse = TimeSpan.FromHours(72);

    public static Command Label(Shell shell)
    {
        var command = new Command("label", "The label in force of a dispatch, and changing it. Độ mật đang có hiệu lực và thay đổi độ mật.");
        foreach (var verb in new[] { Show(shell), Raise(shell), Lower(shell), Declassify(shell), Extend(shell), Stop(shell), Agree(shell) }) command.Subcommands.Add(verb);
        return command;
    }

    static Argument<string> Id() => new("ID") { Description = "Of a dispatch that was sent or opened here; its first characters will do" };
    static Option<string> Person() => new("--as") { Description = "Whose key of the profile signs: a name under keys.persons", Required = true, HelpName = "PERSON" };
    static Option<string?> Level(string what) => new("--level") { Description = what, HelpName = "thuong|mat|…", Required = true };
    static Option<string?> Basis() => new("--basis") { Description = "Entry of the official list; default: that of the label in force", HelpName = "CODE" };
    static Option<string?> Term() => new("--term") { Description = "Protection ends after this day; default: as the label in force says", HelpName = "yyyy-MM-dd" };
    static Option<string?> From() => new("--from") { Description = "Not now, but from the start of this day on: a succession", HelpName = "yyyy-MM-dd" };

    static Option<string?> Reason(bool required)
    {
        var option = new Option<string?>("--reason") { Description = string.Join(", ", LabelReason.All), Required = required, HelpName = "CODE" };
        return option.AcceptOnlyFromAmong([.. LabelReason.All]);
    }

    static Command Show(Shell shell)
    {
        var id = Id();
        var command = new Command("show", "The label in force, by whose word, and what waits. Xem độ mật.") { id };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            await client.RefreshAsync(cancel).ConfigureAwait(false);
            var view = await client.ShowLabelAsync(parsed.GetValue(id)!, cancel).ConfigureAwait(false);
            say.Json(LabelWords.Describe(view, client));
            LabelWords.Show(view, client, say);
            if (view.Changes.FirstOrDefault(c => c.State == "waiting") is not null) say.Hint("to sign what waits as well", "để cùng ký yêu cầu đang chờ", $"exchange label agree {view.Id} --as PERSON");
            return ExchangeProgram.Good;
        });
    }

    static Command Raise(Shell shell)
    {
        var (level, basis, term, from) = (Level("The higher level; by one person who may classify so"), Basis(), Term(), From());
        return Changes(shell, "raise", "Raises the label: counts at once. Nâng độ mật.", reasonRequired: false, [level, basis, term, from], (parsed, view, client) =>
            To(view, client, parsed.GetValue(level)!, parsed.GetValue(basis), Day(parsed.GetValue(term), "--term", end: true), Day(parsed.GetValue(from), "--from", end: false), raises: true));
    }

    static Command Lower(Shell shell)
    {
        var (level, basis, term, from) = (Level("The lower level; two persons, one of the originating office"), Basis(), Term(), From());
        return Changes(shell, "lower", "Lowers the label, or lets its protection end sooner: waits for a second person. Hạ độ mật.", reasonRequired: true, [level, basis, term, from], (parsed, view, client) =>
            To(view, client, parsed.GetValue(level)!, parsed.GetValue(basis), Day(parsed.GetValue(term), "--term", end: true), Day(parsed.GetValue(from), "--from", end: false), raises: false));
    }

    static Command Declassify(Shell shell)
    {
        var from = From();
        return Changes(shell, "declassify", "Takes the label down to the lowest level: waits for a second person. Giải mật.", reasonRequired: true, [from], (parsed, view, client) =>
            To(view, client, client.Policy.Content.Levels[0].Code, null, null, Day(parsed.GetValue(from), "--from", end: false), raises: false));
    }

    static Command Extend(Shell shell)
    {
        var until = new Option<string?>("--until") { Description = "Protection ends after this day, whatever term there is", Required = true, HelpName = "yyyy-MM-dd" };
        return Changes(shell, "extend", "Protection ends later; one person. Gia hạn bảo vệ.", reasonRequired: false, [until], (parsed, view, _) => (LabelAct.Extension, null, null, Day(parsed.GetValue(until), "--until", end: true)));
    }

    static Command Stop(Shell shell) =>
        Changes(shell, "stop", "Nothing ends by time alone, until two persons lower the label; one person. Dừng việc tự hết hạn.", reasonRequired: false, [], (_, _, _) => (LabelAct.Stop, null, null, null));

    static Command Agree(Shell shell)
    {
        var (id, person) = (Id(), Person());
        var command = new Command("agree", "Signs, as another person, the change that waits. Cùng ký yêu cầu đang chờ.") { id, person };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            await client.RefreshAsync(cancel).ConfigureAwait(false);
            var view = await client.ShowLabelAsync(parsed.GetValue(id)!, cancel).ConfigureAwait(false);
            var waiting = view.Changes.Where(c => c.State == "waiting" && c.Change.Previous == view.Previous).ToList();
            return waiting switch
            {
                [var one] => await SignAsync(client, say, view, one.Change, parsed.GetValue(person)!, cancel).ConfigureAwait(false),
                [] => throw new RefusedException(Refusal.NotHeld, $"{view.Id}: no change of its label waits"),
                _ => throw new UsageException("more than one change waits: the persons have to agree on one first", "có nhiều yêu cầu đang chờ: những người ký cần thống nhất một yêu cầu trước"),
            };
        });
    }

    delegate (string Act, Label? Label, DateTimeOffset? At, DateTimeOffset? Until) Wanted(ParseResult parsed, LabelView view, OfficeClient client);

    static Command Changes(Shell shell, string name, string description, bool reasonRequired, Option[] options, Wanted wanted)
    {
        var (id, person, reason) = (Id(), Person(), Reason(reasonRequired));
        var command = new Command(name, description) { id, person, reason };
        foreach (var option in options) command.Options.Add(option);
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            await client.RefreshAsync(cancel).ConfigureAwait(false);
            var view = await client.ShowLabelAsync(parsed.GetValue(id)!, cancel).ConfigureAwait(false);
            var (act, label, at, until) = wanted(parsed, view, client);
            return await SignAsync(client, say, view, Client.ChangeLabel.New(view, act, label, at, until, parsed.GetValue(reason)), parsed.GetValue(person)!, cancel).ConfigureAwait(false);
        });
    }

    static async Task<int> SignAsync(OfficeClient client, Output say, LabelView view, LabelChange change, string person, CancellationToken cancel)
    {
        // What is signed is shown before the key is opened, in words.
        LabelWords.Show(view, client, say);
        say.Say($"to be        {LabelWords.What(change, view.InForce, client, say)}", $"thay đổi     {LabelWords.What(change, view.InForce, client, say)}");
        var verdict = await client.ChangeLabelAsync(view, change, person, Lapse, cancel).ConfigureAwait(false);
        say.Json(new { id = view.Id, change = change.Ref, change.Act, person, at = verdict.Receipt.Time, verdict.Receipt.Code, state = verdict.Waits ? "waiting" : "accepted" });
        if (!verdict.Waits) say.Say("signed and on record; it counts from now on", "đã ký và ghi sổ; có hiệu lực từ bây giờ");
        else
        {
            say.Say("signed and on record; it waits for another person", "đã ký và ghi sổ; còn chờ một người nữa");
            say.Hint("he signs with", "người đó ký bằng", $"exchange label agree {view.Id} --as PERSON");
        }
        return verdict.Waits ? ExchangeProgram.Held : ExchangeProgram.Good;
    }

    // All that the label in force bears besides stays, but the caveats that only its level demanded.
    static (string, Label?, DateTimeOffset?, DateTimeOffset?) To(LabelView view, OfficeClient client, string code, string? basis, DateTimeOffset? term, DateTimeOffset? from, bool raises)
    {
        var (policy, old) = (client.Policy, view.InForce);
        var level = policy.Level(code) ?? throw new RefusedException(Refusal.LabelClass, code);
        var caveats = raises ? old.Caveats : old.Caveats.Except(policy.Level(old.Class)?.Handling.Caveats ?? []);
        var lowest = policy.Rank(level.Class) == 0;
        var label = policy.NewLabel(code, lowest ? basis : basis ?? old.Basis, lowest ? [] : old.Categories, lowest ? [] : caveats) with { Term = lowest ? null : term?.ToUnixTimeMilliseconds() ?? old.Term };
        // Asking for the one and signing the other would be a trap; the gateway judges what is signed.
        var less = !Lattice.Dominates(policy, label, old) || (label.Term != old.Term && label.Term is { } sooner && !(old.Term is { } before && sooner >= before));
        if (raises == less)
            throw new UsageException(raises ? "this lowers the label: exchange label lower" : "this lowers nothing: exchange label raise", raises ? "như vậy là hạ độ mật: exchange label lower" : "như vậy không hạ độ mật: exchange label raise");
        return (from is null ? LabelAct.Label : LabelAct.Succession, label, from, null);
    }

    static DateTimeOffset? Day(string? text, string option, bool end) => text is null ? null : SendForm.Midnight(text, option).AddDays(end ? 1 : 0);
}
