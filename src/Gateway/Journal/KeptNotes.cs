using Exchange.Gateway.Store;

namespace Exchange.Gateway.Journaling;

/// <summary>The notes that the guard keeps, read beside it: the guard's own connection belongs to who signs.</summary>
/// <param name="file">Of the guard.</param>
internal sealed class KeptNotes(string file, string origin)
{
    /// <summary>null: no head of this size was published.</summary>
    public PublishedCheckpoint? Of(long size)
    {
        using var connection = SqliteSettings.OpenReader(file);
        return CheckpointTable.Find(connection, origin, size);
    }

    /// <summary>Time-stamp token of the head of this size; null: it has none.</summary>
    public byte[]? StampOf(long size)
    {
        using var connection = SqliteSettings.OpenReader(file);
        return TimeStampTable.Find(connection, origin, size);
    }

    /// <summary>Sizes above one up to another whose heads have a token.</summary>
    public IReadOnlyList<long> Stamped(long after, long last)
    {
        using var connection = SqliteSettings.OpenReader(file);
        return TimeStampTable.Sizes(connection, origin, after, last);
    }

    /// <summary>Those of sizes above this one, smallest first.</summary>
    public IReadOnlyList<PublishedCheckpoint> After(long size, int limit)
    {
        using var connection = SqliteSettings.OpenReader(file);
        return CheckpointTable.After(connection, origin, size, limit);
    }
}
