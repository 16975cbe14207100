using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Exchange.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Exchange.Benchmarks;

/// <summary>
/// Endpoints of offices in this process: each with a port and its own TLS key, each parcel answered with that office's signed handover. They keep nothing, so that the disk is the gateway's alone.
/// One of them may be a black hole: it takes connections and never says a word.
/// </summary>
sealed class Endpoints : IAsyncDisposable
{
    readonly WebApplication app;
    readonly Dictionary<int, OfficeByHand> offices = [];
    readonly Dictionary<string, int> ports = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<ConnectionContext, int> open = [];
    volatile int hole;
    long taken;

    Endpoints(IReadOnlyList<(string Code, OfficeByHand Hand)> all)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            foreach (var (_, hand) in all)
                kestrel.Listen(IPAddress.Loopback, 0, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1AndHttp2;
                    listen.Use(next => connection => WatchAsync(connection, next));
                    var context = SslStreamCertificateContext.Create(hand.Tls, null, offline: true);
                    listen.UseHttps(new TlsHandshakeCallbackOptions
                    {
                        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                        {
                            ServerCertificateContext = context, ClientCertificateRequired = true, CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                            RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
                        }),
                    });
                });
        });
        app = builder.Build();
        app.Run(AnswerAsync);
    }

    /// <param name="more">Their keys are read on the way, which takes some milliseconds each.</param>
    public static async Task<Endpoints> StartAsync(OfficeByHand like, params IReadOnlyList<string> more)
    {
        List<(string Code, OfficeByHand Hand)> all = [.. more.Select(code => (code, new OfficeByHand(like, code)))];
        var endpoints = new Endpoints(all);
        await endpoints.app.StartAsync();
        // In the order in which they were asked for.
        var addresses = endpoints.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        for (var i = 0; i < all.Count; i++)
        {
            var port = new Uri(addresses[i]).Port;
            endpoints.offices[port] = all[i].Hand;
            endpoints.ports[all[i].Code] = port;
        }
        return endpoints;
    }

    public string UrlOf(string office) => $"https://localhost:{ports[office]}";

    /// <summary>Parcels answered with a handover.</summary>
    public long Taken => Interlocked.Read(ref taken);

    /// <summary>From now on this office is a black hole, and no other; null: none. What is open to it breaks off.</summary>
    public void Swallow(string? office)
    {
        hole = office is null ? 0 : ports[office];
        foreach (var (connection, port) in open)
            if (port == hole) connection.Abort();
    }

    async Task WatchAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var port = ((IPEndPoint)connection.LocalEndPoint!).Port;
        open[connection] = port;
        try
        {
            if (port == hole) await Task.Delay(Timeout.Infinite, connection.ConnectionClosed);
            else await next(connection);
        }
        catch (OperationCanceledException) { }
        finally { open.TryRemove(connection, out _); }
    }

    async Task AnswerAsync(HttpContext context)
    {
        if (!HttpMethods.IsPut(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var file = new byte[(int)context.Request.ContentLength!];
        await context.Request.Body.ReadExactlyAsync(file);
        context.Response.StatusCode = StatusCodes.Status201Created;
        context.Response.ContentType = "application/cms";
        await context.Response.Body.WriteAsync(offices[context.Connection.LocalPort].Handover(file));
        Interlocked.Increment(ref taken);
    }

    public async ValueTask DisposeAsync()
    {
        using (var soon = new CancellationTokenSource(2000)) await app.StopAsync(soon.Token);
        await app.DisposeAsync();
    }
}
