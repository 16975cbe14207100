using System.Data.Common;
using Dapper;
using Exchange.Crypto;

namespace Exchange.Gateway.Store;

/// <summary>The entry with which a ledger begins under its name, and the public keys with which it began, a line each.</summary>
/// <param name="Place">Its index in the tree.</param>
internal sealed record SuccessionRow(string Origin, long Place, byte[] Salt, byte[] Detail, string Keys);

/// <summary>A ledger that signs no more.</summary>
/// <param name="Size">Of the newest head that it may have signed.</param>
/// <param name="Common">Of the newest head of it that its successor continues.</param>
/// <param name="Keys">Its public keys, a line each.</param>
/// <param name="Successor">The ledger that goes on.</param>
internal sealed record EndedRow(string Origin, long Size, Digest Root, long Common, string Keys, string Successor);

/// <summary>Tables of the guard database about ledgers that ended. An ended one keeps its row in `guard`, with a root that no tree has: no program, of whatever version, swaps a head in its place.</summary>
internal static class SuccessionTable
{
    public static void CreateSchema(DbConnection connection) => connection.Execute(
        """
        CREATE TABLE IF NOT EXISTS succession (
            origin TEXT PRIMARY KEY,
            place  INTEGER NOT NULL,
            salt   BLOB NOT NULL CHECK (length(salt) = 32),
            detail BLOB NOT NULL,
            keys   TEXT NOT NULL
        ) STRICT;
        CREATE TABLE IF NOT EXISTS ended (
            origin    TEXT PRIMARY KEY,
            size      INTEGER NOT NULL,
            root      BLOB NOT NULL CHECK (length(root) = 32),
            common    INTEGER NOT NULL,
            keys      TEXT NOT NULL,
            successor TEXT NOT NULL REFERENCES succession (origin)
        ) STRICT;
        """);

    // A guard of an earlier version, opened to look at, has no such tables.
    static bool Has(DbConnection connection) => connection.ExecuteScalar<long>("SELECT count(*) FROM sqlite_schema WHERE name = 'ended'") == 1;

    /// <summary>null: it has not ended.</summary>
    public static EndedRow? Ended(DbConnection connection, string origin) => !Has(connection) ? null
        : connection.QuerySingleOrDefault<EndedRow>("SELECT origin, size, root, common, keys, successor FROM ended WHERE origin = @origin", new { origin });

    /// <summary>Ledgers that this one follows, the last to end first.</summary>
    public static IReadOnlyList<EndedRow> EndedBefore(DbConnection connection, string successor) => !Has(connection) ? []
        : connection.Query<EndedRow>("SELECT origin, size, root, common, keys, successor FROM ended WHERE successor = @successor ORDER BY rowid DESC", new { successor }).AsList();

    /// <summary>null: it follows no other.</summary>
    public static SuccessionRow? Succession(DbConnection connection, string origin) => !Has(connection) ? null
        : connection.QuerySingleOrDefault<SuccessionRow>("SELECT origin, place, salt, detail, keys FROM succession WHERE origin = @origin", new { origin });

    public static void Add(DbConnection connection, DbTransaction transaction, SuccessionRow row) =>
        connection.Execute("INSERT INTO succession VALUES (@Origin, @Place, @Salt, @Detail, @Keys)", row, transaction);

    /// <summary>One that has ended before belongs to the newest ledger from now on.</summary>
    public static void End(DbConnection connection, DbTransaction transaction, EndedRow row) => connection.Execute(
        "INSERT INTO ended VALUES (@Origin, @Size, @Root, @Common, @Keys, @Successor) ON CONFLICT (origin) DO UPDATE SET common = excluded.common, successor = excluded.successor",
        new { row.Origin, row.Size, row.Root, row.Common, row.Keys, row.Successor }, transaction);

    /// <summary>Takes an ended ledger's head out of reach. False: its head is not this one any more.</summary>
    public static bool Close(DbConnection connection, DbTransaction transaction, string origin, (long Size, Digest Root) head) => connection.Execute(
        "UPDATE guard SET root = zeroblob(32) WHERE origin = @origin AND size = @Size AND root = @Root", new { origin, head.Size, head.Root }, transaction) == 1;

    /// <summary>False: there is a ledger of this name.</summary>
    public static bool TryBegin(DbConnection connection, DbTransaction transaction, string origin, (long Size, Digest Root) head) =>
        connection.Execute("INSERT INTO guard VALUES (@origin, @Size, @Root) ON CONFLICT DO NOTHING", new { origin, head.Size, head.Root }, transaction) == 1;
}
