using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Relabelling;

/// <param name="Label">In force.</param>
/// <param name="Previous">What a change has to point at.</param>
/// <param name="Since">When it began to count, Unix milliseconds.</param>
/// <param name="Extension">Latest end that persons signed.</param>
/// <param name="Stopped">Nothing ends by time alone.</param>
sealed record LabelsAnswer(Guid Id, Digest Previous, Label Label, long Since, long? Extension, bool Stopped, IReadOnlyList<LabelChangeAnswer> Changes);

/// <param name="State">"waiting", "accepted" or "ended".</param>
/// <param name="Code">"OK", or why it waits or ended.</param>
/// <param name="InForceAt">When it gave the label in force; null: it did not.</param>
/// <param name="WaitsUntil">When waiting becomes a no.</param>
/// <param name="Change">Canonical JSON, base64url: what another person signs as well.</param>
sealed record LabelChangeAnswer(Digest Ref, string Act, string State, string Code, long Time, long? InForceAt, long? WaitsUntil, string Change, IReadOnlyList<LabelWordAnswer> Words);

/// <param name="Person">Key: SHA-256 of the certificate.</param>
/// <param name="Statement">DER, base64url.</param>
sealed record LabelWordAnswer(string Office, Digest Person, long Time, string Statement);

/// <summary>The label in force of one's own dispatch, or of one's own copy, and changing it.</summary>
static class LabelEndpoint
{
    public static void Map(IEndpointRouteBuilder routes, ChangeLabel change, Shared shared)
    {
        routes.MapGet("/dispatches/{id}/labels", (HttpContext context, string id) => Show(shared, SignIn.Office(context), OfOwn(SignIn.Office(context), Answers.Id(id))));
        routes.MapGet("/mailbox/{parcel}/labels", (HttpContext context, string parcel) => Show(shared, SignIn.Office(context), OfCopy(SignIn.Office(context), Answers.Id(parcel))));
        routes.MapPost("/dispatches/{id}/labels", (HttpContext context, string id) => Take(change, context, OfOwn(SignIn.Office(context), Answers.Id(id))));
        routes.MapPost("/mailbox/{parcel}/labels", (HttpContext context, string parcel) => Take(change, context, OfCopy(SignIn.Office(context), Answers.Id(parcel))));
    }

    static Func<Source, DispatchRow?> OfOwn(string office, Guid envelope) => source => DispatchTable.Read(source, office, envelope);

    // A copy that ended undelivered gives no say.
    static Func<Source, DispatchRow?> OfCopy(string office, Guid parcel) => source =>
        ParcelTable.Find(source, office, parcel) is { State: ParcelState.Available or ParcelState.Queued or ParcelState.Delivered } ? DispatchTable.ReadOfParcel(source, office, parcel) : null;

    static async Task<IResult> Take(ChangeLabel change, HttpContext context, Func<Source, DispatchRow?> find) =>
        await change.Change(SignIn.Office(context), find, await Answers.ReadBytes(context, EnvelopeParts.MaxApproval)) switch
        {
            Changed.Accepted(var receipt) => Answers.Cms(receipt, StatusCodes.Status201Created),
            Changed.Waits(var receipt) => Answers.Cms(receipt, StatusCodes.Status202Accepted),
            Changed.Before(var receipt) => Answers.Cms(receipt),
            _ => throw new InvalidOperationException("No such outcome."),
        };

    static IResult Show(Shared shared, string office, Func<Source, DispatchRow?> find)
    {
        using var reader = shared.Engine.Reader().Snapshot();
        var standing = LabelStanding.Read(reader, find(reader) ?? throw new RefusedException(Refusal.NotFound));
        var (world, now) = (shared.Worlds.Current, shared.Clock.GetUtcNow());
        // Also its own sender sees nothing of a label that he is not cleared for, nor that there is one.
        bool Sees(Label? label) => label is null || ReleaseFacts.IsCleared(office, label, world, now);
        if (!Sees(standing.InForce)) throw new RefusedException(Refusal.NotReleasable);
        var changes = standing.Changes.Select(row => (Row: row, Change: LabelChange.Read(row.Change))).Where(c => Sees(c.Change.Label));
        return Answers.Json(new LabelsAnswer(standing.Dispatch.Envelope, standing.Previous, standing.InForce, standing.Since, standing.Extension, standing.Stopped, [.. changes.Select(c => new LabelChangeAnswer(c.Row.Ref, c.Row.Act,
            c.Row.State.ToString().ToLowerInvariant(), c.Row.Code, c.Row.CreatedAt, c.Row.InForceAt, c.Row.WaitsUntil, Answers.Base64(c.Row.Change),
            [.. LabelTable.Words(reader, c.Row.Id).Select(w => new LabelWordAnswer(w.Office, w.Person, w.Time, Answers.Base64(w.Der)))]))]), AnswerJson.Shared.LabelsAnswer);
    }
}
