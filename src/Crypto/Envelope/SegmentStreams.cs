namespace Exchange.Crypto.Envelope;

/// <summary>
/// Whole segments from and to streams. A file that was opened for synchronous use is read and written where we are: .NET would hand each call to another thread of the pool and come back from there,
/// and a thread is kept either way. Every other stream is awaited.
/// </summary>
static class SegmentStreams
{
    /// <returns>Fewer bytes than asked for: it ended.</returns>
    public static ValueTask<int> ReadSegmentAsync(this Stream stream, Memory<byte> buffer, CancellationToken cancel) => stream is FileStream { IsAsync: false }
        ? ValueTask.FromResult(stream.ReadAtLeast(buffer.Span, buffer.Length, throwOnEndOfStream: false)) : stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel);

    public static ValueTask WriteSegmentAsync(this Stream stream, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        if (stream is not FileStream { IsAsync: false }) return stream.WriteAsync(bytes, cancel);
        stream.Write(bytes.Span);
        return ValueTask.CompletedTask;
    }
}
