using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <param name="Folder">Where the documents are; null when it could not be opened.</param>
/// <param name="Files">Absolute paths.</param>
/// <param name="Failure">Why it could not be opened; the sender has been told. null: opened.</param>
/// <param name="Again">It had been opened before; only the receipts were sent again.</param>
/// <param name="Acknowledged">The gateway has our receipts; false: they go again next time.</param>
public sealed record OpenResult(Guid Parcel, string Sender, Guid Envelope, string? Number, string Level, DateTimeOffset Accepted, string? Folder, IReadOnlyList<string> Files,
    Refusal? Failure, bool Again, bool Acknowledged)
{
    /// <summary>As its author chose it: what the reader must know before he does anything with it.</summary>
    public required Label Label { get; init; }
    /// <summary>It takes an earlier dispatch back, or takes its place; null: it does neither.</summary>
    public RecallNotice? Notice { get; init; }
    /// <summary>Envelope by which this office has the same dispatch already; null: it is the first copy.</summary>
    public Guid? CopyOf { get; init; }
    /// <summary>By then, by time-stamps, its author had signed; null: it bears none.</summary>
    public DateTimeOffset? StampedAt { get; init; }
    /// <summary>Its level asks for a time-stamp and lets it wait, and it bears none.</summary>
    public bool StampPending { get; init; }
    /// <summary>Who else can open it: the sender, and the policy's recovery keys.</summary>
    public IReadOnlyList<Recipient> Besides { get; init; } = [];
}

/// <summary>From a parcel in the mailbox to documents on disk and receipts at the gateway. Again is harmless at every step.</summary>
sealed class OpenParcel(OfficeContext office)
{
    // What the inside of an envelope can be accused of. Anything else is the way, the clock or this computer: nothing is told to the sender, it is tried again.
    static readonly HashSet<Refusal> OfTheSender =
    [
        Refusal.CannotOpen, Refusal.DispatchMismatch, Refusal.DispatchSigners, Refusal.SenderMismatch, Refusal.Addressees, Refusal.LabelMismatch,
        Refusal.DispatchForm, Refusal.DocumentDigest, Refusal.DocumentName, Refusal.PayloadPadding, Refusal.Expired, Refusal.Recalled, Refusal.TimeStamp, Refusal.TimeStampMissing,
    ];

    // Bytes that are not what the header names: another copy may be.
    static readonly HashSet<Refusal> OfTheBytes = [Refusal.PayloadRoot, Refusal.PayloadLength, Refusal.Der, Refusal.Size];

    readonly VerifyParcel verify = new(office);
    readonly SignReceipt sign = new(office);
    readonly Archive archive = new(office);

    /// <param name="recalled">Also what its sender has taken back.</param>
    public async Task<OpenResult> RunAsync(Guid parcel, string outFolder, IProgress<long>? progress, CancellationToken cancel, bool recalled = false)
    {
        var bytes = new ParcelFiles(office.Files, parcel);
        using var alone = bytes.TryLock() ?? throw new RefusedException(Refusal.Busy, "another process opens this parcel");
        // 1. All bytes, and the gateway's receipt of the submission: its time is T. What was delivered here, or fetched by an earlier run, is not fetched again.
        if (!bytes.IsWhole && OpenedBefore(parcel) is { } before)
            return Result(before, parcel, HeaderOf(before), null, again: true, await AcknowledgeAsync(before, cancel).ConfigureAwait(false));
        if (!bytes.IsWhole) await new FetchParcel(office).RunAsync(bytes, progress, cancel).ConfigureAwait(false);
        try { return await OpenWholeAsync(bytes, outFolder, recalled, cancel).ConfigureAwait(false); }
        catch (RefusedException e) when (OfTheBytes.Contains(e.Refusal))
        {
            // The same bytes would be refused for ever: the next opening fetches them anew.
            bytes.SetAside();
            throw;
        }
    }

    // Brought here, opened and put away long ago: the bytes have gone, and need not come again.
    ReceivedRecord? OpenedBefore(Guid parcel)
    {
        if (office.Received.Handover(parcel) is not { } der) return null;
        var handover = Statement.Read(der, StatementType.Receipt).As<Receipt>();
        return office.Received.Find(handover.Sender, handover.Envelope) is { Stage: ReceivedState.Opened } record && record.Files.All(File.Exists) ? record : null;
    }

    Header HeaderOf(ReceivedRecord record) => Statement.Read(File.ReadAllBytes(Path.Combine(office.Received.Evidence(record.Sender, record.Id), "header.p7s")), StatementType.Header).As<Header>();

    string LevelOf(Label label) => (office.View.Policy.Content.Policy == label.Policy ? office.View.Policy.Level(label.Class)?.Code : null) ?? "";

    async Task<OpenResult> OpenWholeAsync(ParcelFiles bytes, string outFolder, bool recalled, CancellationToken cancel)
    {
        await using var file = bytes.Open();
        // 2. The outside, without trusting the gateway. No private key is touched before all of it holds.
        var parts = await EnvelopeFile.ReadPartsAsync(file, cancel).ConfigureAwait(false);
        var held = verify.Run(bytes.Parcel, parts, await File.ReadAllBytesAsync(bytes.Receipt, cancel).ConfigureAwait(false));
        // 3. (sender, id) is remembered for ever: the same again is harmless, another one under its name is refused.
        var header = held.Envelope.Header;
        var known = office.Received.Demand(header.Sender, header.Id, held.Envelope.Ctx, held.Envelope.ManifestDigest);
        if (known is { Stage: ReceivedState.Opened } && known.Files.All(File.Exists)) return await AgainAsync(known, held, bytes, cancel).ConfigureAwait(false);
        // Not opened because it was recalled, and now by the clerk's own word: said anew.
        if (recalled && known is { Stage: ReceivedState.Failed } && known.Code == Refusal.Recalled.Code) known = known with { Outcome = null, Acknowledged = false };
        else if (known is { Stage: ReceivedState.Failed }) return await AgainAsync(known, held, bytes, cancel).ConfigureAwait(false);
        // 4. Open; every finding about the inside goes to the sender by name.
        ReceivedRecord record;
        Refusal? failure = null;
        try
        {
            // Its sender has taken it back, before it came or before it was opened.
            if (!recalled && IsTakenBack(header, held.Envelope.Ctx)) throw new RefusedException(Refusal.Recalled);
            record = await OpenAsync(held, known, bytes, file, outFolder, cancel).ConfigureAwait(false);
        }
        catch (RefusedException e) when (OfTheSender.Contains(e.Refusal))
        {
            failure = e.Refusal;
            record = Failed(held, known, e.Refusal);
        }
        // 5. Documents and receipts are durable: only now the gateway is told.
        var acknowledged = await AcknowledgeAsync(record, cancel).ConfigureAwait(false);
        if (acknowledged) await new HandleParcel(office).ArrivedAsync(record, cancel).ConfigureAwait(false);
        if (failure is null) bytes.Remove();
        return Result(record, held.Parcel, held.Envelope.Header, failure, again: false, acknowledged);
    }

    async Task<ReceivedRecord> OpenAsync(HeldParcel held, ReceivedRecord? known, ParcelFiles bytes, FileStream payload, string outFolder, CancellationToken cancel)
    {
        var header = held.Envelope.Header;
        if (known is null or { Stage: ReceivedState.Held } && held.Submission.Time > header.Times.Expires) throw new RefusedException(Refusal.Expired);
        var level = office.View.Policy.Level(header.Label.Class)!;
        var root = Path.GetFullPath(outFolder);
        Directory.CreateDirectory(root);
        var making = Path.Combine(root, ".opening-" + held.Parcel);
        if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
        Directory.CreateDirectory(making, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            var opened = await Envelope.OpenAsync(new OpenRequest
            {
                Parts = held.Parts, Payload = payload, Context = verify.Context(header, held.Submission), Office = office.Profile.Office, Key = held.Key, Folder = making,
                OfficeSignsDispatch = level.Authors.Contains("office"), TimeStamp = NeedOf(office, header, level), Keeper = archive.Key,
            }, cancel).ConfigureAwait(false);
            DemandAuthor(opened, level.AuthorRoles);
            KeepEvidence(held, opened);
            // Archived before anybody hears that it was opened: what is acknowledged opens when the key of today is gone.
            if (opened.Kept is { } kept && header.Payload is not null) archive.Keep(held, bytes, kept);
            // Durable before the sender hears that it was read: from here on what it is about is not opened without a clerk's word.
            if (header is { Kind: "recall" or "replace", Target: { } target })
                office.Received.SaveRecall(new(1, header.Sender, target.Id, target.Ref, target.Revision, header.Kind, header.Id, held.Envelope.Ctx, held.Parcel, header.Kind == "recall" ? opened.Dispatch.Sheet.Subject : null));
            return header.Kind == "recall" ? Noticed(held, known, opened, making) : Place(held, known, opened, making, root);
        }
        catch
        {
            if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
            throw;
        }
    }

    // A level that has begun to ask for time-stamps did not ask it of what was sealed under another version of the policy.
    internal static TimeStampNeed NeedOf(OfficeContext office, Header header, PolicyLevel level) =>
        TimeStampRule.Of(level.Handling) is var need && need == TimeStampNeed.Demanded && header.Policy != office.View.Policy.Ref ? TimeStampNeed.Due : need;

    ReceivedRecord Stamped(ReceivedRecord record, OpenedEnvelope opened) => record with
    {
        StampedAt = opened.TimeStamps.Count > 0 ? opened.TimeStamps.Max(t => t.Time).ToUnixTimeMilliseconds() : null,
        StampPending = opened.TimeStamps.Count == 0 && office.View.Policy.Level(opened.Envelope.Header.Label.Class) is { } level && TimeStampRule.Of(level.Handling) != TimeStampNeed.None,
    };

    // Also what is only another copy of something that another dispatch has replaced.
    bool IsTakenBack(Header header, Digest ctx) => office.Received.FindRecall(header.Sender, header.Id) is { } taken && taken.Ref == ctx
        || (header is { Kind: "update", Target: { } original } && office.Received.FindRecall(header.Sender, original.Id) is { Kind: "replace" } replaced && replaced.Ref == original.Ref);

    // Only of updates is it asked: everything received is looked through for it.
    Guid? CopyOf(Header header) => header is not { Kind: "update", Target: { } original } ? null : office.Received.List().FirstOrDefault(r => r.Sender == header.Sender && r.Id != header.Id && r.Stage == ReceivedState.Opened
        && (r.DispatchRef == header.Dispatch.Ref || (r.Id == original.Id && r.Ctx == original.Ref)))?.Id;

    // The policy says which roles may author at this level; the sender's card says who has them.
    internal static void DemandAuthor(OpenedEnvelope opened, string[] roles)
    {
        var persons = opened.Envelope.Sender.Persons.Where(p => opened.Dispatch.Signers.Contains(p.Certificate.Key));
        if (!persons.Any(p => p.Roles.Any(roles.Contains))) throw new RefusedException(Refusal.DispatchSigners, "role of the author");
    }

    ReceivedRecord Place(HeldParcel held, ReceivedRecord? known, OpenedEnvelope opened, string making, string root)
    {
        var (sender, id) = (opened.Envelope.Header.Sender, opened.Envelope.Header.Id);
        var number = NumberOf(opened.Dispatch.Sheet);
        var folder = known is { Folder: { } before } && Path.GetDirectoryName(before) == root ? before : FreeFolder(root, sender, number, id);
        string[] files = [.. opened.Files.Select(f => Path.Combine(folder, Path.GetFileName(f)))];
        var record = Stamped(new ReceivedRecord(1, sender, id, opened.Envelope.Ctx, opened.Envelope.ManifestDigest, nameof(ReceivedState.Opening), held.Parcel,
            held.Submission.Time, number, folder, files, null, known?.Handover, known?.Outcome, known?.Acknowledged ?? false) { DispatchRef = opened.Envelope.Header.Dispatch.Ref }, opened);
        // Crash after this line: the next opening finds the name it had chosen and puts the documents there again.
        office.Received.Save(record);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        office.Files.MoveFolder(making, folder);
        // The documents are durable. The receipts are signed once; the same bytes are sent for ever after.
        record = record with
        {
            State = nameof(ReceivedState.Opened),
            Handover = record.Handover ?? sign.Run(held, ReceiptEvent.ContentHandover, "OK", null),
            Outcome = record.Outcome ?? sign.Run(held, ReceiptEvent.ContentOpening, "OK", opened.Proof),
        };
        office.Received.Save(record);
        return record;
    }

    // A recall has no documents: what it says is kept as a notice.
    ReceivedRecord Noticed(HeldParcel held, ReceivedRecord? known, OpenedEnvelope opened, string making)
    {
        Directory.Delete(making, recursive: true);
        var header = held.Envelope.Header;
        var record = Stamped(new ReceivedRecord(1, header.Sender, header.Id, held.Envelope.Ctx, held.Envelope.ManifestDigest, nameof(ReceivedState.Opened), held.Parcel, held.Submission.Time, null, null, [], null,
            known?.Handover ?? sign.Run(held, ReceiptEvent.ContentHandover, "OK", null), known?.Outcome ?? sign.Run(held, ReceiptEvent.ContentOpening, "OK", opened.Proof), known?.Acknowledged ?? false), opened);
        office.Received.Save(record);
        return record;
    }

    ReceivedRecord Failed(HeldParcel held, ReceivedRecord? known, Refusal why)
    {
        var header = held.Envelope.Header;
        var record = new ReceivedRecord(1, header.Sender, header.Id, held.Envelope.Ctx, held.Envelope.ManifestDigest, nameof(ReceivedState.Failed), held.Parcel, held.Submission.Time,
            null, null, [], why.Code, known?.Handover ?? sign.Run(held, ReceiptEvent.ContentHandover, "OK", null), sign.Run(held, ReceiptEvent.ContentOpeningFailure, why.Code, null), false);
        office.Received.Save(record);
        return record;
    }

    void KeepEvidence(HeldParcel held, OpenedEnvelope opened)
    {
        var folder = office.Received.Evidence(held.Envelope.Header.Sender, held.Envelope.Header.Id);
        office.Files.Write(Path.Combine(folder, "header.p7s"), held.Parts.Header.Span);
        for (var i = 0; i < held.Parts.Approvals.Count; i++)
            office.Files.Write(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"approval-{i + 1:00}.p7s")), held.Parts.Approvals[i].Span);
        office.Files.Write(Path.Combine(folder, "manifest.p7m"), held.Parts.Manifest.Span);
        office.Files.Write(Path.Combine(folder, "receipt.p7s"), held.SubmissionDer.Span);
        office.Files.Write(Path.Combine(folder, "dispatch.p7s"), opened.DispatchDer.Span);
    }

    async Task<OpenResult> AgainAsync(ReceivedRecord known, HeldParcel held, ParcelFiles bytes, CancellationToken cancel)
    {
        var acknowledged = await AcknowledgeAsync(known, cancel).ConfigureAwait(false);
        if (acknowledged) await new HandleParcel(office).ArrivedAsync(known, cancel).ConfigureAwait(false);
        if (known.Stage == ReceivedState.Opened) bytes.Remove();
        Refusal? failure = known.Code is null ? null : Refusal.All.GetValueOrDefault(known.Code, Refusal.CannotOpen);
        return Result(known, held.Parcel, held.Envelope.Header, failure, again: true, acknowledged);
    }

    /// <summary>Hands our two receipts to the gateway; the same bytes each time.</summary>
    public async Task<bool> AcknowledgeAsync(ReceivedRecord record, CancellationToken cancel)
    {
        try
        {
            office.Files.Step("acknowledge handover");
            await office.Api.AcknowledgeAsync(record.Parcel, record.Handover, cancel).ConfigureAwait(false);
            office.Files.Step("acknowledge outcome");
            await office.Api.AcknowledgeAsync(record.Parcel, record.Outcome, cancel).ConfigureAwait(false);
        }
        catch (RefusedException e) when (e.Refusal == Refusal.Unreachable || e.Refusal == Refusal.Busy || e.Refusal == Refusal.Full) { return false; }
        catch (RefusedException e) when (e.Refusal == Refusal.PayloadErased) { /* all of it was erased there: nobody waits for this any more */ }
        if (!record.Acknowledged) office.Received.Save(record with { Acknowledged = true });
        return true;
    }

    OpenResult Result(ReceivedRecord record, Guid parcel, Header header, Refusal? failure, bool again, bool acknowledged) => new(parcel, record.Sender, record.Id, record.Number,
        LevelOf(header.Label), DateTimeOffset.FromUnixTimeMilliseconds(record.Time), record.Folder, record.Files, failure, again, acknowledged)
    {
        Label = header.Label, CopyOf = CopyOf(header), Besides = header.Besides, StampedAt = record.StampedAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null, StampPending = record.StampPending, Notice = header.Target is { } target && office.Received.FindRecall(header.Sender, target.Id) is { } notice && notice.Id == header.Id ? notice : null,
    };

    internal static string FreeFolder(string root, string sender, string? number, Guid id)
    {
        var name = $"{sender}-{(number is null ? id.ToString() : Plain(number))}";
        var folder = Path.Combine(root, name);
        // Numbers repeat (another year, a resend): then the identifier makes the difference.
        return Directory.Exists(folder) || File.Exists(folder) ? Path.Combine(root, $"{name}-{id}") : folder;
    }

    internal static string? NumberOf(Sheet sheet) => sheet.Number is null ? null : sheet.Notation is null ? sheet.Number : $"{sheet.Number}/{sheet.Notation}";

    static string Plain(string number)
    {
        var plain = new StringBuilder(number.Length);
        foreach (var c in number) plain.Append(char.IsLetterOrDigit(c) || c is '-' or '_' ? c : '-');
        return plain.Length > 80 ? plain.ToString(0, 80) : plain.ToString();
    }
}
