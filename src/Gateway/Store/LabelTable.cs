using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>States of a change of a label. The number stands in the store.</summary>
internal enum LabelState
{
    /// <summary>Waits for another person. A crash leaves it so.</summary>
    Waiting = 1,
    /// <summary>It counts: gives the label in force or gave it, or lies on it.</summary>
    Accepted = 2,
    /// <summary>It waited in vain.</summary>
    Ended = 3,
}

/// <summary>One change of a dispatch's label.</summary>
internal sealed record LabelChangeRow
{
    public required Guid Id { get; init; }
    public required Guid Dispatch { get; init; }
    /// <summary>Of the change, not of a person's statement.</summary>
    public required Digest Ref { get; init; }
    public required Digest Previous { get; init; }
    public required string Act { get; init; }
    public required LabelState State { get; init; }
    /// <summary>"OK", or why it waits or ended.</summary>
    public required string Code { get; init; }
    /// <summary>Place in the chain of labels that were in force, from 1; null: it gives none, or not yet.</summary>
    public long? N { get; init; }
    /// <summary>Of the label that it gives.</summary>
    public int? Class { get; init; }
    public long? Term { get; init; }
    /// <summary>Succession: when.</summary>
    public long? At { get; init; }
    /// <summary>Extension: until when.</summary>
    public long? Until { get; init; }
    public required long CreatedAt { get; init; }
    /// <summary>When waiting becomes a no; null: it does not wait.</summary>
    public long? WaitsUntil { get; init; }
    public long? AcceptedAt { get; init; }
    public long? InForceAt { get; init; }
    public required int Words { get; init; }
    /// <summary>Key of the record of the decision that held or accepted it.</summary>
    public required Digest Decision { get; init; }
    /// <summary>Canonical JSON.</summary>
    public required byte[] Change { get; init; }
}

/// <summary>What one person signed. Never changed.</summary>
internal sealed record LabelWordRow
{
    /// <summary>Id of the row.</summary>
    public required Guid Change { get; init; }
    /// <summary>Key of the person; counts once.</summary>
    public required Digest Person { get; init; }
    public required string Office { get; init; }
    public required long Time { get; init; }
    /// <summary>Entry of the same commit.</summary>
    public required Digest Leaf { get; init; }
    public required byte[] Der { get; init; }
}

/// <summary>A change, or a dispatch whose label may have to change by time.</summary>
internal sealed record LabelDue
{
    public required Guid Dispatch { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    /// <summary>null: the term of its label.</summary>
    public required Guid? Change { get; init; }
}

internal static class LabelTable
{
    static readonly RowShape<LabelChangeRow> Shape = new("label_change",
        ["id", "dispatch", "ref", "previous", "act", "state", "code", "n", "class", "term", "at", "until", "created_at", "waits_until", "accepted_at", "in_force_at", "words", "decision", "change"],
        c => [c.Id, c.Dispatch, c.Ref, c.Previous, c.Act, c.State, c.Code, c.N, c.Class, c.Term, c.At, c.Until, c.CreatedAt, c.WaitsUntil, c.AcceptedAt, c.InForceAt, c.Words, c.Decision, c.Change]);
    static readonly RowShape<LabelWordRow> WordShape = new("label_word", ["change", "person", "office", "time", "leaf", "der"], w => [w.Change, w.Person, w.Office, w.Time, w.Leaf, w.Der]);
    const string Columns = "id, dispatch, ref, previous, act, state, code, n, class, term, at, until, created_at, waits_until, accepted_at, in_force_at, words, decision, change";
    /// <summary>What gives the label in force of dispatch d.</summary>
    const string InForceRef = "coalesce((SELECT l.ref FROM label_change l WHERE l.dispatch = d.id AND l.n IS NOT NULL ORDER BY l.n DESC LIMIT 1), d.ctx)";
    const string IsKept = "NOT EXISTS (SELECT 1 FROM erasure x WHERE x.id = d.id)";
    const string DueColumns = "d.id AS dispatch, d.sender, d.envelope, c.id AS change FROM label_change c JOIN dispatch d ON d.id = c.dispatch";

    /// <summary>Whose label this dispatch bears: of an update its original's, so that all envelopes of one dispatch have one label.</summary>
    internal static string BearerOf(string dispatch) =>
        $"coalesce((SELECT o.id FROM recall u JOIN dispatch o ON o.sender = u.sender AND o.envelope = u.target WHERE u.dispatch = {dispatch} AND u.kind = 'update'), {dispatch})";

    /// <summary>The change that gave the label in force; null: it is the header's.</summary>
    public static LabelChangeRow? InForce(Source source, Guid dispatch) =>
        source.One<LabelChangeRow>($"SELECT {Columns} FROM label_change WHERE dispatch = {BearerOf("@dispatch")} AND n IS NOT NULL ORDER BY n DESC LIMIT 1", new { dispatch });

    /// <summary>All changes, oldest first.</summary>
    public static IReadOnlyList<LabelChangeRow> Of(Source source, Guid dispatch) =>
        source.Query<LabelChangeRow>($"SELECT {Columns} FROM label_change WHERE dispatch = @dispatch ORDER BY created_at, id", new { dispatch });

    /// <summary>What persons signed, oldest first.</summary>
    public static IReadOnlyList<LabelWordRow> Words(Source source, Guid change) =>
        source.Query<LabelWordRow>("SELECT change, person, office, time, leaf, der FROM label_word WHERE change = @change ORDER BY time, person", new { change });

    /// <summary>Another value for whatever has happened to the labels of a dispatch.</summary>
    public static string Mark(Source source, Guid dispatch) => source.One<string>(
        "SELECT count(*) || '/' || coalesce(sum(words), 0) || '/' || coalesce(sum(state), 0) || '/' || coalesce(max(n), 0) FROM label_change WHERE dispatch = @dispatch", new { dispatch })!;

    /// <summary>Inserts it, or puts it in the place of what it was.</summary>
    public static void Put(Batch b, LabelChangeRow row)
    {
        if (b.Execute("""
            UPDATE label_change SET state = @State, code = @Code, n = @N, waits_until = @WaitsUntil, accepted_at = @AcceptedAt, in_force_at = @InForceAt, words = @Words, decision = @Decision
            WHERE id = @Id
            """, row) == 0) b.Insert(Shape, row);
    }

    public static void Add(Batch b, LabelWordRow word) => b.Insert(WordShape, word);

    /// <summary>Those that waited long enough, or for a label that is not in force any more.</summary>
    public static IReadOnlyList<LabelDue> InVain(Source source, long now, int limit) => source.Query<LabelDue>(
        $"SELECT {DueColumns} WHERE {IsKept} AND c.state = 1 AND (c.waits_until <= @now OR c.previous <> {InForceRef}) ORDER BY c.id LIMIT @limit", new { now, limit });

    /// <summary>Successions whose time has come, of the label in force.</summary>
    public static IReadOnlyList<LabelDue> Succeeding(Source source, Guid after, long now, int limit) => source.Query<LabelDue>(
        $"SELECT {DueColumns} WHERE {IsKept} AND c.state = 2 AND c.n IS NULL AND c.act = 'succession' AND c.at <= @now AND c.previous = {InForceRef} AND d.id > @after ORDER BY d.id LIMIT @limit", new { after, now, limit });

    /// <summary>Dispatches whose label in force is of this class and states an end not after now, or none and is older than the law's term. An update has no label of its own to end.</summary>
    public static IReadOnlyList<LabelDue> Ending(Source source, int @class, Guid after, long now, long law, int limit) => source.Query<LabelDue>(
        """
        SELECT d.id AS dispatch, d.sender, d.envelope, NULL AS change FROM (
            SELECT id FROM dispatch o WHERE class = @class AND term <= @now AND NOT EXISTS (SELECT 1 FROM label_change l WHERE l.dispatch = o.id AND l.n IS NOT NULL)
            UNION ALL
            SELECT id FROM dispatch o WHERE class = @class AND received_at <= @law AND term IS NULL AND NOT EXISTS (SELECT 1 FROM label_change l WHERE l.dispatch = o.id AND l.n IS NOT NULL)
            UNION ALL
            SELECT dispatch FROM label_change c WHERE class = @class AND n IS NOT NULL AND (term <= @now OR (term IS NULL AND in_force_at <= @law))
                AND NOT EXISTS (SELECT 1 FROM label_change l WHERE l.dispatch = c.dispatch AND l.n > c.n)
        ) found JOIN dispatch d ON d.id = found.id WHERE d.id > @after AND NOT EXISTS (SELECT 1 FROM recall u WHERE u.dispatch = d.id AND u.kind = 'update') AND NOT EXISTS (SELECT 1 FROM erasure x WHERE x.id = d.id) ORDER BY d.id LIMIT @limit
        """, new { @class, after, now, law, limit });

    /// <summary>Everything, for the check.</summary>
    public static IEnumerable<LabelChangeRow> Walk(Source source) => source.Walk<LabelChangeRow>($"SELECT {Columns} FROM label_change ORDER BY id");
}
