using System.Text.Json.Serialization;
using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>A decision as kept: all its facts, so that with the policy of that ref it can be made again, byte for byte, years later.</summary>
sealed record DecisionRecord
{
    public const string TypeName = "decision";
    public required int V { get; init; }
    public required string Type { get; init; }
    /// <summary>Version of the rules; absent: 1, before all rules were there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? Engine { get; init; }
    /// <summary>Ref of the policy that decided.</summary>
    public required Digest Policy { get; init; }
    /// <summary>Unix milliseconds.</summary>
    public required long At { get; init; }
    /// <summary>null: they could not be read or written, and the answer was no.</summary>
    public required FactsRecord? Facts { get; init; }
    public required TraceRecord[] Trace { get; init; }
    public required Verdict[] PerRecipient { get; init; }
    public required Verdict Verdict { get; init; }
    /// <summary>Code that the sender is told; null when permitted.</summary>
    public required string? ForSender { get; init; }
    /// <summary>null: denied.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public Obligations? Obligations { get; init; }

    public static byte[] Write(Decision decision) => StrictJson.Write(new DecisionRecord
    {
        V = 1,
        Type = TypeName,
        Engine = Decision.Engine,
        Policy = decision.Policy,
        At = decision.At.ToUnixTimeMilliseconds(),
        Facts = decision.Facts is null ? null : FactsRecord.Of(decision.Facts),
        Trace = [.. decision.Trace.Select(t => new TraceRecord(t.Rule, t.Outcome, t.Refusal, t.Subject, t.AboutOther, t.Reason))],
        PerRecipient = [.. decision.PerRecipient],
        Verdict = decision.Verdict,
        ForSender = decision.ForSender?.Code,
        Obligations = decision.Obligations,
    }, DecisionJson.Default.DecisionRecord);

    public static bool Replay(ReadOnlySpan<byte> record, CompiledPolicy policy) => Again(record, policy) is not null;

    public static Decision? Again(ReadOnlySpan<byte> record, CompiledPolicy policy)
    {
        try
        {
            var read = StrictJson.Read(record, DecisionJson.Default.DecisionRecord);
            if (read.Policy != policy.Ref || read.Engine != Decision.Engine) return null;
            var at = DateTimeOffset.FromUnixTimeMilliseconds(read.At);
            var again = read.Facts is null ? Evaluation.NoFacts(policy, at, null) : Decision.Decide(read.Facts.ToFacts(), policy, at);
            return record.SequenceEqual(again.Record) ? again : null;
        }
        catch (Exception e) when (e is RefusedException or ArgumentException or NullReferenceException)
        {
            return null;   // not a record
        }
    }

    public static DecisionFacts? FactsOf(ReadOnlySpan<byte> record) => StrictJson.Read(record, DecisionJson.Default.DecisionRecord).Facts?.ToFacts();

    public static Digest PolicyOf(ReadOnlySpan<byte> record) => StrictJson.Read(record, DecisionJson.Default.DecisionRecord).Policy;

    public static byte[] View(Decision decision) => StrictJson.Write(new DecisionView
    {
        V = 1, Type = DecisionView.TypeName, Verdict = decision.Verdict, Code = decision.ForSender?.Code,
        Policy = decision.Policy, At = decision.At.ToUnixTimeMilliseconds(),
    }, DecisionJson.Default.DecisionView);
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
    // Left out where not known, so that what an earlier version wrote can still be read.
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public bool? ClockSure { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public long? DirectoryAsOf { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public RevocationFacts? Revocation { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public long? NotBefore { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public Clearance? StoreCeiling { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public SizeFacts? Sizes { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public ReferenceFacts[]? References { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string[]? NeedToKnow { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string[]? Named { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public EarlierFacts? Earlier { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public Verdict? SecondOpinion { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public Clearance? Reader { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public RelabelFacts? Relabel { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public FloorFacts? Floor { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public TranslationFacts? Translation { get; init; }

    public static FactsRecord Of(DecisionFacts facts) => new()
    {
        Action = facts.Action,
        Label = facts.Label,
        LabelVerified = facts.LabelVerified,
        Sender = facts.Sender,
        SenderClearance = facts.SenderClearance,
        SenderHeldUntil = facts.SenderHeldUntil?.ToUnixTimeMilliseconds(),
        Recipients = [.. facts.Recipients.Select(r =>
            new RecipientRecord(r.Office, r.Role, r.Known, r.KeyCurrent, r.HeldUntil?.ToUnixTimeMilliseconds(), r.Clearance, r.ChannelCeiling)
            {
                Key = r.Key, Channel = r.Channel, Groups = r.Groups is null ? null : [.. r.Groups],
            })],
        Approvals = [.. facts.Approvals.Select(a => new ApprovalRecord(a.Act, a.Person, [.. a.Roles], a.NotAfter.ToUnixTimeMilliseconds()))],
        Directory = facts.Directory,
        Standing = facts.Standing,
        SenderPolicy = facts.SenderPolicy,
        ClockSure = facts.ClockSure,
        DirectoryAsOf = facts.DirectoryAsOf?.ToUnixTimeMilliseconds(),
        Revocation = facts.Revocation,
        NotBefore = facts.NotBefore?.ToUnixTimeMilliseconds(),
        StoreCeiling = facts.StoreCeiling,
        Sizes = facts.Sizes,
        References = facts.References is null ? null : [.. facts.References],
        NeedToKnow = facts.NeedToKnow is null ? null : [.. facts.NeedToKnow],
        Named = facts.Named is null ? null : [.. facts.Named],
        Earlier = facts.Earlier,
        SecondOpinion = facts.SecondOpinion,
        Reader = facts.Reader,
        Relabel = facts.Relabel,
        Floor = facts.Floor,
        Translation = facts.Translation,
    };

    public DecisionFacts ToFacts() => new()
    {
        Action = Action,
        Label = Label,
        LabelVerified = LabelVerified,
        Sender = Sender,
        SenderClearance = SenderClearance,
        SenderHeldUntil = Time(SenderHeldUntil),
        Recipients = [.. Recipients.Select(r => new RecipientFacts(r.Office, r.Role, r.Known, r.KeyCurrent, Time(r.HeldUntil), r.Clearance, r.ChannelCeiling) { Key = r.Key, Channel = r.Channel, Groups = r.Groups })],
        Approvals = [.. Approvals.Select(a => new ApprovalFacts(a.Act, a.Person, a.Roles, Time(a.NotAfter)!.Value))],
        Directory = Directory,
        Standing = Standing,
        SenderPolicy = SenderPolicy,
        ClockSure = ClockSure,
        DirectoryAsOf = Time(DirectoryAsOf),
        Revocation = Revocation,
        NotBefore = Time(NotBefore),
        StoreCeiling = StoreCeiling,
        Sizes = Sizes,
        References = References,
        NeedToKnow = NeedToKnow,
        Named = Named,
        Earlier = Earlier,
        SecondOpinion = SecondOpinion,
        Reader = Reader,
        Relabel = Relabel,
        Floor = Floor,
        Translation = Translation,
    };

    static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
}

sealed record RecipientRecord(string Office, string Role, bool Known, bool KeyCurrent, long? HeldUntil, Clearance? Clearance, Clearance? ChannelCeiling)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public Digest? Key { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Channel { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string[]? Groups { get; init; }
}

sealed record ApprovalRecord(string Act, Digest Person, string[] Roles, long NotAfter);

sealed record TraceRecord(string Rule, Verdict Outcome, string? Refusal, string Subject, bool AboutOther, string? Reason);

/// <summary>All of a decision that its sender may see. Nothing in it depends on which fact about the other side was missing.</summary>
sealed record DecisionView
{
    public const string TypeName = "decision-view";
    public required int V { get; init; }
    public required string Type { get; init; }
    public required Verdict Verdict { get; init; }
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
