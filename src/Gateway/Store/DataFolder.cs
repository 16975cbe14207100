using Exchange.Gateway.Journaling;
using Microsoft.Win32.SafeHandles;

namespace Exchange.Gateway.Store;

/// <summary>Where things are in a data folder, and the lock that lets one process in. The lock goes with the process, however that ends.</summary>
internal sealed class DataFolder : IDisposable
{
    readonly SafeFileHandle handle;

    DataFolder(string root, SafeFileHandle handle)
    {
        Root = root;
        this.handle = handle;
    }

    public string Root { get; }
    public string Database => DatabaseIn(Root);
    public static string DatabaseIn(string root) => Path.Combine(root, "store", "exchange.db");
    public string Blobs => Path.Combine(Root, "blobs");
    /// <summary>Copies sealed once more for a channel that others run; made again when one is missing.</summary>
    public string Sealed => Path.Combine(Root, "sealed");
    public string Uploads => Path.Combine(Root, "uploads");
    /// <summary>Revocation lists and OCSP responses as they were fetched.</summary>
    public string Revocation => Path.Combine(Root, "revocation");
    /// <summary>What auditors search in; made again when it is missing.</summary>
    public string AuditIndex => Path.Combine(Root, "audit", "index.db");
    public string Incoming => Path.Combine(Root, "incoming");

    /// <summary>Makes the folders, mode 0700, in an empty or absent folder, and takes the lock.</summary>
    /// <exception cref="CannotStartException">Not empty.</exception>
    public static DataFolder Create(string root)
    {
        root = Path.GetFullPath(root);
        if (Directory.Exists(root) && Directory.EnumerateFileSystemEntries(root).Any())
            throw new CannotStartException($"{root} is not empty. Name a new folder, or remove what is there if nobody needs it.");
        DurableFile.CreateFolder(root);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var folder = new DataFolder(root, Lock(root));
        foreach (var path in new[] { Path.GetDirectoryName(folder.Database)!, folder.Blobs, folder.Uploads, folder.Incoming }) DurableFile.CreateFolder(path);
        return folder;
    }

    /// <summary>Takes the lock of an existing data folder.</summary>
    /// <exception cref="CannotStartException">Not one, or another process runs on it.</exception>
    public static DataFolder Open(string root)
    {
        root = Path.GetFullPath(root);
        if (!Directory.Exists(Path.Combine(root, "store"))) throw new CannotStartException($"{root} is not a data folder. Make one with: exchange-gateway init --data {root}");
        return new DataFolder(root, Lock(root));
    }

    static SafeFileHandle Lock(string root)
    {
        try { return FolderLock.Take(root); }
        catch (IOException e)
        {
            throw new CannotStartException($"Another gateway runs on {root} ({e.Message}). One folder has one gateway: stop the other first.", e);
        }
    }

    public void Dispose() => handle.Dispose();
}
