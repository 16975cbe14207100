using System.Buffers;
using System.Security.Cryptography;
using Renci.SshNet.Common;
using Renci.SshNet.Sftp;

namespace Exchange.Adapters.Sftp;

/// <summary>
/// One file's way to the server, gone on with where an earlier try ended. Eight writes are under way at once, each through a handle of its own, since SSH.NET lets a file wait for each
/// write's answer; a sync follows every <see cref="SyncEvery"/> bytes. So what lies further from the end of a file that was left behind than a sync and all that was under way apart,
/// was synced, and only the rest is sent again, over whatever stands there. Memory is <see cref="Handles"/> pieces, whatever the length.
/// A file is never cut short or emptied: a request of an earlier try that the server carries out late writes the same bytes at the same place, or meets a file that has lost its name.
/// </summary>
sealed class SftpUpload(SftpLine line, string path, long length)
{
    public const int Piece = 128 << 10, Handles = 8, Tail = 256 << 10;
    public const long SyncEvery = 16L << 20, Unsure = SyncEvery + Piece * Handles;

    /// <returns>SHA-256 of the source; null: it has another length, and the file is not whole.</returns>
    /// <exception cref="SourceException">The source cannot be read.</exception>
    public async Task<byte[]?> RunAsync(Func<CancellationToken, Task<Stream>> open, CancellationToken cancel)
    {
        // 1. How far did an earlier try get? What is longer than the file, or ends in other bytes, is not ours: away with it.
        var there = await line.LengthOfAsync(path, cancel).ConfigureAwait(false);
        if (there > length)
        {
            await line.RemoveAsync(path, cancel).ConfigureAwait(false);
            there = null;
        }
        if (there > Unsure)
        {
            var from = (there.Value - Unsure) / Piece * Piece;
            var tail = await TailAsync(from, cancel).ConfigureAwait(false);
            if (await SendAsync(open, from, tail, cancel).ConfigureAwait(false) is { IsSame: true } resumed) return resumed.Digest;
            await line.RemoveAsync(path, cancel).ConfigureAwait(false);
            there = null;
        }
        // 2. From the first byte.
        return (await SendAsync(open, from: 0, tail: there is null ? null : [], cancel).ConfigureAwait(false)).Digest;
    }

    // The bytes before the place where it goes on.
    async Task<byte[]> TailAsync(long from, CancellationToken cancel)
    {
        var tail = new byte[(int)Math.Min(Tail, from)];
        var file = await line.OpenAsync(path, FileMode.Open, FileAccess.Read, cancel).ConfigureAwait(false);
        file.Position = from - tail.Length;
        await file.ReadExactlyAsync(tail, cancel).ConfigureAwait(false);
        await file.DisposeAsync().ConfigureAwait(false);
        return tail;
    }

    /// <param name="tail">What stands before <paramref name="from"/>; null: there is no file yet.</param>
    async Task<(bool IsSame, byte[]? Digest)> SendAsync(Func<CancellationToken, Task<Stream>> open, long from, byte[]? tail, CancellationToken cancel)
    {
        await using var source = await SourceAsync(open, cancel).ConfigureAwait(false);
        if (source.CanSeek && source.Length != length) return (true, null);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (!await SkipAsync(source, hash, from, tail ?? [], cancel).ConfigureAwait(false)) return (false, null);

        var handles = new List<SftpFileStream>();
        var writes = new Task[(int)Math.Clamp((length - from + Piece - 1) / Piece, 1, Handles)];
        Array.Fill(writes, Task.CompletedTask);
        var buffers = writes.Select(_ => ArrayPool<byte>.Shared.Rent(Piece)).ToList();
        try
        {
            handles.Add(await line.OpenAsync(path, tail is null ? FileMode.CreateNew : FileMode.Open, FileAccess.Write, cancel).ConfigureAwait(false));
            while (handles.Count < writes.Length) handles.Add(await line.OpenAsync(path, FileMode.Open, FileAccess.Write, cancel).ConfigureAwait(false));
            var done = from;
            for (var n = 0; ; n = (n + 1) % writes.Length)
            {
                await writes[n].ConfigureAwait(false);
                var read = await ReadAsync(source, buffers[n].AsMemory(0, Piece), cancel).ConfigureAwait(false);
                if (read == 0) break;
                if (done + read > length) return (true, null);
                hash.AppendData(buffers[n], 0, read);
                writes[n] = WriteAsync(handles[n], done, buffers[n].AsMemory(0, read), cancel);
                done += read;
                if (done / SyncEvery > (done - read) / SyncEvery) await SyncAsync(handles[0], writes, cancel).ConfigureAwait(false);
            }
            await SyncAsync(handles[0], writes, cancel).ConfigureAwait(false);
            foreach (var handle in handles) await handle.DisposeAsync().ConfigureAwait(false);
            if (done != length) return (true, null);
        }
        finally
        {
            // A buffer goes back only when nothing writes from it any more.
            await Task.WhenAll(writes).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var buffer in buffers) ArrayPool<byte>.Shared.Return(buffer);
        }
        // 3. The server's own word on how long it is.
        if (await line.LengthOfAsync(path, cancel).ConfigureAwait(false) != length) throw new SftpException(StatusCode.Failure);
        return (true, hash.GetHashAndReset());
    }

    static async Task WriteAsync(SftpFileStream handle, long at, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        handle.Position = at;
        await handle.WriteAsync(bytes, cancel).ConfigureAwait(false);
        await handle.FlushAsync(cancel).ConfigureAwait(false);
    }

    async Task SyncAsync(SftpFileStream handle, Task[] writes, CancellationToken cancel)
    {
        await Task.WhenAll(writes).ConfigureAwait(false);
        try { await line.SyncAsync(handle, cancel).ConfigureAwait(false); }
        catch (SftpException)
        {
            // After a sync that failed the server may call lost pages clean: nothing of this file is built upon.
            await line.RemoveAsync(path, cancel).ConfigureAwait(false);
            throw;
        }
    }

    // The part that is there already goes into the digest only.
    static async Task<bool> SkipAsync(Stream source, IncrementalHash hash, long from, byte[] tail, CancellationToken cancel)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            for (long done = 0; done < from;)
            {
                var read = await ReadAsync(source, buffer.AsMemory(0, (int)Math.Min(Piece, from - done)), cancel).ConfigureAwait(false);
                if (read == 0) return false;
                hash.AppendData(buffer, 0, read);
                var tailAt = from - tail.Length;
                var first = Math.Max(done, tailAt);
                if (first < done + read && !buffer.AsSpan((int)(first - done), (int)(done + read - first)).SequenceEqual(tail.AsSpan((int)(first - tailAt), (int)(done + read - first)))) return false;
                done += read;
            }
            return true;
        }
        finally { ArrayPool<byte>.Shared.Return(buffer); }
    }

    static async Task<Stream> SourceAsync(Func<CancellationToken, Task<Stream>> open, CancellationToken cancel)
    {
        try { return await open(cancel).ConfigureAwait(false); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new SourceException(e); }
    }

    // Whole pieces: what a source gives at a time must not decide where writes lie.
    static async Task<int> ReadAsync(Stream source, Memory<byte> buffer, CancellationToken cancel)
    {
        try { return await source.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new SourceException(e); }
    }
}

/// <summary>The stored envelope could not be read; the server has no part in it.</summary>
sealed class SourceException(Exception inner) : Exception("source", inner);
