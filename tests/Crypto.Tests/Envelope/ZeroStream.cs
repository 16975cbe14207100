namespace Exchange.Tests.Envelope;

/// <summary>Zeros of a given length, from nowhere.</summary>
sealed class ZeroStream(long length) : Stream
{
    long left = length;
    public override int Read(Span<byte> buffer)
    {
        var size = (int)Math.Min(buffer.Length, left);
        buffer[..size].Clear();
        left -= size;
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
