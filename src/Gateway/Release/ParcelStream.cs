namespace Exchange.Gateway.Release;

/// <summary>The file form of one copy, header ‖ approvals ‖ manifest ‖ payload, as a seekable read-only stream: a range needs no copy of the whole.</summary>
sealed class ParcelStream : Stream
{
    readonly (long Start, ReadOnlyMemory<byte> Bytes)[] parts;
    readonly Stream? payload;
    readonly long payloadStart;
    long position;

    /// <param name="payload">Seekable; owned from now on.</param>
    public ParcelStream(IEnumerable<ReadOnlyMemory<byte>> inMemory, Stream? payload)
    {
        var at = 0L;
        parts = [.. inMemory.Select(bytes => (Start: (at += bytes.Length) - bytes.Length, bytes))];
        payloadStart = at;
        this.payload = payload;
        Length = at + (payload?.Length ?? 0);
    }

    public override long Length { get; }
    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;

    public override long Position
    {
        get => position;
        set => position = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => position + offset,
        _ => Length + offset,
    };

    public override int Read(Span<byte> buffer)
    {
        if (TakeFromMemory(buffer) is { } taken) return taken;
        if (payload is null) return 0;
        payload.Position = position - payloadStart;
        return Advance(payload.Read(buffer));
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (TakeFromMemory(buffer.Span) is { } taken) return taken;
        if (payload is null) return 0;
        payload.Position = position - payloadStart;
        return Advance(await payload.ReadAsync(buffer, cancellationToken));
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    int? TakeFromMemory(Span<byte> buffer)
    {
        foreach (var (start, bytes) in parts)
        {
            if (position < start || position >= start + bytes.Length) continue;
            var rest = bytes.Span[(int)(position - start)..];
            var count = Math.Min(rest.Length, buffer.Length);
            rest[..count].CopyTo(buffer);
            return Advance(count);
        }
        return position >= Length ? 0 : null;
    }

    int Advance(int count)
    {
        position += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) payload?.Dispose();
        base.Dispose(disposing);
    }

    public override void Flush() { }
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
