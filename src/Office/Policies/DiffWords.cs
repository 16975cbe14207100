using System.Globalization;
using Exchange.Crypto.Policy;
using Exchange.Office.Join;

namespace Exchange.Office.Policies;

/// <summary>A diff in plain words: by level, then situation, then what changes and for whom.</summary>
static class DiffWords
{
    const int MostOffices = 12, MostLabels = 4;

    public static IReadOnlyList<Words> Lines(PolicyDiff diff)
    {
        List<Words> lines = [];
        void Add(string en, string vi) => lines.Add(new Words(en, vi));
        var count = diff.Compared.ToString(CultureInfo.InvariantCulture);
        Add($"{diff.Verdicts.Length} changes of verdict, of {count} compared; {diff.Members.Length} members differ", $"{diff.Verdicts.Length} thay đổi quyết định, đã so {count}; {diff.Members.Length} mục khác nhau");
        if (!diff.Complete) Add("! too much to compare: labels with categories, or some offices, were left out", "! quá nhiều để so: đã bỏ qua nhãn có phạm trù, hoặc một số cơ quan");
        foreach (var level in diff.Verdicts.GroupBy(v => v.Level))
        {
            Add($"level {level.Key}", $"độ mật {level.Key}");
            foreach (var change in level)
            {
                var offices = Some(change.Offices, MostOffices);
                Add($"  {Situation(change.Situation).En}: {Word(change.Before)} -> {Word(change.After)}   {offices}{Labels(change, "with")}", $"  {Situation(change.Situation).Vi}: {Word(change.Before)} -> {Word(change.After)}   {offices}{Labels(change, "nhãn")}");
            }
        }
        if (diff.Members.Length > 0) Add("members", "các mục");
        foreach (var member in diff.Members) Add($"  {member.Place}: {member.Before ?? "-"} -> {member.After ?? "-"}", $"  {member.Place}: {member.Before ?? "-"} -> {member.After ?? "-"}");
        Add($"diff {diff.Ref}", $"mã so sánh {diff.Ref}");
        return lines;
    }

    static Words Situation(string situation) => situation switch
    {
        "bare" => new("no basis, no approval", "không căn cứ, chưa phê duyệt"),
        "approved" => new("basis and approvals given", "đủ căn cứ, đã phê duyệt"),
        "released-1" => new("and released by one", "và một người duyệt phát hành"),
        "released-2" => new("and released by two", "và hai người duyệt phát hành"),
        "new-card" => new("released by two, recipient's card is new", "hai người duyệt, thẻ nơi nhận còn mới"),
        _ => new("already under way", "đang trên đường"),
    };

    static string Word(VerdictWord word) => word.Rule is null ? word.Verdict : $"{word.Verdict} ({word.Rule} {word.Reason})";

    static string Labels(VerdictChange change, string with) => change.Labels is [""] ? "" : $"   {with}: {Some([.. change.Labels.Select(Short)], MostLabels)}";

    // The tag set's OID is for --json.
    static string Short(string label)
    {
        var (made, rest) = label.Split(':', 2) is [var m, var r] ? (m + " ", r) : ("", label);
        return made + (rest.Length == 0 ? "-" : rest[(rest.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
    }

    static string Some(string[] all, int most) => all.Length <= most ? string.Join(", ", all) : $"{string.Join(", ", all.Take(most))} … ({all.Length})";
}
