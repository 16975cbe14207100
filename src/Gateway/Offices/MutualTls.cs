using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Trust;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Exchange.Gateway.Offices;

/// <summary>
/// The door. A client certificate is judged in the handshake, by our own check and with the World of that moment, so nothing unauthenticated reaches HTTP
/// parsing and a new CRL or directory bites on the next connection. The caller only sees a closed connection; the reason goes to the log and is counted.
/// </summary>
sealed class MutualTls(Worlds worlds, TimeProvider clock, SignInFailures failures)
{
    /// <summary>Reason when OpenSSL itself gives up: no certificate was judged.</summary>
    const string HandshakeFailed = "handshake-failed";

    public void Use(ListenOptions listen, X509Certificate2 server, TimeSpan timeout)
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.Use(CountUnfinished);
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = timeout,
            OnConnection = context => ValueTask.FromResult(Options(context.Connection, server)),
        });
        listen.Use(next => connection =>
        {
            connection.Items[Judged] = true;
            return next(connection);
        });
    }

    static readonly object Judged = new();
    readonly ConditionalWeakTable<TrustStore, SslStreamCertificateContext> contexts = [];

    // A key or digest that OpenSSL's security level forbids ends the handshake before our callback is asked: that is a failure to sign in as well.
    ConnectionDelegate CountUnfinished(ConnectionDelegate next) => async connection =>
    {
        try { await next(connection); }
        finally
        {
            if (!connection.Items.ContainsKey(Judged)) failures.Add(HandshakeFailed, "no certificate was judged", Address(connection));
        }
    };

    SslServerAuthenticationOptions Options(ConnectionContext connection, X509Certificate2 server) => new()
    {
        ServerCertificateContext = contexts.GetValue(worlds.Current.Trust.Store, store => Context(store, server)),
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowRenegotiation = false,
        AllowTlsResume = false,      // a resumed session would stand on a judgement of yesterday
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,      // ours, in Judge
        RemoteCertificateValidationCallback = (_, certificate, _, _) => Judge(connection, certificate),
    };

    // The names of our CAs go to the client, so that it can choose among its certificates.
    static SslStreamCertificateContext Context(TrustStore store, X509Certificate2 server)
    {
        X509Certificate2Collection Parsed(IEnumerable<Certificate> certificates) => [.. certificates.Select(c => X509CertificateLoader.LoadCertificate(c.Der.Span))];
        return SslStreamCertificateContext.Create(server, Parsed(store.Intermediates), offline: true,
            SslCertificateTrust.CreateForX509Collection(Parsed(store.Roots.Concat(store.Intermediates)), sendTrustInHandshake: true));
    }

    bool Judge(ConnectionContext connection, X509Certificate? presented)
    {
        var (reason, detail) = Refuse(presented);
        if (reason is null) return true;
        connection.Items[Judged] = false;
        failures.Add(reason, detail, Address(connection));
        return false;
    }

    (string? Reason, string Detail) Refuse(X509Certificate? presented)
    {
        if (presented is null) return ("no-certificate", "");
        Certificate certificate;
        try { certificate = new Certificate(presented.GetRawCertData()); }
        catch (RefusedException e) { return (e.Refusal.Code, e.Detail); }
        var world = worlds.Current;
        var verdict = world.Trust.Check(certificate, Purpose.TlsClient, clock.GetUtcNow());
        if (verdict.Refusal is { } refusal) return (refusal.Code, verdict.Detail);
        return Caller.Of(certificate.Key, world, clock.GetUtcNow()) is null ? (Refusal.NotSignedIn.Code, "not a TLS key of the directory, nor an auditor's") : (null, "");
    }

    static IPAddress Address(ConnectionContext connection) => (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
}
