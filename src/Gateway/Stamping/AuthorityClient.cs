using System.Net;
using System.Net.Http.Headers;
using Exchange.Crypto.TimeStamps;

namespace Exchange.Gateway.Stamping;

/// <summary>How a question to a time-stamp authority ended. Closed.</summary>
abstract record AuthorityVerdict
{
    AuthorityVerdict() { }
    /// <summary>It said something; nothing of it is believed yet.</summary>
    public sealed record Answer(byte[] Body) : AuthorityVerdict;
    /// <param name="Why">For log and alarm: a status, or what broke.</param>
    public sealed record Failed(string Why) : AuthorityVerdict;
}

/// <summary>POST of a time-stamp query (RFC 3161 3.4). Bounded in time and bytes; no redirect, proxy, cookie or credential. An authority learns a digest and who asks when.</summary>
sealed class AuthorityClient : IDisposable
{
    readonly HttpClient http;
    readonly TimeSpan patience;
    readonly TimeProvider clock;

    /// <param name="patience">For one question, from connecting to the last byte.</param>
    public AuthorityClient(TimeSpan patience, TimeProvider clock)
    {
        (this.patience, this.clock) = (patience, clock);
        http = new HttpClient(new HttpFaults(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None, ConnectTimeout = patience, PooledConnectionLifetime = TimeSpan.FromMinutes(5), MaxResponseHeadersLength = 16,
        }))
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    public async Task<AuthorityVerdict> Ask(Uri authority, ReadOnlyMemory<byte> query, CancellationToken cancel)
    {
        using var over = new CancellationTokenSource(patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, over.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, authority) { Content = new ReadOnlyMemoryContent(query) { Headers = { ContentType = new MediaTypeHeaderValue(TimeStampQuery.MediaType) } } };
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            if (answer.StatusCode != HttpStatusCode.OK || answer.Content.Headers.ContentType?.MediaType != TimeStampQuery.ReplyType) return new AuthorityVerdict.Failed($"HTTP {(int)answer.StatusCode}, not an answer to a query");
            // Never a byte more in memory than is allowed, whatever it says of its length.
            await using var stream = await answer.Content.ReadAsStreamAsync(both.Token);
            var body = new byte[TimeStampQuery.MaxReply + 1];
            var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, both.Token);
            return length < body.Length ? new AuthorityVerdict.Answer(body[..length]) : new AuthorityVerdict.Failed("too large");
        }
        catch (HttpRequestException e) { return new AuthorityVerdict.Failed(e.HttpRequestError.ToString()); }
        catch (IOException) { return new AuthorityVerdict.Failed("the connection broke"); }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested) { return new AuthorityVerdict.Failed("no answer in time"); }
    }

    public void Dispose() => http.Dispose();
}
