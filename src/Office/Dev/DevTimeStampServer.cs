using System.Formats.Asn1;
using System.Net;
using System.Net.Sockets;

namespace Exchange.Office.Dev;

/// <summary>HTTP around <see cref="DevTimeStamps"/>, loopback only: POST of a query, one after the other.</summary>
sealed class DevTimeStampServer : IDisposable
{
    const int MaxQuery = 4096;
    readonly HttpListener listener;
    readonly DevTimeStamps stamps;
    readonly TimeProvider clock;

    DevTimeStampServer(HttpListener listener, DevTimeStamps stamps, TimeProvider clock) => (this.listener, this.stamps, this.clock) = (listener, stamps, clock);

    public Uri Address => new(listener.Prefixes.Single());

    /// <param name="port">0: a free one.</param>
    public static DevTimeStampServer Start(DevTimeStamps stamps, int port, TimeProvider clock)
    {
        var listener = new HttpListener();
        listener.Prefixes.Add($"http://127.0.0.1:{(port == 0 ? FreePort() : port)}/");
        listener.Start();
        return new DevTimeStampServer(listener, stamps, clock);
    }

    /// <summary>Answers until it is cancelled or disposed.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var stop = cancel.Register(listener.Stop);
        while (!cancel.IsCancellationRequested)
        {
            HttpListenerContext context;
            try { context = await listener.GetContextAsync().ConfigureAwait(false); }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException) { return; }
            try { await AnswerAsync(context, cancel).ConfigureAwait(false); }
            // Whoever asked has gone.
            catch (Exception e) when (e is IOException or HttpListenerException) { context.Response.Abort(); }
        }
    }

    async Task AnswerAsync(HttpListenerContext context, CancellationToken cancel)
    {
        using var response = context.Response;
        var query = new byte[MaxQuery];
        var length = await context.Request.InputStream.ReadAtLeastAsync(query, query.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
        try
        {
            if (context.Request.HttpMethod != "POST" || length == MaxQuery) throw new AsnContentException();
            var answer = stamps.Answer(query.AsMemory(0, length), clock.GetUtcNow());
            response.ContentType = "application/timestamp-reply";
            response.ContentLength64 = answer.Length;
            await response.OutputStream.WriteAsync(answer, cancel).ConfigureAwait(false);
        }
        catch (AsnContentException) { response.StatusCode = 400; }
    }

    static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    public void Dispose() => listener.Close();
}
