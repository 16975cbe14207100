using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Microsoft.Extensions.Logging;

namespace Exchange.Tests.Http;

/// <summary>The system's clock, moved: certificates, TLS and timers stay real.</summary>
sealed class MovedClock : TimeProvider
{
    long shift;
    long wrong;
    public void Advance(TimeSpan by) => Interlocked.Add(ref shift, by.Ticks);
    /// <summary>Only the time of day jumps: the machine's own counter knows nothing of it.</summary>
    public void Jump(TimeSpan by) => Interlocked.Add(ref wrong, by.Ticks);
    public override long GetTimestamp() => TimeProvider.System.GetTimestamp() + (long)(Interlocked.Read(ref shift) * (TimestampFrequency / (double)TimeSpan.TicksPerSecond));
    public override DateTimeOffset GetUtcNow() => TimeProvider.System.GetUtcNow().AddTicks(Interlocked.Read(ref shift) + Interlocked.Read(ref wrong));
}

/// <summary>Keeps log lines; logging at every level, so that nothing hides from a search.</summary>
sealed class LogLines : ILoggerProvider
{
    public ConcurrentQueue<string> Lines { get; } = [];
    public ILogger CreateLogger(string categoryName) => new Logger(Lines, categoryName);
    public void Dispose() { }

    sealed class Logger(ConcurrentQueue<string> lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{category} {formatter(state, exception)} {exception}");
    }
}

/// <summary>A gateway with real Kestrel, real mutual TLS, real SQLite, in this process.</summary>
sealed class TestGateway : IAsyncDisposable
{
    readonly List<HttpClient> clients = [];
    readonly ILoggerFactory factory;
    JournalOptions journal = new();
    Action<Exception> stop = _ => { };
    IReadOnlyList<Adapters.IDeliveryAdapter>? adapters;
    IReadOnlyList<Adapters.IIntake>? intakes;
    long standing = 1, policy = 1;
    long uploadSync = HostSettings.UploadGroup;

    TestGateway(ILoggerFactory factory, LogLines logs, string data) => (this.factory, Logs, Data) = (factory, logs, data);

    public LogLines Logs { get; }
    public string Data { get; }
    public MovedClock Clock { get; } = new();
    public Delivery.RaisedAlarms Alarms { get; } = new();
    /// <summary>Throws where the process is to die.</summary>
    public Action<string>? Step { get; set; }
    public GatewayHost Host { get; private set; } = null!;
    public Uri Address => Host.Address;

    /// <param name="folder">Data folder, made when it is not there; null: one of its own.</param>
    /// <param name="journal">null: every batch is rehearsed.</param>
    /// <param name="telemetry">Collector; null: none.</param>
    /// <param name="adapters">In place of the real ones; none: those.</param>
    public static async Task<TestGateway> Start(Func<Limits, Limits>? limits = null, string? folder = null, JournalOptions? journal = null, Action<Exception>? stop = null, Uri? telemetry = null,
        long uploadSync = HostSettings.UploadGroup, Adapters.IIntake? intake = null, Func<Options, Options>? options = null, params IReadOnlyList<Adapters.IDeliveryAdapter> adapters)
    {
        var data = folder ?? Path.Combine(AppContext.BaseDirectory, "work", Guid.CreateVersion7().ToString("N"));
        var request = Initialise.FromDevelopment(data, DevPkiFolder.Root, new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Loopback, 0), null);
        if (limits is not null) request = request with { Options = request.Options with { Limits = limits(Limits.Defaults) } };
        if (options is not null) request = request with { Options = options(request.Options) };
        if (telemetry is not null) request = request with { Options = request.Options with { Telemetry = telemetry } };
        var logs = new LogLines();
        var gateway = new TestGateway(LoggerFactory.Create(b => b.SetMinimumLevel(LogLevel.Trace).AddProvider(logs)), logs, data) { journal = journal ?? new JournalOptions { Rehearse = true }, stop = stop ?? (failure => throw failure), adapters = adapters.Count > 0 ? adapters : null, uploadSync = uploadSync, intakes = intake is null ? null : [intake] };
        if (!Directory.Exists(data)) await Initialise.Run(request, gateway.Clock);
        await gateway.Start();
        return gateway;
    }

    async Task Start() => Host = await GatewayHost.Start(Data, new HostSettings
    {
        Clock = Clock, Logs = factory, RunLoops = false, Stop = stop, Journal = journal, Adapters = adapters, Intakes = intakes, Step = name => Step?.Invoke(name), Alarms = Alarms, UploadSync = uploadSync,
    });

    public async Task Restart()
    {
        await Host.DisposeAsync();
        await Start();
        clients.Clear();
    }

    /// <summary>A client of this office.</summary>
    public HttpClient As(string office) => As(DevPkiFolder.Tls(office));

    /// <summary>A client of this auditor of the development PKI.</summary>
    public HttpClient AsAuditor(string auditor) => As(DevPkiFolder.AuditorTls(auditor));

    /// <summary>Other auditors are in force from now on.</summary>
    public Task Appoint(Func<StandingAuditor[], StandingAuditor[]?> change) => Activate(DevPkiFolder.StandingWith(++standing, change));

    /// <param name="tls">Key of an office or auditor.</param>
    public HttpClient As(X509Certificate2 tls)
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                LocalCertificateSelectionCallback = (_, _, _, _, _) => tls,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            },
        })
        { BaseAddress = Address, DefaultRequestVersion = HttpVersion.Version20, Timeout = TimeSpan.FromMinutes(2) };
        clients.Add(client);
        return client;
    }

    public async Task<SealedEnvelope> Seal(string to, string level = "thuong", Func<SealRequest, SealRequest>? change = null, Stream? payload = null, int size = 1000, string from = "G22")
    {
        var (world, now) = (Host.Shared.Worlds.Current, Clock.GetUtcNow());
        var offices = to.Split(',');
        var policyLevel = world.Policy.Level(level)!;
        var request = new SealRequest
        {
            Id = Guid.CreateVersion7(now), Gateway = Host.Shared.Options.Origin, Sender = from,
            Recipients = [.. offices.Select(o => new SealRecipient(o, (world.Directory.Find(o) ?? world.Directory.Find("H41")!).Encryption[0], "to"))], To = offices,
            Label = world.Policy.NewLabel(level, policyLevel.BasisRequired ? "test-basis" : null), Urgency = 1,
            Times = new(null, now.AddDays(5).ToUnixTimeMilliseconds(), null), Policy = world.Policy.Ref, Directory = world.Directory.Ref, Seen = null,
            Sheet = new Sheet { Number = "1", Notation = "X", Subject = SecretSubject, DocumentType = "Công văn", Place = null, Date = "2026-11-24", Signatory = null },
            Documents = [new("a.txt", "text/plain", size, null, () => new MemoryStream(Enumerable.Repeat((byte)'x', size).ToArray()))],
            Authors = policyLevel.Authors.Contains("office") ? [DevPkiFolder.Person(from, "signatory"), DevPkiFolder.Sign(from)] : [DevPkiFolder.Person(from, "clerk")],
            Approvers = [.. policyLevel.Approvals.Select(role => DevPkiFolder.Person(from, role))], Office = DevPkiFolder.Sign(from),
            ManifestBucket = policyLevel.ManifestBucket, PayloadBucket = policyLevel.PayloadBucket,
        };
        return await Envelope.SealAsync(change?.Invoke(request) ?? request, payload ?? new MemoryStream(), Clock, CancellationToken.None);
    }

    public const string SecretSubject = "PLANTED-SUBJECT-7f3a";

    /// <summary>The file form of a freshly sealed dispatch.</summary>
    public async Task<(SealedEnvelope Envelope, byte[] File)> SealFile(string to, string level = "thuong", Func<SealRequest, SealRequest>? change = null, int size = 1000, string from = "G22")
    {
        using var payload = new MemoryStream();
        var envelope = await Seal(to, level, change, payload, size, from);
        return (envelope, [.. EnvelopeFile.Write(envelope.Parts), .. payload.ToArray()]);
    }

    /// <summary>What one person says about a dispatch of his office.</summary>
    public byte[] Word(SealedEnvelope envelope, string person, string act = ApprovalAct.Release, Func<Approval, Approval>? change = null, string from = "G22")
    {
        var (header, key) = (EnvelopeFile.PeekUnverified(envelope.Parts.Header), DevPkiFolder.Person(from, person));
        var approval = new Approval
        {
            V = 1, Type = Approval.TypeName, Signers = [key.Certificate.Key], Act = act, Dispatch = header.Dispatch.Ref, Label = header.Label, From = header.Sender,
            To = [.. header.Recipients.Where(r => r.Role is "to" or "cc").Select(r => r.Office)], NotAfter = header.Times.Expires,
        };
        return Statement.Sign(change?.Invoke(approval) ?? approval, [key], Clock.GetUtcNow()).Der.ToArray();
    }

    public async Task<Answer> Submit(byte[] file, string office = "G22") => await Send(As(office), HttpMethod.Post, "/dispatches", file);

    /// <summary>Sealed, submitted, accepted; and the parcel of one office.</summary>
    public async Task<(SealedEnvelope Envelope, byte[] File, Guid Parcel)> Accepted(string to, string parcelOf, string level = "thuong", int size = 1000)
    {
        var (envelope, file) = await SealFile(to, level, size: size);
        var answer = await Submit(file);
        Assert.True(answer.Status == 201, answer.Text);
        var parcels = (await Send(As(parcelOf), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels");
        return (envelope, file, parcels.EnumerateArray().Last().GetProperty("parcel").GetGuid());
    }

    public static async Task<Answer> Send(HttpClient client, HttpMethod method, string path, byte[]? body = null, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(method, path) { Version = HttpVersion.Version20 };
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        }
        change?.Invoke(request);
        using var response = await client.SendAsync(request);
        var content = await response.Content.ReadAsByteArrayAsync();
        Interface.Demand(method, path, response, content);
        return new Answer((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, content, response.Headers.Location?.ToString(),
            response.Headers.ETag?.Tag, response.Headers.TryGetValues("Upload-Offset", out var offset) ? long.Parse(offset.Single(), System.Globalization.CultureInfo.InvariantCulture) : null,
            response.Headers.RetryAfter?.Delta);
    }

    /// <summary>Puts documents in force as the incoming folder does.</summary>
    public async Task Activate(params byte[][] documents)
    {
        var shared = Host.Shared;
        var prepared = WorldActivation.Prepare(shared.Worlds.Current, [.. documents.Select(d => (ReadOnlyMemory<byte>)d)], new Pins(shared.Options.DirectoryOfficers, shared.Options.PolicyOfficers), Clock.GetUtcNow());
        Assert.True(await shared.Journal.Commit(b => b.Activate(prepared)));
    }

    /// <summary>A level is handled in another way from now on.</summary>
    public Task Handle(string level, Func<PolicyHandling, PolicyHandling> change) =>
        Govern(p => p with { Levels = [.. p.Levels.Select(l => l.Code == level ? l with { Handling = change(l.Handling) } : l)] });

    /// <summary>The first policy, so changed, is in force from now on.</summary>
    public Task Govern(Func<PolicyStatement, PolicyStatement> change)
    {
        var next = DevPkiFolder.Policy(++policy, change);
        var world = Host.Shared.Worlds.Current;
        return Activate(next, DevPkiFolder.Approval(world.Policy, next, world.Standing.Statement, Clock.GetUtcNow().AddDays(1)));
    }

    public Task TakeClearanceFrom(string office) => Activate(DevPkiFolder.WithoutClearance(++standing, office));

    /// <summary>This office is reached by this adapter from now on.</summary>
    public Task Reach(string office, string adapter) => Activate(DevPkiFolder.Standing(++standing, o => o.Code == office ? o with { Channel = o.Channel with { Adapter = adapter } } : o));

    /// <summary>One step of the delivery worker, and what it started has settled.</summary>
    public async Task<int> Deliver()
    {
        var started = await Host.Worker.Step(Clock.GetUtcNow());
        // An attempt that a failed test left waiting fails the next one; it does not hang the run.
        await Host.Worker.Idle().WaitAsync(TimeSpan.FromMinutes(2));
        return started;
    }

    public Task GiveClearancesBack() => Activate(DevPkiFolder.Standing(++standing, o => o));

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients) client.Dispose();
        await Host.DisposeAsync();
        factory.Dispose();
        Directory.Delete(Data, recursive: true);
        Directory.Delete(Data + ".guard", recursive: true);
    }
}

/// <summary>One gateway for all tests of a class.</summary>
public sealed class SharedGateway : IAsyncLifetime
{
    internal TestGateway Gateway { get; private set; } = null!;
    public async ValueTask InitializeAsync() => Gateway = await TestGateway.Start();
    public async ValueTask DisposeAsync() => await Gateway.DisposeAsync();
}

sealed record Answer(int Status, string? Type, byte[] Body, string? Location, string? ETag, long? Offset, TimeSpan? RetryAfter)
{
    public string Text => System.Text.Encoding.UTF8.GetString(Body);
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;
    public string? Code => Type == "application/problem+json" ? Json.GetProperty("code").GetString() : null;
    public Receipt Receipt => Statement.Read(Body, StatementType.Receipt).As<Receipt>();
    public Receipt RejectionReceipt => Statement.Read(System.Buffers.Text.Base64Url.DecodeFromChars(Json.GetProperty("receipt").GetString()), StatementType.Receipt).As<Receipt>();
}
