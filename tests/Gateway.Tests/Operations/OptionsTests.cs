using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Exchange.Gateway.Operations;
using Exchange.Tests.Http;

namespace Exchange.Tests.Operations;

public sealed class OptionsTests
{
    static JsonObject Good() => JsonNode.Parse(Initialise.FromDevelopment("/d", DevPkiFolder.Root, new(System.Net.IPAddress.Loopback, 0), null, null).Options.Write())!.AsObject();

    static IReadOnlyList<string> Errors(JsonObject json) => Assert.Throws<OptionsException>(() => Options.Read(Encoding.UTF8.GetBytes(json.ToJsonString()))).Errors;

    public static TheoryData<string, string, long, long, long> Ranges()
    {
        var data = new TheoryData<string, string, long, long, long>();
        foreach (var (name, option) in Limits.All) data.Add("limits", name, option.Default, option.Min, option.Max);
        foreach (var (name, option) in QueueOptions.All) data.Add("queue", name, option.Default, option.Min, option.Max);
        return data;
    }

    [Theory, MemberData(nameof(Ranges))]
    public void Each_limit_and_each_option_of_the_queue_takes_its_range_and_nothing_beside_it(string section, string name, long @default, long min, long max)
    {
        const string First = "RetrySeconds", Longest = "RetryMostSeconds";
        Assert.InRange(@default, min, max);
        foreach (var value in new[] { min, max })
        {
            // A class's longest delay may not be shorter than its first: each is tried beside what leaves it free.
            var (json, members) = (Good(), new JsonObject());
            if (name.EndsWith(Longest, StringComparison.Ordinal)) members[name.Replace(Longest, First, StringComparison.Ordinal)] = 1;
            members[name] = value;
            if (name.EndsWith(First, StringComparison.Ordinal)) members[name.Replace(First, Longest, StringComparison.Ordinal)] = 86_400;
            json[section] = members;
            var read = Options.Read(Encoding.UTF8.GetBytes(json.ToJsonString()));
            object found = section == "limits" ? read.Limits : read.Queue;
            Assert.Equal(value, found.GetType().GetProperties().Single(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name) == name).GetValue(found));
            if (value != @default) Assert.Equal(members.ToJsonString(), JsonNode.Parse(read.Write())![section]!.ToJsonString());
        }
        foreach (var value in new[] { min - 1, max + 1 })
        {
            var json = Good();
            json[section] = new JsonObject { [name] = value };
            Assert.StartsWith($"{section}.{name}: must be an integer from {min} to {max}", Assert.Single(Errors(json)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_class_whose_longest_delay_is_shorter_than_its_first_is_named()
    {
        var json = Good();
        json["queue"] = new JsonObject { ["urgentRetrySeconds"] = 20, ["urgentRetryMostSeconds"] = 19 };
        Assert.Equal("queue: the longest delay of class 2 is shorter than its first", Assert.Single(Errors(json)));
    }

    [Fact]
    public void Everything_wrong_is_named_at_once()
    {
        var json = Good();
        json.Remove("origin");
        json["environment"] = "Test";
        json["listen"] = "here";
        json["operations"] = "192.0.2.1:80";
        json["guard"] = "relative";
        json["telemetry"] = "http://192.0.2.1:4318/";
        json["keys"]!["tls"] = 5;
        json["keys"]!["extra"] = "x";
        json["directoryOfficers"] = new JsonArray("x");
        json["surprise"] = true;
        json["limits"] = new JsonObject { ["pageSize"] = "many", ["unknown"] = 1 };
        var errors = Errors(json);
        Assert.All(["origin", "environment", "listen", "operations", "guard", "telemetry", "keys.tls", "keys.extra", "directoryOfficers", "surprise", "limits.pageSize", "limits.unknown"],
            name => Assert.Contains(errors, e => e.StartsWith(name + ":", StringComparison.Ordinal)));
        Assert.Equal(12, errors.Count);
    }

    [Theory]
    [InlineData("https://collector.example:4318/", true)]
    [InlineData("https://collector.example/otlp/", true)]
    [InlineData("http://127.0.0.1:4318/", true)]
    [InlineData("http://[::1]:4318/", true)]
    [InlineData("http://localhost:4318/", true)]
    [InlineData("http://collector.example:4318/", false)]
    [InlineData("https://collector.example/otlp", false)]
    [InlineData("https://user:secret@collector.example/", false)]
    [InlineData("https://collector.example/?key=secret", false)]
    [InlineData("https://collector.example/#here", false)]
    [InlineData("ftp://127.0.0.1/", false)]
    [InlineData("collector.example:4318", false)]
    [InlineData("", false)]
    public void A_collector_is_named_by_a_plain_URL_and_what_leaves_the_machine_is_encrypted(string url, bool good)
    {
        var json = Good();
        json["telemetry"] = url;
        if (good) Assert.Equal(url, JsonNode.Parse(Options.Read(Encoding.UTF8.GetBytes(json.ToJsonString())).Write())!["telemetry"]!.GetValue<string>());
        else Assert.StartsWith("telemetry: must be", Assert.Single(Errors(json)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_doubled_member_is_refused() => Assert.Throws<OptionsException>(() => Options.Read("""{"origin":"a","origin":"b"}"""u8.ToArray()));

    [Fact]
    public async Task A_gateway_with_bad_settings_does_not_start_and_touches_nothing()
    {
        await using var gateway = await TestGateway.Start();
        var settings = new Gateway.HostSettings { Logs = Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance };
        var file = Path.Combine(gateway.Data, Options.FileName);
        var good = await File.ReadAllTextAsync(file);

        var production = good.Replace("\"Development\"", "\"Production\"", StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, production);
        var refused = await Assert.ThrowsAsync<OptionsException>(() => Gateway.GatewayHost.Start(gateway.Data, settings));
        Assert.Contains(refused.Errors, e => e.Contains("development root", StringComparison.Ordinal));
        Assert.Equal(refused.Errors, Configuration.Check(gateway.Data, TimeProvider.System));

        await File.WriteAllTextAsync(file, good.Replace(gateway.Data + ".guard", gateway.Data + "/guard", StringComparison.Ordinal).Replace("tls.p12", "absent.p12", StringComparison.Ordinal));
        var both = await Assert.ThrowsAsync<OptionsException>(() => Gateway.GatewayHost.Start(gateway.Data, settings));
        Assert.Equal(2, both.Errors.Count);
        await File.WriteAllTextAsync(file, good);

        // Good again, but the folder is taken: the second refuses and the first serves on.
        await Assert.ThrowsAsync<Gateway.Journaling.CannotStartException>(() => Gateway.GatewayHost.Start(gateway.Data, settings));
        Assert.Equal(200, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/health")).Status);
    }
}
