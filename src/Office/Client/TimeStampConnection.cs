using System.Net;
using System.Net.Security;
using Exchange.Crypto;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client;

/// <summary>To time-stamp authorities: plain HTTP as most have it, since a token proves itself; or TLS against the pinned roots. They learn a digest and who asks when.</summary>
static class TimeStampConnection
{
    public static HttpClient Open(Func<CertificateCheck> trust, TimeProvider clock)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = 16,
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13,
                CertificateRevocationCheckMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
                RemoteCertificateValidationCallback = (stream, certificate, _, _) => GatewayConnection.Demand(certificate, ((SslStream)stream).TargetHostName, trust(), clock),
            },
        };
        return new HttpClient(new HttpFaults(handler), disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
    }
}
