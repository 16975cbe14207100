using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Envelope;

/// <summary>The sealed parts in the order in which they travel; the payload follows as a stream.</summary>
public sealed record EnvelopeParts(ReadOnlyMemory<byte> Header, IReadOnlyList<ReadOnlyMemory<byte>> Approvals, ReadOnlyMemory<byte> Manifest)
{
    public const int MaxHeader = 1 << 20;
    public const int MaxManifest = 4 << 20;
    public const int MaxApproval = 1 << 16;
    public const int MaxApprovals = 16;
}

/// <summary>A document to seal. Opened once, read once, to the end; <see cref="Length"/> is checked.</summary>
public sealed record DocumentSource(string Name, string MediaType, long Length, int? Pages, Func<Stream> Open);

public sealed record SealRecipient(string Office, Certificate Certificate, string Role);

/// <summary>All that Seal needs. The secret is drawn inside and is never an argument.</summary>
public sealed record SealRequest
{
    public required Guid Id { get; init; }
    public required string Gateway { get; init; }
    public required string Sender { get; init; }
    public required IReadOnlyList<SealRecipient> Recipients { get; init; }
    /// <summary>dispatch.to; office codes. It may name more than are addressed now: those can be added later without the author.</summary>
    public required IReadOnlyList<string> To { get; init; }
    public required Label Label { get; init; }
    public required int Urgency { get; init; }
    public required Times Times { get; init; }
    public required Digest Policy { get; init; }
    public required Digest Directory { get; init; }
    public required Seen? Seen { get; init; }
    public required Sheet Sheet { get; init; }
    public required IReadOnlyList<DocumentSource> Documents { get; init; }
    /// <summary>Signers of the dispatch: a person, and the office where the policy asks.</summary>
    public required IReadOnlyList<IPrivateKey> Authors { get; init; }
    /// <summary>Persons who approve, each with the act "send".</summary>
    public required IReadOnlyList<IPrivateKey> Approvers { get; init; }
    /// <summary>Persons who release it beforehand, where the level asks for that; none of them author or approver.</summary>
    public IReadOnlyList<IPrivateKey> Releasers { get; init; } = [];
    /// <summary>What persons say of its content, with the act "carries-nothing" or "below-floor".</summary>
    public IReadOnlyList<(IPrivateKey Person, string Act)> Statements { get; init; } = [];
    /// <summary>"new", "recall" (without documents) or "replace"; an update is made by <see cref="Envelope.Reseal"/>.</summary>
    public string Kind { get; init; } = HeaderRules.KindNew;
    /// <summary>Ref of the dispatch that a replacement revises; null otherwise.</summary>
    public Digest? Revises { get; init; }
    /// <summary>Dispatches that it answers or forwards; what a recall or replacement is about.</summary>
    public IReadOnlyList<Reference> References { get; init; } = [];
    /// <summary>Signer of the header.</summary>
    public required IPrivateKey Office { get; init; }
    /// <summary>The sender's own encryption certificate: what is kept under it lets the same content go to further offices later; null: nothing is kept.</summary>
    public Certificate? Keeper { get; init; }
    /// <summary>Has the author's signatures, named by their SHA-256 in the order of "signers", time-stamped: a verified token for each, or none at all. null: nobody is asked.</summary>
    public Func<IReadOnlyList<Digest>, Task<IReadOnlyList<ReadOnlyMemory<byte>>>>? TimeStamp { get; init; }
    public required int ManifestBucket { get; init; }
    public required int PayloadBucket { get; init; }
    /// <summary>Payload bytes done so far, of the padded length.</summary>
    public IProgress<long>? Progress { get; init; }
}

/// <param name="Opened">R: proves opening, opens nothing. The sender keeps it beside the outbox entry.</param>
public sealed record SealedEnvelope(EnvelopeParts Parts, Digest Ctx, Digest ManifestDigest, PayloadRef? Payload, Digest DispatchRef, byte[] Opened)
{
    /// <summary>Secret and dispatch, sealed to the sender's own key; null: nothing is kept. It stays in the outbox and never travels.</summary>
    public byte[]? Kept { get; init; }

    /// <summary>Tokens over the author's signatures, as the dispatch carries them, in the order in which the header names these; empty: none could be had; null: none was asked for. Kept outside too, since what is sealed is for recipients only.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>>? TimeStamps { get; init; }
}

/// <summary>Who says which keys are whose, and when.</summary>
/// <param name="At">T: the time at which chains must be valid. For the gateway the arrival, for a recipient the time of the gateway's receipt.</param>
public sealed record EnvelopeContext(OfficeDirectory Directory, CertificateCheck Trust, DateTimeOffset At);

/// <param name="Person">Signer's certificate.</param>
/// <param name="Roles">His roles in the sender's card.</param>
public sealed record VerifiedApproval(Digest Ref, Approval Approval, Certificate Person, IReadOnlyList<string> Roles);

/// <summary>An envelope whose outside holds: signatures, label, approvals, recipients. The payload is checked apart, as it comes.</summary>
/// <param name="RecipientKeysCurrent">Per recipient of the header, in order: the key is a current encryption key of that office (or of the sender, for self).</param>
public sealed record VerifiedEnvelope(Header Header, Digest Ctx, Digest ManifestDigest, OfficeEntry Sender, Certificate Signer, DateTimeOffset SigningTime,
    IReadOnlyList<VerifiedApproval> Approvals, IReadOnlyList<bool> RecipientKeysCurrent)
{
    /// <summary>Bytes of the manifest's frame: GCM makes nothing longer.</summary>
    public required long ManifestLength { get; init; }
}

public sealed record OpenRequest
{
    public required EnvelopeParts Parts { get; init; }
    /// <summary>Ciphertext, read once from the start.</summary>
    public required Stream Payload { get; init; }
    public required EnvelopeContext Context { get; init; }
    /// <summary>Office code of the opener.</summary>
    public required string Office { get; init; }
    /// <summary>Encryption key of the opener.</summary>
    public required IPrivateKey Key { get; init; }
    /// <summary>Existing folder for the documents. They appear there only when everything held: temp files 0600 in it until then.</summary>
    public required string Folder { get; init; }
    /// <summary>Whether the level asks for the office's signature on the dispatch besides the person's.</summary>
    public required bool OfficeSignsDispatch { get; init; }
    /// <summary>Roles of which the level asks the author to have one; null: any person of the sender's card.</summary>
    public IReadOnlyList<string>? AuthorRoles { get; init; }
    /// <summary>Whether the level asks for time-stamps. Those that are there are verified in any case.</summary>
    public TimeStampNeed TimeStamp { get; init; }
    /// <summary>What was kept of it under a key of the opener's own, which <see cref="Key"/> then is: it opens by that, recipient or not. null: by the manifest.</summary>
    public ReadOnlyMemory<byte>? Kept { get; init; }
    /// <summary>Key of the opener's own under which it is to be kept, so that it opens when the recipient key is gone; null: it is not.</summary>
    public Certificate? Keeper { get; init; }
    public IProgress<long>? Progress { get; init; }
}

/// <param name="Proof">HMAC-SHA256(R, CTX ‖ key): what the opened receipt carries.</param>
/// <param name="DispatchDer">The author's signed statement, for the archive.</param>
/// <param name="TimeStamps">Over each signature of the author, in the order of "signers", verified; empty: it bears none.</param>
public sealed record OpenedEnvelope(VerifiedEnvelope Envelope, Dispatch Dispatch, ReadOnlyMemory<byte> DispatchDer, IReadOnlyList<string> Files, Digest Proof, IReadOnlyList<VerifiedTimeStamp> TimeStamps)
{
    /// <summary>Secret and dispatch, sealed to <see cref="OpenRequest.Keeper"/>; null: there is none.</summary>
    public byte[]? Kept { get; init; }
}

/// <summary>
/// Use <see cref="SealAsync"/> and <see cref="OpenAsync"/>; a gateway uses <see cref="Verify"/> and <see cref="Payload"/>. Memory is constant in the payload.
/// The format is docs/envelope.md; what it will not do: open anything before everything held, or encrypt twice under one secret.
/// </summary>
public static class Envelope
{
    /// <summary>Seals; writes the payload's ciphertext to <paramref name="payload"/>, which the caller makes durable before sending.</summary>
    /// <exception cref="RefusedException">A value outside the format, found before the first document is read where it can be.</exception>
    /// <exception cref="InvalidDataException">A document changed its length meanwhile: throw the ciphertext away and seal anew.</exception>
    public static Task<SealedEnvelope> SealAsync(SealRequest request, Stream payload, TimeProvider clock, CancellationToken cancel) =>
        EnvelopeSealer.SealAsync(request, payload, clock, cancel);

    /// <summary>The same content for further offices: a new header and a new manifest over the secret, dispatch and payload of an earlier envelope. No document is read and nothing is encrypted under the secret.</summary>
    /// <exception cref="RefusedException">CannotOpen (what was kept is damaged, or of another header), NotForThisKey, DispatchMismatch, Addressees (an office that the author did not name), or a value outside the format.</exception>
    public static SealedEnvelope Reseal(ResealRequest request, TimeProvider clock) => EnvelopeResealer.Reseal(request, clock);

    /// <summary>
    /// Everything that can be checked without a key, except the payload. Not checked: whether it may be released (the decision), whether it was seen before,
    /// and how far the signing time is from arrival.
    /// </summary>
    /// <exception cref="RefusedException">The first check that fails, in the order of docs/envelope.md.</exception>
    public static VerifiedEnvelope Verify(EnvelopeParts parts, EnvelopeContext context) => EnvelopeCheck.Run(parts, context).Envelope;

    /// <summary>An approval that comes by itself, for a dispatch whose header was verified before: a current person of the sender, about this dispatch, label and addressees, not lapsed.</summary>
    /// <exception cref="RefusedException">Approval, LabelMismatch, or what the statement or the certificate is refused for. Whether act and role are the right ones is the caller's question.</exception>
    public static VerifiedApproval VerifyApproval(ReadOnlyMemory<byte> approval, Header header, EnvelopeContext context) =>
        EnvelopeCheck.CheckApproval(approval, header, context.Directory.Find(header.Sender) ?? throw new RefusedException(Refusal.SignerUnknown, "no such office"), context);

    /// <summary>A person's change of the label of a dispatch whose header was verified before: in form, about this dispatch, not lapsed, by a current person of the office it names.</summary>
    /// <param name="ctx">Ref of the header; of an update that of its original, whose label it bears.</param>
    /// <exception cref="RefusedException">LabelChange, LabelForm, or what the statement or the certificate is refused for. Whether he may is the caller's question.</exception>
    public static VerifiedLabelChange VerifyLabelChange(ReadOnlyMemory<byte> statement, Header header, Digest ctx, EnvelopeContext context) => LabelChangeCheck.Run(statement, header, ctx, context);

    /// <summary>Verifies, opens, checks the inside, writes the documents. On return their bytes are durable; their names are once the caller has fsynced the folder.</summary>
    /// <exception cref="RefusedException">The first check that fails; nothing is left in the folder.</exception>
    /// <exception cref="IOException">No room, or another file has the name of a document.</exception>
    public static Task<OpenedEnvelope> OpenAsync(OpenRequest request, CancellationToken cancel) => EnvelopeOpener.OpenAsync(request, cancel);

    /// <summary>Whether what was kept opens the envelope of this header, which the caller has verified: the key, the frame and the commitment, and that the dispatch in it is the one that the header names. No document is touched.</summary>
    /// <exception cref="RefusedException">CannotOpen, NotForThisKey, DispatchMismatch, or what is refused in the form.</exception>
    public static void VerifyKept(VerifiedEnvelope envelope, ReadOnlyMemory<byte> kept, IPrivateKey key)
    {
        using var frame = EnvelopeOpener.OpenKept(kept, envelope.Ctx, envelope.Header.Commitment, key);
        if (Statement.Read(frame.Dispatch, StatementType.Dispatch).Ref != envelope.Header.Dispatch.Ref) throw new RefusedException(Refusal.DispatchMismatch, "ref");
    }

    /// <summary>Removes what a crash in the middle of <see cref="OpenAsync"/> left in a folder. Only its owner, while nothing is being opened there.</summary>
    /// <returns>How many files there were.</returns>
    public static int SweepTemp(string folder) => OpeningFolder.Sweep(folder);
}
