using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Statements;

/// <summary>A person's decision, in clear, where the policy must see who decided. The salted dispatch ref shows no content.</summary>
public sealed record Approval : IStatementContent
{
    public const string TypeName = "approval";
    public required int V { get; init; }
    public required string Type { get; init; }
    public required Digest[] Signers { get; init; }
    /// <summary>One of <see cref="ApprovalAct"/>.</summary>
    public required string Act { get; init; }
    public required Digest Dispatch { get; init; }
    public required Label Label { get; init; }
    public required string From { get; init; }
    /// <summary>Office codes, a superset of the header's to and cc.</summary>
    public required string[] To { get; init; }
    /// <summary>Unix milliseconds.</summary>
    public required long NotAfter { get; init; }
}

/// <summary>What a person may decide about a dispatch of his office.</summary>
public static class ApprovalAct
{
    /// <summary>It may be sent: in the envelope, one for each role that the level asks for.</summary>
    public const string Send = "send";
    /// <summary>It may leave the gateway (dual control): in the envelope, or by itself while the gateway holds it.</summary>
    public const string Release = "release";
    /// <summary>It must not leave: by itself, while the gateway holds it.</summary>
    public const string Refuse = "refuse";
    /// <summary>Nothing of what it answers or quotes is in it (rule R12): two persons, in the envelope or while the gateway holds it.</summary>
    public const string CarriesNothing = "carries-nothing";
    /// <summary>The word list is wrong here (rule R20): two persons, in the envelope. Decided before sealing, and on record with it.</summary>
    public const string BelowFloor = "below-floor";
}
