using System.Text.Json;
using Exchange.Crypto;

namespace Exchange.Office.Client;

/// <summary>The pins that the evidence is checked against, in the form of pins.json.</summary>
sealed record PinsFile(IReadOnlyList<Digest> DirectoryOfficers, IReadOnlyList<Digest> PolicyOfficers, Digest GatewayEvidence, string Origin, string CheckpointKey)
{
    public static byte[] Write(Pins pins) =>
        JsonSerializer.SerializeToUtf8Bytes(new PinsFile(pins.DirectoryOfficers, pins.PolicyOfficers, pins.GatewayEvidence, pins.Origin, pins.CheckpointKey), ClientJson.Default.PinsFile);
}
