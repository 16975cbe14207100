using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>
/// What a decision is asked about. Gathered by the caller; the decision itself does no I/O. Where null means "not known", a rule that needs the fact denies.
/// </summary>
public sealed record DecisionFacts
{
    /// <summary>
    /// "seal" (the sender, before sealing), "submit", "forward", "dry-run" (a dispatch comes in), "release", "retry", "download" (a copy goes out), "relabel" (a label is
    /// raised or lowered) or "read" (an auditor reads a record).
    /// </summary>
    public required string Action { get; init; }
    /// <summary>Of the dispatch or record; for "relabel" the new one. null: none given.</summary>
    public required Label? Label { get; init; }
    /// <summary>The label was read from verified signed attributes, identical in all of them (R03). False in a dry run and before sealing: R03 is then reported as not evaluated and does not deny.</summary>
    public required bool LabelVerified { get; init; }
    public required string Sender { get; init; }
    /// <summary>What the sender may itself hold now: certificate's ceiling and standing (R06). null: nothing.</summary>
    public required Clearance? SenderClearance { get; init; }
    public required IReadOnlyList<RecipientFacts> Recipients { get; init; }
    public required IReadOnlyList<ApprovalFacts> Approvals { get; init; }
    /// <summary>Sender's card is new and not yet signed by a previous key: until when it is held.</summary>
    public required DateTimeOffset? SenderHeldUntil { get; init; }
    /// <summary>Ref of the directory, of the standing and of the policy that the sender used.</summary>
    public required Digest Directory { get; init; }
    public required Digest Standing { get; init; }
    public required Digest SenderPolicy { get; init; }

    /// <summary>Whether the clock is one to be trusted; null: not known (R15, R16).</summary>
    public bool? ClockSure { get; init; }
    /// <summary>When it was last asked whether there is a newer directory; null: not known (R17).</summary>
    public DateTimeOffset? DirectoryAsOf { get; init; }
    /// <summary>What the CAs' lists and responders say of sender and recipients; null: it was not asked (R17).</summary>
    public RevocationFacts? Revocation { get; init; }
    /// <summary>Embargo that the header states; null: it states none (R16).</summary>
    public DateTimeOffset? NotBefore { get; init; }
    /// <summary>What store, queue, log and backup may hold; null: nothing (R10).</summary>
    public Clearance? StoreCeiling { get; init; }
    /// <summary>Lengths before encryption, padding included; null: not known (R19).</summary>
    public SizeFacts? Sizes { get; init; }
    /// <summary>Dispatches that this one answers, forwards or quotes; empty: none; null: not known (R11, R12).</summary>
    public IReadOnlyList<ReferenceFacts>? References { get; init; }
    /// <summary>Groups with a need to know; null: no limit; empty: nobody (R08).</summary>
    public IReadOnlyList<string>? NeedToKnow { get; init; }
    /// <summary>Office codes that all approvals name; null: nobody said (R08, for "named-only").</summary>
    public IReadOnlyList<string>? Named { get; init; }
    /// <summary>What the policy of acceptance says now; null: not known (R21).</summary>
    public EarlierFacts? Earlier { get; init; }
    /// <summary>Verdict of a second, independent engine on the same facts; null: nobody asked it (R22).</summary>
    public Verdict? SecondOpinion { get; init; }
    /// <summary>Of who wants to read; null: nothing (R23).</summary>
    public Clearance? Reader { get; init; }
    /// <summary>Who changes which label, and why; null: not known (R13, R14, R15).</summary>
    public RelabelFacts? Relabel { get; init; }
    /// <summary>What the sender's word list proposes; null: it was not asked (R20).</summary>
    public FloorFacts? Floor { get; init; }
    /// <summary>The label was translated from another policy; null: it was not (R25).</summary>
    public TranslationFacts? Translation { get; init; }
}

/// <param name="Known">The office is in the directory and has standing.</param>
/// <param name="KeyCurrent">The header's key is a current encryption key of the office (R18).</param>
/// <param name="Clearance">Certificate's ceiling and standing, intersected; null: nothing.</param>
public sealed record RecipientFacts(string Office, string Role, bool Known, bool KeyCurrent, DateTimeOffset? HeldUntil, Clearance? Clearance, Clearance? ChannelCeiling)
{
    /// <summary>The encryption key of the header; null: not known.</summary>
    public Digest? Key { get; init; }
    /// <summary>Adapter that carries the copy, "mailbox" where the office fetches it; null: not known (R09).</summary>
    public string? Channel { get; init; }
    /// <summary>Need-to-know groups of the office; null: not known, hence none (R08).</summary>
    public IReadOnlyList<string>? Groups { get; init; }
}

/// <param name="Act">One of <see cref="Statements.ApprovalAct"/>.</param>
/// <param name="Roles">Roles of the person who signed, from the sender's card.</param>
public sealed record ApprovalFacts(string Act, Digest Person, IReadOnlyList<string> Roles, DateTimeOffset NotAfter);

/// <param name="Known">About each certificate concerned, and each CA above it, somebody speaks of now. What is known to be revoked is no matter of these facts: it counts as no clearance and no key.</param>
/// <param name="AsOf">When the oldest of what speaks about those certificates was issued, Unix milliseconds; null: there is nothing. CAs above do not count: their lists are made by the year.</param>
public sealed record RevocationFacts(bool Known, long? AsOf);

/// <param name="Manifest">Bytes of the manifest's frame.</param>
/// <param name="Payload">Bytes of the payload; 0: none.</param>
public sealed record SizeFacts(long Manifest, long Payload);

/// <param name="Relation">"reply", "forward" or "quote".</param>
/// <param name="Label">Label in force of what is referred to; null: it is not known here, or not to the sender.</param>
/// <param name="Originator">Its sender; null: not known.</param>
/// <param name="Released">Offices that its originator signed a release for; null: no release.</param>
public sealed record ReferenceFacts(string Relation, Digest Ref, Label? Label, string? Originator, string[]? Released);

/// <param name="Policy">Ref of the policy that decided at acceptance.</param>
/// <param name="Verdict">What that policy says of the facts of now; null: it was not asked. Need not be asked when it is the policy that decides.</param>
public sealed record EarlierFacts(Digest Policy, Verdict? Verdict);

/// <param name="Old">The label in force.</param>
/// <param name="Previous">Ref of the statement that gave it; null: the new one points at nothing.</param>
/// <param name="Originator">Office that sent the dispatch.</param>
/// <param name="Cause">"person", or "term" or "succession": by time alone.</param>
/// <param name="Persons">Who signed the change, each once.</param>
/// <param name="Reason">Code or text of the reason; null: none.</param>
/// <param name="LabelledAt">When the label was chosen, Unix milliseconds.</param>
/// <param name="Extension">Latest end that a signed extension gives, Unix milliseconds; null: none.</param>
/// <param name="SuccessionAt">Time signed for the new label, Unix milliseconds; null: none.</param>
/// <param name="Stopped">A signed stop lies on it: nothing ends by time alone.</param>
public sealed record RelabelFacts(Label Old, Digest? Previous, string Originator, string Cause, RelabelPerson[] Persons, string? Reason, long LabelledAt, long? Extension, long? SuccessionAt, bool Stopped);

/// <param name="Roles">From his office's card.</param>
/// <param name="Clearance">His office's, as for a recipient; null: nothing.</param>
public sealed record RelabelPerson(Digest Person, string Office, string[] Roles, Clearance? Clearance);

/// <param name="Class">Proposed class; null: no word was found.</param>
public sealed record FloorFacts(int? Class);

/// <param name="Translator">Key that signed the translation.</param>
/// <param name="From">OID of the policy it came from.</param>
public sealed record TranslationFacts(Digest Translator, string From);
