using Exchange.Crypto;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;
using Microsoft.Net.Http.Headers;

namespace Exchange.Gateway.Mailbox;

sealed record MailboxAnswer(IReadOnlyList<ParcelAnswer> Parcels);

/// <param name="Parcel">The gateway's id of this copy.</param>
/// <param name="Envelope">Header id, unique per sender.</param>
/// <param name="ReceivedAt">T, Unix milliseconds.</param>
/// <param name="Size">Bytes of the file form.</param>
/// <param name="State">"available", "delivered", "refused", "expired", "dead" or "recalled".</param>
sealed record ParcelAnswer(Guid Parcel, string Sender, Guid Envelope, int Urgency, long ReceivedAt, long Size, string State);

/// <summary>Routes and shapes of an office's mailbox.</summary>
static class MailboxEndpoint
{
    public static void Map(IEndpointRouteBuilder routes, ListMailbox list, DownloadParcel download, AcknowledgeParcel acknowledge, IEngine engine, Options options, CancellationToken stopping)
    {
        routes.MapGet("/mailbox", async (HttpContext context) =>
        {
            var wait = TimeSpan.FromSeconds(Answers.Number(context, "wait", 0, (int)options.Limits.LongPollSeconds));
            var limit = Answers.Number(context, "limit", (int)options.Limits.PageSize, (int)options.Limits.PageSize);
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            IReadOnlyList<MailboxItem> items;
            try { items = await list.List(SignIn.Office(context), Answers.AfterId(context), limit, Answers.Flag(context, "all"), wait, cancel.Token); }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested) { items = []; }
            return Answers.Json(new MailboxAnswer([.. items.Select(i => new ParcelAnswer(i.Parcel, i.Sender, i.Envelope, i.Urgency, i.ReceivedAt, i.Size, Word(i.State)))]),
                AnswerJson.Shared.MailboxAnswer);
        });

        routes.MapMethods("/mailbox/{parcel}", [HttpMethods.Get, HttpMethods.Head], async (HttpContext context, string parcel) =>
        {
            var found = await download.Open(SignIn.Office(context), SignIn.Session(context), Answers.Id(parcel));
            context.Response.Headers.CacheControl = "no-store";
            return Results.Stream(found.Content, Answers.EnvelopeType, enableRangeProcessing: true,
                lastModified: DateTimeOffset.FromUnixTimeMilliseconds(found.ReceivedAt), entityTag: new EntityTagHeaderValue($"\"{found.Ctx}\""));
        });

        routes.MapGet("/mailbox/{parcel}/receipt", (HttpContext context, string parcel) =>
        {
            using var reader = engine.Reader();
            return Answers.Cms((ReceiptTable.AcceptanceOfParcel(reader, SignIn.Office(context), Answers.Id(parcel)) ?? throw new RefusedException(Refusal.NotFound)).Der);
        });

        routes.MapPost("/mailbox/{parcel}/receipts", async (HttpContext context, string parcel) =>
        {
            var id = Answers.Id(parcel);
            var der = await Answers.ReadBytes(context, OfficeReceipts.MaxBytes);
            var acknowledged = await acknowledge.Acknowledge(SignIn.Office(context), id, der);
            return Results.StatusCode(acknowledged == Acknowledged.New ? StatusCodes.Status201Created : StatusCodes.Status200OK);
        });
    }

    public static string Word(ParcelState state) => state.ToString().ToLowerInvariant();
}
