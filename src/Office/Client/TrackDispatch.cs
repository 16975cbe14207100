using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>How well something is known about one copy, from weakest to strongest.</summary>
public enum CopyEvidence
{
    None,
    /// <summary>The gateway's signed word that the office acknowledged all bytes.</summary>
    Consigned,
    /// <summary>The office's own signature: all bytes held.</summary>
    HandedOver,
    /// <summary>Ended without being opened: the office's signature that it did not open or hold, or the gateway's that it was not delivered.</summary>
    Failed,
    /// <summary>The office's signature and the proof that only an opener can make, checked here.</summary>
    OpenedProven,
}

/// <param name="State">What the gateway says; null when it was not asked.</param>
/// <param name="Code">Why it failed.</param>
/// <param name="Status">What the gateway says of it; null when it was not asked.</param>
public sealed record CopyView(string Office, string Role, string? State, CopyEvidence Evidence, string? Code, DateTimeOffset? At, CopyStatus? Status = null)
{
    /// <summary>Envelope that brings it, where that is not the first one.</summary>
    public Guid? Update { get; init; }
    /// <summary>To which it is sealed.</summary>
    public Digest Key { get; init; }
    /// <summary>What the office says it does with it, verified, by number.</summary>
    public IReadOnlyList<StatusView> Handling { get; init; } = [];
}

/// <param name="InLedger">Position, when an inclusion proof to a verified checkpoint was checked.</param>
/// <param name="Finding">What is wrong with it; null: nothing.</param>
public sealed record ReceiptView(string Event, string? Office, string Code, DateTimeOffset Time, string Issuer, Digest? Leaf, InclusionProof? InLedger, Refusal? Finding, ReadOnlyMemory<byte> Der);

/// <param name="Offline">Why the gateway could not be asked; null: it was.</param>
/// <param name="Findings">Receipts that did not hold, and entries that should be in the ledger and are not.</param>
public sealed record DispatchView(OutboxEntry Entry, string? State, IReadOnlyList<CopyView> Copies, IReadOnlyList<ReceiptView> Receipts, Refusal? Offline, IReadOnlyList<string> Findings)
{
    /// <summary>Class number of the label in force, as the gateway says; null: it was not asked or does not say.</summary>
    public int? Level { get; init; }
}

/// <summary>What the sender knows of a dispatch: every receipt verified here, none believed because the gateway lists it.</summary>
sealed class TrackDispatch(OfficeContext office)
{
    /// <summary>State of a dispatch of which the gateway knows nothing else any more.</summary>
    internal const string Erased = "erased";

    /// <summary>One dispatch, by however many envelopes its offices have it.</summary>
    public async Task<DispatchView> RunAsync(OutboxEntry entry, bool audit, CancellationToken cancel)
    {
        var view = await OneAsync(entry, audit, cancel).ConfigureAwait(false);
        foreach (var update in RecallDispatch.Updates(office, entry.Id))
        {
            var further = await OneAsync(update, audit, cancel).ConfigureAwait(false);
            view = view with
            {
                Copies = [.. view.Copies, .. further.Copies.Select(c => c with { Update = update.Id })], Receipts = [.. view.Receipts, .. further.Receipts], Offline = view.Offline ?? further.Offline,
                Findings = [.. view.Findings, .. further.Findings],
            };
        }
        return view;
    }

    async Task<DispatchView> OneAsync(OutboxEntry entry, bool audit, CancellationToken cancel)
    {
        var header = Statement.Read(entry.Parts().Header, StatementType.Header).As<Header>();
        var findings = new List<string>();
        DispatchStatus? status = null;
        Refusal? offline = null;
        if (entry.State is OutboxState.Accepted or OutboxState.Held)
        {
            try
            {
                // What was held may have been let go meanwhile, here or on another machine of the office.
                if (entry.State == OutboxState.Held) await new DeliverOutbox(office).RunAsync(entry, null, cancel).ConfigureAwait(false);
                status = await office.Api.DispatchAsync(entry.Id, cancel).ConfigureAwait(false);
                // Nothing else is known of it there; what was taken from there before is kept here.
                if (status.State != Erased) await TakeAllAsync(entry, header, findings, cancel).ConfigureAwait(false);
                // What an office says while we ask is in one of the two answers only: then both are asked for again.
                if (status.State != Erased && entry.Receipts().Count(IsOfStatus) != FollowHandling.Kept(entry).Count && findings.Count == 0) await TakeAllAsync(entry, header, findings, cancel).ConfigureAwait(false);
            }
            catch (RefusedException e) when (e.Refusal == Refusal.Unreachable || e.Refusal == Refusal.Busy) { offline = e.Refusal; }
            // It signed that it has it. A gateway that went on from an older copy admits that; see Successions.
            catch (RefusedException e) when (e.Refusal == Refusal.NotFound) { findings.Add($"{e.Refusal.Code}: the gateway does not know this dispatch any more, though it signed a receipt for it"); }
        }
        var receipts = entry.Receipts().Select(View).ToList();
        if (audit && offline is null && receipts.Count > 0) receipts = await AuditAsync(receipts, findings, cancel).ConfigureAwait(false);
        var said = FollowHandling.Kept(entry).ToLookup(s => s.Office);
        return new DispatchView(entry, status?.State, [.. header.Recipients.Select(r => CopyOf(r, status, receipts) with { Key = r.Key, Handling = [.. said[r.Office]] })], receipts, offline, findings) { Level = status?.Level };
    }

    async Task TakeAllAsync(OutboxEntry entry, Header header, List<string> findings, CancellationToken cancel)
    {
        foreach (var der in await office.Api.ReceiptsAsync(entry.Id, cancel).ConfigureAwait(false)) Take(entry, header, der, findings);
        await new FollowHandling(office).FetchAsync(entry, header, findings, cancel).ConfigureAwait(false);
    }

    static bool IsOfStatus(ReadOnlyMemory<byte> der) => Statement.Read(der, StatementType.Receipt).As<Receipt>().Event == ReceiptEvent.HandlingStatus;

    void Take(OutboxEntry entry, Header header, byte[] der, List<string> findings)
    {
        try
        {
            var claimed = Statement.Read(der, StatementType.Receipt).As<Receipt>();
            var subject = OfficeContext.Subject(entry, header);
            var receipt = claimed.Office is not null && claimed.Issuer == claimed.Office
                ? ReceiptCheck.Office(der, subject, office.View.Directory, office.View.Trust, entry.Opened())
                : ReceiptCheck.Gateway(der, subject, office.Profile.Pins, office.View.Trust);
            // Noted before it is kept: what is kept is not looked at again.
            if (receipt.Issuer == receipt.Office && !Outbox.HasReceipt(entry, der)) office.OtherHeads.Note(receipt.Seen, der);
            office.Outbox.SaveReceipt(entry, receipt, der);
        }
        catch (RefusedException e) { findings.Add($"{e.Refusal.Code}: a receipt that the gateway gave does not hold ({e.Detail})"); }
    }

    // A receipt promises that its entry is in a checkpoint by a time. An office that checks is what makes the promise worth something.
    async Task<List<ReceiptView>> AuditAsync(List<ReceiptView> receipts, List<string> findings, CancellationToken cancel)
    {
        var head = await office.Checkpoints.RefreshAsync(office.Api, cancel).ConfigureAwait(false);
        var audited = new List<ReceiptView>();
        foreach (var view in receipts)
        {
            if (view.Leaf is not { } leaf) { audited.Add(view); continue; }
            var proof = head is null ? null : await ProofAsync(leaf, head, cancel).ConfigureAwait(false);
            var due = Statement.Read(view.Der, StatementType.Receipt).As<Receipt>().Entry!.IncludedBy < office.Now.ToUnixTimeMilliseconds();
            if (proof is null && due) findings.Add($"{Refusal.Proof.Code}: {view.Event} was promised in the ledger by now and is not there");
            audited.Add(view with { InLedger = proof, Finding = proof is null && due ? Refusal.Proof : null });
        }
        return audited;
    }

    /// <returns>null: the gateway gives no proof that holds.</returns>
    internal async Task<InclusionProof?> ProofAsync(Digest leaf, Checkpoint head, CancellationToken cancel)
    {
        try
        {
            var proof = await office.Api.InclusionAsync(leaf, head.Size, cancel).ConfigureAwait(false);
            return proof.Size == head.Size && MerkleTree.VerifyInclusion(leaf, proof.Index, proof.Size, proof.Proof, head.Root) ? proof : null;
        }
        catch (RefusedException e) when (e.Refusal == Refusal.NotFound || e.Refusal == Refusal.Request) { return null; }
    }

    static ReceiptView View(ReadOnlyMemory<byte> der)
    {
        var receipt = Statement.Read(der, StatementType.Receipt).As<Receipt>();
        return new ReceiptView(receipt.Event, receipt.Office, receipt.Code, DateTimeOffset.FromUnixTimeMilliseconds(receipt.Time), receipt.Issuer, receipt.Entry?.Leaf, null, null, der);
    }

    static CopyView CopyOf(Recipient recipient, DispatchStatus? status, List<ReceiptView> receipts)
    {
        var said = status?.Copies.FirstOrDefault(c => c.Office == recipient.Office && c.Role == recipient.Role);
        var state = said?.State;
        // A copy that was given up may have been sent again since, and delivered.
        var consigned = receipts.Where(r => r.Office == recipient.Office && r.Event == ReceiptEvent.ContentConsignment).Select(r => (DateTimeOffset?)r.Time).Max();
        var strongest = receipts.Where(r => r.Office == recipient.Office && r.Event != ReceiptEvent.HandlingStatus && !(r.Event == ReceiptEvent.ContentConsignmentFailure && r.Time <= consigned)).Select(r => (Receipt: r, Evidence: EvidenceOf(r.Event))).OrderByDescending(r => r.Evidence).FirstOrDefault();
        return strongest.Receipt is null ? new CopyView(recipient.Office, recipient.Role, state, CopyEvidence.None, null, null, said)
            : new CopyView(recipient.Office, recipient.Role, state, strongest.Evidence, strongest.Receipt.Code == "OK" ? null : strongest.Receipt.Code, strongest.Receipt.Time, said);
    }

    static CopyEvidence EvidenceOf(string name) => name switch
    {
        ReceiptEvent.ContentConsignment => CopyEvidence.Consigned,
        ReceiptEvent.ContentHandover => CopyEvidence.HandedOver,
        ReceiptEvent.ContentOpeningFailure or ReceiptEvent.ContentConsignmentFailure => CopyEvidence.Failed,
        ReceiptEvent.ContentOpening => CopyEvidence.OpenedProven,
        _ => CopyEvidence.None,
    };
}
