using System.Text.Json.Serialization;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Office.Client.Exports;

namespace Exchange.Office.Client;

// What the gateway's HTTP interface answers. Members that are not known here are passed over: later versions only add.

/// <param name="Channel">How the gateway reaches the office; null: an older gateway.</param>
/// <param name="Code">Why it ended undelivered.</param>
/// <param name="Attempts">Tries of the channel that have ended.</param>
/// <param name="Last">How the newest ended.</param>
/// <param name="NextAt">When it is tried again; null: not planned, or under way now.</param>
/// <param name="Expires">Until when it is tried.</param>
public sealed record CopyStatus(string Office, string Role, string State, long UpdatedAt, string? Channel = null, string? Code = null, int Attempts = 0, string? Last = null,
    long? LastAt = null, long? NextAt = null, long? Expires = null);

/// <param name="Level">Class number of the label in force; null: not accepted yet, not for this office any more, or an older gateway.</param>
/// <param name="Copies">One per recipient of the header.</param>
public sealed record DispatchStatus(Guid Id, string State, int Urgency, long ReceivedAt, IReadOnlyList<CopyStatus> Copies, int? Level = null);

sealed record LabelStatus(Guid Id, Digest Previous, Label Label, long Since, long? Extension, bool Stopped, IReadOnlyList<LabelChangeStatus> Changes);

/// <param name="Change">Canonical JSON.</param>
sealed record LabelChangeStatus(Digest Ref, string Act, string State, string Code, long Time, long? InForceAt, long? WaitsUntil, [property: JsonConverter(typeof(BytesJson))] byte[] Change, IReadOnlyList<LabelWordStatus> Words);

/// <param name="Statement">DER.</param>
sealed record LabelWordStatus(string Office, Digest Person, long Time, [property: JsonConverter(typeof(BytesJson))] byte[] Statement);

/// <param name="Act">"release" or "refuse".</param>
/// <param name="Person">Key.</param>
/// <param name="Roles">His, in the card of now; empty: he does not count.</param>
public sealed record HeldWord(string Act, Digest Person, IReadOnlyList<string> Roles, long Time);

/// <param name="Level">Class number of the label.</param>
/// <param name="Code">What it waits for.</param>
/// <param name="Until">When waiting becomes a no.</param>
/// <param name="Needs">Words of persons that it waits for.</param>
public sealed record HeldDispatch(Guid Id, int Level, int Urgency, string Code, long HeldAt, long Until, IReadOnlyList<string> To, IReadOnlyList<HeldNeed> Needs, IReadOnlyList<HeldWord> Approvals);

/// <param name="Act">"release" or "carries-nothing".</param>
/// <param name="Roles">Each in one of these; none: in any.</param>
/// <param name="Missing">How many of the persons are still to come.</param>
public sealed record HeldNeed(string Act, int Persons, IReadOnlyList<string> Roles, int Missing);

sealed record HeldList(IReadOnlyList<HeldDispatch> Held);

sealed record DispatchList(IReadOnlyList<DispatchStatus> Dispatches);

public sealed record MailboxParcel(Guid Parcel, string Sender, Guid Envelope, int Urgency, long ReceivedAt, long Size, string State);

sealed record MailboxList(IReadOnlyList<MailboxParcel> Parcels);

sealed record ListedReceipt(Guid Id, string Event, string Code, string? Office, long Time, [property: JsonConverter(typeof(BytesJson))] byte[] Receipt);

sealed record ReceiptList(IReadOnlyList<ListedReceipt> Receipts);

/// <param name="N">Where the sender's reading goes on; null for the office that said it.</param>
/// <param name="Statement">DER.</param>
sealed record ListedStatus(long? N, Guid Id, string Office, long Sequence, string Code, [property: JsonConverter(typeof(BytesJson))] byte[] Statement);

sealed record StatusList(IReadOnlyList<ListedStatus> Statuses);

sealed record UploadAwaited(Guid Id, string Upload);

public sealed record InclusionProof(long Index, long Size, IReadOnlyList<Digest> Proof);

sealed record BegunLedger(long Index, Digest Salt, string Detail);

sealed record ConsistencyProof(IReadOnlyList<Digest> Proof);

sealed record CrlList(IReadOnlyList<string> Crls);

sealed record DryRunQuestion(Label? Label, IReadOnlyList<DryRunRecipient> Recipients, IReadOnlyList<string> Approvals);

sealed record DryRunRecipient(string Office, string Role);

sealed record Texts(string En, string Vi);

sealed record DryRunRefusal(string Code, Texts? Messages, Texts? Remedy);

sealed record DryRunAnswer(string Verdict, DryRunRefusal? Refusal, string? Policy);

/// <summary>Problem details (RFC 9457) with our members.</summary>
sealed record Problem(string? Title, string? Code, Texts? Messages, Texts? Remedy, string? Receipt);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = false, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(DispatchStatus))]
[JsonSerializable(typeof(DispatchList))]
[JsonSerializable(typeof(HeldList))]
[JsonSerializable(typeof(LabelStatus))]
[JsonSerializable(typeof(MailboxList))]
[JsonSerializable(typeof(ReceiptList))]
[JsonSerializable(typeof(StatusList))]
[JsonSerializable(typeof(UploadAwaited))]
[JsonSerializable(typeof(InclusionProof))]
[JsonSerializable(typeof(ConsistencyProof))]
[JsonSerializable(typeof(BegunLedger))]
[JsonSerializable(typeof(LostReceipt))]
[JsonSerializable(typeof(CrlList))]
[JsonSerializable(typeof(KeptNotes))]
[JsonSerializable(typeof(AuditPage))]
[JsonSerializable(typeof(DryRunQuestion))]
[JsonSerializable(typeof(DryRunAnswer))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(PinsFile))]
[JsonSerializable(typeof(ExportRecord))]
[JsonSerializable(typeof(OutboxRecord))]
[JsonSerializable(typeof(ReceivedRecord))]
[JsonSerializable(typeof(RecallNotice))]
sealed partial class ClientJson : JsonSerializerContext;
