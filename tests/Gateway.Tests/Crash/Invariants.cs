using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Tests.Crash;

/// <summary>What must hold of a store whatever happened to it, in one place: the parts of section 6 of the design that rows can show.</summary>
static class Invariants
{
    // Each finds the ids that break one rule.
    static readonly (string Rule, string Sql)[] Rules =
    [
        ("a parcel ends once: delivered and failed on record", $"""
            SELECT parcel FROM receipt WHERE parcel IS NOT NULL GROUP BY parcel
            HAVING sum(event = '{ReceiptEvent.ContentConsignment}') + sum(event = '{ReceiptEvent.ContentConsignmentFailure}') > 1
            """),
        ("a dispatch has one acceptance", $"SELECT dispatch FROM receipt WHERE event = '{ReceiptEvent.SubmissionAcceptance}' GROUP BY dispatch HAVING count(*) <> 1"),
        ("a sender's envelope is one dispatch", "SELECT max(id) FROM dispatch GROUP BY sender, envelope HAVING count(*) <> 1"),
        ("a queued copy has its job and nothing else has one", "SELECT p.id FROM parcel p LEFT JOIN job j ON j.parcel = p.id WHERE (p.state = 7) <> (j.parcel IS NOT NULL)"),
        ("a claim has a lease and a fence", "SELECT parcel FROM job WHERE (state = 1) <> (lease_until IS NOT NULL) OR (state = 1 AND fence < 1)"),
        ("a delivered attempt is of a delivered copy", "SELECT a.parcel FROM attempt a JOIN parcel p ON p.id = a.parcel WHERE a.outcome = 1 AND p.state <> 2"),
        ("what is accepted is not awaited any more", "SELECT u.id FROM upload u JOIN dispatch d ON d.sender = u.sender AND d.envelope = u.envelope"),
    ];

    /// <summary>What does not hold, in a sentence; null: all does. Any start may look; nothing is changed.</summary>
    /// <param name="receipts">SHA-256 of every receipt that a client holds.</param>
    public static string? Broken(IEngine engine, BlobStore blobs, Guard guard, IEnumerable<Digest> receipts)
    {
        using var reader = engine.Reader();
        if (reader.Query<string>("PRAGMA integrity_check") is not ["ok"]) return "integrity_check";
        if (reader.Query<string>("PRAGMA foreign_key_check").Count > 0) return "foreign_key_check";
        // 1, 2, 7, 8: every row has the rows promised with it, the tree is that of its entries, and so is every checkpoint ever signed.
        if (StoreCheck.Run(engine, blobs, guard.Heads()) is [var finding, ..]) return $"{finding}";
        if (guard.Head.Size > HeadTable.Read(reader).Size) return "the guard is ahead of the store";
        if (guard.Heads().Any(n => n.Size > guard.Head.Size)) return "a note beyond the guard's head";
        foreach (var (rule, sql) in Rules)
            if (reader.Query<byte[]>(sql) is [var id, ..]) return $"{rule}: {new Guid(id, bigEndian: true)}";
        foreach (var receipt in receipts)
            if (reader.One<long>("SELECT EXISTS (SELECT 1 FROM receipt r JOIN entry e ON e.leaf = r.leaf WHERE r.sha256 = @receipt)", new { receipt }) == 0) return $"a receipt was given and is not there: {receipt}";
        return null;
    }

    public static void Check(TestStore store, IEnumerable<Digest> receipts) => Assert.Null(Broken(store.Engine, store.Blobs, store.Guard, receipts));
}
