using System.Text.Json;
using Exchange.Adapters.Mail;

namespace Exchange.Gateway.Operations;

/// <summary>Whom alarms are told, under "alarms" in gateway.json; without it they stand in the log alone.</summary>
/// <param name="Webhook">https URL; null: none.</param>
/// <param name="Token">File whose first line is sent as bearer token; null: none.</param>
/// <param name="Authorities">PEM file: who may have issued the webhook's certificate; null: whom the system trusts.</param>
/// <param name="Mail">Addresses; they get mail through the gateway's own relay.</param>
sealed record AlarmOptions(Uri? Webhook, string? Token, string? Authorities, IReadOnlyList<string> Mail)
{
    public static readonly AlarmOptions None = new(null, null, null, []);

    internal static AlarmOptions Read(OptionsReader parent)
    {
        if (parent.Member("alarms").ValueKind == JsonValueKind.Undefined) return None;
        var read = parent.Object("alarms");
        string? File(string name) => read.Member(name).ValueKind == JsonValueKind.Undefined ? null : read.Text(name, path => Path.IsPathFullyQualified(path) && System.IO.File.Exists(path), "must be the absolute path of an existing file");
        var webhook = read.Member("webhook").ValueKind == JsonValueKind.Undefined ? null
            : read.Text("webhook", IsHttps, "must be an https URL without user or fragment, for example https://duty.example/alarms") is { Length: > 0 } text ? new Uri(text) : null;
        var options = new AlarmOptions(webhook, File("token"), File("authorities"), Addresses(read));
        if (webhook is null && options.Mail.Count == 0 && read.Errors.Count == 0) read.Errors.Add("alarms: names nobody; there are webhook and mail");
        read.Finish();
        parent.Errors.AddRange(read.Errors);
        return options;
    }

    static bool IsHttps(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { UserInfo: "", Fragment: "" } && uri.Scheme == Uri.UriSchemeHttps;

    static IReadOnlyList<string> Addresses(OptionsReader read)
    {
        var member = read.Member("mail");
        if (member.ValueKind == JsonValueKind.Undefined) return [];
        if (member.ValueKind == JsonValueKind.Array && member.EnumerateArray().All(a => a.ValueKind == JsonValueKind.String && MailAddress.IsGood(a.GetString()))) return [.. member.EnumerateArray().Select(a => a.GetString()!)];
        read.Errors.Add("alarms.mail: must be a list of addresses, NAME@DOMAIN");
        return [];
    }

    internal void Write(Utf8JsonWriter json)
    {
        if (this == None) return;
        json.WriteStartObject("alarms");
        if (Webhook is not null) json.WriteString("webhook", Webhook.AbsoluteUri);
        if (Token is not null) json.WriteString("token", Token);
        if (Authorities is not null) json.WriteString("authorities", Authorities);
        if (Mail.Count > 0)
        {
            json.WriteStartArray("mail");
            foreach (var address in Mail) json.WriteStringValue(address);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }
}
