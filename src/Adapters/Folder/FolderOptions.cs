namespace Exchange.Adapters.Folder;

/// <summary>Where the folders of offices are. A channel's settings are {"folder": "NAME"}: one folder below <see cref="Root"/>, made by the administrator.</summary>
public sealed record FolderOptions
{
    /// <summary>Absolute path of an existing folder. No default.</summary>
    public required string Root { get; init; }

    /// <summary>Mode of the files. Default 0640: the office reads them through its group. From 0600 to 0660; nobody else ever reads.</summary>
    public UnixFileMode Mode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal void Demand()
    {
        const UnixFileMode Least = UnixFileMode.UserRead | UnixFileMode.UserWrite, Most = Least | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        if (!Path.IsPathFullyQualified(Root)) throw new ArgumentException("Root: an absolute path");
        if ((Mode & Least) != Least || (Mode & ~Most) != 0) throw new ArgumentException("Mode: 0600 to 0660");
    }
}
