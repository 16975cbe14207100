using System.Text.Json.Serialization;

namespace Exchange.Office.Client;

/// <summary>What the reading process says to the one that asked it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, AllowDuplicateProperties = false, UseStringEnumConverter = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(SignedDocument))]
sealed partial class SignatureJson : JsonSerializerContext;
