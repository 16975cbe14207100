using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Exchange.Crypto;

/// <summary>
/// The one reader and writer of signed JSON. Writes RFC 8785 (JCS) with integers only; reads by writing again what it read:
/// the bytes must be equal, so there is one spelling of every value. Text is Unicode NFC. Unknown, doubled or missing members are refused.
/// </summary>
public static class StrictJson
{
    /// <summary>Largest integer that every JSON reader holds exactly (RFC 7493 section 2.2).</summary>
    public const long MaxInteger = 9007199254740991;
    const int MaxDepth = 32;

    /// <summary>RFC 8785 bytes of a value. Text that is not NFC, a fraction or an integer beyond 2^53-1 is the caller's mistake.</summary>
    /// <exception cref="ArgumentException">The value cannot be written canonically.</exception>
    public static byte[] Write<T>(T value, JsonTypeInfo<T> type)
    {
        var loose = JsonSerializer.SerializeToUtf8Bytes(value, type);
        using var document = JsonDocument.Parse(loose, new JsonDocumentOptions { MaxDepth = MaxDepth });
        var output = new ArrayBufferWriter<byte>(loose.Length);
        WriteElement(output, document.RootElement);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The value whose canonical bytes these are.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Json"/>: not JSON, not this shape, or not canonical.</exception>
    public static T Read<T>(ReadOnlySpan<byte> canonical, JsonTypeInfo<T> type) where T : class
    {
        byte[] again;
        T? value;
        try
        {
            value = JsonSerializer.Deserialize(canonical, type) ?? throw new RefusedException(Refusal.Json, "null");
            again = Write(value, type);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or FormatException or InvalidOperationException or NotSupportedException)
        {
            throw new RefusedException(Refusal.Json, "not the expected members, or text that is not NFC");
        }
        if (!canonical.SequenceEqual(again)) throw new RefusedException(Refusal.Json, "not in RFC 8785 form");
        return value;
    }

    static void WriteElement(ArrayBufferWriter<byte> output, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(output, element);
                break;
            case JsonValueKind.Array:
                Raw(output, "["u8);
                var head = true;
                foreach (var item in element.EnumerateArray())
                {
                    if (!head) Raw(output, ","u8);
                    head = false;
                    // No list of ours holds null, and the generated reader would let one through.
                    if (item.ValueKind == JsonValueKind.Null) throw new ArgumentException("A list holds null.");
                    WriteElement(output, item);
                }
                Raw(output, "]"u8);
                break;
            case JsonValueKind.String:
                // ASCII that the serializer had nothing to escape in is what RFC 8785 writes.
                if (JsonMarshal.GetRawUtf8Value(element) is var raw && !raw.Contains((byte)'\\') && Ascii.IsValid(raw)) Raw(output, raw);
                else WriteString(output, element.GetString()!);
                break;
            case JsonValueKind.Number:
                if (!element.TryGetInt64(out var number) || number is > MaxInteger or < -MaxInteger)
                    throw new ArgumentException("Only integers within 2^53-1 are written.");
                number.TryFormat(output.GetSpan(20), out var length, provider: CultureInfo.InvariantCulture);
                output.Advance(length);
                break;
            case JsonValueKind.True: Raw(output, "true"u8); break;
            case JsonValueKind.False: Raw(output, "false"u8); break;
            case JsonValueKind.Null: Raw(output, "null"u8); break;
            default: throw new ArgumentException("Not a JSON value.");
        }
    }

    static void WriteObject(ArrayBufferWriter<byte> output, JsonElement element)
    {
        var names = new string[element.GetPropertyCount()];
        var values = new JsonElement[names.Length];
        var count = 0;
        foreach (var member in element.EnumerateObject()) (names[count], values[count++]) = (member.Name, member.Value);
        Array.Sort(names, values, StringComparer.Ordinal);
        Raw(output, "{"u8);
        for (var i = 0; i < count; i++)
        {
            if (i > 0) Raw(output, ","u8);
            WriteString(output, names[i]);
            Raw(output, ":"u8);
            WriteElement(output, values[i]);
        }
        Raw(output, "}"u8);
    }

    // RFC 8785 3.2.2.2: the short escapes, \u00xx in lower case for other controls, all else as UTF-8.
    static void WriteString(ArrayBufferWriter<byte> output, string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(Plain))
        {
            Raw(output, "\""u8);
            output.Advance(Encoding.ASCII.GetBytes(text, output.GetSpan(text.Length)));
            Raw(output, "\""u8);
            return;
        }
        if (!text.IsNormalized(NormalizationForm.FormC)) throw new ArgumentException("Text must be Unicode NFC.");
        var escaped = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
            _ = c switch
            {
                '"' => escaped.Append("\\\""),
                '\\' => escaped.Append("\\\\"),
                '\b' => escaped.Append("\\b"),
                '\t' => escaped.Append("\\t"),
                '\n' => escaped.Append("\\n"),
                '\f' => escaped.Append("\\f"),
                '\r' => escaped.Append("\\r"),
                < ' ' => escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => escaped.Append(c),
            };
        Raw(output, StrictUtf8.GetBytes(escaped.Append('"').ToString()));
    }

    static void Raw(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> bytes) => output.Write(bytes);

    /// <summary>ASCII that is written as it is.</summary>
    static readonly SearchValues<char> Plain = SearchValues.Create(string.Concat(Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Where(c => c is not ('"' or '\\'))));
    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
