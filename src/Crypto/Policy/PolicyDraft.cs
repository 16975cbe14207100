using System.Text.Json;
using System.Text.Json.Serialization;

namespace Exchange.Crypto.Policy;

/// <summary>
/// The content of a policy as people write and review it (samples/policies/*.json): levels and tag sets, in any layout, before version, times and
/// signers are known. A new level is a new entry here and nothing else.
/// </summary>
public sealed record PolicyDraft
{
    public required string Policy { get; init; }
    /// <summary>From lowest to highest.</summary>
    public required PolicyLevel[] Levels { get; init; }
    public required PolicyTagSet[] TagSets { get; init; }
    /// <summary>Keys of those who may translate labels of other policies; null: nobody.</summary>
    public Digest[]? Translators { get; init; }

    /// <exception cref="RefusedException"><see cref="Refusal.PolicyInvalid"/>: not this shape, or a member unknown, doubled, missing or null.</exception>
    public static PolicyDraft Read(ReadOnlySpan<byte> json)
    {
        try { return JsonSerializer.Deserialize(json, PolicyDraftJson.Default.PolicyDraft) ?? throw new JsonException("null"); }
        catch (JsonException e) { throw new RefusedException(Refusal.PolicyInvalid, $"draft: {e.Path} line {e.LineNumber + 1}"); }
    }

    /// <summary>The statement to sign, consistent as <see cref="CompiledPolicy.Compile"/> demands.</summary>
    /// <param name="json">A draft.</param>
    /// <param name="signers">Keys of the two policy officers, in the order in which they sign.</param>
    /// <param name="notBefore">Inclusive.</param>
    /// <param name="notAfter">Exclusive.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.PolicyInvalid"/>.</exception>
    public static PolicyStatement ToStatement(ReadOnlySpan<byte> json, IReadOnlyList<Digest> signers, long version, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        var draft = Read(json);
        var statement = new PolicyStatement
        {
            V = 1, Type = PolicyStatement.TypeName, Signers = [.. signers], Policy = draft.Policy, Version = version,
            NotBefore = notBefore.ToUnixTimeMilliseconds(), NotAfter = notAfter.ToUnixTimeMilliseconds(), Levels = draft.Levels, TagSets = draft.TagSets, Translators = draft.Translators,
        };
        CompiledPolicy.Compile(statement);
        return statement;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PolicyDraft))]
sealed partial class PolicyDraftJson : JsonSerializerContext;
