using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;

namespace Exchange.Office.Client;

/// <summary>What became of a submission, as far as this attempt can say.</summary>
abstract record SubmitVerdict
{
    /// <summary>Durable at the gateway, which says so in this receipt (not yet verified).</summary>
    public sealed record Accepted(byte[] Receipt) : SubmitVerdict;
    /// <summary>Durable at the gateway and not on its way; it says what it waits for (not yet verified).</summary>
    public sealed record Held(byte[] Receipt) : SubmitVerdict;
    /// <summary>The parts are there; the payload is to follow.</summary>
    public sealed record PayloadAwaited : SubmitVerdict;
    /// <summary>Refused for good: sending the same again is pointless.</summary>
    public sealed record Refused(Refusal Refusal, byte[]? Receipt) : SubmitVerdict;
    /// <summary>Nothing is known or nothing was possible now: send the same bytes again later.</summary>
    public sealed record Later(Refusal Refusal, string Detail) : SubmitVerdict;
}

/// <summary>The gateway's HTTP interface, one method a route. Nothing it answers is believed here; signatures are checked by the callers.</summary>
sealed class GatewayApi(HttpClient http, TimeProvider clock)
{
    const int MaxSmall = 8 << 20;
    const string OffsetHeader = "Upload-Offset";
    static readonly TimeSpan SmallCall = TimeSpan.FromSeconds(60);
    static readonly MediaTypeHeaderValue EnvelopeType = new("application/vnd.exchange.envelope");

    public Task<SubmitVerdict> SubmitAsync(EnvelopeParts parts, Func<Stream>? payload, long wireLength, IProgress<long>? progress, CancellationToken cancel) =>
        SubmitAsync(HttpMethod.Post, "/dispatches", new PartsContent(EnvelopeFile.Write(parts), payload, wireLength, progress), cancel);

    /// <summary>Sends an awaited payload: all of it, or what is left from a byte that <see cref="UploadedAsync"/> named.</summary>
    public Task<SubmitVerdict> UploadAsync(Guid id, Func<Stream> payload, long from, long wireLength, IProgress<long>? progress, CancellationToken cancel) =>
        SubmitAsync(from == 0 ? HttpMethod.Put : HttpMethod.Patch, $"/dispatches/{id}/payload", new PartsContent([], payload, wireLength - from, progress, from), cancel);

    /// <summary>Bytes of an awaited payload that the gateway holds for good.</summary>
    /// <exception cref="RefusedException">NothingToUpload, or it cannot be asked.</exception>
    public async Task<long> UploadedAsync(Guid id, CancellationToken cancel)
    {
        using var request = Request(HttpMethod.Head, $"/dispatches/{id}/payload");
        using var response = await SendAsync(request, cancel).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.Conflict) throw new RefusedException(Refusal.NothingToUpload);
        if (IsTransient(response.StatusCode)) throw new RefusedException(Refusal.Busy, $"HTTP {(int)response.StatusCode}");
        // Without an offset it is a gateway that takes a payload only whole.
        return response.IsSuccessStatusCode && response.Headers.TryGetValues(OffsetHeader, out var values) && long.TryParse(values.Single(), NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? offset : 0;
    }

    async Task<SubmitVerdict> SubmitAsync(HttpMethod method, string path, PartsContent content, CancellationToken cancel)
    {
        content.Headers.ContentType = EnvelopeType;
        try
        {
            using var request = new HttpRequestMessage(method, path) { Content = content, Version = http.DefaultRequestVersion, VersionPolicy = http.DefaultVersionPolicy };
            if (method == HttpMethod.Patch) request.Headers.Add(OffsetHeader, content.From.ToString(CultureInfo.InvariantCulture));
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.Accepted && response.Content.Headers.ContentType?.MediaType != "application/cms") return new SubmitVerdict.PayloadAwaited();
            if (response.IsSuccessStatusCode)
            {
                var given = await BytesAsync(response, cancel).ConfigureAwait(false);
                return response.StatusCode == HttpStatusCode.Accepted ? new SubmitVerdict.Held(given) : new SubmitVerdict.Accepted(given);
            }
            var (refusal, receipt) = await ProblemAsync(response, cancel).ConfigureAwait(false);
            return IsTransient(response.StatusCode)
                ? new SubmitVerdict.Later(refusal, $"HTTP {(int)response.StatusCode}") : new SubmitVerdict.Refused(refusal, receipt);
        }
        catch (Exception e) when (IsTransport(e, cancel)) { return new SubmitVerdict.Later(Unreachable(e), Reason(e)); }
        catch (RefusedException e) { return new SubmitVerdict.Later(e.Refusal, e.Detail); }
    }

    public async Task<DryRunAnswer> DryRunAsync(DryRunQuestion question, CancellationToken cancel)
    {
        using var content = JsonContent.Create(question, ClientJson.Default.DryRunQuestion);
        return await JsonAsync(HttpMethod.Post, "/dispatches/dry-run", ClientJson.Default.DryRunAnswer, cancel, content).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<DispatchStatus>> DispatchesAsync(Guid? after, int limit, CancellationToken cancel) =>
        (await JsonAsync(HttpMethod.Get, $"/dispatches?limit={limit}{(after is null ? "" : $"&after={after}")}", ClientJson.Default.DispatchList, cancel).ConfigureAwait(false)).Dispatches;

    public Task<DispatchStatus> DispatchAsync(Guid id, CancellationToken cancel) =>
        JsonAsync(HttpMethod.Get, $"/dispatches/{id}", ClientJson.Default.DispatchStatus, cancel);

    public async Task<IReadOnlyList<byte[]>> ReceiptsAsync(Guid id, CancellationToken cancel) =>
        [.. (await JsonAsync(HttpMethod.Get, $"/dispatches/{id}/receipts", ClientJson.Default.ReceiptList, cancel).ConfigureAwait(false)).Receipts.Select(r => r.Receipt)];

    /// <param name="wait">Seconds, 0..30: answers at once when something is there.</param>
    public async Task<IReadOnlyList<MailboxParcel>> MailboxAsync(Guid? after, int wait, int limit, bool all, CancellationToken cancel) =>
        (await JsonAsync(HttpMethod.Get, $"/mailbox?wait={wait}&limit={limit}{(after is null ? "" : $"&after={after}")}{(all ? "&all=true" : "")}",
            ClientJson.Default.MailboxList, cancel).ConfigureAwait(false)).Parcels;

    /// <summary>Asks for a parcel from an offset. The caller disposes the response and reads its body.</summary>
    public async Task<HttpResponseMessage> ParcelAsync(Guid parcel, long from, EntityTagHeaderValue? tag, CancellationToken cancel)
    {
        using var request = Request(HttpMethod.Get, $"/mailbox/{parcel}");
        if (from > 0)
        {
            request.Headers.Range = new RangeHeaderValue(from, null);
            if (tag is not null) request.Headers.IfRange = new RangeConditionHeaderValue(tag);
        }
        var response = await SendAsync(request, cancel).ConfigureAwait(false);
        if (response.IsSuccessStatusCode) return response;
        using (response) throw new RefusedException((await ProblemAsync(response, cancel).ConfigureAwait(false)).Refusal, $"HTTP {(int)response.StatusCode}");
    }

    public async Task<IReadOnlyList<HeldDispatch>> HeldAsync(Guid? after, CancellationToken cancel) =>
        (await JsonAsync(HttpMethod.Get, after is null ? "/held" : $"/held?after={after}", ClientJson.Default.HeldList, cancel).ConfigureAwait(false)).Held;

    /// <summary>The header of one's own dispatch, also of one that another machine of the office sent.</summary>
    public Task<byte[]> HeaderAsync(Guid id, CancellationToken cancel) => GetAsync($"/dispatches/{id}/header", cancel);

    /// <summary>Idempotent: the same word again is answered with the first receipt.</summary>
    public async Task<byte[]> ApproveAsync(Guid id, ReadOnlyMemory<byte> approval, CancellationToken cancel)
    {
        using var content = new ReadOnlyMemoryContent(approval);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/cms");
        using var request = Request(HttpMethod.Post, $"/dispatches/{id}/approvals");
        request.Content = content;
        using var response = await CheckedAsync(request, cancel).ConfigureAwait(false);
        return await BytesAsync(response, cancel).ConfigureAwait(false);
    }

    /// <param name="parcel">The copy through which this office has the dispatch; null: its own dispatch.</param>
    public Task<LabelStatus> LabelsAsync(Guid id, Guid? parcel, CancellationToken cancel) => JsonAsync(HttpMethod.Get, LabelPath(id, parcel), ClientJson.Default.LabelStatus, cancel);

    /// <summary>Idempotent: the same change by the same person again is answered with the first receipt.</summary>
    public async Task<(byte[] Receipt, bool Waits)> ChangeLabelAsync(Guid id, Guid? parcel, ReadOnlyMemory<byte> statement, CancellationToken cancel)
    {
        using var content = new ReadOnlyMemoryContent(statement);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/cms");
        using var request = Request(HttpMethod.Post, LabelPath(id, parcel));
        request.Content = content;
        using var response = await CheckedAsync(request, cancel).ConfigureAwait(false);
        return (await BytesAsync(response, cancel).ConfigureAwait(false), response.StatusCode == HttpStatusCode.Accepted);
    }

    static string LabelPath(Guid id, Guid? parcel) => parcel is { } copy ? $"/mailbox/{copy}/labels" : $"/dispatches/{id}/labels";

    public Task<byte[]> ParcelReceiptAsync(Guid parcel, CancellationToken cancel) => GetAsync($"/mailbox/{parcel}/receipt", cancel);

    /// <summary>Idempotent: the same bytes again are answered like the first time.</summary>
    public async Task AcknowledgeAsync(Guid parcel, ReadOnlyMemory<byte> receipt, CancellationToken cancel)
    {
        using var content = new ReadOnlyMemoryContent(receipt);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/cms");
        using var request = Request(HttpMethod.Post, $"/mailbox/{parcel}/receipts");
        request.Content = content;
        using var response = await CheckedAsync(request, cancel).ConfigureAwait(false);
    }

    /// <summary>Idempotent: the same statement again is answered with the first receipt.</summary>
    public async Task<byte[]> ReportAsync(Guid parcel, ReadOnlyMemory<byte> status, CancellationToken cancel)
    {
        using var content = new ReadOnlyMemoryContent(status);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/cms");
        using var request = Request(HttpMethod.Post, $"/mailbox/{parcel}/statuses");
        request.Content = content;
        using var response = await CheckedAsync(request, cancel).ConfigureAwait(false);
        return await BytesAsync(response, cancel).ConfigureAwait(false);
    }

    /// <summary>What this office said about its copy.</summary>
    public async Task<IReadOnlyList<ListedStatus>> StatusesOfParcelAsync(Guid parcel, CancellationToken cancel) =>
        (await JsonAsync(HttpMethod.Get, $"/mailbox/{parcel}/statuses", ClientJson.Default.StatusList, cancel).ConfigureAwait(false)).Statuses;

    /// <summary>What receiving offices said about this dispatch.</summary>
    public async Task<IReadOnlyList<ListedStatus>> StatusesAsync(Guid id, CancellationToken cancel) =>
        (await JsonAsync(HttpMethod.Get, $"/dispatches/{id}/statuses", ClientJson.Default.StatusList, cancel).ConfigureAwait(false)).Statuses;

    /// <param name="wait">Seconds, 0..30: answers at once when something is there.</param>
    public async Task<IReadOnlyList<ListedStatus>> NewStatusesAsync(long after, int wait, CancellationToken cancel) =>
        (await JsonAsync(HttpMethod.Get, $"/statuses?after={after}&wait={wait}", ClientJson.Default.StatusList, cancel).ConfigureAwait(false)).Statuses;

    public Task<byte[]> CheckpointAsync(CancellationToken cancel) => GetAsync("/ledger/checkpoint", cancel);

    public Task<InclusionProof> InclusionAsync(Digest leaf, long size, CancellationToken cancel) =>
        JsonAsync(HttpMethod.Get, $"/ledger/inclusion?leaf={leaf}&size={size}", ClientJson.Default.InclusionProof, cancel);

    public async Task<IReadOnlyList<Digest>> ConsistencyAsync(long from, long to, CancellationToken cancel) =>
        (await JsonAsync(HttpMethod.Get, $"/ledger/consistency?from={from}&to={to}", ClientJson.Default.ConsistencyProof, cancel).ConfigureAwait(false)).Proof;

    /// <summary>The entry with which the ledger begins under its name; null: it follows no other.</summary>
    public async Task<(LedgerEntry Entry, long Index)?> SuccessionAsync(CancellationToken cancel)
    {
        try
        {
            var begun = await JsonAsync(HttpMethod.Get, "/ledger/succession", ClientJson.Default.BegunLedger, cancel).ConfigureAwait(false);
            return (new LedgerEntry(begun.Salt.ToArray(), Encoding.UTF8.GetBytes(begun.Detail)), begun.Index);
        }
        catch (RefusedException e) when (e.Refusal == Refusal.NotFound) { return null; }
    }

    public Task<byte[]> DirectoryAsync(CancellationToken cancel) => GetAsync("/directory", cancel);
    public Task<byte[]> CardAsync(Digest card, CancellationToken cancel) => GetAsync($"/directory/cards/{card}", cancel);
    public Task<byte[]> PolicyAsync(CancellationToken cancel) => GetAsync("/policy", cancel);

    public async Task<IReadOnlyList<ReadOnlyMemory<byte>>> CrlsAsync(CancellationToken cancel)
    {
        var list = await JsonAsync(HttpMethod.Get, "/trust/crls", ClientJson.Default.CrlList, cancel).ConfigureAwait(false);
        try { return [.. list.Crls.Select(c => (ReadOnlyMemory<byte>)System.Buffers.Text.Base64Url.DecodeFromChars(c))]; }
        catch (FormatException) { throw new RefusedException(Refusal.Json, "revocation list is not base64url"); }
    }

    /// <summary>What the CA last said of this certificate, as the gateway fetched it: DER of an OCSP response; null: nothing.</summary>
    public async Task<byte[]?> ResponseAsync(Digest certificate, CancellationToken cancel)
    {
        try { return await GetAsync($"/trust/ocsp/{certificate}", cancel).ConfigureAwait(false); }
        catch (RefusedException e) when (e.Refusal == Refusal.NotFound) { return null; }
    }

    HttpRequestMessage Request(HttpMethod method, string path) =>
        new(method, path) { Version = http.DefaultRequestVersion, VersionPolicy = http.DefaultVersionPolicy };

    internal async Task<byte[]> GetAsync(string path, CancellationToken cancel)
    {
        using var request = Request(HttpMethod.Get, path);
        using var response = await CheckedAsync(request, cancel).ConfigureAwait(false);
        return await BytesAsync(response, cancel).ConfigureAwait(false);
    }

    internal async Task<T> JsonAsync<T>(HttpMethod method, string path, JsonTypeInfo<T> type, CancellationToken cancel, HttpContent? content = null) where T : class
    {
        using var request = Request(method, path);
        request.Content = content;
        using var response = await CheckedAsync(request, cancel).ConfigureAwait(false);
        var bytes = await BytesAsync(response, cancel).ConfigureAwait(false);
        try { return JsonSerializer.Deserialize(bytes, type) ?? throw new RefusedException(Refusal.Json, path); }
        catch (JsonException e) { throw new RefusedException(Refusal.Json, $"answer to {request.RequestUri?.AbsolutePath}: {e.Path}"); }
    }

    async Task<HttpResponseMessage> CheckedAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var response = await SendAsync(request, cancel).ConfigureAwait(false);
        if (response.IsSuccessStatusCode) return response;
        using (response) throw new RefusedException((await ProblemAsync(response, cancel).ConfigureAwait(false)).Refusal, $"HTTP {(int)response.StatusCode}");
    }

    async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(SmallCall, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        try { return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false); }
        catch (Exception e) when (IsTransport(e, cancel)) { throw new RefusedException(Unreachable(e), Reason(e)); }
    }

    static async Task<byte[]> BytesAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        if (response.Content.Headers.ContentLength > MaxSmall) throw new RefusedException(Refusal.Size, "answer of the gateway");
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
            using var copy = new MemoryStream();
            var buffer = new byte[1 << 16];
            for (int read; (read = await stream.ReadAsync(buffer, cancel).ConfigureAwait(false)) > 0;)
            {
                if (copy.Length + read > MaxSmall) throw new RefusedException(Refusal.Size, "answer of the gateway");
                copy.Write(buffer, 0, read);
            }
            return copy.ToArray();
        }
        catch (Exception e) when (IsTransport(e, cancel)) { throw new RefusedException(Unreachable(e), Reason(e)); }
    }

    // A code of our own list speaks with our own texts; a code from a newer gateway with the texts that came with it.
    static async Task<(Refusal Refusal, byte[]? Receipt)> ProblemAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var status = (int)response.StatusCode;
        Problem? problem = null;
        try { problem = JsonSerializer.Deserialize(await BytesAsync(response, cancel).ConfigureAwait(false), ClientJson.Default.Problem); }
        catch (JsonException) { }
        var code = problem?.Code ?? problem?.Title;
        byte[]? receipt = null;
        if (problem?.Receipt is { } text)
            try { receipt = System.Buffers.Text.Base64Url.DecodeFromChars(text); }
            catch (FormatException) { }
        if (code is not null && Refusal.All.TryGetValue(code, out var known)) return (known, receipt);
        if (code is not null && problem?.Messages is { } m)
            return (new Refusal(code, m.En, m.Vi, problem.Remedy?.En ?? "", problem.Remedy?.Vi ?? ""), receipt);
        return (status is 401 or 403 ? Refusal.NotSignedIn : status == 404 ? Refusal.NotFound : status >= 500 ? Refusal.Unreachable : Refusal.Request, receipt);
    }

    static bool IsTransient(HttpStatusCode status) => (int)status is 408 or 421 or 425 or 429 or >= 500;

    static bool IsTransport(Exception e, CancellationToken cancel) =>
        e is HttpRequestException or IOException || (e is OperationCanceledException && !cancel.IsCancellationRequested);

    // The server's certificate was refused by our own check: that is the reason to show, not "unreachable".
    static Refusal Unreachable(Exception e)
    {
        for (Exception? inner = e; inner is not null; inner = inner.InnerException)
            if (inner is RefusedException refused) return refused.Refusal;
        return Refusal.Unreachable;
    }

    static string Reason(Exception e) => e is OperationCanceledException ? "no answer in time" : (e.InnerException ?? e).Message;
}

/// <summary>Parts, then the payload from disk: streamed, of known length, and able to start again.</summary>
/// <param name="wireLength">Bytes of the payload that go.</param>
/// <param name="from">Byte of the payload at which it goes on; progress counts from there.</param>
sealed class PartsContent(byte[] parts, Func<Stream>? payload, long wireLength, IProgress<long>? progress, long from = 0) : HttpContent
{
    public long From => from;

    protected override bool TryComputeLength(out long length)
    {
        length = parts.Length + (payload is null ? 0 : wireLength);
        return true;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(parts, cancellationToken).ConfigureAwait(false);
        if (payload is null) return;
        await using var source = payload();
        var buffer = new byte[1 << 17];
        source.Position = from;
        var done = from;
        if (from > 0) progress?.Report(done);
        for (int read; (read = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            progress?.Report(done += read);
        }
    }
}
