using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>Whether every row has the rows that were promised with it. Ids only in what it says: no office, no content.</summary>
internal static class PromiseCheck
{
    /// <summary>Each query finds the ids of one table that break one promise.</summary>
    static readonly (string Table, string Problem, string Sql)[] Promises =
    [
        ("dispatch", "its submission receipt is missing",
            $"SELECT id FROM dispatch d WHERE NOT EXISTS (SELECT 1 FROM receipt r WHERE r.dispatch = d.id AND r.event = '{ReceiptEvent.SubmissionAcceptance}')"),
        ("dispatch", "its submission entry is missing",
            $"""
            SELECT id FROM dispatch d WHERE NOT EXISTS (SELECT 1 FROM receipt r JOIN entry e ON e.leaf = r.leaf
                WHERE r.dispatch = d.id AND r.event = '{ReceiptEvent.SubmissionAcceptance}' AND e.kind = 1 AND e.subject = d.id)
            """),
        ("dispatch", "its decision is missing", $"SELECT id FROM dispatch d WHERE NOT EXISTS ({DecisionOf("d", "d.id")})"),
        ("parcel", "its dispatch is missing", "SELECT id FROM parcel p WHERE NOT EXISTS (SELECT 1 FROM dispatch d WHERE d.id = p.dispatch)"),
        ("parcel", "it is delivered, but its consignment receipt is missing",
            $"SELECT id FROM parcel p WHERE p.state = 2 AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.parcel = p.id AND r.event = '{ReceiptEvent.ContentConsignment}')"),
        ("receipt", "its entry is missing", "SELECT id FROM receipt r WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.leaf = r.leaf)"),
        ("receipt", "its dispatch is missing",
            $"""
            SELECT id FROM receipt r WHERE r.event <> '{ReceiptEvent.SubmissionRejection}' AND r.held IS NULL
                AND NOT EXISTS (SELECT 1 FROM dispatch d WHERE d.id = r.dispatch AND d.sender = r.sender AND d.envelope = r.envelope)
            """),
        ("receipt", "its parcel is missing",
            "SELECT id FROM receipt r WHERE r.parcel IS NOT NULL AND NOT EXISTS (SELECT 1 FROM parcel p WHERE p.id = r.parcel AND p.dispatch = r.dispatch)"),
        ("receipt", "its held submission is missing",
            "SELECT id FROM receipt r WHERE r.held IS NOT NULL AND NOT EXISTS (SELECT 1 FROM held h WHERE h.id = r.held AND h.sender = r.sender AND h.envelope = r.envelope)"),
        ("document", "its activation entry is missing", "SELECT rowid FROM document d WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.leaf = d.leaf AND e.kind = 8)"),
        ("entry", "the dispatch it is about is missing", "SELECT seq FROM entry e WHERE e.kind = 1 AND NOT EXISTS (SELECT 1 FROM dispatch d WHERE d.id = e.subject)"),
        ("entry", "the parcel it is about is missing", "SELECT seq FROM entry e WHERE e.kind IN (4, 5, 6, 12, 13, 14, 20, 21, 22, 23) AND NOT EXISTS (SELECT 1 FROM parcel p WHERE p.id = e.subject)"),
        ("entry", "it says delivered, but the parcel is not", "SELECT seq FROM entry e JOIN parcel p ON p.id = e.subject WHERE e.kind = 4 AND p.state <> 2"),
        ("entry", "the document it put in force is missing", "SELECT seq FROM entry e WHERE e.kind = 8 AND NOT EXISTS (SELECT 1 FROM document d WHERE d.leaf = e.leaf)"),
        WithReceipt(EntryKind.Submission, ReceiptEvent.SubmissionAcceptance),
        WithReceipt(EntryKind.Rejection, ReceiptEvent.SubmissionRejection, "AND e.subject IS NOT NULL"),
        WithReceipt(EntryKind.Consignment, ReceiptEvent.ContentHandover),
        WithReceipt(EntryKind.Consignment, ReceiptEvent.ContentConsignment),
        WithReceipt(EntryKind.Opening, ReceiptEvent.ContentOpening),
        WithReceipt(EntryKind.OpeningFailure, ReceiptEvent.ContentOpeningFailure),
        WithReceipt(EntryKind.ConsignmentFailure, ReceiptEvent.ContentConsignmentFailure),
        ("dispatch", "its payload is erased, but the entry that says so is missing",
            "SELECT id FROM dispatch d WHERE d.payload_erased_at IS NOT NULL AND d.id NOT IN (SELECT e.subject FROM entry e WHERE e.kind = 15 AND e.subject IS NOT NULL)"),
        ("dispatch", "its payload is erased, but its bytes are there", "SELECT id FROM dispatch d WHERE d.payload_erased_at IS NOT NULL AND d.payload IS NOT NULL"),
        ("entry", "it says erased, but the dispatch does not", "SELECT seq FROM entry e WHERE e.kind = 15 AND NOT EXISTS (SELECT 1 FROM dispatch d WHERE d.id = e.subject AND d.payload_erased_at IS NOT NULL)"),
        ("entry", "it says ended undelivered, but the parcel is not", "SELECT seq FROM entry e WHERE e.kind = 11 AND NOT EXISTS (SELECT 1 FROM parcel p WHERE p.id = e.subject AND p.state IN (3, 4, 5, 6)) AND e.subject NOT IN (SELECT r.subject FROM entry r WHERE r.kind = 21 AND r.subject IS NOT NULL)"),
        ("entry", "it says discarded, but the parcel is not dead", "SELECT seq FROM entry e WHERE e.kind = 22 AND NOT EXISTS (SELECT 1 FROM parcel p WHERE p.id = e.subject AND p.state = 5)"),
        ("dead", "its parcel is not dead", "SELECT parcel FROM dead d WHERE NOT EXISTS (SELECT 1 FROM parcel p WHERE p.id = d.parcel AND p.office = d.office AND p.state = 5)"),
        ("parcel", "it is dead, and nobody has decided about it or will", "SELECT id FROM parcel p WHERE p.state = 5 AND NOT EXISTS (SELECT 1 FROM dead d WHERE d.parcel = p.id) AND p.id NOT IN (SELECT e.subject FROM entry e WHERE e.kind = 22 AND e.subject IS NOT NULL)"),
        ("job", "it waits for a copy that has ended", "SELECT parcel FROM job j WHERE j.state = 2 AND NOT EXISTS (SELECT 1 FROM parcel p WHERE p.id = j.after AND p.state = 7) AND NOT EXISTS (SELECT 1 FROM dead d WHERE d.parcel = j.after)"),
        WithReceipt(EntryKind.Delay, ReceiptEvent.ContentConsignmentDelay),
        ("entry", "the attempt it is about is missing", "SELECT seq FROM entry e WHERE e.kind = 12 AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.leaf = e.leaf AND a.parcel = e.subject)"),
        ("entry", "it says delivered, but the parcel is not", "SELECT seq FROM entry e WHERE e.kind = 13 AND NOT EXISTS (SELECT 1 FROM parcel p WHERE p.id = e.subject AND p.state = 2)"),
        WithReceipt(EntryKind.Delivery, ReceiptEvent.ContentConsignment),
        WithReceipt(EntryKind.Handover, ReceiptEvent.ContentHandover),
        ("parcel", "it is queued, but its job is missing", "SELECT id FROM parcel p WHERE p.state = 7 AND NOT EXISTS (SELECT 1 FROM job j WHERE j.parcel = p.id)"),
        ("job", "its parcel is not queued", "SELECT parcel FROM job j WHERE NOT EXISTS (SELECT 1 FROM parcel p WHERE p.id = j.parcel AND p.office = j.office AND p.state = 7)"),
        ("held", "its hold entry is missing",
            $"""
            SELECT id FROM held h WHERE NOT EXISTS (SELECT 1 FROM receipt r JOIN entry e ON e.leaf = r.leaf
                WHERE r.held = h.id AND r.event = '{ReceiptEvent.SubmissionHold}' AND e.kind = 16 AND e.subject = h.id)
            """),
        ("held", "its decision is missing", $"SELECT id FROM held h WHERE NOT EXISTS ({DecisionOf("h", "h.id")})"),
        ("held", "it waits, and a dispatch was made of it", "SELECT id FROM held h WHERE h.state <> 2 AND EXISTS (SELECT 1 FROM dispatch d WHERE d.id = h.id)"),
        ("held", "it is released, but its dispatch is missing", "SELECT id FROM held h WHERE h.state = 2 AND NOT EXISTS (SELECT 1 FROM dispatch d WHERE d.id = h.id AND d.ctx = h.ctx)"),
        ("held", "it is ended, but its rejection receipt is missing",
            $"SELECT id FROM held h WHERE h.state = 3 AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.held = h.id AND r.event = '{ReceiptEvent.SubmissionRejection}' AND r.code = h.code)"),
        ("held", "approvals are missing", "SELECT id FROM held h WHERE h.approved <> (SELECT count(*) FROM held_approval a WHERE a.held = h.id)"),
        ("held_approval", "its entry is missing", "SELECT held FROM held_approval a WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.leaf = a.leaf AND e.kind = 17 AND e.subject = a.held)"),
        ("entry", "the held submission it is about is missing", "SELECT seq FROM entry e WHERE e.kind = 16 AND NOT EXISTS (SELECT 1 FROM held h WHERE h.id = e.subject)"),
        ("entry", "the approval it is about is missing", "SELECT seq FROM entry e WHERE e.kind = 17 AND NOT EXISTS (SELECT 1 FROM held_approval a WHERE a.leaf = e.leaf AND a.held = e.subject)"),
        WithReceipt(EntryKind.Hold, ReceiptEvent.SubmissionHold),
        WithReceipt(EntryKind.HoldApproval, ReceiptEvent.HoldApproval),
        ("label_change", "its decision is missing", $"SELECT id FROM label_change l WHERE NOT EXISTS ({DecisionOf("l", "l.dispatch")})"),
        ("label_change", "statements are missing", "SELECT id FROM label_change l WHERE l.words <> (SELECT count(*) FROM label_word w WHERE w.change = l.id)"),
        ("label_change", "a label before it is missing", "SELECT id FROM label_change l WHERE l.n > 1 AND NOT EXISTS (SELECT 1 FROM label_change b WHERE b.dispatch = l.dispatch AND b.n = l.n - 1 AND b.ref = l.previous)"),
        ("label_change", "it points at no label of its dispatch", "SELECT id FROM label_change l WHERE l.n = 1 AND NOT EXISTS (SELECT 1 FROM dispatch d WHERE d.id = l.dispatch AND d.ctx = l.previous)"),
        ("label_change", "its entry is missing", "SELECT id FROM label_change l WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.kind = 18 AND e.subject = l.dispatch)"),
        ("label_word", "its entry is missing", "SELECT change FROM label_word w WHERE NOT EXISTS (SELECT 1 FROM entry e JOIN label_change l ON l.id = w.change WHERE e.leaf = w.leaf AND e.kind = 18 AND e.subject = l.dispatch)"),
        WithReceipt(EntryKind.Label, ReceiptEvent.LabelChange),
        ("recall", "its dispatch is missing, or of another sender", "SELECT dispatch FROM recall r WHERE NOT EXISTS (SELECT 1 FROM dispatch d WHERE d.id = r.dispatch AND d.sender = r.sender)"),
        ("recall", "what it updates is missing", "SELECT dispatch FROM recall r WHERE r.kind = 'update' AND NOT EXISTS (SELECT 1 FROM dispatch d WHERE d.sender = r.sender AND d.envelope = r.target AND d.ctx = r.ref)"),
        ("asked_back", "it is no copy of what is recalled", "SELECT parcel FROM asked_back a WHERE NOT EXISTS (SELECT 1 FROM recall r JOIN dispatch d ON d.sender = r.sender AND d.envelope = r.target AND d.ctx = r.ref JOIN parcel p ON p.dispatch = d.id OR (r.kind = 'update' AND p.dispatch IN (SELECT u.dispatch FROM recall u WHERE u.sender = r.sender AND u.target = r.target AND u.kind = 'update')) WHERE r.dispatch = a.recall AND p.id = a.parcel)"),
        ("parcel", "it is recalled, but its receipt is missing",
            $"SELECT id FROM parcel p WHERE p.state = 6 AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.parcel = p.id AND r.event = '{ReceiptEvent.ContentConsignmentFailure}')"),
        ("status", "its entry is missing", "SELECT parcel FROM status s WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.leaf = s.leaf AND e.kind = 24 AND e.subject = s.parcel)"),
        ("status", "its parcel is missing, or of another sender", "SELECT parcel FROM status s WHERE NOT EXISTS (SELECT 1 FROM parcel p JOIN dispatch d ON d.id = p.dispatch WHERE p.id = s.parcel AND d.sender = s.sender)"),
        ("status", "one before it is missing", "SELECT parcel FROM status s WHERE s.n > 1 AND NOT EXISTS (SELECT 1 FROM status b WHERE b.sender = s.sender AND b.n = s.n - 1)"),
        ("entry", "the status it is about is missing", "SELECT seq FROM entry e WHERE e.kind = 24 AND NOT EXISTS (SELECT 1 FROM status s WHERE s.leaf = e.leaf AND s.parcel = e.subject)"),
        WithReceipt(EntryKind.Status, ReceiptEvent.HandlingStatus),
        ("report", "its entry is missing", "SELECT parcel FROM report r WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.leaf = r.leaf AND e.kind = 29 AND e.subject = r.parcel)"),
        ("entry", "the report it is about is missing", "SELECT seq FROM entry e WHERE e.kind = 29 AND NOT EXISTS (SELECT 1 FROM report r WHERE r.leaf = e.leaf AND r.parcel = e.subject)"),
        ("entry", "the receipt that it says went is missing", "SELECT seq FROM entry e WHERE e.kind = 30 AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.id = e.subject)"),
        ("receipt", "it neither went to whoever was to have it by a channel nor is still to go",
            """
            SELECT r.id FROM receipt r JOIN brought b ON b.id = coalesce(r.dispatch, r.held) WHERE r.id <> b.answered AND NOT EXISTS (SELECT 1 FROM reply p WHERE p.receipt = r.id)
                AND r.id NOT IN (SELECT e.subject FROM entry e WHERE e.kind = 30 AND e.subject IS NOT NULL)
            """),
        ("attempt", "its entry is missing", "SELECT parcel FROM attempt a WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.leaf = a.leaf AND e.subject = a.parcel)"),
    ];

    // One that was overwritten is there for none but what was erased.
    static string DecisionOf(string row, string dispatch) => $"SELECT 1 FROM decision c WHERE c.digest = {row}.decision AND (c.salt <> {ErasureTable.Gone} OR EXISTS (SELECT 1 FROM erasure x WHERE x.id = {dispatch}))";

    static (string, string, string) WithReceipt(EntryKind kind, string @event, string where = "") => ("entry", $"its receipt {@event} is missing",
        $"SELECT seq FROM entry e WHERE e.kind = {(int)kind} {where} AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.leaf = e.leaf AND r.event = '{@event}')");

    public static void Run(Source source, List<Finding> findings)
    {
        foreach (var (table, problem, sql) in Promises)
            foreach (var id in table is "entry" or "document" ? source.Query<long>(sql).Select(n => $"{n}") : source.Query<Guid>(sql).Select(g => $"{g}"))
                findings.Add(new Finding(table, id, problem));
        var erased = new ErasureCheck(source, findings);
        foreach (var (entry, secret) in EntryTable.Walk(source))
        {
            var detail = secret is null ? null : CheckDetail(source, entry, secret, findings);
            // One that cannot be read is a finding already, and not erased.
            if (secret is null || detail is not null) erased.Take(entry, detail);
            if (detail is not null) erased.Tells(entry, secret!.Detail);
        }
        erased.End();
        foreach (var row in DispatchTable.Walk(source).Where(r => r.ErasedAt is null)) CheckDispatch(source, row, findings);
        foreach (var row in HeldTable.Walk(source).Where(r => r.ErasedAt is null)) CheckParts("held", row.Id, row.Manifest, row.ManifestDigest, row.Header, row.Ctx, findings);
        foreach (var row in LabelTable.Walk(source))
            if (Digest.Of(row.Change) != row.Ref && !(ErasureTable.IsBlank(row.Change) && erased.IsErased(row.Dispatch))) findings.Add(new Finding("label_change", $"{row.Id}", "its bytes are not those of its ref"));
        foreach (var row in StatusTable.Walk(source))
            if (Digest.Of(row.Der) != row.Sha256 && !(ErasureTable.IsBlank(row.Der) && erased.IsGone(row.Leaf))) findings.Add(new Finding("status", $"{row.Parcel}", "its bytes are not those of its digest"));
        foreach (var row in ReceiptTable.Walk(source))
            if (Digest.Of(row.Der) != row.Sha256 && !(ErasureTable.IsBlank(row.Der) && erased.IsGone(row.Leaf))) findings.Add(new Finding("receipt", $"{row.Id}", "its bytes are not those of its digest"));
        foreach (var row in DecisionTable.Walk(source))
            if (!ErasureTable.IsBlank(row.Salt) && new LedgerEntry(row.Salt, row.Record).Hash != row.Digest) findings.Add(new Finding("decision", $"{row.Digest}", "salt and record do not hash to its digest"));
    }

    static void CheckDispatch(Source source, DispatchRow row, List<Finding> findings)
    {
        if (CheckParts("dispatch", row.Id, row.Manifest, row.ManifestDigest, row.Header, row.Ctx, findings) is not { } header) return;

        var owed = header.Recipients.Where(r => r.Role is "to" or "cc").Select(r => (r.Office, r.Key)).ToHashSet();
        var there = ParcelTable.OfDispatch(source, row.Sender, row.Id);
        foreach (var parcel in there)
            if (!owed.Remove((parcel.Office, parcel.Key))) findings.Add(new Finding("parcel", $"{parcel.Id}", "no recipient of its dispatch"));
        if (owed.Count > 0) findings.Add(new Finding("dispatch", $"{row.Id}", $"{owed.Count} of its parcels missing"));
    }

    /// <returns>The header; null: it cannot be read.</returns>
    static Header? CheckParts(string table, Guid id, byte[] manifest, Digest manifestDigest, byte[] der, Digest ctx, List<Finding> findings)
    {
        void Found(string problem) => findings.Add(new Finding(table, $"{id}", problem));
        if (Digest.Of(manifest) != manifestDigest) Found("its manifest is not that of its digest");
        Header header;
        try { header = EnvelopeFile.PeekUnverified(der); }
        catch (RefusedException) { Found("its header cannot be read"); return null; }
        if (Digest.Of(StrictJson.Write(header, StatementJson.Default.Header)) != ctx) Found("its header is not that of its digest");
        return header;
    }

    /// <returns>null: it cannot be read.</returns>
    static LedgerDetail? CheckDetail(Source source, EntryRow entry, EntrySecret secret, List<Finding> findings)
    {
        void Found(string problem) => findings.Add(new Finding("entry", $"{entry.Seq}", problem));
        LedgerDetail detail;
        try { detail = EntryDetails.Read(secret.Detail); }
        catch (RefusedException) { Found("its detail cannot be read"); return null; }
        if (detail.EntryKind != entry.Kind) Found("its detail is of another kind");
        var decision = detail switch { RejectionDetail r => r.Decision, DryRunDetail d => d.Decision, SubmissionDetail s => s.Decision, HoldDetail h => h.Decision, LabelDetail l => l.Decision, _ => null };
        if (decision is { } digest && DecisionTable.Find(source, digest) is null) Found("its decision is missing");
        if (detail is LabelDetail { Verdict: not "deny" } label && !LabelTable.Of(source, entry.Subject!.Value).Any(c => c.Ref == label.Change)) Found("its change of a label is missing");
        if (detail is SubmissionDetail submission && DispatchTable.Find(source, submission.Sender, submission.Envelope) is { } dispatch
            && (dispatch.Id != entry.Subject || dispatch.Ctx != submission.Ctx || dispatch.ManifestDigest != submission.ManifestDigest))
            Found("it says something else than its dispatch");
        return detail;
    }
}
