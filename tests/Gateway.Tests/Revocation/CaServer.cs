using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Exchange.Tests.Revocation;

/// <summary>A CA's server for its lists, over real HTTP on a port that the system gives.</summary>
sealed class CaServer : IAsyncDisposable
{
    readonly WebApplication app;

    CaServer(WebApplication app) => this.app = app;

    /// <summary>What it answers; the default hands out <see cref="List"/>, conditionally.</summary>
    public Func<HttpContext, Task>? Answer { get; set; }
    public byte[] List { get; set; } = [];
    /// <summary>"GET /path If-None-Match" of each request.</summary>
    public List<string> Asked { get; } = [];
    public Uri Url { get; private set; } = null!;
    public Uri At(string path) => new(Url, path);

    public static async Task<CaServer> Start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var server = new CaServer(builder.Build());
        server.app.Run(server.Serve);
        await server.app.StartAsync();
        server.Url = new Uri(server.app.Urls.First());
        return server;
    }

    async Task Serve(HttpContext context)
    {
        lock (Asked) Asked.Add($"{context.Request.Method} {context.Request.Path} {context.Request.Headers.IfNoneMatch}".Trim());
        if (Answer is not null) { await Answer(context); return; }
        var tag = $"\"{Exchange.Crypto.Digest.Of(List)}\"";
        context.Response.Headers.ETag = tag;
        if (context.Request.Headers.IfNoneMatch == tag) { context.Response.StatusCode = 304; return; }
        await context.Response.Body.WriteAsync(List);
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();
}
