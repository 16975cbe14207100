using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Offices;

namespace Exchange.Gateway.Audit;

sealed record InclusionAnswer(long Index, long Size, IReadOnlyList<Digest> Proof);
sealed record ConsistencyAnswer(IReadOnlyList<Digest> Proof);
/// <param name="TimeStamped">There is a token at …/{size}/timestamp.</param>
sealed record KeptAnswer(long Size, string Note, bool TimeStamped);
sealed record SuccessionAnswer(long Index, Digest Salt, string Detail);
sealed record CheckpointsAnswer(IReadOnlyList<KeptAnswer> Checkpoints);

/// <summary>The ledger as C2SP tlog-tiles shows it, and proofs for those who do not want to read tiles. Every signed-in office and every auditor may read all of it: entries are 32 opaque bytes.</summary>
static class LedgerEndpoint
{
    const int MaxNotes = 1000;
    // A tile never changes once it is there; a checkpoint is new every few seconds.
    const string Immutable = "private, max-age=31536000, immutable";

    public static void Map(IEndpointRouteBuilder app, LedgerReader ledger)
    {
        var routes = app.MapGroup("").WithMetadata(OpenTo.Both);
        routes.MapGet("/ledger/checkpoint", () =>
            Answers.Bytes(Encoding.UTF8.GetBytes((ledger.Newest ?? throw new RefusedException(Refusal.NotFound)).Note), "text/plain; charset=utf-8", "no-cache"));

        // Heads that were published before: cosignatures may still come, so they are asked for again.
        routes.MapGet("/ledger/checkpoints", (HttpContext context) =>
        {
            var limit = Answers.Number(context, "limit", MaxNotes, MaxNotes);
            var notes = (ledger.Notes is { } kept ? kept.After(Size(context, "after") ?? 0, limit, Origin(context)) : []) ?? throw new RefusedException(Refusal.NotFound);
            var stamped = notes.Count > 0 ? ledger.Notes!.Stamped(notes[0].Size - 1, notes[^1].Size, Origin(context)).ToHashSet() : [];
            return Answers.Json(new CheckpointsAnswer([.. notes.Select(n => new KeptAnswer(n.Size, n.Note, stamped.Contains(n.Size)))]), AnswerJson.Shared.CheckpointsAnswer);
        });

        routes.MapGet("/ledger/checkpoints/{size}", (HttpContext context, string size) =>
            Answers.Bytes(Encoding.UTF8.GetBytes((long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? ledger.Notes?.Of(number, Origin(context)) : null)?.Note ?? throw new RefusedException(Refusal.NotFound)),
                "text/plain; charset=utf-8", "no-cache"));

        // A token (RFC 3161) over the text of the head of this size; there is one for some heads only.
        routes.MapGet("/ledger/checkpoints/{size}/timestamp", (HttpContext context, string size) =>
            Answers.Bytes((long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? ledger.Notes?.StampOf(number, Origin(context)) : null) ?? throw new RefusedException(Refusal.NotFound), Answers.CmsType, Immutable));

        // For everybody: it tells of no dispatch, and whoever kept a head of the ledger before cannot go on without it.
        routes.MapGet("/ledger/succession", () => ledger.Succession is { } begun
            ? Answers.Json(new SuccessionAnswer(begun.Place, new Digest(begun.Salt), Encoding.UTF8.GetString(begun.Detail)), AnswerJson.Shared.SuccessionAnswer) : throw new RefusedException(Refusal.NotFound));

        routes.MapGet("/ledger/tile/{**rest}", (string rest) =>
        {
            if (!TilePath.TryParse($"tile/{rest}", out var tile)) throw new RefusedException(Refusal.NotFound);
            var bytes = tile.Level == TilePath.Entries ? ledger.EntryBundle(tile.Index, tile.Width) : ledger.Tile(tile.Level, tile.Index, tile.Width);
            return Answers.Bytes(bytes ?? throw new RefusedException(Refusal.NotFound), "application/octet-stream", Immutable);
        });

        routes.MapGet("/ledger/inclusion", (HttpContext context) =>
        {
            if (!Digest.TryParse(context.Request.Query["leaf"], out var leaf)) throw new RefusedException(Refusal.Request, "leaf");
            var proof = ledger.Inclusion(leaf, Size(context, "size")) ?? throw new RefusedException(Refusal.NotFound);
            return Answers.Json(new InclusionAnswer(proof.Index, proof.Size, proof.Proof), AnswerJson.Shared.InclusionAnswer);
        });

        routes.MapGet("/ledger/consistency", (HttpContext context) =>
        {
            if (Size(context, "from") is not { } from || Size(context, "to") is not { } to) throw new RefusedException(Refusal.Request, "from, to");
            return Answers.Json(new ConsistencyAnswer(ledger.Consistency(from, to) ?? throw new RefusedException(Refusal.NotFound)), AnswerJson.Shared.ConsistencyAnswer);
        });
    }

    static string? Origin(HttpContext context) => context.Request.Query["origin"] switch
    {
        [] => null,
        [{ Length: > 0 } text] => text,
        _ => throw new RefusedException(Refusal.Request, "origin"),
    };

    static long? Size(HttpContext context, string name) => context.Request.Query[name] switch
    {
        [] => null,
        [{ } text] when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size) => size,
        _ => throw new RefusedException(Refusal.Request, name),
    };
}
