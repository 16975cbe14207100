using System.Text.Json.Serialization;
using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Statements;

/// <summary>
/// One person wants the label of a dispatch changed. Whoever agrees signs a statement of his own over the same <see cref="Change"/>: two persons of two offices need neither
/// each other's machine nor an order. The label that the author signed is never rewritten.
/// </summary>
public sealed record LabelStatement : IStatementContent
{
    public const string TypeName = "label";
    public required int V { get; init; }
    public required string Type { get; init; }
    /// <summary>Key of the person.</summary>
    public required Digest[] Signers { get; init; }
    /// <summary>Code of the office whose person he is: the originating one, or one that has a copy.</summary>
    public required string Office { get; init; }
    /// <summary>Unix milliseconds: later it says nothing any more.</summary>
    public required long NotAfter { get; init; }
    public required LabelChange Change { get; init; }
}

/// <summary>What changes; named by its ref, whoever signs it.</summary>
public sealed record LabelChange
{
    /// <summary>32 random bytes: the ref shows nothing of the label.</summary>
    [JsonConverter(typeof(BytesJson))] public required byte[] Salt { get; init; }
    /// <summary>Sender of the dispatch, and the header's id.</summary>
    public required string Sender { get; init; }
    public required Guid Id { get; init; }
    public required Digest Ctx { get; init; }
    /// <summary>Ref of what gave the label in force: the header, or the last change.</summary>
    public required Digest Previous { get; init; }
    /// <summary>One of <see cref="LabelAct"/>.</summary>
    public required string Act { get; init; }
    /// <summary>The new label; null: it stays what it is.</summary>
    public required Label? Label { get; init; }
    /// <summary>Succession and term: when, Unix milliseconds; null otherwise.</summary>
    public required long? At { get; init; }
    /// <summary>Extension: new end of protection, Unix milliseconds; null otherwise.</summary>
    public required long? Until { get; init; }
    /// <summary>One of <see cref="LabelReason"/>; null: none. Nothing is lowered without.</summary>
    public required string? Reason { get; init; }

    /// <summary>SHA-256 of the canonical JSON.</summary>
    [JsonIgnore] public Digest Ref => Digest.Of(Write());

    /// <summary>RFC 8785 bytes.</summary>
    public byte[] Write() => StrictJson.Write(this, StatementJson.Default.LabelChange);

    /// <exception cref="RefusedException"><see cref="Refusal.Json"/>.</exception>
    public static LabelChange Read(ReadOnlySpan<byte> json) => StrictJson.Read(json, StatementJson.Default.LabelChange);
}

/// <summary>What a change does.</summary>
public static class LabelAct
{
    /// <summary>Another label from now on.</summary>
    public const string Label = "label";
    /// <summary>Another label from a time on, unless the label has changed by then.</summary>
    public const string Succession = "succession";
    /// <summary>Protection ends later than law or label say.</summary>
    public const string Extension = "extension";
    /// <summary>Nothing ends by time alone, until two persons lower the label.</summary>
    public const string Stop = "stop";
    /// <summary>The term is over. By the gateway alone: nobody signs this.</summary>
    public const string Term = "term";

    public static IReadOnlyList<string> OfPersons { get; } = [Label, Succession, Extension, Stop];
}

/// <summary>Why. Codes only: a clear statement carries no free text.</summary>
public static class LabelReason
{
    /// <summary>Reassessed; chosen in error; the official list has changed; made public; still sensitive; under inquiry.</summary>
    public static IReadOnlyList<string> All { get; } = ["reassessed", "error", "list-changed", "made-public", "still-sensitive", "inquiry"];
}
