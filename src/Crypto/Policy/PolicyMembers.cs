using System.Text.Json;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Policy;

/// <summary>Which members of two policies differ, by name: levels by code, tag sets by tag, values by code. Signers, version and times of the statement are not part of what they say.</summary>
static class PolicyMembers
{
    static readonly string[] Aside = ["v", "type", "signers", "version"];

    public static MemberChange[] Compare(PolicyStatement old, PolicyStatement @new)
    {
        var (before, after) = (Flat(old), Flat(@new));
        return [.. before.Keys.Union(after.Keys).Order(StringComparer.Ordinal)
            .Select(place => new MemberChange(place, before.GetValueOrDefault(place), after.GetValueOrDefault(place))).Where(c => c.Before != c.After)];
    }

    static Dictionary<string, string> Flat(PolicyStatement policy)
    {
        var flat = new Dictionary<string, string>(StringComparer.Ordinal);
        using var document = JsonDocument.Parse(StrictJson.Write(policy, StatementJson.Default.PolicyStatement));
        foreach (var member in document.RootElement.EnumerateObject().Where(m => !Aside.Contains(m.Name))) Walk(member.Name, member.Value, flat);
        // The order of levels is the scheme itself.
        flat["levels"] = string.Join(" < ", policy.Levels.Select(l => l.Code));
        return flat;
    }

    static void Walk(string place, JsonElement value, Dictionary<string, string> flat)
    {
        if (value.ValueKind == JsonValueKind.Object)
            foreach (var member in value.EnumerateObject()) Walk($"{place}.{member.Name}", member.Value, flat);
        else if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.Object && Name(e) is not null) && value.GetArrayLength() > 0)
            foreach (var element in value.EnumerateArray()) Walk($"{place}.{Name(element)}", element, flat);
        else flat[place] = value.GetRawText();
    }

    static string? Name(JsonElement element) => element.TryGetProperty("code", out var code) ? code.GetString() : element.TryGetProperty("tag", out var tag) ? tag.GetString() : null;
}
