using System.Text.Json.Nodes;
using Exchange.Adapters;
using Exchange.Crypto.Envelope;
using Exchange.Tests.Http;

namespace Exchange.Tests.Delivery;

/// <summary>A channel that others run gets copies sealed once more.</summary>
public sealed class SealedCopyTests : IAsyncLifetime
{
    readonly ScriptedAdapter relay = new() { EndsAtOffice = false };
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.Start(adapters: relay);
        await gateway.Reach("H41", "https");
    }

    public ValueTask DisposeAsync() => gateway.DisposeAsync();

    string[] Kept => Directory.GetFiles(Path.Combine(gateway.Data, "sealed"), "*", SearchOption.AllDirectories);

    [Fact]
    public async Task Every_try_sends_the_same_bytes_also_after_a_restart_and_none_are_kept_afterwards()
    {
        var (_, file) = await gateway.SealFile("H41", size: 1_500_000);
        var accepted = await gateway.Submit(file);
        var receipts = new List<int>();
        relay.Answer = (parcel, _, _) =>
        {
            receipts.Add(parcel.Receipt.Length);
            return Task.FromResult<DeliveryOutcome>(relay.Received.Count < 3 ? new DeliveryOutcome.TryLater("not now") : new DeliveryOutcome.Delivered(null));
        };
        await gateway.Deliver();
        Assert.Single(Kept);
        await NextTry();
        await gateway.Restart();
        await NextTry();
        Assert.Equal(3, relay.Received.Count);
        Assert.Single(relay.Received.DistinctBy(Convert.ToHexString));
        Assert.Equal([0, 0, 0], receipts);
        Assert.Empty(Kept);
        using var envelope = new MemoryStream();
        var inside = await SealedParcelOpener.OpenAsync(new MemoryStream(relay.Received.First()), [DevPkiFolder.Key("offices", "H41", "encrypt.p12")], envelope, TestContext.Current.CancellationToken);
        Assert.Equal(file, envelope.ToArray());
        Assert.Equal(accepted.Body, inside.Receipt);
    }

    [Fact]
    public async Task What_a_crash_left_half_sealed_is_swept_and_a_copy_that_nobody_wants_any_more_too()
    {
        await gateway.Submit((await gateway.SealFile("H41")).File);
        relay.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.TryLater("not now"));
        await gateway.Deliver();
        var kept = Assert.Single(Kept);
        var half = Path.Combine(Path.GetDirectoryName(kept)!, ".tmp-half");
        await File.WriteAllTextAsync(half, "half", TestContext.Current.CancellationToken);
        var name = Guid.CreateVersion7().ToString("N");
        var stray = Path.Combine(Directory.CreateDirectory(Path.Combine(gateway.Data, "sealed", name[^4..^2], name[^2..])).FullName, name);
        await File.WriteAllTextAsync(stray, "of a copy that has ended", TestContext.Current.CancellationToken);
        await gateway.Restart();
        Assert.Equal([kept, stray], Kept.Order(StringComparer.Ordinal).OrderBy(f => f != kept));
        gateway.Clock.Advance(TimeSpan.FromHours(48));
        File.SetLastWriteTimeUtc(stray, gateway.Clock.GetUtcNow().AddHours(-30).UtcDateTime);
        File.SetLastWriteTimeUtc(kept, gateway.Clock.GetUtcNow().AddHours(-30).UtcDateTime);
        gateway.Host.Shared.Sealed.Step(gateway.Host.Shared.Engine);
        Assert.Equal([kept], Kept);
    }

    [Fact]
    public async Task A_copy_is_not_sealed_out_of_the_reserve_and_is_once_there_is_room()
    {
        await gateway.Submit((await gateway.SealFile("H41")).File);
        await Reserve(1L << 40);
        Assert.Equal(1, await gateway.Deliver());
        Assert.Empty(relay.Received);
        Assert.Empty(Kept);
        await Reserve(0);
        await NextTry();
        Assert.Single(relay.Received);
    }

    async Task Reserve(long bytes)
    {
        var config = Path.Combine(gateway.Data, "gateway.json");
        var json = JsonNode.Parse(await File.ReadAllBytesAsync(config, TestContext.Current.CancellationToken))!.AsObject();
        json["limits"] = new JsonObject { ["reserveBytes"] = bytes };
        await File.WriteAllTextAsync(config, json.ToJsonString(), TestContext.Current.CancellationToken);
        await gateway.Restart();
    }

    async Task NextTry()
    {
        gateway.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(1, await gateway.Deliver());
    }
}
