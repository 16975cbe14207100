using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Exchange.Gateway.Journaling;

/// <summary>
/// Carries the write-ahead log of a store over into its file when it has grown (what SQLite calls a checkpoint), on the connection that writes. SQLite would do so by itself and keep quiet about what
/// fails: of a sync that failed the kernel may have dropped what an earlier carrying, which readers had kept from coming to the end, had written; the next one would go on behind that, and then the
/// log begins anew. Here a failure stops the process, and a fresh start carries all of the log over again.
/// </summary>
internal sealed partial class WriteAheadLog
{
    readonly SqliteConnection connection;
    // SQLite calls it for as long as the connection lives.
    readonly Committed committed;
    int frames;
    // The writer waits as long.
    const int PatienceMilliseconds = 200;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    delegate int Committed(nint state, nint database, nint name, int frames);

    /// <param name="connection">The only one that writes.</param>
    public WriteAheadLog(SqliteConnection connection)
    {
        this.connection = connection;
        committed = (_, _, _, inLog) =>
        {
            frames = inLog;
            return raw.SQLITE_OK;
        };
        sqlite3_wal_hook(connection.Handle!.DangerousGetHandle(), Marshal.GetFunctionPointerForDelegate(committed), 0);
    }

    /// <summary>Pages in the log from which on it is carried over.</summary>
    internal int CarryAt { get; set; } = 8000;

    /// <summary>After a commit. What readers still need stays in the log until another time, and so does everything while there is no room.</summary>
    /// <exception cref="IoFailure">Nobody knows what of it is on the disk.</exception>
    public void CarryOver()
    {
        if (frames < CarryAt) return;
        var result = raw.sqlite3_wal_checkpoint_v2(connection.Handle, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out _, out _);
        if ((result & 0xff) is not (raw.SQLITE_OK or raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_FULL)) throw new IoFailure($"The log of the store could not be carried over: SQLite error {result}.");
    }

    /// <summary>
    /// Carries all of it over and cuts the file to nothing: pages of before an erasure lie in it until then. Waits a moment for who reads; who comes meanwhile reads the store and holds nothing up.
    /// Power loss right after: an old log may come back, and with it what it held; it is emptied again at start.
    /// </summary>
    /// <returns>False: somebody still reads from it, or there is no room. Try again.</returns>
    /// <exception cref="IoFailure">Nobody knows what of it is on the disk.</exception>
    public bool TryEmpty()
    {
        raw.sqlite3_busy_timeout(connection.Handle, PatienceMilliseconds);
        var result = raw.sqlite3_wal_checkpoint_v2(connection.Handle, "main", raw.SQLITE_CHECKPOINT_TRUNCATE, out _, out _);
        // Whoever else is busy is waited for by the driver.
        raw.sqlite3_busy_timeout(connection.Handle, 0);
        switch (result & 0xff)
        {
            case raw.SQLITE_OK:
                frames = 0;
                return true;
            case raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_FULL: return false;
            default: throw new IoFailure($"The log of the store could not be emptied: SQLite error {result}.");
        }
    }

    [LibraryImport("e_sqlite3")]
    private static partial nint sqlite3_wal_hook(nint database, nint callback, nint state);
}
