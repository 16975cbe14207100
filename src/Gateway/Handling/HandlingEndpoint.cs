using Exchange.Crypto;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Handling;

sealed record StatusesAnswer(IReadOnlyList<StatusAnswer> Statuses);

/// <param name="N">Where the sender's reading goes on: its own statuses from 1, in the order in which they came. null for the office that said it.</param>
/// <param name="Id">Header id.</param>
/// <param name="Sequence">The office's own number, from 1 for each copy: the highest counts.</param>
/// <param name="Time">When the office said it, by its clock, Unix milliseconds.</param>
/// <param name="Statement">DER, base64url.</param>
sealed record StatusAnswer(long? N, Guid Id, string Office, long Sequence, string Code, string? Reason, long Time, long ReceivedAt, string Statement);

/// <summary>What offices say they do with their copies: told by them, read by the sender.</summary>
static class HandlingEndpoint
{
    public static void Map(IEndpointRouteBuilder routes, ReportStatus report, ReadStatuses read, IEngine engine, Options options, CancellationToken stopping)
    {
        routes.MapPost("/mailbox/{parcel}/statuses", async (HttpContext context, string parcel) =>
        {
            var id = Answers.Id(parcel);
            var der = await Answers.ReadBytes(context, ReportStatus.MaxBytes);
            var reported = await report.Report(SignIn.Office(context), id, der);
            return Answers.Cms(reported.Receipt, reported.Repeat ? StatusCodes.Status200OK : StatusCodes.Status201Created);
        });

        routes.MapGet("/mailbox/{parcel}/statuses", (HttpContext context, string parcel) =>
        {
            using var reader = engine.Reader();
            var (office, id) = (SignIn.Office(context), Answers.Id(parcel));
            var copy = ParcelTable.Find(reader, office, id) ?? throw new RefusedException(Refusal.NotFound);
            if (ErasureTable.Has(reader, copy.Dispatch)) throw ErasureTable.Refused();
            // Its place among the sender's is the sender's affair.
            return Answer(StatusTable.OfParcel(reader, office, id), ofSender: false);
        });

        routes.MapGet("/dispatches/{id}/statuses", (HttpContext context, string id) =>
        {
            using var reader = engine.Reader();
            var office = SignIn.Office(context);
            var found = DispatchTable.Find(reader, office, Answers.Id(id)) ?? throw new RefusedException(Refusal.NotFound);
            return found.ErasedAt is null ? Answer(StatusTable.OfDispatch(reader, office, found.Id), ofSender: true) : throw ErasureTable.Refused();
        });

        routes.MapGet("/statuses", async (HttpContext context) =>
        {
            var (after, wait) = (Answers.Number(context, "after", 0, int.MaxValue), TimeSpan.FromSeconds(Answers.Number(context, "wait", 0, (int)options.Limits.LongPollSeconds)));
            var limit = Answers.Number(context, "limit", (int)options.Limits.PageSize, (int)options.Limits.PageSize);
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            IReadOnlyList<SaidStatus> found;
            try { found = await read.Read(SignIn.Office(context), after, limit, wait, cancel.Token); }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested) { found = []; }
            return Answer(found, ofSender: true);
        });
    }

    static IResult Answer(IReadOnlyList<SaidStatus> found, bool ofSender) => Answers.Json(new StatusesAnswer([.. found.Select(s =>
        new StatusAnswer(ofSender ? s.N : null, s.Envelope, s.Office, s.Sequence, s.Code, s.Reason, s.Time, s.ReceivedAt, Answers.Base64(s.Der)))]), AnswerJson.Shared.StatusesAnswer);
}
