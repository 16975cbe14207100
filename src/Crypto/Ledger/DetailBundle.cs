using System.Globalization;
using System.Text;

namespace Exchange.Crypto.Ledger;

/// <summary>What an export says about one entry beside its 32 bytes.</summary>
public enum DetailState
{
    /// <summary>Salt and detail are shown.</summary>
    Open,
    /// <summary>They were deleted; a later entry says so.</summary>
    Erased,
    /// <summary>Whoever this export was made for may not see them.</summary>
    Withheld,
}

/// <param name="Salt">32 bytes; empty unless open.</param>
/// <param name="Detail">RFC 8785 JSON, as hashed; empty unless open.</param>
/// <param name="ErasedBy">Index of the entry of kind erased that names this one.</param>
public readonly record struct DetailLine(DetailState State, ReadOnlyMemory<byte> Salt, ReadOnlyMemory<byte> Detail, long ErasedBy)
{
    public static DetailLine Open(LedgerEntry entry) => new(DetailState.Open, entry.Salt, entry.Detail, -1);

    public static DetailLine Erased(long by) => new(DetailState.Erased, default, default, by);

    public static readonly DetailLine Withheld = new(DetailState.Withheld, default, default, -1);

    /// <summary>SHA-256(salt ‖ detail), what must stand in the entry bundle.</summary>
    public Digest Hash => new LedgerEntry(Salt.ToArray(), Detail.ToArray()).Hash;
}

/// <summary>
/// Salts and details of up to 256 entries in an exported ledger, "details/N[.p/W]" beside "tile/entries/N[.p/W]": a line for each entry, in order, each ended by a newline:
/// <code>
/// salt in base64, space, detail (RFC 8785 JSON has no newline)
/// erased INDEX        of the entry of kind "erased" that names this one
/// withheld
/// </code>
/// </summary>
public static class DetailBundle
{
    /// <summary>No bundle is longer.</summary>
    public const int MaxBytes = Tiles.Width * (SaltChars + 1 + EntryDetails.MaxBytes + 1);
    const int SaltChars = 44;
    const string Folder = "details/", TileFolder = "tile/entries/";
    static ReadOnlySpan<byte> Erased => "erased "u8;
    static ReadOnlySpan<byte> Withheld => "withheld"u8;

    /// <summary>Beside the entry bundle of this path.</summary>
    public static string PathOf(TilePath entries) => Folder + (entries with { Level = TilePath.Entries }).ToString()[TileFolder.Length..];

    public static byte[] Write(IReadOnlyList<DetailLine> lines)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lines.Count, Tiles.Width);
        using var bytes = new MemoryStream();
        foreach (var line in lines)
        {
            switch (line.State)
            {
                case DetailState.Open:
                    if (line.Salt.Length != LedgerEntry.SaltSize || line.Detail.Length > EntryDetails.MaxBytes || line.Detail.Span.Contains((byte)'\n')) throw new ArgumentException("Not an entry.", nameof(lines));
                    bytes.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(line.Salt.Span) + " "));
                    bytes.Write(line.Detail.Span);
                    break;
                case DetailState.Erased: bytes.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"erased {line.ErasedBy}"))); break;
                default: bytes.Write(Withheld); break;
            }
            bytes.WriteByte((byte)'\n');
        }
        return bytes.ToArray();
    }

    /// <summary>Lines of a bundle that must hold exactly this many. Their hashes are the caller's to compare.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Proof"/>: another number of lines, or one that is none of the three; the detail names it.</exception>
    public static DetailLine[] Read(ReadOnlyMemory<byte> bytes, int count)
    {
        var lines = new DetailLine[count];
        for (var i = 0; i < count; i++)
        {
            var end = bytes.Span.IndexOf((byte)'\n');
            if (end < 0) throw new RefusedException(Refusal.Proof, "a bundle of details has fewer lines than entries");
            lines[i] = Line(bytes[..end]) ?? throw new RefusedException(Refusal.Proof, string.Create(CultureInfo.InvariantCulture, $"line {i + 1} of the details"));
            bytes = bytes[(end + 1)..];
        }
        return bytes.IsEmpty ? lines : throw new RefusedException(Refusal.Proof, "a bundle of details has more lines than entries");
    }

    static DetailLine? Line(ReadOnlyMemory<byte> line)
    {
        var span = line.Span;
        if (span.SequenceEqual(Withheld)) return DetailLine.Withheld;
        if (span.StartsWith(Erased))
        {
            var text = Encoding.ASCII.GetString(span[Erased.Length..]);
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var by) && by.ToString(CultureInfo.InvariantCulture) == text ? DetailLine.Erased(by) : null;
        }
        if (span.Length <= SaltChars || span[SaltChars] != ' ' || span.Length > SaltChars + 1 + EntryDetails.MaxBytes) return null;
        var salt = new byte[LedgerEntry.SaltSize];
        var status = System.Buffers.Text.Base64.DecodeFromUtf8(span[..SaltChars], salt, out var read, out var written);
        if (status != System.Buffers.OperationStatus.Done || read != SaltChars || written != LedgerEntry.SaltSize) return null;
        // 32 bytes leave two bits over in the last character: only zero is the one spelling.
        return IsLast(span[SaltChars - 2]) ? new DetailLine(DetailState.Open, salt, line[(SaltChars + 1)..], -1) : null;
    }

    // Every fourth character of the alphabet: its two low bits are zero.
    static bool IsLast(byte c) => "AEIMQUYcgkosw048"u8.Contains(c);
}
