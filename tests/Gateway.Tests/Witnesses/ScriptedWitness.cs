using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Exchange.Tests.Witnesses;

/// <summary>A witness that says what a test tells it to, over real HTTP.</summary>
sealed class ScriptedWitness : IAsyncDisposable
{
    readonly WebApplication app;

    ScriptedWitness(WebApplication app) => this.app = app;

    public Uri Address { get; private set; } = null!;
    public int Asked { get; private set; }
    /// <summary>Body of the request in; status, type and body out. null: it never answers.</summary>
    public Func<byte[], (int Status, string Type, byte[] Body)?> Answer { get; set; } = _ => (503, "text/plain", []);

    public static async Task<ScriptedWitness> Start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var made = new ScriptedWitness(app);
        app.Run(made.Serve);
        await app.StartAsync();
        made.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
        return made;
    }

    async Task Serve(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        Asked++;
        if (Answer(body.ToArray()) is not var (status, type, bytes))
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            return;
        }
        (context.Response.StatusCode, context.Response.ContentType) = (status, type);
        if (status is 301 or 302 or 307) context.Response.Headers.Location = "/elsewhere";
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();
}
