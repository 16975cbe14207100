using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Exchange.Crypto;

/// <summary>A SHA-256 value (32 bytes, FIPS 180-4): a ref, a key, a root or a leaf. In JSON: base64url without padding, 43 characters.</summary>
[JsonConverter(typeof(DigestJson))]
public readonly struct Digest : IEquatable<Digest>, IComparable<Digest>
{
    public const int Size = 32;
    readonly UInt128 high, low;

    /// <param name="bytes">Exactly 32 bytes.</param>
    public Digest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new ArgumentException($"A digest has {Size} bytes, not {bytes.Length}.", nameof(bytes));
        high = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        low = BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]);
    }

    /// <summary>SHA-256 of the bytes.</summary>
    public static Digest Of(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(data, hash);
        return new Digest(hash);
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, high);
        BinaryPrimitives.WriteUInt128BigEndian(destination[16..], low);
    }

    /// <summary>base64url, 43 characters.</summary>
    public override string ToString() => Base64Url.EncodeToString(ToArray());

    /// <summary>Reads what <see cref="ToString"/> writes, and nothing else.</summary>
    public static bool TryParse(string? text, out Digest value)
    {
        value = default;
        if (text is not { Length: 43 }) return false;
        Span<byte> bytes = stackalloc byte[Size];
        // Not TryDecodeFromChars: that one throws on a character outside the alphabet.
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var written) != OperationStatus.Done || written != Size) return false;
        value = new Digest(bytes);
        return value.ToString() == text;
    }

    public bool Equals(Digest other) => high == other.high && low == other.low;
    public override bool Equals(object? obj) => obj is Digest other && Equals(other);
    public override int GetHashCode() => HashCode.Combine(high, low);
    public int CompareTo(Digest other) => high == other.high ? low.CompareTo(other.low) : high.CompareTo(other.high);
    public static bool operator ==(Digest left, Digest right) => left.Equals(right);
    public static bool operator !=(Digest left, Digest right) => !left.Equals(right);
    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;
    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;
    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;
    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;
}

/// <summary>A digest in JSON: base64url, 43 characters. Public for source-generated contexts of other assemblies.</summary>
public sealed class DigestJson : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Digest.TryParse(reader.GetString(), out var value)
            ? value : throw new JsonException("not a digest in base64url");

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

/// <summary>Bytes of any length in JSON: base64url without padding (RFC 4648 section 5).</summary>
public sealed class BytesJson : JsonConverter<byte[]>
{
    public override byte[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String) throw new JsonException("not base64url");
        try { return Base64Url.DecodeFromUtf8(Encoding.UTF8.GetBytes(reader.GetString()!)); }
        catch (FormatException) { throw new JsonException("not base64url"); }
    }

    public override void Write(Utf8JsonWriter writer, byte[] value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Base64Url.EncodeToString(value));
}
