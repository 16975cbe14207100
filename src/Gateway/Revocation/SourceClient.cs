using System.Net;
using System.Net.Http.Headers;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Operations;

namespace Exchange.Gateway.Revocation;

/// <summary>How a fetch ended. Closed.</summary>
abstract record FetchVerdict
{
    FetchVerdict() { }
    public sealed record Body(byte[] Bytes, Validators Validators) : FetchVerdict;
    /// <summary>The server says that what is here is the newest (304).</summary>
    public sealed record Unchanged : FetchVerdict;
    /// <param name="Why">For log and alarm: a status, or what broke.</param>
    public sealed record Failed(string Why) : FetchVerdict;
}

/// <summary>
/// Asks servers of CAs. Bounded in time, bytes and redirects; no proxy, cookies or credentials; nothing that comes back is believed here. What is sent says at most which certificate is asked about.
/// </summary>
sealed class SourceClient : IDisposable
{
    readonly RevocationOptions options;
    readonly TimeProvider clock;
    readonly HttpClient http;

    public SourceClient(RevocationOptions options, TimeProvider clock)
    {
        (this.options, this.clock) = (options, clock);
        http = new HttpClient(new HttpFaults(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(options.Seconds), PooledConnectionLifetime = TimeSpan.FromMinutes(5) }))
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>A revocation list, if it is another one than those validators belong to.</summary>
    public Task<FetchVerdict> Get(Uri url, Validators known, CancellationToken cancel) => Bounded(async patience =>
    {
        for (var hop = 0; ; hop++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            if (known.ETag is { } tag) request.Headers.TryAddWithoutValidation("If-None-Match", tag);
            if (known.LastModified is { } modified) request.Headers.TryAddWithoutValidation("If-Modified-Since", modified);
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience);
            if (answer.StatusCode == HttpStatusCode.NotModified) return new FetchVerdict.Unchanged();
            if (answer.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
            {
                if (hop >= options.Redirects) return new FetchVerdict.Failed("too many redirects");
                if (answer.Headers.Location is not { } location || new Uri(url, location) is not { UserInfo: "" } next || (next.Scheme != Uri.UriSchemeHttp && next.Scheme != Uri.UriSchemeHttps)) return new FetchVerdict.Failed("a redirect to nowhere");
                if (url.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps) return new FetchVerdict.Failed("a redirect from https to http");
                url = next;
                continue;
            }
            return await Read(answer, options.CrlBytes, patience);
        }
    }, cancel);

    public Task<FetchVerdict> Ask(Uri url, byte[] question, CancellationToken cancel) => Bounded(async patience =>
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(question) { Headers = { ContentType = new MediaTypeHeaderValue("application/ocsp-request") } } };
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience);
        return await Read(answer, OcspResponse.MaxBytes, patience);
    }, cancel);

    async Task<FetchVerdict> Bounded(Func<CancellationToken, Task<FetchVerdict>> fetch, CancellationToken cancel)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(options.Seconds), clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        try { return await fetch(both.Token); }
        catch (HttpRequestException e) { return new FetchVerdict.Failed(e.HttpRequestError.ToString()); }
        catch (IOException) { return new FetchVerdict.Failed("the connection broke"); }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested) { return new FetchVerdict.Failed("no answer in time"); }
    }

    static async Task<FetchVerdict> Read(HttpResponseMessage answer, long most, CancellationToken cancel)
    {
        if (answer.StatusCode != HttpStatusCode.OK) return new FetchVerdict.Failed($"HTTP {(int)answer.StatusCode}");
        if (answer.Content.Headers.ContentLength > most) return new FetchVerdict.Failed("too large");
        using var body = new MemoryStream();
        await using var stream = await answer.Content.ReadAsStreamAsync(cancel);
        var buffer = new byte[16 << 10];
        for (int read; (read = await stream.ReadAsync(buffer, cancel)) > 0;)
        {
            if (body.Length + read > most) return new FetchVerdict.Failed("too large");
            body.Write(buffer, 0, read);
        }
        // Only what can be sent back as one line is kept.
        return new FetchVerdict.Body(body.ToArray(), new(Line(answer.Headers.ETag?.ToString()), Line(answer.Content.Headers.LastModified?.ToString("R", System.Globalization.CultureInfo.InvariantCulture))));
    }

    static string? Line(string? text) => text is { Length: > 0 and <= 200 } && text.All(c => c is >= ' ' and <= '~') ? text : null;

    public void Dispose() => http.Dispose();
}
