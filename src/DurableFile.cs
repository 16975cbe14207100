using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Exchange;

/// <summary>
/// Files that survive power loss once the call has returned, and are either whole or not there at all. Use <see cref="WriteAsync"/> for bytes at hand and
/// <see cref="Create"/> for a stream. It will not lock, back up, or retry: an IOException means that nobody knows what is on the disk.
/// <list type="bullet">
/// <item>write: open(temp, O_EXCL, 0600) · write… · fsync(temp) · open(folder) · rename(temp, path) · fsync(folder)</item>
/// <item>write, not replacing: … fsync(temp) · open(folder) · link(temp, path), fails if path exists · unlink(temp) · fsync(folder)</item>
/// <item>move: open(both folders) · link(from, to), fails if to exists · fsync(folder of to) · unlink(from) · fsync(folder of from)</item>
/// <item>second name: open(folder of to) · link(from, to), fails if to exists · fsync(folder of to)</item>
/// <item>delete: open(folder) · unlink(path) · fsync(folder)</item>
/// <item>create folder: mkdir(path) · fsync(parent), from the first missing ancestor down, or from a given one</item>
/// </list>
/// The folder is opened before the rename and the file kept open from first write to fsync: Linux reports a write-back error only to descriptors that
/// were open when it happened. After a failed fsync the kernel may call the lost pages clean, so the same file is never synced again.
/// Known hole: a disk that answers flush without doing it, and folders that existed before are taken to be durable themselves.
/// </summary>
static partial class DurableFile
{
    /// <summary>Names of unfinished files begin so; whoever owns the folder sweeps them at start.</summary>
    public const string TempPrefix = ".tmp-";

    /// <summary>Writes the file at once. Crash before the rename: nothing but a temp file; after: all of it, once the folder is synced.</summary>
    /// <param name="replace">False: an existing file is left alone and an <see cref="IOException"/> for which <see cref="IsExists"/> holds is thrown.</param>
    public static void Write(string path, ReadOnlySpan<byte> bytes, bool replace = true)
    {
        using var writer = Create(path, replace);
        writer.Stream.Write(bytes);
        writer.Commit();
    }

    /// <summary>As <see cref="Write"/>, on a pool thread.</summary>
    public static async Task WriteAsync(string path, ReadOnlyMemory<byte> bytes, bool replace = true, CancellationToken cancel = default)
    {
        using var writer = Create(path, replace);
        await writer.Stream.WriteAsync(bytes, cancel);
        await writer.CommitAsync(cancel);
    }

    /// <summary>Begins a file that appears only on commit. Its folder must exist.</summary>
    public static DurableWriter Create(string path, bool replace = true) => new(Path.GetFullPath(path), replace);

    /// <summary>Removes a file; absent is fine. Crash before the folder is synced: the file may come back.</summary>
    public static void Delete(string path)
    {
        path = Path.GetFullPath(path);
        using var folder = OpenFolder(Path.GetDirectoryName(path)!);
        if (unlink(path) != 0 && Marshal.GetLastPInvokeError() is var errno && errno != ENOENT) throw Failed("unlink", errno);
        Fsync(folder);
    }

    /// <summary>
    /// Moves a file whose bytes are durable to another folder of the same file system. Crash: it is in either place, or in both under one content; never in none,
    /// which a rename between two folders leaves to the file system.
    /// </summary>
    public static void Move(string from, string to)
    {
        (from, to) = (Path.GetFullPath(from), Path.GetFullPath(to));
        using var source = OpenFolder(Path.GetDirectoryName(from)!);
        using var target = OpenFolder(Path.GetDirectoryName(to)!);
        if (link(from, to) != 0) throw Failed("link", Marshal.GetLastPInvokeError());
        Fsync(target);
        if (unlink(from) != 0) throw Failed("unlink", Marshal.GetLastPInvokeError());
        Fsync(source);
    }

    /// <summary>A second name, in the same file system, for a file whose bytes are durable. Crash before the folder is synced: the name may be there or not.</summary>
    public static void AddName(string from, string to)
    {
        (from, to) = (Path.GetFullPath(from), Path.GetFullPath(to));
        using var folder = OpenFolder(Path.GetDirectoryName(to)!);
        if (link(from, to) != 0) throw Failed("link", Marshal.GetLastPInvokeError());
        Fsync(folder);
    }

    /// <summary>Makes names in this folder durable.</summary>
    public static void FsyncFolder(string path)
    {
        using var folder = OpenFolder(path);
        Fsync(folder);
    }

    /// <summary>Creates the folder and its missing ancestors, mode 0700, each made durable in its parent. Existing is fine.</summary>
    /// <param name="below">Every folder on the way down from here is made durable, also one that is there: the run that made it may have died before its fsync. null: only this one and those that are missing.</param>
    public static void CreateFolder(string path, string? below = null)
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException();
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(path) is not { } parent) return;
        if (below is null ? !Directory.Exists(parent) : parent != below) CreateFolder(parent, below);
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // Also when it was there: the run that made it may have died before its fsync.
        FsyncFolder(parent);
    }

    /// <summary>Removes the temp files that a crash left in this folder. Only its one owner may call it, before he writes.</summary>
    /// <returns>How many there were.</returns>
    public static int Sweep(string folder)
    {
        var left = Directory.GetFiles(folder, TempPrefix + "*");
        foreach (var file in left) File.Delete(file);
        return left.Length;
    }

    /// <summary>The error of a write that did not replace because the file is there.</summary>
    public static bool IsExists(IOException e) => e.HResult == EEXIST;

    /// <summary>Disk or quota is full: nothing is broken, there is only no room.</summary>
    public static bool IsFull(IOException e) => e.HResult is ENOSPC or EDQUOT;

    internal static void Fsync(SafeHandle handle)
    {
        while (fsync(handle) != 0)
            if (Marshal.GetLastPInvokeError() is var errno && errno != EINTR) throw Failed("fsync", errno);
    }

    internal static SafeHandle OpenFolder(string path)
    {
        int fd;
        while ((fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)) < 0)
            if (Marshal.GetLastPInvokeError() is var errno && errno != EINTR) throw Failed("open folder", errno);
        return new SafeFileHandle(fd, ownsHandle: true);
    }

    internal static void Rename(string from, string to)
    {
        if (rename(from, to) != 0) throw Failed("rename", Marshal.GetLastPInvokeError());
    }

    internal static void Link(string from, string to)
    {
        if (link(from, to) != 0) throw Failed("link", Marshal.GetLastPInvokeError());
        if (unlink(from) != 0) throw Failed("unlink", Marshal.GetLastPInvokeError());
    }

    // Paths may name documents, so messages name only the call. HResult is errno, as .NET's own file errors have it.
    static IOException Failed(string call, int errno) => new($"{call} failed: {Marshal.GetPInvokeErrorMessage(errno)}", errno);

    const int ENOENT = 2, EINTR = 4, EEXIST = 17, ENOSPC = 28, EDQUOT = 122;
    const int O_RDONLY = 0, O_CLOEXEC = 0x80000;
    static readonly int O_DIRECTORY = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x4000 : 0x10000;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeHandle fd);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string from, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlink(string path);
}

/// <summary>A file being written beside its place. Commit puts it there; disposing without commit removes every trace. One thread at a time.</summary>
sealed class DurableWriter : IDisposable
{
    readonly string path, temp;
    readonly bool replace;
    readonly FileStream file;
    bool tried, placed;

    internal DurableWriter(string path, bool replace)
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException();
        this.path = path;
        this.replace = replace;
        temp = Path.Combine(Path.GetDirectoryName(path)!, DurableFile.TempPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));
        file = new FileStream(temp, new FileStreamOptions
        {
            // Not None: .NET would lock the file, and who reads it at its place before it is closed here would be turned away.
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 1 << 16,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
    }

    /// <summary>Where the content goes. May be read back and repositioned before the commit.</summary>
    public Stream Stream => file;

    /// <summary>fsync, rename, fsync folder. On return the file is there for good. After an exception it may or may not be; do not try this writer again.</summary>
    public void Commit()
    {
        if (tried) throw new InvalidOperationException("A durable file is committed once.");
        tried = true;
        file.Flush();
        DurableFile.Fsync(file.SafeFileHandle);
        using var folder = DurableFile.OpenFolder(Path.GetDirectoryName(path)!);
        if (replace) DurableFile.Rename(temp, path);
        else DurableFile.Link(temp, path);
        placed = true;
        DurableFile.Fsync(folder);
    }

    /// <summary>As <see cref="Commit"/>, on a pool thread; once begun it is not cancelled.</summary>
    public Task CommitAsync(CancellationToken cancel = default) => Task.Run(Commit, cancel);

    public void Dispose()
    {
        // Closing writes what is still buffered and may fail for the same reason as the commit did: that reason is already on its way.
        Quietly(file.Dispose);
        if (!placed) Quietly(() => File.Delete(temp));
    }

    // What cannot be removed now is swept at start.
    static void Quietly(Action action)
    {
        try { action(); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { }
    }
}
