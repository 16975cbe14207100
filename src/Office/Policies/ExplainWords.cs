using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Office.Join;

namespace Exchange.Office.Policies;

/// <summary>A decision's own trace in words, as much of it as the reader may see: <see cref="Explanation"/>, laid out for a terminal.</summary>
static class ExplainWords
{
    public static IReadOnlyList<string> Readers { get; } = ["sender", "officer", "auditor"];

    /// <param name="reader">One of <see cref="Readers"/>.</param>
    /// <param name="clearance">Of an auditor.</param>
    public static IReadOnlyList<Words> Of(Decision decision, CompiledPolicy policy, string reader, Clearance? clearance, Output say)
    {
        var lines = Explanation.For(reader switch { "sender" => Audience.Sender, "officer" => Audience.PolicyOfficer, _ => Audience.Auditor }, decision, policy, clearance);
        // Of what he is not cleared for he reads the same as of what is not there.
        if (lines.Count == 0) return [new("nothing that this clearance covers", "không có gì trong phạm vi được phép đọc")];
        var at = say.Time(decision.At.ToUnixTimeMilliseconds());
        List<Words> words = [Verdict(decision.Verdict)];
        if (reader != "sender") words.Add(new($"decided {at} by policy {decision.Policy}", $"quyết định lúc {at} theo chính sách {decision.Policy}"));
        foreach (var line in lines.Where(l => l.Code != "OK" || l.Rule is not null)) words.AddRange(Of(line));
        return words;
    }

    static IEnumerable<Words> Of(ExplanationLine line)
    {
        var (indent, verdict) = ("", Verdict(line.Outcome));
        if (line.Rule is not null)
        {
            indent = "       ";
            yield return new($"  {line.Rule}  {verdict.En,-6}  {line.Subject,-10} {line.Reason}", $"  {line.Rule}  {verdict.Vi,-9}  {(line.Subject == "dispatch" ? "văn bản" : line.Subject),-10} {line.Reason}");
            if (line.Code == "OK") yield break;
        }
        yield return new($"{indent}{line.Code}: {line.Text.En}", $"{indent}{line.Code}: {line.Text.Vi}");
        if (line.Remedy is { } remedy) yield return new($"{indent}What to do: {remedy.En}", $"{indent}Cách xử lý: {remedy.Vi}");
    }

    static Words Verdict(Verdict verdict) => verdict switch
    {
        Crypto.Policy.Verdict.Permit => new("permit", "cho phép"),
        Crypto.Policy.Verdict.Hold => new("hold", "chờ duyệt"),
        _ => new("deny", "từ chối"),
    };
}
