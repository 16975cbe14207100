using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Operations;

/// <summary>
/// Changes the keys that sign checkpoints, in gateway.json, for the next start: a key is added beside the old, both sign for a while, then the old one is retired. gateway.json is replaced whole or
/// not at all, and after each step it is one that a gateway starts with; the running gateway goes on with what it started with. docs/ledger.md says why an overlap.
/// </summary>
static class CheckpointKeys
{
    static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Makes a key file. Durable on return.</summary>
    /// <exception cref="OptionsException">There is a file.</exception>
    public static void Make(string file, string origin, NoteKeyType type, string passphrase)
    {
        using var key = LedgerKey.Create(origin, type);
        try { key.Save(file, passphrase); }
        catch (IOException e) when (File.Exists(file)) { throw new OptionsException([$"{file} is there already: a key is never overwritten ({e.Message})"]); }
        // The name too: gateway.json, which speaks of it, comes after.
        DurableFile.FsyncFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);
    }

    /// <summary>From the next start on this key signs as well. Died after the file was made: say the same without <paramref name="make"/>.</summary>
    /// <param name="make">null: the file is there.</param>
    /// <exception cref="OptionsException">It cannot be added; nothing was changed in gateway.json.</exception>
    public static VerifierKey Add(string data, string file, NoteKeyType? make)
    {
        var options = Configuration.Read(data);
        file = Path.GetFullPath(file);
        if (file.StartsWith(Path.GetFullPath(data) + Path.DirectorySeparatorChar, StringComparison.Ordinal)) throw new OptionsException([$"{file}: must not be inside the data folder; a backup would carry it"]);
        if (options.Keys.Checkpoints.Count == LedgerKeys.Most) throw new OptionsException([$"there are {LedgerKeys.Most} keys already: retire one first"]);
        if (make is null && !File.Exists(file)) throw new OptionsException([$"{file}: no such file. To make a key there: --new ml-dsa-44, or --new ed25519"]);
        var passphrase = Passphrase(options);
        if (make is { } type) Make(file, options.Origin, type, passphrase);
        using var key = LedgerKey.Load(file, passphrase, options.Origin);
        var added = key.VerifierKey;
        if (Load(options, passphrase).Any(k => k.Key.Equals(added))) throw new OptionsException([$"{file}: this key signs already"]);
        if (options.Keys.CheckpointFormer.Contains(added.ToString())) throw new OptionsException([$"{file}: this key was retired: make a new one"]);
        Write(data, keys => keys["checkpointBeside"] = Texts([.. options.Keys.CheckpointBeside, file]));
        return added;
    }

    /// <summary>From the next start on this key does not sign any more; its public half stays among the former ones.</summary>
    /// <param name="file">As gateway.json names it.</param>
    /// <exception cref="OptionsException">It is needed still; nothing was changed.</exception>
    public static VerifierKey Retire(string data, string file)
    {
        var options = Configuration.Read(data);
        file = Path.GetFullPath(file);
        var all = Load(options, Passphrase(options));
        if (all.All(k => k.File != file)) throw new OptionsException([$"{file}: not a key that signs checkpoints; there are: {string.Join(", ", all.Select(k => k.File))}"]);
        var retired = all.First(k => k.File == file).Key;
        var rest = all.Where(k => k.File != file).ToList();
        if (rest.All(k => k.Key.Type != retired.Type)) throw new OptionsException([$"{file}: the only key of its kind. Add its successor first: exchange-gateway checkpoint-key add"]);
        using (var guard = Guard.OpenReadOnly(Guard.FileIn(options.Guard), options.Origin))
            if (guard.NewestNote is { } newest && rest.FirstOrDefault(k => !Signed(newest.Note, k.Key)) is { File: not null } waiting)
                throw new OptionsException([$"{waiting.File} has not signed the newest checkpoint (size {newest.Size}) yet. Start the gateway with both keys, let it sign one, give the new pins to everyone, then retire the old key."]);
        var first = rest.First(k => k.Key.Type == NoteKeyType.Ed25519).File;
        Write(data, keys =>
        {
            keys["checkpoint"] = first;
            keys["checkpointBeside"] = Texts([.. rest.Select(k => k.File).Where(f => f != first)]);
            keys["checkpointFormer"] = Texts([.. options.Keys.CheckpointFormer, retired.ToString()]);
        });
        return retired;
    }

    /// <summary>Files and public halves of the keys that gateway.json names, the first first.</summary>
    public static IReadOnlyList<(string File, VerifierKey Key)> List(string data)
    {
        var options = Configuration.Read(data);
        return Load(options, Passphrase(options));
    }

    static List<(string File, VerifierKey Key)> Load(Options options, string passphrase) => [.. options.Keys.Checkpoints.Select(file =>
    {
        using var key = LedgerKey.Load(file, passphrase, options.Origin);
        return (file, key.VerifierKey);
    })];

    static bool Signed(string note, VerifierKey key)
    {
        try { return SignedNote.Open(Encoding.UTF8.GetBytes(note), [key]).Verified.Count > 0; }
        catch (RefusedException) { return false; }
    }

    /// <summary>Public halves of the keys whose files open. Of a ledger that ends some may be lost.</summary>
    internal static IEnumerable<VerifierKey> PublicOf(Options options)
    {
        foreach (var file in options.Keys.Checkpoints)
        {
            VerifierKey found;
            try
            {
                using var key = LedgerKey.Load(file, Passphrase(options), options.Origin);
                found = key.VerifierKey;
            }
            catch (Exception e) when (e is RefusedException or IOException) { continue; }
            yield return found;
        }
    }

    internal static string Passphrase(Options options) => File.ReadLines(options.Keys.PassphrasePath).FirstOrDefault() ?? "";

    // Only these members: what an administrator wrote stays as he wrote it.
    static void Write(string data, Action<JsonObject> change) => Rewrite(data, settings => change(settings["keys"]!.AsObject()));

    /// <summary>Changes members of gateway.json, which is replaced whole, durably, or not at all.</summary>
    /// <returns>What it says now.</returns>
    internal static Options Rewrite(string data, Action<JsonObject> change)
    {
        var (options, bytes) = Changed(data, change);
        DurableFile.Write(Path.Combine(data, Options.FileName), bytes);
        return options;
    }

    /// <summary>What gateway.json would say; nothing is written.</summary>
    internal static (Options Options, byte[] Bytes) Changed(string data, Action<JsonObject> change)
    {
        var settings = JsonNode.Parse(File.ReadAllBytes(Path.Combine(data, Options.FileName)))!.AsObject();
        change(settings);
        var keys = settings["keys"]!.AsObject();
        foreach (var empty in keys.Where(k => k.Value is JsonArray { Count: 0 }).Select(k => k.Key).ToList()) keys.Remove(empty);
        var bytes = Encoding.UTF8.GetBytes(settings.ToJsonString(Readable) + "\n");
        return (Options.Read(bytes), bytes);
    }

    internal static JsonArray Texts(IReadOnlyList<string> texts) => [.. texts.Select(t => (JsonNode)t)];
}
