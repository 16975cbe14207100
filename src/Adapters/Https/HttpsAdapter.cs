using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Exchange.Adapters.Https;

/// <summary>
/// The https channel: PUT {url}/parcels/{id} to the office's own endpoint (docs/api.md), GET {url}/parcels/{id}/receipt to ask. Mutual TLS; no proxy, no redirect, no cookie.
/// Memory is one buffer a parcel, whatever its length. Nothing here retries.
/// </summary>
public sealed class HttpsAdapter : IDeliveryAdapter, IDisposable
{
    readonly HttpsOptions options;
    readonly TimeProvider clock;
    readonly Lock gate = new();
    // A connection is judged for one office, so offices never share one, not even behind one address.
    readonly Dictionary<string, HttpClient> clients = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public HttpsAdapter(HttpsOptions options, TimeProvider clock)
    {
        options.Demand();
        (this.options, this.clock) = (options, clock);
    }

    public string Name => "https";
    public bool EndsAtOffice => true;

    TimeSpan Reach => TimeSpan.FromSeconds(options.ConnectSeconds + options.AnswerSeconds);
    TimeSpan Answer => TimeSpan.FromSeconds(options.AnswerSeconds);

    public async Task<DeliveryOutcome> DeliverAsync(Parcel parcel, Func<CancellationToken, Task<Stream>> open, CancellationToken cancel)
    {
        if (AddressOf(parcel) is not { } address) return BadSettings;
        using var watch = new Watch(clock, cancel);
        watch.Allow(Reach);
        var content = new ParcelContent(parcel, open, watch, TimeSpan.FromSeconds(options.StallSeconds), Answer);
        try
        {
            using var request = Request(HttpMethod.Put, address, $"parcels/{parcel.Id}");
            request.Content = content;
            // A refusal or a repeat is answered before the body leaves, where the other side can.
            request.Headers.ExpectContinue = true;
            request.Headers.TryAddWithoutValidation("Exchange-Receipt", Convert.ToBase64String(parcel.Receipt.Span));
            using var response = await HttpOf(parcel.Office).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, watch.Token).ConfigureAwait(false);
            watch.Allow(Answer);
            return await OutcomeAsync(response, watch).ConfigureAwait(false);
        }
        catch (Exception e) when (IsOutcome(e))
        {
            var reason = Reason(e, watch, content.Finished ? "no answer in time" : content.Started ? "took no more bytes" : "not reached in time");
            return content.Started ? new DeliveryOutcome.Unknown(reason) : new DeliveryOutcome.TryLater(reason);
        }
    }

    public async Task<DeliveryOutcome?> AskAsync(Parcel parcel, CancellationToken cancel)
    {
        if (AddressOf(parcel) is not { } address) return BadSettings;
        using var watch = new Watch(clock, cancel);
        watch.Allow(Reach);
        try
        {
            using var request = Request(HttpMethod.Get, address, $"parcels/{parcel.Id}/receipt");
            using var response = await HttpOf(parcel.Office).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, watch.Token).ConfigureAwait(false);
            watch.Allow(Answer);
            if (response.StatusCode == HttpStatusCode.NotFound) return null;
            var outcome = await OutcomeAsync(response, watch).ConfigureAwait(false);
            // A failed question says nothing of the parcel: it stays as unknown as it was.
            return outcome is DeliveryOutcome.Delivered or DeliveryOutcome.Busy ? outcome : new DeliveryOutcome.Unknown($"asked: HTTP {(int)response.StatusCode}");
        }
        catch (Exception e) when (IsOutcome(e)) { return new DeliveryOutcome.Unknown("asked: " + Reason(e, watch, "no answer in time")); }
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var http in clients.Values) http.Dispose();
            clients.Clear();
        }
    }

    async Task<DeliveryOutcome> OutcomeAsync(HttpResponseMessage response, Watch watch)
    {
        var status = (int)response.StatusCode;
        switch (status)
        {
            case 200 or 201:
                var receipt = response.Content.Headers.ContentType?.MediaType == "application/cms" ? await BodyAsync(response, watch).ConfigureAwait(false) : null;
                return receipt is { Length: > 0 } ? new DeliveryOutcome.Delivered(receipt) : new DeliveryOutcome.Unknown($"HTTP {status} without a receipt");
            case 429 or 503: return new DeliveryOutcome.Busy(RetryAfter(response.Headers.RetryAfter));
            case 408 or 425 or >= 500: return new DeliveryOutcome.TryLater($"HTTP {status}");
            case >= 400: return new DeliveryOutcome.Refused(await CodeAsync(response, watch).ConfigureAwait(false) ?? $"HTTP_{status}");
            case >= 300: return new DeliveryOutcome.TryLater($"HTTP {status}: redirects are not followed");
            default: return new DeliveryOutcome.Unknown($"HTTP {status}");
        }
    }

    TimeSpan? RetryAfter(RetryConditionHeaderValue? header)
    {
        var wait = header?.Delta ?? (header?.Date - clock.GetUtcNow());
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    // The status says no already; a body that cannot be read only costs the finer code.
    async Task<string?> CodeAsync(HttpResponseMessage response, Watch watch)
    {
        try
        {
            if (await BodyAsync(response, watch).ConfigureAwait(false) is not { Length: > 0 } body) return null;
            using var problem = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 8 });
            return problem.RootElement.ValueKind == JsonValueKind.Object && problem.RootElement.TryGetProperty("code", out var code)
                && code.ValueKind == JsonValueKind.String && code.GetString() is { } text && IsCode(text) ? text : null;
        }
        catch (Exception e) when (e is JsonException || IsOutcome(e)) { return null; }
    }

    static bool IsCode(string text) => text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_');

    /// <returns>null: longer than an answer may be.</returns>
    async Task<byte[]?> BodyAsync(HttpResponseMessage response, Watch watch)
    {
        var stream = await response.Content.ReadAsStreamAsync(watch.Token).ConfigureAwait(false);
        using var body = new MemoryStream();
        var buffer = new byte[4096];
        for (int read; (read = await stream.ReadAsync(buffer, watch.Token).ConfigureAwait(false)) > 0;)
        {
            if (body.Length + read > options.MaxAnswerBytes) return null;
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }

    static readonly DeliveryOutcome.TryLater BadSettings = new("settings: url must be like https://host:port");

    static Uri? AddressOf(Parcel parcel) =>
        parcel.Settings.TryGetValue("url", out var text) && Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps
            && url.PathAndQuery == "/" && url.Fragment.Length == 0 && url.UserInfo.Length == 0 ? url : null;

    static HttpRequestMessage Request(HttpMethod method, Uri address, string path) =>
        new(method, new Uri(address, path)) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };

    HttpClient HttpOf(string office)
    {
        lock (gate)
        {
            if (!clients.TryGetValue(office, out var found)) clients[office] = found = Connect(office);
            return found;
        }
    }

    HttpClient Connect(string office) => new(new HttpFaults(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(options.ConnectSeconds),
        Expect100ContinueTimeout = TimeSpan.FromSeconds(1),
        // An office's key may have been withdrawn since the handshake: nobody is believed for longer than this.
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        KeepAlivePingDelay = TimeSpan.FromSeconds(15),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        // Answers are small: the smallest window there is bounds what an endless one can make us hold. It does not grow, see Gateway.csproj.
        InitialHttp2StreamWindowSize = 65_535,
        MaxResponseHeadersLength = 16,
        MaxResponseDrainSize = 0,
        SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificateContext = options.Client,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowTlsResume = false,      // a resumed session would stand on a judgement of yesterday
            CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
            RemoteCertificateValidationCallback = (_, server, _, _) =>
                server is X509Certificate2 certificate && options.IsServerOf(office, certificate) ? true : throw new AuthenticationException(NotTheOffice),
        },
    }), disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };

    const string NotTheOffice = "certificate: not the one of this office";

    static bool IsOutcome(Exception e) => e is HttpRequestException or IOException or OperationCanceledException or UnauthorizedAccessException;

    // Kinds and system words; a message might quote what the other side sent.
    static string Reason(Exception e, Watch watch, string late)
    {
        if (watch.IsCancelled) return "cancelled";
        if (watch.IsLate) return late;
        for (var inner = e; inner is not null; inner = inner.InnerException)
            switch (inner)
            {
                case ShortSourceException: return "the stored envelope has another length";
                case SocketException socket: return $"connection: {socket.SocketErrorCode}";
                case AuthenticationException { Message: NotTheOffice }: return NotTheOffice;
            }
        return e is HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } http ? $"connection: {http.HttpRequestError}" : $"connection: {(e.InnerException ?? e).GetType().Name}";
    }

    sealed class ShortSourceException : IOException;

    /// <summary>One limit at a time: whoever makes progress grants the next.</summary>
    sealed class Watch(TimeProvider clock, CancellationToken cancel) : IDisposable
    {
        readonly CancellationTokenSource late = new(Timeout.InfiniteTimeSpan, clock);
        CancellationTokenSource? both;

        public CancellationToken Token => (both ??= CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token)).Token;
        public bool IsCancelled => cancel.IsCancellationRequested;
        public bool IsLate => late.IsCancellationRequested;

        public void Allow(TimeSpan time)
        {
            // A body that still left when the answer had come finds the watch gone.
            try { late.CancelAfter(time); }
            catch (ObjectDisposedException) { throw new OperationCanceledException(); }
        }

        public void Dispose()
        {
            both?.Dispose();
            late.Dispose();
        }
    }

    /// <summary>The envelope as a body of known length. Says how far it got, because that decides between "not sent" and "unknown".</summary>
    sealed class ParcelContent : HttpContent
    {
        const int Piece = 64 << 10;
        readonly Parcel parcel;
        readonly Func<CancellationToken, Task<Stream>> open;
        readonly Watch watch;
        readonly TimeSpan stall, answer;

        public ParcelContent(Parcel parcel, Func<CancellationToken, Task<Stream>> open, Watch watch, TimeSpan stall, TimeSpan answer)
        {
            (this.parcel, this.open, this.watch, this.stall, this.answer) = (parcel, open, watch, stall, answer);
            Headers.ContentType = new MediaTypeHeaderValue("application/vnd.exchange.envelope");
        }

        /// <summary>The first byte may have left.</summary>
        public bool Started { get; private set; }
        public bool Finished { get; private set; }

        protected override bool TryComputeLength(out long length)
        {
            length = parcel.Length;
            return true;
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await using var source = await open(cancellationToken).ConfigureAwait(false);
            if (source.CanSeek && source.Length != parcel.Length) throw new ShortSourceException();
            var buffer = ArrayPool<byte>.Shared.Rent(Piece);
            try
            {
                for (var left = parcel.Length; left > 0;)
                {
                    var read = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(Piece, left)), cancellationToken).ConfigureAwait(false);
                    if (read == 0) throw new ShortSourceException();
                    Started = true;
                    watch.Allow(stall);
                    await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                    left -= read;
                }
                await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
            finally { ArrayPool<byte>.Shared.Return(buffer); }
            Finished = true;
            watch.Allow(answer);
        }
    }
}
