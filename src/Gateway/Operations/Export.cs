using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Operations;

/// <summary>What others need to know of this gateway, as files: an office its pins and trust, an officer also what is in force. Nothing secret; who takes it compares the pins by another way.</summary>
static class Export
{
    static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="officers">Also statements/: directory, cards, standing, policy. The standing is not for offices.</param>
    public static void Run(Options options, Equipment equipment, World world, string target, bool officers)
    {
        var pins = new JsonObject
        {
            ["directoryOfficers"] = List(options.DirectoryOfficers), ["policyOfficers"] = List(options.PolicyOfficers), ["gatewayEvidence"] = equipment.Evidence.Certificate.Key.ToString(),
            ["origin"] = options.Origin, ["checkpointKey"] = equipment.Checkpoint.VerifierKeys[0].ToString(),
        };
        // Those that sign beside it, and those that signed what is older.
        string[] further = [.. equipment.Checkpoint.VerifierKeys.Skip(1).Select(k => k.ToString()), .. options.Keys.CheckpointFormer];
        if (further.Length > 0) pins["checkpointKeys"] = new JsonArray([.. further.Select(k => (JsonNode)k)]);
        if (equipment.Witnesses is { } witnesses) pins["witnessPolicy"] = witnesses.Text;
        Write(Encoding.UTF8.GetBytes(pins.ToJsonString(Readable) + "\n"), target, "pins.json");
        var store = world.Trust.Store;
        foreach (var root in store.Roots) Write(root.Der, target, "trust", "roots", Name(root.Key, ".der"));
        foreach (var between in store.Intermediates) Write(between.Der, target, "trust", "intermediates", Name(between.Key, ".der"));
        DurableFile.CreateFolder(Path.Combine(target, "trust", "intermediates"));
        foreach (var crl in store.Crls) Write(crl, target, "trust", "crls", Name(Digest.Of(crl.Span), ".crl"));
        if (!officers) return;
        Write(world.Directory.Statement, target, "statements", "directory.p7s");
        Write(world.Standing.Statement, target, "statements", "standing.p7s");
        Write(world.Policy.Statement, target, "statements", "policy.p7s");
        foreach (var office in world.Directory.Offices) Write(world.Directory.Cards[office.CardRef], target, "statements", "cards", FormattableString.Invariant($"{office.Code}-{office.CardVersion}.p7s"));
    }

    static JsonArray List(IReadOnlyList<Digest> keys) => [.. keys.Select(k => (JsonNode)k.ToString())];

    static string Name(Digest key, string ending) => Convert.ToHexStringLower(key.ToArray()[..8]) + ending;

    static void Write(ReadOnlyMemory<byte> bytes, params string[] path)
    {
        var file = Path.GetFullPath(Path.Combine(path));
        DurableFile.CreateFolder(Path.GetDirectoryName(file)!);
        DurableFile.Write(file, bytes.Span);
    }
}
