using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>Labels and their changes in words.</summary>
static class LabelWords
{
    public static void Show(LabelView view, OfficeClient client, Output say)
    {
        say.Say($"dispatch     {view.Id} of {view.Sender}", $"văn bản      {view.Id} của {view.Sender}");
        say.Say($"in force     {Text(view.InForce, client, say)}, since {say.Time(view.Since)}", $"hiệu lực     {Text(view.InForce, client, say)}, từ {say.Time(view.Since)}");
        if (view.Previous != view.Ctx) say.Say($"author's     {Text(view.Author, client, say)}", $"ban hành     {Text(view.Author, client, say)}");
        if (view.Extension is { } end) say.Say($"extended     until {say.Time(end)}", $"gia hạn      đến {say.Time(end)}");
        if (view.Stopped) say.Say("stopped      nothing ends by time alone", "đã dừng      không tự hết hạn");
        if (view.Changes.Count > 0)
            say.Table([say.Text("change", "thay đổi"), say.Text("state", "tình trạng"), say.Text("time", "thời gian"), say.Text("signed by", "người ký")], view.Changes.Select(c => new[]
            { What(c.Change, null, client, say), State(c, say), say.Time(c.Time), c.Words.Count == 0 ? say.Text("nobody: time", "không: theo thời gian") : string.Join("; ", c.Words.Select(w => Word(w, say))) }));
    }

    /// <param name="old">null: not compared.</param>
    public static string What(LabelChange change, Label? old, OfficeClient client, Output say)
    {
        var what = change.Act switch
        {
            LabelAct.Extension => say.Text($"protected until {say.Time(change.Until!.Value)}", $"bảo vệ đến {say.Time(change.Until!.Value)}"),
            LabelAct.Stop => say.Text("nothing ends by time alone", "không tự hết hạn"),
            LabelAct.Term => say.Text($"term over: {Text(change.Label!, client, say)}", $"hết thời hạn: {Text(change.Label!, client, say)}"),
            LabelAct.Succession => say.Text($"{Text(change.Label!, client, say)} from {say.Time(change.At!.Value)} on", $"{Text(change.Label!, client, say)} từ {say.Time(change.At!.Value)}"),
            _ => Text(change.Label!, client, say),
        };
        if (old is not null && change.Label is not null) what = $"{Text(old, client, say)} → {what}";
        return change.Reason is { } reason ? $"{what} ({reason})" : what;
    }

    public static string Text(Label label, OfficeClient client, Output say)
    {
        var level = client.Policy.Level(label.Class) is { } known && label.Policy == client.Policy.Content.Policy ? say.Text(known.Name.En, known.Name.Vi) : $"{label.Class}";
        // All of it that protects: who agrees to a change must see what falls away.
        var parts = label.Categories.Select(c => Category(c, client, say)).Concat(label.Caveats).Prepend(level);
        if (label.Basis is { } basis) parts = parts.Append(basis);
        var text = string.Join(", ", parts);
        return label.Term is { } term ? say.Text($"{text} until {say.Time(term)}", $"{text} đến {say.Time(term)}") : text;
    }

    static string Category(Category category, OfficeClient client, Output say)
    {
        if (client.Policy.TagSet(category.Tag) is not { } set) return category.Tag;
        return $"{say.Text(set.Name.En, set.Name.Vi)}: {(category.Values.Length == 0 ? say.Text("nobody", "không ai") : string.Join("/", category.Values.Select(v => set.Values.FirstOrDefault(t => t.Value == v)?.Code ?? $"{v}")))}";
    }

    static string State(LabelChangeView change, Output say) => change switch
    {
        { State: "waiting", WaitsUntil: { } until } => say.Text($"waits until {say.Time(until)}", $"chờ đến {say.Time(until)}"),
        { State: "ended" } => Refusal.All.TryGetValue(change.Code, out var known) ? say.Text(known.En, known.Vi) : change.Code,
        { InForceAt: { } since } => say.Text($"in force from {say.Time(since)}", $"có hiệu lực từ {say.Time(since)}"),
        _ => say.Text("counts", "có giá trị"),
    };

    static string Word(LabelWordView word, Output say) =>
        $"{word.Office} {word.Person?.Split(',', StringSplitOptions.TrimEntries).FirstOrDefault(p => p.StartsWith("CN=", StringComparison.Ordinal))?[3..] ?? say.Text("(not in the directory any more)", "(không còn trong danh bạ)")}";

    public static object Describe(LabelView view, OfficeClient client) => new
    {
        view.Id, view.Sender, level = client.Policy.Level(view.InForce.Class)?.Code, label = view.InForce, author = view.Author, view.Previous, view.Since, view.Extension, view.Stopped,
        changes = view.Changes.Select(c => new { c.Ref, c.Change.Act, level = c.Change.Label is { } l ? client.Policy.Level(l.Class)?.Code : null, c.Change.At, c.Change.Until, c.Change.Reason, c.State, c.Code, c.Time, c.InForceAt, c.WaitsUntil, c.Words }),
    };
}
