using System.Text.Json;
using Exchange.Crypto;
using Exchange.Office.Join;

namespace Exchange.Office.Policies;

/// <summary>A decision's own trace in words. The sender's view has the verdict, its one code and what to do; nothing in it depends on which fact about the other side was missing.</summary>
static class ExplainWords
{
    /// <param name="record">Decision record, JSON.</param>
    /// <param name="reader">"sender", "officer" or "auditor".</param>
    public static IReadOnlyList<Words> Of(byte[] record, string reader, Output say)
    {
        try
        {
            using var document = JsonDocument.Parse(record);
            return reader == "sender" ? Sender(document.RootElement) : Full(document.RootElement, say);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException) { throw new RefusedException(Refusal.Json, "not a decision record"); }
    }

    static List<Words> Sender(JsonElement record)
    {
        List<Words> lines = [Verdict(record.GetProperty("verdict").GetString()!)];
        if (record.GetProperty("forSender").GetString() is { } code) lines.AddRange(Refused(code, ""));
        return lines;
    }

    static List<Words> Full(JsonElement record, Output say)
    {
        List<Words> lines = [Verdict(record.GetProperty("verdict").GetString()!)];
        lines.Add(new($"decided {say.Time(record.GetProperty("at").GetInt64())} by policy {record.GetProperty("policy").GetString()}", $"quyết định lúc {say.Time(record.GetProperty("at").GetInt64())} theo chính sách {record.GetProperty("policy").GetString()}"));
        foreach (var rule in record.GetProperty("trace").EnumerateArray())
        {
            string Of(string member) => rule.GetProperty(member).GetString() ?? "";
            lines.Add(new($"  {Of("rule")}  {Of("outcome"),-6}  {Of("subject"),-10} {Of("reason")}", $"  {Of("rule")}  {Verdict(Of("outcome")).Vi,-9}  {(Of("subject") == "dispatch" ? "văn bản" : Of("subject")),-10} {Of("reason")}"));
            if (Of("refusal") is { Length: > 0 } code) lines.AddRange(Refused(code, "       "));
        }
        if (record.GetProperty("forSender").GetString() is { } told) lines.Add(new($"the sender was told {told}", $"nơi gửi được báo {told}"));
        return lines;
    }

    static Words[] Refused(string code, string indent) => Refusal.All.TryGetValue(code, out var refusal)
        ? [new($"{indent}{code}: {refusal.En}", $"{indent}{code}: {refusal.Vi}"), new($"{indent}What to do: {refusal.RemedyEn}", $"{indent}Cách xử lý: {refusal.RemedyVi}")]
        : [new($"{indent}{code}", $"{indent}{code}")];

    static Words Verdict(string verdict) => verdict switch { "permit" => new("permit", "cho phép"), "hold" => new("hold", "chờ duyệt"), _ => new("deny", "từ chối") };
}
