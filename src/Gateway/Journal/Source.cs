using System.Data.Common;
using Dapper;

namespace Exchange.Gateway.Journaling;

/// <summary>What tables read from: a <see cref="Reader"/> (committed rows) or a <see cref="Batch"/> (those, and what the batch wrote so far).</summary>
internal abstract class Source(DbConnection connection)
{
    protected DbConnection Connection { get; } = connection;

    /// <summary>All rows.</summary>
    public IReadOnlyList<T> Query<T>(string sql, object? args = null) => Read(() => Connection.Query<T>(sql, args).AsList());

    /// <summary>The only row, or the default. Two rows are a mistake of ours.</summary>
    public T? One<T>(string sql, object? args = null) => Read(() => Connection.QuerySingleOrDefault<T>(sql, args));

    /// <summary>As <see cref="One"/>, of a table whose rows a batch writes at once: rows that still wait in the batch stay there.</summary>
    public T? OneWritten<T>(string sql, object? args) => Guarded(() => Connection.QuerySingleOrDefault<T>(sql, args));

    /// <summary>One at a time, for walks over everything.</summary>
    public IEnumerable<T> Walk<T>(string sql, object? args = null) => Connection.Query<T>(sql, args, buffered: false);

    protected virtual T Read<T>(Func<T> read) => read();

    /// <summary>In a batch, an error of the file itself must stop the journal.</summary>
    protected virtual T Guarded<T>(Func<T> read) => read();
}

/// <summary>A pooled connection on which the engine refuses every write.</summary>
internal sealed class Reader(DbConnection connection, Action<DbConnection> giveBack) : Source(connection), IDisposable
{
    bool given, snapshot;

    /// <summary>From here on every read sees the store as it was at the first of them. Only for walks over everything: it keeps the log from shrinking.</summary>
    public Reader Snapshot()
    {
        Connection.Execute("BEGIN DEFERRED");
        snapshot = true;
        return this;
    }

    public void Dispose()
    {
        if (given) return;
        given = true;
        if (snapshot) Connection.Execute("END TRANSACTION");
        giveBack(Connection);
    }
}
