using System.Buffers;
using MimeKit;

namespace Exchange.Adapters.Mail;

/// <summary>Our own bytes could not be read, or are not as many as they should be; the message is ours.</summary>
sealed class MailSourceException(string message) : Exception(message);

/// <summary>An attachment that is opened when the relay is ready for it, and read once.</summary>
sealed class MailContent(long length, Func<CancellationToken, Task<Stream>> open) : IMimeContent
{
    const int Piece = 64 << 10;

    public long Length => length;

    /// <summary>All of it was given to the connection.</summary>
    public bool IsOut { get; private set; }

    public ContentEncoding Encoding => ContentEncoding.Default;
    public NewLineFormat? NewLineFormat => null;
    public Stream Stream => throw Only();
    public Stream Open() => throw Only();
    public void DecodeTo(Stream stream, CancellationToken cancellationToken = default) => throw Only();
    public void WriteTo(Stream stream, CancellationToken cancellationToken = default) => throw Only();
    public Task WriteToAsync(Stream stream, CancellationToken cancellationToken = default) => DecodeToAsync(stream, cancellationToken);

    /// <exception cref="MailSourceException">The source is another than was promised.</exception>
    public async Task DecodeToAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            await using var source = await OurAsync(() => open(cancellationToken)).ConfigureAwait(false);
            long done = 0;
            for (int read; (read = await OurAsync(() => source.ReadAsync(buffer, 0, Piece, cancellationToken)).ConfigureAwait(false)) > 0; done += read)
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            // Thrown here, the final dot is never sent, and the relay drops what it has.
            if (done != length) throw new MailSourceException("the stored envelope has another length");
            IsOut = true;
        }
        finally { ArrayPool<byte>.Shared.Return(buffer); }
    }

    // Told from the connection's own troubles, which look alike.
    static async Task<T> OurAsync<T>(Func<Task<T>> read)
    {
        try { return await read().ConfigureAwait(false); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException) { throw new MailSourceException("the stored envelope cannot be read"); }
    }

    public void Dispose() { }

    static NotSupportedException Only() => new("Streamed once, asynchronously.");
}
