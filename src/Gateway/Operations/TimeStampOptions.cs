using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Exchange.Crypto.Labels;

namespace Exchange.Gateway.Operations;

/// <summary>
/// "timeStamp" in gateway.json: which authorities stamp this ledger's checkpoints (RFC 3161). Without it nobody is asked. Whose word counts is not said here: an authority's certificate must be for time-stamping
/// alone, good under the trust folder and the revocation lists in force, as for offices.
/// </summary>
sealed record TimeStampOptions
{
    const int MostUrls = 8;

    /// <summary>Asked in this order, until one gives a token that holds.</summary>
    public required IReadOnlyList<Uri> Urls { get; init; }
    /// <summary>Dotted OID of the authority's policy that must be used; null: whichever it has.</summary>
    public string? Policy { get; init; }
    [Option(10, 1, 1440, "minutes between two time-stamps while the ledger grows")]
    public long Minutes { get; init; }
    [Option(24, 1, 24, "hour at which a day ends; the newest head then gets a time-stamp in any case")]
    public long DayEndHour { get; init; }
    [Option(420, -720, 840, "minutes that the clock of dayEndHour is ahead of UTC")]
    public long UtcOffsetMinutes { get; init; }
    [Option(20, 1, 300, "seconds that an authority may take to answer")]
    public long Seconds { get; init; }

    static readonly (PropertyInfo Property, string Name, OptionAttribute Option)[] Each =
        [.. typeof(TimeStampOptions).GetProperties().Select(p => (p, JsonNamingPolicy.CamelCase.ConvertName(p.Name), p.GetCustomAttribute<OptionAttribute>()!)).Where(o => o.Item3 is not null)];

    public static IEnumerable<(string Name, OptionAttribute Option)> All => Each.Select(o => (o.Name, o.Option));

    /// <summary>All others as they are by default.</summary>
    public static TimeStampOptions Of(IReadOnlyList<Uri> urls)
    {
        var options = new TimeStampOptions { Urls = urls };
        foreach (var (property, _, option) in Each) property.SetValue(options, option.Default);
        return options;
    }

    /// <summary>Number of the day that ended last; any two times of one day give one number.</summary>
    public long DayOf(DateTimeOffset now) => (now.ToUnixTimeSeconds() + UtcOffsetMinutes * 60 - DayEndHour * 3600) / 86_400;

    internal static TimeStampOptions? Read(OptionsReader parent)
    {
        if (parent.MaybeObject("timeStamp") is not { } read) return null;
        var options = Of(UrlsOf(read)) with { Policy = read.Maybe("policy", LabelForm.IsOid, "must be a dotted OID") };
        foreach (var (property, name, option) in Each)
        {
            var member = read.Member(name);
            if (member.ValueKind == JsonValueKind.Undefined) continue;
            if (member.ValueKind == JsonValueKind.Number && member.TryGetInt64(out var number) && number >= option.Min && number <= option.Max) property.SetValue(options, number);
            else read.Errors.Add(string.Create(CultureInfo.InvariantCulture, $"timeStamp.{name}: must be an integer from {option.Min} to {option.Max} ({option.Meaning})"));
        }
        read.Finish();
        parent.Errors.AddRange(read.Errors);
        return options;
    }

    // A token proves itself, so http does, as most authorities have it.
    static List<Uri> UrlsOf(OptionsReader read)
    {
        var texts = read.Texts("urls", IsAuthority, $"must be 1 to {MostUrls} different http or https URLs without user, query or fragment, for example http://tsa.example/");
        if (texts.Count is 0 or > MostUrls && read.Errors.Count == 0) read.Errors.Add($"timeStamp.urls: must name 1 to {MostUrls} authorities");
        return [.. texts.Select(t => new Uri(t))];
    }

    static bool IsAuthority(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { UserInfo: "", Query: "", Fragment: "" } && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps);

    internal static void Write(Utf8JsonWriter json, TimeStampOptions? options)
    {
        if (options is null) return;
        json.WriteStartObject("timeStamp");
        json.WriteStartArray("urls");
        foreach (var url in options.Urls) json.WriteStringValue(url.OriginalString);
        json.WriteEndArray();
        if (options.Policy is not null) json.WriteString("policy", options.Policy);
        foreach (var (property, name, option) in Each)
            if ((long)property.GetValue(options)! is var value && value != option.Default) json.WriteNumber(name, value);
        json.WriteEndObject();
    }
}
