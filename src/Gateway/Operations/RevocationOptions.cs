using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Exchange.Crypto;

namespace Exchange.Gateway.Operations;

/// <summary>One OCSP responder.</summary>
/// <param name="Issuer">Key (SHA-256) of the CA certificate, of the trust folder, for which it answers.</param>
/// <param name="Nonce">Whether it is asked to repeat a nonce; false for responders that answer from a store.</param>
/// <param name="Sha1">Whether it knows its CA by SHA-1 alone (RFC 5019).</param>
sealed record OcspResponder(Uri Url, Digest Issuer, bool Nonce, bool Sha1);

/// <summary>"revocation" in gateway.json: where newer revocation lists and OCSP responses are fetched. Without it nothing is, and lists come as files.</summary>
sealed record RevocationOptions
{
    const int MostSources = 64;

    public IReadOnlyList<Uri> Crls { get; init; } = [];
    public IReadOnlyList<OcspResponder> Responders { get; init; } = [];
    [Option(60, 5, 10080, "minutes until a revocation list, and an answer about a certificate, is asked for again")]
    public long EveryMinutes { get; init; }
    [Option(5, 1, 1440, "minutes until a source that failed is tried again")]
    public long RetryMinutes { get; init; }
    [Option(20, 1, 300, "seconds that one answer may take, redirects and all")]
    public long Seconds { get; init; }
    [Option(16 << 20, 64 << 10, 64 << 20, "bytes of a revocation list")]
    public long CrlBytes { get; init; }
    [Option(2, 0, 5, "redirects that are followed for a revocation list")]
    public long Redirects { get; init; }

    static readonly (PropertyInfo Property, string Name, OptionAttribute Option)[] Each =
        [.. typeof(RevocationOptions).GetProperties().Select(p => (p, JsonNamingPolicy.CamelCase.ConvertName(p.Name), p.GetCustomAttribute<OptionAttribute>()!)).Where(o => o.Item3 is not null)];

    public static IEnumerable<(string Name, OptionAttribute Option)> All => Each.Select(o => (o.Name, o.Option));

    public static readonly RevocationOptions None = WithDefaults();

    public bool IsNone => Crls.Count + Responders.Count == 0;

    static RevocationOptions WithDefaults()
    {
        var options = new RevocationOptions();
        foreach (var (property, _, option) in Each) property.SetValue(options, option.Default);
        return options;
    }

    internal static RevocationOptions Read(OptionsReader parent)
    {
        if (parent.MaybeObject("revocation") is not { } read) return None;
        var options = WithDefaults() with { Crls = Urls(read), Responders = Asked(read) };
        foreach (var (property, name, option) in Each)
        {
            var member = read.Member(name);
            if (member.ValueKind == JsonValueKind.Undefined) continue;
            if (member.ValueKind == JsonValueKind.Number && member.TryGetInt64(out var number) && number >= option.Min && number <= option.Max) property.SetValue(options, number);
            else read.Errors.Add(string.Create(CultureInfo.InvariantCulture, $"revocation.{name}: must be an integer from {option.Min} to {option.Max} ({option.Meaning})"));
        }
        if (options.IsNone && read.Errors.Count == 0) read.Errors.Add("revocation: names no source; there are crls and responders");
        read.Finish();
        parent.Errors.AddRange(read.Errors);
        return options;
    }

    static List<Uri> Urls(OptionsReader read)
    {
        var member = read.Member("crls");
        if (member.ValueKind == JsonValueKind.Undefined) return [];
        if (member.ValueKind == JsonValueKind.Array && member.GetArrayLength() <= MostSources && member.EnumerateArray().All(u => u.ValueKind == JsonValueKind.String && IsSource(u.GetString()!))
            && member.EnumerateArray().Select(u => u.GetString()).Distinct().Count() == member.GetArrayLength()) return [.. member.EnumerateArray().Select(u => new Uri(u.GetString()!))];
        read.Errors.Add($"revocation.crls: must be up to {MostSources} different {Must}");
        return [];
    }

    static List<OcspResponder> Asked(OptionsReader read)
    {
        var member = read.Member("responders");
        if (member.ValueKind == JsonValueKind.Undefined) return [];
        if (member.ValueKind != JsonValueKind.Array || member.GetArrayLength() > MostSources)
        {
            read.Errors.Add($"revocation.responders: must be up to {MostSources} objects");
            return [];
        }
        return [.. member.EnumerateArray().Select((one, i) =>
        {
            var each = new OptionsReader(one, $"revocation.responders[{i}].");
            if (one.ValueKind != JsonValueKind.Object) each.Errors.Add($"revocation.responders[{i}]: must be an object");
            var url = each.Text("url", IsSource, $"must be one of {Must}");
            var issuer = each.Text("issuer", t => Digest.TryParse(t, out _), "must be the key of a CA of the trust folder (SHA-256 of its certificate, base64url)");
            var responder = new OcspResponder(url.Length == 0 ? new("http://none.invalid/") : new(url), Digest.TryParse(issuer, out var key) ? key : default,
                each.Maybe("nonce", t => t is "yes" or "no", "must be yes or no") is not "no", each.Maybe("certId", t => t is "sha1" or "sha256", "must be sha1 or sha256") is "sha1");
            each.Finish();
            read.Errors.AddRange(each.Errors);
            return responder;
        })];
    }

    const string Must = "http or https URLs without user, query or fragment, for example http://ca.example/issuing.crl";

    // What is fetched is signed, so http does; what could be a secret in a URL is not written into logs, because there is none.
    static bool IsSource(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { UserInfo: "", Query: "", Fragment: "" } && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps);

    internal void Write(Utf8JsonWriter json)
    {
        if (IsNone) return;
        json.WriteStartObject("revocation");
        if (Crls.Count > 0)
        {
            json.WriteStartArray("crls");
            foreach (var url in Crls) json.WriteStringValue(url.OriginalString);
            json.WriteEndArray();
        }
        if (Responders.Count > 0)
        {
            json.WriteStartArray("responders");
            foreach (var responder in Responders)
            {
                json.WriteStartObject();
                json.WriteString("url", responder.Url.OriginalString);
                json.WriteString("issuer", responder.Issuer.ToString());
                if (!responder.Nonce) json.WriteString("nonce", "no");
                if (responder.Sha1) json.WriteString("certId", "sha1");
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        foreach (var (property, name, option) in Each)
            if ((long)property.GetValue(this)! is var value && value != option.Default) json.WriteNumber(name, value);
        json.WriteEndObject();
    }
}
