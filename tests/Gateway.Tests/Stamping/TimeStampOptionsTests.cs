using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.TimeStamps;
using Exchange.Gateway;
using Exchange.Gateway.Operations;
using Exchange.Office.Dev;
using Exchange.Tests.Http;
using Exchange.Tests.Witnesses;

namespace Exchange.Tests.Stamping;

/// <summary>"timeStamp" in gateway.json, and a gateway that has it.</summary>
public sealed class TimeStampOptionsTests
{
    const string Url = "http://tsa.example/";

    static Options Read(JsonNode? asked)
    {
        var json = JsonNode.Parse(Initialise.FromDevelopment("/d", DevPkiFolder.Root, new(System.Net.IPAddress.Loopback, 0), null, null).Options.Write())!.AsObject();
        json["timeStamp"] = asked;
        return Options.Read(Encoding.UTF8.GetBytes(json.ToJsonString()));
    }

    static IReadOnlyList<string> Errors(string asked) => Assert.Throws<OptionsException>(() => Read(JsonNode.Parse(asked))).Errors;

    [Fact]
    public void Authorities_are_read_and_written_as_they_stand()
    {
        var json = $$"""{"urls":["{{Url}}","https://second.example/tsa"],"policy":"1.2.3.4","minutes":5,"dayEndHour":17}""";
        var options = Read(JsonNode.Parse(json)).TimeStamp!;
        Assert.Equal((5, 17, 420, 20), (options.Minutes, options.DayEndHour, options.UtcOffsetMinutes, options.Seconds));
        Assert.Equal(json, JsonNode.Parse(Read(JsonNode.Parse(json)).Write())!["timeStamp"]!.ToJsonString());
        Assert.Null(Options.Read(Initialise.FromDevelopment("/d", DevPkiFolder.Root, new(System.Net.IPAddress.Loopback, 0), null, null).Options.Write()).TimeStamp);
    }

    [Fact]
    public void Each_number_takes_its_range_and_nothing_beside_it()
    {
        foreach (var (name, option) in TimeStampOptions.All)
        {
            JsonObject Value(long value) => new() { ["urls"] = new JsonArray(Url), [name] = value };
            foreach (var value in new[] { option.Min, option.Max })
                Assert.Equal(value, typeof(TimeStampOptions).GetProperties().Single(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name) == name).GetValue(Read(Value(value)).TimeStamp));
            foreach (var value in new[] { option.Min - 1, option.Max + 1 })
                Assert.StartsWith($"timeStamp.{name}: must be an integer from {option.Min} to {option.Max}", Assert.Single(Errors(Value(value).ToJsonString())), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{}""", "timeStamp.urls: must name 1 to 8")]
    [InlineData("""{"urls":[]}""", "timeStamp.urls: must name 1 to 8")]
    [InlineData("""{"urls":"http://tsa.example/"}""", "timeStamp.urls")]
    [InlineData("""{"urls":["ftp://tsa.example/"]}""", "timeStamp.urls")]
    [InlineData("""{"urls":["http://u:p@tsa.example/"]}""", "timeStamp.urls")]
    [InlineData("""{"urls":["http://tsa.example/?key=1"]}""", "timeStamp.urls")]
    [InlineData("""{"urls":["http://tsa.example/","http://tsa.example/"]}""", "timeStamp.urls")]
    [InlineData("""{"urls":["http://tsa.example/"],"policy":"none"}""", "timeStamp.policy: must be a dotted OID")]
    [InlineData("""{"urls":["http://tsa.example/"],"trust":"x"}""", "timeStamp.trust: no such option")]
    [InlineData("""{"urls":["http://tsa.example/"],"minutes":"10"}""", "timeStamp.minutes")]
    [InlineData("""[]""", "timeStamp: must be an object")]
    public void What_cannot_be_meant_is_named(string asked, string error) => Assert.Contains(Errors(asked), e => e.StartsWith(error, StringComparison.Ordinal));

    [Fact, Trait("tier", "long")]
    public async Task A_running_gateway_shows_its_tokens_to_offices_and_auditors_and_alarms_once_when_nobody_gives_any()
    {
        await using var authority = await ScriptedWitness.Start();
        var key = DevPkiFolder.Key("tsa", "tsa.p12");
        await using var gateway = await TestGateway.Start(options: o => o with { TimeStamp = TimeStampOptions.Of([authority.Address]) });
        authority.Answer = _ => (503, "text/plain", []);
        async Task Publish(TimeSpan after)
        {
            Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
            gateway.Clock.Advance(after);
            await gateway.Host.Loops.StepAll();
        }
        (int Code, string Text) Look() => TimeStampCommands.Look(gateway.Data, gateway.Clock) is var (code, lines) ? (code, string.Join('\n', lines)) : default;

        await Publish(TimeSpan.FromSeconds(10));
        var waiting = gateway.Host.Shared.Ledger.Newest!.Size;
        Assert.True(Look() is (2, var pending) && pending.Contains($"checkpoint {waiting}: pending since", StringComparison.Ordinal));
        for (var minutes = 0; minutes < 120; minutes += 5)
        {
            gateway.Clock.Advance(TimeSpan.FromMinutes(5));
            await gateway.Host.Loops.StepAll();
        }
        Assert.Single(gateway.Alarms.Raised, a => a.Code == AlarmCode.TimeStampPending);
        Assert.Equal(404, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/ledger/checkpoints/{waiting}/timestamp")).Status);

        authority.Answer = query => (200, TimeStampQuery.ReplyType, new DevTimeStamps(key).Answer(query, gateway.Clock.GetUtcNow()));
        await Publish(TimeSpan.FromMinutes(6));
        await gateway.Host.Loops.StepAll();
        Assert.Contains(gateway.Alarms.Raised, a => a is { Code: AlarmCode.Over, Detail: nameof(AlarmCode.TimeStampPending) });
        Assert.True(Look() is (0, var good) && good.Contains("time-stamped", StringComparison.Ordinal) && !good.Contains("pending", StringComparison.Ordinal));

        foreach (var client in new[] { gateway.As("H41"), gateway.AsAuditor("AUDIT-MAT") })
        {
            var listed = (await TestGateway.Send(client, HttpMethod.Get, "/ledger/checkpoints")).Json.GetProperty("checkpoints").EnumerateArray().Where(c => c.GetProperty("timeStamped").GetBoolean()).ToList();
            Assert.NotEmpty(listed);
            foreach (var (size, note) in listed.Select(c => (c.GetProperty("size").GetInt64(), c.GetProperty("note").GetString()!)))
            {
                var answer = await TestGateway.Send(client, HttpMethod.Get, $"/ledger/checkpoints/{size}/timestamp");
                Assert.Equal((200, "application/cms"), (answer.Status, answer.Type));
                CheckpointStamp.Run(answer.Body, Checkpoint.Parse(SignedNote.Read(Encoding.UTF8.GetBytes(note)).Text), gateway.Host.Shared.Worlds.Current.Trust);
            }
        }
        Assert.Equal((404, "E_NOT_FOUND"), (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/ledger/checkpoints/1/timestamp")) is var none ? (none.Status, none.Code) : default);
        Assert.Equal((404, "E_NOT_FOUND"), (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/ledger/checkpoints/x/timestamp")) is var word ? (word.Status, word.Code) : default);
    }
}
