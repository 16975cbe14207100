using System.Net;
using System.Text.Json;
using Exchange.Crypto;

namespace Exchange.Gateway.Operations;

/// <summary>Reads one JSON object member by member and collects what is wrong instead of stopping at the first error.</summary>
sealed class OptionsReader(JsonElement json, string path)
{
    readonly HashSet<string> known = [];

    public List<string> Errors { get; } = [];

    public JsonElement Member(string name)
    {
        known.Add(name);
        return json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var member) ? member : default;
    }

    public string Text(string name, Func<string, bool> good, string must)
    {
        var member = Member(name);
        if (member.ValueKind == JsonValueKind.String && member.GetString() is { } text && good(text)) return text;
        Errors.Add($"{path}{name}: {(member.ValueKind == JsonValueKind.Undefined ? "missing; " : "")}{must}");
        return "";
    }

    /// <summary>null: it is not there.</summary>
    public string? Maybe(string name, Func<string, bool> good, string must) => Member(name).ValueKind == JsonValueKind.Undefined ? null : Text(name, good, must);

    public int Number(string name, int min, int max)
    {
        var member = Member(name);
        if (member.ValueKind == JsonValueKind.Number && member.TryGetInt32(out var number) && number >= min && number <= max) return number;
        Errors.Add($"{path}{name}: {(member.ValueKind == JsonValueKind.Undefined ? "missing; " : "")}must be an integer from {min} to {max}");
        return min;
    }

    public string AbsoluteFile(string name) => Text(name, Path.IsPathFullyQualified, "must be an absolute path");

    public IPEndPoint? EndPoint(string name, bool loopback)
    {
        var member = Member(name);
        if (member.ValueKind == JsonValueKind.Undefined) return null;
        if (member.ValueKind == JsonValueKind.String && TryEndPoint(member.GetString()!, out var found) && (!loopback || IPAddress.IsLoopback(found.Address))) return found;
        Errors.Add($"{path}{name}: must be ADDRESS:PORT{(loopback ? " with a loopback address" : "")}, for example 127.0.0.1:0");
        return null;
    }

    /// <summary>Absolute URL without user, query or fragment; plain HTTP does not leave the machine. A path is a folder: OTLP appends to it.</summary>
    public Uri? Collector(string name)
    {
        var member = Member(name);
        if (member.ValueKind == JsonValueKind.Undefined) return null;
        if (member.ValueKind == JsonValueKind.String && Uri.TryCreate(member.GetString(), UriKind.Absolute, out var uri) && uri is { UserInfo: "", Query: "", Fragment: "" }
            && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback)) && uri.AbsolutePath.EndsWith('/')) return uri;
        Errors.Add($"{path}{name}: must be an https URL without user, query or fragment, ending in / (http only to a loopback address), for example https://collector.example:4318/");
        return null;
    }

    public IReadOnlyList<Digest> Keys(string name)
    {
        var member = Member(name);
        List<Digest> keys = [];
        if (member.ValueKind == JsonValueKind.Array)
            foreach (var item in member.EnumerateArray())
                if (item.ValueKind == JsonValueKind.String && Digest.TryParse(item.GetString(), out var key)) keys.Add(key);
        var wanted = member.ValueKind == JsonValueKind.Array ? member.GetArrayLength() : 0;
        if (keys.Count < 2 || keys.Count != wanted || keys.Distinct().Count() != keys.Count)
            Errors.Add($"{path}{name}: must be two or more different keys (SHA-256 of a certificate, base64url)");
        return keys;
    }

    /// <summary>Any number of texts, each once; none: it is not there.</summary>
    public IReadOnlyList<string> Texts(string name, Func<string, bool> good, string must)
    {
        var member = Member(name);
        if (member.ValueKind == JsonValueKind.Undefined) return [];
        if (member.ValueKind == JsonValueKind.Array && member.EnumerateArray().All(t => t.ValueKind == JsonValueKind.String && good(t.GetString()!))
            && member.EnumerateArray().Select(t => t.GetString()!).ToArray() is var texts && texts.Distinct().Count() == texts.Length) return texts;
        Errors.Add($"{path}{name}: {must}");
        return [];
    }

    /// <summary>Any number of keys; none: it is not there.</summary>
    public IReadOnlyList<Digest> MaybeKeys(string name)
    {
        var member = Member(name);
        if (member.ValueKind == JsonValueKind.Undefined) return [];
        List<Digest> keys = [];
        if (member.ValueKind == JsonValueKind.Array)
            foreach (var item in member.EnumerateArray())
                if (item.ValueKind == JsonValueKind.String && Digest.TryParse(item.GetString(), out var key)) keys.Add(key);
        if (member.ValueKind != JsonValueKind.Array || keys.Count != member.GetArrayLength()) Errors.Add($"{path}{name}: must be keys (SHA-256 of a certificate, base64url)");
        return keys;
    }

    /// <summary>null: it is not there.</summary>
    public OptionsReader? MaybeObject(string name) => Member(name).ValueKind == JsonValueKind.Undefined ? null : Object(name);

    public OptionsReader Object(string name)
    {
        var member = Member(name);
        if (member.ValueKind != JsonValueKind.Object) Errors.Add($"{path}{name}: must be an object");
        return new OptionsReader(member, $"{path}{name}.");
    }

    /// <summary>Names the members that nobody asked for.</summary>
    public void Finish()
    {
        if (json.ValueKind == JsonValueKind.Object)
            foreach (var member in json.EnumerateObject())
                if (!known.Contains(member.Name)) Errors.Add($"{path}{member.Name}: no such option; there are: {string.Join(", ", known)}");
    }

    // IPEndPoint.TryParse takes an address without a port as port 0: here the port must be said.
    public static bool TryEndPoint(string text, out IPEndPoint found)
    {
        found = null!;
        return IPEndPoint.TryParse(text, out var parsed) && parsed.ToString() == text && (found = parsed) is not null;
    }
}
