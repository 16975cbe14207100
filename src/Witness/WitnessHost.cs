using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading.RateLimiting;
using Exchange.Crypto.Ledger;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Exchange.Witnessing;

/// <param name="Tls">Server certificate with its key; null: plain HTTP.</param>
/// <param name="PlainAnywhere">Plain HTTP on other addresses than loopback: something in front of it does TLS.</param>
sealed record ServeSettings(IPEndPoint Listen, X509Certificate2? Tls, bool PlainAnywhere, ILoggerFactory Logs)
{
    public TimeProvider Clock { get; init; } = TimeProvider.System;
    /// <summary>Requests of one address in a minute.</summary>
    public int RequestsPerMinute { get; init; } = 600;
    public Action<string>? Step { get; init; }
}

/// <summary>
/// POST /add-checkpoint and GET /health, nothing else. Whoever asks needs no credentials: what counts is the ledger's signature in the checkpoint. Bounded in bytes, time, connections and requests.
/// </summary>
sealed class WitnessHost : IAsyncDisposable
{
    const int Connections = 200;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    readonly Stack<IDisposable> owned = new();
    WebApplication app = null!;

    WitnessHost() { }

    public Uri Address { get; private set; } = null!;

    /// <param name="folder">Opened alone; closed with the host.</param>
    /// <exception cref="WitnessException">It may not listen there, or a file is damaged.</exception>
    public static async Task<WitnessHost> Start(WitnessFolder folder, ServeSettings settings)
    {
        var host = new WitnessHost();
        host.owned.Push(folder);
        try
        {
            if (settings.Tls is null && !IPAddress.IsLoopback(settings.Listen.Address) && !settings.PlainAnywhere)
                throw new WitnessException($"{settings.Listen}: plain HTTP leaves this machine with --plain only. Give --tls FILE.p12, or listen on 127.0.0.1 behind a server that does TLS.", $"{settings.Listen}: HTTP không mã hóa chỉ ra ngoài máy khi có --plain. Dùng --tls TỆP.p12, hoặc nghe ở 127.0.0.1.");
            var keys = folder.Keys();
            foreach (var key in keys) host.owned.Push(key);
            var add = new AddCheckpoint(folder.Logs(), HeadStore.Open(folder.Heads), keys, settings.Clock, settings.Step);
            host.app = Build(settings, add);
            await host.app.StartAsync();
            host.Address = new Uri(host.app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    static WebApplication Build(ServeSettings settings, AddCheckpoint add)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "exchange-witness" });
        builder.Services.AddSingleton(settings.Logs);
        builder.Services.AddRouting();
        builder.Services.AddRateLimiter(limiter =>
        {
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, IPAddress>(context => RateLimitPartition.GetFixedWindowLimiter(context.Connection.RemoteIpAddress ?? IPAddress.None,
                _ => new FixedWindowRateLimiterOptions { PermitLimit = settings.RequestsPerMinute, Window = TimeSpan.FromMinutes(1), QueueLimit = 0 }));
        });
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = WitnessRequest.MaxBytes;
            kestrel.Limits.MaxConcurrentConnections = Connections;
            kestrel.Limits.RequestHeadersTimeout = Patience;
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(4096, TimeSpan.FromSeconds(5));
            kestrel.Limits.MinResponseDataRate = new MinDataRate(1024, TimeSpan.FromSeconds(5));
            kestrel.Limits.Http2.MaxStreamsPerConnection = 10;
            kestrel.Listen(settings.Listen, listen =>
            {
                if (settings.Tls is { } certificate) listen.UseHttps(certificate, https => (https.SslProtocols, https.HandshakeTimeout) = (SslProtocols.Tls12 | SslProtocols.Tls13, Patience));
                else listen.Protocols = HttpProtocols.Http1;
            });
        });
        var (app, log) = (builder.Build(), settings.Logs.CreateLogger<WitnessHost>());
        app.UseRateLimiter();
        app.UseRouting();
        app.MapGet("/health", () => Results.Text("ok\n"));
        app.MapPost("/add-checkpoint", context => Answer(context, add, log));
        return app;
    }

    static async Task Answer(HttpContext context, AddCheckpoint add, ILogger log)
    {
        byte[] body;
        using (var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted))
        {
            patience.CancelAfter(Patience);
            using var bytes = new MemoryStream();
            // Kestrel counts, with and without a length in the head.
            try { await context.Request.Body.CopyToAsync(bytes, patience.Token); }
            catch (Microsoft.AspNetCore.Http.BadHttpRequestException e) { context.Response.StatusCode = e.StatusCode; return; }
            catch (OperationCanceledException) { context.Response.StatusCode = StatusCodes.Status408RequestTimeout; return; }
            body = bytes.ToArray();
        }
        try
        {
            var (answer, checkpoint) = add.Answer(body);
            if (answer.Status == WitnessAnswer.Ok) log.Cosigned(checkpoint!.Origin, checkpoint.Size);
            else log.NotCosigned(answer.Status is WitnessAnswer.Conflict or WitnessAnswer.Unprocessable && answer.Body.Length == 0 ? LogLevel.Error : LogLevel.Information, answer.Status, answer.Reason, checkpoint?.Origin ?? "?", checkpoint?.Size ?? 0);
            (context.Response.StatusCode, context.Response.ContentType) = (answer.Status, answer.ContentType);
            await context.Response.WriteAsync(answer.Body, context.RequestAborted);
        }
        catch (IOException e) when (!context.Response.HasStarted)
        {
            // The head before still counts; whoever asks does so again.
            log.HeadWasNotKept(e);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
        while (owned.TryPop(out var one)) one.Dispose();
    }
}

static partial class WitnessLog
{
    [LoggerMessage(9060, LogLevel.Information, "Cosigned {Origin} at size {Size}")]
    public static partial void Cosigned(this ILogger log, string origin, long size);

    [LoggerMessage(EventId = 9061, Message = "Answered {Status} ({Reason}) to {Origin} at size {Size}")]
    public static partial void NotCosigned(this ILogger log, LogLevel level, int status, string reason, string origin, long size);

    [LoggerMessage(9062, LogLevel.Critical, "A head could not be kept and was not cosigned; look at the disk")]
    public static partial void HeadWasNotKept(this ILogger log, Exception failure);
}
