namespace Exchange.Tests.Envelope;

/// <summary>Zeros of a given length, from nowhere.</summary>
sealed class ZeroStream(long length) : Stream
{
    long left = length;
    /// <summary>Bytes read so far.</summary>
    public long Given { get; private set; }
    public override int Read(Span<byte> buffer)
    {
        var size = (int)Math.Min(buffer.Length, left);
        buffer[..size].Clear();
        left -= size;
        Given += size;
        return size;
    }
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>Keeps nothing; tells how much each write had.</summary>
sealed class CountingStream(Action<int> wrote) : Stream
{
    public override void Write(ReadOnlySpan<byte> buffer) => wrote(buffer.Length);
    public override void Write(byte[] buffer, int offset, int count) => wrote(count);
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        wrote(buffer.Length);
        return ValueTask.CompletedTask;
    }
    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush() { }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
