using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// An entry: 32 bytes on the tree, SHA-256(salt(32) ‖ detail), and apart from it the salt and the detail (RFC 8785 JSON with v, kind, time …), which
/// can be shown by clearance and erased. leaf = SHA-256(00 ‖ entry).
/// </summary>
public sealed record LedgerEntry(byte[] Salt, byte[] Detail)
{
    public const int SaltSize = 32;

    /// <summary>A fresh random salt for this detail. Never derived: erasing it must make the detail unguessable.</summary>
    public static LedgerEntry Create(byte[] detail) => new(RandomNumberGenerator.GetBytes(SaltSize), detail);

    /// <summary>A fresh random salt for the canonical bytes of this detail.</summary>
    public static LedgerEntry Create<T>(T detail) where T : LedgerDetail => Create(EntryDetails.Write(detail));

    /// <summary>SHA-256(salt ‖ detail): the 32 bytes logged.</summary>
    public Digest Hash
    {
        get
        {
            if (Salt.Length != SaltSize) throw new ArgumentException($"A salt has {SaltSize} bytes.");
            const int onStack = 1024;
            var length = SaltSize + Detail.Length;
            var input = length <= onStack ? stackalloc byte[length] : new byte[length];
            Salt.CopyTo(input);
            Detail.CopyTo(input[SaltSize..]);
            return Digest.Of(input);
        }
    }

    /// <summary>SHA-256(00 ‖ Hash).</summary>
    public Digest Leaf => LeafOf(Hash);

    /// <summary>SHA-256(00 ‖ entry), from the 32 bytes that stand in the entry bundles.</summary>
    public static Digest LeafOf(Digest entry)
    {
        Span<byte> bytes = stackalloc byte[Digest.Size];
        entry.CopyTo(bytes);
        return MerkleTree.LeafHash(bytes);
    }
}

/// <summary>
/// Closed list of what an entry can be about. The number stands in the gateway's store: it never changes and is never reused. Subject: the row that the store
/// files the entry under. Promises: what the same commit wrote, and a check of the store therefore looks for.
/// </summary>
public enum EntryKind
{
    /// <summary>Subject: dispatch. Promises the dispatch, its parcels, its decision and its SubmissionAcceptance receipt.</summary>
    Submission = 1,
    /// <summary>Subject: its SubmissionRejection receipt, promised; none when the header could not be read, so that there is nothing to name in a receipt.</summary>
    Rejection = 2,
    /// <summary>Subject: none. Promises the decision record.</summary>
    DryRun = 3,
    /// <summary>Subject: parcel. Promises that it is delivered, the office's ContentHandover and our ContentConsignment.</summary>
    Consignment = 4,
    /// <summary>Subject: parcel. Promises the office's ContentOpening.</summary>
    Opening = 5,
    /// <summary>Subject: parcel. Promises the office's ContentOpeningFailure.</summary>
    OpeningFailure = 6,
    /// <summary>Unauthenticated failures, counted per reason, network and minute. Promises nothing.</summary>
    SignInFailures = 7,
    /// <summary>A policy, directory, standing or revocation list came into force. Promises the document.</summary>
    Activation = 8,
    Start = 9,
    Stop = 10,
    /// <summary>Subject: parcel. Promises that it ended refused, expired, dead or recalled, and our ContentConsignmentFailure.</summary>
    ConsignmentFailure = 11,
    /// <summary>Subject: parcel. A channel was tried and the copy is still under way, or a worker reported too late. Promises the attempt.</summary>
    Attempt = 12,
    /// <summary>Subject: parcel. A channel that gives no office's receipt has it. Promises that it is delivered, and our ContentConsignment.</summary>
    Delivery = 13,
    /// <summary>Subject: parcel. Promises the office's ContentHandover, which came after its Delivery, or after a recall that came too late.</summary>
    Handover = 14,
    /// <summary>Subject: dispatch. Promises that it says since when its payload is gone; everything else of it stays.</summary>
    PayloadErased = 15,
    /// <summary>Subject: held submission. Promises it, its decision and its SubmissionHold receipt; what became of it says a Submission or a Rejection.</summary>
    Hold = 16,
    /// <summary>Subject: held submission. Promises the approval and our HoldApproval receipt.</summary>
    HoldApproval = 17,
    /// <summary>Subject: dispatch. What a person signed about its label, or what time did to it, and what was decided. Promises our LabelChange receipt and, unless denied, the change.</summary>
    Label = 18,
    /// <summary>Subject: parcel. What its office says it does with it. Promises the status and our HandlingStatus receipt.</summary>
    Status = 24,
    /// <summary>Subject: parcel. A carrier that has it on the way says how far it came. Promises the report.</summary>
    Report = 29,
    /// <summary>Subject: none. The channel of an office was closed to copies after failures, or opened again. Promises nothing.</summary>
    Breaker = 19,
    /// <summary>Subject: parcel. Half of its time is over and it is not delivered. Promises our ContentConsignmentDelay receipt.</summary>
    Delay = 20,
    /// <summary>Subject: parcel. An operator sent a dead copy on its way again. Promises nothing: what becomes of it is in later entries.</summary>
    Redrive = 21,
    /// <summary>Subject: parcel. Operators gave a dead copy up for good. Promises that it is dead.</summary>
    Discard = 22,
    /// <summary>Subject: parcel. A flash copy was not delivered in time and the administrator was told. Promises nothing.</summary>
    FlashAlarm = 23,
    /// <summary>Subject: receipt. It went to the sender by the channel that had brought his submission. Promises the receipt.</summary>
    Reply = 30,
    /// <summary>Subject: none. Stands where nothing happened, so that the ledger grows alike whether something did or not. Opens like any entry. Promises nothing.</summary>
    Dummy = 31,
    /// <summary>Subject: none. Salt and detail of one earlier entry were deleted; its 32 bytes stay. Promises that they are gone.</summary>
    Erased = 32,
    /// <summary>Subject: none. An auditor looked at entries. Promises nothing.</summary>
    AuditRead = 33,
    /// <summary>Subject: none. The first entry under a new name: which ledgers ended, how far their signed heads are the beginning of this one, and what is lost. Promises nothing.</summary>
    Succession = 36,
}

/// <summary>The word for each kind, as it stands in the detail's "kind".</summary>
public static class EntryKinds
{
    static readonly FrozenDictionary<EntryKind, string> Names = new Dictionary<EntryKind, string>
    {
        [EntryKind.Submission] = "submission",
        [EntryKind.Rejection] = "rejection",
        [EntryKind.DryRun] = "dry-run",
        [EntryKind.Consignment] = "consignment",
        [EntryKind.Opening] = "opening",
        [EntryKind.OpeningFailure] = "opening-failure",
        [EntryKind.SignInFailures] = "sign-in-failures",
        [EntryKind.Activation] = "activation",
        [EntryKind.Start] = "start",
        [EntryKind.Stop] = "stop",
        [EntryKind.ConsignmentFailure] = "consignment-failure",
        [EntryKind.Attempt] = "attempt",
        [EntryKind.Delivery] = "delivery",
        [EntryKind.Handover] = "handover",
        [EntryKind.PayloadErased] = "payload-erased",
        [EntryKind.Hold] = "hold",
        [EntryKind.HoldApproval] = "hold-approval",
        [EntryKind.Label] = "label",
        [EntryKind.Status] = "status",
        [EntryKind.Report] = "report",
        [EntryKind.Breaker] = "breaker",
        [EntryKind.Delay] = "delay",
        [EntryKind.Redrive] = "redrive",
        [EntryKind.Discard] = "discard",
        [EntryKind.FlashAlarm] = "flash-alarm",
        [EntryKind.Reply] = "reply",
        [EntryKind.Dummy] = "dummy",
        [EntryKind.Erased] = "erased",
        [EntryKind.AuditRead] = "audit-read",
        [EntryKind.Succession] = "succession",
    }.ToFrozenDictionary();

    public static string Name(this EntryKind kind) => Names[kind];

    /// <summary>All of them, in alphabetical order.</summary>
    public static IReadOnlyList<string> Words { get; } = [.. Names.Values.Order(StringComparer.Ordinal)];

    public static bool TryParse(string? name, out EntryKind kind)
    {
        foreach (var (candidate, text) in Names)
            if (text == name) { kind = candidate; return true; }
        kind = default;
        return false;
    }
}
