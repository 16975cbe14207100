using System.Text.Json;
using System.Text.Json.Serialization;

namespace Exchange.Crypto.Ledger;

/// <summary>What an entry says, apart from the tree. One record per <see cref="EntryKind"/>; RFC 8785 JSON with v = 1, kind and time. Codes and digests only: no subject, no names.</summary>
public abstract record LedgerDetail
{
    private protected LedgerDetail(EntryKind kind) { EntryKind = kind; Kind = kind.Name(); }

    public int V { get; init; } = 1;
    /// <summary>Word of the kind; fixed by the record's type.</summary>
    public string Kind { get; init; }
    /// <summary>Unix milliseconds.</summary>
    public required long Time { get; init; }

    [JsonIgnore] public EntryKind EntryKind { get; }

    /// <summary>v and kind are what this record's type says; a reader checks it, a writer cannot get it wrong.</summary>
    [JsonIgnore] internal bool HasItsKind => V == 1 && Kind == EntryKind.Name();
}

/// <param name="ManifestDigest">SHA-256 of the manifest's DER; with <paramref name="Ctx"/> the identity of the dispatch.</param>
/// <param name="PolicyOid">Policy that the label names.</param>
/// <param name="Class">Class number of the label.</param>
/// <param name="Policy">Ref of the policy that decided.</param>
/// <param name="Directory">Ref of the directory in force.</param>
/// <param name="Standing">Ref of the standing in force.</param>
/// <param name="Decision">Salted digest of the decision record.</param>
public sealed record SubmissionDetail(string Sender, Guid Envelope, Digest Ctx, Digest ManifestDigest, string PolicyOid, int Class, int Urgency,
    Digest Policy, Digest Directory, Digest Standing, Digest Decision) : LedgerDetail(EntryKind.Submission);

/// <param name="Envelope">Null when the header could not be read; likewise <paramref name="Ctx"/>.</param>
/// <param name="Code">The code that the sender may see.</param>
/// <param name="Decision">Salted digest of the decision record; null when it did not come to a decision.</param>
public sealed record RejectionDetail(string Sender, Guid? Envelope, Digest? Ctx, string Code, Digest? Decision) : LedgerDetail(EntryKind.Rejection);

/// <summary>Taken in whole, and not on its way.</summary>
/// <param name="Code">What it waits for.</param>
/// <param name="Until">When waiting becomes a no, Unix milliseconds.</param>
/// <param name="Policy">Ref of the policy that decided.</param>
/// <param name="Decision">Salted digest of the decision record.</param>
public sealed record HoldDetail(string Sender, Guid Envelope, Digest Ctx, Digest ManifestDigest, string Code, long Until, Digest Policy, Digest Decision) : LedgerDetail(EntryKind.Hold);

/// <param name="Act">"release" or "refuse".</param>
/// <param name="Approval">Ref of the person's statement.</param>
public sealed record HoldApprovalDetail(string Sender, Guid Envelope, Digest Ctx, string Act, Digest Approval) : LedgerDetail(EntryKind.HoldApproval);

/// <param name="Change">Ref of the change; salted, so it shows no label.</param>
/// <param name="Act">"label", "succession", "extension", "stop" or "term".</param>
/// <param name="Cause">"person", "term" or "succession": by time alone.</param>
/// <param name="Verdict">"permit": it counts from now on; "hold": it waits for another person; "deny": it does not, or does not any more.</param>
/// <param name="Code">"OK" or the refusal's code.</param>
/// <param name="Statement">Ref of the person's statement; null: nobody spoke, time did it.</param>
/// <param name="Decision">Salted digest of the decision record; null when it ended without one.</param>
public sealed record LabelDetail(string Sender, Guid Envelope, Digest Ctx, Digest Change, string Act, string Cause, string Verdict, string Code, Digest? Statement, Digest? Decision)
    : LedgerDetail(EntryKind.Label);

/// <param name="Code">"OK" or the refusal's code.</param>
public sealed record DryRunDetail(string Sender, string Code, Digest Decision) : LedgerDetail(EntryKind.DryRun);

/// <param name="Office">Whose copy.</param>
/// <param name="Key">Recipient key of the copy.</param>
/// <param name="Receipt">SHA-256 of the office receipt's DER.</param>
public sealed record ConsignmentDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, Digest Receipt) : LedgerDetail(EntryKind.Consignment);

/// <summary>The copy ended undelivered.</summary>
/// <param name="Code">Why, as far as the sender may know.</param>
/// <param name="Decision">Salted digest of the decision record; null when no decision ended it.</param>
public sealed record ConsignmentFailureDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, string Code, Digest? Decision)
    : LedgerDetail(EntryKind.ConsignmentFailure);

/// <param name="Fence">Which claim of the copy this was.</param>
/// <param name="Outcome">A word of the gateway's closed list; what the other side said stays out of the ledger.</param>
public sealed record AttemptDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, long Fence, string Outcome) : LedgerDetail(EntryKind.Attempt);

/// <param name="Channel">Adapter that carried it.</param>
public sealed record DeliveryDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, string Channel) : LedgerDetail(EntryKind.Delivery);

/// <param name="Receipt">SHA-256 of the office receipt's DER.</param>
public sealed record HandoverDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, Digest Receipt) : LedgerDetail(EntryKind.Handover);

/// <param name="Receipt">SHA-256 of the office receipt's DER.</param>
public sealed record OpeningDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, Digest Receipt) : LedgerDetail(EntryKind.Opening);

/// <param name="Receipt">SHA-256 of the office receipt's DER.</param>
/// <param name="Code">Refusal code that the office gave.</param>
public sealed record OpeningFailureDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, Digest Receipt, string Code)
    : LedgerDetail(EntryKind.OpeningFailure);

/// <param name="Action">"Delivered", "Failed", "Delayed" or "Relayed".</param>
/// <param name="Code">What the carrier gave as the reason.</param>
public sealed record ReportDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, string Action, string Code) : LedgerDetail(EntryKind.Report);

/// <param name="Sequence">Of the office's statements about this copy.</param>
/// <param name="Code">"01" to "06", "15", "16".</param>
/// <param name="Statement">Ref of the office's statement.</param>
public sealed record StatusDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, long Sequence, string Code, Digest Statement) : LedgerDetail(EntryKind.Status);

/// <summary>All copies had ended, and the time for which payloads are kept was over.</summary>
public sealed record PayloadErasedDetail(string Sender, Guid Envelope, Digest Ctx) : LedgerDetail(EntryKind.PayloadErased);

/// <param name="Reason">Refusal code.</param>
/// <param name="Network">Address block, "/24" for IPv4 and "/48" for IPv6.</param>
/// <param name="Minute">Start of the minute, Unix milliseconds.</param>
public sealed record SignInFailuresDetail(string Reason, string Network, long Minute, long Count) : LedgerDetail(EntryKind.SignInFailures);

/// <param name="What">"policy", "activation" (its two officers' approval), "directory", "standing" or "crl".</param>
/// <param name="Ref">Ref of the statement, or SHA-256 of the CRL.</param>
/// <param name="Version">Its version; for a CRL its number.</param>
public sealed record ActivationDetail(string What, Digest Ref, long Version) : LedgerDetail(EntryKind.Activation);

/// <param name="Program">Version of the program.</param>
/// <param name="Schema">Version of the store.</param>
/// <param name="Size">Entries found at start.</param>
public sealed record StartDetail(string Program, long Schema, long Size) : LedgerDetail(EntryKind.Start);

public sealed record StopDetail() : LedgerDetail(EntryKind.Stop);

/// <param name="Channel">Adapter.</param>
/// <param name="State">"open": nothing goes through it but now and then one to see; "closed": it works.</param>
public sealed record BreakerDetail(string Office, string Channel, string State) : LedgerDetail(EntryKind.Breaker)
{
    public const string Open = "open", Closed = "closed";
}

/// <param name="Until">When it is given up, Unix milliseconds.</param>
public sealed record DelayDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, string Code, long Until) : LedgerDetail(EntryKind.Delay);

/// <param name="Reason">Code with which it died.</param>
public sealed record RedriveDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, string Reason) : LedgerDetail(EntryKind.Redrive);

/// <param name="Reason">Code with which it died.</param>
/// <param name="Code">Why it was discarded: a word of the operators' own list.</param>
/// <param name="Operation">Ref of the statement that two administrators signed; null: its level asks for none.</param>
public sealed record DiscardDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, string Reason, string Code, Digest? Operation) : LedgerDetail(EntryKind.Discard);

/// <param name="Since">From when it could have been delivered, Unix milliseconds.</param>
public sealed record FlashAlarmDetail(string Sender, Guid Envelope, Digest Ctx, string Office, Digest Key, long Since) : LedgerDetail(EntryKind.FlashAlarm);

/// <param name="Receipt">SHA-256 of its DER.</param>
/// <param name="Channel">Adapter that has taken it.</param>
public sealed record ReplyDetail(string Sender, Guid Envelope, Digest Receipt, string Channel) : LedgerDetail(EntryKind.Reply);

public sealed record DummyDetail() : LedgerDetail(EntryKind.Dummy);

/// <param name="Entry">Index of the entry whose salt and detail are gone.</param>
/// <param name="Basis">Code of the rule that demanded it.</param>
/// <param name="Operation">Ref of the statement that two persons signed.</param>
public sealed record ErasedDetail(long Entry, string Basis, Digest Operation) : LedgerDetail(EntryKind.Erased);

/// <param name="Auditor">Key of the certificate that he is signed in with.</param>
/// <param name="Query">SHA-256 of the question, spelled in one way.</param>
/// <param name="Size">Of the tree that it was about.</param>
/// <param name="Given">Entries that he was shown.</param>
public sealed record AuditReadDetail(Digest Auditor, Digest Query, long Size, long Given) : LedgerDetail(EntryKind.AuditRead);

/// <summary>A ledger begins that continues the tree of others, which ended; see <see cref="Succession"/> for what it proves.</summary>
/// <param name="Origin">Name under which heads are signed from this entry on.</param>
/// <param name="Follows">Ledgers that ended, the last one first.</param>
/// <param name="Had">Entries that the store had: the index of this one.</param>
/// <param name="Code">Why: a word of the administrators' own list.</param>
/// <param name="Operation">Ref of the statement that two administrators signed.</param>
public sealed record SuccessionDetail(string Origin, EndedLedger[] Follows, long Had, string Code, Digest Operation) : LedgerDetail(EntryKind.Succession)
{
    public bool Equals(SuccessionDetail? other) => base.Equals(other) && (Origin, Had, Code, Operation) == (other.Origin, other.Had, other.Code, other.Operation) && Follows.SequenceEqual(other.Follows);

    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Origin, Had, Operation);
}

/// <summary>The one writer and reader of details.</summary>
public static class EntryDetails
{
    /// <summary>Longest detail that is logged; receipts carry it.</summary>
    public const int MaxBytes = 2048;

    /// <summary>RFC 8785 bytes.</summary>
    public static byte[] Write(LedgerDetail detail) => detail switch
    {
        SubmissionDetail d => StrictJson.Write(d, EntryJson.Default.SubmissionDetail),
        RejectionDetail d => StrictJson.Write(d, EntryJson.Default.RejectionDetail),
        DryRunDetail d => StrictJson.Write(d, EntryJson.Default.DryRunDetail),
        ConsignmentDetail d => StrictJson.Write(d, EntryJson.Default.ConsignmentDetail),
        OpeningDetail d => StrictJson.Write(d, EntryJson.Default.OpeningDetail),
        OpeningFailureDetail d => StrictJson.Write(d, EntryJson.Default.OpeningFailureDetail),
        SignInFailuresDetail d => StrictJson.Write(d, EntryJson.Default.SignInFailuresDetail),
        ActivationDetail d => StrictJson.Write(d, EntryJson.Default.ActivationDetail),
        StartDetail d => StrictJson.Write(d, EntryJson.Default.StartDetail),
        StopDetail d => StrictJson.Write(d, EntryJson.Default.StopDetail),
        ConsignmentFailureDetail d => StrictJson.Write(d, EntryJson.Default.ConsignmentFailureDetail),
        AttemptDetail d => StrictJson.Write(d, EntryJson.Default.AttemptDetail),
        DeliveryDetail d => StrictJson.Write(d, EntryJson.Default.DeliveryDetail),
        HandoverDetail d => StrictJson.Write(d, EntryJson.Default.HandoverDetail),
        PayloadErasedDetail d => StrictJson.Write(d, EntryJson.Default.PayloadErasedDetail),
        HoldDetail d => StrictJson.Write(d, EntryJson.Default.HoldDetail),
        LabelDetail d => StrictJson.Write(d, EntryJson.Default.LabelDetail),
        HoldApprovalDetail d => StrictJson.Write(d, EntryJson.Default.HoldApprovalDetail),
        ReportDetail d => StrictJson.Write(d, EntryJson.Default.ReportDetail),
        StatusDetail d => StrictJson.Write(d, EntryJson.Default.StatusDetail),
        BreakerDetail d => StrictJson.Write(d, EntryJson.Default.BreakerDetail),
        DelayDetail d => StrictJson.Write(d, EntryJson.Default.DelayDetail),
        RedriveDetail d => StrictJson.Write(d, EntryJson.Default.RedriveDetail),
        DiscardDetail d => StrictJson.Write(d, EntryJson.Default.DiscardDetail),
        FlashAlarmDetail d => StrictJson.Write(d, EntryJson.Default.FlashAlarmDetail),
        ReplyDetail d => StrictJson.Write(d, EntryJson.Default.ReplyDetail),
        DummyDetail d => StrictJson.Write(d, EntryJson.Default.DummyDetail),
        ErasedDetail d => StrictJson.Write(d, EntryJson.Default.ErasedDetail),
        AuditReadDetail d => StrictJson.Write(d, EntryJson.Default.AuditReadDetail),
        SuccessionDetail d => StrictJson.Write(d, EntryJson.Default.SuccessionDetail),
        _ => throw new ArgumentException("Not a detail of the closed list.", nameof(detail)),
    };

    /// <summary>The detail whose bytes these are.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Json"/>: unknown kind, wrong members, or not canonical.</exception>
    public static LedgerDetail Read(ReadOnlySpan<byte> canonical)
    {
        if (canonical.Length > MaxBytes) throw new RefusedException(Refusal.Json, "entry detail too long");
        LedgerDetail detail = KindOf(canonical) switch
        {
            EntryKind.Submission => StrictJson.Read(canonical, EntryJson.Default.SubmissionDetail),
            EntryKind.Rejection => StrictJson.Read(canonical, EntryJson.Default.RejectionDetail),
            EntryKind.DryRun => StrictJson.Read(canonical, EntryJson.Default.DryRunDetail),
            EntryKind.Consignment => StrictJson.Read(canonical, EntryJson.Default.ConsignmentDetail),
            EntryKind.Opening => StrictJson.Read(canonical, EntryJson.Default.OpeningDetail),
            EntryKind.OpeningFailure => StrictJson.Read(canonical, EntryJson.Default.OpeningFailureDetail),
            EntryKind.SignInFailures => StrictJson.Read(canonical, EntryJson.Default.SignInFailuresDetail),
            EntryKind.Activation => StrictJson.Read(canonical, EntryJson.Default.ActivationDetail),
            EntryKind.Start => StrictJson.Read(canonical, EntryJson.Default.StartDetail),
            EntryKind.Stop => StrictJson.Read(canonical, EntryJson.Default.StopDetail),
            EntryKind.ConsignmentFailure => StrictJson.Read(canonical, EntryJson.Default.ConsignmentFailureDetail),
            EntryKind.Attempt => StrictJson.Read(canonical, EntryJson.Default.AttemptDetail),
            EntryKind.Delivery => StrictJson.Read(canonical, EntryJson.Default.DeliveryDetail),
            EntryKind.Handover => StrictJson.Read(canonical, EntryJson.Default.HandoverDetail),
            EntryKind.PayloadErased => StrictJson.Read(canonical, EntryJson.Default.PayloadErasedDetail),
            EntryKind.Hold => StrictJson.Read(canonical, EntryJson.Default.HoldDetail),
            EntryKind.Label => StrictJson.Read(canonical, EntryJson.Default.LabelDetail),
            EntryKind.HoldApproval => StrictJson.Read(canonical, EntryJson.Default.HoldApprovalDetail),
            EntryKind.Report => StrictJson.Read(canonical, EntryJson.Default.ReportDetail),
            EntryKind.Status => StrictJson.Read(canonical, EntryJson.Default.StatusDetail),
            EntryKind.Breaker => StrictJson.Read(canonical, EntryJson.Default.BreakerDetail),
            EntryKind.Delay => StrictJson.Read(canonical, EntryJson.Default.DelayDetail),
            EntryKind.Redrive => StrictJson.Read(canonical, EntryJson.Default.RedriveDetail),
            EntryKind.Discard => StrictJson.Read(canonical, EntryJson.Default.DiscardDetail),
            EntryKind.FlashAlarm => StrictJson.Read(canonical, EntryJson.Default.FlashAlarmDetail),
            EntryKind.Reply => StrictJson.Read(canonical, EntryJson.Default.ReplyDetail),
            EntryKind.Dummy => StrictJson.Read(canonical, EntryJson.Default.DummyDetail),
            EntryKind.Erased => StrictJson.Read(canonical, EntryJson.Default.ErasedDetail),
            EntryKind.AuditRead => StrictJson.Read(canonical, EntryJson.Default.AuditReadDetail),
            EntryKind.Succession => StrictJson.Read(canonical, EntryJson.Default.SuccessionDetail),
            _ => throw new RefusedException(Refusal.Json, "unknown kind of entry"),
        };
        return detail.HasItsKind ? detail : throw new RefusedException(Refusal.Json, "version of the entry");
    }

    static EntryKind KindOf(ReadOnlySpan<byte> canonical)
    {
        var reader = new Utf8JsonReader(canonical);
        try
        {
            while (reader.Read())
                if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("kind"u8))
                    return reader.Read() && reader.TokenType == JsonTokenType.String && EntryKinds.TryParse(reader.GetString(), out var kind) ? kind : default;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) { }
        return default;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(SubmissionDetail))]
[JsonSerializable(typeof(RejectionDetail))]
[JsonSerializable(typeof(DryRunDetail))]
[JsonSerializable(typeof(ConsignmentDetail))]
[JsonSerializable(typeof(OpeningDetail))]
[JsonSerializable(typeof(OpeningFailureDetail))]
[JsonSerializable(typeof(SignInFailuresDetail))]
[JsonSerializable(typeof(ActivationDetail))]
[JsonSerializable(typeof(StartDetail))]
[JsonSerializable(typeof(StopDetail))]
[JsonSerializable(typeof(ConsignmentFailureDetail))]
[JsonSerializable(typeof(AttemptDetail))]
[JsonSerializable(typeof(DeliveryDetail))]
[JsonSerializable(typeof(HandoverDetail))]
[JsonSerializable(typeof(PayloadErasedDetail))]
[JsonSerializable(typeof(HoldDetail))]
[JsonSerializable(typeof(HoldApprovalDetail))]
[JsonSerializable(typeof(LabelDetail))]
[JsonSerializable(typeof(ReportDetail))]
[JsonSerializable(typeof(StatusDetail))]
[JsonSerializable(typeof(BreakerDetail))]
[JsonSerializable(typeof(DelayDetail))]
[JsonSerializable(typeof(RedriveDetail))]
[JsonSerializable(typeof(DiscardDetail))]
[JsonSerializable(typeof(FlashAlarmDetail))]
[JsonSerializable(typeof(ReplyDetail))]
[JsonSerializable(typeof(DummyDetail))]
[JsonSerializable(typeof(ErasedDetail))]
[JsonSerializable(typeof(AuditReadDetail))]
[JsonSerializable(typeof(SuccessionDetail))]
sealed partial class EntryJson : JsonSerializerContext;
