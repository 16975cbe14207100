using System.Text;
using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Tests.Statements;

public sealed class StrictJsonTests
{
    static readonly Approval Sample = new()
    {
        V = 1, Type = "approval", Signers = [Digest.Of([0])], Act = "send", Dispatch = Digest.Of([1]), From = "G22", To = ["H41"], NotAfter = 1,
        Label = new Label { Policy = "2.25.1.3.1", Class = 20, Mark = "MẬT", Categories = [], Basis = "K1", Term = null, Caveats = [] },
    };

    static byte[] Bytes(Approval value) => StrictJson.Write(value, StatementJson.Default.Approval);
    static Refusal Refused(string json) => Assert.Throws<RefusedException>(() => StrictJson.Read(Encoding.UTF8.GetBytes(json), StatementJson.Default.Approval)).Refusal;

    [Fact]
    public void Members_are_sorted_without_white_space_and_text_is_raw_UTF8()
    {
        var text = Encoding.UTF8.GetString(Bytes(Sample));
        Assert.StartsWith("""{"act":"send","dispatch":""", text, StringComparison.Ordinal);
        Assert.Contains("\"mark\":\"MẬT\"", text, StringComparison.Ordinal);
        Assert.Contains("\"term\":null", text, StringComparison.Ordinal);
    }

    // RFC 8785 3.2.2.2 and 3.2.3
    [Theory]
    [InlineData("\u20ac$\u000f\nA'B\"\\\\\"/", """€$\u000f\nA'B\"\\\\\"/""")]
    [InlineData("\u007f\u2028\u0000", "\u007f\u2028\\u0000")]
    public void Strings_are_escaped_as_RFC_8785_says(string value, string escaped) =>
        Assert.Contains("\"from\":\"" + escaped + "\"", Encoding.UTF8.GetString(Bytes(Sample with { From = value })), StringComparison.Ordinal);

    [Fact]
    public void Every_member_removed_or_doubled_or_unknown_is_refused()
    {
        var text = Encoding.UTF8.GetString(Bytes(Sample));
        foreach (var member in new[] { "\"act\":\"send\",", "\"from\":\"G22\",", "\"notAfter\":1,", "\"term\":null", "\"basis\":\"K1\"," })
        {
            Assert.Contains(member, text, StringComparison.Ordinal);
            Assert.Equal(Refusal.Json, Refused(text.Replace(member, "", StringComparison.Ordinal).Replace(",}", "}", StringComparison.Ordinal)));
            Assert.Equal(Refusal.Json, Refused(text.Replace(member, member.TrimEnd(',') + "," + member, StringComparison.Ordinal)));
        }
        Assert.Equal(Refusal.Json, Refused(text.Replace("{\"act\"", "{\"aaa\":1,\"act\"", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("\"notAfter\":1", "\"notAfter\":1.0")]
    [InlineData("\"notAfter\":1", "\"notAfter\":1e0")]
    [InlineData("\"notAfter\":1", "\"notAfter\":-0")]
    [InlineData("\"notAfter\":1", "\"notAfter\":01")]
    [InlineData("\"notAfter\":1", "\"notAfter\":9007199254740992")]
    [InlineData("\"notAfter\":1", "\"notAfter\": 1")]
    [InlineData("\"notAfter\":1", "\"notAfter\":\"1\"")]
    [InlineData("\"from\":\"G22\"", "\"from\":\"G\\u00322\"")]
    [InlineData("\"from\":\"G22\"", "\"from\":\"\\ud800\"")]
    [InlineData("\"from\":\"G22\"", "\"from\":\"e\u0301\"")]
    [InlineData("\"from\":\"G22\"", "\"from\":null")]
    [InlineData("\"to\":[\"H41\"]", "\"to\":[\"H41\",]")]
    [InlineData("\"to\":[\"H41\"]", "\"to\":[null]")]
    [InlineData("\"act\":\"send\"", "\"Act\":\"send\"")]
    public void A_second_spelling_of_a_value_is_refused(string canonical, string other)
    {
        var text = Encoding.UTF8.GetString(Bytes(Sample));
        Assert.Contains(canonical, text, StringComparison.Ordinal);
        Assert.Equal(Refusal.Json, Refused(text.Replace(canonical, other, StringComparison.Ordinal)));
    }

    [Fact]
    public void Text_with_bytes_around_it_is_refused()
    {
        var text = Encoding.UTF8.GetString(Bytes(Sample));
        Assert.Equal(Refusal.Json, Refused(text + "\n"));
        Assert.Equal(Refusal.Json, Refused("\ufeff" + text));
        Assert.Equal(Refusal.Json, Refused(text + text));
        Assert.Equal(Refusal.Json, Refused(""));
        Assert.Equal(Refusal.Json, Refused("null"));
    }

    [Fact]
    public void Text_that_is_not_NFC_is_not_written() =>
        Assert.Throws<ArgumentException>(() => Bytes(Sample with { From = "e\u0301" }));

    [Fact]
    public void Whatever_is_written_reads_back_to_the_same_bytes() =>
        CsCheck.Gen.Select(CsCheck.Gen.String, CsCheck.Gen.Long[-StrictJson.MaxInteger, StrictJson.MaxInteger]).Sample((text, number) =>
        {
            var clean = new string([.. text.Where(c => !char.IsSurrogate(c))]).Normalize(NormalizationForm.FormC);
            var bytes = Bytes(Sample with { From = clean, NotAfter = number });
            var read = StrictJson.Read(bytes, StatementJson.Default.Approval);
            Assert.Equal((clean, number), (read.From, read.NotAfter));
            Assert.Equal(bytes, Bytes(read));
        }, iter: 2000);
}
