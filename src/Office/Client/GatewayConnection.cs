using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client;

/// <summary>Mutual TLS to the gateway: our client certificate, and our own check of its certificate against the pinned roots. The system's roots do not count.</summary>
static class GatewayConnection
{
    public static HttpClient Open(Profile profile, OfficeKeys keys, Func<CertificateCheck> trust, TimeProvider clock) =>
        Open(profile.Gateway, keys.Tls(trust().Store.Intermediates.Select(c => c.Der)), trust, clock);

    /// <param name="shown">Our certificate, with what completes its chain.</param>
    public static HttpClient Open(Uri gateway, SslStreamCertificateContext shown, Func<CertificateCheck> trust, TimeProvider clock)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            // A gateway that died without closing is noticed within half a minute, however long an upload may take.
            KeepAlivePingDelay = TimeSpan.FromSeconds(15),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            // Left to itself the window of a long download, and its buffer, grows to 16 MiB: Office.csproj turns that off, and this is the size instead.
            InitialHttp2StreamWindowSize = 1 << 20,
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = shown,
                EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => Demand(certificate, gateway.IdnHost, trust(), clock),
            },
        };
        return new HttpClient(new HttpFaults(handler), disposeHandler: true)
        {
            BaseAddress = gateway,
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
    }

    /// <summary>Chain, CRL, purpose and host name. Throws instead of answering false, so that the reason reaches the clerk.</summary>
    internal static bool Demand(X509Certificate? certificate, string host, CertificateCheck trust, TimeProvider clock)
    {
        if (certificate is not X509Certificate2 presented) throw new RefusedException(Refusal.CertificateUntrusted, "the gateway showed no certificate");
        trust.Demand(new Certificate(presented.RawData), Purpose.TlsServer, clock.GetUtcNow());
        return presented.MatchesHostname(host, allowWildcards: true, allowCommonName: false)
            ? true : throw new RefusedException(Refusal.CertificatePurpose, "the gateway's certificate is for another host name");
    }
}
