using System.Net;
using System.Net.Http.Headers;
using Exchange.Crypto;

namespace Exchange.Office.Client;

/// <summary>One parcel's bytes to disk, by ranges: a broken connection goes on where it broke, and so does a program that was killed.</summary>
sealed class FetchParcel(OfficeContext office)
{
    const int FruitlessLimit = 5;

    /// <exception cref="RefusedException">The gateway's reason, or <see cref="Refusal.Unreachable"/> after five attempts without a byte.</exception>
    public async Task RunAsync(ParcelFiles bytes, IProgress<long>? progress, CancellationToken cancel)
    {
        bytes.SaveReceipt(await office.Api.ParcelReceiptAsync(bytes.Parcel, cancel).ConfigureAwait(false));
        await using var file = bytes.OpenPart(resume: true);
        for (var fruitless = 0; file.Length == 0 || file.Length != bytes.Tag?.Length;)
        {
            var before = file.Length;
            try
            {
                office.Files.Step("fetch range");
                using var response = await office.Api.ParcelAsync(bytes.Parcel, file.Length, bytes.Tag?.Tag, cancel).ConfigureAwait(false);
                Place(response, bytes, file);
                await CopyAsync(response, file, progress, cancel).ConfigureAwait(false);
                if (file.Length > bytes.Tag!.Value.Length) throw new RefusedException(Refusal.Size, "more bytes than the parcel has");
            }
            catch (Exception e) when (e is HttpRequestException || (e is IOException io && !DurableFile.IsFull(io))) { }
            catch (RefusedException e) when (e.Refusal == Refusal.Unreachable || e.Refusal == Refusal.Busy) { }
            fruitless = file.Length > before ? 0 : fruitless + 1;
            if (fruitless >= FruitlessLimit) throw new RefusedException(Refusal.Unreachable, $"parcel broke off at byte {file.Length}");
            if (fruitless > 0) await Task.Delay(TimeSpan.FromMilliseconds(200 << fruitless), office.Clock, cancel).ConfigureAwait(false);
        }
        bytes.Complete(file);
    }

    // 206 goes on where we are; 200 (another version, or no ranges) starts again.
    static void Place(HttpResponseMessage response, ParcelFiles bytes, FileStream file)
    {
        var length = response.Content.Headers.ContentLength ?? throw new RefusedException(Refusal.Size, "parcel without length");
        if (response.StatusCode == HttpStatusCode.PartialContent && file.Length > 0)
        {
            if (response.Content.Headers.ContentRange?.From != file.Length || file.Length + length != bytes.Tag?.Length) throw new RefusedException(Refusal.Request, "another range than asked for");
            return;
        }
        file.SetLength(0);
        bytes.SetTag(response.Headers.ETag ?? EntityTagHeaderValue.Any, length);
    }

    static async Task CopyAsync(HttpResponseMessage response, FileStream file, IProgress<long>? progress, CancellationToken cancel)
    {
        var source = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        var buffer = new byte[1 << 17];
        file.Position = file.Length;
        for (int read; (read = await source.ReadAsync(buffer, cancel).ConfigureAwait(false)) > 0;)
        {
            file.Write(buffer, 0, read);
            progress?.Report(file.Position);
        }
        file.Flush();
    }
}
