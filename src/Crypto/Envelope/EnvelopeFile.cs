namespace Exchange.Crypto.Envelope;

/// <summary>The one-file form: header ‖ approvals ‖ manifest ‖ payload, concatenated. Each part but the payload is one DER value and ends itself.</summary>
public static class EnvelopeFile
{
    /// <summary>Reads the parts; the stream then stands at the first byte of the payload. The number of approvals comes from the (not yet verified) header.</summary>
    /// <exception cref="RefusedException">Der, Size, Json …</exception>
    public static Task<EnvelopeParts> ReadPartsAsync(Stream stream, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>Header as JSON record without any check but form: for routing and display before verification. Never decide on it.</summary>
    public static Statements.Header PeekUnverified(ReadOnlyMemory<byte> header) => throw new NotImplementedException();

    /// <summary>The parts' bytes, without the payload.</summary>
    public static byte[] Write(EnvelopeParts parts) => throw new NotImplementedException();
}
