using System.Text.Json.Serialization;
using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Statements;

/// <summary>What every statement's JSON starts from: v = 1, its type in words, and the keys (SHA-256 of the certificates) that must have signed it.</summary>
public interface IStatementContent
{
    int V { get; }
    string Type { get; }
    Digest[] Signers { get; }
}

/// <summary>The clear part of an envelope, signed by the sending office. CTX is the ref of this statement. DESIGN.md section 4.</summary>
public sealed record Header : IStatementContent
{
    public const string TypeName = "header";
    public required int V { get; init; }
    public required string Type { get; init; }
    public required Digest[] Signers { get; init; }

    /// <summary>UUIDv7 of this envelope, lower case. With <see cref="Sender"/> unique for ever.</summary>
    public required Guid Id { get; init; }
    /// <summary>Origin of the ledger of the gateway this envelope is for: no replay through another one.</summary>
    public required string Gateway { get; init; }
    /// <summary>"classic-1".</summary>
    public required string Suite { get; init; }
    /// <summary>"new", "recall", "update" or "replace".</summary>
    public required string Kind { get; init; }
    /// <summary>Office code.</summary>
    public required string Sender { get; init; }
    public required Recipient[] Recipients { get; init; }
    public required Label Label { get; init; }
    /// <summary>0 thường, 1 khẩn, 2 thượng khẩn, 3 hỏa tốc, 4 hỏa tốc hẹn giờ (edXML Priority).</summary>
    public required int Urgency { get; init; }
    public required Times Times { get; init; }
    public required Reference[] References { get; init; }
    public required DispatchRef Dispatch { get; init; }
    /// <summary>Refs of the approvals, in the order in which they travel.</summary>
    public required Digest[] Approvals { get; init; }
    /// <summary>Ref of the policy that the sender used.</summary>
    public required Digest Policy { get; init; }
    /// <summary>Ref of the directory that the sender used.</summary>
    public required Digest Directory { get; init; }
    /// <summary>Newest checkpoint that the sender verified: offices witness each other.</summary>
    public required Seen? Seen { get; init; }
    /// <summary>SHA-256 of R: commits to the secret, hence to every key and to the content.</summary>
    public required Digest Commitment { get; init; }
    public required PayloadRef? Payload { get; init; }

    /// <summary>The envelope that a recall, update or replacement is about; null: it is none. Only meaningful once the header was checked.</summary>
    [JsonIgnore] public Reference? Target => Envelope.HeaderRules.TargetOf(this);

    /// <summary>Who can open it besides its addressees: the sender itself, and the policy's recovery keys. No copy goes to them.</summary>
    [JsonIgnore] public IReadOnlyList<Recipient> Besides => [.. Recipients.Where(r => r.Role is Envelope.HeaderRules.Self or Envelope.HeaderRules.Recovery)];

    /// <summary>Whether it carries just what another one does: one dispatch, level, secret and ciphertext for both.</summary>
    public bool CarriesSame(Header other) => Sender == other.Sender && Dispatch.Ref == other.Dispatch.Ref && Dispatch.Signatures.AsSpan().SequenceEqual(other.Dispatch.Signatures) && Commitment == other.Commitment
        && Payload == other.Payload && Envelope.DispatchRules.SameLabel(Label, other.Label) && Envelope.HeaderRules.Answered(this).SequenceEqual(Envelope.HeaderRules.Answered(other));
}

/// <param name="Office">Office code.</param>
/// <param name="Key">SHA-256 of the encryption certificate's DER.</param>
/// <param name="Role">"to", "cc", "self" or "recovery".</param>
public sealed record Recipient(string Office, Digest Key, string Role);

/// <summary>Unix milliseconds. <see cref="Expires"/> governs delivery and acceptance, never a later opening.</summary>
public sealed record Times(long? NotBefore, long Expires, long? RespondBy);

/// <param name="Relation">"reply", "forward", "recall", "update" or "replace".</param>
/// <param name="Ref">CTX of the envelope referred to.</param>
public sealed record Reference(string Relation, Guid Id, Digest Ref, int Revision);

/// <param name="Ref">Ref of the dispatch statement sealed inside.</param>
/// <param name="Signatures">SHA-256 of each of its SignerInfo.signature values, in SET order.</param>
public sealed record DispatchRef(Digest Ref, Digest[] Signatures);

public sealed record Seen(string Origin, long Size, Digest Root);

/// <param name="Length">Padded plaintext length in bytes, 0..2^40; on the wire length + 16 per segment.</param>
/// <param name="Root">RFC 9162 tree hash over the segments.</param>
public sealed record PayloadRef(long Length, Digest Root);
