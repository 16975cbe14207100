using System.Net;
using System.Net.Sockets;

namespace Exchange.Tests;

/// <summary>How a partner answers.</summary>
enum Manner
{
    Well, Late, Twice, Wrongly, Never,
}

/// <summary>A TCP wire to a server on this machine: counts bytes, can be cut after so many of them, and can spoil what comes back.</summary>
sealed class Wire : IDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stop = new();
    readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly int port;
    CancellationTokenSource lines = new();
    long sent, came;

    public Wire(int port)
    {
        this.port = port;
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;
    public long Sent => Interlocked.Read(ref sent);
    public long Came => Interlocked.Read(ref came);
    /// <summary>Bytes to the server after which every line is cut, once; new ones hold.</summary>
    public long CutAfterSent { get; set; } = long.MaxValue;
    /// <summary>As above, bytes from the server.</summary>
    public long CutAfterCame { get; set; } = long.MaxValue;
    /// <summary>Asked before each answer of the server is passed on; true: every line is cut instead, once.</summary>
    public Func<bool>? CutWhen { get; set; }
    /// <summary>From <see cref="SpoilAfter"/> bytes to the server on, what comes back: late (when it is released), twice, with a flipped bit, or never.</summary>
    public Manner Manner { get; set; }
    public long SpoilAfter { get; set; } = long.MaxValue;
    public int Lines { get; private set; }

    public void Release() => released.TrySetResult();

    public async Task CutAsync()
    {
        var old = lines;
        lines = new CancellationTokenSource();
        (CutAfterSent, CutAfterCame) = (long.MaxValue, long.MaxValue);
        await old.CancelAsync();
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(stop.Token);
                var server = new TcpClient { NoDelay = true };
                client.NoDelay = true;
                Lines++;
                try { await server.ConnectAsync(IPAddress.Loopback, port, stop.Token); }
                catch (SocketException)
                {
                    client.Dispose();
                    server.Dispose();
                    continue;
                }
                var line = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, lines.Token).Token;
                _ = PumpAsync(client.GetStream(), server.GetStream(), outbound: true, line);
                _ = PumpAsync(server.GetStream(), client.GetStream(), outbound: false, line);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    async Task PumpAsync(NetworkStream from, NetworkStream to, bool outbound, CancellationToken line)
    {
        var buffer = new byte[16 << 10];
        try
        {
            for (int read; (read = await from.ReadAsync(buffer, line)) > 0;)
            {
                if (outbound ? Interlocked.Add(ref sent, read) >= CutAfterSent : Interlocked.Add(ref came, read) >= CutAfterCame) await CutAsync();
                if (!outbound && CutWhen?.Invoke() == true)
                {
                    CutWhen = null;
                    await CutAsync();
                }
                line.ThrowIfCancellationRequested();
                var manner = outbound || Sent < SpoilAfter ? Manner.Well : Manner;
                if (manner == Manner.Never) continue;
                if (manner == Manner.Late) await released.Task.WaitAsync(line);
                if (manner == Manner.Wrongly) buffer[read - 1] ^= 1;
                await to.WriteAsync(buffer.AsMemory(0, read), line);
                if (manner == Manner.Twice) await to.WriteAsync(buffer.AsMemory(0, read), line);
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
    }
}
