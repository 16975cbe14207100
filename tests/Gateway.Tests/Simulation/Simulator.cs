using System.Diagnostics;
using Exchange.Crypto;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Submission;

namespace Exchange.Tests.Simulation;

/// <summary>
/// A gateway's days in minutes, on one thread and from one seed. Real: journal, SQLite and its log, tables and their check, ledger, checkpoints and guard, the decision at acceptance and again at release, the commit of a
/// dispatch, queue, worker, settling, expiry and every other loop. Simulated: time, chance, the disk below SQLite, the network and the offices. Left out: HTTP and TLS, the checks of a header's signatures (its office is believed),
/// payloads in files of their own.
/// </summary>
sealed class Simulator : IDisposable
{
    static readonly TimeSpan Drain = TimeSpan.FromHours(6);
    // More than come at any one moment from 500 offices; beyond it what a class may wait is a question of capacity and no promise.
    const int MostAtOnce = 2000;
    // Twice what the store takes for one, its log and the tables' growth included.
    const long BytesADispatch = 45_000;
    readonly SimulationPlan plan;
    readonly Pump pump;
    readonly SimulatedRandom chance;
    readonly SimulatedDisk disk;
    readonly SimulatedOffices offices;
    readonly Submissions submissions;
    readonly Promises promises;
    readonly Troubles troubles;
    readonly Dictionary<Guid, Submission> unanswered = [];
    readonly long began = Stopwatch.GetTimestamp();
    SimulatedGateway? gateway;
    World? world;
    SimulatedGateway? committing;
    bool mayCommit;
    Exception? broken;
    readonly SortedDictionary<string, long> refused = new(StringComparer.Ordinal);
    long made, starts, powerCuts, sent, others;
    TimeSpan starting, looking;

    Simulator(SimulationPlan asked)
    {
        var seeds = new SimulatedRandom(asked.Seed);
        var root = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "work", $"simulated-{Guid.CreateVersion7():N}")).FullName;
        plan = asked with { Root = root, Ids = seeds.Branch() };
        pump = new Pump(seeds.Branch()) { WhenIdle = CommitWhenDue };
        chance = seeds.Branch();
        disk = new SimulatedDisk(root, seeds.Branch(), most: (1L << 30) + plan.Dispatches * BytesADispatch).Mount();
        offices = new SimulatedOffices(pump, seeds.Branch(), plan.World.Offices) { IsRough = plan.Flood is null, Takes = plan.Flood?.Takes };
        submissions = new Submissions(plan.World, seeds.Branch());
        promises = new Promises(offices, pump, seeds.Branch());
        troubles = new Troubles(this, plan, pump, offices, promises, seeds.Branch());
    }

    public static SimulationResult Run(SimulationPlan plan)
    {
        _ = plan.World;
        var seeds = new SimulatedRandom(~plan.Seed);
        using var seeded = SeededOpenSsl.Use(seeds);
        using var simulator = new Simulator(plan);
        var before = SynchronizationContext.Current;
        try
        {
            SynchronizationContext.SetSynchronizationContext(null);
            simulator.Live();
        }
        catch (Exception e) { simulator.broken ??= e; }
        finally { SynchronizationContext.SetSynchronizationContext(before); }
        return simulator.Result();
    }

    void Live()
    {
        SimulatedGateway.Initialise(plan, pump);
        Start();
        Every(plan.LookEvery, Look);
        Every(plan.Duration / 20, Progress);
        for (var n = 0; n < plan.Dispatches; n++) made++;
        NextDispatch(plan.Dispatches);
        if (plan.Flood is { } flood) Every(TimeSpan.FromSeconds(1), () => Guarded(() => Flood(flood.Waiting)));
        troubles.Begin();
        pump.RunUntil(plan.Duration, () => broken is not null);

        // The weather clears, and everything that is under way comes to its end.
        troubles.End();
        pump.RunUntil(plan.Duration + Drain, () => broken is not null || (gateway is { IsUp: true } && promises.Created == promises.Ended && unanswered.Count == 0));
        if (broken is not null) return;
        Restart(TimeSpan.Zero, powerCut: true);
        pump.RunUntil(pump.Elapsed + TimeSpan.FromMinutes(1), () => broken is not null);
        Look();
        if (broken is not null || gateway is null) return;
        if (unanswered.Count > 0) throw new BrokenPromise($"{unanswered.Count} dispatches were never answered");
        promises.Finish(gateway.Shared.Engine, drained: true);
        if (Exchange.Gateway.Store.StoreCheck.Run(gateway.Shared.Engine, gateway.Shared.Blobs, gateway.Guard.Heads()) is [var finding, ..]) throw new BrokenPromise($"the store's own check: {finding}");
        promises.Count(gateway.Shared.Engine);
    }

    SimulationResult Result()
    {
        var counts = $"{made} dispatches for {plan.Offices} offices in {plan.Duration.TotalHours:0.##} h, {promises.Created} copies ({string.Join(", ", promises.Ends.OrderBy(e => e.Key).Select(e => $"{e.Value} {e.Key}"))}), "
            + $"{promises.Entries} entries, {offices.Messages} messages, {promises.LostLeases} lost leases, {promises.Late} late workers, {offices.Repeats} repeats at receivers, submissions put off: {string.Join(" ", refused.Select(r => $"{r.Value} {r.Key}"))}, {starts} starts, {powerCuts} power cuts, "
            + $"{promises.Looks} looks, {pump.Events} events, {disk.Writes} writes, {disk.Syncs} syncs, longest wait of a flash {promises.LongestFlash.TotalSeconds:0.0} s";
        var took = Stopwatch.GetElapsedTime(began);
        return new(plan.Seed, promises.Root.ToString(), broken is null ? null : $"after {pump.Elapsed}: {(broken is BrokenPromise ? broken.Message : broken)}", took, counts) { Starting = starting, Looking = looking };
    }

    /// <summary>The process dies, and comes back after a while.</summary>
    public void Restart(TimeSpan after, bool powerCut)
    {
        if (gateway is null) return;
        disk.Kill(powerCut);
        if (powerCut) powerCuts++;
        gateway.Kill();
        (gateway, committing, mayCommit) = (null, null, false);
        troubles.Disturb(after + TimeSpan.FromMinutes(2));
        if (after == TimeSpan.Zero) Start();
        else pump.After(after, Start);
        foreach (var one in unanswered.Values.ToList()) pump.After(after + chance.Around(TimeSpan.FromSeconds(20)), () => Submit(one));
    }

    public SimulatedGateway? Gateway => gateway;
    public SimulatedDisk Disk => disk;
    /// <summary>How long the disk takes for a batch.</summary>
    public Func<TimeSpan> CommitTakes { get; set; } = () => TimeSpan.FromMilliseconds(3);

    void Start() => Guarded(() =>
    {
        if (gateway is not null) return;
        starts++;
        var at = Stopwatch.GetTimestamp();
        gateway = SimulatedGateway.Start(plan, pump, disk, offices, world);
        starting += Stopwatch.GetElapsedTime(at);
        if (gateway is null)
        {
            disk.Kill(chance.Chance(0.5));
            pump.After(TimeSpan.FromSeconds(5), Start);
            return;
        }
        world ??= gateway.Shared.Worlds.Current;
        promises.Started(gateway.Shared.Engine);
    });

    void Look() => Guarded(() =>
    {
        if (Died() || gateway is not { IsUp: true }) return;
        var at = Stopwatch.GetTimestamp();
        promises.Look(gateway.Shared.Engine);
        looking += Stopwatch.GetElapsedTime(at);
    });

    void Progress() => plan.Progress?.Invoke($"{pump.Elapsed:hh\\:mm\\:ss} of {plan.Duration.TotalHours:0.#} h: {promises.Created} copies, {promises.Created - promises.Ended} under way, {promises.Entries} entries, {pump.Events} events, "
        + $"{disk.Size >> 20} MB, {starts} starts, {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s");

    // The journal's turn comes when nobody else can run, and its disk takes its time.
    bool CommitWhenDue()
    {
        if (Died() || gateway is not { Life.IsDead: false } running || running.Shared.Journal.Depth == 0) return false;
        if (committing != running)
        {
            (committing, mayCommit) = (running, false);
            pump.After(CommitTakes(), () => mayCommit = committing == running);
            return false;
        }
        if (!mayCommit) return false;
        (committing, mayCommit) = (null, false);
        running.Shared.Journal.Step();
        Died();
        return true;
    }

    // True: it was found dead, and will be started again.
    bool Died()
    {
        if (gateway is null) return false;
        if (!disk.IsDead && gateway.Stopped is null) return false;
        if (!disk.IsDead)
        {
            broken ??= gateway.Stopped is BrokenPromise ? gateway.Stopped : new BrokenPromise($"the journal stopped the process, and the disk was well: {gateway.Stopped}");
            return true;
        }
        Restart(TimeSpan.FromSeconds(2) + chance.Around(TimeSpan.FromSeconds(15)), chance.Chance(0.5));
        return true;
    }

    // Of the others it is not known whether they have had their turn: as if none had.
    void Flood(int waiting)
    {
        while (pump.Elapsed < plan.Duration && sent - others - offices.Tried.Count < waiting) Send(urgency: 3);
    }

    void Send(int? urgency)
    {
        var submission = submissions.Make(world!, pump.Now, urgency);
        (sent, others) = (sent + submission.Copies, others + (urgency is null ? submission.Copies : 0));
        promises.Sends(submission);
        unanswered.Add(submission.Id, submission);
        Submit(submission);
    }

    void NextDispatch(int left)
    {
        if (left == 0) return;
        // Mostly one after the other; now and then many at once.
        var burst = chance.Chance(0.0005) ? Math.Min(left, 50 + chance.Below(Math.Clamp(plan.Dispatches / 50, 1, MostAtOnce))) : 1;
        var mean = plan.Duration * 0.9 / plan.Dispatches;
        pump.After(chance.Around(mean * burst), () => Guarded(() =>
        {
            for (var n = 0; n < burst; n++) Send(urgency: null);
            NextDispatch(left - burst);
        }));
    }

    void Submit(Submission submission)
    {
        if (!unanswered.ContainsKey(submission.Id)) return;
        if (Died() || gateway is not { IsUp: true } running)
        {
            pump.After(TimeSpan.FromSeconds(2) + chance.Around(TimeSpan.FromSeconds(10)), () => Submit(submission));
            return;
        }
        pump.Run(running.Life, () => Submit(running, submission), e => broken ??= disk.IsDead || running.Life.IsDead ? null : e);
    }

    async Task Submit(SimulatedGateway running, Submission submission)
    {
        var now = running.Shared.Clock.GetUtcNow();
        try
        {
            var answer = await running.Accept.Accept(submission.Sender, new Arrived(submission.Parts, submission.Envelope, running.Shared.Worlds.Current, now, []),
                new Incoming(running.Shared.NewId(now), submission.Payload), CancellationToken.None);
            if (!unanswered.Remove(submission.Id)) return;
            promises.IsAnswered(submission, answer switch
            {
                Submitted.Accepted accepted => accepted.Receipt,
                Submitted.Before before => before.Receipt,
                _ => throw new BrokenPromise($"a dispatch was answered with {answer}"),
            });
        }
        catch (RefusedException e) { PutOff(submission, e.Refusal); }
        catch (RejectedException e) { PutOff(submission, e.Refusal); }
        catch (Exception) when (disk.IsDead) { }
    }

    void PutOff(Submission submission, Refusal why)
    {
        refused[why.Code] = refused.GetValueOrDefault(why.Code) + 1;
        if (why != Refusal.Expired && why != Refusal.Busy && why != Refusal.Full) throw new BrokenPromise($"{submission.Sender} was refused with {why.Code}");
        if (why == Refusal.Expired) unanswered.Remove(submission.Id);
        else pump.After(TimeSpan.FromSeconds(5) + chance.Around(TimeSpan.FromSeconds(30)), () => Submit(submission));
    }

    void Every(TimeSpan time, Action action)
    {
        action();
        pump.After(time, () => Every(time, action));
    }

    void Guarded(Action action)
    {
        try { action(); }
        catch (Exception e) { broken ??= e; }
    }

    public void Dispose()
    {
        disk.Kill(powerCut: false);
        gateway?.Kill();
        disk.Dispose();
        Directory.Delete(plan.Root, recursive: true);
    }
}
