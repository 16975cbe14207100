using Exchange.Gateway.Offices;

namespace Exchange.Gateway.Journaling;

/// <summary>Limits of the journal.</summary>
internal sealed record JournalOptions
{
    /// <summary>Changes in one batch. Default 256; 1..1024.</summary>
    public int BatchSize { get; init; } = 256;
    /// <summary>Changes that may wait. Default 512; 16..65536.</summary>
    public int MaxWaiting { get; init; } = 512;
    /// <summary>Bytes that may wait. Default 32 MiB; from 1 MiB.</summary>
    public long MaxBytes { get; init; } = 32L << 20;
    /// <summary>Every batch is run, rolled back, and run again: finds changes that touch more than their batch. For tests.</summary>
    public bool Rehearse { get; init; }
}

/// <summary>
/// The only door through which the gateway's state changes. One writer takes what waits, applies it in one transaction, and answers when it is durable.
/// </summary>
internal sealed class Journal(IEngine engine, Worlds worlds, TimeProvider clock, JournalOptions options, Action<Exception> stop) : IDisposable
{
    readonly IEngine engine = engine;
    readonly Worlds worlds = worlds;
    readonly TimeProvider clock = clock;
    readonly JournalOptions options = options;
    readonly Action<Exception> stop = stop;

    /// <summary>Completes when the change is durable, with what it returned; or fails with what it threw.</summary>
    /// <param name="bytes">Memory that the change holds while it waits.</param>
    /// <param name="settle">Ends work already accepted: may use the share of the queue that submissions may not.</param>
    /// <exception cref="Crypto.RefusedException">Busy: too much waits. Full: no room on the disk. Nothing was changed.</exception>
    public Task<T> Commit<T>(Change<T> change, long bytes = 0, bool settle = false) => throw new NotImplementedException();

    /// <summary>Whether a submission of this many bytes would be let in now: ask before reading a body.</summary>
    public bool HasRoom(long bytes) => throw new NotImplementedException();

    /// <summary>The disk was full at the last attempt: submissions are refused, settling goes on.</summary>
    public bool Full => throw new NotImplementedException();

    /// <summary>Completes at the next commit: wakes long polls. Take it before reading, then wait on it.</summary>
    public Task NextCommit => throw new NotImplementedException();

    /// <summary>Starts the writer thread.</summary>
    public void Start() => throw new NotImplementedException();

    /// <summary>One batch. The writer thread calls it for ever; tests and the simulator by hand.</summary>
    internal int Step() => throw new NotImplementedException();

    /// <summary>Takes in nothing more, finishes what waits, ends the writer thread.</summary>
    public void Dispose() => throw new NotImplementedException();
}
