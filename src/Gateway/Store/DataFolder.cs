namespace Exchange.Gateway.Store;

/// <summary>Where things are in a data folder, and the lock that lets one process in.</summary>
internal sealed class DataFolder : IDisposable
{
    DataFolder(string root) => Root = root;

    public string Root { get; }
    public string Database => Path.Combine(Root, "store", "exchange.db");
    public string Blobs => Path.Combine(Root, "blobs");
    public string Uploads => Path.Combine(Root, "uploads");
    public string Incoming => Path.Combine(Root, "incoming");

    /// <summary>Makes the folders (0700) in an empty or absent folder.</summary>
    /// <exception cref="Journaling.CannotStartException">Not empty.</exception>
    public static DataFolder Create(string root) => throw new NotImplementedException();

    /// <summary>Takes the lock of an existing data folder.</summary>
    /// <exception cref="Journaling.CannotStartException">Not one, or another process runs on it.</exception>
    public static DataFolder Open(string root) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
