using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Exchange.Crypto.Ledger;

namespace Exchange.Gateway.Witnesses;

/// <summary>How a request to a witness ended. Closed.</summary>
abstract record WitnessVerdict
{
    WitnessVerdict() { }
    /// <summary>It said something; nothing of it is believed yet.</summary>
    public sealed record Answer(int Status, string? Type, byte[] Body) : WitnessVerdict;
    /// <param name="Why">For log and alarm: what broke.</param>
    public sealed record Failed(string Why) : WitnessVerdict;
}

/// <summary>POST of add-checkpoint (C2SP tlog-witness). Bounded in time and bytes; no redirect, proxy, cookie or credential: the checkpoint is public and signed.</summary>
sealed class WitnessClient : IDisposable
{
    /// <summary>Some lines of ML-DSA-44, 3.3 KB each.</summary>
    internal const int MaxBytes = 64 << 10;
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    readonly HttpClient http;
    readonly TimeProvider clock;

    /// <param name="authorities">Who may have issued the witnesses' certificates; empty: whom the system trusts.</param>
    public WitnessClient(X509Certificate2Collection authorities, TimeProvider clock)
    {
        this.clock = clock;
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectTimeout = Patience, PooledConnectionLifetime = TimeSpan.FromMinutes(5), MaxResponseHeadersLength = 16 };
        if (authorities.Count > 0)
        {
            var chain = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
            chain.CustomTrustStore.AddRange(authorities);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = chain };
        }
        http = new HttpClient(new HttpFaults(handler)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public async Task<WitnessVerdict> Ask(Uri prefix, WitnessRequest asked, CancellationToken cancel)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        try
        {
            var url = new Uri(prefix.AbsoluteUri.TrimEnd('/') + "/add-checkpoint");
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(asked.Write())) { Headers = { ContentType = new MediaTypeHeaderValue("text/plain") } } };
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            if (answer.Content.Headers.ContentLength > MaxBytes) return new WitnessVerdict.Failed("too large");
            using var body = new MemoryStream();
            await using var stream = await answer.Content.ReadAsStreamAsync(both.Token);
            var buffer = new byte[16 << 10];
            for (int read; (read = await stream.ReadAsync(buffer, both.Token)) > 0;)
            {
                if (body.Length + read > MaxBytes) return new WitnessVerdict.Failed("too large");
                body.Write(buffer, 0, read);
            }
            return new WitnessVerdict.Answer((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString(), body.ToArray());
        }
        catch (HttpRequestException e) { return new WitnessVerdict.Failed(e.HttpRequestError.ToString()); }
        catch (IOException) { return new WitnessVerdict.Failed("the connection broke"); }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested) { return new WitnessVerdict.Failed("no answer in time"); }
    }

    public void Dispose() => http.Dispose();
}
