using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Crypto;

namespace Exchange.Gateway.Admin;

/// <summary>What an administrator wants done with dead copies: as he hands it to the running gateway. Access to its folder is his authority; protected levels ask for more.</summary>
/// <param name="Act">"redrive" or "discard".</param>
/// <param name="Office">Only this office's; null: any.</param>
/// <param name="Reason">Only with this code; null: any.</param>
/// <param name="Parcels">Exactly these; null: all that match.</param>
/// <param name="Code">Discard: why, in a code.</param>
/// <param name="Most">No more than so many.</param>
sealed record QueueOrder(int V, string Act, string? Office, string? Reason, Guid[]? Parcels, string? Code, int Most)
{
    public const string Redrive = "redrive", Discard = "discard";

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, AdminJson.Default.QueueOrder);

    /// <exception cref="RefusedException"><see cref="Refusal.Request"/>.</exception>
    public static QueueOrder Read(byte[] json)
    {
        QueueOrder? order;
        try { order = JsonSerializer.Deserialize(json, AdminJson.Default.QueueOrder); }
        catch (JsonException) { throw new RefusedException(Refusal.Request, "not an order"); }
        return order is { V: 1, Act: Redrive or Discard, Most: > 0 } ? order : throw new RefusedException(Refusal.Request, "not an order");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true, WriteIndented = true)]
[JsonSerializable(typeof(QueueOrder))]
[JsonSerializable(typeof(EraseOrder))]
[JsonSerializable(typeof(QueueNow))]
sealed partial class AdminJson : JsonSerializerContext;
