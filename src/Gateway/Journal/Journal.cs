using System.Threading;
using Exchange.Crypto;
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
    /// <summary>After the disk was full: how long until one submission is tried again. Default 5 s; 1 s..1 h.</summary>
    public TimeSpan FullRetry { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>Told of each batch that was written: its changes, and how long it took until it was durable. On the writer thread.</summary>
    public Action<int, TimeSpan>? Committed { get; init; }
    /// <summary>Every batch is run, rolled back, and run again: finds changes that touch more than their batch. For tests.</summary>
    public bool Rehearse { get; init; }
}

/// <summary>
/// The only door through which the gateway's state changes. One writer takes what waits, applies it in one transaction, and answers when it is durable.
/// A batch that throws is rolled back and its changes run again one by one, so that a bad one fails alone. An error of the file itself stops the process:
/// only a fresh start may say what the store holds. A full disk does not: changes are refused, and tried again now and then.
/// </summary>
internal sealed class Journal(IEngine engine, Worlds worlds, TimeProvider clock, JournalOptions options, Action<Exception> stop) : IDisposable
{
    readonly Lock gate = new();
    readonly Queue<Waiting> queue = new();
    readonly AutoResetEvent arrived = new(false);
    long bytesWaiting;
    bool closing;
    IoFailure? failed;
    DateTimeOffset? fullSince;
    Thread? writer;
    volatile TaskCompletionSource committed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the change is durable, with what it returned; or fails with what it threw.</summary>
    /// <param name="bytes">Memory that the change holds while it waits.</param>
    /// <param name="settle">Ends work already accepted: may use the share of the queue that submissions may not, and is tried even when the disk was full.</param>
    /// <param name="urgent">A submission that may use that share as well.</param>
    /// <exception cref="RefusedException">Busy: too much waits. Full: no room on the disk. Nothing was changed.</exception>
    /// <exception cref="IoFailure">Outcome unknown; the process is stopping.</exception>
    public Task<T> Commit<T>(Change<T> change, long bytes = 0, bool settle = false, bool urgent = false)
    {
        var waiting = new Waiting<T>(change, bytes);
        lock (gate)
        {
            if (failed is not null) return Task.FromException<T>(failed);
            if (closing || !Fits(bytes, settle || urgent)) return Task.FromException<T>(new RefusedException(Refusal.Busy, closing ? "closing" : "queue"));
            if (!settle && StillFull()) return Task.FromException<T>(new RefusedException(Refusal.Full));
            queue.Enqueue(waiting);
            bytesWaiting += bytes;
        }
        arrived.Set();
        return waiting.Answered;
    }

    /// <summary>
    /// Empties the write-ahead log on the writer thread, after the commits that wait: what was erased is then in none of its pages either. False: somebody reads; ask again. Nothing of the store changes, so
    /// nothing is logged.
    /// </summary>
    /// <exception cref="IoFailure">Outcome unknown; the process is stopping.</exception>
    public Task<bool> EmptyLog()
    {
        var waiting = new Emptying(engine);
        lock (gate)
        {
            if (failed is not null) return Task.FromException<bool>(failed);
            if (closing) return Task.FromResult(false);
            queue.Enqueue(waiting);
        }
        arrived.Set();
        return waiting.Answered;
    }

    /// <summary>Whether a submission of this many bytes would be let in now: ask before reading a body.</summary>
    public bool HasRoom(long bytes, bool urgent = false)
    {
        lock (gate) return failed is null && !closing && Fits(bytes, urgent);
    }

    /// <summary>The disk was full at the last attempt: submissions are refused, settling goes on.</summary>
    public bool Full
    {
        get { lock (gate) return fullSince is not null; }
    }

    /// <summary>A submission would be refused for want of room: ask before reading a body. Now and then none is, so that one finds out whether there is room again.</summary>
    public bool RefusesFull
    {
        get { lock (gate) return fullSince is { } since && clock.GetUtcNow() - since < options.FullRetry; }
    }

    /// <summary>Changes that wait to be taken.</summary>
    internal int Depth
    {
        get { lock (gate) return queue.Count; }
    }

    /// <summary>Completes at the next commit: wakes long polls. Take it before reading, then wait on it.</summary>
    public Task NextCommit => committed.Task;

    /// <summary>Told of the lanes whose jobs a commit changed, when it is durable and before anybody is answered. On the writer thread.</summary>
    public Action<IReadOnlyCollection<(string Office, int Class)>>? LanesTouched { get; set; }

    /// <summary>Starts the writer thread.</summary>
    public void Start()
    {
        writer = new Thread(Run) { Name = "journal", IsBackground = true };
        writer.Start();
    }

    void Run()
    {
        while (true)
        {
            if (Step() > 0) continue;
            lock (gate) if (failed is not null || (closing && queue.Count == 0)) return;
            arrived.WaitOne();
        }
    }

    /// <summary>One batch. The writer thread calls it for ever; tests and the simulator by hand. Returns how many changes it took.</summary>
    internal int Step()
    {
        var batch = Take();
        if (batch.Length == 0) return 0;
        try
        {
            if (!Try(batch) && batch.Length > 1)
                foreach (var one in batch) Try([one]);
        }
        catch (IoFailure e) { Fail(batch, e); }
        return batch.Length;
    }

    // True: answered, whatever the answers. False: thrown, rolled back; with a single change it has its exception.
    bool Try(Waiting[] batch)
    {
        Batch b;
        bool wrote;
        try
        {
            if (options.Rehearse) Rehearse(batch);
            var began = clock.GetTimestamp();
            using var transaction = engine.Begin();
            b = NewBatch(transaction);
            wrote = Apply(b, batch, transaction) is not null;
            // A crash before this returns: nothing of the batch happened, nobody was answered. After: all of it did, and whoever was not answered asks again.
            if (wrote) transaction.Commit();
            else transaction.Rollback();
            if (wrote) options.Committed?.Invoke(batch.Length, clock.GetElapsedTime(began));
        }
        catch (StoreFull)
        {
            lock (gate) fullSince = clock.GetUtcNow();
            foreach (var one in batch) one.Fail(new RefusedException(Refusal.Full));
            return true;
        }
        catch (Exception e) when (e is not IoFailure)
        {
            if (batch.Length == 1) batch[0].Fail(e);
            return false;
        }
        if (b.Activated) worlds.Publish(b.World);
        if (wrote) lock (gate) fullSince = null;
        if (wrote && b.Lanes.Count > 0) LanesTouched?.Invoke(b.Lanes);
        foreach (var one in batch) one.Answer();
        if (wrote) Interlocked.Exchange(ref committed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        return true;
    }

    // Both runs start from one head, so they must end at one root: a change that is not the same twice shows here.
    void Rehearse(Waiting[] batch)
    {
        using var first = engine.Begin();
        var rehearsed = Apply(NewBatch(first), batch, first);
        first.Rollback();
        using var second = engine.Begin();
        var again = Apply(NewBatch(second), batch, second);
        second.Rollback();
        if (rehearsed?.Root != again?.Root) throw new InvalidOperationException("A change did not do the same when it was run again.");
    }

    static LedgerHead? Apply(Batch b, Waiting[] batch, IEngineTransaction transaction)
    {
        var written = transaction.Written;
        foreach (var one in batch)
        {
            b.Enter();
            one.Run(b);
            b.Leave();
        }
        return b.Flush(written);
    }

    Batch NewBatch(IEngineTransaction transaction)
    {
        var world = worlds.Current;
        if (transaction.Head.World != world.Id) throw new IoFailure($"The store says world {transaction.Head.World} is in force; this process has {world.Id}.");
        return new Batch(transaction, world, clock.GetUtcNow());
    }

    Waiting[] Take()
    {
        lock (gate)
        {
            var batch = new Waiting[Math.Min(queue.Count, options.BatchSize)];
            for (var i = 0; i < batch.Length; i++)
            {
                batch[i] = queue.Dequeue();
                bytesWaiting -= batch[i].Bytes;
            }
            return batch;
        }
    }

    // One eighth is kept for changes that end what was accepted, and for flash: other submissions must not be able to starve them. An empty queue takes anything.
    bool Fits(long bytes, bool all)
    {
        var (count, size) = all ? (options.MaxWaiting, options.MaxBytes) : (options.MaxWaiting / 8 * 7, options.MaxBytes / 8 * 7);
        return queue.Count == 0 || (queue.Count < count && bytesWaiting + bytes <= size);
    }

    // Now and then one submission passes, to see whether there is room again.
    bool StillFull()
    {
        if (fullSince is not { } since) return false;
        var now = clock.GetUtcNow();
        if (now - since < options.FullRetry) return true;
        fullSince = now;
        return false;
    }

    void Fail(Waiting[] batch, IoFailure e)
    {
        Waiting[] rest;
        lock (gate)
        {
            failed ??= e;
            rest = [.. queue];
            queue.Clear();
            bytesWaiting = 0;
        }
        stop(e);
        foreach (var one in batch.Concat(rest)) one.Fail(e);
    }

    /// <summary>Takes in nothing more, finishes what waits, ends the writer thread.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (closing) return;
            closing = true;
        }
        arrived.Set();
        if (writer is null) while (Step() > 0) { }
        else writer.Join();
        arrived.Dispose();
    }

    abstract class Waiting(long bytes)
    {
        public long Bytes { get; } = bytes;
        public abstract void Run(Batch b);
        public abstract void Answer();
        public abstract void Fail(Exception e);
    }

    // No change: it does its work when the batch that it waited in is durable and answered.
    sealed class Emptying(IEngine engine) : Waiting(0)
    {
        readonly TaskCompletionSource<bool> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<bool> Answered => answer.Task;
        public override void Run(Batch b) { }
        public override void Answer() => answer.TrySetResult(engine.TryEmptyLog());
        public override void Fail(Exception e) => answer.TrySetException(e);
    }

    sealed class Waiting<T>(Change<T> change, long bytes) : Waiting(bytes)
    {
        readonly TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        T? result;

        public Task<T> Answered => answer.Task;
        public override void Run(Batch b) => result = change(b);
        public override void Answer() => answer.TrySetResult(result!);
        public override void Fail(Exception e) => answer.TrySetException(e);
    }
}
