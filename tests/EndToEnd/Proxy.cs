using System.Net;
using System.Net.Sockets;

namespace Exchange.Tests;

/// <summary>A wire that can be cut: passes bytes to the gateway, counts what the office sent, and from a given count on keeps the gateway's answers to itself, or cuts every line once.</summary>
sealed class Proxy : IDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stop = new();
    readonly long silentAfter, cutAfter;
    readonly CancellationTokenSource lines = new();
    long sent, asked;

    /// <param name="silentAfter">Bytes from the office after which nothing comes back.</param>
    /// <param name="cutAfter">Bytes from the office after which every line is cut, once; new ones hold.</param>
    public Proxy(int port, long silentAfter = long.MaxValue, long cutAfter = long.MaxValue)
    {
        (Port, this.silentAfter, this.cutAfter) = (port, silentAfter, cutAfter);
        listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    /// <summary>Where new lines lead.</summary>
    public int Port { get; set; }
    public long Sent => Interlocked.Read(ref sent);
    /// <summary>More than a handshake's worth of bytes went out since anything came back.</summary>
    public bool IsAsking => Interlocked.Read(ref asked) > 4096;
    public bool WasCut => lines.IsCancellationRequested;

    async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var office = await listener.AcceptTcpClientAsync(stop.Token);
                var gateway = new TcpClient();
                try { await gateway.ConnectAsync(IPAddress.Loopback, Port, stop.Token); }
                catch (SocketException)
                {
                    // Nobody is there: as if there were no wire either.
                    office.Dispose();
                    gateway.Dispose();
                    continue;
                }
                _ = PumpAsync(office.GetStream(), gateway.GetStream(), outbound: true);
                _ = PumpAsync(gateway.GetStream(), office.GetStream(), outbound: false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    async Task PumpAsync(NetworkStream from, NetworkStream to, bool outbound)
    {
        var buffer = new byte[1 << 16];
        // A line that was made after the cut holds.
        using var line = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, WasCut ? CancellationToken.None : lines.Token);
        try
        {
            for (int read; (read = await from.ReadAsync(buffer, line.Token)) > 0;)
            {
                Interlocked.Exchange(ref asked, outbound ? Interlocked.Read(ref asked) + read : 0);
                if (outbound && Interlocked.Add(ref sent, read) >= cutAfter && !WasCut) await lines.CancelAsync();
                if (outbound || Sent < silentAfter) await to.WriteAsync(buffer.AsMemory(0, read), line.Token);
            }
            to.Close();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            to.Close();
            from.Close();
        }
    }

    public void Dispose()
    {
        stop.Cancel();
        listener.Stop();
        stop.Dispose();
        lines.Dispose();
    }
}
