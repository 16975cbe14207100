using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Exchange.Gateway.Journaling;

/// <summary>How connections are opened: what durability and read-only-ness rest on stands here, and is read back.</summary>
internal static class SqliteSettings
{
    // Set, then read back: a build of SQLite that ignores one of these must not run.
    static readonly (string Name, string Value, string Reads)[] OfWriter =
    [
        ("journal_mode", "WAL", "wal"),
        // Every commit fsyncs the log before it returns. NORMAL would answer before.
        ("synchronous", "FULL", "2"),
        ("foreign_keys", "ON", "1"),
        ("trusted_schema", "OFF", "0"),
        ("mmap_size", "0", "0"),
        // Deleted bytes are overwritten: erasure means it.
        ("secure_delete", "ON", "1"),
        // Nor by SQLite after a commit: see WriteAheadLog.
        ("wal_autocheckpoint", "0", "0"),
        // No temporary files: nothing of a row outside the store.
        ("temp_store", "MEMORY", "2"),
    ];

    static readonly (string Name, string Value, string Reads)[] OfDerived =
    [
        .. OfWriter.Where(s => s.Name != "synchronous"),
        ("synchronous", "NORMAL", "1"),
        // Pages that a step of filling touches are spread over the whole file: with SQLite's 2 MB each row would read and write several of them again.
        ("cache_size", "-32768", "-32768"),
    ];

    /// <summary>The one connection that writes.</summary>
    /// <param name="derived">What the file holds can be made again from another: it is whole after a power loss, and may lack what was committed last.</param>
    public static SqliteConnection OpenWriter(string file, bool derived = false)
    {
        var connection = Connect(file, SqliteOpenMode.ReadWriteCreate);
        try
        {
            DemandVersion(connection.ServerVersion);
            foreach (var (name, value, reads) in derived ? OfDerived : OfWriter)
            {
                Scalar(connection, $"PRAGMA {name} = {value}");
                var found = Scalar(connection, $"PRAGMA {name}");
                // Without memory mapping compiled in, mmap_size answers nothing.
                if (found != reads && !(name == "mmap_size" && found.Length == 0))
                    throw new CannotStartException($"SQLite did not take the setting {name} = {value} (it says {found}).");
            }
            // The log's file is there since the first pragma. SQLite syncs its folder too, but does not look whether that succeeded.
            DurableFile.FsyncFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public static SqliteConnection OpenReader(string file)
    {
        var connection = Connect(file, SqliteOpenMode.ReadOnly);
        Scalar(connection, "PRAGMA query_only = ON");
        Scalar(connection, "PRAGMA trusted_schema = OFF");
        Scalar(connection, "PRAGMA mmap_size = 0");
        Scalar(connection, "PRAGMA temp_store = MEMORY");
        return connection;
    }

    /// <exception cref="CannotStartException">Too old.</exception>
    internal static void DemandVersion(string version)
    {
        if (!Version.TryParse(version, out var found) || found < SqliteEngine.Oldest)
            throw new CannotStartException($"SQLite {version} can lose committed data; {SqliteEngine.Oldest} or newer is needed. Install the gateway with the library it came with.");
    }

    internal static string Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }

    // Own connections, not the driver's pool: the pool would keep files open and hand out a writer's settings.
    static PreparedConnection Connect(string file, SqliteOpenMode mode)
    {
        var connection = new PreparedConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = mode, Pooling = false, DefaultTimeout = 5 }.ToString());
        connection.Open();
        return connection;
    }
}
