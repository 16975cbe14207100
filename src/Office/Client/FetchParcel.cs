using System.Net;
using System.Net.Http.Headers;
using Exchange.Crypto;

namespace Exchange.Office.Client;

/// <summary>One parcel's bytes to a file, by ranges: a broken connection goes on where it broke.</summary>
sealed class FetchParcel(OfficeContext office)
{
    const int FruitlessLimit = 5;

    /// <param name="file">Empty, open for writing.</param>
    /// <exception cref="RefusedException">The gateway's reason, or <see cref="Refusal.Unreachable"/> after five attempts without a byte.</exception>
    public async Task RunAsync(Guid parcel, FileStream file, IProgress<long>? progress, CancellationToken cancel)
    {
        EntityTagHeaderValue? tag = null;
        for (var fruitless = 0; ;)
        {
            var before = file.Length;
            try
            {
                using var response = await office.Api.ParcelAsync(parcel, file.Length, tag, cancel).ConfigureAwait(false);
                tag = response.Headers.ETag ?? tag;
                Place(response, file);
                var whole = file.Position + (response.Content.Headers.ContentLength ?? throw new RefusedException(Refusal.Size, "parcel without length"));
                await CopyAsync(response, file, progress, cancel).ConfigureAwait(false);
                if (file.Length == whole) return;
            }
            catch (Exception e) when (e is IOException or HttpRequestException) { }
            catch (RefusedException e) when (e.Refusal == Refusal.Unreachable || e.Refusal == Refusal.Busy) { }
            fruitless = file.Length > before ? 0 : fruitless + 1;
            if (fruitless >= FruitlessLimit) throw new RefusedException(Refusal.Unreachable, $"parcel broke off at byte {file.Length}");
            if (fruitless > 0) await Task.Delay(TimeSpan.FromMilliseconds(200 << fruitless), office.Clock, cancel).ConfigureAwait(false);
        }
    }

    // 206 goes on where we are; 200 (another version, or no ranges) starts again.
    static void Place(HttpResponseMessage response, FileStream file)
    {
        var from = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.From ?? -1 : 0;
        if (from != 0 && from != file.Length) throw new RefusedException(Refusal.Request, "another range than asked for");
        file.SetLength(from);
        file.Position = from;
    }

    static async Task CopyAsync(HttpResponseMessage response, FileStream file, IProgress<long>? progress, CancellationToken cancel)
    {
        var source = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        var buffer = new byte[1 << 17];
        for (int read; (read = await source.ReadAsync(buffer, cancel).ConfigureAwait(false)) > 0;)
        {
            file.Write(buffer, 0, read);
            progress?.Report(file.Position);
        }
        file.Flush();
    }
}
