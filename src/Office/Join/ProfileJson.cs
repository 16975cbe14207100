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

    /// <param name="keys">Paths as they shall stand in the file: relative ones start from its folder.</param>
    public static byte[] Write(string office, string gateway, Pins pins, KeyFiles keys, string? passphraseFile, string trust, string state) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["office"] = office, ["gateway"] = gateway, ["origin"] = pins.Origin, ["checkpointKey"] = pins.CheckpointKey,
        ["pins"] = new JsonObject
        {
            ["directoryOfficers"] = List(pins.DirectoryOfficers.Select(k => k.ToString())), ["policyOfficers"] = List(pins.PolicyOfficers.Select(k => k.ToString())),
            ["gatewayEvidence"] = pins.GatewayEvidence.ToString(),
        },
        ["keys"] = new JsonObject
        {
            ["sign"] = keys.Sign, ["encrypt"] = List(keys.Encrypt), ["tls"] = keys.Tls,
            ["persons"] = new JsonObject(keys.Persons.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))),
        },
        ["passphraseFile"] = passphraseFile, ["trust"] = trust, ["state"] = state,
    }.ToJsonString(Readable) + "\n");

    static JsonArray List(IEnumerable<string> texts) => [.. texts.Select(t => (JsonNode)t)];
}
