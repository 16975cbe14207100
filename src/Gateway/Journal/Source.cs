using System.Data.Common;
using Dapper;

namespace Exchange.Gateway.Journaling;

/// <summary>What tables read from: a <see cref="Reader"/> (committed rows) or a <see cref="Batch"/> (those and what the batch wrote so far).</summary>
internal abstract class Source(DbConnection connection, DbTransaction? transaction)
{
    protected DbConnection Connection { get; } = connection;
    protected DbTransaction? Transaction { get; } = transaction;

    /// <summary>All rows, read to the end.</summary>
    public IReadOnlyList<T> Query<T>(string sql, object? args = null) => Connection.Query<T>(sql, args, Transaction).AsList();

    /// <summary>The only row, or the default. Two rows are a mistake of ours.</summary>
    public T? One<T>(string sql, object? args = null) => Connection.QuerySingleOrDefault<T>(sql, args, Transaction);

    /// <summary>One at a time, for walks over everything.</summary>
    public IEnumerable<T> Walk<T>(string sql, object? args = null) => Connection.Query<T>(sql, args, Transaction, buffered: false);
}

/// <summary>A pooled connection on which the engine refuses every write.</summary>
internal sealed class Reader(DbConnection connection, Action<DbConnection> giveBack) : Source(connection, null), IDisposable
{
    bool given;

    public void Dispose()
    {
        if (given) return;
        given = true;
        giveBack(Connection);
    }
}
