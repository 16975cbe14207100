using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;

namespace Exchange.Office.Client;

/// <summary>Whom the office trusts, fixed in its profile and never learned from the gateway.</summary>
/// <param name="DirectoryOfficers">Keys; two different ones sign each directory.</param>
/// <param name="PolicyOfficers">Keys; two different ones sign each policy.</param>
/// <param name="GatewayEvidence">Key that signs the gateway's receipts.</param>
/// <param name="Origin">Origin of the gateway's ledger.</param>
/// <param name="CheckpointKey">C2SP verifier key line of that ledger.</param>
public sealed record Pins(IReadOnlyList<Digest> DirectoryOfficers, IReadOnlyList<Digest> PolicyOfficers, Digest GatewayEvidence, string Origin, string CheckpointKey)
{
    /// <summary>Further keys of the ledger: ML-DSA-44, older and coming ones. Those of another name are of ledgers that ended, which this one follows.</summary>
    public IReadOnlyList<string> CheckpointKeys { get; init; } = [];

    /// <summary>All keys, each once; by their names of the ledger and of those that it follows.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>: one cannot be read.</exception>
    internal IReadOnlyList<VerifierKey> KeysOfLedger => [.. CheckpointKeys.Prepend(CheckpointKey).Select(VerifierKey.Parse).Distinct()];

    /// <summary>It names the ledger, or one that it follows: a further key of that name is pinned.</summary>
    internal bool IsOurs(string origin) => origin == Origin || CheckpointKeys.Any(k => VerifierKey.TryParse(k, out var key) && key.Name == origin);
}

/// <summary>PKCS#12 files, absolute paths.</summary>
/// <param name="Encrypt">The current key first, then older ones that still open what was sealed to them.</param>
/// <param name="Persons">By role ("signatory", "clerk"), or by any other name where several persons have one role.</param>
public sealed record KeyFiles(string Sign, IReadOnlyList<string> Encrypt, string Tls, IReadOnlyDictionary<string, string> Persons)
{
    /// <summary>Keys of the office's own archive, in no card: the current one first, then older ones that still open what was archived under them. Empty: nothing is archived.</summary>
    public IReadOnlyList<string> Archive { get; init; } = [];
}

/// <summary>Who time-stamps what is signed here. Their certificates are trusted by the trust folder, as all others.</summary>
/// <param name="Authorities">1 to 8, asked in this order.</param>
/// <param name="Policy">Dotted OID under which they must work; null: any.</param>
public sealed record TimeStampSettings(IReadOnlyList<Uri> Authorities, string? Policy);

/// <summary>Everything wrong with a profile, at once.</summary>
public sealed class ProfileException(string path, IReadOnlyList<string> errors) : Exception($"{path}: {string.Join("; ", errors)}")
{
    public IReadOnlyList<string> Errors { get; } = errors;
    public string ProfilePath { get; } = path;
}

/// <summary>An office's settings: who it is, where its gateway and keys are, whom it trusts. Strict JSON; relative paths start from the file's folder.</summary>
public sealed record Profile
{
    public required string Office { get; init; }
    public required Uri Gateway { get; init; }
    public required Pins Pins { get; init; }
    public required KeyFiles Keys { get; init; }
    /// <summary>null: from the environment variable EXCHANGE_PASSPHRASE, else from a prompt.</summary>
    public required string? PassphraseFile { get; init; }
    /// <summary>Folder with roots/, intermediates/, crls/.</summary>
    public required string Trust { get; init; }
    /// <summary>Folder of outbox, received, directory, policy, checkpoint.</summary>
    public required string State { get; init; }

    /// <summary>Word list that proposes a lowest level before sealing; null: none.</summary>
    public string? Words { get; init; }

    /// <summary>null: no authority is known, so nothing can be time-stamped.</summary>
    public TimeStampSettings? TimeStamps { get; init; }

    /// <param name="path">The file, or a folder that holds profile.json.</param>
    /// <exception cref="ProfileException">Everything that is wrong.</exception>
    public static Profile Load(string path)
    {
        var file = Path.GetFullPath(Directory.Exists(path) ? Path.Combine(path, "profile.json") : path);
        if (!File.Exists(file)) throw new ProfileException(file, ["there is no such file"]);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
            var reader = new ProfileReader(Path.GetDirectoryName(file)!);
            var profile = reader.Read(document.RootElement);
            return reader.Errors.Count == 0 ? profile! : throw new ProfileException(file, reader.Errors);
        }
        catch (JsonException e)
        {
            throw new ProfileException(file, [$"not JSON, line {e.LineNumber + 1}"]);
        }
    }

    /// <summary>The passphrase of the key files: from the file, else $EXCHANGE_PASSPHRASE, else from the prompt.</summary>
    /// <param name="prompt">null: nobody to ask.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>: none was given.</exception>
    public string Passphrase(Func<string?>? prompt)
    {
        var given = PassphraseFile is not null ? File.ReadLines(PassphraseFile).FirstOrDefault()
            : Environment.GetEnvironmentVariable("EXCHANGE_PASSPHRASE") ?? prompt?.Invoke();
        return string.IsNullOrEmpty(given) ? throw new RefusedException(Refusal.Passphrase, "no passphrase was given") : given;
    }
}

/// <summary>Collects every error instead of stopping at the first.</summary>
sealed class ProfileReader(string folder)
{
    public List<string> Errors { get; } = [];

    public Profile? Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) { Errors.Add("not a JSON object"); return null; }
        Known(root, "", "office", "gateway", "origin", "checkpointKey", "checkpointKeys", "pins", "keys", "passphraseFile", "trust", "state", "words", "timestamps");
        var office = Text(root, "", "office") ?? "";
        if (office.Length > 0 && (office.Length > 50 || !office.All(c => c is >= 'A' and <= 'Z' or >= '0' and <= '9' or '.' or '-')))
            Errors.Add("office: a code has 1 to 50 of A-Z, 0-9, '.' and '-'");
        var address = Text(root, "", "gateway");
        Uri? gateway = null;
        if (address is not null && (!Uri.TryCreate(address, UriKind.Absolute, out gateway) || gateway.Scheme != Uri.UriSchemeHttps || gateway.PathAndQuery != "/"))
            Errors.Add("gateway: must be an address like https://host:port");
        var pins = Child(root, "", "pins");
        Known(pins, "pins.", "directoryOfficers", "policyOfficers", "gatewayEvidence");
        var keys = Child(root, "", "keys");
        Known(keys, "keys.", "sign", "encrypt", "tls", "persons", "archive");
        return new Profile
        {
            Office = office,
            Gateway = gateway ?? new Uri("https://invalid"),
            Pins = new Pins(Officers(pins, "directoryOfficers"), Officers(pins, "policyOfficers"), Key(Text(pins, "pins.", "gatewayEvidence"), "pins.gatewayEvidence"),
                Text(root, "", "origin") ?? "", Text(root, "", "checkpointKey") ?? "") { CheckpointKeys = root.TryGetProperty("checkpointKeys", out _) ? [.. Texts(root, "", "checkpointKeys")] : [] },
            Keys = new KeyFiles(Existing(Text(keys, "keys.", "sign"), "keys.sign"),
                [.. Texts(keys, "keys.", "encrypt").Select((f, i) => Existing(f, $"keys.encrypt[{i}]"))],
                Existing(Text(keys, "keys.", "tls"), "keys.tls"), Persons(keys))
            {
                Archive = keys.ValueKind == JsonValueKind.Object && keys.TryGetProperty("archive", out _) ? [.. Texts(keys, "keys.", "archive").Select((f, i) => Existing(f, $"keys.archive[{i}]"))] : [],
            },
            PassphraseFile = root.TryGetProperty("passphraseFile", out var none) && none.ValueKind == JsonValueKind.Null ? null
                : Existing(Text(root, "", "passphraseFile"), "passphraseFile"),
            Trust = Existing(Text(root, "", "trust"), "trust", isFolder: true),
            State = Path.GetFullPath(Text(root, "", "state") ?? "", folder),
            Words = root.TryGetProperty("words", out _) ? Existing(Text(root, "", "words"), "words") : null,
            TimeStamps = root.TryGetProperty("timestamps", out _) ? TimeStamps(Child(root, "", "timestamps")) : null,
        };
    }

    TimeStampSettings TimeStamps(JsonElement given)
    {
        const int most = 8;
        Known(given, "timestamps.", "authorities", "policy");
        var authorities = new List<Uri>();
        foreach (var text in Texts(given, "timestamps.", "authorities"))
            if (Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps) && address.UserInfo.Length == 0) authorities.Add(address);
            else Errors.Add($"timestamps.authorities[{authorities.Count}]: must be an address like http://host/path");
        if (authorities.Count > most) Errors.Add($"timestamps.authorities: at most {most}");
        var policy = given.ValueKind == JsonValueKind.Object && given.TryGetProperty("policy", out _) ? Text(given, "timestamps.", "policy") : null;
        if (policy is not null && !LabelForm.IsOid(policy)) Errors.Add("timestamps.policy: not a dotted OID");
        return new TimeStampSettings(authorities, policy);
    }

    void Known(JsonElement parent, string prefix, params string[] names)
    {
        if (parent.ValueKind != JsonValueKind.Object) return;
        foreach (var member in parent.EnumerateObject())
            if (!names.Contains(member.Name)) Errors.Add($"{prefix}{member.Name}: unknown; known are {string.Join(", ", names)}");
    }

    JsonElement Child(JsonElement parent, string prefix, string name)
    {
        if (parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.Object) return child;
        if (parent.ValueKind == JsonValueKind.Object) Errors.Add($"{prefix}{name}: missing, or not an object");
        return default;
    }

    string? Text(JsonElement parent, string prefix, string name)
    {
        if (parent.ValueKind != JsonValueKind.Object) return null;
        if (parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text) return text;
        Errors.Add($"{prefix}{name}: missing, or not a text");
        return null;
    }

    IReadOnlyList<string> Texts(JsonElement parent, string prefix, string name)
    {
        if (parent.ValueKind != JsonValueKind.Object) return [];
        if (parent.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0
            && list.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String))
            return [.. list.EnumerateArray().Select(e => e.GetString()!)];
        Errors.Add($"{prefix}{name}: must be a list of texts, at least one");
        return [];
    }

    List<Digest> Officers(JsonElement pins, string name)
    {
        var keys = Texts(pins, "pins.", name).Select((t, i) => Key(t, $"pins.{name}[{i}]")).ToList();
        if (keys.Count > 0 && keys.Distinct().Count() < 2) Errors.Add($"pins.{name}: two different officers must be pinned");
        return keys;
    }

    Digest Key(string? text, string name)
    {
        if (text is null) return default;
        if (Digest.TryParse(text, out var key)) return key;
        Errors.Add($"{name}: not a key (SHA-256 in base64url, 43 characters)");
        return default;
    }

    Dictionary<string, string> Persons(JsonElement keys)
    {
        var persons = new Dictionary<string, string>(StringComparer.Ordinal);
        if (keys.ValueKind != JsonValueKind.Object || !keys.TryGetProperty("persons", out var list)) return persons;
        if (list.ValueKind != JsonValueKind.Object) { Errors.Add("keys.persons: not an object"); return persons; }
        foreach (var member in list.EnumerateObject())
            persons[member.Name] = Existing(Text(list, "keys.persons.", member.Name), $"keys.persons.{member.Name}");
        return persons;
    }

    string Existing(string? path, string name, bool isFolder = false)
    {
        if (path is null) return "";
        var full = Path.GetFullPath(path, folder);
        if (isFolder ? !Directory.Exists(full) : !File.Exists(full)) Errors.Add($"{name}: there is no {(isFolder ? "folder" : "file")} {path}");
        return full;
    }
}
