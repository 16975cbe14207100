using Exchange.Gateway.Store;

namespace Exchange.Gateway.Journaling;

/// <summary>The notes that the guard keeps, read beside it: the guard's own connection belongs to who signs.</summary>
/// <param name="file">Of the guard.</param>
/// <param name="former">Names of ledgers that this one follows: their heads may be asked for as well.</param>
internal sealed class KeptNotes(string file, string origin, IReadOnlyCollection<string> former)
{
    /// <param name="of">Name of the ledger; null: this one.</param>
    /// <returns>null: no head of this size was published, or there is no such ledger here.</returns>
    public PublishedCheckpoint? Of(long size, string? of = null)
    {
        if (!IsHere(of)) return null;
        using var connection = SqliteSettings.OpenReader(file);
        return CheckpointTable.Find(connection, of ?? origin, size);
    }

    /// <summary>Whether a head of this size was published that this ledger continues: its own, or one of a ledger that it follows.</summary>
    public bool IsBeginning(long size)
    {
        using var connection = SqliteSettings.OpenReader(file);
        return CheckpointTable.IsBeginning(connection, origin, size);
    }

    /// <summary>Time-stamp token of the head of this size; null: it has none, or there is no such ledger here.</summary>
    public byte[]? StampOf(long size, string? of = null)
    {
        if (!IsHere(of)) return null;
        using var connection = SqliteSettings.OpenReader(file);
        return TimeStampTable.Find(connection, of ?? origin, size);
    }

    /// <summary>Sizes above one up to another whose heads have a token.</summary>
    public IReadOnlyList<long> Stamped(long after, long last, string? of = null)
    {
        if (!IsHere(of)) return [];
        using var connection = SqliteSettings.OpenReader(file);
        return TimeStampTable.Sizes(connection, of ?? origin, after, last);
    }

    /// <summary>Those of sizes above this one, smallest first.</summary>
    /// <param name="of">Name of the ledger; null: this one.</param>
    /// <returns>null: there is no such ledger here.</returns>
    public IReadOnlyList<PublishedCheckpoint>? After(long size, int limit, string? of = null)
    {
        if (!IsHere(of)) return null;
        using var connection = SqliteSettings.OpenReader(file);
        return CheckpointTable.After(connection, of ?? origin, size, limit);
    }

    bool IsHere(string? of) => of is null || of == origin || former.Contains(of);
}
