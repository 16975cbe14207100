using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Exchange.Crypto.Envelope;

/// <summary>One segment on its way: room for 2^20 bytes and the tag.</summary>
sealed class Segment
{
    public readonly byte[] Buffer = new byte[Payload.SegmentLength + Payload.TagLength];
    public long Index;
    public bool Last;
    /// <summary>Plaintext bytes, without the tag.</summary>
    public int Length;
    public Digest Leaf;
    /// <summary>Opening only: the tag did not verify, and the plaintext is gone.</summary>
    public bool Bad;
    /// <summary>The most bytes that were ever in the buffer since it was cleared.</summary>
    public int Used;

    public Span<byte> Body => Buffer.AsSpan(0, Length);
    public Span<byte> Tag => Buffer.AsSpan(Length, Payload.TagLength);
    public Memory<byte> Wire => Buffer.AsMemory(0, Length + Payload.TagLength);
}

/// <summary>
/// Fill in order → turn in order → work on all cores → drain in order, with a fixed number of segments in memory whatever the length.
/// Fill and drain run on one flow, one at a time; turns run one at a time beside it; only work runs in parallel. On any failure everything in flight ends before the buffers are let go.
/// </summary>
static class SegmentPipeline
{
    static readonly ConcurrentBag<Segment> Spare = [];
    static readonly int Depth = Math.Clamp(2 * Environment.ProcessorCount + 4, 4, 16);

    /// <param name="length">Plaintext length: fixes count, sizes and which one is last.</param>
    /// <param name="turn">What must see the segments in order, before work changes them; null: nothing must.</param>
    public static Task RunAsync(long length, Func<Segment, ValueTask> fill, Action<Segment>? turn, Action<Segment> work, Func<Segment, ValueTask> drain, CancellationToken cancel) =>
        RunAsync(length, 0, async segment => { await fill(segment); return true; }, turn, work, drain, cancel);

    /// <param name="first">Index to begin at.</param>
    /// <param name="fill">False: no more comes; what came before is worked on and drained.</param>
    public static async Task RunAsync(long length, long first, Func<Segment, ValueTask<bool>> fill, Action<Segment>? turn, Action<Segment> work, Func<Segment, ValueTask> drain, CancellationToken cancel)
    {
        var count = Payload.Segments(length);
        var flying = new Queue<(Segment Segment, Task Work)>(Depth);
        var own = new Stack<Segment>(Depth);
        var turned = Task.CompletedTask;
        try
        {
            for (var index = first; index < count; index++)
            {
                cancel.ThrowIfCancellationRequested();
                if (flying.Count == Depth) await DrainOne();
                if (!own.TryPop(out var segment) && !Spare.TryTake(out segment)) segment = new Segment();
                segment.Index = index;
                segment.Last = index == count - 1;
                segment.Length = segment.Last ? (int)(length - index * Payload.SegmentLength) : Payload.SegmentLength;
                segment.Bad = false;
                segment.Used = Math.Max(segment.Used, segment.Wire.Length);
                own.Push(segment);
                if (!await fill(segment)) break;
                own.Pop();
                flying.Enqueue((segment, turn is null ? Begin(() => { work(segment); return Task.CompletedTask; }) : TurnAndWork(segment)));
            }
            while (flying.Count > 0) await DrainOne();
        }
        finally
        {
            // A buffer still being worked on must not reach another payload.
            foreach (var (segment, running) in flying)
            {
                await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                own.Push(segment);
            }
            foreach (var segment in own)
            {
                CryptographicOperations.ZeroMemory(segment.Buffer.AsSpan(0, segment.Used));
                segment.Used = 0;
                if (Spare.Count < Depth) Spare.Add(segment);
            }
        }

        // One thread does both, while the bytes are near it; the next turn begins on another one as soon as this is over.
        Task TurnAndWork(Segment segment)
        {
            var (before, over) = (turned, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            turned = over.Task;
            return Begin(async () =>
            {
                try
                {
                    await before;
                    turn(segment);
                }
                catch (Exception e)
                {
                    over.SetException(e);
                    throw;
                }
                over.SetResult();
                work(segment);
            });
        }

        // Oldest first: a thread of the pool would begin with what it queued last, and the segment that is drained next would wait for those behind it.
        static async Task Begin(Func<Task> run) => await await Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.PreferFairness, TaskScheduler.Default);

        async ValueTask DrainOne()
        {
            var (segment, running) = flying.Peek();
            await running;
            await drain(segment);
            flying.Dequeue();
            own.Push(segment);
        }
    }
}
