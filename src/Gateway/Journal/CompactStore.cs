using Exchange.Gateway.Store;
using Microsoft.Data.Sqlite;

namespace Exchange.Gateway.Journaling;

/// <summary>
/// Writes a store anew beside itself and puts that in its place: pages that were freed and rows that were erased take no room any more, and nothing that a page kept of an earlier time is in it. While the
/// gateway is stopped; the caller holds the folder's lock.
/// <list type="bullet">
/// <item>rows of erasures that have ended shrink to nothing, in one commit · the log goes over into the store and is gone · VACUUM INTO (the new file) · fsync(new file) · rename · fsync(folder)</item>
/// </list>
/// Crash before the rename: the store is as it was, and the new file is removed by the next run; after it: the new one is the store.
/// </summary>
internal static class CompactStore
{
    const string New = ".compact";

    // Zeros that stand for what was erased: docs/ledger.md. What of it a check looks for stays.
    static readonly string[] Shrinking =
    [
        $"DELETE FROM entry_secret WHERE salt = {ErasureTable.Gone}",
        $"UPDATE decision SET record = x'' WHERE salt = {ErasureTable.Gone}",
        $"UPDATE dispatch SET header = x'', approvals = x'', manifest = x'', payload = CASE WHEN payload IS NULL THEN NULL ELSE x'' END WHERE id IN ({Ended})",
        $"UPDATE held SET header = x'', approvals = x'', manifest = x'', payload = CASE WHEN payload IS NULL THEN NULL ELSE x'' END WHERE id IN ({Ended})",
        $"UPDATE receipt SET der = x'' WHERE dispatch IN ({Ended}) OR held IN ({Ended})",
        $"UPDATE held_approval SET der = x'' WHERE held IN ({Ended})",
        $"UPDATE label_word SET der = x'' WHERE change IN (SELECT id FROM label_change WHERE dispatch IN ({Ended}))",
        $"UPDATE label_change SET change = x'' WHERE dispatch IN ({Ended})",
        $"UPDATE status SET der = x'' WHERE parcel IN (SELECT id FROM parcel WHERE dispatch IN ({Ended}))",
    ];
    const string Ended = "SELECT id FROM erasure WHERE ended_at IS NOT NULL";

    /// <param name="file">Of the newest schema.</param>
    /// <returns>Bytes before and after.</returns>
    /// <exception cref="CannotStartException">Somebody else has it open, or it cannot be written.</exception>
    public static (long Before, long After) Run(string file)
    {
        var target = file + New;
        foreach (var left in new[] { target, target + "-journal" }) File.Delete(left);
        var before = new FileInfo(file).Length;
        try
        {
            using var writer = SqliteSettings.OpenWriter(file);
            using (var transaction = writer.BeginTransaction())
            {
                foreach (var sql in Shrinking) Execute(writer, sql, transaction);
                transaction.Commit();
            }
            Execute(writer, "VACUUM INTO $target", null, target);
            if (!new WriteAheadLog(writer).TryEmpty()) throw new CannotStartException($"Somebody reads {file}. End what reads it, then try again.");
        }
        catch (SqliteException e) { throw new CannotStartException($"The store at {file} cannot be compacted: {e.Message}", e); }
        using (var made = File.OpenHandle(target, FileMode.Open, FileAccess.ReadWrite)) DurableFile.Fsync(made);
        // The last to close it has removed its log: a log beside another file would be played back into that.
        if (File.Exists(file + "-wal")) throw new CannotStartException($"Somebody reads {file}. End what reads it, then try again.");
        DurableFile.Rename(target, file);
        DurableFile.FsyncFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);
        return (before, new FileInfo(file).Length);
    }

    static void Execute(SqliteConnection connection, string sql, SqliteTransaction? transaction, string? target = null)
    {
        using var command = new SqliteCommand(sql, connection, transaction);
        if (target is not null) command.Parameters.AddWithValue("$target", target);
        command.ExecuteNonQuery();
    }
}
