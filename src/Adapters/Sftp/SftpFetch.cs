using System.Buffers;
using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace Exchange.Adapters.Sftp;

/// <summary>How a download ended.</summary>
enum Fetched
{
    /// <summary>All bytes are here, and they are those of the digest.</summary>
    Whole,
    /// <summary>Other bytes than the digest's, all of them from this round.</summary>
    Other,
    /// <summary>Neither: part of it is of an earlier round and was wrong, or the file has another length than it had a moment ago. The next round begins anew.</summary>
    Torn,
}

/// <summary>One file from the server into a file here, gone on with where an earlier round left it. Nothing here is synced: the digest tells what is whole.</summary>
[SupportedOSPlatform("linux")]
sealed class SftpFetch(SftpLine line, string path, long length, byte[] digest)
{
    const int Piece = 128 << 10;

    /// <exception cref="IOException">Here: no room, or a disk that fails.</exception>
    public async Task<Fetched> RunAsync(string to, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            // 1. What is here already goes into the digest.
            await using var file = new FileStream(to, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
            if (file.Length > length) file.SetLength(0);
            for (int read; (read = await file.ReadAsync(buffer.AsMemory(0, Piece), cancel).ConfigureAwait(false)) > 0;) hash.AppendData(buffer, 0, read);
            var (resumed, done) = (file.Length > 0, file.Length);
            // 2. The rest.
            if (done < length)
            {
                var there = await line.OpenAsync(path, FileMode.Open, FileAccess.Read, cancel).ConfigureAwait(false);
                there.Position = done;
                for (int read; done < length && (read = await there.ReadAsync(buffer.AsMemory(0, (int)Math.Min(Piece, length - done)), cancel).ConfigureAwait(false)) > 0; done += read)
                {
                    hash.AppendData(buffer, 0, read);
                    await file.WriteAsync(buffer.AsMemory(0, read), cancel).ConfigureAwait(false);
                }
                await there.DisposeAsync().ConfigureAwait(false);
            }
            await file.FlushAsync(cancel).ConfigureAwait(false);
            if (done == length && hash.GetHashAndReset().AsSpan().SequenceEqual(digest)) return Fetched.Whole;
            file.SetLength(0);
            return resumed || done != length ? Fetched.Torn : Fetched.Other;
        }
        finally { ArrayPool<byte>.Shared.Return(buffer); }
    }
}
