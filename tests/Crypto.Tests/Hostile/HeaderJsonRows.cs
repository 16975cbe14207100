using System.Text;
using Exchange.Crypto;
using Exchange.Tests.Envelope;
using static Exchange.Tests.Hostile.Read;

namespace Exchange.Tests.Hostile;

/// <summary>JSON that is not in the one form, signed by the sending office itself: numbers out of range, second spellings, text that is not UTF-8 or not NFC, depth.</summary>
static class HeaderJsonRows
{
    static Row Text(string name, Func<string, string> change) => Bytes(name, j => Encoding.UTF8.GetBytes(Changed(Encoding.UTF8.GetString(j), change)));
    static Row Bytes(string name, Func<byte[], byte[]> change) => new("json: " + name, Refusal.Json, () => Outside(new Forge { HeaderJson = change }));
    static Row Number(string name, string number) => Text($"urgency {name}", j => j.Replace("\"urgency\":1", $"\"urgency\":{number}", StringComparison.Ordinal));
    static Row Long(string name, string number) => Text($"payload of {name}", j => j.Replace("\"payload\":{\"length\":64", $"\"payload\":{{\"length\":{number}", StringComparison.Ordinal));
    static Row Gateway(string name, params byte[] inside) =>
        Bytes($"gateway with {name}", j => Encoding.Latin1.GetBytes(Changed(Encoding.Latin1.GetString(j), t => t.Replace("gateway.test/ledger", "gateway" + Encoding.Latin1.GetString(inside), StringComparison.Ordinal))));

    static string Changed(string json, Func<string, string> change) => change(json) is var other && other != json ? other : throw new InvalidOperationException("Nothing was changed.");

    public static readonly Row[] All =
    [
        Number("2^31", "2147483648"), Number("2^63", "9223372036854775808"), Number("10^999", "1e999"), Number("1.0", "1.0"), Number("1e0", "1e0"), Number("-0", "-0"), Number("01", "01"), Number("+1", "+1"),
        Number("NaN", "NaN"), Number("in hexadecimal", "0x1"), Number("as text", "\"1\""), Number("null", "null"), Number("true", "true"), Number("of 100000 digits", new string('1', 100_000)),
        Long("2^53", "9007199254740992"), Long("2^63", "9223372036854775808"), Long("2^64", "18446744073709551616"), Long("-2^63 - 1", "-9223372036854775809"), Long("64.5", "64.5"), Long("6.4e1", "6.4e1"),
        Text("a member twice", j => "{\"urgency\":1," + j[1..]),
        Text("a member twice, the other value first", j => "{\"urgency\":0," + j[1..]),
        Text("an unknown member", j => j[..^1] + ",\"zz\":1}"),
        Text("a member in other letters", j => j.Replace("\"urgency\"", "\"Urgency\"", StringComparison.Ordinal)),
        Text("a member left out", j => j.Replace("\"urgency\":1,", "", StringComparison.Ordinal)),
        Text("a list that holds null", j => j.Replace("\"references\":[]", "\"references\":[null]", StringComparison.Ordinal)),
        Text("a list in the place of an object", j => j.Replace("\"seen\":null", "\"seen\":[]", StringComparison.Ordinal)),
        Text("100000 lists in each other", j => j.Replace("\"seen\":null", "\"seen\":" + new string('[', 100_000) + new string(']', 100_000), StringComparison.Ordinal)),
        Text("100000 objects in each other", j => j.Replace("\"seen\":null", "\"seen\":" + string.Concat(Enumerable.Repeat("{\"a\":", 100_000)) + "1" + new string('}', 100_000), StringComparison.Ordinal)),
        Text("lists that nobody ends", j => j + new string('[', 500_000)),
        Text("50000 members", j => j[..^1] + string.Concat(Enumerable.Range(0, 50_000).Select(i => $",\"z{i}\":1")) + "}"),
        Text("white space", j => j.Replace(",\"urgency\"", ", \"urgency\"", StringComparison.Ordinal)),
        Text("a newline at the end", j => j + "\n"),
        Text("another value behind it", j => j + "{}"),
        Text("a comment", j => j + "/**/"),
        Text("a comma at the end", j => j[..^1] + ",}"),
        Text("members in another order", j => j.Replace("\"urgency\":1,\"v\":1", "\"v\":1,\"urgency\":1", StringComparison.Ordinal)),
        Text("a letter escaped that need not be", j => j.Replace("gateway.test", "g\\u0061teway.test", StringComparison.Ordinal)),
        Text("a slash escaped", j => j.Replace("test/ledger", "test\\/ledger", StringComparison.Ordinal)),
        Text("an escape in capitals", j => j.Replace("gateway.test", "gateway\\u001F.test", StringComparison.Ordinal)),
        Text("half of a surrogate pair", j => j.Replace("gateway.test", "gateway\\ud800.test", StringComparison.Ordinal)),
        Text("the halves in the wrong order", j => j.Replace("gateway.test", "gateway\\udc00\\ud800.test", StringComparison.Ordinal)),
        Text("text that is not NFC", j => j.Replace("KHÔNG MẬT", "KHÔNG MẬT".Normalize(NormalizationForm.FormD), StringComparison.Ordinal)),
        Text("a digest with padding", j => j.Replace("\"commitment\":\"", "\"commitment\":\"=", StringComparison.Ordinal)),
        Text("an id in capitals", j => System.Text.RegularExpressions.Regex.Replace(j, "\"id\":\"[^\"]*\"", m => "\"id\":\"" + m.Value[6..^1].ToUpperInvariant() + "\"")),
        Text("an id in braces", j => System.Text.RegularExpressions.Regex.Replace(j, "\"id\":\"([^\"]*)\"", "\"id\":\"{$1}\"")),
        Bytes("a byte order mark", j => [0xef, 0xbb, 0xbf, .. j]),
        Bytes("UTF-16", j => Encoding.Unicode.GetBytes(Encoding.UTF8.GetString(j))),
        Bytes("nothing", _ => []),
        Bytes("null", _ => [.. "null"u8]),
        Bytes("half a million numbers", j => Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("0", 500_000))}]")),
        Gateway("an over-long slash", 0xc0, 0xaf),
        Gateway("an over-long slash in three bytes", 0xe0, 0x80, 0xaf),
        Gateway("an over-long NUL", 0xc0, 0x80),
        Gateway("a surrogate in UTF-8", 0xed, 0xa0, 0x80),
        Gateway("a character above U+10FFFF", 0xf4, 0x90, 0x80, 0x80),
        Gateway("a byte that no UTF-8 has", 0xff),
        Gateway("the beginning of a character", 0xe2, 0x80),
        Gateway("a raw NUL", 0),
        Gateway("a raw newline", 0x0a),
    ];
}
