using System.Collections.Concurrent;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Delivery;

/// <summary>Frees lost claims, claims what is due, starts attempts, keeps their leases. Every loop is a step; what runs between two steps are the adapters.</summary>
sealed class DeliveryWorker(Shared shared, DeliverParcel deliver, SettleAttempt settle)
{
    const int AtOnce = 100;
    readonly Limits limits = shared.Options.Limits;
    readonly Slots slots = new((int)shared.Options.Limits.Deliveries, (int)shared.Options.Limits.DeliveriesPerOffice, (int)Math.Max(1, shared.Options.Limits.Deliveries / 8));
    readonly ConcurrentDictionary<(Guid Parcel, long Fence), Flight> flying = [];
    readonly ILogger log = shared.Log<DeliveryWorker>();
    volatile bool stopping;

    sealed record Flight(ClaimedJob Job, CancellationTokenSource Cancel)
    {
        public Task Running { get; set; } = Task.CompletedTask;
    }

    /// <summary>At start, before anything is claimed: claims of the process that was here before are free, whatever their lease says. One folder has one process.</summary>
    public async Task Recover(DateTimeOffset now)
    {
        while (await FreeLost(long.MaxValue, now) == AtOnce) { }
    }

    /// <returns>How many attempts it started.</returns>
    public async Task<int> Step(DateTimeOffset now)
    {
        if (stopping) return 0;
        await FreeLost(now.ToUnixTimeMilliseconds(), now);
        IReadOnlyList<LaneHead> heads;
        using (var reader = shared.Engine.Reader()) heads = JobTable.Heads(reader);
        var time = now.ToUnixTimeMilliseconds();
        var claims = Lanes.Choose(heads, [.. flying.Values.Select(f => (f.Job.Office, f.Job.Class))], slots, time);
        if (claims.Count == 0) return 0;

        // A crash after this commit: the claims lapse.
        var until = LeaseEnd(now);
        var jobs = await shared.Journal.Commit(b =>
        {
            b.Quiet(QuietKind.Claim);
            return claims.SelectMany(c => JobTable.Claim(b, c.Office, c.Class, c.Count, time, until)).ToList();
        }, settle: true);
        foreach (var job in jobs) Start(job);
        return jobs.Count;
    }

    /// <summary>Keeps the leases of what is under way; cancels an attempt whose claim is lost.</summary>
    public async Task Heartbeat(DateTimeOffset now)
    {
        var alive = flying.Values.ToList();
        if (alive.Count == 0) return;
        var until = LeaseEnd(now);
        var kept = await shared.Journal.Commit(b =>
        {
            b.Quiet(QuietKind.Heartbeat);
            return alive.Select(f => JobTable.Extend(b, f.Job.Parcel, f.Job.Fence, until)).ToList();
        }, settle: true);
        foreach (var (flight, still) in alive.Zip(kept))
            if (!still) await Cut(flight);
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

    static async Task Cut(Flight flight)
    {
        try { await flight.Cancel.CancelAsync(); }
        catch (ObjectDisposedException) { }    // it has just ended by itself
    }

    long LeaseEnd(DateTimeOffset now) => now.AddSeconds(limits.LeaseSeconds).ToUnixTimeMilliseconds();

    async Task<int> FreeLost(long until, DateTimeOffset now)
    {
        IReadOnlyList<LostJob> lost;
        using (var reader = shared.Engine.Reader()) lost = JobTable.Lost(reader, until, AtOnce);
        foreach (var job in lost) await settle.Lost(job, now);
        return lost.Count;
    }

    void Start(ClaimedJob job)
    {
        var flight = new Flight(job, new CancellationTokenSource(TimeSpan.FromMinutes(limits.AttemptMinutes), shared.Clock));
        flying[(job.Parcel, job.Fence)] = flight;
        flight.Running = Task.Run(async () =>
        {
            try { await deliver.Run(job, flight.Cancel.Token); }
            catch (Exception e) { log.AttemptFailed(e, job.Parcel, job.Office); }
            finally
            {
                flying.TryRemove((job.Parcel, job.Fence), out _);
                flight.Cancel.Dispose();
            }
        });
    }
}
