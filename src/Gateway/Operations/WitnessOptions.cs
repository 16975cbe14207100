using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;

namespace Exchange.Gateway.Operations;

/// <summary>"witness" in gateway.json: who cosigns this ledger's checkpoints. Without it nobody is asked.</summary>
/// <param name="Policy">File with a tlog-policy: keys of the witnesses, and how many of which are enough.</param>
/// <param name="Urls">Submission prefix by the witness's name in the policy, in place of the URL that stands there.</param>
/// <param name="Authorities">PEM file: who may have issued the witnesses' TLS certificates; null: whom the system trusts.</param>
sealed record WitnessOptions(string Policy, IReadOnlyDictionary<string, Uri> Urls, string? Authorities)
{
    internal static WitnessOptions? Read(OptionsReader parent)
    {
        if (parent.MaybeObject("witness") is not { } read) return null;
        var options = new WitnessOptions(read.AbsoluteFile("policy"), UrlsOf(read), read.Maybe("authorities", path => Path.IsPathFullyQualified(path) && File.Exists(path), "must be the absolute path of an existing file"));
        read.Finish();
        parent.Errors.AddRange(read.Errors);
        return options;
    }

    static Dictionary<string, Uri> UrlsOf(OptionsReader read)
    {
        var (member, urls) = (read.Member("witnesses"), new Dictionary<string, Uri>());
        if (member.ValueKind == JsonValueKind.Undefined) return urls;
        if (member.ValueKind != JsonValueKind.Object) read.Errors.Add("witness.witnesses: must be an object, names of the policy and URLs");
        else
            foreach (var one in member.EnumerateObject())
                if (one.Value.ValueKind == JsonValueKind.String && TryUrl(one.Value.GetString()!, out var url)) urls[one.Name] = url;
                else read.Errors.Add($"witness.witnesses.{one.Name}: must be {Must}");
        return urls;
    }

    internal const string Must = "an https URL without user, query or fragment (http only to a loopback address), for example https://witness.example:8455/";

    internal static bool TryUrl(string text, out Uri url) => Uri.TryCreate(text, UriKind.Absolute, out url!) && url is { UserInfo: "", Query: "", Fragment: "" }
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));

    internal static void Write(Utf8JsonWriter json, WitnessOptions? options)
    {
        if (options is null) return;
        json.WriteStartObject("witness");
        json.WriteString("policy", options.Policy);
        if (options.Urls.Count > 0)
        {
            json.WriteStartObject("witnesses");
            foreach (var (name, url) in options.Urls) json.WriteString(name, url.OriginalString);
            json.WriteEndObject();
        }
        if (options.Authorities is not null) json.WriteString("authorities", options.Authorities);
        json.WriteEndObject();
    }

    /// <exception cref="FormatException">Says what does not fit.</exception>
    /// <exception cref="RefusedException"><see cref="Refusal.WitnessPolicy"/>.</exception>
    public WitnessSet Open(string origin, IReadOnlyCollection<VerifierKey> own)
    {
        var text = File.ReadAllText(Policy);
        var policy = WitnessPolicy.Parse(System.Text.Encoding.UTF8.GetBytes(text));
        if (policy.Witnesses.Count == 0) throw new FormatException("the policy names no witness");
        if (policy.Witnesses.Count + own.Count > SignedNote.MaxSignatures) throw new FormatException($"more witnesses than a note has room for, {SignedNote.MaxSignatures} lines with those of the ledger");
        if (policy.KeysOf(origin) is { Count: > 0 } listed && !listed.Any(own.Contains)) throw new FormatException("the policy lists other keys of this ledger");
        if (Urls.Keys.Except(policy.Witnesses.Select(w => w.Name)).FirstOrDefault() is { } unknown) throw new FormatException($"witnesses.{unknown}: the policy has no witness of this name");
        var peers = policy.Witnesses.GroupBy(UrlOf).Select(g => new WitnessPeer(string.Join("+", g.Select(w => w.Name)), g.Key, [.. g.Select(w => w.Key)])).ToList();
        var authorities = new X509Certificate2Collection();
        if (Authorities is not null) authorities.ImportFromPemFile(Authorities);
        return new WitnessSet(text, policy, peers, authorities);
    }

    Uri UrlOf(PolicyWitness witness)
    {
        if (Urls.TryGetValue(witness.Name, out var given)) return given;
        if (witness.Url is null) throw new FormatException($"{witness.Name}: neither the policy nor witnesses has its URL");
        return TryUrl(witness.Url, out var url) ? url : throw new FormatException($"{witness.Name}: its URL must be {Must}");
    }
}

/// <summary>A witness that is asked: one address, one or more keys.</summary>
/// <param name="Name">In the policy; of several keys, all names.</param>
/// <param name="Url">Submission prefix.</param>
sealed record WitnessPeer(string Name, Uri Url, IReadOnlyList<VerifierKey> Keys)
{
    /// <summary>Whether a line of each key is there. Lines in a kept note are verified.</summary>
    public bool Signed(string note) => SignedNote.Read(System.Text.Encoding.UTF8.GetBytes(note)).Lines is var lines && Keys.All(k => lines.Any(l => l.IsBy(k)));
}

/// <param name="Text">The policy as it was written: auditors pin it.</param>
sealed record WitnessSet(string Text, WitnessPolicy Policy, IReadOnlyList<WitnessPeer> Peers, X509Certificate2Collection Authorities)
{
    /// <summary>Whether enough witnesses cosigned a kept note, whose lines are verified.</summary>
    public bool IsQuorum(string note) => SignedNote.Read(System.Text.Encoding.UTF8.GetBytes(note)).Lines is var lines
        && Policy.IsQuorum([.. Policy.Witnesses.Select(w => w.Key).Where(k => lines.Any(l => l.IsBy(k)))]);
}
