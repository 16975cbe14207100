using System.Formats.Asn1;

namespace Exchange.Tests.Envelope;

/// <summary>A DER value as a tree that can be cut up and put together again, with all lengths made right. For tests that spoil messages on purpose.</summary>
/// <param name="Children">null: primitive.</param>
/// <param name="Path">Child numbers from the root.</param>
sealed record Tlv(byte[] Encoded, List<Tlv>? Children, string Path)
{
    public static Tlv Parse(ReadOnlyMemory<byte> der, string path = "")
    {
        var tag = Asn1Tag.Decode(der.Span, out _);
        if (!tag.IsConstructed) return new Tlv(der.ToArray(), null, path);
        AsnDecoder.ReadEncodedValue(der.Span, AsnEncodingRules.DER, out var offset, out var length, out _);
        var children = new List<Tlv>();
        for (var rest = der.Slice(offset, length); rest.Length > 0;)
        {
            AsnDecoder.ReadEncodedValue(rest.Span, AsnEncodingRules.DER, out _, out _, out var consumed);
            children.Add(Parse(rest[..consumed], $"{path}/{children.Count}"));
            rest = rest[consumed..];
        }
        return new Tlv(der.ToArray(), children, path);
    }

    /// <summary>This value and all below it.</summary>
    public IEnumerable<Tlv> All() => Children is null ? [this] : Children.SelectMany(c => c.All()).Prepend(this);

    /// <summary>The same tree with each value mapped to what stands in its place; a value mapped to itself is rebuilt from its children.</summary>
    public byte[] Rebuild(Func<Tlv, byte[]?> place)
    {
        if (place(this) is { } other) return other;
        if (Children is null) return Encoded;
        var body = Children.SelectMany(c => c.Rebuild(place)).ToArray();
        return Value(Encoded[0], body);
    }

    public static byte[] Value(byte tag, byte[] body) => [tag, .. Length(body.Length), .. body];

    /// <summary>The same value, its length written in one octet more than it takes.</summary>
    public static byte[] Longer(byte[] der) => der[1] switch
    {
        0x82 => [der[0], 0x83, 0, .. der[2..]],
        0x81 => [der[0], 0x82, 0, .. der[2..]],
        < 0x80 => [der[0], 0x81, .. der[1..]],
        _ => throw new ArgumentException("Longer than 64 KiB.", nameof(der)),
    };

    /// <summary>Replaces the first match, or removes it.</summary>
    public static byte[] Edit(ReadOnlyMemory<byte> der, Func<Tlv, bool> which, byte[]? replacement)
    {
        var root = Parse(der);
        var target = root.All().First(which);
        return root.Rebuild(t => ReferenceEquals(t, target) ? replacement ?? [] : null);
    }

    /// <summary>Replaces every value with this encoding.</summary>
    public static byte[] Replace(ReadOnlyMemory<byte> der, byte[] value, byte[] replacement)
    {
        var root = Parse(der);
        Assert.Contains(root.All(), t => t.Encoded.AsSpan().SequenceEqual(value));
        return root.Rebuild(t => t.Encoded.AsSpan().SequenceEqual(value) ? replacement : null);
    }

    public static byte[] Oid(string oid)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteObjectIdentifier(oid);
        return writer.Encode();
    }

    static byte[] Length(int length) => length switch
    {
        < 0x80 => [(byte)length],
        < 0x100 => [0x81, (byte)length],
        < 0x10000 => [0x82, (byte)(length >> 8), (byte)length],
        _ => [0x83, (byte)(length >> 16), (byte)(length >> 8), (byte)length],
    };
}
