using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Exchange;

/// <summary>One process in a folder: the lock goes with the process, however that ends.</summary>
static partial class FolderLock
{
    /// <summary>Takes it; disposing gives it back.</summary>
    /// <exception cref="IOException">Another process has it, or this file system cannot lock.</exception>
    public static SafeFileHandle Take(string folder)
    {
        // .NET locks by itself where it can, and goes on where it cannot; the second call tells.
        var handle = File.OpenHandle(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        if (flock(handle, LOCK_EX | LOCK_NB) == 0) return handle;
        var why = Marshal.GetLastPInvokeErrorMessage();
        handle.Dispose();
        throw new IOException(why);
    }

    const int LOCK_EX = 2, LOCK_NB = 4;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle fd, int operation);
}
