using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Mailbox;
using Exchange.Gateway.Release;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Release;

/// <summary>What an office may send and fetch is bounded by the certificate that it is signed in with: nothing that this lacks is made up for by keys or standing.</summary>
public sealed class SessionTests : IAsyncLifetime
{
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start();
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    /// <summary>Of the trusted CA, with a clearance, and not good for a session: it gives none.</summary>
    static Certificate Useless => DevPkiFolder.Sign("H41").Certificate;

    static Certificate Good(string office)
    {
        using var tls = DevPkiFolder.Tls(office);
        return new Certificate(tls.RawData);
    }

    [Fact]
    public async Task A_copy_is_not_handed_out_through_a_session_that_lacks_its_level_and_does_not_end_on_it()
    {
        var (_, _, parcel) = await gateway.Accepted("H41", "H41", "mat");
        var shared = gateway.Host.Shared;
        var download = new DownloadParcel(new ReleaseParcel(shared), new EndParcel(shared), new Exchange.Gateway.Release.HandedOut(gateway.Clock), gateway.Clock);
        Assert.Equal(Refusal.NotReleasable, (await Assert.ThrowsAsync<RefusedException>(() => download.Open("H41", Useless, parcel))).Refusal);
        using (var reader = shared.Engine.Reader()) Assert.Equal(ParcelState.Available, ParcelTable.Find(reader, "H41", parcel)!.State);
        using var content = (await download.Open("H41", Good("H41"), parcel)).Content;
        Assert.True(content.Length > 0);
    }

    [Fact]
    public void A_sender_is_cleared_for_no_more_than_his_session()
    {
        var (world, now) = (gateway.Host.Shared.Worlds.Current, gateway.Clock.GetUtcNow());
        DecisionFacts Asked(Certificate session) => ReleaseFacts.OfDryRun("G22", session, world.Policy.NewLabel("thuong", null), [("H41", "to")], [], world, now);
        Assert.Null(Asked(Useless).SenderClearance);
        Assert.NotNull(Asked(Good("G22")).SenderClearance);
        Assert.Equal(Refusal.SenderNotCleared, Decision.Decide(gateway.Host.Shared.Circumstances.Complete(Asked(Useless), world.Policy, now), world.Policy, now).ForSender);
        Assert.Equal(Verdict.Permit, Decision.Decide(gateway.Host.Shared.Circumstances.Complete(Asked(Good("G22")), world.Policy, now), world.Policy, now).Verdict);
    }
}
