using Exchange.Adapters;
using Exchange.Gateway.Delivery;
using Exchange.Tests.Http;
using Microsoft.Extensions.Time.Testing;

namespace Exchange.Tests.Delivery;

public sealed class PingOfficeTests : IAsyncLifetime
{
    readonly ScriptedAdapter h41 = new();
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start(adapters: h41);
    public ValueTask DisposeAsync() => gateway.DisposeAsync();

    async Task<(bool Good, string Text)> Ping(string office, TimeProvider? clock = null)
    {
        var shared = gateway.Host.Shared;
        var (good, lines) = await new PingOffice(shared.Worlds.Current, shared.Engine, [h41], clock ?? gateway.Clock).Run(office, TestContext.Current.CancellationToken);
        return (good, string.Join('\n', lines));
    }

    [Fact]
    public async Task An_office_that_is_not_there_is_told_from_one_that_is_misspelt()
    {
        var (good, text) = await Ping("H99");
        Assert.False(good);
        Assert.Contains("no office H99 in version 1, which has 4", text, StringComparison.Ordinal);
        Assert.Contains("exchange-gateway activate", text, StringComparison.Ordinal);
        Assert.Contains("did you mean H41?", (await Ping("h41")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mailbox_is_good_and_says_what_waits_and_when_its_office_was_last_heard_of()
    {
        var (good, text) = await Ping("H41");
        Assert.True(good, text);
        Assert.Contains("good   mailbox: nothing waits", text, StringComparison.Ordinal);
        Assert.Contains("not known here", text, StringComparison.Ordinal);
        var (_, file) = await gateway.SealFile("H41");
        await gateway.Submit(file);
        Assert.Contains("good   mailbox: 1 waiting, the oldest since ", (await Ping("H41")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("asked: connection: ConnectionRefused", "WRONG  https: connection: ConnectionRefused", "starts exchange receive")]
    [InlineData("asked: certificate: not the one of this office", "WRONG  https: certificate: not the one", "another key answers there")]
    [InlineData("asked: HTTP 500", "WRONG  https: HTTP 500", "was reached, and answers badly")]
    [InlineData("asked: no answer in time", "WRONG  https: no answer in time", "firewalls")]
    public async Task A_channel_that_does_not_answer_is_named_with_what_to_do(string reason, string wrong, string remedy)
    {
        await gateway.Reach("H41", "https");
        h41.Holds = _ => new DeliveryOutcome.Unknown(reason);
        var (good, text) = await Ping("H41");
        Assert.False(good);
        Assert.Contains(wrong, text, StringComparison.Ordinal);
        Assert.Contains(remedy, text, StringComparison.Ordinal);
        h41.Holds = _ => null;
        (good, text) = await Ping("H41");
        Assert.True(good, text);
        Assert.Empty(h41.Received);
        await gateway.Reach("H41", "folder");
        Assert.Contains("not configured here", (await Ping("H41")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_about_to_end_are_noted_and_a_clearance_that_has_ended_is_wrong()
    {
        var late = new FakeTimeProvider(gateway.Clock.GetUtcNow().AddDays(715));
        var (good, text) = await Ping("H41", late);
        Assert.True(good, text);
        Assert.Contains("note   tls: the last key ends ", text, StringComparison.Ordinal);
        late.Advance(TimeSpan.FromDays(30));
        (good, text) = await Ping("H41", late);
        Assert.False(good);
        Assert.Contains("WRONG  standing: the clearance is not valid today", text, StringComparison.Ordinal);
    }
}
