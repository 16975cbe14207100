using System.Data.Common;
using Dapper;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>
/// Table of the guard database: heads that are to be time-stamped, and their tokens. due: when it was its turn. since: when the oldest of those that it stands for came due. day: number of the day whose end it is.
/// floor: the latest time before which neither this nor an earlier token was surely not made. All times are Unix milliseconds.
/// </summary>
internal static class TimeStampTable
{
    public static void CreateSchema(DbConnection connection) => connection.Execute(
        """
        CREATE TABLE IF NOT EXISTS timestamp (
            origin TEXT NOT NULL,
            size   INTEGER NOT NULL,
            due    INTEGER NOT NULL,
            since  INTEGER NOT NULL,
            day    INTEGER,
            token  BLOB,
            time   INTEGER,
            floor  INTEGER,
            PRIMARY KEY (origin, size),
            CHECK ((token IS NULL) = (time IS NULL) AND (token IS NULL) = (floor IS NULL))
        ) STRICT;
        CREATE INDEX IF NOT EXISTS timestamp_waiting ON timestamp (origin, size) WHERE token IS NULL;
        """);

    // A guard of an earlier version, opened to look at, has no such table.
    static bool IsThere(DbConnection connection) => connection.ExecuteScalar<long>("SELECT count(*) FROM sqlite_schema WHERE name = 'timestamp'") > 0;

    public static StampTurn? Last(DbConnection connection, string origin) => !IsThere(connection) ? null : connection.QuerySingleOrDefault<StampTurn>(
        """
        SELECT size, due, (SELECT d.day FROM timestamp d WHERE d.origin = @origin AND d.day IS NOT NULL ORDER BY d.size DESC LIMIT 1) AS day
        FROM timestamp WHERE origin = @origin ORDER BY size DESC LIMIT 1
        """, new { origin });

    /// <summary>Between the two statements a crash leaves one head more than needs a token: it gets one.</summary>
    public static void Queue(DbConnection connection, string origin, long size, long due, long? day)
    {
        var args = new { origin, size, due, day };
        connection.Execute(
            """
            INSERT INTO timestamp (origin, size, due, since, day) VALUES
                (@origin, @size, @due, coalesce((SELECT min(since) FROM timestamp WHERE origin = @origin AND token IS NULL AND day IS NULL), @due), @day)
            ON CONFLICT DO UPDATE SET day = coalesce(excluded.day, day)
            """, args);
        connection.Execute("DELETE FROM timestamp WHERE origin = @origin AND token IS NULL AND day IS NULL AND size < @size", args);
    }

    /// <summary>Smallest first; a token is about the tree, so root comes along.</summary>
    public static IReadOnlyList<WaitingHead> Waiting(DbConnection connection, string origin, int limit) => !IsThere(connection) ? [] : connection.Query<WaitingHead>(
        """
        SELECT t.size, c.root, t.since FROM timestamp t JOIN checkpoint c ON c.origin = t.origin AND c.size = t.size
        WHERE t.origin = @origin AND t.token IS NULL ORDER BY t.size LIMIT @limit
        """, new { origin, limit }).AsList();

    public static void Keep(DbConnection connection, string origin, long size, byte[] token, long time, long floor) => connection.Execute(
        "UPDATE timestamp SET token = @token, time = @time, floor = @floor WHERE origin = @origin AND size = @size AND token IS NULL", new { origin, size, token, time, floor });

    /// <summary>The newest that has a token; null: none has.</summary>
    public static StampedHead? Newest(DbConnection connection, string origin) => !IsThere(connection) ? null : connection.QuerySingleOrDefault<StampedHead>(
        "SELECT size, time, floor FROM timestamp WHERE origin = @origin AND token IS NOT NULL ORDER BY size DESC LIMIT 1", new { origin });

    public static byte[]? Find(DbConnection connection, string origin, long size) =>
        connection.QuerySingleOrDefault<byte[]>("SELECT token FROM timestamp WHERE origin = @origin AND size = @size AND token IS NOT NULL", new { origin, size });

    /// <summary>Sizes of heads that have a token, above one size up to another, in order.</summary>
    public static IReadOnlyList<long> Sizes(DbConnection connection, string origin, long after, long last) =>
        connection.Query<long>("SELECT size FROM timestamp WHERE origin = @origin AND size > @after AND size <= @last AND token IS NOT NULL ORDER BY size", new { origin, after, last }).AsList();
}
