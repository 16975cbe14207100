using Exchange.Adapters;
using Exchange.Crypto;

namespace Exchange.Tests.Simulation;

/// <summary>
/// The network and the offices behind it. A message takes its time, is lost on the way there (no effect) or back (effect, no answer), comes twice, or long after everybody has forgotten it; an office is not reached,
/// swallows what comes, is busy, or refuses for good. A receiver knows a parcel by its id and takes it once. It outlives every run of the gateway: what is on the way when the gateway dies still arrives.
/// </summary>
sealed class SimulatedOffices : IDeliveryAdapter
{
    /// <summary>How long the channel waits for an answer. Longer than a lease, so that an answer can come too late.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(150);
    readonly Pump pump;
    readonly SimulatedRandom random;
    readonly Dictionary<string, Receiver> receivers;

    public SimulatedOffices(Pump pump, SimulatedRandom random, IReadOnlyList<string> codes)
    {
        (this.pump, this.random) = (pump, random);
        receivers = codes.ToDictionary(c => c, _ => new Receiver());
    }

    /// <summary>One office.</summary>
    public sealed class Receiver
    {
        public HashSet<Guid> Holds { get; } = [];
        /// <summary>Until then nothing reaches it, it swallows what comes, it is busy.</summary>
        public TimeSpan Down { get; set; }
        public TimeSpan Swallows { get; set; }
        public TimeSpan Busy { get; set; }
        /// <summary>Nobody may expect it to be served before.</summary>
        public TimeSpan Disturbed => new(Math.Max(Down.Ticks, Math.Max(Swallows.Ticks, Busy.Ticks)));
    }

    public sealed record Effect(Guid Parcel, string Office, Digest File);

    public string Name => SimulatedWorld.Adapter;
    public bool EndsAtOffice => true;
    public Receiver this[string code] => receivers[code];
    public IReadOnlyCollection<Receiver> All => receivers.Values;
    /// <summary>When something of a parcel was first sent.</summary>
    public Dictionary<Guid, TimeSpan> Tried { get; } = [];
    /// <summary>What receivers took, since somebody looked.</summary>
    public List<Effect> Effects { get; } = [];
    /// <summary>Until then answers take longer than a lease.</summary>
    public TimeSpan SlowUntil { get; set; }
    /// <summary>How long a delivery takes, there and back; null: as it comes.</summary>
    public TimeSpan? Takes { get; init; }
    /// <summary>False: nothing is lost any more.</summary>
    public bool IsRough { get; set; } = true;
    public long Messages { get; private set; }
    public long Repeats { get; private set; }

    public async Task<DeliveryOutcome> DeliverAsync(Parcel parcel, Func<CancellationToken, Task<Stream>> open, CancellationToken cancel)
    {
        Tried.TryAdd(parcel.Id, pump.Elapsed);
        var receiver = receivers[parcel.Office];
        using var bytes = new MemoryStream();
        await using (var stream = await open(cancel)) await stream.CopyToAsync(bytes, CancellationToken.None);
        var file = Digest.Of(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        if (Refused(receiver)) return new DeliveryOutcome.TryLater("connection refused");
        var twice = IsRough && random.Chance(0.01);
        if (twice) pump.After(random.Around(TimeSpan.FromMinutes(2)), () => Receive(receiver, parcel, file));
        return await Exchange(receiver, () => Receive(receiver, parcel, file), cancel) ?? throw new InvalidOperationException("A receiver answers a delivery.");
    }

    public async Task<DeliveryOutcome?> AskAsync(Parcel parcel, CancellationToken cancel)
    {
        var receiver = receivers[parcel.Office];
        if (Refused(receiver)) return new DeliveryOutcome.TryLater("asked: connection refused");
        return await Exchange(receiver, () => receiver.Holds.Contains(parcel.Id) ? new DeliveryOutcome.Delivered(null) : null, cancel);
    }

    bool Refused(Receiver receiver)
    {
        Messages++;
        return receiver.Down > pump.Elapsed && random.Chance(0.8);
    }

    // There, whatever it does there, and back: the outcome that the gateway sees.
    Task<DeliveryOutcome?> Exchange(Receiver receiver, Func<DeliveryOutcome?> effect, CancellationToken cancel)
    {
        var answer = new TaskCompletionSource<DeliveryOutcome?>();
        if (!Lost()) pump.After(Delay(), () =>
        {
            if (receiver.Down > pump.Elapsed || receiver.Swallows > pump.Elapsed) return;
            var outcome = effect();
            if (!Lost()) pump.After(Delay(), () => answer.TrySetResult(outcome));
        });
        pump.After(Patience, () => answer.TrySetResult(new DeliveryOutcome.Unknown("no answer in time")));
        // Some do not hear that they are broken off: their answer comes when it comes.
        return IsRough && random.Chance(0.3) ? answer.Task : Cancellable(answer, cancel);
    }

    static async Task<DeliveryOutcome?> Cancellable(TaskCompletionSource<DeliveryOutcome?> answer, CancellationToken cancel)
    {
        using var cut = cancel.Register(() => answer.TrySetResult(new DeliveryOutcome.Unknown("broken off")));
        return await answer.Task;
    }

    bool Lost() => IsRough && random.Chance(0.01);

    TimeSpan Delay() => Takes is { } takes ? takes / 2 : SlowUntil > pump.Elapsed ? random.Between(TimeSpan.FromSeconds(35), TimeSpan.FromSeconds(70))
        : IsRough && random.Chance(0.003) ? random.Between(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60)) : TimeSpan.FromMilliseconds(2) + random.Around(TimeSpan.FromMilliseconds(40));

    DeliveryOutcome Receive(Receiver receiver, Parcel parcel, Digest file)
    {
        if (receiver.Down > pump.Elapsed || receiver.Swallows > pump.Elapsed) return new DeliveryOutcome.Unknown("");
        if (receiver.Busy > pump.Elapsed) return new DeliveryOutcome.Busy(random.Chance(0.5) ? TimeSpan.FromSeconds(random.Below(120)) : null);
        // For good and always the same: a few in a thousand.
        if (Digest.Of(parcel.Id.ToByteArray(bigEndian: true)).ToArray() is [0 or 1, ..]) return new DeliveryOutcome.Refused("E_SIMULATED");
        if (receiver.Holds.Add(parcel.Id)) Effects.Add(new Effect(parcel.Id, parcel.Office, file));
        else Repeats++;
        return new DeliveryOutcome.Delivered(null);
    }
}
