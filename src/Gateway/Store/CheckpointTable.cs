using System.Data.Common;
using Dapper;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>Tables of the guard database: the newest head per ledger, every signed note, and what each witness was last known to have.</summary>
internal static class CheckpointTable
{
    public static void CreateSchema(DbConnection connection) => connection.Execute(
        """
        CREATE TABLE IF NOT EXISTS guard (
            origin TEXT PRIMARY KEY,
            size   INTEGER NOT NULL,
            root   BLOB NOT NULL CHECK (length(root) = 32)
        ) STRICT;
        CREATE TABLE IF NOT EXISTS checkpoint (
            origin TEXT NOT NULL,
            size   INTEGER NOT NULL,
            root   BLOB NOT NULL CHECK (length(root) = 32),
            note   TEXT NOT NULL,
            PRIMARY KEY (origin, size)
        ) STRICT;
        CREATE TABLE IF NOT EXISTS witness (
            origin TEXT NOT NULL,
            place  TEXT NOT NULL,
            size   INTEGER NOT NULL,
            PRIMARY KEY (origin, place)
        ) STRICT;
        """);

    /// <summary>Heads of sizes up to this one, largest first.</summary>
    public static IEnumerable<SignedHead> Below(DbConnection connection, string origin, long size) =>
        connection.Query<SignedHead>("SELECT size, root FROM checkpoint WHERE origin = @origin AND size <= @size ORDER BY size DESC", new { origin, size }, buffered: false);

    public static bool TryAddOrigin(DbConnection connection, string origin) =>
        connection.Execute("INSERT INTO guard VALUES (@origin, 0, @root) ON CONFLICT DO NOTHING", new { origin, root = MerkleTree.EmptyRoot }) == 1;

    public static (long Size, Digest Root)? Newest(DbConnection connection, string origin) =>
        connection.QuerySingleOrDefault<GuardRow>("SELECT size, root FROM guard WHERE origin = @origin", new { origin }) is { } row ? (row.Size, row.Root) : null;

    public static bool Swap(DbConnection connection, string origin, (long Size, Digest Root) old, (long Size, Digest Root) next) => connection.Execute(
        "UPDATE guard SET size = @nextSize, root = @nextRoot WHERE origin = @origin AND size = @oldSize AND root = @oldRoot",
        new { origin, oldSize = old.Size, oldRoot = old.Root, nextSize = next.Size, nextRoot = next.Root }) == 1;

    public static void Add(DbConnection connection, string origin, PublishedCheckpoint checkpoint) => connection.Execute(
        "INSERT INTO checkpoint (origin, size, root, note) VALUES (@origin, @Size, @Root, @Note) ON CONFLICT DO NOTHING",
        new { origin, checkpoint.Size, checkpoint.Root, checkpoint.Note });

    public static PublishedCheckpoint? Note(DbConnection connection, string origin, long size) =>
        connection.QuerySingleOrDefault<PublishedCheckpoint>("SELECT size, root, note FROM checkpoint WHERE origin = @origin AND size = @size", new { origin, size });

    public static PublishedCheckpoint? NewestNote(DbConnection connection, string origin) =>
        connection.QuerySingleOrDefault<PublishedCheckpoint>("SELECT size, root, note FROM checkpoint WHERE origin = @origin ORDER BY size DESC LIMIT 1", new { origin });

    public static void Replace(DbConnection connection, string origin, PublishedCheckpoint old, string note) => connection.Execute(
        "UPDATE checkpoint SET note = @note WHERE origin = @origin AND size = @Size AND note = @Note0", new { origin, old.Size, note, Note0 = old.Note });

    // A guard of an earlier version, opened to look at, has no such table.
    public static long WitnessHas(DbConnection connection, string origin, string place) =>
        connection.ExecuteScalar<long>("SELECT count(*) FROM sqlite_schema WHERE name = 'witness'") == 0 ? 0
            : connection.ExecuteScalar<long?>("SELECT size FROM witness WHERE origin = @origin AND place = @place", new { origin, place }) ?? 0;

    public static void WitnessHas(DbConnection connection, string origin, string place, long size) => connection.Execute(
        "INSERT INTO witness VALUES (@origin, @place, @size) ON CONFLICT DO UPDATE SET size = excluded.size", new { origin, place, size });

    /// <summary>Also those of ledgers that it follows, as far as it continues them.</summary>
    public static IEnumerable<SignedHead> Heads(DbConnection connection, string origin) => connection.Query<SignedHead>(
        """
        SELECT size, root FROM checkpoint WHERE origin = @origin
        UNION ALL SELECT c.size, c.root FROM checkpoint c JOIN ended e ON e.origin = c.origin WHERE e.successor = @origin AND c.size <= e.common
        ORDER BY size
        """, new { origin }, buffered: false);

    /// <summary>Whether <see cref="Heads"/> has one of this size.</summary>
    public static bool IsBeginning(DbConnection connection, string origin, long size) => connection.ExecuteScalar<long>(
        """
        SELECT EXISTS (SELECT 1 FROM checkpoint WHERE origin = @origin AND size = @size)
            OR EXISTS (SELECT 1 FROM checkpoint c JOIN ended e ON e.origin = c.origin WHERE e.successor = @origin AND c.size = @size AND c.size <= e.common)
        """, new { origin, size }) == 1;

    public static IReadOnlyList<PublishedCheckpoint> All(DbConnection connection, string origin) =>
        connection.Query<PublishedCheckpoint>("SELECT size, root, note FROM checkpoint WHERE origin = @origin ORDER BY size", new { origin }).AsList();

    /// <summary>null: no note of this size was kept.</summary>
    public static PublishedCheckpoint? Find(DbConnection connection, string origin, long size) =>
        connection.QuerySingleOrDefault<PublishedCheckpoint>("SELECT size, root, note FROM checkpoint WHERE origin = @origin AND size = @size", new { origin, size });

    public static IReadOnlyList<PublishedCheckpoint> After(DbConnection connection, string origin, long size, int limit) =>
        connection.Query<PublishedCheckpoint>("SELECT size, root, note FROM checkpoint WHERE origin = @origin AND size > @size ORDER BY size LIMIT @limit", new { origin, size, limit }).AsList();

    sealed record GuardRow
    {
        public required long Size { get; init; }
        public required Digest Root { get; init; }
    }
}
