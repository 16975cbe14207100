using System.Net.Sockets;

namespace Exchange;

/// <summary>
/// Around the handler of every client: a connection that could not be made is always an <see cref="HttpRequestException"/>. The runtime lets one case through as a bare <see cref="SocketException"/>, which no caller expects: a peer
/// that is killed between the handshake of TCP and the pool's look at its address (Transport endpoint is not connected).
/// </summary>
sealed class HttpFaults(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try { return await base.SendAsync(request, cancellationToken).ConfigureAwait(false); }
        catch (SocketException e) { throw new HttpRequestException(HttpRequestError.ConnectionError, e.Message, e); }
    }
}
