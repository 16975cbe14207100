using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client;

/// <summary>An auditor at a gateway: his TLS key, and our own check of the gateway's certificate. Dispose closes the connection and lets go of the key.</summary>
sealed class AuditorConnection : IDisposable
{
    readonly X509Certificate2 tls;
    readonly HttpClient http;

    /// <param name="prompt">Asked when neither file nor environment gives the passphrase.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>; what is wrong with the trust folder.</exception>
    public AuditorConnection(AuditorProfile profile, Func<string?>? prompt, TimeProvider clock)
    {
        var trust = new CertificateCheck(TrustStore.Load(profile.Trust));
        try { tls = X509CertificateLoader.LoadPkcs12FromFile(profile.Key, profile.Passphrase(prompt)); }
        catch (CryptographicException) { throw new RefusedException(Refusal.Passphrase, profile.Key); }
        var shown = SslStreamCertificateContext.Create(tls, [.. trust.Store.Intermediates.Select(i => X509CertificateLoader.LoadCertificate(i.Der.Span))], offline: true);
        http = GatewayConnection.Open(profile.Gateway, shown, () => trust, clock);
        Api = new GatewayApi(http, clock);
    }

    public GatewayApi Api { get; }

    public void Dispose()
    {
        http.Dispose();
        tls.Dispose();
    }
}
