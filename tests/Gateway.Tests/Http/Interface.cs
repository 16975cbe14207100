using System.Text.Json;
using System.Text.RegularExpressions;

namespace Exchange.Tests.Http;

/// <summary>docs/openapi.json, held against every answer that a test gets.</summary>
static class Interface
{
    static readonly JsonElement Document = Read();
    static readonly Regex Placeholder = new(@"\{[^}]+\}");

    public static readonly byte[] Bytes = Embedded();

    public static IEnumerable<(string Method, string Path)> Operations =>
        from path in Document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        where operation.Name != "parameters"
        select (operation.Name.ToUpperInvariant(), path.Name);

    /// <summary>Every code that some operation may answer with, and the status it has there.</summary>
    public static IEnumerable<(string Code, int Status)> Codes =>
        from path in Document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        where operation.Name != "parameters"
        from response in operation.Value.GetProperty("responses").EnumerateObject()
        where response.Value.TryGetProperty("content", out var content) && content.TryGetProperty("application/problem+json", out _)
        from code in response.Value.GetProperty("content").GetProperty("application/problem+json").GetProperty("schema").GetProperty("properties").GetProperty("code").GetProperty("enum").EnumerateArray()
        select (code.GetString()!, int.Parse(response.Name, System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Fails when the document does not say that this may be answered here.</summary>
    public static void Demand(HttpMethod method, string target, HttpResponseMessage response, byte[] body)
    {
        var (status, path) = ((int)response.StatusCode, target.Split('?')[0]);
        // Of two patterns that match the one without placeholders there is meant.
        var item = Document.GetProperty("paths").EnumerateObject().Where(p => Pattern(p.Name).IsMatch(path)).OrderBy(p => p.Name.Count(c => c == '{')).Select(p => (JsonElement?)p.Value).FirstOrDefault();
        var operation = item is { } found && found.TryGetProperty(method.Method.ToLowerInvariant(), out var one) ? (JsonElement?)one : null;
        if (operation is null)
        {
            Assert.True((status, Code(response, body)) == (item is null ? (404, "E_NOT_FOUND") : (400, "E_REQUEST")), $"{method} {path}, which is not in the document, answered {status}");
            return;
        }
        Assert.True(operation.Value.GetProperty("responses").TryGetProperty($"{status}", out var documented), $"{method} {path} answered {status} {Code(response, body)}, which the document does not list");
        foreach (var header in documented.TryGetProperty("headers", out var headers) ? headers.EnumerateObject().ToList() : [])
            if (Resolved(header.Value).TryGetProperty("required", out _)) Assert.True(response.Headers.Contains(header.Name), $"{method} {path} {status} without {header.Name}");

        var type = response.Content.Headers.ContentType?.MediaType;
        if (!documented.TryGetProperty("content", out var content))
        {
            Assert.True(body.Length == 0, $"{method} {path} {status} has a body");
            return;
        }
        Assert.True(type is not null && content.TryGetProperty(type, out _), $"{method} {path} {status} is {type}");
        if (method == HttpMethod.Head || !type!.EndsWith("json", StringComparison.Ordinal)) return;
        var faults = Faults(content.GetProperty(type).GetProperty("schema"), JsonDocument.Parse(body).RootElement, "").ToList();
        Assert.True(faults.Count == 0, $"{method} {path} {status}: {string.Join("; ", faults)}");
    }

    // Sealed bytes may begin like JSON.
    static string? Code(HttpResponseMessage response, byte[] body) => response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true && body.Length > 0 && JsonDocument.Parse(body).RootElement.TryGetProperty("code", out var code) ? code.GetString() : null;

    // Only the tile's path has slashes in a placeholder.
    static Regex Pattern(string path) => new("^" + Placeholder.Replace(Regex.Escape(path).Replace("\\{", "{", StringComparison.Ordinal), m => m.Value == "{rest}" ? ".+" : "[^/]+") + "$");

    static JsonElement Resolved(JsonElement element)
    {
        if (!element.TryGetProperty("$ref", out var reference)) return element;
        return reference.GetString()!.Split('/').Skip(1).Aggregate(Document, (at, name) => at.GetProperty(name));
    }

    /// <summary>The part of JSON Schema that the document uses; a word that this does not know is a fault of the document.</summary>
    static IEnumerable<string> Faults(JsonElement schema, JsonElement value, string at) => schema.EnumerateObject().SelectMany(word => word.Name switch
    {
        "$ref" => Faults(Resolved(schema), value, at),
        "type" => Types(word.Value).Any(t => Is(value, t)) ? [] : [$"{at} is {value.ValueKind}"],
        "enum" => word.Value.EnumerateArray().Any(v => JsonElement.DeepEquals(v, value)) ? [] : [$"{at} is {value}"],
        "const" => JsonElement.DeepEquals(word.Value, value) ? [] : [$"{at} is {value}"],
        "pattern" => Regex.IsMatch(value.GetString()!, word.Value.GetString()!) ? [] : [$"{at} is {value}"],
        "required" => word.Value.EnumerateArray().Where(n => value.ValueKind == JsonValueKind.Object && !value.TryGetProperty(n.GetString()!, out _)).Select(n => $"{at} has no {n}"),
        "properties" => value.ValueKind != JsonValueKind.Object ? [] : word.Value.EnumerateObject().Where(p => value.TryGetProperty(p.Name, out _)).SelectMany(p => Faults(p.Value, value.GetProperty(p.Name), $"{at}.{p.Name}")),
        "additionalProperties" => value.ValueKind != JsonValueKind.Object ? [] : value.EnumerateObject().Where(m => !schema.GetProperty("properties").TryGetProperty(m.Name, out _)).Select(m => $"{at}.{m.Name} is not in the document"),
        "items" => value.ValueKind != JsonValueKind.Array ? [] : value.EnumerateArray().SelectMany((v, i) => Faults(word.Value, v, $"{at}[{i}]")),
        "description" or "format" or "contentMediaType" => [],
        _ => [$"{word.Name} is not understood"],
    });

    static IEnumerable<string> Types(JsonElement type) => type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(t => t.GetString()!) : [type.GetString()!];

    static bool Is(JsonElement value, string type) => value.ValueKind switch
    {
        JsonValueKind.Null => type == "null",
        JsonValueKind.String => type == "string",
        JsonValueKind.Number => type == "integer" && value.TryGetInt64(out _),
        JsonValueKind.Object => type == "object",
        JsonValueKind.Array => type == "array",
        _ => type == "boolean",
    };

    static byte[] Embedded()
    {
        using var stream = typeof(Gateway.GatewayHost).Assembly.GetManifestResourceStream("openapi.json")!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    static JsonElement Read() => JsonDocument.Parse(Embedded()).RootElement;
}
