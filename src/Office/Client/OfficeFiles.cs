namespace Exchange.Office.Client;

/// <summary>
/// The office's own folder on disk: files 0600, folders 0700, every write durable before the call returns. <paramref name="step"/> is called with the
/// step's name before it is taken; a test that throws there has killed the program at that place.
/// </summary>
public sealed class OfficeFiles(string root, Action<string>? step = null)
{
    const UnixFileMode FileMode0600 = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Root { get; } = Path.GetFullPath(root);

    public string At(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    /// <summary>Names a place at which the program may die; nothing happens there otherwise.</summary>
    public void Step(string name) => step?.Invoke(name);

    /// <summary>The folder, its parents too, durable in their parents.</summary>
    public string Folder(params ReadOnlySpan<string> parts)
    {
        var path = At(parts);
        if (!Directory.Exists(path)) DurableFile.CreateFolder(path);
        return path;
    }

    /// <summary>A crash leaves the old content or the new one, never a mixture.</summary>
    public void Write(string path, ReadOnlySpan<byte> bytes)
    {
        Step($"write {Path.GetFileName(path)}");
        DurableFile.Write(path, bytes);
    }

    /// <summary>A new or emptied file, 0600, for a stream that the caller flushes to disk.</summary>
    /// <param name="keep">What is there already stays, and the stream stands at its start.</param>
    public static FileStream Create(string path, bool keep = false) => new(path, new FileStreamOptions
    {
        Mode = keep ? FileMode.OpenOrCreate : FileMode.Create, Access = FileAccess.ReadWrite, Share = FileShare.Read, UnixCreateMode = FileMode0600, BufferSize = 1 << 16,
    });

    /// <summary>Gives a finished file, whose bytes its writer has flushed to disk, its name; durable on return.</summary>
    public void MoveFile(string from, string to)
    {
        Step($"name {Path.GetFileName(to)}");
        File.Move(from, to, overwrite: true);
        DurableFile.FsyncFolder(Path.GetDirectoryName(to)!);
    }

    /// <summary>Moves a finished folder to its name; the move is durable on return.</summary>
    public void MoveFolder(string from, string to)
    {
        DurableFile.FsyncFolder(from);
        Step($"name {Path.GetFileName(Path.GetDirectoryName(to))}");
        Directory.Move(from, to);
        DurableFile.FsyncFolder(Path.GetDirectoryName(to)!);
    }

    /// <summary>A lock that ends with this process; null when another one holds it.</summary>
    public static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = FileMode0600 });
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException)) { return null; }
    }
}
