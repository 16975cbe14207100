using System.Collections.Concurrent;
using System.Data.Common;
using Exchange.Gateway.Store;
using Microsoft.Data.Sqlite;

namespace Exchange.Gateway.Journaling;

/// <summary>
/// SQLite: one file, write-ahead log, every commit fsynced. One connection writes; all others are opened read-only, so that no statement outside the journal
/// can write, whatever it says. The caller holds the data folder's lock.
/// </summary>
internal sealed class SqliteEngine : IEngine
{
    /// <summary>Older ones can lose committed data when the write-ahead log is reset (fixed in 3.51.3).</summary>
    public static readonly Version Oldest = new(3, 51, 3);
    const int MaxIdleReaders = 16;

    readonly string file;
    readonly SqliteConnection? writer;
    readonly SqliteStatements? statements;
    readonly WriteAheadLog? log;
    readonly ConcurrentBag<DbConnection> idle = [];
    volatile bool closed;

    static SqliteEngine() => ColumnTypes.Register();

    SqliteEngine(string file, SqliteConnection? writer, long schema)
    {
        this.file = file;
        this.writer = writer;
        statements = writer is null ? null : new SqliteStatements(writer);
        log = writer is null ? null : new WriteAheadLog(writer);
        Schema = schema;
    }

    public long Schema { get; }

    /// <summary>Opens for writing, migrating first. A file that is not there is made only when <paramref name="create"/>.</summary>
    /// <exception cref="CannotStartException">No such file, SQLite older than <see cref="Oldest"/>, or a schema newer than this program.</exception>
    public static SqliteEngine Open(string file, bool create = false)
    {
        if (!create && !File.Exists(file)) throw new CannotStartException($"There is no store at {file}. Restore it from a backup, or make a new data folder with: exchange-gateway init.");
        SqliteConnection? writer = null;
        try
        {
            writer = SqliteSettings.OpenWriter(file);
            var schema = Migrations.Run(writer, file);
            return new SqliteEngine(file, writer, schema);
        }
        catch (Exception e)
        {
            writer?.Dispose();
            throw e is SqliteException s ? new CannotStartException($"The store at {file} cannot be opened: {s.Message}", s) : e;
        }
    }

    /// <summary>Opens for reading only, beside a running gateway or without one.</summary>
    /// <exception cref="CannotStartException">As the other.</exception>
    public static SqliteEngine OpenReadOnly(string file)
    {
        if (!File.Exists(file)) throw new CannotStartException($"There is no store at {file}.");
        using var reader = SqliteSettings.OpenReader(file);
        return new SqliteEngine(file, null, Migrations.Applied(reader));
    }

    public IEngineTransaction Begin() => new SqliteWrite(writer ?? throw new InvalidOperationException("Opened for reading only."), statements!, log!);

    public bool TryEmptyLog() => Log.TryEmpty();

    /// <summary>Of a store that is open for writing.</summary>
    internal WriteAheadLog Log => log ?? throw new InvalidOperationException("Opened for reading only.");

    public Reader Reader()
    {
        ObjectDisposedException.ThrowIf(closed, this);
        return new Reader(idle.TryTake(out var connection) ? connection : SqliteSettings.OpenReader(file), GiveBack);
    }

    void GiveBack(DbConnection connection)
    {
        if (closed || idle.Count >= MaxIdleReaders) connection.Dispose();
        else idle.Add(connection);
    }

    public void Dispose()
    {
        closed = true;
        while (idle.TryTake(out var reader)) reader.Dispose();
        statements?.Dispose();
        writer?.Dispose();
    }
}
