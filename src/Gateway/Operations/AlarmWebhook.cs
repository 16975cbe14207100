using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Exchange.Gateway.Operations;

/// <summary>
/// POST of {"v": 1, "gateway": origin, "alarms": [{id, time, code, office, detail, en, vi, toDoEn, toDoVi}]} to a URL of the administrator. 2xx means taken. No redirect, no proxy, no cookie; the body holds
/// codes, office codes, ids and times, never content.
/// </summary>
sealed class AlarmWebhook : IAlarmTarget, IDisposable
{
    readonly HttpClient http;
    readonly Uri url;
    readonly string? tokenFile;
    readonly string origin;

    /// <param name="authorities">Who may have issued the server's certificate; empty: whom the system trusts.</param>
    /// <param name="tokenFile">First line: sent as bearer token, read each time so that it can be changed.</param>
    public AlarmWebhook(Uri url, string origin, X509Certificate2Collection authorities, string? tokenFile)
    {
        (this.url, this.origin, this.tokenFile) = (url, origin, tokenFile);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(10), PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (authorities.Count > 0)
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
            };
        if (authorities.Count > 0) handler.SslOptions.CertificateChainPolicy!.CustomTrustStore.AddRange(authorities);
        http = new HttpClient(new HttpFaults(handler)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public string Name => "webhook";

    public async Task<string?> TellAsync(IReadOnlyList<ToldAlarm> alarms, CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(Write(alarms)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } } };
            request.Headers.Add("Idempotency-Key", alarms[^1].Id.ToString());
            if (tokenFile is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", File.ReadLines(tokenFile).FirstOrDefault() ?? "");
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            return answer.IsSuccessStatusCode ? null : $"HTTP {(int)answer.StatusCode}";
        }
        catch (HttpRequestException e) { return e.HttpRequestError.ToString(); }
        catch (IOException) { return "the token file, or the connection"; }
        catch (OperationCanceledException) { return "no answer"; }
    }

    byte[] Write(IReadOnlyList<ToldAlarm> alarms)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("v", 1);
            json.WriteString("gateway", origin);
            json.WriteStartArray("alarms");
            foreach (var (id, time, alarm) in alarms)
            {
                var words = AlarmWords.Of(alarm.Code);
                json.WriteStartObject();
                json.WriteString("id", id);
                json.WriteNumber("time", time.ToUnixTimeMilliseconds());
                json.WriteString("code", alarm.Code.ToString());
                json.WriteString("office", alarm.Office);
                json.WriteString("detail", alarm.Detail);
                json.WriteString("en", words.En);
                json.WriteString("vi", words.Vi);
                json.WriteString("toDoEn", words.ToDoEn);
                json.WriteString("toDoVi", words.ToDoVi);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    public void Dispose() => http.Dispose();
}
