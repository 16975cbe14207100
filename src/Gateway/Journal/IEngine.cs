using System.Data.Common;
using Exchange.Crypto;

namespace Exchange.Gateway.Journaling;

/// <summary>
/// The storage engine: where the journal's transactions live. One writer at a time; <see cref="Begin"/> is called on the writer thread only.
/// Reads go through connections that the engine itself opened read-only.
/// </summary>
internal interface IEngine : IDisposable
{
    /// <summary>Begins the one write transaction and reads the head again: nobody else can move it until commit or rollback.</summary>
    /// <exception cref="IoFailure">The store cannot be written; only a fresh start may say what it holds.</exception>
    /// <exception cref="StoreFull">No room. Nothing happened.</exception>
    IEngineTransaction Begin();

    /// <summary>A read-only view of committed rows, answers of commits that have completed included. Dispose it soon: a long read keeps the write-ahead log from shrinking.</summary>
    Reader Reader();

    /// <summary>Leaves nothing in the write-ahead log: what it holds goes over into the store, and its file is cut to nothing. On the writer thread, between transactions. False: somebody reads, or there is no room; ask again.</summary>
    /// <exception cref="IoFailure">Nobody knows what of it is on the disk.</exception>
    bool TryEmptyLog();

    /// <summary>Number of the newest migration in the store.</summary>
    long Schema { get; }
}

/// <summary>One write transaction. Whatever is neither committed nor rolled back when disposed is rolled back.</summary>
internal interface IEngineTransaction : IDisposable
{
    DbConnection Connection { get; }

    /// <summary>As the store had it when the transaction began.</summary>
    LedgerHead Head { get; }

    /// <summary>Rows written on this connection ever: two readings tell whether a change wrote.</summary>
    long Written { get; }

    /// <summary>One statement. Returns the number of rows it touched.</summary>
    int Execute(string sql, object? args);

    /// <summary>Many rows at once. A row that conflicts fails the batch.</summary>
    void Insert<T>(RowShape<T> shape, IReadOnlyList<T> rows);

    /// <summary>Durable on return. A crash before: nothing happened; after: all of it did. Not retried.</summary>
    /// <exception cref="IoFailure">Outcome unknown.</exception>
    /// <exception cref="StoreFull">Nothing happened: no room.</exception>
    void Commit();

    void Rollback();
}

/// <summary>How a row is written: its table, its columns, and the values of one row in the order of the columns.</summary>
internal sealed record RowShape<T>(string Table, string[] Columns, Func<T, object?[]> Values);

/// <summary>The head row. Root of the tree over Size entries; Frontier: its right edge (TreeFrontier); Time: newest b.Now, Unix milliseconds; World: id of the world in force.</summary>
internal sealed record LedgerHead
{
    public required long Size { get; init; }
    public required Digest Root { get; init; }
    public required byte[] Frontier { get; init; }
    public required long Time { get; init; }
    public required long World { get; init; }
}

/// <summary>Write, fsync or commit failed, or the store is not ours any more: what it holds now only a fresh start can say. Stops the process.</summary>
internal sealed class IoFailure(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>No room on the disk. Nothing was changed; not a reason to stop.</summary>
internal sealed class StoreFull(Exception? inner = null) : Exception("The disk has no room for the store.", inner);

/// <summary>The gateway must not run on this folder. The message says what is wrong and what to do.</summary>
internal sealed class CannotStartException(string message, Exception? inner = null) : Exception(message, inner);
