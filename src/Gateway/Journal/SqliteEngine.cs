namespace Exchange.Gateway.Journaling;

/// <summary>SQLite, one file, write-ahead log, every commit fsynced.</summary>
internal sealed class SqliteEngine : IEngine
{
    /// <summary>Opens for the process that holds the data folder's lock; migrates first. A file that does not exist is made.</summary>
    /// <exception cref="CannotStartException">SQLite older than 3.51.3, or the schema is newer than this program.</exception>
    public static SqliteEngine Open(string file) => throw new NotImplementedException();

    public IEngineTransaction Begin() => throw new NotImplementedException();
    public Reader Reader() => throw new NotImplementedException();
    public void Dispose() => throw new NotImplementedException();
}
