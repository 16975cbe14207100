using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Exchange.Crypto.Evidence;

/// <summary>
/// One file out of many, such that each of its bytes is accounted for: a ZIP (PKWARE APPNOTE 6.3.10, clauses 4.3.7, 4.3.12, 4.3.16) of which only one spelling exists. Members are stored, named in
/// ASCII, dated 1980-01-01, without extra field, comment or descriptor, one behind the other; then the directory; then nothing. Any tool reads it. The reader takes nothing else: there is nothing to
/// unpack that could grow, no second size or place to be told, and no byte that nobody looks at.
/// | part | at most |: a member 8 MiB; all 256 MiB; 16,384 members; a name 200 characters.
/// </summary>
public static class EvidenceZip
{
    /// <summary>What findings about the file as a whole call it.</summary>
    public const string Whole = "file";
    public const int MaxPart = 8 << 20, MaxFile = 256 << 20, MaxParts = 16_384, MaxName = 200;
    const uint LocalMark = 0x04034b50, DirectoryMark = 0x02014b50, EndMark = 0x06054b50;
    const int LocalSize = 30, DirectorySize = 46, EndSize = 22;
    // Version 1.0 to read it; made on Unix; 1980-01-01 00:00; a plain file of mode 0600.
    const ushort Version = 10, MadeBy = 0x0314, Date = 0x21;
    const uint Mode = 0x8180_0000;
    static readonly uint[] Crc = Table();

    sealed record Member(string Name, uint Crc, int Length, int Offset);

    /// <summary>The file's bytes, members in this order.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Size"/>: more than the format has room for; <see cref="Refusal.EvidenceDamaged"/>: a name that it has no room for, or twice.</exception>
    public static byte[] Write(IReadOnlyList<EvidencePart> parts)
    {
        if (parts.Count > MaxParts || parts.Any(p => p.Bytes.Length > MaxPart) || parts.Sum(p => (long)p.Bytes.Length) > MaxFile / 2) throw new RefusedException(Refusal.Size, "evidence file");
        if (parts.FirstOrDefault(p => !IsName(p.Name)) is { } odd) throw new RefusedException(Refusal.EvidenceDamaged, $"name {odd.Name}");
        if (parts.DistinctBy(p => p.Name).Count() != parts.Count) throw new RefusedException(Refusal.EvidenceDamaged, "a name twice");
        using var file = new MemoryStream();
        List<Member> members = [];
        foreach (var part in parts)
        {
            var member = new Member(part.Name, Checksum(part.Bytes.Span), part.Bytes.Length, (int)file.Position);
            file.Write(Local(member));
            file.Write(part.Bytes.Span);
            members.Add(member);
        }
        file.Write(Directory(members, (int)file.Position));
        return file.ToArray();
    }

    /// <summary>The members, in their order, of whatever may be no such file. What is not as it would be written is a bad finding that names the member or the byte.</summary>
    /// <returns>Those that could be told apart; what they say is not judged here.</returns>
    public static IReadOnlyList<EvidencePart> Read(ReadOnlyMemory<byte> file, Findings findings)
    {
        List<EvidencePart> parts = [];
        List<Member> members = [];
        HashSet<string> names = [];
        if (file.Length > MaxFile) { findings.Bad(Whole, "form", Refusal.Size); return parts; }
        var (good, at) = (true, 0);
        while (file.Length - at >= LocalSize && U32(file, at) == LocalMark)
        {
            if (Wrong(file, at, names) is { } wrong)
            {
                findings.Bad(Place(members, at), "form", Refusal.EvidenceDamaged, wrong);
                return parts;
            }
            var member = new Member(Name(file, at)!, U32(file, at + 14), (int)U32(file, at + 18), at);
            var bytes = file.Slice(at + LocalSize + member.Name.Length, member.Length);
            // Goes on: what a changed member still says is found by its signatures, or it says nothing.
            if (Checksum(bytes.Span) != member.Crc) { good = false; findings.Bad(member.Name, "as it was written", Refusal.EvidenceDamaged, "checksum"); }
            members.Add(member);
            parts.Add(new EvidencePart(member.Name, bytes));
            at += LocalSize + member.Name.Length + member.Length;
        }
        good &= CheckDirectory(file[at..].Span, members, at, findings);
        if (good) findings.Good(Whole, "form", string.Create(CultureInfo.InvariantCulture, $"{parts.Count} files"));
        return parts;
    }

    /// <summary>What in a member's own header is not as it is written; null: nothing, and its name is one of the names now.</summary>
    static string? Wrong(ReadOnlyMemory<byte> file, int at, HashSet<string> names)
    {
        var (flags, method) = (U16(file, at + 6), U16(file, at + 8));
        if ((flags & 1) != 0) return "encrypted";
        if (method != 0) return "compressed";
        if (U16(file, at + 4) != Version || flags != 0 || U16(file, at + 10) != 0 || U16(file, at + 12) != Date) return "version, flags or time";
        if (U16(file, at + 28) != 0) return "extra field";
        if (U32(file, at + 18) != U32(file, at + 22) || U32(file, at + 18) > MaxPart) return "length";
        if (Name(file, at) is not { } name) return "name";
        if (file.Length - at - LocalSize - name.Length < U32(file, at + 18)) return "longer than the file";
        if (names.Count == MaxParts) return "too many members";
        return names.Add(name) ? null : $"{name} is there twice";
    }

    static string? Name(ReadOnlyMemory<byte> file, int at)
    {
        int length = U16(file, at + 26);
        if (length is 0 or > MaxName || file.Length - at - LocalSize < length) return null;
        var name = Encoding.Latin1.GetString(file.Span.Slice(at + LocalSize, length));
        return IsName(name) ? name : null;
    }

    // Of the directory each byte follows from the members.
    static bool CheckDirectory(ReadOnlySpan<byte> rest, List<Member> members, int at, Findings findings)
    {
        var expected = Directory(members, at);
        var same = rest.CommonPrefixLength(expected);
        if (same == expected.Length && rest.Length == same) return true;
        if (same == expected.Length) findings.Bad(Whole, "end", Refusal.EvidenceDamaged, string.Create(CultureInfo.InvariantCulture, $"{rest.Length - same} bytes behind it"));
        else if (same == rest.Length) findings.Bad(Place(members, at + same), "end", Refusal.EvidenceDamaged, "cut off");
        else findings.Bad(Place(members, at + same), "directory", Refusal.EvidenceDamaged, Of(members, same) is { } name ? $"line of {name}" : "");
        return false;
    }

    static string? Of(List<Member> members, int offset)
    {
        foreach (var member in members)
            if ((offset -= DirectorySize + member.Name.Length) < 0) return member.Name;
        return null;
    }

    static string Place(List<Member> members, int at) => members.Count == 0 ? Whole : string.Create(CultureInfo.InvariantCulture, $"{Whole}, byte {at}");

    /// <summary>A relative path of plain names, so that unpacking it can reach nothing else: letters, digits, dot, dash, underscore between slashes; no name begins with a dot.</summary>
    internal static bool IsName(string name) => name.Length is > 0 and <= MaxName
        && name.Split('/').All(s => s.Length > 0 && s[0] != '.' && s.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'));

    static byte[] Local(Member member)
    {
        var bytes = new byte[LocalSize + member.Name.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, LocalMark);
        Common(bytes.AsSpan(4), member);
        Encoding.ASCII.GetBytes(member.Name, bytes.AsSpan(LocalSize));
        return bytes;
    }

    /// <summary>The 26 bytes that header and directory have in common: version, flags, method, time, date, checksum, two lengths, lengths of name and extra field.</summary>
    static void Common(Span<byte> to, Member member)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(to, Version);
        BinaryPrimitives.WriteUInt16LittleEndian(to[8..], Date);
        BinaryPrimitives.WriteUInt32LittleEndian(to[10..], member.Crc);
        BinaryPrimitives.WriteInt32LittleEndian(to[14..], member.Length);
        BinaryPrimitives.WriteInt32LittleEndian(to[18..], member.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(to[22..], (ushort)member.Name.Length);
    }

    /// <param name="at">Where in the file it stands.</param>
    static byte[] Directory(List<Member> members, int at)
    {
        var bytes = new byte[members.Sum(m => DirectorySize + m.Name.Length) + EndSize];
        var to = bytes.AsSpan();
        foreach (var member in members)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(to, DirectoryMark);
            BinaryPrimitives.WriteUInt16LittleEndian(to[4..], MadeBy);
            Common(to[6..], member);
            BinaryPrimitives.WriteUInt32LittleEndian(to[38..], Mode);
            BinaryPrimitives.WriteInt32LittleEndian(to[42..], member.Offset);
            Encoding.ASCII.GetBytes(member.Name, to[DirectorySize..]);
            to = to[(DirectorySize + member.Name.Length)..];
        }
        BinaryPrimitives.WriteUInt32LittleEndian(to, EndMark);
        BinaryPrimitives.WriteUInt16LittleEndian(to[8..], (ushort)members.Count);
        BinaryPrimitives.WriteUInt16LittleEndian(to[10..], (ushort)members.Count);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], bytes.Length - EndSize);
        BinaryPrimitives.WriteInt32LittleEndian(to[16..], at);
        return bytes;
    }

    static ushort U16(ReadOnlyMemory<byte> file, int at) => BinaryPrimitives.ReadUInt16LittleEndian(file.Span[at..]);
    static uint U32(ReadOnlyMemory<byte> file, int at) => BinaryPrimitives.ReadUInt32LittleEndian(file.Span[at..]);

    // CRC-32 of APPNOTE 4.4.7: against accidents, and the only thing that looks at files that nobody signed.
    static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes) crc = Crc[(byte)(crc ^ b)] ^ (crc >> 8);
        return ~crc;
    }

    static uint[] Table() => [.. Enumerable.Range(0, 256).Select(i => Enumerable.Range(0, 8).Aggregate((uint)i, (c, _) => (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1))];
}
