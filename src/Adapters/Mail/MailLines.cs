namespace Exchange.Adapters.Mail;

/// <summary>The lines of a stream, in one buffer whatever their length: a longer one comes in pieces.</summary>
sealed class MailLines(Stream stream)
{
    readonly byte[] buffer = new byte[64 << 10];
    int start, end, length;
    long read;
    bool ended, isStart = true;

    /// <summary>Where the piece begins.</summary>
    public long Offset { get; private set; }
    /// <summary>The piece begins a line.</summary>
    public bool IsStart { get; private set; }
    /// <summary>Bytes of the line end at the end of the piece before this one: 0, 1 or 2.</summary>
    public int EndBefore { get; private set; }
    /// <summary>Without its line end.</summary>
    public ReadOnlySpan<byte> Text => buffer.AsSpan(start, length - EndOf(buffer.AsSpan(start, length)));
    public int EndLength => EndOf(buffer.AsSpan(start, length));
    /// <summary>The line ends with this piece.</summary>
    public bool IsWhole => length > 0 && buffer[start + length - 1] == '\n';

    public async ValueTask<bool> NextAsync(CancellationToken cancel)
    {
        EndBefore = length == 0 ? 0 : EndOf(buffer.AsSpan(start, length));
        IsStart = isStart;
        start += length;
        length = 0;
        while (true)
        {
            if (buffer.AsSpan(start, end - start).IndexOf((byte)'\n') is >= 0 and var found) length = found + 1;
            else if (end - start == buffer.Length || (ended && end > start)) length = end - start;
            if (length > 0)
            {
                Offset = read - (end - start);
                isStart = buffer[start + length - 1] == '\n';
                return true;
            }
            if (ended) return false;
            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (end, start) = (end - start, 0);
            }
            var got = await stream.ReadAsync(buffer.AsMemory(end), cancel).ConfigureAwait(false);
            (ended, end, read) = (got == 0, end + got, read + got);
        }
    }

    static int EndOf(ReadOnlySpan<byte> piece) => piece.EndsWith("\r\n"u8) ? 2 : piece.EndsWith("\n"u8) ? 1 : 0;
}
