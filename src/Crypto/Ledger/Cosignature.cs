using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// C2SP tlog-cosignature: what a cosigner signs, and the form in the line, u64 time ‖ signature. Time in seconds since 1970; zero only where the cosigner does not say
/// that this is the largest head that it saw.
/// </summary>
static class Cosignature
{
    public const int MaxNameBytes = 255, MlDsa44KeySize = 1312, MlDsa44SignatureSize = 2420;

    /// <summary>Time of a signature as it stands in its line; not more than 2^63 - 1.</summary>
    public static bool TryReadTime(ReadOnlySpan<byte> signature, out long time)
    {
        time = signature.Length > sizeof(long) ? BinaryPrimitives.ReadInt64BigEndian(signature) : -1;
        return time >= 0;
    }

    /// <summary>u64 time ‖ signature.</summary>
    public static byte[] Write(long time, ReadOnlySpan<byte> signature)
    {
        var bytes = new byte[sizeof(long) + signature.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, time);
        signature.CopyTo(bytes.AsSpan(sizeof(long)));
        return bytes;
    }

    /// <summary>"Ed25519 signed message": header line, time line, whole text of the note.</summary>
    public static byte[] Ed25519Message(long time, ReadOnlySpan<byte> text) =>
        [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"cosignature/v1\ntime {time}\n")), .. text];

    /// <summary>"ML-DSA-44 signed message" for the whole tree, start 0: label, name, time, origin, start, end, root.</summary>
    /// <returns>null: the text is no checkpoint that this form can sign. Extension lines would stand unsigned; the empty tree has one root only.</returns>
    public static byte[]? MlDsa44Message(string cosigner, long time, ReadOnlySpan<byte> text)
    {
        Checkpoint checkpoint;
        try { checkpoint = Checkpoint.Parse(Encoding.UTF8.GetString(text)); }
        catch (RefusedException) { return null; }
        byte[] name = Encoding.UTF8.GetBytes(cosigner), origin = Encoding.UTF8.GetBytes(checkpoint.Origin);
        if (name.Length is 0 or > MaxNameBytes || origin.Length is 0 or > MaxNameBytes) return null;
        if (checkpoint.Size == 0 && checkpoint.Root != MerkleTree.EmptyRoot) return null;
        return [.. "subtree/v1\n\0"u8, (byte)name.Length, .. name, .. U64(time), (byte)origin.Length, .. origin, .. U64(0), .. U64(checkpoint.Size), .. checkpoint.Root.ToArray()];
    }

    static byte[] U64(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }
}
