using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Tests.Delivery;
using Exchange.Tests.Http;

namespace Exchange.Tests.Release;

/// <summary>The decision before a copy leaves: under both policies, and never final on a state of the gateway itself.</summary>
public sealed class DecidedAgainTests : IAsyncLifetime
{
    readonly ScriptedAdapter h41 = new();
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start(adapters: h41);
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    async Task<(int Status, string? Code)> Download(Guid parcel)
    {
        var answer = await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/mailbox/{parcel}");
        return (answer.Status, answer.Code);
    }

    async Task<string?> State(SealedEnvelope envelope) =>
        (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id}")).Json.GetProperty("copies")[0].GetProperty("state").GetString();

    static PolicyHandling Strict(PolicyHandling handling) => handling with { Directory = new(1, "deny") };

    [Fact]
    public async Task A_look_that_ends_while_a_decision_is_made_is_not_one_from_the_future()
    {
        var (_, _, parcel) = await gateway.Accepted("H41", "H41", "mat");
        gateway.Host.Shared.Circumstances.Looked(gateway.Clock.GetUtcNow().AddSeconds(5));
        Assert.Equal((200, null), await Download(parcel));
        // Before the clock was set back: nobody knows when that was.
        gateway.Host.Shared.Circumstances.Looked(gateway.Clock.GetUtcNow().AddMinutes(2));
        Assert.Equal((503, "E_BUSY"), await Download(parcel));
    }

    [Fact]
    public async Task A_directory_so_late_that_a_copy_waits_says_to_ask_again()
    {
        var (envelope, _, parcel) = await gateway.Accepted("H41", "H41", "mat");
        gateway.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal((503, "E_BUSY"), await Download(parcel));
        Assert.Equal("available", await State(envelope));
    }

    [Fact]
    public async Task A_late_directory_stops_a_download_and_ends_nothing()
    {
        await gateway.Handle("thuong", Strict);
        var (envelope, _, parcel) = await gateway.Accepted("H41", "H41");
        gateway.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal((503, "E_BUSY"), await Download(parcel));
        Assert.Equal("available", await State(envelope));
        await gateway.Host.Loops.StepAll();
        Assert.Equal((200, null), await Download(parcel));
    }

    [Fact]
    public async Task A_late_directory_stops_a_delivery_and_ends_nothing()
    {
        await gateway.Handle("thuong", Strict);
        await gateway.Reach("H41", "https");
        var (envelope, file) = await gateway.SealFile("H41");
        Assert.Equal(201, (await gateway.Submit(file)).Status);
        gateway.Clock.Advance(TimeSpan.FromMinutes(2));
        await gateway.Deliver();
        Assert.Empty(h41.Received);
        Assert.Equal("queued", await State(envelope));
        gateway.Clock.Advance(TimeSpan.FromHours(2));
        await gateway.Host.Loops.StepAll();
        await gateway.Deliver();
        Assert.Equal(file, Assert.Single(h41.Received));
    }

    [Fact]
    public async Task A_late_directory_does_not_end_what_is_held()
    {
        await gateway.Handle("toi-mat", Strict);
        var (envelope, file) = await gateway.SealFile("H41", "toi-mat");
        Assert.Equal(202, (await gateway.Submit(file)).Status);
        var dispatch = $"/dispatches/{EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id}";
        gateway.Clock.Advance(TimeSpan.FromMinutes(2));
        foreach (var person in new[] { "release-1", "release-2" })
            Assert.Equal(201, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Post, dispatch + "/approvals", gateway.Word(envelope, person, ApprovalAct.Release, null, "G22"))).Status);
        Assert.Equal("held", (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, dispatch)).Json.GetProperty("state").GetString());
        await gateway.Host.Loops.StepAll();
        Assert.Equal("accepted", (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, dispatch)).Json.GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_policy_loosened_after_acceptance_releases_nothing_that_the_one_of_acceptance_does_not()
    {
        var (envelope, parcel) = await Released();
        await gateway.Reach("H41", "folder");
        await gateway.Handle("toi-mat", h => h with { Channels = ["folder", .. h.Channels] });
        Assert.Equal((403, "E_NOT_RELEASABLE"), await Download(parcel));
        Assert.Equal("refused", await State(envelope));
    }

    [Fact]
    public async Task A_policy_tightened_after_acceptance_stops_what_it_does_not_release()
    {
        var (envelope, parcel) = await Released();
        await gateway.Govern(p => p with { Levels = [.. p.Levels.Select(l => l.Code is "toi-mat" or "tuyet-mat" ? l with { Handling = l.Handling with { Channels = ["https"] } } : l)] });
        Assert.Equal((403, "E_NOT_RELEASABLE"), await Download(parcel));
        Assert.Equal("refused", await State(envelope));
    }

    [Fact]
    public async Task A_new_policy_that_permits_as_the_one_before_changes_nothing()
    {
        var (_, parcel) = await Released();
        await gateway.Handle("thuong", h => h with { PayloadDays = 30 });
        Assert.Equal((200, null), await Download(parcel));
    }

    async Task<(SealedEnvelope Envelope, Guid Parcel)> Released()
    {
        var (envelope, file) = await gateway.SealFile("H41", "toi-mat", r => r with { Releasers = [DevPkiFolder.Person("G22", "release-1"), DevPkiFolder.Person("G22", "release-2")] });
        Assert.Equal(201, (await gateway.Submit(file)).Status);
        return (envelope, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels")[0].GetProperty("parcel").GetGuid());
    }
}
