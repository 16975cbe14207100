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
    IEngineTransaction Begin();

    /// <summary>A read-only view of committed rows. Dispose it at once: a long read keeps the write-ahead log from shrinking.</summary>
    Reader Reader();
}

/// <summary>One write transaction. Neither committed nor rolled back when disposed: rolled back.</summary>
internal interface IEngineTransaction : IDisposable
{
    DbConnection Connection { get; }
    DbTransaction Transaction { get; }
    /// <summary>As the store had it when the transaction began.</summary>
    LedgerHead Head { get; }
    /// <summary>Number of rows written so far on this connection: tells whether a change wrote anything.</summary>
    long Written { get; }
    /// <summary>Durable on return. Before: nothing happened; after: all of it did.</summary>
    /// <exception cref="IoFailure">Outcome unknown.</exception>
    /// <exception cref="StoreFull">Nothing happened: no room.</exception>
    void Commit();
    void Rollback();
}

/// <summary>The head row. Root of the tree over Size entries; Frontier: hashes of its complete subtrees, largest first; Time: newest b.Now; World: id of the world in force.</summary>
internal sealed record LedgerHead(long Size, Digest Root, byte[] Frontier, long Time, long World);

/// <summary>Write, fsync or commit failed, or the store is not ours any more: what it holds now only a fresh start can say. Stops the process.</summary>
internal sealed class IoFailure(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>No room on the disk. Nothing was changed; not a reason to stop.</summary>
internal sealed class StoreFull(Exception inner) : Exception("The disk has no room for the store.", inner);

/// <summary>The gateway must not run on this folder. The message says what is wrong and what to do.</summary>
internal sealed class CannotStartException(string message, Exception? inner = null) : Exception(message, inner);
