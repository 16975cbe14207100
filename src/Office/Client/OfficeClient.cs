using System.Runtime.CompilerServices;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Office.Client.Exports;

namespace Exchange.Office.Client;

/// <param name="Verdict">"permit", "hold" or "deny".</param>
/// <param name="Refusal">Why not; null when permitted.</param>
public sealed record DryRunVerdict(string Verdict, Refusal? Refusal);

/// <summary>
/// An office's side of the exchange as a library: seal and send, fetch and open, prove. <see cref="Open"/> a client from a profile, <see cref="SendAsync"/> and
/// <see cref="OpenAsync"/> do all that most callers need. Everything is kept in the profile's state folder; several processes may work on one. Not for many threads at once.
/// It never sends a byte that is not durable here, believes no receipt it has not verified, and says nothing to a console.
/// </summary>
public sealed class OfficeClient : IDisposable
{
    readonly OfficeContext office;

    internal OfficeClient(OfficeContext office) => this.office = office;

    /// <param name="prompt">Asked for the passphrase when neither file nor environment gives it; null: nobody to ask.</param>
    public static OfficeClient Open(Profile profile, Func<string?>? prompt, TimeProvider clock, ClientOptions? options = null) =>
        new(new OfficeContext(profile, new OfficeKeys(profile, prompt), new OfficeFiles(profile.State), clock, options ?? ClientOptions.Default));

    public Profile Profile => office.Profile;
    /// <summary>As last verified; fetched by <see cref="RefreshAsync"/>.</summary>
    public OfficeDirectory Directory => office.View.Directory;
    /// <summary>As last verified.</summary>
    public CompiledPolicy Policy => office.View.Policy;
    public CertificateCheck Trust => office.View.Trust;

    /// <summary>What this office must renew soon, by the directory that is stored here: uses and roles whose last certificate ends within 60 days. Empty without a directory.</summary>
    public IReadOnlyList<KeyEnds.End> Ending() => !office.View.IsStored || office.View.Directory.Find(office.Profile.Office) is not { } own ? []
        : [.. KeyEnds.Of(own).Where(e => e.Until < office.Now.AddDays(KeyEnds.NoticeDays)).OrderBy(e => e.Until)];

    /// <summary>Who signed documents that were opened: facts beside the dispatch, which changes by none of them. To be asked when everything else is done; takes at most a minute, and throws for nothing that is in a document.</summary>
    /// <param name="at">When the signers' certificates must have been good: of a dispatch the gateway's acceptance.</param>
    /// <returns>Documents that bear no signature are left out.</returns>
    public Task<IReadOnlyList<SignedDocument>> SignaturesAsync(IEnumerable<string> files, DateTimeOffset at, CancellationToken cancel) => new DocumentSignatures(Trust, office.Clock).OfAsync(files, at, cancel);

    /// <summary>Fetches and verifies revocation lists, directory, policy and checkpoint.</summary>
    /// <returns>null: fresh. Else why the gateway could not be asked; what is stored then serves.</returns>
    public Task<Refusal?> RefreshAsync(CancellationToken cancel) => office.RefreshAsync(cancel);

    /// <summary>Offices that saw another ledger than the gateway shows here, as far as it was found out: told until a person has taken the evidence away.</summary>
    public IReadOnlyList<LedgerContradiction> Contradictions() => office.OtherHeads.Contradictions();

    /// <summary>Ledgers that ended with a loss, and what of it was this office's: told until a person has taken the list away.</summary>
    public IReadOnlyList<LedgerSuccession> Successions() => office.Successions.List();

    /// <summary>Called when a refresh finds out that the ledger ended with a loss, with what is lost.</summary>
    public void OnLedgerEnded(Action<LedgerSuccession> tell) => office.LedgerEnded = tell;

    /// <summary>Seals into the outbox. On return the dispatch is durable and nothing has left.</summary>
    public Task<OutboxEntry> SealAsync(SendRequest request, IProgress<long>? progress, CancellationToken cancel) => new SealDispatch(office).RunAsync(request, progress, cancel);

    /// <summary>As <see cref="SealAsync(SendRequest, IProgress{long}?, CancellationToken)"/>, under a name that the caller has made durable: after a crash he finds the entry by it.</summary>
    /// <param name="id">Version 7, used for nothing else; no entry of this name may be there.</param>
    public Task<OutboxEntry> SealAsync(Guid id, SendRequest request, IProgress<long>? progress, CancellationToken cancel) => new SealDispatch(office).RunAsync(request, progress, cancel, id);

    /// <summary>Sends one entry: for the first time, again, or after a crash. The same bytes each time.</summary>
    public async Task<DeliveryVerdict> DeliverAsync(OutboxEntry entry, IProgress<long>? progress, CancellationToken cancel)
    {
        var verdict = await new DeliverOutbox(office).RunAsync(entry, progress, cancel).ConfigureAwait(false);
        if (verdict is not DeliveryVerdict.Accepted || entry.Record.About is not { Kind: "replace" } about) return verdict;
        // What it replaces had gone further: those recalls wait for it. One that cannot go now stays in the outbox.
        foreach (var recall in RecallDispatch.Updates(office, about.Id).SelectMany(u => RecallDispatch.Earlier(office, u.Id)).Where(r => r.State is OutboxState.Sealed or OutboxState.Sending))
            await new DeliverOutbox(office).RunAsync(recall, null, cancel).ConfigureAwait(false);
        return verdict;
    }

    /// <summary>What the office's word list says of these documents; null: it has none. Sealing below it is refused.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.WordList"/>.</exception>
    public WordFloor? Floor(SendRequest request) => SealDispatch.Floor(office, request);

    /// <summary>Seals the same content to further offices of its author's, and before that recalls of those that are to give it back, into the outbox; what is there already when it was asked for before.</summary>
    /// <returns>In the order in which they are to be delivered.</returns>
    public Task<IReadOnlyList<OutboxEntry>> UpdateAsync(OutboxEntry entry, UpdateRequest request, CancellationToken cancel) => new UpdateDispatch(office).RunAsync(entry, request, cancel);

    /// <summary>Seals the same content once more to offices that had a copy under a key that is gone, or whose copy ended undelivered, into the outbox: without its author, without its documents, without a new upload.</summary>
    public Task<OutboxEntry> ResendAsync(OutboxEntry entry, IReadOnlyList<string> offices, TimeSpan expires, IReadOnlyList<string> approve, CancellationToken cancel) => new UpdateDispatch(office).AgainAsync(entry, offices, expires, approve, cancel);

    /// <summary>Seals recalls of a dispatch into the outbox, one for each envelope by which an office has it; those that are there already when it was asked for before.</summary>
    public Task<IReadOnlyList<OutboxEntry>> RecallAsync(OutboxEntry entry, RecallRequest request, CancellationToken cancel) => new RecallDispatch(office).RunAsync(entry, request, cancel);

    /// <summary>What asks this dispatch back; null: nothing.</summary>
    public RecallNotice? Notice(ReceivedRecord record) => office.Received.FindRecall(record.Sender, record.Id) is { } notice && notice.Ref == record.Ctx ? notice : null;

    /// <summary>What a received recall is about, when that is here; itself otherwise.</summary>
    public ReceivedRecord Subject(ReceivedRecord record) =>
        office.Received.List().FirstOrDefault(r => r.Sender == record.Sender && office.Received.FindRecall(r.Sender, r.Id) is { Kind: "recall" } notice && notice.Id == record.Id) ?? record;

    /// <summary>Refresh, seal, deliver.</summary>
    public async Task<(OutboxEntry Entry, DeliveryVerdict Verdict)> SendAsync(SendRequest request, IProgress<long>? progress, CancellationToken cancel)
    {
        await RefreshAsync(cancel).ConfigureAwait(false);
        var entry = await SealAsync(request, progress, cancel).ConfigureAwait(false);
        return (entry, await DeliverAsync(entry, progress, cancel).ConfigureAwait(false));
    }

    /// <summary>Fetches the time-stamp of what was sealed without, where its level lets it wait.</summary>
    /// <returns>null: nothing is due any more; else why it still is.</returns>
    public Task<Refusal?> StampAsync(OutboxEntry entry, CancellationToken cancel) => new StampOutbox(office).RunAsync(entry, cancel);

    public IReadOnlyList<OutboxEntry> Outbox() => office.Outbox.List();

    /// <returns>null: no such entry.</returns>
    public OutboxEntry? Find(Guid id) => office.Outbox.Find(id);

    /// <summary>Everything of this office that waits at the gateway for persons.</summary>
    public async Task<IReadOnlyList<HeldDispatch>> HeldAtGatewayAsync(CancellationToken cancel)
    {
        var all = new List<HeldDispatch>();
        while (await office.Api.HeldAsync(all.Count == 0 ? null : all[^1].Id, cancel).ConfigureAwait(false) is { Count: > 0 } page) all.AddRange(page);
        return all;
    }

    /// <summary>What a person is about to decide on, verified as ours.</summary>
    public Task<HeldView> ShowHeldAsync(HeldDispatch held, CancellationToken cancel) => new ApproveDispatch(office).ShowAsync(held, cancel);

    /// <summary>Signs a person's word and hands it in.</summary>
    /// <param name="person">Name under keys.persons of the profile.</param>
    /// <param name="act">"release", "refuse" or "carries-nothing".</param>
    public Task<ApproveVerdict> ApproveAsync(HeldView view, string person, string act, CancellationToken cancel) =>
        new ApproveDispatch(office).RunAsync(view, office.Keys.Person(person) ?? throw new RefusedException(Refusal.Profile, $"keys.persons.{person}: no key in the profile"), act, cancel);

    /// <summary>The label in force of a dispatch that this office sent or opened, with every statement about it verified.</summary>
    /// <param name="prefix">Of its id; of one that another machine of the office sent, all of it.</param>
    public Task<LabelView> ShowLabelAsync(string prefix, CancellationToken cancel) => new ChangeLabel(office).ShowAsync(prefix, cancel);

    /// <summary>Signs a change of a label in a person's name and hands it in.</summary>
    /// <param name="person">Name under keys.persons of the profile.</param>
    /// <param name="lapse">For how long the statement says something.</param>
    public Task<LabelVerdict> ChangeLabelAsync(LabelView view, LabelChange change, string person, TimeSpan lapse, CancellationToken cancel) =>
        new ChangeLabel(office).RunAsync(view, change, office.Keys.Person(person) ?? throw new RefusedException(Refusal.Profile, $"keys.persons.{person}: no key in the profile"), lapse, cancel);

    /// <summary>Would this be permitted? The gateway decides; nothing is sealed.</summary>
    public async Task<DryRunVerdict> DryRunAsync(SendRequest request, CancellationToken cancel)
    {
        var level = request.Level is null ? null : Policy.Level(request.Level) ?? throw new RefusedException(Refusal.LabelClass, request.Level);
        var label = level is null ? null : SealDispatch.LabelOf(request, level, Policy);
        var answer = await office.Api.DryRunAsync(new DryRunQuestion(label,
            [.. request.To.Select(o => new DryRunRecipient(o, "to")), .. request.Cc.Select(o => new DryRunRecipient(o, "cc"))], [.. request.Approve]), cancel).ConfigureAwait(false);
        return new DryRunVerdict(answer.Verdict, answer.Refusal is not { } r ? null : Refusal.All.GetValueOrDefault(r.Code)
            ?? new Refusal(r.Code, r.Messages?.En ?? "", r.Messages?.Vi ?? "", r.Remedy?.En ?? "", r.Remedy?.Vi ?? ""));
    }

    /// <summary>Where each copy is, also those of offices that were added later.</summary>
    /// <param name="audit">Also demand inclusion in the ledger of every entry that was promised.</param>
    public Task<DispatchView> TrackAsync(OutboxEntry entry, bool audit, CancellationToken cancel) => new TrackDispatch(office).RunAsync(entry, audit, cancel);

    /// <param name="wait">Seconds to wait for something new, 0..30.</param>
    /// <param name="all">Also what was already fetched.</param>
    public Task<IReadOnlyList<MailboxParcel>> InboxAsync(Guid? after, int wait, bool all, CancellationToken cancel) => office.Api.MailboxAsync(after, wait, 100, all, cancel);

    /// <summary>Fetches, verifies, opens, makes durable, acknowledges. Again is harmless.</summary>
    /// <param name="recalled">Also what its sender has taken back.</param>
    public Task<OpenResult> OpenAsync(Guid parcel, string outFolder, IProgress<long>? progress, CancellationToken cancel, bool recalled = false) => new OpenParcel(office).RunAsync(parcel, outFolder, progress, cancel, recalled);

    /// <summary>Opens a sealed parcel that came as a file, with a mail for instance. The file stays.</summary>
    /// <exception cref="RefusedException">What does not hold; NoParcel: not sealed once more, as everything is that comes so.</exception>
    public async Task<OpenResult> OpenFileAsync(string file, string outFolder, CancellationToken cancel)
    {
        await using var brought = await UnsealParcel.RunAsync(office, File.OpenRead(file), cancel).ConfigureAwait(false);
        if (brought.Parcel is not { } parcel || brought.Receipt is not { } receipt) throw new RefusedException(Refusal.NoParcel);
        using var hold = new HoldParcel(office);
        return await hold.RunAsync(parcel, brought.Envelope.Length, receipt, brought.Envelope, null, cancel).ConfigureAwait(false) switch
        {
            HoldVerdict.Held => await OpenAsync(parcel, outFolder, null, cancel).ConfigureAwait(false),
            HoldVerdict.Conflict conflict => throw new RefusedException(conflict.Refusal, conflict.Detail),
            HoldVerdict.Refused refused => throw new RefusedException(refused.Refusal, refused.Detail),
            HoldVerdict.Later later => throw new RefusedException(later.Refusal, later.Detail),
            _ => throw new InvalidOperationException("No such verdict."),
        };
    }

    /// <summary>Opens an envelope in one file of which no copy is this office's: as a holder of a recovery key, or as its sender. Nothing is acknowledged, and no gateway is needed.</summary>
    /// <param name="receipt">The gateway's acceptance, DER.</param>
    public async Task<AsideResult> OpenAsideAsync(string file, byte[] receipt, string outFolder, IProgress<long>? progress, CancellationToken cancel)
    {
        await using var envelope = File.OpenRead(file);
        return await new OpenAside(office).RunAsync(envelope, receipt, outFolder, progress, cancel).ConfigureAwait(false);
    }

    /// <summary>Opens again what this office sent and sealed to itself as well.</summary>
    public Task<AsideResult> OpenSentAsync(OutboxEntry entry, string outFolder, IProgress<long>? progress, CancellationToken cancel) => new OpenAside(office).OfOutboxAsync(entry, outFolder, progress, cancel);

    /// <summary>Opens what the gateway's folder channel put into a folder, one after the other; each result as it comes.</summary>
    public async IAsyncEnumerable<FolderResult> OpenFolderAsync(string folder, string outFolder, [EnumeratorCancellation] CancellationToken cancel)
    {
        var open = new OpenFolder(office, folder);
        open.Sweep();
        foreach (var parcel in open.Ready()) yield return await open.RunAsync(parcel, outFolder, null, cancel).ConfigureAwait(false);
    }

    /// <summary>Parcels whose bytes are whole here and wait to be opened: delivered to our own endpoint, or left by an opening that did not end. The gateway is not asked.</summary>
    public IReadOnlyList<MailboxParcel> Held() => [.. ParcelFiles.Whole(office.Files).Select(HeldOne).OfType<MailboxParcel>()];

    /// <summary>Something held was sealed by a directory that is not known here, perhaps by an office that has just joined: refresh before opening.</summary>
    public bool IsBehind() => !office.View.IsStored || ParcelFiles.Whole(office.Files).Select(HeaderOf).Any(header => header is not null && !office.View.Knows(header.Directory));

    MailboxParcel? HeldOne(Guid parcel)
    {
        // What could not be opened is kept, and is not tried for ever.
        if (HeaderOf(parcel) is not { } header || office.Received.Find(header.Sender, header.Id) is { Stage: ReceivedState.Failed }) return null;
        try
        {
            using var file = new ParcelFiles(office.Files, parcel).Open();
            return new MailboxParcel(parcel, header.Sender, header.Id, header.Urgency, new DateTimeOffset(File.GetLastWriteTimeUtc(file.Name)).ToUnixTimeMilliseconds(), file.Length, "held");
        }
        catch (IOException) { return null; }
    }

    Header? HeaderOf(Guid parcel)
    {
        try
        {
            using var file = new ParcelFiles(office.Files, parcel).Open();
            return EnvelopeFile.PeekUnverified(EnvelopeFile.ReadPartsAsync(file, CancellationToken.None).GetAwaiter().GetResult().Header);
        }
        catch (Exception e) when (e is RefusedException or IOException) { return null; }
    }

    /// <summary>Receipts and handling statuses that the gateway does not have yet, sent again. One that it does not take does not hold up the others.</summary>
    /// <returns>How many it still does not have.</returns>
    public async Task<int> AcknowledgeAsync(CancellationToken cancel)
    {
        var left = 0;
        foreach (var record in office.Received.List().Where(r => r is { Acknowledged: false, Handover: not null, Outcome: not null }).ToList())
            try
            {
                if (!await new OpenParcel(office).AcknowledgeAsync(record, cancel).ConfigureAwait(false)) left++;
            }
            catch (RefusedException) { left++; }
        return left + await new HandleParcel(office).TellAllAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Writes everything that proves this dispatch into a new folder, or as one file where the name ends in .zip; waits up to half a minute for fresh entries to be in a checkpoint.</summary>
    /// <param name="decisions">The gateway's own records about it, when they are at hand.</param>
    public Task<ExportResult> ExportAsync(OutboxEntry entry, string target, CancellationToken cancel, IReadOnlyList<EvidencePart>? decisions = null) => new ExportFolder(office).RunAsync(entry, target, decisions ?? [], cancel);

    /// <summary>A copy that this office can open again, of what begins so.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.NotFound"/>, <see cref="Refusal.ExportCopy"/>.</exception>
    /// <returns>null: more than one dispatch begins so.</returns>
    public ExportSource? FindExport(string prefix) => ClearCopy.Find(office, prefix);

    /// <summary>Opens a copy and puts it, with all that proves it, into a signed ASiC-E container, in clear. Every check is made again; nothing of it is left elsewhere.</summary>
    /// <param name="online">False: the gateway was not reached; proofs are left out.</param>
    public Task<AsicResult> ExportAsicAsync(ExportSource source, string file, bool online, IProgress<long>? progress, CancellationToken cancel) => new ExportAsic(office).RunAsync(source, file, online, progress, cancel);

    /// <summary>Opens a copy and writes it as a mail, signed here and encrypted to people outside. It leaves the system: only what the policy lets any mail carry.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.ExportMail"/>, <see cref="Refusal.Unreachable"/>, or whatever does not hold.</exception>
    public Task<MailResult> ExportMailAsync(ExportSource source, MailExport request, IProgress<long>? progress, CancellationToken cancel) => new ExportMail(office).RunAsync(source, request, progress, cancel);

    /// <summary>Signs what this office does with a copy that it has, and tells the gateway.</summary>
    /// <param name="code">One of <see cref="HandlingCode"/>.</param>
    /// <param name="answers">With 15 and 16: what is answered; null otherwise.</param>
    public Task<HandleVerdict> HandleAsync(ReceivedRecord record, string code, string? reason, AnsweredEnvelope? answers, CancellationToken cancel) => new HandleParcel(office).RunAsync(record, code, reason, answers, cancel);

    /// <summary>What this office said about a copy, by number.</summary>
    public IReadOnlyList<OwnStatus> Handling(ReceivedRecord record) => new HandleParcel(office).List(record);

    /// <summary>What receiving offices said since the last time about anything sent from here, in the order in which it came.</summary>
    /// <param name="wait">Seconds to wait for something new, 0..30.</param>
    /// <param name="findings">What did not hold is added.</param>
    public Task<IReadOnlyList<StatusView>> NewHandlingAsync(int wait, List<string> findings, CancellationToken cancel) => new FollowHandling(office).NewAsync(wait, findings, cancel);

    /// <summary>Everything ever received here.</summary>
    public IEnumerable<ReceivedRecord> Received() => office.Received.List();

    public ReceivedRecord? FindReceived(string sender, Guid id) => office.Received.Find(sender, id);

    /// <summary>What this office opened and keeps under its archive key.</summary>
    public IReadOnlyList<ArchivedDispatch> Archived() => new Archive(office).List();

    /// <summary>Opens what is archived, by a key of the archive: the key that it came to is not needed.</summary>
    public Task<AsideResult> OpenArchivedAsync(ArchivedDispatch item, string outFolder, IProgress<long>? progress, CancellationToken cancel) => new Archive(office).OpenAsync(item, outFolder, progress, cancel);

    /// <summary>Whether what is archived is as it came, and opens. No document is written.</summary>
    public Task<ArchiveFinding> VerifyArchivedAsync(ArchivedDispatch item, CancellationToken cancel) => new Archive(office).VerifyAsync(item, cancel);

    public void Dispose() => office.Dispose();
}
