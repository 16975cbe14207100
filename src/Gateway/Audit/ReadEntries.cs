using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Audit;

/// <param name="At">Size of the tree: with it and <paramref name="Next"/> the next page is of the same list, however much was logged meanwhile.</param>
/// <param name="Next">null: that was all.</param>
sealed record EntriesAnswer(long At, IReadOnlyList<EntryAnswer> Entries, string? Next);

/// <param name="Level">Class number of the label that protects it now; null: it is about no dispatch.</param>
/// <param name="Salt">32 bytes, base64url; null: erased.</param>
/// <param name="Detail">RFC 8785 JSON, base64url; null: erased.</param>
/// <param name="Erased">Index of the entry that says so, once the tree of that size has it.</param>
/// <param name="Proof">Inclusion in the tree of that size, from the leaf up; null: not asked for.</param>
sealed record EntryAnswer(long Index, long Time, string Kind, int? Level, Digest Leaf, string? Salt, string? Detail, long? Erased, IReadOnlyList<Digest>? Proof);

/// <param name="Day">yyyy-mm-dd, UTC.</param>
/// <param name="Office">Empty: about no office.</param>
sealed record CountAnswer(string Day, string Office, string Kind, long Count);
sealed record CountsAnswer(IReadOnlyList<CountAnswer> Counts);

/// <summary>What auditors ask. Nothing is read that they are not cleared for, but by its place in a bundle, where it is withheld.</summary>
sealed class ReadEntries(Shared shared, FillIndex fill, AuditLooks looks)
{
    /// <summary>Entries on one page at most.</summary>
    public const int MaxPage = 500;
    /// <summary>Bundles of 256 in one answer at most.</summary>
    public const int MaxBundles = 64;
    const int MaxDays = 400, Chunk = 500, MaxLookedAt = 10_000, FillAtOnce = 20_000;

    /// <exception cref="RefusedException">NotFound: no head of that size was published; Request; Busy: the index is not as far yet.</exception>
    public async Task<EntriesAnswer> Page(StandingAuditor auditor, AuditQuery query)
    {
        looks.Demand(auditor);
        var size = Size(query.At);
        var sight = Sight(auditor);
        if (query.Level is { } code) sight = sight.OfLevel((shared.Worlds.Current.Policy.Level(code) ?? throw AuditQuery.Wrong("level")).Class);
        using var reader = shared.Engine.Reader();
        var from = Math.Max(query.Place(size, auditor.Key), query.From is { } begin ? EntryTable.PlaceOf(reader, begin, size) : 0);
        var end = query.To is { } stop ? EntryTable.PlaceOf(reader, stop, size) : size;
        var (found, next) = Collect(reader, sight, query, from, end);
        var answer = new EntriesAnswer(size, Show(reader, found, sight, size, query.Proofs), next is { } place ? query.Token(place, size, auditor.Key) : null);
        await looks.Record(auditor, query.Digest, size, answer.Entries.Count);
        return answer;
    }

    /// <summary>Details of these bundles, one after the other, each a line for every entry of it (docs/ledger.md).</summary>
    public async Task<byte[]> Bundles(StandingAuditor auditor, long? at, long first, int count, Digest query)
    {
        looks.Demand(auditor);
        var size = Size(at);
        if (first < 0 || count is < 1 or > MaxBundles || first > (size - 1) / Tiles.Width) throw AuditQuery.Wrong("first, count");
        var sight = Sight(auditor).Audiences.ToHashSet();
        using var reader = shared.Engine.Reader();
        using var bytes = new MemoryStream();
        long given = 0;
        for (var bundle = first; bundle < first + count && bundle * Tiles.Width < size; bundle++)
        {
            var (from, end) = (bundle * Tiles.Width, Math.Min((bundle + 1) * Tiles.Width, size));
            var about = fill.Index.All(from, end);
            var shown = EntryTable.At(reader, [.. about.Where(a => sight.Contains(a.Audience)).Select(a => a.Seq)]).ToDictionary(e => e.Entry.Seq);
            DetailLine[] lines = [.. about.Select(a => shown.TryGetValue(a.Seq, out var entry) ? Line(entry.Secret, a, size) : DetailLine.Withheld)];
            if (lines.Length != end - from) throw new RefusedException(Refusal.Busy, "index");
            given += lines.Count(l => l.State == DetailState.Open);
            bytes.Write(DetailBundle.Write(lines));
        }
        await looks.Record(auditor, query, size, given);
        return bytes.ToArray();
    }

    // An erasure that this tree does not hold yet cannot be named in it.
    static DetailLine Line(EntrySecret? secret, AboutRow about, long size) =>
        secret is not null ? DetailLine.Open(new LedgerEntry(secret.Salt, secret.Detail)) : about.Erased is { } by && by < size ? DetailLine.Erased(by) : DetailLine.Withheld;

    /// <summary>How many entries on each day, by office and kind: of those that he may see, up to the newest published head.</summary>
    public async Task<CountsAnswer> Counts(StandingAuditor auditor, AuditQuery query)
    {
        looks.Demand(auditor);
        if (query is not { Dispatch: null, Verdict: null, Level: null, Certificate: null, At: null, After: null, Proofs: false, Limit: MaxPage }) throw AuditQuery.Wrong("counts are of from, to, office and kind");
        var size = Size(null);
        const long day = 86_400_000;
        var last = ((query.To ?? shared.Clock.GetUtcNow().ToUnixTimeMilliseconds() + 1) - 1) / day;
        var first = query.From is { } from ? from / day : last - 30;
        if (last - first is < 0 or > MaxDays) throw AuditQuery.Wrong("from, to");
        var sight = Sight(auditor);
        var counts = fill.Index.Tally(sight.Audiences, first, last, size).Where(t => (query.Office is null || t.Office == query.Office) && (query.Kind is null || t.Kind == query.Kind))
            .GroupBy(t => (t.Day, t.Office, t.Kind))
            .Select(g => new CountAnswer(DateTimeOffset.FromUnixTimeMilliseconds(g.Key.Day * day).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), g.Key.Office, g.Key.Kind.Name(), g.Sum(t => t.N))).ToList();
        await looks.Record(auditor, query.Digest, size, counts.Count);
        return new CountsAnswer(counts);
    }

    long Size(long? at)
    {
        if (shared.Ledger.Newest is not { } newest) throw new RefusedException(Refusal.NotFound);
        if (at is not { } size || size == newest.Size) return newest.Size;
        return size < newest.Size && shared.Ledger.Notes?.IsBeginning(size) == true ? size : throw new RefusedException(Refusal.NotFound);
    }

    AuditSight Sight(StandingAuditor auditor)
    {
        if (!fill.Fill(FillAtOnce)) throw new RefusedException(Refusal.Busy, "index");
        return AuditSight.Of(auditor, fill.Index, shared.Worlds.Current, shared.Clock.GetUtcNow());
    }

    /// <returns>Rows, and where to go on; null: that was all. However few fit, it ends after so many that were looked at, every one of which he may see.</returns>
    (List<AboutRow> Found, long? Next) Collect(Source source, AuditSight sight, AuditQuery query, long from, long end)
    {
        List<AboutRow> found = [];
        for (var lookedAt = 0; from < end;)
        {
            var chunk = Candidates(sight, query, from, end);
            foreach (var row in chunk)
            {
                if (!Fits(source, query, row)) continue;
                if (found.Count == query.Limit) return (found, row.Seq);
                found.Add(row);
            }
            if (chunk.Count < Chunk) return (found, null);
            from = chunk[^1].Seq + 1;
            if ((lookedAt += chunk.Count) >= MaxLookedAt) return (found, from);
        }
        return (found, null);
    }

    // By the column of which there are fewest.
    IReadOnlyList<AboutRow> Candidates(AuditSight sight, AuditQuery query, long from, long end)
    {
        if (query.Dispatch is { } dispatch) return fill.Index.Find(sight.Audiences, from, end, ("envelope", dispatch), Chunk);
        if (query.Certificate is { } key) return fill.Index.Find(sight.Audiences, from, end, ("key", FillIndex.ShortKey(key)), Chunk);
        if (query.Verdict is { } verdict) return fill.Index.Find(sight.Audiences, from, end, ("verdict", (long)verdict), Chunk);
        if (query.Office is { } office)
            return [.. fill.Index.Find(sight.Audiences, from, end, ("sender", office), Chunk).Concat(fill.Index.Find(sight.Audiences, from, end, ("office", office), Chunk)).DistinctBy(r => r.Seq).OrderBy(r => r.Seq).Take(Chunk)];
        return fill.Index.Find(sight.Audiences, from, end, query.Kind is { } kind ? ("kind", (long)kind) : null, Chunk);
    }

    // The dispatch is asked of the index itself, before anything else.
    static bool Fits(Source source, AuditQuery query, AboutRow row) =>
        (query.Kind is null || row.Kind == query.Kind) && (query.Verdict is not { } verdict || row.Verdict == (long)verdict) && (query.Office is not { } office || row.Sender == office || row.Office == office)
        && (query.Certificate is not { } key || row.Key == FillIndex.ShortKey(key))
        && (!query.UnderWay || EntryTable.SubjectOf(source, row.Seq) is { } parcel && ParcelTable.IsUnderWay(source, parcel));

    static List<EntryAnswer> Show(Source source, List<AboutRow> found, AuditSight sight, long size, bool proofs)
    {
        var entries = EntryTable.At(source, [.. found.Select(r => r.Seq)]).ToDictionary(e => e.Entry.Seq);
        var (tiles, kept) = (TileTable.ReaderOf(source), new Dictionary<(int, long, int), ReadOnlyMemory<byte>>());
        // Neighbours share nearly all of their tiles.
        ReadOnlyMemory<byte> Tile(int level, long at, int width) => kept.TryGetValue((level, at, width), out var tile) ? tile : kept[(level, at, width)] = tiles(level, at, width);
        return [.. found.Select(row =>
        {
            var (entry, secret) = entries[row.Seq];
            return new EntryAnswer(row.Seq, row.Time, row.Kind.Name(), sight.Classes.TryGetValue(row.Audience, out var level) ? level : null, entry.Leaf,
                secret is null ? null : Answers.Base64(secret.Salt), secret is null ? null : Answers.Base64(secret.Detail), row.Erased is { } by && by < size ? by : null,
                proofs ? Tiles.InclusionProof(row.Seq, size, Tile) : null);
        })];
    }
}
