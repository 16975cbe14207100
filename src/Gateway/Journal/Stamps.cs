using Exchange.Crypto;
using Exchange.Crypto.TimeStamps;

namespace Exchange.Gateway.Journaling;

/// <summary>Whose turn it was last.</summary>
/// <remarks>Day: number of the day whose end was marked last; null: none was.</remarks>
internal sealed record StampTurn
{
    public required long Size { get; init; }
    public required long Due { get; init; }
    public required long? Day { get; init; }
}

/// <summary>A published head without its token.</summary>
internal sealed record WaitingHead
{
    public required long Size { get; init; }
    public required Digest Root { get; init; }
    public required long Since { get; init; }
}

/// <summary>A head that has its token. Floor: before this no later token may surely have been made.</summary>
internal sealed record StampedHead
{
    public required long Size { get; init; }
    public required long Time { get; init; }
    public required long Floor { get; init; }
}

/// <summary>Which heads are to be time-stamped, and their tokens, durable in the guard beside the notes.</summary>
internal sealed class Stamps(Checkpoints checkpoints)
{
    /// <summary>null: none was ever due.</summary>
    public StampTurn? Last => checkpoints.Guarded(g => g.LastTurn);

    /// <summary>The newest head that has a token; null: none has.</summary>
    public StampedHead? Newest => checkpoints.Guarded(g => g.NewestStamp);

    /// <summary>Heads that wait, smallest first.</summary>
    public IReadOnlyList<WaitingHead> Waiting(int limit) => checkpoints.Guarded(g => g.WaitingForTime(limit));

    /// <summary>Durable on return. A head that waited and is no day's end is taken out: who proves when the larger tree was there proves it for the smaller.</summary>
    public void Queue(long size, DateTimeOffset due, long? day) => checkpoints.Guarded(g => g.QueueForTime(size, due, day));

    /// <summary>Durable on return. A crash before it: the token is lost, and another is asked for.</summary>
    /// <param name="token">Verified over the published head of this size.</param>
    public void Keep(long size, ReadOnlyMemory<byte> token, StampTime time) => checkpoints.Guarded(g => g.KeepStamp(size, token, time));
}
