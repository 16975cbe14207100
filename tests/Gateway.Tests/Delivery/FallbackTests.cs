using System.Text.Json;
using Exchange.Adapters;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Delivery;

/// <summary>An office with more than one channel: the next one is used while the first does not work, if the label may go by it.</summary>
public sealed class FallbackTests : IAsyncLifetime
{
    readonly ScriptedAdapter first = new(), second = new() { Name = "sftp" };
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.Start(adapters: [first, second]);
        first.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.TryLater("connection: refused"));
    }

    public async ValueTask DisposeAsync()
    {
        var shared = gateway.Host.Shared;
        Assert.Empty(StoreCheck.Run(shared.Engine, shared.Blobs, []));
        await gateway.DisposeAsync();
    }

    [Fact]
    public async Task The_next_channel_carries_while_the_first_is_down_and_the_first_again_when_it_is_back()
    {
        await Reach(new StandingChannel("sftp", null, []));
        var id = await Accepted();
        for (var i = 0; i < 40 && second.Received.IsEmpty; i++)
        {
            await gateway.Deliver();
            gateway.Clock.Advance(TimeSpan.FromSeconds(2));
        }
        Assert.Equal("delivered", (await Copy(id)).GetProperty("state").GetString());
        Assert.Equal(["https", "https", "https", "https", "https", "sftp"], Tried());

        // While the breaker is open everything goes by the second; one probe finds the first well again.
        await Accepted();
        await gateway.Deliver();
        Assert.Equal("sftp", Tried()[^1]);
        first.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(null));
        gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        await Accepted();
        await Accepted();
        await gateway.Deliver();
        Assert.Equal(["https", "sftp"], Tried().TakeLast(2).Order());
        await Accepted();
        await gateway.Deliver();
        Assert.Equal("https", Tried()[^1]);
    }

    [Fact]
    public async Task A_label_that_the_next_channel_may_not_carry_waits_for_the_first()
    {
        await Reach(new StandingChannel("sftp", null, []));
        var id = await Accepted("mat");
        for (var i = 0; i < 20; i++)
        {
            await gateway.Deliver();
            gateway.Clock.Advance(TimeSpan.FromSeconds(5));
        }
        Assert.Equal("queued", (await Copy(id)).GetProperty("state").GetString());
        Assert.Empty(second.Received);
        first.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(null));
        gateway.Clock.Advance(TimeSpan.FromMinutes(5));
        await gateway.Deliver();
        Assert.Equal("delivered", (await Copy(id)).GetProperty("state").GetString());
        Assert.DoesNotContain("sftp", Tried());
    }

    [Fact, Trait("tier", "long")]
    public async Task A_mailbox_behind_a_channel_that_is_down_holds_the_copy_for_its_office()
    {
        await Reach(new StandingChannel("mailbox", null, []));
        var id = await Accepted();
        for (var i = 0; i < 40 && (await Copy(id)).GetProperty("state").GetString() == "queued"; i++)
        {
            await gateway.Deliver();
            gateway.Clock.Advance(TimeSpan.FromSeconds(2));
        }
        Assert.Equal("available", (await Copy(id)).GetProperty("state").GetString());
        Assert.Single((await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels").EnumerateArray());
    }

    Task Reach(params StandingChannel[] behind) => gateway.Activate(DevPkiFolder.Standing(2, o => o.Code == "H41" ? o with { Channel = o.Channel with { Adapter = "https" }, Fallbacks = behind } : o));

    async Task<Guid> Accepted(string level = "thuong")
    {
        var (_, file) = await gateway.SealFile("H41", level, r => r with { Urgency = 3 });
        var answer = await gateway.Submit(file);
        Assert.True(answer.Status == 201, answer.Text);
        return answer.Receipt.Envelope;
    }

    async Task<JsonElement> Copy(Guid id) => (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{id}")).Json.GetProperty("copies")[0];

    List<string> Tried()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return [.. reader.Query<string>("SELECT channel FROM attempt ORDER BY rowid")];
    }
}
