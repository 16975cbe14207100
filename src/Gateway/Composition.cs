using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Adapters;
using Exchange.Adapters.Folder;
using Exchange.Adapters.Https;
using Exchange.Adapters.Mail;
using Exchange.Adapters.Sftp;
using Exchange.Crypto;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Admin;
using Exchange.Gateway.Audit;
using Exchange.Gateway.Delivery;
using Exchange.Gateway.Erasing;
using Exchange.Gateway.Handling;
using Exchange.Gateway.Holding;
using Exchange.Gateway.Intake;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Mailbox;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Recalling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Relabelling;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;
using Microsoft.AspNetCore.Authentication.Certificate;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Exchange.Gateway;

/// <summary>What the slices share: the store's doors, the world and the clock.</summary>
sealed record Shared(Options Options, IEngine Engine, Journal Journal, LedgerReader Ledger, Worlds Worlds, BlobStore Blobs, UploadFolder Uploads, Room Room, Evidence Evidence, Meters Meters, TimeProvider Clock, ILoggerFactory Logs)
{
    public required Circumstances Circumstances { get; init; }
    public required BlobStore Sealed { get; init; }
    public required IAlarms Alarms { get; init; }
    /// <summary>What auditors search in; null: nobody is let in to search.</summary>
    public FillIndex? AuditIndex { get; init; }
    /// <summary>0..1, for what must not happen to all at once: the only randomness of the queue.</summary>
    public Func<double> Chance { get; init; } = () => RandomNumberGenerator.GetInt32(1001) / 1000.0;
    /// <summary>What erasures of this run may have left in the logs of both databases.</summary>
    public OldPages OldPages { get; } = new(Clock);
    /// <summary>How attempts at deliveries are set going.</summary>
    public StartAttempt StartAttempt { get; init; } = Task.Run;
    /// <summary>Ids of the gateway's own rows: UUIDv7 of a time.</summary>
    public Func<DateTimeOffset, Guid> NewId { get; init; } = Guid.CreateVersion7;

    public ILogger<T> Log<T>() => Logs.CreateLogger<T>();
}

/// <summary>Every registration, a paragraph a slice. Nothing is found by reflection: what is used is made here.</summary>
static class Composition
{
    public static WebApplication Build(Shared shared, X509Certificate2 tls, SignInFailures failures, IReadOnlyList<IDeliveryAdapter> adapters, IReadOnlyList<IIntake> intakes, out DeliveryWorker worker, out IReadOnlyList<Loop> loops, out Telemetry telemetry)
    {
        var (options, limits) = (shared.Options, shared.Options.Limits);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "exchange-gateway" });
        builder.Services.AddSingleton(shared.Logs);
        builder.Services.AddSingleton(shared.Clock);
        builder.Services.AddRouting();

        // Offices: who comes in. The chain is judged in the handshake and again, cached, on each request.
        var door = new MutualTls(shared.Worlds, shared.Clock, failures);
        var signIn = new SignIn(shared.Worlds, shared.Clock, failures);
        builder.Services.AddAuthentication(CertificateAuthenticationDefaults.AuthenticationScheme).AddCertificate(certificate =>
        {
            certificate.Events = signIn.Events;
            certificate.RevocationMode = X509RevocationMode.NoCheck;
            certificate.ChainTrustValidationMode = X509ChainTrustMode.CustomRootTrust;
            certificate.CustomTrustStore = [.. shared.Worlds.Current.Trust.Store.Roots.Select(root => X509CertificateLoader.LoadCertificate(root.Der.Span))];
        });
        builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, options, door, tls));

        var app = builder.Build();
        var health = new Health(shared.Journal, shared.Room, shared.Ledger, options);
        var metrics = telemetry = new Telemetry(options, shared.Meters, app.Services.GetRequiredService<IMeterFactory>());
        app.Use(Spans.IgnoreCaller);
        app.UseMiddleware<RefusalMiddleware>();
        app.MapWhen(context => !context.Request.IsHttps, plain =>
        {
            metrics.Map(plain);
            plain.Map("/queue", queue => queue.Run(context => QueueScreen.Answer(context, shared.Engine, shared.Clock)));
            plain.Run(health.Answer);
        });
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.Use(SignIn.Admit);
        health.Map(app);
        OpenApiEndpoint.Map(app);
        DirectoryEndpoint.Map(app, shared.Worlds);

        // Submission: a dispatch comes in.
        var arrival = new Arrival(shared);
        var quotas = new Quotas(limits);
        var rejections = new Rejections(shared, quotas);
        var handedOut = new HandedOut(shared.Clock);
        var accept = new AcceptDispatch(arrival, rejections, new HoldDispatch(shared), new PlanRecall(shared, handedOut), shared);
        var upload = new UploadPayload(arrival, accept, rejections, shared);
        var submit = new SubmitDispatch(arrival, accept, rejections, quotas, shared);
        SubmissionEndpoint.Map(app, submit, upload, new DryRun(shared, quotas), options);

        // Holding: what waits for persons of the sending office.
        var released = new ReleaseHeld(arrival, accept, shared);
        HoldingEndpoint.Map(app, new ApproveHeld(released, quotas, shared), released, shared.Engine, shared.Worlds, options);

        // Mailbox: a copy goes out, and its office says what became of it.
        var (release, end) = (new ReleaseParcel(shared), new EndParcel(shared));
        var acknowledge = new AcknowledgeParcel(handedOut, shared);
        MailboxEndpoint.Map(app, new ListMailbox(shared.Engine, shared.Journal, shared.Clock), new DownloadParcel(release, end, handedOut, shared.Clock), acknowledge, shared.Engine, options,
            app.Lifetime.ApplicationStopping);

        // Handling: what an office does with its copy, and its sender hears of it.
        HandlingEndpoint.Map(app, new ReportStatus(quotas, shared), new ReadStatuses(shared.Engine, shared.Journal, shared.Clock), shared.Engine, options, app.Lifetime.ApplicationStopping);

        // Relabelling: the label in force, and whoever changes it.
        var change = new FileChange(shared);
        LabelEndpoint.Map(app, new ChangeLabel(change, quotas, shared), shared);

        // Delivery: a copy is carried, by whichever channel its office has.
        var states = new OfficeStates(options.Queue);
        var settle = new SettleAttempt(shared, end, new ReportChannel(shared, states));
        worker = new DeliveryWorker(shared, new DeliverParcel(shared, new Channels(adapters), release, new SealedCopies(shared, release), settle), settle, states, shared.StartAttempt);

        // Intake: what channels bring in, taken as what its signature says it is.
        var take = new TakeBrought(new TakeEnvelope(submit, shared), new TakeReport(shared), acknowledge, shared);
        var bringing = intakes.Select(i => new IntakeWorker(i, take, shared, app.Lifetime.ApplicationStopping));
        var replying = intakes.Select(i => new SendReplies(i, shared, app.Lifetime.ApplicationStopping));

        // Receipts and audit: what anyone concerned may see and prove.
        ReceiptEndpoint.Map(app, shared.Engine, (office, label) => ReleaseFacts.IsCleared(office, label, shared.Worlds.Current, shared.Clock.GetUtcNow()), options);
        LedgerEndpoint.Map(app, shared.Ledger);
        if (shared.AuditIndex is { } index) AuditEndpoint.Map(app, new ReadEntries(shared, index, new AuditLooks(shared)));

        // Everything that happens by itself, each a Step(now).
        var erase = new ErasePayloads(shared);
        var labels = new EndLabels(change, shared);
        var expire = new ExpireParcels(shared, end);
        var stop = new StopRecalled(shared, end);
        var retired = new EndRetired(shared, end);
        var delivery = worker;
        loops =
        [
            new("delivery", TimeSpan.FromSeconds(1), delivery.Step, delivery.Woken, () => delivery.Next),
            new("delivery heartbeat", TimeSpan.FromSeconds(limits.LeaseSeconds / 3.0), delivery.Heartbeat),
            new("room", TimeSpan.FromSeconds(1), _ => Task.FromResult(shared.Room.IsShort)),
            new("sign-in failures", TimeSpan.FromSeconds(10), now => failures.Step(shared.Journal, now)),
            new("expired parcels", TimeSpan.FromSeconds(limits.ExpirySeconds), expire.Step),
            new("recalled copies", TimeSpan.FromSeconds(limits.ExpirySeconds), stop.Step),
            new("copies to keys that are gone", TimeSpan.FromSeconds(limits.ExpirySeconds), retired.Step),
            new("expired uploads", TimeSpan.FromSeconds(limits.ExpirySeconds), upload.Step),
            new("held dispatches", TimeSpan.FromSeconds(limits.ExpirySeconds), released.Step),
            new("labels", TimeSpan.FromSeconds(limits.ExpirySeconds), labels.Step),
            new("unjournalled refusals", TimeSpan.FromMinutes(1), rejections.Step),
            .. shared.AuditIndex is { } filled ? [new Loop("audit index", TimeSpan.FromSeconds(5), filled.Step)] : Array.Empty<Loop>(),
            new("retention", TimeSpan.FromMinutes(10), erase.Step),
            new("retention of details", TimeSpan.FromMinutes(10), new EraseByPolicy(new FinishErasures(shared), shared).Step),
            new("erasures", TimeSpan.FromSeconds(10), new FinishErasures(shared).Step),
            .. bringing.Select(b => new Loop($"intake {b.Name}", TimeSpan.FromSeconds(limits.IntakeSeconds), b.Step, () => b.Arriving)),
            .. replying.Select(r => new Loop($"replies {r.Name}", TimeSpan.FromSeconds(limits.IntakeSeconds), r.Step)),
            new("blob sweep", TimeSpan.FromMinutes(10), now => Task.FromResult((shared.Blobs.Step(shared.Engine), shared.Sealed.Step(shared.Engine)))),
        ];
        return app;
    }

    /// <summary>Whom alarms are told besides the log.</summary>
    public static IReadOnlyList<IAlarmTarget> AlarmTargets(Options options, Equipment equipment, TimeProvider clock)
    {
        List<IAlarmTarget> targets = [];
        var (webhook, token, authorities, mail) = (options.Alarms.Webhook, options.Alarms.Token, options.Alarms.Authorities, options.Alarms.Mail);
        if (webhook is not null)
        {
            var trusted = new X509Certificate2Collection();
            if (authorities is not null) trusted.ImportFromPemFile(authorities);
            targets.Add(new AlarmWebhook(webhook, options.Origin, trusted, token));
        }
        if (mail.Count > 0 && equipment.Mail is { } relay) targets.Add(new AlarmMail(mail, options.Origin, new MailNotice(relay, clock)));
        return targets;
    }

    /// <summary>One line a delivery protocol.</summary>
    public static IReadOnlyList<IDeliveryAdapter> Adapters(Options options, Worlds worlds, Equipment equipment, IEngine engine, TimeProvider clock)
    {
        var chain = worlds.Current.Trust.Store.Intermediates.Select(c => X509CertificateLoader.LoadCertificate(c.Der.Span));
        // An office's endpoint shows the office's own TLS key of the directory; nothing else about it counts.
        bool IsServerOf(string office, X509Certificate2 shown)
        {
            try
            {
                var (certificate, world) = (new Certificate(shown.RawData), worlds.Current);
                return world.Directory.FindByTls(certificate.Key)?.Code == office && world.Trust.Check(certificate, Purpose.TlsServer, clock.GetUtcNow()).Refusal is null;
            }
            catch (RefusedException) { return false; }
        }
        List<IDeliveryAdapter> adapters = [new HttpsAdapter(new HttpsOptions { Client = SslStreamCertificateContext.Create(equipment.Tls, [.. chain], offline: true), IsServerOf = IsServerOf }, clock)];
        if (options.Folders is { } root) adapters.Add(new FolderAdapter(new FolderOptions { Root = root }));
if (equipment.Sftp is { } key) adapters.Add(new SftpAdapter(new SftpOptions { Key = key, Connections = (int)Math.Min(options.Limits.DeliveriesPerOffice, SftpOptions.MostConnections) }, clock));
        if (equipment.Mail is { } mail) adapters.Add(new MailAdapter(Traced(mail, engine), clock));
        return adapters;
    }

    /// <summary>One line a channel that brings things in.</summary>
    public static IReadOnlyList<IIntake> Intakes(Options options, Worlds worlds, Equipment equipment, IEngine engine, TimeProvider clock)
    {
        List<IIntake> intakes = [];
        if (equipment.Mail is { Imap: not null } mail) intakes.Add(new MailIntake(Traced(mail, engine), clock));
        if (equipment.Sftp is { } key) intakes.Add(new SftpIntake(new SftpIntakeOptions
        {
            Lines = new SftpOptions { Key = key }, Temporary = Path.Combine(equipment.IntakeFolder, "sftp"), KeepFree = options.Limits.ReserveBytes,
            MaxBytes = Math.Min(options.Limits.UploadQuotaBytes, SftpIntakeOptions.MostBytes), Sources = () => Sources(worlds.Current.Standing),
        }, clock));
        return intakes;
    }

    // A card and a standing say who may be spoken for; where it is looked is the officers' word alone.
    static IReadOnlyList<SftpSource> Sources(Standing standing) => [.. standing.Offices.SelectMany(o => o.Channels.Where(c => c.Adapter == "sftp").Select(c => new SftpSource(o.Code, c.Settings)))];

    /// <summary>With what the store knows of a copy: when it was last sent, and what was reported since.</summary>
    public static MailOptions Traced(MailOptions mail, IEngine engine) => mail with
    {
        Trace = parcel =>
        {
            using var reader = engine.Reader();
            if (AttemptTable.LastSent(reader, parcel) is not { } sent) return MailTrace.None;
            var report = ReportTable.Newest(reader, parcel, sent.EndedAt);
            return new MailTrace(DateTimeOffset.FromUnixTimeMilliseconds(sent.EndedAt), sent.Outcome == AttemptOutcome.HandedOn, report is null ? null : new CarrierReport(parcel, "", report.Action, report.Code),
                report is null ? null : DateTimeOffset.FromUnixTimeMilliseconds(report.At));
        },
    };

    static void Listen(KestrelServerOptions kestrel, Options options, MutualTls door, X509Certificate2 tls)
    {
        var limits = options.Limits;
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        kestrel.Limits.MaxRequestBodySize = 64 << 10;      // each route that takes more says so
        kestrel.Limits.MaxConcurrentConnections = limits.Connections;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(limits.HandshakeSeconds);
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(limits.BodyBytesPerSecond, TimeSpan.FromSeconds(5));
        kestrel.Limits.MinResponseDataRate = new MinDataRate(limits.BodyBytesPerSecond, TimeSpan.FromSeconds(5));
        kestrel.Limits.Http2.MaxStreamsPerConnection = 100;
        kestrel.Listen(options.Listen, listen => door.Use(listen, tls, TimeSpan.FromSeconds(limits.HandshakeSeconds)));
        // Plain HTTP on loopback answers whether the gateway lives, and its numbers: Options lets no other address through.
        if (options.Operations is { } operations && IPAddress.IsLoopback(operations.Address)) kestrel.Listen(operations, listen => listen.Protocols = HttpProtocols.Http1);
    }
}
