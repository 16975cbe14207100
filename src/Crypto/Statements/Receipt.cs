using System.Text.Json.Serialization;

namespace Exchange.Crypto.Statements;

/// <summary>Signed evidence of one step, with the fields and event names of ETSI EN 319 522-1/-2. See <see cref="ReceiptEvent"/> for who issues what.</summary>
public sealed record Receipt : IStatementContent
{
    public const string TypeName = "receipt";
    public required int V { get; init; }
    public required string Type { get; init; }
    public required Digest[] Signers { get; init; }

    /// <summary>Evidence identifier, UUIDv7.</summary>
    public required Guid Id { get; init; }
    /// <summary>One of <see cref="ReceiptEvent"/>.</summary>
    public required string Event { get; init; }
    /// <summary>"OK" or a refusal code.</summary>
    public required string Code { get; init; }
    /// <summary>T: when the step happened, Unix milliseconds.</summary>
    public required long Time { get; init; }
    /// <summary>Ledger origin (gateway) or office code that issued this.</summary>
    public required string Issuer { get; init; }
    /// <summary>Sender of the envelope; with <see cref="Envelope"/> its name.</summary>
    public required string Sender { get; init; }
    /// <summary>Header id.</summary>
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
    /// <summary>SHA-256 of the manifest; null when a submission was rejected before it was read.</summary>
    public required Digest? ManifestDigest { get; init; }
    /// <summary>Copy concerned: office code; null for submission events.</summary>
    public required string? Office { get; init; }
    /// <summary>Copy concerned: recipient key; null for submission events.</summary>
    public required Digest? Key { get; init; }
    /// <summary>SHA-256 of the dispatch's signatures as the header names them: this receipt timestamps them. Submission events only.</summary>
    public required Digest[]? Signatures { get; init; }
    /// <summary>Ref of the policy that decided; null in office receipts.</summary>
    public required Digest? Policy { get; init; }
    public required Seen? Seen { get; init; }
    /// <summary>The ledger entry this receipt promises; null in office receipts.</summary>
    public required ReceiptEntry? Entry { get; init; }
    /// <summary>HMAC-SHA256(R, CTX ‖ key), only when opened; base64url.</summary>
    public required Digest? Proof { get; init; }
}

/// <summary>What a holder needs to demand inclusion: entry = SHA-256(salt ‖ detail), leaf = SHA-256(00 ‖ entry), in a checkpoint by includedBy.</summary>
/// <param name="Leaf">Leaf hash.</param>
/// <param name="Salt">32 bytes, base64url.</param>
/// <param name="Detail">RFC 8785 text of the entry's detail.</param>
/// <param name="IncludedBy">Unix milliseconds: a checkpoint published by then contains the leaf.</param>
public sealed record ReceiptEntry(Digest Leaf, Digest Salt, string Detail, long IncludedBy);

/// <summary>Event names, EN 319 522-1 clause 6 where it has one.</summary>
public static class ReceiptEvent
{
    /// <summary>Gateway: envelope accepted, durable, in the ledger.</summary>
    public const string SubmissionAcceptance = "SubmissionAcceptance";
    /// <summary>Gateway (own event): envelope taken in whole and held; code says for what. It is not on its way: SubmissionAcceptance or SubmissionRejection follows.</summary>
    public const string SubmissionHold = "SubmissionHold";
    /// <summary>Gateway (own event): what a person of the sender said about a held envelope is on record.</summary>
    public const string HoldApproval = "HoldApproval";
    /// <summary>Gateway (own event): what was said about the label of a dispatch, or what time did to it, is on record: OK when it counts from now on, else a code, also of what it waits for.</summary>
    public const string LabelChange = "LabelChange";
    /// <summary>Gateway (own event): what a receiving office said about its copy is on record.</summary>
    public const string HandlingStatus = "HandlingStatus";
    /// <summary>Gateway: envelope refused; code says why as far as the sender may know.</summary>
    public const string SubmissionRejection = "SubmissionRejection";
    /// <summary>Gateway: copy handed to the office, which acknowledged all bytes.</summary>
    public const string ContentConsignment = "ContentConsignment";
    /// <summary>Gateway: copy ended undelivered.</summary>
    public const string ContentConsignmentFailure = "ContentConsignmentFailure";
    /// <summary>Gateway (own event): half of the copy's time is over and it is not delivered; it is still tried.</summary>
    public const string ContentConsignmentDelay = "ContentConsignmentDelay";
    /// <summary>Office: all bytes held, not yet opened.</summary>
    public const string ContentHandover = "ContentHandover";
    /// <summary>Office (own event): opened and checked; carries the proof.</summary>
    public const string ContentOpening = "ContentOpening";
    /// <summary>Office (own event): could not be opened or did not hold; code says why.</summary>
    public const string ContentOpeningFailure = "ContentOpeningFailure";
}
