using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>States of a submission that its decision held. The number stands in the store.</summary>
internal enum HeldState
{
    /// <summary>Waits for persons. A crash leaves it so: the next look decides.</summary>
    Waiting = 1,
    /// <summary>A dispatch of the same id was made of it.</summary>
    Released = 2,
    /// <summary>Refused by a person, by a decision made again, or by time; nothing of it ever left.</summary>
    Ended = 3,
}

/// <summary>An envelope that was taken in whole and waits: no dispatch yet, so no copy, no job, and in nobody's mailbox.</summary>
internal sealed record HeldRow
{
    /// <summary>Becomes the dispatch id; names the blob.</summary>
    public required Guid Id { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
    public required Digest ManifestDigest { get; init; }
    public required int Class { get; init; }
    public required int Urgency { get; init; }
    public required HeldState State { get; init; }
    /// <summary>Refusal code: why it waits, later why it ended.</summary>
    public required string Code { get; init; }
    public required long HeldAt { get; init; }
    /// <summary>When waiting becomes a no, Unix milliseconds.</summary>
    public required long Until { get; init; }
    public required long? EndedAt { get; init; }
    /// <summary>How many approvals came by themselves.</summary>
    public required int Approved { get; init; }
    /// <summary>Key of the record of the decision that held it.</summary>
    public required Digest Decision { get; init; }
    /// <summary>Bytes on the wire; null: no payload.</summary>
    public required long? PayloadBytes { get; init; }
    public required byte[] Header { get; init; }
    public required byte[] Approvals { get; init; }
    public required byte[] Manifest { get; init; }
    /// <summary>As in a dispatch; null also once it ended.</summary>
    public required byte[]? Payload { get; init; }
    /// <summary>When its erasure began, Unix milliseconds; null: it is kept.</summary>
    public long? ErasedAt { get; init; }
}

/// <summary>What one person of the sending office said about it. Never changed.</summary>
internal sealed record HeldApprovalRow
{
    public required Guid Held { get; init; }
    /// <summary>Key of the person who signed; counts once for each act.</summary>
    public required Digest Person { get; init; }
    /// <summary>"release" or "refuse".</summary>
    public required string Act { get; init; }
    public required long Time { get; init; }
    /// <summary>Entry of the same commit.</summary>
    public required Digest Leaf { get; init; }
    public required byte[] Der { get; init; }
}

internal static class HeldTable
{
    static readonly RowShape<HeldRow> Shape = new("held",
        ["id", "sender", "envelope", "ctx", "manifest_digest", "class", "urgency", "state", "code", "held_at", "until", "ended_at", "approved", "decision", "payload_bytes",
            "header", "approvals", "manifest", "payload"],
        h => [h.Id, h.Sender, h.Envelope, h.Ctx, h.ManifestDigest, h.Class, h.Urgency, h.State, h.Code, h.HeldAt, h.Until, h.EndedAt, h.Approved, h.Decision, h.PayloadBytes,
            h.Header, h.Approvals, h.Manifest, h.Payload]);
    static readonly RowShape<HeldApprovalRow> ApprovalShape = new("held_approval", ["held", "person", "act", "time", "leaf", "der"], a => [a.Held, a.Person, a.Act, a.Time, a.Leaf, a.Der]);
    const string Columns = "id, sender, envelope, ctx, manifest_digest, class, urgency, state, code, held_at, until, ended_at, approved, decision, payload_bytes, header, approvals, manifest, payload, (SELECT x.begun_at FROM erasure x WHERE x.id = held.id) AS erased_at";

    /// <summary>Inserts at once. False: this sender has had one with this envelope id; nothing was changed.</summary>
    public static bool TryAdd(Batch b, HeldRow row)
    {
        if (Find(b, row.Sender, row.Envelope) is not null) return false;
        b.Insert(Shape, row);
        return true;
    }

    /// <summary>One's own, in whatever state.</summary>
    public static HeldRow? Find(Source source, string sender, Guid envelope) =>
        source.OneWritten<HeldRow>($"SELECT {Columns} FROM held WHERE sender = @sender AND envelope = @envelope", new { sender, envelope });

    /// <summary>One's own that wait, in the order of arrival, after the one with this envelope id (null: from the first).</summary>
    public static IReadOnlyList<HeldRow> Waiting(Source source, string sender, Guid? after, int limit) => source.Query<HeldRow>(
        $"""
        SELECT {Columns} FROM held
        WHERE sender = @sender AND state = 1 AND id > coalesce((SELECT id FROM held WHERE sender = @sender AND envelope = @after), x'')
        ORDER BY id LIMIT @limit
        """, new { sender, after, limit });

    /// <summary>Any office's that wait and whose time is over, oldest first.</summary>
    public static IReadOnlyList<HeldRow> Due(Source source, long now, int limit) =>
        source.Query<HeldRow>($"SELECT {Columns} FROM held WHERE state = 1 AND until <= @now ORDER BY until LIMIT @limit", new { now, limit });

    /// <summary>Any office's that wait, after this id.</summary>
    public static IReadOnlyList<HeldRow> After(Source source, Guid after, int limit) =>
        source.Query<HeldRow>($"SELECT {Columns} FROM held WHERE state = 1 AND id > @after ORDER BY id LIMIT @limit", new { after, limit });

    /// <summary>How many wait; stops counting at so many.</summary>
    public static long Count(Source source, int limit) => source.One<long>("SELECT count(*) FROM (SELECT until FROM held INDEXED BY held_waiting WHERE state = 1 LIMIT @limit)", new { limit });

    /// <summary>Files what a person said. False: it does not wait any more, or this person said so before; nothing was changed.</summary>
    public static bool TryApprove(Batch b, HeldApprovalRow row)
    {
        if (b.One<long>("SELECT EXISTS (SELECT 1 FROM held_approval WHERE held = @Held AND person = @Person AND act = @Act)", row) == 1) return false;
        if (b.Execute("UPDATE held SET approved = approved + 1 WHERE id = @Held AND state = 1", row) != 1) return false;
        b.Insert(ApprovalShape, row);
        return true;
    }

    /// <summary>What persons said, oldest first.</summary>
    public static IReadOnlyList<HeldApprovalRow> Approvals(Source source, Guid held) =>
        source.Query<HeldApprovalRow>("SELECT held, person, act, time, leaf, der FROM held_approval WHERE held = @held ORDER BY time, person", new { held });

    /// <summary>It ceases to wait, and its payload's bytes leave the row. False: it does not wait any more, or somebody said something since it was read; nothing was changed.</summary>
    public static bool End(Batch b, HeldRow read, HeldState state, string code) => b.Execute(
        "UPDATE held SET state = @state, code = @code, ended_at = @now, payload = NULL WHERE id = @Id AND state = 1 AND approved = @Approved",
        new { read.Id, read.Approved, state, code, now = b.Now.ToUnixTimeMilliseconds() }) == 1;

    /// <summary>Everything, for the check.</summary>
    public static IEnumerable<HeldRow> Walk(Source source) => source.Walk<HeldRow>($"SELECT {Columns} FROM held ORDER BY id");
}
