using Exchange.Crypto.Envelope;

namespace Exchange.Gateway.Submission;

/// <summary>Header, approvals and manifest between their rows and their parts.</summary>
static class StoredEnvelope
{
    public static byte[] Joined(IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var joined = new byte[parts.Sum(p => p.Length)];
        var at = 0;
        foreach (var part in parts)
        {
            part.CopyTo(joined.AsMemory(at));
            at += part.Length;
        }
        return joined;
    }

    public static async Task<EnvelopeParts> Read(byte[] header, byte[] approvals, byte[] manifest)
    {
        using var stored = new MemoryStream([.. header, .. approvals, .. manifest], writable: false);
        return await EnvelopeFile.ReadPartsAsync(stored, CancellationToken.None);
    }
}
