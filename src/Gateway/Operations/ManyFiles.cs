using System.Security.Cryptography;
using Exchange.Crypto;

namespace Exchange.Gateway.Operations;

/// <summary>
/// Copies many files, each synced as it is written, their names all together by <see cref="Settle"/>. Until that has returned nothing counts: the caller writes one last
/// file then, by which the whole is known to be whole.
/// </summary>
/// <param name="say">Told now and then how far it is.</param>
sealed class ManyFiles(string what, TimeProvider clock, Action<string> say)
{
    static readonly TimeSpan Every = TimeSpan.FromSeconds(3);
    readonly HashSet<string> folders = new(StringComparer.Ordinal);
    readonly byte[] buffer = new byte[1 << 20];
    DateTimeOffset said = clock.GetUtcNow();

    public long Files { get; private set; }
    public long Bytes { get; private set; }

    /// <summary>Copies one file to where there is none.</summary>
    public (long Length, Digest Sha256) Copy(string from, string to)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(to))!;
        if (folders.Add(folder)) DurableFile.CreateFolder(folder);
        using var target = new FileStream(to, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        var read = Walk(from, target);
        DurableFile.Fsync(target.SafeFileHandle);
        return read;
    }

    /// <summary>Reads one file.</summary>
    public (long Length, Digest Sha256) Read(string path) => Walk(path, Stream.Null);

    /// <summary>On return every name is here for good.</summary>
    public void Settle()
    {
        foreach (var folder in folders) DurableFile.FsyncFolder(folder);
    }

    (long Length, Digest Sha256) Walk(string from, Stream to)
    {
        using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long length = 0;
        for (int read; (read = source.Read(buffer)) > 0;)
        {
            to.Write(buffer, 0, read);
            sha.AppendData(buffer, 0, read);
            length += read;
            Bytes += read;
            Tell();
        }
        Files++;
        return (length, new Digest(sha.GetHashAndReset()));
    }

    void Tell()
    {
        if (clock.GetUtcNow() - said < Every) return;
        said = clock.GetUtcNow();
        say($"{what}: {Files} files, {Bytes >> 20} MiB so far");
    }
}
