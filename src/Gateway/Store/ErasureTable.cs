using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>A dispatch that is to be erased, or what was held and never became one.</summary>
internal sealed record ErasableDispatch
{
    public required Guid Id { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    /// <summary>It stands in for another of its sender's dispatches, whose label is its own.</summary>
    public required bool IsUpdate { get; init; }
    /// <summary>Why it may not be erased yet, in words; null: it may.</summary>
    public required string? Owed { get; init; }
    public required long? BegunAt { get; init; }
    public required long? EndedAt { get; init; }
}

/// <summary>A dispatch that was received long ago.</summary>
internal sealed record AgedDispatch
{
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    public required long ReceivedAt { get; init; }
    /// <summary>Of the label in force.</summary>
    public required int Class { get; init; }
    /// <summary>When the last copy did, Unix milliseconds.</summary>
    public required long EndedAt { get; init; }
    /// <summary>It is kept, and nobody is owed anything of it.</summary>
    public required bool IsOver { get; init; }
}

/// <summary>An erasure that has begun.</summary>
internal sealed record ErasureRow
{
    public required Guid Id { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    /// <summary>Ref of the statement that asked for it.</summary>
    public required Digest Operation { get; init; }
    /// <summary>Its code.</summary>
    public required string Basis { get; init; }
    public required long BegunAt { get; init; }
    public required long? EndedAt { get; init; }
}

/// <summary>An entry about a dispatch whose salt and detail are there.</summary>
internal sealed record ToldEntry
{
    public required long Seq { get; init; }
    public required Digest Leaf { get; init; }
    public required byte[] Detail { get; init; }
}

/// <summary>
/// Erasure, by overwriting in place: the bytes of a row become zeros of the same number. So no page is rearranged, nothing of a neighbour is copied to where a later erasure would not find it, and
/// what is read of a row tells by its zeros that it was erased. Room is given back when the store is compacted; a blob's at once.
/// </summary>
internal static class ErasureTable
{
    /// <summary>No salt: one of zeros is not drawn in this universe's time.</summary>
    internal const string Gone = "zeroblob(32)";
    static readonly string[] OfLeaf = ["receipt", "status", "attempt", "report", "held_approval", "label_word"];
    /// <summary>Why a dispatch may not be erased before those that update it.</summary>
    public const string Updated = "an update of it is kept";
    const string Named = "coalesce(d.sender, h.sender) AS sender, coalesce(d.envelope, h.envelope) AS envelope";

    /// <summary>What an asker hears of something that was erased whole. Nothing of it is journalled again.</summary>
    public static RefusedException Refused() => new(Refusal.PayloadErased, Whole);
    public static bool IsRefused(RefusedException e) => e.Refusal == Refusal.PayloadErased && e.Detail == Whole;
    const string Whole = "all of the dispatch";

    /// <summary>Whether these bytes of a row were erased: nothing that is kept in one is empty or all zeros.</summary>
    public static bool IsBlank(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);

    /// <summary>It has begun at least.</summary>
    public static bool Has(Source source, Guid id) => source.One<long>("SELECT EXISTS (SELECT 1 FROM erasure WHERE id = @id)", new { id }) == 1;

    /// <summary>Ever.</summary>
    public static bool HasAny(Source source) => source.One<long>("SELECT EXISTS (SELECT 1 FROM erasure)") == 1;

    /// <summary>null: nothing of this name was accepted or held.</summary>
    public static ErasableDispatch? Find(Source source, string sender, Guid envelope) => source.One<ErasableDispatch>(
        $"""
        SELECT n.id, @sender AS sender, @envelope AS envelope, EXISTS (SELECT 1 FROM recall r WHERE r.dispatch = n.id AND r.kind = 'update') AS is_update, x.begun_at, x.ended_at, CASE
            WHEN EXISTS (SELECT 1 FROM held h WHERE h.id = n.id AND h.state = 1) THEN 'it is held'
            WHEN EXISTS (SELECT 1 FROM upload u WHERE u.sender = @sender AND u.envelope = @envelope) THEN 'its payload is still coming'
            WHEN EXISTS (SELECT 1 FROM parcel p WHERE p.dispatch = n.id AND p.state IN (1, 7)) THEN 'a copy is still under way'
            WHEN EXISTS (SELECT 1 FROM parcel p JOIN dead ON dead.parcel = p.id WHERE p.dispatch = n.id) THEN 'a copy is dead and nobody has decided about it'
            WHEN EXISTS (SELECT 1 FROM reply o JOIN receipt r ON r.id = o.receipt WHERE r.dispatch = n.id OR r.held = n.id) THEN 'a receipt is still to go to its sender'
            WHEN EXISTS (SELECT 1 FROM recall u WHERE u.sender = @sender AND u.target = @envelope AND u.kind = 'update' AND NOT EXISTS (SELECT 1 FROM erasure o WHERE o.id = u.dispatch)) THEN '{Updated}'
        END AS owed
        FROM (SELECT id FROM dispatch WHERE sender = @sender AND envelope = @envelope UNION SELECT id FROM held WHERE sender = @sender AND envelope = @envelope) n LEFT JOIN erasure x ON x.id = n.id
        """, new { sender, envelope });

    /// <summary>Its sender's dispatches that update this one, by header id, that are not erased.</summary>
    public static IReadOnlyList<Guid> UpdatesKept(Source source, string sender, Guid envelope) => source.Query<Guid>(
        "SELECT d.envelope FROM recall u JOIN dispatch d ON d.id = u.dispatch WHERE u.sender = @sender AND u.target = @envelope AND u.kind = 'update' AND NOT EXISTS (SELECT 1 FROM erasure o WHERE o.id = u.dispatch)",
        new { sender, envelope });

    /// <summary>Sender and header id of a dispatch, or of something held, by either of its ids.</summary>
    public static IReadOnlyList<(string Sender, Guid Envelope)> Called(Source source, Guid id) => [.. source.Query<ErasableName>(
        "SELECT sender, envelope FROM dispatch WHERE id = @id OR envelope = @id UNION SELECT sender, envelope FROM held WHERE id = @id OR envelope = @id", new { id }).Select(n => (n.Sender, n.Envelope))];

    /// <summary>Dispatches whose author's label is of this class, received in (after, before], oldest first: whether every copy ended not later than this, and nobody is owed one.</summary>
    public static IReadOnlyList<AgedDispatch> Aged(Source source, int @class, long after, long before, int limit) => source.Query<AgedDispatch>(
        $"""
        SELECT n.sender, n.envelope, n.received_at,
            coalesce((SELECT l.class FROM label_change l WHERE l.dispatch = {LabelTable.BearerOf("n.id")} AND l.n IS NOT NULL ORDER BY l.n DESC LIMIT 1), @class) AS class,
            coalesce((SELECT max(p.updated_at) FROM parcel p WHERE p.dispatch = n.id), n.received_at) AS ended_at,
            NOT EXISTS (SELECT 1 FROM erasure x WHERE x.id = n.id) AND NOT EXISTS (SELECT 1 FROM parcel p WHERE p.dispatch = n.id AND (p.state IN (1, 7) OR p.updated_at > @before OR EXISTS (SELECT 1 FROM dead WHERE dead.parcel = p.id))) AS is_over
        FROM (SELECT id, sender, envelope, received_at FROM dispatch WHERE class = @class AND received_at > @after AND received_at <= @before ORDER BY received_at LIMIT @limit) n ORDER BY n.received_at
        """, new { @class, after, before, limit });

    /// <summary>Those that have not ended, oldest first.</summary>
    public static IReadOnlyList<ErasureRow> Open(Source source, int limit) => source.Query<ErasureRow>($"{Rows} WHERE x.ended_at IS NULL ORDER BY x.begun_at, x.id LIMIT @limit", new { limit });

    /// <summary>All, newest first.</summary>
    public static IReadOnlyList<ErasureRow> Newest(Source source, int limit) => source.Query<ErasureRow>($"{Rows} ORDER BY x.begun_at DESC, x.id DESC LIMIT @limit", new { limit });

    const string Rows = $"SELECT x.id, {Named}, x.operation, o.code AS basis, x.begun_at, x.ended_at FROM erasure x JOIN operation o ON o.ref = x.operation LEFT JOIN dispatch d ON d.id = x.id LEFT JOIN held h ON h.id = x.id";

    /// <summary>Entries about it that still have their salt and detail: by what its rows name, and by subject where none does. In the order of the ledger.</summary>
    public static IReadOnlyList<ToldEntry> Told(Source source, Guid id, string sender, Guid envelope, int limit) => source.Query<ToldEntry>(
        $"""
        SELECT e.seq, e.leaf, s.detail FROM ({LeavesAbout}) about JOIN entry e ON e.leaf = about.leaf JOIN entry_secret s ON s.seq = e.seq WHERE s.salt <> {Gone} ORDER BY e.seq LIMIT @limit
        """, new { id, sender, envelope, limit });

    /// <summary>Whether there is still one.</summary>
    public static bool IsTold(Source source, Guid id, string sender, Guid envelope) => source.One<long>(
        $"SELECT EXISTS (SELECT 1 FROM ({LeavesAbout}) about JOIN entry e ON e.leaf = about.leaf JOIN entry_secret s ON s.seq = e.seq WHERE s.salt <> {Gone})", new { id, sender, envelope }) == 1;

    const string LeavesAbout =
        """
        SELECT leaf FROM receipt WHERE dispatch = @id
        UNION SELECT leaf FROM receipt WHERE held = @id
        UNION SELECT leaf FROM receipt WHERE dispatch IS NULL AND held IS NULL AND sender = @sender AND envelope = @envelope
        UNION SELECT a.leaf FROM parcel p JOIN attempt a ON a.parcel = p.id WHERE p.dispatch = @id
        UNION SELECT t.leaf FROM parcel p JOIN status t ON t.parcel = p.id WHERE p.dispatch = @id
        UNION SELECT r.leaf FROM parcel p JOIN report r ON r.parcel = p.id WHERE p.dispatch = @id
        UNION SELECT leaf FROM held_approval WHERE held = @id
        UNION SELECT w.leaf FROM label_change c JOIN label_word w ON w.change = c.id WHERE c.dispatch = @id
        UNION SELECT leaf FROM entry WHERE kind IN (15, 21, 22, 23, 30) AND subject IN (
            SELECT @id UNION SELECT id FROM parcel WHERE dispatch = @id UNION SELECT id FROM receipt WHERE dispatch = @id UNION SELECT id FROM receipt WHERE held = @id)
        """;

    /// <summary>
    /// Begins: the statement is on file, nobody is told anything of the dispatch from now on, and what its own rows hold is overwritten: header, approvals, manifest, payload, changes of its label, the decisions
    /// about it. What hangs on its entries goes with each of them. False: it had begun before; nothing was changed.
    /// </summary>
    public static bool Begin(Batch b, ErasableDispatch dispatch, Digest operation, string basis, byte[] statement)
    {
        var args = new { dispatch.Id, operation, now = b.Now.ToUnixTimeMilliseconds() };
        OperationTable.Keep(b, operation, basis, statement);
        if (b.Execute("INSERT INTO erasure (id, operation, begun_at) VALUES (@Id, @operation, @now) ON CONFLICT DO NOTHING", args) == 0) return false;
        b.Execute($"UPDATE decision SET salt = {Gone}, record = zeroblob(length(record)) WHERE digest IN (SELECT decision FROM dispatch WHERE id = @Id UNION SELECT decision FROM held WHERE id = @Id UNION SELECT decision FROM label_change WHERE dispatch = @Id)", args);
        foreach (var table in new[] { "dispatch", "held" })
            b.Execute(
                $"""
                UPDATE {table} SET header = zeroblob(length(header)), approvals = zeroblob(length(approvals)), manifest = zeroblob(length(manifest)),
                    payload = CASE WHEN payload IS NULL THEN NULL ELSE zeroblob(length(payload)) END WHERE id = @Id
                """, args);
        b.Execute("UPDATE label_change SET change = zeroblob(length(change)) WHERE dispatch = @Id", args);
        b.Execute("UPDATE parcel SET last_refusal = NULL WHERE dispatch = @Id AND last_refusal IS NOT NULL", args);
        return true;
    }

    /// <summary>Overwrites salt and detail of an entry, and what the rows of the same commit say and hold. False: they were gone before; nothing was changed.</summary>
    public static bool Erase(Batch b, ToldEntry entry)
    {
        if (b.Execute($"UPDATE entry_secret SET salt = {Gone}, detail = zeroblob(length(detail)) WHERE seq = @Seq AND salt <> {Gone}", entry) == 0) return false;
        foreach (var table in OfLeaf) b.Execute($"UPDATE {table} SET {Overwritten(table)} WHERE leaf = @Leaf", entry);
        return true;
    }

    // Persons go with what they signed: in the place of a person stands the leaf of his word, which is as long and as much alone.
    static string Overwritten(string table) => table switch
    {
        "attempt" => Text("detail"),
        "report" => Text("code"),
        "status" => $"{Text("code")}, {Text("reason")}, ref = {Gone}, der = zeroblob(length(der))",
        "receipt" => "der = zeroblob(length(der))",
        _ => "person = leaf, der = zeroblob(length(der))",
    };

    // As many bytes of ASCII zeros.
    static string Text(string column) => $"{column} = substr(hex(zeroblob(length(CAST({column} AS BLOB)))), 1, length(CAST({column} AS BLOB)))";

    /// <summary>A decision that only an entry named.</summary>
    public static void Erase(Batch b, Digest decision) => b.Execute($"UPDATE decision SET salt = {Gone}, record = zeroblob(length(record)) WHERE digest = @decision", new { decision });

    /// <summary>Nothing of it is left.</summary>
    public static void End(Batch b, Guid id) => b.Execute("UPDATE erasure SET ended_at = @now WHERE id = @id AND ended_at IS NULL", new { id, now = b.Now.ToUnixTimeMilliseconds() });

    sealed record ErasableName
    {
        public required string Sender { get; init; }
        public required Guid Envelope { get; init; }
    }
}
