using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Mailbox;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Receipts;

sealed record DispatchesAnswer(IReadOnlyList<DispatchAnswer> Dispatches);

/// <param name="Id">Header id.</param>
/// <param name="State">"awaiting-payload", "held", "refused" (it was held, and ended so), "accepted" (copies are under way), "delivered" (all of them), "ended" (none under way, not all delivered) or "erased" (nothing else is known of it).</param>
/// <param name="ReceivedAt">T, Unix milliseconds.</param>
/// <param name="Level">Class number of the label in force; null: nothing was accepted yet, or its own sender is not cleared for it any more.</param>
sealed record DispatchAnswer(Guid Id, string State, int? Level, int Urgency, long ReceivedAt, IReadOnlyList<CopyAnswer> Copies);

/// <param name="Channel">"mailbox", "https", "folder", "sftp" or "mail".</param>
/// <param name="Code">Why it ended undelivered.</param>
/// <param name="Attempts">Tries of the channel that have ended.</param>
/// <param name="Last">Outcome of the newest of them: "Busy", "TryLater", "Unknown", "LeaseLost" …</param>
/// <param name="LastAt">When it ended.</param>
/// <param name="NextAt">When it is tried again; null: not planned, or under way now.</param>
/// <param name="Expires">Until when it is tried.</param>
/// <param name="Handling">What the office says it does with it: the code of the highest number; null: nothing yet.</param>
/// <param name="Statuses">Everything it said, by number.</param>
sealed record CopyAnswer(string Office, string Role, string State, long UpdatedAt, string Channel, string? Code, int Attempts, string? Last, long? LastAt, long? NextAt, long Expires,
    string? Handling, IReadOnlyList<CopyStatusAnswer> Statuses);

/// <param name="Sequence">The office's own number.</param>
/// <param name="Code">"01" to "06", "15", "16".</param>
/// <param name="Time">When the office said it, by its clock, Unix milliseconds.</param>
sealed record CopyStatusAnswer(long Sequence, string Code, string? Reason, long Time, long ReceivedAt);

sealed record ReceiptsAnswer(IReadOnlyList<ReceiptAnswer> Receipts);

/// <param name="Receipt">DER, base64url.</param>
sealed record ReceiptAnswer(Guid Id, string Event, string Code, string? Office, long Time, string Receipt);

/// <summary>Where the copies of one's own dispatches are, and the evidence for it.</summary>
static class ReceiptEndpoint
{
    /// <param name="sees">Whether an office is cleared for a label.</param>
    public static void Map(IEndpointRouteBuilder routes, IEngine engine, Func<string, Label, bool> sees, Options options)
    {
        routes.MapGet("/dispatches", (HttpContext context) =>
        {
            var limit = Answers.Number(context, "limit", (int)options.Limits.PageSize, (int)options.Limits.PageSize);
            using var reader = engine.Reader();
            var found = DispatchTable.List(reader, SignIn.Office(context), Answers.AfterId(context), limit);
            return Answers.Json(new DispatchesAnswer([.. found.Select(d => Of(reader, d, sees))]), AnswerJson.Shared.DispatchesAnswer);
        });

        routes.MapGet("/dispatches/{id}", (HttpContext context, string id) =>
        {
            using var reader = engine.Reader();
            var (office, envelope) = (SignIn.Office(context), Answers.Id(id));
            var answer = DispatchTable.Find(reader, office, envelope) is { } found ? Of(reader, found, sees)
                : HeldTable.Find(reader, office, envelope) is { } held ? held.ErasedAt is not null ? Erased(envelope, held.HeldAt) : new DispatchAnswer(envelope, held.State == HeldState.Waiting ? "held" : "refused", null, held.Urgency, held.HeldAt, [])
                : UploadTable.Find(reader, office, envelope) is { } awaited ? new DispatchAnswer(envelope, "awaiting-payload", null, 0, awaited.CreatedAt, [])
                : throw new RefusedException(Refusal.NotFound);
            return Answers.Json(answer, AnswerJson.Shared.DispatchAnswer);
        });

        routes.MapGet("/dispatches/{id}/receipts", (HttpContext context, string id) =>
        {
            using var reader = engine.Reader();
            var (office, envelope) = (SignIn.Office(context), Answers.Id(id));
            // One that was held has the same id as what it became.
            var found = DispatchTable.Find(reader, office, envelope)?.Id ?? HeldTable.Find(reader, office, envelope)?.Id ?? throw new RefusedException(Refusal.NotFound);
            return Answers.Json(new ReceiptsAnswer([.. ReceiptTable.OfHeld(reader, office, found).Concat(ReceiptTable.OfDispatch(reader, office, found))
                .Select(r => new ReceiptAnswer(r.Id, r.Event, r.Code, r.Office, r.Time, Answers.Base64(r.Der)))]), AnswerJson.Shared.ReceiptsAnswer);
        });
    }

    static DispatchAnswer Erased(Guid envelope, long receivedAt) => new(envelope, "erased", null, 0, receivedAt, []);

    static DispatchAnswer Of(Source source, DispatchSummary dispatch, Func<string, Label, bool> sees)
    {
        if (dispatch.ErasedAt is not null) return Erased(dispatch.Envelope, dispatch.ReceivedAt);
        var copies = ParcelTable.OfDispatch(source, dispatch.Sender, dispatch.Id);
        var state = copies.Any(c => c.State is ParcelState.Available or ParcelState.Queued) ? "accepted" : copies.All(c => c.State == ParcelState.Delivered) ? "delivered" : "ended";
        var attempts = AttemptTable.OfDispatch(source, dispatch.Sender, dispatch.Id).ToDictionary(a => a.Parcel);
        var next = JobTable.NextOf(source, dispatch.Sender, dispatch.Id).ToDictionary(j => j.Parcel, j => j.Due);
        var said = StatusTable.OfDispatch(source, dispatch.Sender, dispatch.Id).ToLookup(s => s.Parcel);
        return new(dispatch.Envelope, state, Level(), dispatch.Urgency, dispatch.ReceivedAt, [.. copies.Select(Copy)]);

        int? Level() => LabelTable.InForce(source, dispatch.Id) is not { } change ? dispatch.Class : sees(dispatch.Sender, LabelChange.Read(change.Change).Label!) ? change.Class : null;

        CopyAnswer Copy(ParcelRow c)
        {
            var tried = attempts.GetValueOrDefault(c.Id);
            return new(c.Office, c.Role, MailboxEndpoint.Word(c.State), c.UpdatedAt, c.Channel, c.LastRefusal, tried?.Attempts ?? 0, tried?.Last.ToString(), tried?.LastAt,
                next.GetValueOrDefault(c.Id), dispatch.Expires, said[c.Id].LastOrDefault()?.Code, [.. said[c.Id].Select(s => new CopyStatusAnswer(s.Sequence, s.Code, s.Reason, s.Time, s.ReceivedAt))]);
        }
    }
}
