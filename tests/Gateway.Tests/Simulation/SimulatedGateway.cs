using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway;
using Exchange.Gateway.Delivery;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Release;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Exchange.Tests.Simulation;

/// <summary>The store does not keep what was promised: the simulation has found something.</summary>
sealed class BrokenPromise(string what) : Exception(what);

/// <summary>
/// One run of the gateway's program on a simulated disk, from start to death: what GatewayHost does, in its order, without listening, and with the pump in place of its threads. Engine, journal, tables,
/// check, checkpoints, composition and worker are those of production.
/// </summary>
sealed class SimulatedGateway
{
    readonly Stack<IDisposable> owned = new();
    readonly SimulationPlan plan;
    readonly Pump pump;
    readonly SimulatedDisk disk;
    DeliveryWorker worker = null!;
    Checkpoints checkpoints = null!;
    IReadOnlyList<Loop> loops = [];

    SimulatedGateway(SimulationPlan plan, Pump pump, SimulatedDisk disk) => (this.plan, this.pump, this.disk, Life) = (plan, pump, disk, pump.NewLife());

    public Life Life { get; }
    public Shared Shared { get; private set; } = null!;
    public AcceptDispatch Accept { get; private set; } = null!;
    public Guard Guard { get; private set; } = null!;
    /// <summary>What the engine said when it failed: the program ends there.</summary>
    public Exception? Stopped { get; private set; }
    /// <summary>Open for business: its loops run.</summary>
    public bool IsUp { get; private set; }
    /// <summary>The heartbeat comes too late: a thread that gets no processor.</summary>
    public bool HeartbeatStands { get; set; }
    public long FailedSteps { get; private set; }

    /// <summary>A new data folder with the first documents in force, as init makes it.</summary>
    public static void Initialise(SimulationPlan plan, Pump pump)
    {
        var clock = pump.ClockOf(pump.Around);
        using var folder = DataFolder.Create(plan.Data);
        using var engine = SqliteEngine.Open(folder.Database, create: true);
        var worlds = new Worlds(World.Empty(plan.World.Anchors));
        using (var journal = new Journal(engine, worlds, clock, new JournalOptions(), failure => throw failure))
        {
            var prepared = WorldActivation.Prepare(worlds.Current, plan.World.Documents, plan.World.Pins, clock.GetUtcNow());
            var activated = journal.Commit(b => b.Activate(prepared));
            journal.Step();
            if (!activated.IsCompletedSuccessfully || !activated.Result) throw new InvalidOperationException("The simulated world was not put in force.", activated.Exception);
        }
        Guard.Create(Guard.FileIn(plan.GuardFolder), SimulatedWorld.Origin).Dispose();
        // These two are asked for by name before SQLite is.
        File.WriteAllBytes(folder.Database, []);
        File.WriteAllBytes(Guard.FileIn(plan.GuardFolder), []);
    }

    /// <summary>Starts on what the disk holds. Null: the program died while starting.</summary>
    /// <exception cref="BrokenPromise">It refuses to start.</exception>
    public static SimulatedGateway? Start(SimulationPlan plan, Pump pump, SimulatedDisk disk, IDeliveryAdapter adapter, World? known)
    {
        var gateway = new SimulatedGateway(plan, pump, disk);
        try { gateway.Open(adapter, known); }
        catch (Exception e) when (e is CannotStartException or IoFailure or Microsoft.Data.Sqlite.SqliteException)
        {
            gateway.Kill();
            return disk.IsDead ? null : throw new BrokenPromise($"it does not start again: {e.Message}");
        }
        catch
        {
            gateway.Kill();
            throw;
        }
        return gateway;
    }

    void Open(IDeliveryAdapter adapter, World? known)
    {
        var (clock, logs, options, equipment) = (pump.ClockOf(Life), new ErrorLog(e => { if (!disk.IsDead) Stop(e); }), plan.Options, plan.World);
        var folder = Own(DataFolder.Open(plan.Data));
        var engine = Own(SqliteEngine.Open(folder.Database));
        if (plan.Pragma is { } pragma) Execute(engine, pragma);
        Guard = Own(Guard.Open(Guard.FileIn(plan.GuardFolder), options.Origin));
        Checkpoints.DemandContinues(engine, Guard);
        var blobs = new BlobStore(folder.Blobs, clock);
        if (plan.ChecksStoreAt(engine) && StoreCheck.Run(engine, blobs, Guard.Heads()) is [var finding, ..]) throw new BrokenPromise($"the store's own check: {finding}");

        // The documents are verified again at every start; here at the first only, for 500 offices take seconds.
        var worlds = known is null ? Worlds.Load(engine, equipment.Anchors, equipment.Pins, clock.GetUtcNow()) : new Worlds(known);
        var meters = Own(new Meters());
        var journal = Own(new Journal(plan.Wrap?.Invoke(engine) ?? engine, worlds, clock, new JournalOptions { Committed = meters.Committed }, Stop));
        checkpoints = Checkpoints.Open(engine, Guard, equipment.Checkpoint, TimeSpan.FromSeconds(options.Limits.CheckpointSeconds), Stop);
        var uploads = new UploadFolder(folder.Uploads, blobs) { SyncEvery = HostSettings.UploadGroup };
        var ids = plan.Ids;
        Shared = new(options, engine, journal, new LedgerReader(engine, checkpoints), worlds, blobs, uploads, new Room(plan.Data, 0, clock, logs.CreateLogger<Room>()),
            new Evidence(equipment.Evidence, options.Origin, TimeSpan.FromSeconds(options.Limits.PromiseSeconds)) { NewId = ids.NewId }, meters, clock, logs)
        {
            Circumstances = new Circumstances(options.Ceiling, clock), Sealed = new BlobStore(folder.Sealed, clock) { IsNamed = ParcelTable.IsQueued }, Alarms = new NoAlarms(),
            StartAttempt = work => pump.Start(Life, work), NewId = ids.NewId,
        };

        var failures = new SignInFailures(clock, meters, logs.CreateLogger<SignInFailures>());
        var app = Composition.Build(Shared, equipment.Tls, failures, [adapter], [], out worker, out var steps, out var telemetry);
        owned.Push(app);
        Own(telemetry);
        var arrival = new Arrival(Shared);
        Accept = new AcceptDispatch(arrival, new Rejections(Shared, new Quotas(options.Limits)), new HoldDispatch(Shared), new Exchange.Gateway.Recalling.PlanRecall(Shared, new Exchange.Gateway.Release.HandedOut(clock)), Shared);
        loops = [new("incoming folder", TimeSpan.FromSeconds(options.Limits.IncomingSeconds), now => { Shared.Circumstances.Looked(now); return Task.CompletedTask; }), .. steps,
            new("checkpoint", TimeSpan.FromSeconds(1), now => Task.FromResult(checkpoints.Step(now)))];
        pump.Run(Life, Begin, e => Stopped ??= e);
    }

    // "start" on record, lost claims freed, then everything that happens by itself.
    async Task Begin()
    {
        long size;
        using (var reader = Shared.Engine.Reader()) size = HeadTable.Read(reader).Size;
        var now = Shared.Clock.GetUtcNow();
        var entry = LedgerEntry.Create(new StartDetail("simulated", Shared.Engine.Schema, size) { Time = now.ToUnixTimeMilliseconds() });
        await Shared.Journal.Commit(b =>
        {
            b.Log(entry, EntryKind.Start);
            return true;
        }, settle: true);
        await worker.Recover(now);
        IsUp = true;
        foreach (var loop in loops) pump.Run(Life, () => Run(loop), e => Stopped ??= e);
    }

    // As Loops.Run: the one place that waits.
    async Task Run(Loop loop)
    {
        while (true)
        {
            // A loop that can be woken is so by every commit, the most there is. WhenAny would go through the thread pool.
            var woken = loop.Wake is null ? null : Shared.Journal.NextCommit;
            try
            {
                if (!HeartbeatStands || loop.Name != "delivery heartbeat") await loop.Step(Shared.Clock.GetUtcNow());
            }
            catch (Exception) when (disk.IsDead) { return; }
            catch (Exception e) when (e is not BrokenPromise)
            {
                FailedSteps++;
                if (e is not RefusedException) throw new BrokenPromise($"the step {loop.Name} failed: {e}");
            }
            var next = new TaskCompletionSource();
            await using var beat = Shared.Clock.CreateTimer(_ => next.TrySetResult(), null, Pause(loop), Timeout.InfiniteTimeSpan);
            if (woken is not null) Forward(woken, next);
            await next.Task;
        }
    }

    TimeSpan Pause(Loop loop)
    {
        if (loop.Next?.Invoke() is not { } at || at - Shared.Clock.GetUtcNow() is var left && left >= loop.Every) return loop.Every;
        return TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(left.TotalMilliseconds)));
    }

    sealed class NoAlarms : IAlarms
    {
        public void Raise(Alarm alarm) { }
    }

    static async void Forward(Task woken, TaskCompletionSource next)
    {
        await woken;
        next.TrySetResult();
    }

    void Stop(Exception failure) => Stopped ??= failure;

    /// <summary>The process is gone. What it had open is closed on a disk that does not listen to it any more.</summary>
    public void Kill()
    {
        Life.IsDead = true;
        while (owned.TryPop(out var one))
            // A journal that is disposed would finish what waits.
            if (one is not Journal) one.Dispose();
    }

    static void Execute(SqliteEngine engine, string pragma)
    {
        using var transaction = engine.Begin();
        transaction.Rollback();
        SqliteSettings.Scalar((Microsoft.Data.Sqlite.SqliteConnection)transaction.Connection, pragma);
    }

    T Own<T>(T one) where T : IDisposable
    {
        owned.Push(one);
        return one;
    }

    /// <summary>What the program calls an error is one: nothing here may be, as long as the disk is well.</summary>
    sealed class ErrorLog(Action<Exception> found) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;
        public void AddProvider(ILoggerProvider provider) { }
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) found(new BrokenPromise($"logged as an error: {formatter(state, exception)} {exception}"));
        }
        public void Dispose() { }
    }
}
