using System.Net;
using System.Net.Sockets;

namespace Exchange.Tests;

/// <summary>What every HTTP client of ours says when its peer dies before there is a connection.</summary>
public sealed class HttpFaultsTests
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_peer_that_is_killed_right_after_the_handshake_is_a_fault_like_any_other()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var client = new HttpClient(new HttpFaults(new SocketsHttpHandler { UseProxy = false, ConnectCallback = ConnectAndDie }));
        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("http://127.0.0.1/"), Cancel));
        Assert.Equal((HttpRequestError.ConnectionError, SocketError.NotConnected), (fault.HttpRequestError, Assert.IsType<SocketException>(fault.InnerException).SocketErrorCode));

        async ValueTask<Stream> ConnectAndDie(SocketsHttpConnectionContext context, CancellationToken cancel)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(listener.LocalEndPoint!, cancel);
            // A reset, as the kernel sends it for a process that is gone.
            using (var accepted = await listener.AcceptAsync(cancel)) accepted.LingerState = new LingerOption(true, 0);
            Assert.True(socket.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead));
            return new NetworkStream(socket, ownsSocket: true);
        }
    }
}
