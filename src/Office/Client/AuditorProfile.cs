using System.Text.Json;
using Exchange.Crypto;

namespace Exchange.Office.Client;

/// <summary>An auditor's settings: where the gateway is, his TLS key, whom he trusts. Strict JSON; relative paths start from the file's folder. There is nothing to sign or to open with here.</summary>
/// <param name="Gateway">Like https://host:port.</param>
/// <param name="Key">PKCS#12 with his TLS client certificate.</param>
/// <param name="PassphraseFile">null: from the environment variable EXCHANGE_PASSPHRASE, else from a prompt.</param>
/// <param name="Trust">Folder with roots/, intermediates/, crls/.</param>
/// <param name="Pins">pins.json as the officers gave it: name and keys of the ledger.</param>
/// <param name="State">Folder of the heads that were verified here.</param>
sealed record AuditorProfile(Uri Gateway, string Key, string? PassphraseFile, string Trust, string Pins, string State)
{
    public const string FileName = "auditor.json";
    static readonly string[] Members = ["gateway", "key", "passphraseFile", "trust", "pins", "state"];

    /// <param name="path">The file, or a folder that holds auditor.json.</param>
    /// <exception cref="ProfileException">Everything that is wrong.</exception>
    public static AuditorProfile Load(string path)
    {
        var file = Path.GetFullPath(Directory.Exists(path) ? Path.Combine(path, FileName) : path);
        if (!File.Exists(file)) throw new ProfileException(file, ["there is no such file"]);
        List<string> errors = [];
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 2 });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) throw new ProfileException(file, ["not a JSON object"]);
            errors.AddRange(root.EnumerateObject().Where(m => !Members.Contains(m.Name)).Select(m => $"{m.Name}: unknown; known are {string.Join(", ", Members)}"));
            string Text(string name)
            {
                if (root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text) return text;
                errors.Add($"{name}: missing, or not a text");
                return "";
            }
            string At(string name, bool folder = false, bool made = false)
            {
                if (Text(name) is not { Length: > 0 } text) return "";
                var full = Path.GetFullPath(text, Path.GetDirectoryName(file)!);
                if (!made && !(folder ? Directory.Exists(full) : File.Exists(full))) errors.Add($"{name}: there is no {(folder ? "folder" : "file")} {text}");
                return full;
            }
            var address = Text("gateway");
            if (address.Length > 0 && !IsGateway(address)) errors.Add("gateway: must be an address like https://host:port");
            var asks = root.TryGetProperty("passphraseFile", out var none) && none.ValueKind == JsonValueKind.Null;
            var profile = (Key: At("key"), Passphrase: asks ? null : At("passphraseFile"), Trust: At("trust", folder: true), Pins: At("pins"), State: At("state", made: true));
            return errors.Count == 0 ? new(new Uri(address), profile.Key, profile.Passphrase, profile.Trust, profile.Pins, profile.State) : throw new ProfileException(file, errors);
        }
        catch (JsonException e) { throw new ProfileException(file, [$"not JSON, line {e.LineNumber + 1}"]); }
    }

    public static bool IsGateway(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0;

    /// <summary>The file, with paths as they shall stand in it.</summary>
    public static byte[] Write(string gateway, string key, string? passphraseFile, string trust, string pins, string state)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            foreach (var (name, value) in Members.Zip([gateway, key, passphraseFile, trust, pins, state])) json.WriteString(name, value);
            json.WriteEndObject();
        }
        return [.. stream.ToArray(), (byte)'\n'];
    }

    /// <summary>The passphrase of the key file: from the file, else $EXCHANGE_PASSPHRASE, else from the prompt.</summary>
    /// <param name="prompt">null: nobody to ask.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>: none was given.</exception>
    public string Passphrase(Func<string?>? prompt)
    {
        var given = PassphraseFile is not null ? File.ReadLines(PassphraseFile).FirstOrDefault() : Environment.GetEnvironmentVariable("EXCHANGE_PASSPHRASE") ?? prompt?.Invoke();
        return string.IsNullOrEmpty(given) ? throw new RefusedException(Refusal.Passphrase, "no passphrase was given") : given;
    }
}
