using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>An entry of the ledger as stored. Never changed, never deleted.</summary>
internal sealed record EntryRow
{
    /// <summary>Index in the tree, from 0, without gaps.</summary>
    public required long Seq { get; init; }
    /// <summary>The 32 bytes logged.</summary>
    public required Digest Hash { get; init; }
    public required Digest Leaf { get; init; }
    public required EntryKind Kind { get; init; }
    public required Guid? Subject { get; init; }
    /// <summary>b.Now of its batch.</summary>
    public required long Time { get; init; }
}

/// <summary>Salt and detail, kept apart from the entry: shown by clearance, erased by <see cref="ErasureTable"/>.</summary>
internal sealed record EntrySecret
{
    public required long Seq { get; init; }
    public required byte[] Salt { get; init; }
    public required byte[] Detail { get; init; }
}

internal static class EntryTable
{
    internal static readonly RowShape<EntryRow> Shape = new("entry", ["seq", "hash", "leaf", "kind", "subject", "time"],
        e => [e.Seq, e.Hash, e.Leaf, e.Kind, e.Subject, e.Time]);
    internal static readonly RowShape<EntrySecret> SecretShape = new("entry_secret", ["seq", "salt", "detail"], s => [s.Seq, s.Salt, s.Detail]);
    const string Columns = "seq, hash, leaf, kind, subject, time";

    public static EntryRow? Find(Source source, Digest leaf) => source.One<EntryRow>($"SELECT {Columns} FROM entry WHERE leaf = @leaf", new { leaf });

    /// <summary>null: there is no such entry yet.</summary>
    public static long? TimeOf(Source source, long seq) => source.One<long?>("SELECT time FROM entry WHERE seq = @seq", new { seq });

    /// <summary>Row that it is about; null: none, or no such entry.</summary>
    public static Guid? SubjectOf(Source source, long seq) => source.One<Guid?>("SELECT subject FROM entry WHERE seq = @seq", new { seq });

    /// <summary>null: erased, or no such entry.</summary>
    public static EntrySecret? Secret(Source source, long seq) => source.One<EntrySecret>($"SELECT seq, salt, detail FROM entry_secret WHERE seq = @seq AND salt <> {ErasureTable.Gone}", new { seq });

    /// <summary>Details in which these bytes stand, in order. Looks at every one: for a person who asks.</summary>
    public static IReadOnlyList<EntrySecret> Naming(Source source, byte[] bytes) =>
        source.Query<EntrySecret>("SELECT seq, salt, detail FROM entry_secret WHERE instr(detail, @bytes) > 0 ORDER BY seq", new { bytes });

    /// <summary>The 32 bytes of up to <paramref name="count"/> entries from <paramref name="first"/>.</summary>
    public static IReadOnlyList<Digest> Hashes(Source source, long first, int count) =>
        source.Query<Digest>("SELECT hash FROM entry WHERE seq >= @first AND seq < @end ORDER BY seq", new { first, end = first + count });

    /// <summary>Leaf of the entry of this place; null: there is none.</summary>
    public static Digest? LeafAt(Source source, long seq) => source.One<Digest?>("SELECT leaf FROM entry WHERE seq = @seq", new { seq });

    /// <summary>The first place whose entry is not earlier than this time; how many there are when all are. Times rise with the places.</summary>
    public static long PlaceOf(Source source, long time, long size)
    {
        long low = 0, high = size;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (TimeOf(source, middle) >= time) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    /// <summary>Entries with their secrets where not erased, from this place on.</summary>
    public static IReadOnlyList<(EntryRow Entry, EntrySecret? Secret)> Range(Source source, long from, int count) => Opened(source.Query<WalkedEntry>(
        $"SELECT {Joined} WHERE e.seq >= @from AND e.seq < @end ORDER BY e.seq", new { from, end = from + count }));

    /// <summary>The entries of these places, in order, with their secrets where not erased.</summary>
    public static IReadOnlyList<(EntryRow Entry, EntrySecret? Secret)> At(Source source, IReadOnlyCollection<long> places) => Opened(source.Query<WalkedEntry>(
        $"SELECT {Joined} WHERE e.seq IN @places ORDER BY e.seq", new { places }));

    static List<(EntryRow, EntrySecret?)> Opened(IEnumerable<WalkedEntry> walked) =>
        [.. walked.Select(w => (w.Row(), w.Salt is null || w.Detail is null ? null : new EntrySecret { Seq = w.Seq, Salt = w.Salt, Detail = w.Detail }))];

    const string Joined = $"e.seq, e.hash, e.leaf, e.kind, e.subject, e.time, s.salt, s.detail FROM entry e LEFT JOIN entry_secret s ON s.seq = e.seq AND s.salt <> {ErasureTable.Gone}";

    /// <summary>Every entry with its secret where not erased, for the check.</summary>
    public static IEnumerable<(EntryRow Entry, EntrySecret? Secret)> Walk(Source source) =>
        source.Walk<WalkedEntry>($"SELECT {Joined} ORDER BY e.seq")
            .Select(w => (w.Row(), w.Salt is null || w.Detail is null ? null : new EntrySecret { Seq = w.Seq, Salt = w.Salt, Detail = w.Detail }));

    /// <summary>Secrets that belong to nothing, for the check.</summary>
    public static IReadOnlyList<long> SecretsWithoutEntry(Source source) =>
        source.Query<long>("SELECT seq FROM entry_secret s WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.seq = s.seq)");

    sealed record WalkedEntry
    {
        public required long Seq { get; init; }
        public required Digest Hash { get; init; }
        public required Digest Leaf { get; init; }
        public required EntryKind Kind { get; init; }
        public required Guid? Subject { get; init; }
        public required long Time { get; init; }
        public required byte[]? Salt { get; init; }
        public required byte[]? Detail { get; init; }

        public EntryRow Row() => new() { Seq = Seq, Hash = Hash, Leaf = Leaf, Kind = Kind, Subject = Subject, Time = Time };
    }
}
