using System.Collections.Concurrent;
using Exchange.Adapters;

namespace Exchange.Tests.Delivery;

/// <summary>A channel whose other side says what the test wants; remembers what it was given.</summary>
sealed class ScriptedAdapter : IDeliveryAdapter
{
    public string Name { get; init; } = "https";
    public bool EndsAtOffice { get; init; } = true;
    public ConcurrentQueue<byte[]> Received { get; } = [];
    public int Asked { get; private set; }
    /// <summary>What each delivery answers, given the bytes.</summary>
    public Func<Parcel, byte[], CancellationToken, Task<DeliveryOutcome>> Answer { get; set; } = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(null));
    public Func<Parcel, DeliveryOutcome?> Holds { get; set; } = _ => null;

    public async Task<DeliveryOutcome> DeliverAsync(Parcel parcel, Func<CancellationToken, Task<Stream>> open, CancellationToken cancel)
    {
        await using var stream = await open(cancel);
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes, cancel);
        Received.Enqueue(bytes.ToArray());
        return await Answer(parcel, bytes.ToArray(), cancel);
    }

    public Task<DeliveryOutcome?> AskAsync(Parcel parcel, CancellationToken cancel)
    {
        Asked++;
        return Task.FromResult(Holds(parcel));
    }
}
