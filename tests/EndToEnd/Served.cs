using System.Net;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway;
using Exchange.Gateway.Operations;
using Microsoft.Extensions.Logging.Abstractions;

namespace Exchange.Tests;

/// <summary>The machine's clock, moved ahead.</summary>
sealed class Moved : TimeProvider
{
    TimeSpan shift;
    public void Advance(TimeSpan by) => shift += by;
    public override DateTimeOffset GetUtcNow() => TimeProvider.System.GetUtcNow() + shift;
    public override long GetTimestamp() => TimeProvider.System.GetTimestamp() + (long)(shift.TotalSeconds * TimestampFrequency);
}

/// <summary>A gateway in this process, with the development PKI, whose steps a test takes.</summary>
sealed class Served(GatewayHost host, Moved clock) : IAsyncDisposable
{
    public GatewayHost Host => host;
    public Moved Clock => clock;

    public static async Task<Served> StartAsync(DevelopmentPki pki, string data, params Digest[] administrators)
    {
        var clock = new Moved();
        var request = Initialise.FromDevelopment(data, pki.Folder.FullName, new IPEndPoint(IPAddress.Loopback, 0), null, null);
        await Initialise.Run(request with { Options = request.Options with { Administrators = administrators } }, clock);
        return await AgainAsync(data, clock);
    }

    public static async Task<Served> AgainAsync(string data, Moved clock) =>
        new(await GatewayHost.Start(data, new HostSettings { Clock = clock, Logs = NullLoggerFactory.Instance, RunLoops = false, Stop = failure => throw failure }), clock);

    /// <summary>So many dummies more, and a head over them.</summary>
    public async Task GrowAsync(int entries)
    {
        LedgerEntry[] dummies = [.. Enumerable.Range(0, entries).Select(_ => LedgerEntry.Create(new DummyDetail { Time = 1 }))];
        await Host.Shared.Journal.Commit(b => dummies.Aggregate(b, (batch, dummy) => batch.Log(dummy, EntryKind.Dummy)) is not null);
        Clock.Advance(TimeSpan.FromMinutes(1));
        await Host.Loops.StepAll();
    }

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();
}
