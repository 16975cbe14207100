using System.Collections.Concurrent;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Delivery;

/// <summary>How an attempt is set going: on a thread of the pool; a simulator runs it when it is its turn.</summary>
/// <returns>Completes when the attempt has settled.</returns>
delegate Task StartAttempt(Func<Task> attempt);

/// <summary>
/// Frees lost claims, claims what is due, starts attempts, keeps their leases. Every loop is a step; what runs between two steps are the adapters. Whose turn it is says Queue/Lanes.cs, by which
/// channel Queue/OfficeStates.cs.
/// </summary>
sealed class DeliveryWorker
{
    const int AtOnce = 100;
    static readonly TimeSpan Reap = TimeSpan.FromSeconds(5);
    readonly Shared shared;
    readonly DeliverParcel deliver;
    readonly SettleAttempt settle;
    readonly OfficeStates states;
    readonly StartAttempt start;
    readonly Limits limits;
    readonly Slots slots;
    readonly LaneHeads heads;
    readonly Turns turns = new();
    readonly ConcurrentDictionary<(Guid Parcel, long Fence), Flight> flying = [];
    readonly ConcurrentQueue<(string Office, int Class, TimeSpan Took)> ended = [];
    readonly ILogger log;
    DateTimeOffset reaped = DateTimeOffset.MinValue;
    DateTimeOffset? next;
    volatile TaskCompletionSource freed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile bool stopping;

    public DeliveryWorker(Shared shared, DeliverParcel deliver, SettleAttempt settle, OfficeStates states, StartAttempt start)
    {
        (this.shared, this.deliver, this.settle, this.states, this.start, limits) = (shared, deliver, settle, states, start, shared.Options.Limits);
        slots = new((int)limits.Deliveries, (int)Math.Max(1, limits.Deliveries / 10), (int)shared.Options.Queue.AgingPick,
            [.. Enumerable.Range(0, 5).Select(c => (long)shared.Options.Queue.Of(c).Target.TotalMilliseconds)]);
        heads = new LaneHeads(shared.Journal, (int)limits.DeliveriesPerOffice);
        log = shared.Log<DeliveryWorker>();
    }

    sealed record Flight(ClaimedJob Job, CancellationTokenSource Cut)
    {
        public Task Running { get; set; } = Task.CompletedTask;
        /// <summary>Its claim is somebody else's now: whatever it still does takes no slot.</summary>
        public bool Lost { get; set; }
    }

    /// <summary>Completes at the next commit, or when a slot is free again: take it before a step, then wait on it.</summary>
    public Task Woken() => Task.WhenAny(shared.Journal.NextCommit, freed.Task);

    /// <summary>When something becomes due that no commit announces: a time given, a delay, a probe. null: nothing is planned. As of the last step.</summary>
    public DateTimeOffset? Next => next;

    /// <summary>At start, before anything is claimed: claims of the process that was here before are free, whatever their lease says. One folder has one process.</summary>
    public async Task Recover(DateTimeOffset now)
    {
        states.Load(shared.Engine);
        while (await FreeLost(long.MaxValue, now) == AtOnce) { }
    }

    /// <returns>How many attempts it started.</returns>
    public async Task<int> Step(DateTimeOffset now)
    {
        if (stopping) return 0;
        // 1. What workers left behind.
        if (now - reaped >= Reap || now < reaped)
        {
            reaped = now;
            await FreeLost(now.ToUnixTimeMilliseconds(), now);
        }

        // 2. Whose turn it is.
        while (ended.TryDequeue(out var one)) turns.Charge(one.Office, one.Class, one.Took);
        var time = now.ToUnixTimeMilliseconds();
        var lanes = heads.Read(shared.Engine, now);
        var standing = shared.Worlds.Current.Standing;
        OfficeGate Gate(string office) => states.Gate(office, Channels.NamesOf(standing, office), time);
        var claims = Lanes.Choose(lanes, [.. flying.Values.Where(f => !f.Lost).Select(f => new Flying(f.Job.Office, f.Job.Class, f.Job.Channel))], Gate, slots, turns, time);
        next = WakeAt(lanes, time);
        if (claims.Count == 0) return 0;

        // 3. Theirs for the length of a lease. A crash after this commit: the claims lapse.
        var until = LeaseEnd(now);
        var jobs = await shared.Journal.Commit(b =>
        {
            b.Quiet(QuietKind.Claim);
            return claims.SelectMany(c => JobTable.Claim(b, c.Office, c.Class, c.Count, time, until).Select(j => j with { Channel = c.Channel, IsProbe = c.IsProbe })).ToList();
        }, settle: true);
        foreach (var job in jobs) Start(job);
        return jobs.Count;
    }

    /// <summary>Keeps the leases of what is under way; cancels an attempt whose claim is lost.</summary>
    public async Task Heartbeat(DateTimeOffset now)
    {
        // In an order that does not depend on the process: a simulation must be the same twice.
        var alive = flying.Values.OrderBy(f => f.Job.Parcel).ThenBy(f => f.Job.Fence).ToList();
        if (alive.Count == 0) return;
        var until = LeaseEnd(now);
        var kept = await shared.Journal.Commit(b =>
        {
            b.Quiet(QuietKind.Heartbeat);
            return alive.Select(f => JobTable.Extend(b, f.Job.Parcel, f.Job.Fence, until)).ToList();
        }, settle: true);
        foreach (var (flight, still) in alive.Zip(kept))
            if (!still) await GiveUp(flight);
    }

    /// <summary>No new claims; what is under way is cancelled, and settles as far as it came.</summary>
    public async Task Stop()
    {
        stopping = true;
        var all = flying.Values.ToList();
        foreach (var flight in all) await Cut(flight);
        await Task.WhenAll(all.Select(f => f.Running));
    }

    /// <summary>Completes when what is under way has settled: for tests.</summary>
    internal Task Idle() => Task.WhenAll(flying.Values.Select(f => f.Running));

    /// <summary>What is under way: for whoever looks at the queue.</summary>
    internal IReadOnlyList<ClaimedJob> UnderWay => [.. flying.Values.Select(f => f.Job)];

    Task GiveUp(Flight flight)
    {
        flight.Lost = true;
        return Cut(flight);
    }

    // What an adapter does when it is cancelled is not this loop's to wait for: it runs where the attempts run.
    Task Cut(Flight flight) => start(() =>
    {
        try { flight.Cut.Cancel(); }
        catch (ObjectDisposedException) { }    // it has just ended by itself
        return Task.CompletedTask;
    });

    long LeaseEnd(DateTimeOffset now) => now.AddSeconds(limits.LeaseSeconds).ToUnixTimeMilliseconds();

    // A lane whose first job will be due, or a probe. Whatever else opens a way ends with a commit, and that wakes the loop.
    DateTimeOffset? WakeAt(LaneOrders lanes, long now) =>
        (lanes.NextDue, states.NextProbe(now)) switch
        {
            (null, null) => null,
            var (due, probe) => DateTimeOffset.FromUnixTimeMilliseconds(Math.Min(due ?? long.MaxValue, probe ?? long.MaxValue)),
        };

    async Task<int> FreeLost(long until, DateTimeOffset now)
    {
        IReadOnlyList<LostJob> lost;
        using (var reader = shared.Engine.Reader()) lost = JobTable.Lost(reader, until, AtOnce);
        foreach (var job in lost)
        {
            await settle.Lost(job, now);
            if (flying.TryGetValue((job.Parcel, job.Fence), out var flight)) await GiveUp(flight);
        }
        return lost.Count;
    }

    void Start(ClaimedJob job)
    {
        var flight = new Flight(job, new CancellationTokenSource());
        flying[(job.Parcel, job.Fence)] = flight;
        var began = shared.Clock.GetTimestamp();
        flight.Running = start(async () =>
        {
            try { await deliver.Run(job, flight.Cut.Token); }
            catch (Exception e) { log.AttemptFailed(e, job.Parcel, job.Office); }
            finally
            {
                ended.Enqueue((job.Office, job.Class, shared.Clock.GetElapsedTime(began)));
                flying.TryRemove((job.Parcel, job.Fence), out _);
                flight.Cut.Dispose();
                Interlocked.Exchange(ref freed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
            }
        });
    }
}
