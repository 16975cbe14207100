using System.Text.Json.Serialization;
using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>A decision as kept: all its facts, so that with the policy of that ref it can be made again, byte for byte, years later.</summary>
sealed record DecisionRecord
{
    public const string TypeName = "decision";
    public required int V { get; init; }
    public required string Type { get; init; }
    /// <summary>Ref of the policy that decided.</summary>
    public required Digest Policy { get; init; }
    /// <summary>Unix milliseconds.</summary>
    public required long At { get; init; }
    /// <summary>null: they could not be read or written, and the answer was no.</summary>
    public required FactsRecord? Facts { get; init; }
    public required TraceRecord[] Trace { get; init; }
    public required string[] PerRecipient { get; init; }
    public required string Verdict { get; init; }
    /// <summary>Code that the sender is told; null when permitted.</summary>
    public required string? ForSender { get; init; }
}

/// <summary><see cref="DecisionFacts"/> with times as Unix milliseconds.</summary>
sealed record FactsRecord
{
    public required string Action { get; init; }
    public required Label? Label { get; init; }
    public required bool LabelVerified { get; init; }
    public required string Sender { get; init; }
    public required Clearance? SenderClearance { get; init; }
    public required long? SenderHeldUntil { get; init; }
    public required RecipientRecord[] Recipients { get; init; }
    public required ApprovalRecord[] Approvals { get; init; }
    public required Digest Directory { get; init; }
    public required Digest Standing { get; init; }
    public required Digest SenderPolicy { get; init; }

    public static FactsRecord Of(DecisionFacts facts) => new()
    {
        Action = facts.Action,
        Label = facts.Label,
        LabelVerified = facts.LabelVerified,
        Sender = facts.Sender,
        SenderClearance = facts.SenderClearance,
        SenderHeldUntil = facts.SenderHeldUntil?.ToUnixTimeMilliseconds(),
        Recipients = [.. facts.Recipients.Select(r =>
            new RecipientRecord(r.Office, r.Role, r.Known, r.KeyCurrent, r.HeldUntil?.ToUnixTimeMilliseconds(), r.Clearance, r.ChannelCeiling))],
        Approvals = [.. facts.Approvals.Select(a => new ApprovalRecord(a.Act, a.Person, [.. a.Roles], a.NotAfter.ToUnixTimeMilliseconds()))],
        Directory = facts.Directory,
        Standing = facts.Standing,
        SenderPolicy = facts.SenderPolicy,
    };

    public DecisionFacts ToFacts() => new()
    {
        Action = Action,
        Label = Label,
        LabelVerified = LabelVerified,
        Sender = Sender,
        SenderClearance = SenderClearance,
        SenderHeldUntil = Time(SenderHeldUntil),
        Recipients = [.. Recipients.Select(r => new RecipientFacts(r.Office, r.Role, r.Known, r.KeyCurrent, Time(r.HeldUntil), r.Clearance, r.ChannelCeiling))],
        Approvals = [.. Approvals.Select(a => new ApprovalFacts(a.Act, a.Person, a.Roles, Time(a.NotAfter)!.Value))],
        Directory = Directory,
        Standing = Standing,
        SenderPolicy = SenderPolicy,
    };

    static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
}

sealed record RecipientRecord(string Office, string Role, bool Known, bool KeyCurrent, long? HeldUntil, Clearance? Clearance, Clearance? ChannelCeiling);

sealed record ApprovalRecord(string Act, Digest Person, string[] Roles, long NotAfter);

sealed record TraceRecord(string Rule, string Outcome, string? Refusal, string Subject, bool AboutOther, string? Reason);

/// <summary>All of a decision that its sender may see. Nothing in it depends on which fact about the other side was missing.</summary>
sealed record DecisionView
{
    public const string TypeName = "decision-view";
    public required int V { get; init; }
    public required string Type { get; init; }
    public required string Verdict { get; init; }
    public required string? Code { get; init; }
    public required Digest Policy { get; init; }
    public required long At { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(DecisionRecord))]
[JsonSerializable(typeof(DecisionView))]
sealed partial class DecisionJson : JsonSerializerContext;
