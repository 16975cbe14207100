using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;

namespace Exchange.Gateway.Holding;

sealed record HeldListAnswer(IReadOnlyList<HeldAnswer> Held);

/// <param name="Id">Header id.</param>
/// <param name="Level">Class number of the label.</param>
/// <param name="Code">What it waits for.</param>
/// <param name="Until">When waiting becomes a no, Unix milliseconds.</param>
/// <param name="Persons">Distinct persons whose release the level asks for.</param>
/// <param name="Roles">In one of these roles.</param>
/// <param name="Missing">How many of them are still to come.</param>
sealed record HeldAnswer(Guid Id, int Level, int Urgency, string Code, long HeldAt, long Until, IReadOnlyList<string> To, int Persons, IReadOnlyList<string> Roles, int Missing,
    IReadOnlyList<WordAnswer> Approvals);

/// <param name="Person">Key: SHA-256 of the certificate.</param>
/// <param name="Roles">His, in the card of now; empty: no person of the office any more, so his word does not count.</param>
sealed record WordAnswer(string Act, Digest Person, IReadOnlyList<string> Roles, long Time);

/// <summary>What of one's own is held, and letting it go.</summary>
static class HoldingEndpoint
{
    public static void Map(IEndpointRouteBuilder routes, ApproveHeld approve, IEngine engine, Worlds worlds, Options options)
    {
        routes.MapGet("/held", async (HttpContext context) =>
        {
            var limit = Answers.Number(context, "limit", (int)options.Limits.PageSize, (int)options.Limits.PageSize);
            List<(HeldRow, IReadOnlyList<HeldApprovalRow>)> found;
            using (var reader = engine.Reader())
                found = [.. HeldTable.Waiting(reader, SignIn.Office(context), Answers.AfterId(context), limit).Select(row => (row, HeldTable.Approvals(reader, row.Id)))];
            var answers = new List<HeldAnswer>();
            foreach (var (row, said) in found) answers.Add(await Of(row, said, worlds.Current));
            return Answers.Json(new HeldListAnswer(answers), AnswerJson.Shared.HeldListAnswer);
        });

        routes.MapPost("/dispatches/{id}/approvals", async (HttpContext context, string id) =>
        {
            var der = await Answers.ReadBytes(context, EnvelopeParts.MaxApproval);
            var said = await approve.Approve(SignIn.Office(context), Answers.Id(id), der);
            return Answers.Cms(said.Receipt, said.Repeat ? StatusCodes.Status200OK : StatusCodes.Status201Created);
        });

        routes.MapGet("/dispatches/{id}/header", (HttpContext context, string id) =>
        {
            using var reader = engine.Reader();
            var (office, envelope) = (SignIn.Office(context), Answers.Id(id));
            return Answers.Cms(DispatchTable.Read(reader, office, envelope)?.Header ?? HeldTable.Find(reader, office, envelope)?.Header ?? throw new RefusedException(Refusal.NotFound));
        });
    }

    static async Task<HeldAnswer> Of(HeldRow row, IReadOnlyList<HeldApprovalRow> said, World world)
    {
        var release = world.Policy.Level(row.Class)?.Handling.Release;
        var persons = world.Directory.Find(row.Sender)?.Persons ?? [];
        var parts = await StoredEnvelope.Read(row.Header, row.Approvals, row.Manifest);
        List<WordAnswer> words = [.. parts.Approvals.Select(a => Statement.Read(a, StatementType.Approval)).Where(s => s.As<Approval>().Act == ApprovalAct.Release)
            .Select(s => Word(ApprovalAct.Release, s.Signers[0].Key, s.SigningTimes[0].ToUnixTimeMilliseconds())), .. said.Select(a => Word(a.Act, a.Person, a.Time))];
        var counting = words.Where(w => w.Act == ApprovalAct.Release && w.Roles.Any(r => release?.Roles.Contains(r) ?? false)).Select(w => w.Person).Distinct().Count();
        return new(row.Envelope, row.Class, row.Urgency, row.Code, row.HeldAt, row.Until, [.. ReleaseHeld.HeaderOf(row).Recipients.Where(r => r.Role is "to" or "cc").Select(r => r.Office)],
            release?.Persons ?? 0, release?.Roles ?? [], Math.Max(0, (release?.Persons ?? 0) - counting), words);

        WordAnswer Word(string act, Digest person, long time) => new(act, person, persons.FirstOrDefault(p => p.Certificate.Key == person)?.Roles ?? [], time);
    }
}
