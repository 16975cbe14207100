using Microsoft.Data.Sqlite;

namespace Exchange.Gateway.Journaling;

/// <summary>Which of the engine's errors mean what.</summary>
internal static class StoreErrors
{
    // Primary result codes, sqlite.org/rescode.html.
    const int Full = 13, Constraint = 19, Mismatch = 20, TooBig = 18, Error = 1, Range = 25, Misuse = 21;

    /// <summary>Constraint and programming errors pass as they are: they fail the change. Full: no room. Anything else is about the file: outcome unknown.</summary>
    public static T Guard<T>(Func<T> action)
    {
        try { return action(); }
        catch (SqliteException e) when (e.SqliteErrorCode == Full) { throw new StoreFull(e); }
        catch (SqliteException e) when (e.SqliteErrorCode is not (Constraint or Mismatch or TooBig or Error or Range or Misuse))
        {
            throw new IoFailure($"The store failed: {e.Message}", e);
        }
    }
}
