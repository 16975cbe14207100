using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Exchange.Office.Client;

namespace Exchange.Office.Join;

/// <summary>Writes profile.json as <see cref="Profile"/> reads it.</summary>
static class ProfileJson
{
    static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="words">Word list; null: none.</param>
    /// <param name="keys">Paths as they shall stand in the file: relative ones start from its folder.</param>
    public static byte[] Write(string office, string gateway, Pins pins, KeyFiles keys, string? passphraseFile, string trust, string state,
        string? words = null, TimeStampSettings? timeStamps = null)
    {
        var profile = new JsonObject
        {
            ["office"] = office, ["gateway"] = gateway, ["origin"] = pins.Origin, ["checkpointKey"] = pins.CheckpointKey,
            ["pins"] = PinsOf(pins),
            ["keys"] = new JsonObject
            {
                ["sign"] = keys.Sign, ["encrypt"] = List(keys.Encrypt), ["tls"] = keys.Tls,
                ["persons"] = new JsonObject(keys.Persons.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))),
            },
            ["passphraseFile"] = passphraseFile, ["trust"] = trust, ["state"] = state,
        };
        if (pins.CheckpointKeys.Count > 0) profile["checkpointKeys"] = List(pins.CheckpointKeys);
        if (words is not null) profile["words"] = words;
        if (timeStamps is not null)
        {
            var settings = new JsonObject { ["authorities"] = List(timeStamps.Authorities.Select(a => a.OriginalString)) };
            if (timeStamps.Policy is not null) settings["policy"] = timeStamps.Policy;
            profile["timestamps"] = settings;
        }
        if (keys.Archive.Count > 0) profile["keys"]!["archive"] = List(keys.Archive);
        return Bytes(profile);
    }

    /// <summary>The profile with another archive key before those that it has.</summary>
    public static byte[] WithArchive(ReadOnlySpan<byte> profile, string file)
    {
        var root = JsonNode.Parse(profile)!;
        root["keys"]!["archive"] = List([file, .. root["keys"]!["archive"]?.AsArray().Select(f => f!.GetValue<string>()) ?? []]);
        return Bytes(root);
    }

    /// <summary>The profile with other pins; everything else as it stands there.</summary>
    public static byte[] WithPins(ReadOnlySpan<byte> profile, Pins pins)
    {
        var root = JsonNode.Parse(profile)!.AsObject();
        (root["origin"], root["checkpointKey"]) = (pins.Origin, pins.CheckpointKey);
        root.Remove("checkpointKeys");
        if (pins.CheckpointKeys.Count > 0) root["checkpointKeys"] = List(pins.CheckpointKeys);
        root["pins"] = PinsOf(pins);
        return Bytes(root);
    }

    static JsonObject PinsOf(Pins pins) => new()
    {
        ["directoryOfficers"] = List(pins.DirectoryOfficers.Select(k => k.ToString())), ["policyOfficers"] = List(pins.PolicyOfficers.Select(k => k.ToString())), ["gatewayEvidence"] = pins.GatewayEvidence.ToString(),
    };

    static byte[] Bytes(JsonNode profile) => Encoding.UTF8.GetBytes(profile.ToJsonString(Readable) + "\n");

    static JsonArray List(IEnumerable<string> texts) => [.. texts.Select(t => (JsonNode)t)];
}
