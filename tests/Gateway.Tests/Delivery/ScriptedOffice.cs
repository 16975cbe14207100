using System.Text.Json;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Delivery;

/// <summary>A gateway of its own for each test, that reaches H41 by a channel which the test plays. Whatever the test did, what was promised is there.</summary>
public abstract class ScriptedOffice : IAsyncLifetime
{
    private protected readonly ScriptedAdapter h41 = new();
    private protected TestGateway gateway = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.Start(adapters: h41);
        await gateway.Reach("H41", "https");
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        var shared = gateway.Host.Shared;
        Assert.Empty(StoreCheck.Run(shared.Engine, shared.Blobs, []));
        await gateway.DisposeAsync();
    }

    /// <summary>As its sender is told.</summary>
    private protected async Task<JsonElement> Copy(Guid id) => (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{id}")).Json.GetProperty("copies")[0];

    private protected async Task<List<string>> Events(Guid id) =>
        [.. (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{id}/receipts")).Json.GetProperty("receipts").EnumerateArray().Select(r => r.GetProperty("event").GetString()!)];
}
