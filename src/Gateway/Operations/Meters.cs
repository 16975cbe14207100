using System.Diagnostics.Metrics;

namespace Exchange.Gateway.Operations;

/// <summary>Counters of the gateway: numbers and closed lists of tags, never names, labels or subjects.</summary>
sealed class Meters : IDisposable
{
    public const string Name = "Exchange.Gateway";
    readonly Meter meter = new(Name);

    public Meters()
    {
        SignInFailures = meter.CreateCounter<long>("exchange.sign_in_failures", description: "Connections refused in the handshake, by reason");
        Submissions = meter.CreateCounter<long>("exchange.submissions", description: "Dispatches answered, by code");
        Attempts = meter.CreateCounter<long>("exchange.attempts", description: "Attempts of channels, by outcome and adapter");
        Parcels = meter.CreateCounter<long>("exchange.parcels", description: "Copies that reached a final state, by state");
    }

    public Counter<long> SignInFailures { get; }
    public Counter<long> Submissions { get; }
    public Counter<long> Parcels { get; }
    public Counter<long> Attempts { get; }

    /// <summary>Reads these whenever somebody collects.</summary>
    public void Watch(Room room)
    {
        meter.CreateObservableGauge("exchange.free_bytes", () => room.Free, description: "Free bytes of the data folder's file system");
        meter.CreateObservableGauge("exchange.full", () => room.IsShort ? 1 : 0, description: "1 while submissions are refused for want of room");
    }

    public void Dispose() => meter.Dispose();
}
