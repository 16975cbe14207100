using System.Buffers.Binary;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// C2SP tlog-tiles "Log Entries": up to 256 entries, each after its length as a big-endian uint16. Our entries are 32 bytes, so a length is always 0x0020.
/// </summary>
public static class EntryBundle
{
    /// <summary>Bytes of one entry in a bundle.</summary>
    public const int Step = sizeof(ushort) + Digest.Size;

    public static byte[] Write(IReadOnlyList<Digest> entries)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(entries.Count, Tiles.Width);
        var bytes = new byte[entries.Count * Step];
        for (var i = 0; i < entries.Count; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(i * Step), Digest.Size);
            entries[i].CopyTo(bytes.AsSpan((i * Step) + sizeof(ushort)));
        }
        return bytes;
    }

    /// <summary>Entries of a bundle that must hold exactly this many.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Proof"/>: more, fewer, or an entry that is not 32 bytes.</exception>
    public static Digest[] Read(ReadOnlySpan<byte> bytes, int count)
    {
        if (bytes.Length != (long)count * Step) throw new RefusedException(Refusal.Proof, "a bundle holds another number of entries");
        var entries = new Digest[count];
        for (var i = 0; i < count; i++)
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(bytes[(i * Step)..]) != Digest.Size) throw new RefusedException(Refusal.Proof, "an entry is not 32 bytes");
            entries[i] = new Digest(bytes.Slice((i * Step) + sizeof(ushort), Digest.Size));
        }
        return entries;
    }
}
