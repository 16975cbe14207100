using System.Security.Cryptography;

namespace Exchange.Crypto.Envelope;

/// <summary>SHA-256 of each of the documents that lie back to back in a run of bytes; what follows the last one is not digested. One thread at a time.</summary>
sealed class DocumentDigests(IReadOnlyList<long> lengths) : IDisposable
{
    readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly List<Digest> done = new(lengths.Count);
    long seen;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0 && Next())
        {
            var piece = bytes[..(int)Math.Min(bytes.Length, lengths[done.Count] - seen)];
            hash.AppendData(piece);
            seen += piece.Length;
            bytes = bytes[piece.Length..];
        }
    }

    /// <summary>In order, once every byte has come.</summary>
    public Digest[] Finish() => Next() ? throw new InvalidOperationException("Documents are left over.") : [.. done];

    /// <summary>False when all of them are digested.</summary>
    bool Next()
    {
        for (; done.Count < lengths.Count && seen == lengths[done.Count]; seen = 0) done.Add(new Digest(hash.GetHashAndReset()));
        return done.Count < lengths.Count;
    }

    public void Dispose() => hash.Dispose();
}
