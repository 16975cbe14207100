using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;

namespace Exchange.Gateway.Holding;

sealed record HeldListAnswer(IReadOnlyList<HeldAnswer> Held);

/// <param name="Id">Header id.</param>
/// <param name="Level">Class number of the label.</param>
/// <param name="Code">What it waits for, as things are now.</param>
/// <param name="Until">When waiting becomes a no, Unix milliseconds.</param>
/// <param name="Needs">Words of persons that it waits for.</param>
sealed record HeldAnswer(Guid Id, int Level, int Urgency, string Code, long HeldAt, long Until, IReadOnlyList<string> To, IReadOnlyList<NeedAnswer> Needs, IReadOnlyList<WordAnswer> Approvals);

/// <param name="Act">"release", or "carries-nothing" where what it answers is of a higher level.</param>
/// <param name="Persons">So many distinct persons.</param>
/// <param name="Roles">Each in one of these roles; none: in any.</param>
/// <param name="Missing">How many of them are still to come.</param>
sealed record NeedAnswer(string Act, int Persons, IReadOnlyList<string> Roles, int Missing);

/// <param name="Person">Key: SHA-256 of the certificate.</param>
/// <param name="Roles">His, in the card of now; empty: no person of the office any more, so his word does not count.</param>
sealed record WordAnswer(string Act, Digest Person, IReadOnlyList<string> Roles, long Time);

/// <summary>What of one's own is held, and letting it go.</summary>
static class HoldingEndpoint
{
    public static void Map(IEndpointRouteBuilder routes, ApproveHeld approve, ReleaseHeld release, IEngine engine, Worlds worlds, Options options)
    {
        routes.MapGet("/held", async (HttpContext context) =>
        {
            var limit = Answers.Number(context, "limit", (int)options.Limits.PageSize, (int)options.Limits.PageSize);
            List<(HeldRow, IReadOnlyList<HeldApprovalRow>)> found;
            using (var reader = engine.Reader())
                found = [.. HeldTable.Waiting(reader, SignIn.Office(context), Answers.AfterId(context), limit).Select(row => (row, HeldTable.Approvals(reader, row.Id)))];
            var answers = new List<HeldAnswer>();
            foreach (var (row, said) in found) answers.Add(await Of(row, said, worlds.Current, await release.DecisionNow(row, said)));
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
            if (DispatchTable.Read(reader, office, envelope)?.Header is { } header) return Answers.Cms(header);
            var held = HeldTable.Find(reader, office, envelope) ?? throw new RefusedException(Refusal.NotFound);
            return held.ErasedAt is null ? Answers.Cms(held.Header) : throw ErasureTable.Refused();
        });
    }

    static async Task<HeldAnswer> Of(HeldRow row, IReadOnlyList<HeldApprovalRow> said, World world, Decision? now)
    {
        var persons = world.Directory.Find(row.Sender)?.Persons ?? [];
        var parts = await StoredEnvelope.Read(row.Header, row.Approvals, row.Manifest);
        List<WordAnswer> words = [.. parts.Approvals.Select(a => Statement.Read(a, StatementType.Approval)).Where(s => s.As<Approval>().Act != ApprovalAct.Send)
            .Select(s => Word(s.As<Approval>().Act, s.Signers[0].Key, s.SigningTimes[0].ToUnixTimeMilliseconds())), .. said.Select(a => Word(a.Act, a.Person, a.Time))];
        List<NeedAnswer> needs = [];
        if (world.Policy.Level(row.Class)?.Handling.Release is { Persons: > 0 } release) needs.Add(Need(ApprovalAct.Release, release.Persons, release.Roles));
        if (now?.Trace.Any(r => r is { Rule: "R12", Outcome: Verdict.Hold }) ?? false) needs.Add(Need(ApprovalAct.CarriesNothing, 2, []));
        return new(row.Envelope, row.Class, row.Urgency, now is { Verdict: Verdict.Hold } ? now.ForSender?.Code ?? row.Code : row.Code, row.HeldAt, row.Until,
            [.. ReleaseHeld.HeaderOf(row).Recipients.Where(r => r.Role is "to" or "cc").Select(r => r.Office)], needs, words);

        NeedAnswer Need(string act, int of, string[] roles) =>
            new(act, of, roles, Math.Max(0, of - words.Where(w => w.Act == act && w.Roles.Any(r => roles.Length == 0 || roles.Contains(r))).Select(w => w.Person).Distinct().Count()));

        WordAnswer Word(string act, Digest person, long time) => new(act, person, persons.FirstOrDefault(p => p.Certificate.Key == person)?.Roles ?? [], time);
    }
}
