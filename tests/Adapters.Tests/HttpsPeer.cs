using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Adapters;
using Exchange.Adapters.Https;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Exchange.Tests;

/// <summary>What the peer does with the next requests, instead of what it should.</summary>
enum Misdeed
{
    None, NeverReads, ReadsSlowly, HangsBeforeAnswer, ClosesMidBody, AnswersLate, AnswersTwice, EndlessReceipt, NoReceipt, FalseReceipt, EchoesBody,
    Busy503, Busy429, Problem400, Unauthorized401, Conflict409, Error500, Timeout408, Redirects,
}

/// <summary>An office's endpoint on real Kestrel with mutual TLS, its parcels in real files; misbehaves as told.</summary>
sealed class HttpsPeer : Counterpart
{
    public static readonly X509Certificate2 Gateway = Self("gateway"), Office = Self("office"), Stranger = Self("stranger");
    static readonly UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-peer-");
    readonly WebApplication app;

    HttpsPeer(WebApplication app, Func<HttpsOptions, HttpsOptions> change, X509Certificate2? client)
    {
        this.app = app;
        Directory.CreateDirectory(folder.FullName, Mine);
        var options = new HttpsOptions
        {
            Client = SslStreamCertificateContext.Create(client ?? Gateway, null, offline: true),
            IsServerOf = (office, certificate) => office == "H41" && certificate.Thumbprint == Office.Thumbprint,
        };
        Https = new HttpsAdapter(change(options), TimeProvider.System);
    }

    public HttpsAdapter Https { get; }
    public Misdeed Misdeed { get; set; }
    /// <summary>Bytes of bodies that were read.</summary>
    public long Read;
    public TaskCompletionSource Release { get; } = new();
    public TaskCompletionSource Arrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    public override IDeliveryAdapter Adapter => Https;
    public override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string> { ["url"] = app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() };
    public override byte[]? Held(Guid id) => File.Exists(At(id)) ? File.ReadAllBytes(At(id)) : null;
    public override byte[]? HeldReceipt(Guid id) => File.Exists(At(id) + ".receipt") ? File.ReadAllBytes(At(id) + ".receipt") : null;
    public override int Effects => folder.GetFiles("*.envelope").Length;
    public override void Spoil() => Misdeed = Misdeed.EchoesBody;

    public override bool Answer(Manner manner)
    {
        if (manner == Manner.Well) Release.TrySetResult();
        Misdeed = manner switch { Manner.Late => Misdeed.AnswersLate, Manner.Twice => Misdeed.AnswersTwice, Manner.Wrongly => Misdeed.FalseReceipt, Manner.Never => Misdeed.HangsBeforeAnswer, _ => Misdeed.None };
        return true;
    }

    string At(Guid id) => Path.Combine(folder.FullName, $"{id}.envelope");

    public static async Task<HttpsPeer> StartAsync(HttpProtocols protocols = HttpProtocols.Http2, Func<HttpsOptions, HttpsOptions>? change = null, X509Certificate2? server = null, X509Certificate2? client = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = protocols;
                listen.UseHttps(new HttpsConnectionAdapterOptions
                {
                    ServerCertificate = server ?? Office,
                    ClientCertificateMode = ClientCertificateMode.RequireCertificate,
                    ClientCertificateValidation = (certificate, _, _) => certificate.Thumbprint == Gateway.Thumbprint,
                });
            });
        });
        var app = builder.Build();
        var peer = new HttpsPeer(app, change ?? (o => o), client);
        app.Run(peer.ServeAsync);
        await app.StartAsync();
        return peer;
    }

    async Task ServeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.Split('/');
        var id = Guid.Parse(path[2]);
        Arrived.TrySetResult();
        if (HttpMethods.IsGet(context.Request.Method)) await AnswerAsync(context, File.Exists(At(id)) ? 200 : 404, id);
        else if (await MisbehaveAsync(context)) await TakeAsync(context, id);
    }

    async Task TakeAsync(HttpContext context, Guid id)
    {
        if (File.Exists(At(id))) { await AnswerAsync(context, 200, id); return; }
        var part = Path.Combine(folder.FullName, Guid.NewGuid() + ".part");
        await using (var file = File.Create(part))
        {
            await CopyAsync(context, file);
            if (file.Length != context.Request.ContentLength) return;
            file.Flush(flushToDisk: true);
        }
        await File.WriteAllBytesAsync(At(id) + ".receipt", Convert.FromBase64String(context.Request.Headers["Exchange-Receipt"].Single()!));
        File.Move(part, At(id), overwrite: true);
        if (Misdeed == Misdeed.AnswersLate) await Release.Task;
        if (Misdeed == Misdeed.AnswersTwice) await AnswerAsync(context, 201, id);
        await AnswerAsync(context, 201, id);
    }

    /// <returns>True: goes on as it should.</returns>
    async Task<bool> MisbehaveAsync(HttpContext context)
    {
        var response = context.Response;
        switch (Misdeed)
        {
            case Misdeed.None or Misdeed.ReadsSlowly or Misdeed.AnswersLate or Misdeed.AnswersTwice: return true;
            case Misdeed.NeverReads: await Release.Task.WaitAsync(context.RequestAborted); break;
            case Misdeed.HangsBeforeAnswer: await CopyAsync(context, Stream.Null); await Release.Task.WaitAsync(context.RequestAborted); break;
            case Misdeed.ClosesMidBody: await context.Request.Body.ReadAtLeastAsync(new byte[50_000], 50_000); context.Abort(); break;
            case Misdeed.EndlessReceipt:
                await CopyAsync(context, Stream.Null);
                response.ContentType = "application/cms";
                for (var piece = new byte[8192]; !context.RequestAborted.IsCancellationRequested;) await response.Body.WriteAsync(piece, context.RequestAborted);
                break;
            case Misdeed.NoReceipt: await CopyAsync(context, Stream.Null); response.StatusCode = 201; break;
            case Misdeed.FalseReceipt:
                await CopyAsync(context, Stream.Null);
                response.ContentType = "application/cms";
                await response.Body.WriteAsync("no receipt of anybody"u8.ToArray());
                break;
            case Misdeed.EchoesBody:
                using (var body = new MemoryStream())
                {
                    await CopyAsync(context, body);
                    response.StatusCode = 500;
                    response.Headers["X-Echo"] = "SECRET-CONTENT-";
                    await response.WriteAsJsonAsync(new { code = Convert.ToBase64String(body.ToArray()[..Math.Min(60, (int)body.Length)]), detail = "SECRET-CONTENT-" });
                }
                break;
            case Misdeed.Busy503: response.StatusCode = 503; response.Headers.RetryAfter = "7"; break;
            case Misdeed.Busy429: response.StatusCode = 429; response.Headers.RetryAfter = DateTimeOffset.UtcNow.AddSeconds(100).ToString("R"); break;
            case Misdeed.Problem400: response.StatusCode = 400; await response.WriteAsync("""{"code":"E_DER","detail":"SECRET"}"""); break;
            case Misdeed.Unauthorized401: response.StatusCode = 401; break;
            case Misdeed.Conflict409: response.StatusCode = 409; await response.WriteAsync("""{"code":"not a code: <SECRET>"}"""); break;
            case Misdeed.Error500: response.StatusCode = 500; break;
            case Misdeed.Timeout408: response.StatusCode = 408; break;
            case Misdeed.Redirects: response.StatusCode = 307; response.Headers.Location = Settings["url"] + "/elsewhere"; break;
        }
        return false;
    }

    async Task CopyAsync(HttpContext context, Stream to)
    {
        var buffer = new byte[16 << 10];
        for (int read; (read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0; Interlocked.Add(ref Read, read))
        {
            await to.WriteAsync(buffer.AsMemory(0, read));
            if (Misdeed == Misdeed.ReadsSlowly) await Task.Delay(5);
        }
    }

    // Its "receipt" names the parcel and never changes.
    static async Task AnswerAsync(HttpContext context, int status, Guid id)
    {
        if (!context.Response.HasStarted) context.Response.StatusCode = status;
        if (status == 404) return;
        if (!context.Response.HasStarted) context.Response.ContentType = "application/cms";
        await context.Response.Body.WriteAsync(id.ToByteArray());
    }

    public override async ValueTask DisposeAsync()
    {
        Release.TrySetResult();
        Https.Dispose();
        using (var soon = new CancellationTokenSource(2000)) await app.StopAsync(soon.Token);
        await app.DisposeAsync();
        folder.Delete(recursive: true);
    }

    static X509Certificate2 Self(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
