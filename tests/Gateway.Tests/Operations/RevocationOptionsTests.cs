using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Gateway.Operations;
using Exchange.Tests.Http;

namespace Exchange.Tests.Operations;

public sealed class RevocationOptionsTests
{
    const string Url = "http://ca.example/issuing.crl";
    static readonly string Ca = Digest.Of([1]).ToString();

    static JsonObject With(JsonNode? revocation)
    {
        var json = JsonNode.Parse(Initialise.FromDevelopment("/d", DevPkiFolder.Root, new(System.Net.IPAddress.Loopback, 0), null, null).Options.Write())!.AsObject();
        json["revocation"] = revocation;
        return json;
    }

    static Options Read(JsonNode? revocation) => Options.Read(Encoding.UTF8.GetBytes(With(revocation).ToJsonString()));
    static IReadOnlyList<string> Errors(string revocation) => Assert.Throws<OptionsException>(() => Read(JsonNode.Parse(revocation))).Errors;

    [Fact]
    public void Sources_are_read_and_written_as_they_stand()
    {
        var json = $$"""{"crls":["{{Url}}","https://ca.example/root.crl"],"responders":[{"url":"http://ocsp.example/","issuer":"{{Ca}}"},{"url":"http://old.example/","issuer":"{{Ca}}","nonce":"no","certId":"sha1"}],"everyMinutes":30}""";
        var options = Read(JsonNode.Parse(json)).Revocation;
        Assert.Equal((30, 5, 20, 16 << 20, 2), (options.EveryMinutes, options.RetryMinutes, options.Seconds, options.CrlBytes, options.Redirects));
        Assert.Equal([(true, false), (false, true)], options.Responders.Select(r => (r.Nonce, r.Sha1)));
        Assert.Equal(json, JsonNode.Parse(Read(JsonNode.Parse(json)).Write())!["revocation"]!.ToJsonString());
        Assert.True(Options.Read(Initialise.FromDevelopment("/d", DevPkiFolder.Root, new(System.Net.IPAddress.Loopback, 0), null, null).Options.Write()).Revocation.IsNone);
    }

    [Fact]
    public void Each_number_takes_its_range_and_nothing_beside_it()
    {
        foreach (var (name, option) in RevocationOptions.All)
        {
            JsonObject Value(long value) => new() { ["crls"] = new JsonArray(Url), [name] = value };
            foreach (var value in new[] { option.Min, option.Max })
            {
                var read = Read(Value(value));
                Assert.Equal(value, typeof(RevocationOptions).GetProperties().Single(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name) == name).GetValue(read.Revocation));
            }
            foreach (var value in new[] { option.Min - 1, option.Max + 1 })
                Assert.StartsWith($"revocation.{name}: must be an integer from {option.Min} to {option.Max}", Assert.Single(Errors(Value(value).ToJsonString())), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{}""", "revocation: names no source")]
    [InlineData("""{"crls":["ftp://ca.example/x"]}""", "revocation.crls")]
    [InlineData("""{"crls":["http://u:p@ca.example/x"]}""", "revocation.crls")]
    [InlineData("""{"crls":["http://ca.example/x?token=1"]}""", "revocation.crls")]
    [InlineData("""{"crls":["http://ca.example/x","http://ca.example/x"]}""", "revocation.crls")]
    [InlineData("""{"crls":"http://ca.example/x"}""", "revocation.crls")]
    [InlineData("""{"crls":["http://ca.example/x"],"proxy":"x"}""", "revocation.proxy: no such option")]
    [InlineData("""{"responders":[{"url":"http://ocsp.example/"}]}""", "revocation.responders[0].issuer: missing")]
    [InlineData("""{"responders":[{"url":"file:///x","issuer":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}""", "revocation.responders[0].url")]
    [InlineData("""{"responders":[{"url":"http://o.example/","issuer":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","nonce":"maybe"}]}""", "revocation.responders[0].nonce")]
    [InlineData("""{"responders":[{"url":"http://o.example/","issuer":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","certId":"md5"}]}""", "revocation.responders[0].certId")]
    [InlineData("""{"responders":[5]}""", "revocation.responders[0]: must be an object")]
    public void Anything_else_is_named(string json, string error) => Assert.Contains(Errors(json), e => e.StartsWith(error, StringComparison.Ordinal));

    [Fact]
    public async Task A_responder_for_a_CA_that_is_not_trusted_here_keeps_the_gateway_from_starting()
    {
        var options = RevocationOptions.None with { Responders = [new(new("http://ocsp.example/"), Digest.Of([1]), Nonce: true, Sha1: false)] };
        var wrong = await Assert.ThrowsAsync<OptionsException>(() => TestGateway.Start(options: o => o with { Revocation = options }));
        Assert.Contains("revocation.responders[0].issuer: no CA of the trust folder has this key", wrong.Errors);
    }
}
