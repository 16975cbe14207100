using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>
/// Erasures: each entry without salt and detail is named by exactly one later entry of kind erased, and each such entry is true; the statement that it names is on file; what was erased whole holds no byte
/// any more, and no entry tells of it. Whatever else was overwritten has its erasure. The statement behind a succession is on file likewise.
/// </summary>
sealed class ErasureCheck
{
    readonly Source source;
    readonly List<Finding> findings;
    readonly SortedSet<long> gone = [];
    readonly Dictionary<long, long> admitted = [];
    readonly HashSet<Digest> operations;
    // By name, whether nothing is told of it any more.
    readonly Dictionary<(string, Guid), bool> erased = [];
    readonly HashSet<Guid> ids = [];

    public ErasureCheck(Source source, List<Finding> findings)
    {
        (this.source, this.findings) = (source, findings);
        operations = [.. source.Query<Digest>("SELECT ref FROM operation")];
        foreach (var row in ErasureTable.Newest(source, int.MaxValue))
        {
            ids.Add(row.Id);
            erased[(row.Sender, row.Envelope)] = row.EndedAt is not null;
        }
    }

    /// <summary>An entry in the order of the ledger; a secret of null is an erased one.</summary>
    public void Take(EntryRow entry, LedgerDetail? detail)
    {
        if (detail is null) gone.Add(entry.Seq);
        if (detail is SuccessionDetail followed && !operations.Contains(followed.Operation)) Found(entry.Seq, "the statement of the two who wanted it is missing");
        if (detail is not ErasedDetail said) return;
        if (said.Entry >= entry.Seq) Found(entry.Seq, "it says erased of an entry that is not before it");
        else if (!admitted.TryAdd(said.Entry, entry.Seq)) Found(entry.Seq, $"it says erased of entry {said.Entry}, and another has said so before");
        if (!operations.Contains(said.Operation)) Found(entry.Seq, "the statement of whoever wanted it is missing");
    }

    /// <summary>Refusals come anew whenever somebody uses the name again.</summary>
    public void Tells(EntryRow entry, byte[] detail)
    {
        if (erased.Count == 0 || entry.Kind == EntryKind.Rejection) return;
        using var json = JsonDocument.Parse(detail);
        if (json.RootElement.TryGetProperty("sender", out var sender) && json.RootElement.TryGetProperty("envelope", out var envelope) && envelope.ValueKind == JsonValueKind.String
            && erased.GetValueOrDefault((sender.GetString()!, envelope.GetGuid()))) Found(entry.Seq, "it tells of a dispatch that was erased");
    }

    /// <summary>Bytes of zeros in a row of that entry.</summary>
    public bool IsGone(Digest leaf) => EntryTable.Find(source, leaf) is { } entry && gone.Contains(entry.Seq);

    public bool IsErased(Guid dispatch) => ids.Contains(dispatch);

    public void End()
    {
        foreach (var seq in gone.Where(s => !admitted.ContainsKey(s))) Found(seq, "salt and detail are gone, and no entry says that they were erased");
        foreach (var (seq, by) in admitted.Where(a => !gone.Contains(a.Key))) Found(by, $"it says erased of entry {seq}, and salt and detail of that are there");
        foreach (var (reference, der) in source.Query<Signed>("SELECT ref, der FROM operation").Select(s => (s.Ref, s.Der)))
            if (!IsOf(der, reference)) findings.Add(new Finding("operation", $"{reference}", "its bytes are not those of its ref"));
        foreach (var id in source.Query<Guid>("SELECT id FROM erasure x WHERE NOT EXISTS (SELECT 1 FROM dispatch d WHERE d.id = x.id) AND NOT EXISTS (SELECT 1 FROM held h WHERE h.id = x.id)"))
            findings.Add(new Finding("erasure", $"{id}", "what it erased is missing"));
        foreach (var id in source.Query<Guid>($"{Whole("dispatch")} UNION {Whole("held")}"))
            findings.Add(new Finding("erasure", $"{id}", "its bytes are there"));
    }

    static string Whole(string table) =>
        $"""
        SELECT t.id FROM erasure x JOIN {table} t ON t.id = x.id WHERE t.header <> zeroblob(length(t.header)) OR t.approvals <> zeroblob(length(t.approvals)) OR t.manifest <> zeroblob(length(t.manifest))
            OR coalesce(t.payload <> zeroblob(length(t.payload)), 0) OR EXISTS (SELECT 1 FROM decision c WHERE c.digest = t.decision AND c.salt <> {ErasureTable.Gone})
        """;

    static bool IsOf(byte[] der, Digest reference)
    {
        // Two administrators', or the two policy officers'.
        foreach (var type in new[] { StatementType.Operation, StatementType.Policy })
            try { if (Statement.Read(der, type).Ref == reference) return true; }
            catch (RefusedException) { }
        return false;
    }

    void Found(long seq, string problem) => findings.Add(new Finding("entry", $"{seq}", problem));

    sealed record Signed
    {
        public required Digest Ref { get; init; }
        public required byte[] Der { get; init; }
    }
}
