using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Crypto;

namespace Exchange.Office.Client;

/// <summary>The pins that the evidence is checked against, in the form of pins.json.</summary>
sealed record PinsFile(IReadOnlyList<Digest> DirectoryOfficers, IReadOnlyList<Digest> PolicyOfficers, Digest GatewayEvidence, string Origin, string CheckpointKey)
{
    /// <summary>Further keys of the ledger: ML-DSA-44, older and coming ones. Absent: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? CheckpointKeys { get; init; }

    /// <summary>Whose cosignatures count, a tlog-policy. Absent: nobody is asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? WitnessPolicy { get; init; }

    /// <summary>No member is missing.</summary>
    [JsonIgnore]
    public bool IsWhole => DirectoryOfficers is not null && PolicyOfficers is not null && Origin is not null && CheckpointKey is not null;

    public static PinsFile Of(Pins pins) =>
        new(pins.DirectoryOfficers, pins.PolicyOfficers, pins.GatewayEvidence, pins.Origin, pins.CheckpointKey) { CheckpointKeys = pins.CheckpointKeys.Count > 0 ? pins.CheckpointKeys : null };

    public static byte[] Write(Pins pins) => JsonSerializer.SerializeToUtf8Bytes(Of(pins), ClientJson.Default.PinsFile);
}
