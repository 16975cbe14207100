using System.Net;
using System.Net.Http.Headers;
using Exchange.Crypto;
using Exchange.Crypto.TimeStamps;

namespace Exchange.Office.Client;

/// <summary>Has signatures time-stamped by the authorities of the profile (RFC 3161 3.4): one try each, in their order, until one gives a token that holds.</summary>
sealed class FetchTimeStamps(OfficeContext office)
{
    /// <summary>For one question to one authority, from connecting to the last byte.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <param name="imprints">SHA-256 of each signature.</param>
    /// <returns>A verified token for each, in the same order.</returns>
    /// <exception cref="RefusedException"><see cref="Refusal.TimeStampAway"/>: for one of them nobody gave any; what each authority did is in the detail.</exception>
    public async Task<IReadOnlyList<ReadOnlyMemory<byte>>> RunAsync(IReadOnlyList<Digest> imprints, CancellationToken cancel)
    {
        var tokens = new List<ReadOnlyMemory<byte>>();
        foreach (var imprint in imprints) tokens.Add(await OneAsync(imprint, cancel).ConfigureAwait(false));
        return tokens;
    }

    async Task<ReadOnlyMemory<byte>> OneAsync(Digest imprint, CancellationToken cancel)
    {
        var settings = office.Profile.TimeStamps ?? throw new RefusedException(Refusal.TimeStampAway, "the profile names no authority");
        var faults = new List<string>();
        foreach (var authority in settings.Authorities)
            try
            {
                return await AskAsync(authority, new TimeStampQuery(imprint, settings.Policy), cancel).ConfigureAwait(false);
            }
            catch (RefusedException e) { faults.Add($"{authority}: {e.Refusal.Code} {e.Detail}"); }
            // Whatever else a connection fails with is the way to it.
            catch (Exception e) when (e is HttpRequestException or IOException) { faults.Add($"{authority}: {(e.InnerException is RefusedException r ? r.Refusal.Code : "cannot be reached")}"); }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested) { faults.Add($"{authority}: no answer in {Patience.TotalSeconds} s"); }
        throw new RefusedException(Refusal.TimeStampAway, string.Join("; ", faults));
    }

    async Task<ReadOnlyMemory<byte>> AskAsync(Uri authority, TimeStampQuery query, CancellationToken cancel)
    {
        using var patience = new CancellationTokenSource(Patience, office.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        using var request = new HttpRequestMessage(HttpMethod.Post, authority) { Content = new ReadOnlyMemoryContent(query.Der) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(TimeStampQuery.MediaType);
        using var response = await office.TimeStampAuthorities.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK || response.Content.Headers.ContentType?.MediaType != TimeStampQuery.ReplyType)
            throw new RefusedException(Refusal.TimeStamp, $"HTTP {(int)response.StatusCode}, not an answer to a query");
        return query.Read(await ReadAsync(response.Content, both.Token).ConfigureAwait(false), office.View.Trust, office.Now);
    }

    // Never a byte more in memory than is allowed, whatever it says of its length.
    static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContent content, CancellationToken cancel)
    {
        await using var stream = await content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        var answer = new byte[TimeStampQuery.MaxReply + 1];
        var length = await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
        return length < answer.Length ? answer.AsMemory(0, length) : throw new RefusedException(Refusal.Size, "answer");
    }
}
