using System.Net;
using System.Reflection;
using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Admin;
using Exchange.Gateway.Audit;
using Exchange.Gateway.Delivery;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Revocation;
using Exchange.Gateway.Stamping;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;
using Exchange.Gateway.Witnesses;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Exchange.Gateway;

/// <summary>How one run differs from gateway.json; tests use it to run many side by side.</summary>
sealed record HostSettings
{
    public IPEndPoint? Listen { get; init; }
    public TimeProvider Clock { get; init; } = TimeProvider.System;
    public required ILoggerFactory Logs { get; init; }
    /// <summary>What an I/O failure of the store does: nothing after it can be trusted, so the process ends.</summary>
    public Action<Exception> Stop { get; init; } = failure => Environment.FailFast("The store failed.", failure);
    public JournalOptions Journal { get; init; } = new();
    /// <summary>In place of those of the composition; null: those.</summary>
    public IReadOnlyList<IDeliveryAdapter>? Adapters { get; init; }
    /// <summary>Likewise of what brings things in.</summary>
    public IReadOnlyList<IIntake>? Intakes { get; init; }
    /// <summary>Where alarms go; null: into the log and to whom the options name.</summary>
    public IAlarms? Alarms { get; init; }
    /// <summary>Called with a step's name before it is taken: a test that throws there has killed the process at that place.</summary>
    public Action<string>? Step { get; init; }
    /// <summary>Bytes of an upload between two syncs: what a crash may cost.</summary>
    public long UploadSync { get; init; } = UploadGroup;
    public const long UploadGroup = 64 << 20;
    /// <summary>False: nobody calls the steps but the test.</summary>
    public bool RunLoops { get; init; } = true;
}

/// <summary>A running gateway, from lock to address file, and its clean stop.</summary>
sealed class GatewayHost : IAsyncDisposable
{
    const string AddressFile = "address";
    readonly Stack<IDisposable> owned = new();
    WebApplication? app;
    Loops? loops;
    Beat? beat;
    Func<CancellationToken, IReadOnlyList<AskWitness>>? asking;
    DeliveryWorker? worker;
    SignInFailures? failures;
    string data = "";

    GatewayHost() { }

    public Uri Address { get; private set; } = null!;
    public Uri? OperationsAddress { get; private set; }
    public Shared Shared { get; private set; } = null!;
    internal Loops Loops => loops!;
    internal IEnumerable<EndpointDataSource> Routes => ((IEndpointRouteBuilder)app!).DataSources;
    internal DeliveryWorker Worker => worker!;

    /// <exception cref="OptionsException">The configuration cannot be used.</exception>
    /// <exception cref="CannotStartException">The store cannot be used.</exception>
    public static async Task<GatewayHost> Start(string data, HostSettings settings)
    {
        var host = new GatewayHost { data = Path.GetFullPath(data) };
        try
        {
            await host.Open(settings);
            return host;
        }
        catch
        {
            await host.Close();
            throw;
        }
    }

    async Task Open(HostSettings settings)
    {
        var (clock, logs) = (settings.Clock, settings.Logs);
        var log = logs.CreateLogger<GatewayHost>();

        // 1. Configuration: everything that is wrong is named, and nothing has been touched.
        var options = Configuration.Read(data);
        if (settings.Listen is not null) options = options with { Listen = settings.Listen };
        var equipment = Own(Equipment.Open(data, options, clock));

        // 2. The folder's lock, then the store. A crash of the run before is found here and needs nothing but this same path.
        var folder = Own(DataFolder.Open(data));
        File.Delete(Path.Combine(data, AddressFile));
        var engine = Own(SqliteEngine.Open(folder.Database));
        var blobs = new BlobStore(folder.Blobs, clock);
        var guard = Own(Guard.Open(Guard.FileIn(options.Guard), options.Origin));
        // A store behind its guard is told as what it is, before everything that it lacks is named.
        Checkpoints.DemandContinues(engine, guard);
        var findings = StoreCheck.Run(engine, blobs, guard.Heads());
        foreach (var finding in findings) log.CheckFound(finding.ToString());
        if (findings.Count > 0) throw new CannotStartException($"The store does not keep its promises: {findings[0]}{(findings.Count > 1 ? $" and {findings.Count - 1} more" : "")}. Run `exchange-gateway check`.");

        // 3. The world in force, verified again under the pins; then the only door, and the ledger's guard.
        var pins = new Pins(options.DirectoryOfficers, options.PolicyOfficers);
        // What responders said before counts again from the first moment on: the directory is judged with it.
        var (cache, responses) = (new RevocationCache(folder.Revocation), new StapledResponses());
        responses.Add(cache.ResponsesUnder(equipment.Anchors));
        var worlds = Worlds.Load(engine, equipment.Anchors, pins, clock.GetUtcNow(), responses);
        responses.Add(cache.ResponsesUnder(worlds.Current.Trust.Store));
        var meters = Own(new Meters());
        var journal = Own(new Journal(engine, worlds, clock, settings.Journal with { Committed = meters.Committed }, failure => { log.StoreFailed(failure); settings.Stop(failure); }));
        journal.Start();
        var checkpoints = Checkpoints.Open(engine, guard, equipment.Checkpoint, TimeSpan.FromSeconds(options.Limits.CheckpointSeconds), settings.Stop);
        beat = new Beat(journal, checkpoints, () => worlds.Current.PolicyOrNone?.HidesLevels == true, (int)options.Limits.CheckpointMultiple);
        if (!equipment.Checkpoint.SignTwice) log.CheckpointsAreSignedOnce();
        var ledger = new LedgerReader(engine, checkpoints) { Notes = new KeptNotes(Guard.FileIn(options.Guard), options.Origin, [.. guard.Follows.Select(e => e.Origin)]), Succession = guard.Succession };
        var index = Own(new FillIndex(engine, folder.AuditIndex));
        blobs.SweepTemporary();
        DurableFile.CreateFolder(folder.Sealed);
        var sealedCopies = new BlobStore(folder.Sealed, clock) { IsNamed = ParcelTable.IsQueued };
        sealedCopies.SweepTemporary();
        var uploads = new UploadFolder(folder.Uploads, blobs, settings.Step) { SyncEvery = settings.UploadSync };
        using (var reader = engine.Reader()) uploads.Sweep(id => UploadTable.IsAwaited(reader, id));
        var room = new Room(data, options.Limits.ReserveBytes, clock, logs.CreateLogger<Room>());
        meters.Watch(room, journal);
        var backlog = new Backlog(engine, checkpoints, clock);
        meters.Watch(backlog);
        var pending = new PendingWitnesses(equipment.Witnesses, () => checkpoints.Newest, clock);
        meters.Watch(pending);
        var waiting = new PendingTimeStamps(clock);
        meters.Watch(waiting);
        meters.Watch(equipment, worlds, clock, TimeSpan.FromDays(options.Limits.CertificateAlarmDays));
        var targets = Composition.AlarmTargets(options, equipment, clock);
        foreach (var target in targets.OfType<IDisposable>()) Own(target);
        var alarms = new Alarms(targets, clock, logs.CreateLogger<Alarms>());
        Shared = new(options, engine, journal, ledger, worlds, blobs, uploads, room, new Evidence(equipment.Evidence, options.Origin, TimeSpan.FromSeconds(options.Limits.PromiseSeconds)), meters, clock, logs)
        {
            Circumstances = new Circumstances(options.Ceiling, clock), Sealed = sealedCopies, Alarms = settings.Alarms ?? alarms, AuditIndex = index,
        };
        meters.WatchClock(() => Shared.Circumstances.IsClockSure);
        meters.Watch(Shared.OldPages);

        long size;
        using (var reader = engine.Reader()) size = HeadTable.Read(reader).Size;

        // 4. "start" is on record before the first request is answered.
        await Log(EntryKind.Start, new StartDetail(Program.Version, engine.Schema, size) { Time = clock.GetUtcNow().ToUnixTimeMilliseconds() });

        // 5. Listen; then what happens by itself; then tell where.
        var activate = new ActivateDocuments(journal, worlds, pins);
        var incoming = new IncomingFolder(folder, activate, logs.CreateLogger<IncomingFolder>()) { Orders = new CarryOutOrder(Shared).Run };
        failures = new SignInFailures(clock, meters, logs.CreateLogger<SignInFailures>());
        var adapters = settings.Adapters ?? Composition.Adapters(options, worlds, equipment, engine, clock);
        var intakes = settings.Intakes ?? Composition.Intakes(options, worlds, equipment, engine, clock);
        foreach (var carrier in adapters.OfType<IDisposable>().Concat(intakes.OfType<IDisposable>())) Own(carrier);
        app = Composition.Build(Shared, equipment.Tls, failures, adapters, intakes, out worker, out var steps, out var telemetry);
        ResponseEndpoint.Map(app, cache);
        Own(telemetry);
        var sources = Own(new SourceClient(options.Revocation, clock));
        var revocation = new FetchRevocation(new FetchLists(options.Revocation, sources, cache, activate, meters, logs.CreateLogger<FetchRevocation>()),
            new AskResponders(options.Revocation, sources, cache, worlds, equipment, meters, logs.CreateLogger<FetchRevocation>()), app.Lifetime.ApplicationStopping);
        var witnesses = Own(new WitnessClient(equipment.Witnesses?.Authorities ?? [], clock));
        // Each by itself: one that is slow keeps nobody waiting.
        asking = until => [.. (equipment.Witnesses?.Peers ?? []).Select(p => new AskWitness(p, witnesses, checkpoints, ledger, pending, meters, logs.CreateLogger<AskWitness>(), until))];
        var stamping = options.TimeStamp is not { } stamped ? null : new StampCheckpoints(new(stamped, Own(new AuthorityClient(TimeSpan.FromSeconds(stamped.Seconds), clock)), () => worlds.Current.Trust), new Stamps(checkpoints), () => checkpoints.Newest,
            options.Origin, waiting, meters, clock, logs.CreateLogger<StampCheckpoints>(), app.Lifetime.ApplicationStopping);
        await worker.Recover(clock.GetUtcNow());
        await app.StartAsync();
        // The incoming folder first: what the others decide rests on the newest directory.
        loops = new Loops([new("incoming folder", TimeSpan.FromSeconds(options.Limits.IncomingSeconds), async now =>
            {
                await incoming.Step(now);
                Shared.Circumstances.Looked(now);
            }), new("revocation", TimeSpan.FromMinutes(1), revocation.Step), .. steps, new("alarm watch", TimeSpan.FromMinutes(1), new AlarmWatch(Shared, equipment, backlog, () => Shared.Circumstances.IsClockSure, () => revocation.Trouble, () => pending.Alarms().Concat(waiting.Alarms()).Concat(Shared.OldPages.Alarms())).Step), new("alarms", TimeSpan.FromSeconds(10), alarms.Step),
             new("checkpoint", TimeSpan.FromSeconds(1), now => beat!.Step(now)), .. asking(app.Lifetime.ApplicationStopping).Select(a => new Loop($"witness {a.Name}", TimeSpan.FromSeconds(1), a.Step)),
             .. stamping is null ? Array.Empty<Loop>() : [new Loop("time-stamps", TimeSpan.FromSeconds(1), stamping.Step)]], meters, clock, logs.CreateLogger<Loops>());
        if (settings.RunLoops) loops.Start();
        Addresses();
        DurableFile.Write(Path.Combine(data, AddressFile), System.Text.Encoding.UTF8.GetBytes(Address.AbsoluteUri.TrimEnd('/') + "\n"));
        log.GatewayListens(options.Origin, Address.AbsoluteUri, size);
    }

    void Addresses()
    {
        foreach (var address in app!.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(a => new Uri(a)))
            if (address.Scheme == Uri.UriSchemeHttps) Address = address;
            else OperationsAddress = address;
    }

    Task<bool> Log(EntryKind kind, LedgerDetail detail)
    {
        var entry = LedgerEntry.Create(EntryDetails.Write(detail));
        return Shared.Journal.Commit(b =>
        {
            b.Log(entry, kind);
            return true;
        }, settle: true);
    }

    /// <summary>Clean stop: no new requests, the running ones end, the steps end, "stop" is the last entry.</summary>
    public async ValueTask DisposeAsync()
    {
        if (app is null) return;
        await app.StopAsync();
        await worker!.Stop();
        await loops!.DisposeAsync();
        try
        {
            await failures!.Step(Shared.Journal, DateTimeOffset.MaxValue);
            await Log(EntryKind.Stop, new StopDetail { Time = Shared.Clock.GetUtcNow().ToUnixTimeMilliseconds() });
            // The last head is signed as well: an auditor who comes after the stop finds every entry in a checkpoint.
            await beat!.Step(Shared.Clock.GetUtcNow(), force: true);
            // And in one that is witnessed, if they answer at once: a year ends with this head.
            using var patience = new CancellationTokenSource(WitnessClient.Patience, Shared.Clock);
            await Task.WhenAll(asking!(patience.Token).Select(a => a.Step(Shared.Clock.GetUtcNow())));
        }
        catch (Exception e) when (e is StoreFull || (e is RefusedException refused && refused.Refusal == Refusal.Full)) { Shared.Logs.CreateLogger<GatewayHost>().StopWasNotRecorded(); }
        Shared.Logs.CreateLogger<GatewayHost>().GatewayStopped();
        File.Delete(Path.Combine(data, AddressFile));
        await Close();
    }

    async Task Close()
    {
        if (app is not null) await app.DisposeAsync();
        app = null;
        while (owned.TryPop(out var one)) one.Dispose();
    }

    T Own<T>(T one) where T : IDisposable
    {
        owned.Push(one);
        return one;
    }
}
