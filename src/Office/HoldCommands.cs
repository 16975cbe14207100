using System.CommandLine;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>held and approve: what waits at the gateway for persons of this office, and their word.</summary>
static class HoldCommands
{
    public static Command Held(Shell shell)
    {
        var command = new Command("held", "What waits at the gateway for persons of this office. Văn bản đang chờ cho phép chuyển.");
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            await client.RefreshAsync(cancel).ConfigureAwait(false);
            var held = await client.HeldAtGatewayAsync(cancel).ConfigureAwait(false);
            say.Json(held.Select(h => Describe(h, client)));
            if (held.Count == 0) say.Say("nothing is held", "không có văn bản nào đang chờ");
            else say.Table(["id", say.Text("number", "số, ký hiệu"), say.Text("level", "độ mật"), say.Text("to", "nơi nhận"), say.Text("waits for", "chờ"), say.Text("until", "đến"), say.Text("said so far", "đã có ý kiến")],
                held.Select(h => new[] { h.Id.ToString(), client.Find(h.Id)?.Record.Number ?? "", LevelName(h.Level, client, say), string.Join(",", h.To), WaitsFor(h, say), say.Time(h.Until), string.Join("; ", h.Approvals.Select(w => Word(w, client, say))) }));
            if (held.Count > 0) say.Hint("to let one go", "để cho phép chuyển", $"exchange approve {held[0].Id} --as PERSON{(held[0].Needs is [{ Act: ApprovalAct.CarriesNothing }] ? " --carries-nothing" : "")}");
            return ExchangeProgram.Good;
        });
    }

    public static Command Approve(Shell shell)
    {
        var id = new Argument<string>("ID") { Description = "Of a held dispatch; its first characters will do" };
        var person = new Option<string>("--as") { Description = "Whose key of the profile signs: a name under keys.persons", Required = true, HelpName = "PERSON" };
        var refuse = new Option<bool>("--refuse") { Description = "Do not let it go: that ends it" };
        var nothing = new Option<bool>("--carries-nothing") { Description = "State that nothing of what it answers, which is of a higher level, is in it" };
        var command = new Command("approve", "Lets a held dispatch go, or refuses, in a person's name. Cho phép (hoặc không cho) chuyển văn bản đang chờ.") { id, person, refuse, nothing };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            using var client = shell.Client(parsed, say);
            await client.RefreshAsync(cancel).ConfigureAwait(false);
            var view = await client.ShowHeldAsync(Find(await client.HeldAtGatewayAsync(cancel).ConfigureAwait(false), parsed.GetValue(id)!), cancel).ConfigureAwait(false);
            // What is signed is shown before the key is opened, in words.
            Show(view, client, say);
            var act = ActOf(parsed.GetValue(refuse), parsed.GetValue(nothing), view.Held);
            var verdict = await client.ApproveAsync(view, parsed.GetValue(person)!, act, cancel).ConfigureAwait(false);
            say.Json(new { id = view.Held.Id, act, person = parsed.GetValue(person), at = verdict.Receipt.Time, verdict.State });
            var left = verdict.State == "held" ? (await client.HeldAtGatewayAsync(cancel).ConfigureAwait(false)).FirstOrDefault(h => h.Id == view.Held.Id) : null;
            if (left is not null) say.Say($"signed and on record; it still waits for {WaitsFor(left, say)}", $"đã ký và ghi sổ; còn chờ {WaitsFor(left, say)}");
            else if (verdict.State == "refused") say.Say("signed and on record; the dispatch has ended and will not leave", "đã ký và ghi sổ; văn bản đã kết thúc, không được chuyển");
            else say.Say("signed and on record; the dispatch is released and on its way", "đã ký và ghi sổ; văn bản đã được phép chuyển và đang trên đường");
            return verdict.State == "held" ? ExchangeProgram.Held : ExchangeProgram.Good;
        });
    }

    // One sentence is never signed in place of another: what is not asked for by its name is the release that the level wants.
    static string ActOf(bool refuse, bool nothing, HeldDispatch held)
    {
        if (refuse && nothing) throw new UsageException("--refuse or --carries-nothing, not both", "--refuse hoặc --carries-nothing, không dùng cả hai");
        if (refuse) return ApprovalAct.Refuse;
        if (nothing) return ApprovalAct.CarriesNothing;
        return held.Needs.Any(n => n.Act == ApprovalAct.Release) || held.Needs.Count == 0 ? ApprovalAct.Release
            : throw new UsageException("it waits for --carries-nothing: two persons who state that nothing of what it answers is in it", "đang chờ --carries-nothing: hai người xác nhận không mang theo nội dung của văn bản được trả lời");
    }

    static HeldDispatch Find(IReadOnlyList<HeldDispatch> held, string prefix)
    {
        var found = held.Where(h => h.Id.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.Count switch
        {
            1 => found[0],
            0 => throw new RefusedException(Refusal.NotHeld, prefix),
            _ => throw new UsageException($"{prefix}: more than one dispatch begins so", $"{prefix}: có nhiều văn bản bắt đầu như vậy"),
        };
    }

    // The subject is sealed, also for us: what stands here is what the header and our own outbox say.
    static void Show(HeldView view, OfficeClient client, Output say)
    {
        var (held, header) = (view.Held, view.Header);
        say.Say($"dispatch    {held.Id}", $"văn bản     {held.Id}");
        say.Say($"number      {view.Entry?.Record.Number ?? "not known on this machine"}", $"số, ký hiệu {view.Entry?.Record.Number ?? "máy này không có"}");
        say.Say($"level       {LevelName(held.Level, client, say)}, marked {header.Label.Mark}", $"độ mật      {LevelName(held.Level, client, say)}, dấu {header.Label.Mark}");
        if (header.Label.Basis is { } basis) say.Say($"basis       {basis}", $"căn cứ      {basis}");
        say.Say($"to          {string.Join("; ", held.To.Select(o => Office(o, client, say)))}", $"nơi nhận    {string.Join("; ", held.To.Select(o => Office(o, client, say)))}");
        // Who says that nothing of it is in here must know of what.
        foreach (var answered in header.References) say.Say($"answers     {answered.Id}", $"trả lời     {answered.Id}");
        say.Say($"sent        {say.Time(held.HeldAt)}, ends as refused at {say.Time(held.Until)}", $"gửi lúc     {say.Time(held.HeldAt)}, hết hạn chờ lúc {say.Time(held.Until)}");
        say.Say($"waits for   {WaitsFor(held, say)}", $"chờ         {WaitsFor(held, say)}");
        foreach (var word in held.Approvals) say.Say($"said        {Word(word, client, say)}, {say.Time(word.Time)}", $"ý kiến      {Word(word, client, say)}, {say.Time(word.Time)}");
    }

    internal static string WaitsFor(HeldDispatch held, Output say) => held.Needs.Where(n => n.Missing > 0).ToList() is { Count: > 0 } needs ? string.Join("; ", needs.Select(n => WaitsFor(n, say)))
        : Refusal.All.TryGetValue(held.Code, out var known) ? say.Text(known.En, known.Vi) : held.Code;

    static string WaitsFor(HeldNeed need, Output say)
    {
        if (need.Act == ApprovalAct.CarriesNothing) return say.Text($"{need.Missing} of {need.Persons} persons with --carries-nothing", $"{need.Missing}/{need.Persons} người với --carries-nothing");
        return say.Text($"{need.Missing} of {need.Persons} persons: {string.Join(" or ", need.Roles)}", $"{need.Missing}/{need.Persons} người: {string.Join(" hoặc ", need.Roles)}");
    }

    static string Word(HeldWord word, OfficeClient client, Output say)
    {
        var who = client.Directory.Find(client.Profile.Office)?.Persons.FirstOrDefault(p => p.Certificate.Key == word.Person);
        var name = who is null ? word.Person.ToString()[..8] : $"{Name(who.Certificate.Subject)} ({string.Join(", ", who.Roles)})";
        if (word.Act is ApprovalAct.CarriesNothing or ApprovalAct.BelowFloor) name = $"{name}, --{word.Act}";
        return word.Act == ApprovalAct.Refuse ? say.Text($"{name}: no", $"{name}: không cho phép") : word.Roles.Count == 0 ? say.Text($"{name}: yes, but does not count any more", $"{name}: cho phép, nhưng không còn hiệu lực") : say.Text($"{name}: yes", $"{name}: cho phép");
    }

    static string Name(string subject) => subject.Split(',', StringSplitOptions.TrimEntries).FirstOrDefault(p => p.StartsWith("CN=", StringComparison.Ordinal))?[3..] ?? subject;

    static string LevelName(int @class, OfficeClient client, Output say) => client.Policy.Level(@class) is { } level ? say.Text(level.Name.En, level.Name.Vi) : $"{@class}";

    static string Office(string code, OfficeClient client, Output say) => client.Directory.Find(code) is { } office ? $"{code} {say.Text(office.Name.En, office.Name.Vi)}" : code;

    static object Describe(HeldDispatch h, OfficeClient client) => new { h.Id, number = client.Find(h.Id)?.Record.Number, level = client.Policy.Level(h.Level)?.Code, h.Urgency, h.Code, h.HeldAt, h.Until, h.To, h.Needs, h.Approvals };
}
