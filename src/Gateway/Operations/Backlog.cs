using System.Buffers.Binary;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Operations;

/// <param name="Age">Since the oldest of them was accepted.</param>
sealed record ClassBacklog(int Class, long Waiting, TimeSpan Age);

/// <param name="Entries">Of the ledger.</param>
/// <param name="Signed">Of them, in the newest checkpoint.</param>
/// <param name="Lag">Age of the oldest entry that no checkpoint holds; zero: none.</param>
/// <param name="SignedAge">null: this run has signed none yet.</param>
sealed record BacklogNow(long Entries, long Signed, TimeSpan Lag, TimeSpan? SignedAge, IReadOnlyList<ClassBacklog> Classes, long UnderWay, long Uploads, long Held);

/// <summary>What waits, as the store has it. Read at most once a second, however often somebody asks; each number comes from an index and stops at a bound.</summary>
sealed class Backlog(IEngine engine, Checkpoints checkpoints, TimeProvider clock)
{
    const int Bound = 100_000;
    static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    readonly Lock gate = new();
    DateTimeOffset looked = DateTimeOffset.MinValue;
    BacklogNow? now;

    public BacklogNow Now
    {
        get
        {
            lock (gate)
            {
                var time = clock.GetUtcNow();
                if (now is not null && (time - looked).Duration() < Every) return now;
                looked = time;
                return now = Read(time);
            }
        }
    }

    BacklogNow Read(DateTimeOffset time)
    {
        using var reader = engine.Reader();
        var (signed, signedAt) = (checkpoints.Newest?.Size ?? 0, checkpoints.SignedAt);
        var oldest = EntryTable.TimeOf(reader, signed);
        return new(HeadTable.Read(reader).Size, signed, oldest is { } since ? Since(since) : TimeSpan.Zero, signedAt is { } at ? time - at : null,
            [.. JobTable.Waiting(reader, Bound).Select(w => new ClassBacklog(w.Class, w.Waiting, Since(MadeAt(w.Oldest))))], JobTable.UnderWay(reader), UploadTable.Awaited(reader, Bound), HeldTable.Count(reader, Bound));

        TimeSpan Since(long milliseconds) => time - DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
    }

    // A UUIDv7 begins with its time: no other column is read.
    static long MadeAt(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadInt64BigEndian(bytes) >> 16;
    }
}
