using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Trust;
using Exchange.Office.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Exchange.Office;

/// <summary>
/// The office's endpoint, to which its gateway delivers (docs/api.md): PUT /parcels/{id}, GET /parcels/{id}/receipt. In the handshake everyone is refused but the gateway of the
/// profile: a client certificate of our trust, for the host name that we connect to ourselves, and no office's.
/// </summary>
sealed class ReceiveServer : IAsyncDisposable
{
    /// <summary>An acceptance; ours are about 4 KiB.</summary>
    const int MaxReceipt = 24 << 10;

    readonly OfficeContext office;
    readonly HoldParcel hold;
    readonly Output say;
    readonly Action arrived;
    WebApplication? app;

    /// <param name="office">Its alone: an opening beside it works in a context of its own.</param>
    /// <param name="arrived">Called after each parcel that was handed over.</param>
    public ReceiveServer(OfficeContext office, Output say, Action arrived)
    {
        (this.office, this.say, this.arrived) = (office, say, arrived);
        hold = new HoldParcel(office);
    }

    /// <summary>Listens.</summary>
    /// <returns>The address that the office's channel must name.</returns>
    public async Task<Uri> StartAsync(IPEndPoint listen)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MaxRequestHeadersTotalSize = 48 << 10;
            kestrel.Limits.MaxConcurrentConnections = 100;
            kestrel.Listen(listen, at =>
            {
                at.Protocols = HttpProtocols.Http1AndHttp2;
                at.UseHttps(new TlsHandshakeCallbackOptions { HandshakeTimeout = TimeSpan.FromSeconds(10), OnConnection = _ => ValueTask.FromResult(Tls()) });
            });
        });
        app = builder.Build();
        app.MapPut("/parcels/{id}", (RequestDelegate)(context => Parcel(context) is { } parcel ? PutAsync(context, parcel) : ProblemAsync(context, 404, Refusal.NotFound)));
        app.MapGet("/parcels/{id}/receipt", (RequestDelegate)(context => Parcel(context) is { } parcel && office.Received.Handover(parcel) is { } receipt
            ? ReceiptAsync(context, 200, receipt) : ProblemAsync(context, 404, Refusal.NotFound)));
        app.MapFallback("{**path}", (RequestDelegate)(context => ProblemAsync(context, 404, Refusal.NotFound)));
        await app.StartAsync().ConfigureAwait(false);
        return new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    SslServerAuthenticationOptions Tls() => new()
    {
        ServerCertificateContext = office.Keys.Tls(office.View.Trust.Store.Intermediates.Select(c => c.Der)),
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowRenegotiation = false,
        AllowTlsResume = false,      // a resumed session would stand on a judgement of yesterday
        CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
        RemoteCertificateValidationCallback = (_, presented, _, _) => IsGateway(presented),
    };

    bool IsGateway(X509Certificate? presented)
    {
        if (presented is not X509Certificate2 certificate) return false;
        try
        {
            var parsed = new Certificate(certificate.RawData);
            return office.View.Trust.Check(parsed, Purpose.TlsClient, office.Now).Good && office.View.Directory.FindByTls(parsed.Key) is null
                && certificate.MatchesHostname(office.Profile.Gateway.IdnHost, allowWildcards: false, allowCommonName: false);
        }
        catch (RefusedException) { return false; }
    }

    /// <summary>Method and path of each: docs/openapi-receive.json lists the same.</summary>
    internal IEnumerable<(string Method, string Path)> Routes => ((IEndpointRouteBuilder)app!).DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
        .SelectMany(e => (e.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []).Select(method => (method, e.RoutePattern.RawText!)));

    static Guid? Parcel(HttpContext context) => Guid.TryParseExact((string?)context.GetRouteValue("id"), "D", out var parcel) ? parcel : null;

    async Task PutAsync(HttpContext context, Guid parcel)
    {
        if (context.Request.ContentLength is not { } length || Submission(context) is not { } submission)
        {
            await ProblemAsync(context, 400, Refusal.Request).ConfigureAwait(false);
            return;
        }
        HoldVerdict verdict;
        var progress = say.Lines(say.Text($"receiving {parcel}", $"đang nhận {parcel}"), length);
        try { verdict = await hold.RunAsync(parcel, length, submission, context.Request.Body, progress, context.RequestAborted).ConfigureAwait(false); }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested || e is Microsoft.AspNetCore.Http.BadHttpRequestException) { return; }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The disk: nothing was promised, the gateway brings it again.
            say.Note($"could not be kept: {parcel}: {e.Message}", $"không lưu được: {parcel}: {e.Message}");
            await ProblemAsync(context, 500, Refusal.Internal).ConfigureAwait(false);
            return;
        }
        await AnswerAsync(context, parcel, verdict).ConfigureAwait(false);
    }

    async Task AnswerAsync(HttpContext context, Guid parcel, HoldVerdict verdict)
    {
        switch (verdict)
        {
            case HoldVerdict.Held held:
                if (!held.Repeat) Tell(parcel, held);
                arrived();
                await ReceiptAsync(context, held.Repeat ? 200 : 201, held.Receipt).ConfigureAwait(false);
                break;
            case HoldVerdict.Conflict conflict:
                Tell(parcel, conflict.Refusal, conflict.Detail);
                await ProblemAsync(context, 409, conflict.Refusal).ConfigureAwait(false);
                break;
            case HoldVerdict.Refused refused:
                Tell(parcel, refused.Refusal, refused.Detail);
                await ProblemAsync(context, 422, refused.Refusal).ConfigureAwait(false);
                break;
            case HoldVerdict.Later later:
                Tell(parcel, later.Refusal, later.Detail);
                context.Response.Headers.RetryAfter = "30";
                await ProblemAsync(context, later.Refusal == Refusal.Full ? 507 : 503, later.Refusal).ConfigureAwait(false);
                break;
        }
    }

    void Tell(Guid parcel, HoldVerdict.Held held)
    {
        say.Say($"received  {parcel}  {held.Sender}  {Output.Size(held.Length)}", $"đã nhận  {parcel}  {held.Sender}  {Output.Size(held.Length)}");
        say.Json(new { received = parcel, sender = held.Sender, length = held.Length });
    }

    void Tell(Guid parcel, Refusal refusal, string detail) => say.Note($"not taken  {parcel}  {refusal.Code}  {detail}", $"không nhận  {parcel}  {refusal.Code}  {detail}");

    static byte[]? Submission(HttpContext context)
    {
        var text = context.Request.Headers["Exchange-Receipt"].ToString();
        var bytes = new byte[MaxReceipt];
        return text.Length > 0 && Convert.TryFromBase64String(text, bytes, out var length) && length > 0 ? bytes[..length] : null;
    }

    static async Task ReceiptAsync(HttpContext context, int status, ReadOnlyMemory<byte> receipt)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/cms";
        context.Response.ContentLength = receipt.Length;
        await context.Response.Body.WriteAsync(receipt, context.RequestAborted).ConfigureAwait(false);
    }

    static async Task ProblemAsync(HttpContext context, int status, Refusal refusal)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        var problem = JsonSerializer.SerializeToUtf8Bytes(new
        {
            type = $"urn:exchange:refusal:{refusal.Code}", title = refusal.Code, status, code = refusal.Code, detail = refusal.En,
            messages = new { en = refusal.En, vi = refusal.Vi }, remedy = new { en = refusal.RemedyEn, vi = refusal.RemedyVi },
        });
        await context.Response.Body.WriteAsync(problem, context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>No new parcels; those that come in have five seconds to end, and come again otherwise.</summary>
    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.StopAsync().ConfigureAwait(false);
            await app.DisposeAsync().ConfigureAwait(false);
        }
        hold.Dispose();
        office.Dispose();
    }
}
