using System.Text.Json.Serialization;

namespace Exchange.Crypto.Statements;

/// <summary>Generated, strict (de)serialisation of every statement: unknown, doubled, missing and null members are refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Header))]
[JsonSerializable(typeof(Dispatch))]
[JsonSerializable(typeof(Approval))]
[JsonSerializable(typeof(Receipt))]
[JsonSerializable(typeof(DirectoryStatement))]
[JsonSerializable(typeof(Card))]
[JsonSerializable(typeof(StandingStatement))]
[JsonSerializable(typeof(Policy.PolicyStatement))]
[JsonSerializable(typeof(Policy.ActivationApproval))]
[JsonSerializable(typeof(OperationStatement))]
[JsonSerializable(typeof(LabelStatement))]
[JsonSerializable(typeof(LabelChange))]
[JsonSerializable(typeof(HandlingStatus))]
public sealed partial class StatementJson : JsonSerializerContext;
