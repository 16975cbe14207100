namespace Exchange.Crypto.Statements;

/// <summary>
/// What a receiving office says it does with its copy, signed by the office. Codes only: a clear statement carries no free text. Several of them about one copy are ordered
/// by <see cref="Sequence"/>, whatever order they come in; what counts is the highest.
/// </summary>
public sealed record HandlingStatus : IStatementContent
{
    public const string TypeName = "status";
    public required int V { get; init; }
    public required string Type { get; init; }
    public required Digest[] Signers { get; init; }
    /// <summary>Sender of the envelope; with <see cref="Envelope"/> its name.</summary>
    public required string Sender { get; init; }
    /// <summary>Header id.</summary>
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
    public required Digest ManifestDigest { get; init; }
    /// <summary>Copy concerned: office code.</summary>
    public required string Office { get; init; }
    /// <summary>Copy concerned: recipient key.</summary>
    public required Digest Key { get; init; }
    /// <summary>1 for the office's first statement about this copy, one more for each.</summary>
    public required long Sequence { get; init; }
    /// <summary>One of <see cref="HandlingCode"/>.</summary>
    public required string Code { get; init; }
    /// <summary>One of <see cref="HandlingReason"/> with a refusal; null otherwise.</summary>
    public required string? Reason { get; init; }
    /// <summary>What the office agrees to or refuses; null with any other code.</summary>
    public required AnsweredEnvelope? Answers { get; init; }
    /// <summary>Unix milliseconds.</summary>
    public required long Time { get; init; }
}

/// <summary>The recall, update or replacement that is answered; its sender is that of the copy.</summary>
/// <param name="Id">Its header id.</param>
/// <param name="Ref">Its CTX.</param>
/// <param name="Revision">As its reference says.</param>
public sealed record AnsweredEnvelope(Guid Id, Digest Ref, int Revision);

/// <summary>Codes of QCVN 102:2016/BTTTT: two characters, not numbers.</summary>
public static class HandlingCode
{
    /// <summary>đã đến: the office's software has it; no clerk has looked at it.</summary>
    public const string Arrived = "01";
    /// <summary>từ chối tiếp nhận: not taken in.</summary>
    public const string Refused = "02";
    /// <summary>đã tiếp nhận: entered in the register of incoming documents.</summary>
    public const string Registered = "03";
    /// <summary>phân công: given to whoever handles it.</summary>
    public const string Assigned = "04";
    /// <summary>đang xử lý.</summary>
    public const string InHand = "05";
    /// <summary>hoàn thành.</summary>
    public const string Done = "06";
    /// <summary>The clerk agrees to a recall, update or replacement.</summary>
    public const string Agreed = "15";
    /// <summary>The clerk refuses it.</summary>
    public const string Declined = "16";

    public static IReadOnlyList<string> All { get; } = [Arrived, Refused, Registered, Assigned, InHand, Done, Agreed, Declined];
    /// <summary>Those that answer something.</summary>
    public static bool IsAnswer(string code) => code is Agreed or Declined;
}

/// <summary>Why an office refuses.</summary>
public static class HandlingReason
{
    /// <summary>With 02: meant for another office; something is missing; cannot be read; does not verify; has it already.</summary>
    public static IReadOnlyList<string> OfRefusal { get; } = ["misaddressed", "incomplete", "unreadable", "not-valid", "duplicate"];
    /// <summary>With 16: acted on already; passed on already; has to be kept.</summary>
    public static IReadOnlyList<string> OfDeclining { get; } = ["acted-on", "passed-on", "to-be-kept"];

    /// <summary>Reasons that a code may have; none: it has no reason.</summary>
    public static IReadOnlyList<string> Of(string code) => code switch { HandlingCode.Refused => OfRefusal, HandlingCode.Declined => OfDeclining, _ => [] };
}
