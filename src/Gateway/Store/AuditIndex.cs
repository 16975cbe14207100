using System.Collections.Concurrent;
using Dapper;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Microsoft.Data.Sqlite;

namespace Exchange.Gateway.Store;

/// <summary>One entry as it can be searched for.</summary>
internal sealed record AboutRow
{
    public required long Seq { get; init; }
    /// <summary>Row of the labels that a clearance must cover; see <see cref="AuditIndex"/>.</summary>
    public required long Audience { get; init; }
    public required EntryKind Kind { get; init; }
    /// <summary>0 deny, 1 hold, 2 permit; null: nothing was decided.</summary>
    public required long? Verdict { get; init; }
    public required string? Sender { get; init; }
    public required string? Office { get; init; }
    public required Guid? Envelope { get; init; }
    /// <summary>First 8 bytes of the certificate's key; null: it names none.</summary>
    public required long? Key { get; init; }
    /// <summary>Unix milliseconds.</summary>
    public required long Time { get; init; }
    /// <summary>Entry that says that salt and detail are gone; null: they are there.</summary>
    public long? Erased { get; init; }
}

internal sealed record TallyRow
{
    /// <summary>Days since 1970, UTC.</summary>
    public required long Day { get; init; }
    /// <summary>Empty: about no office.</summary>
    public required string Office { get; init; }
    public required EntryKind Kind { get; init; }
    public required long Audience { get; init; }
    public required long N { get; init; }
}

/// <summary>What one step of filling changes, in one transaction with how far it came.</summary>
/// <param name="Size">Entries indexed then.</param>
/// <param name="Last">Leaf of the last of them: random, so the store that has it there is the one that this was made from.</param>
/// <param name="Moved">Entries of this sender's envelope are for another audience from now on, but for those of these kinds.</param>
/// <param name="Erased">Entry → the entry that says so.</param>
internal sealed record IndexStep(long Size, Digest Last, IReadOnlyList<AboutRow> Rows, IReadOnlyList<(string Sender, Guid Envelope, long Audience)> Moved, IReadOnlyList<(long Entry, long By)> Erased);

/// <summary>
/// What auditors search in, in a file of its own beside the store: made from the store's entries after their commit, so that appending pays nothing for it. It holds no truth: salt and detail
/// are read from the store each time, and a file that is missing, broken or another store's is made anew. An entry belongs to an audience, the label that protects it now; <see cref="Everybody"/> and
/// <see cref="Top"/> have none.
/// </summary>
internal sealed class AuditIndex : IDisposable
{
    /// <summary>About no dispatch: the lowest level suffices.</summary>
    public const long Everybody = 1;
    /// <summary>Only for who may see everything: dummies, what auditors looked at, and what no label is known of.</summary>
    public const long Top = 2;
    const string Columns = "seq, audience, kind, verdict, sender, office, envelope, key, time, erased";

    readonly string file;
    readonly SqliteConnection writer;
    readonly WriteAheadLog log;
    readonly ConcurrentBag<SqliteConnection> idle = [];
    // Labels are few, and an audience stays.
    readonly Dictionary<string, long> audiences = new(StringComparer.Ordinal);

    static AuditIndex() => ColumnTypes.Register();

    AuditIndex(string file, SqliteConnection writer) => (this.file, this.writer, log) = (file, writer, new WriteAheadLog(writer));

    /// <param name="leafAt">Leaf of the store's entry of that place; null: it has none.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Full"/>, <see cref="Refusal.Busy"/>: it cannot be written now.</exception>
    public static AuditIndex Open(string file, Func<long, Digest?> leafAt) => Written(() =>
    {
        DurableFile.CreateFolder(Path.GetDirectoryName(file)!);
        if (TryOpen(file) is { } index)
        {
            if (index.Built() is { Version: AuditIndexSchema.Version } built && (built.Size == 0 || leafAt(built.Size - 1) == built.Last)) return index;
            index.Dispose();
        }
        foreach (var part in new[] { file, file + "-wal", file + "-shm" }) File.Delete(part);
        var writer = SqliteSettings.OpenWriter(file, derived: true);
        AuditIndexSchema.Create(writer);
        // Last: a crash before leaves a file without this row, which the next start makes anew.
        writer.Execute("INSERT INTO built VALUES (1, @Version, 0, @none)", new { AuditIndexSchema.Version, none = default(Digest) });
        return new AuditIndex(file, writer);
    });

    // It is not the store: when it fails, nobody may search, and nothing else stops.
    static T Written<T>(Func<T> write)
    {
        try { return write(); }
        catch (SqliteException e) { throw new RefusedException(e.SqliteErrorCode == SQLitePCL.raw.SQLITE_FULL ? Refusal.Full : Refusal.Busy, "the audit index cannot be written"); }
    }

    static AuditIndex? TryOpen(string file)
    {
        if (!File.Exists(file)) return null;
        try { return new AuditIndex(file, SqliteSettings.OpenWriter(file, derived: true)); }
        catch (SqliteException) { return null; }
    }

    sealed record BuiltRow
    {
        public required long Version { get; init; }
        public required long Size { get; init; }
        public required Digest Last { get; init; }
    }

    BuiltRow? Built()
    {
        try { return writer.QuerySingleOrDefault<BuiltRow>("SELECT version, size, last FROM built"); }
        catch (SqliteException) { return null; }
    }

    /// <summary>Entries that are in it.</summary>
    public long Size => Read(c => c.QuerySingle<long>("SELECT size FROM built"));

    /// <summary>Every audience with a label, as it was written.</summary>
    public IReadOnlyList<(long Id, string Label)> Audiences() => Read(c => c.Query<(long, string)>("SELECT id, label FROM audience WHERE id > @Top ORDER BY id", new { Top }).AsList());

    /// <summary>Row of this label's text, made when it is new. One caller at a time, as <see cref="Add"/>.</summary>
    public long Audience(string label) => audiences.TryGetValue(label, out var known) ? known : audiences[label] = Written(() =>
    {
        writer.Execute("INSERT INTO audience (label) VALUES (@label) ON CONFLICT DO NOTHING", new { label });
        return writer.QuerySingle<long>("SELECT id FROM audience WHERE label = @label", new { label });
    });

    /// <summary>One caller at a time. A crash in it: nothing of the step is there, and it is made again.</summary>
    public void Add(IndexStep step) => Written(() =>
    {
        using (var transaction = writer.BeginTransaction())
        {
            var counted = new Dictionary<(long, string, EntryKind, long), long>();
            foreach (var row in step.Rows)
            {
                writer.Execute($"INSERT INTO about ({Columns}) VALUES (@Seq, @Audience, @Kind, @Verdict, @Sender, @Office, @Envelope, @Key, @Time, @Erased)", row, transaction);
                Count(counted, row, 1);
            }
            foreach (var (sender, envelope, audience) in step.Moved)
            {
                // A refusal is about what was refused, whatever became of another envelope of this name.
                const string which = "envelope = @envelope AND sender = @sender AND audience NOT IN (@Top, @audience) AND erased IS NULL AND kind <> @Rejection";
                var args = new { sender, envelope, audience, Top, EntryKind.Rejection };
                foreach (var row in writer.Query<AboutRow>($"SELECT {Columns} FROM about WHERE {which}", args, transaction))
                {
                    Count(counted, row, -1);
                    Count(counted, row with { Audience = audience }, 1);
                }
                writer.Execute($"UPDATE about SET audience = @audience WHERE {which}", args, transaction);
            }
            foreach (var (entry, by) in step.Erased)
            {
                if (writer.QuerySingleOrDefault<AboutRow>($"SELECT {Columns} FROM about WHERE seq = @entry", new { entry }, transaction) is not { } row) continue;
                var gone = row with { Audience = Top, Sender = null, Office = null };
                Count(counted, row, -1);
                Count(counted, gone, 1);
                writer.Execute("UPDATE about SET audience = @Top, verdict = NULL, sender = NULL, office = NULL, envelope = NULL, key = NULL, erased = @by WHERE seq = @entry", new { Top, entry, by }, transaction);
            }
            foreach (var ((day, office, kind, audience), n) in counted)
            {
                var place = new { day, office, kind, audience, n };
                writer.Execute("INSERT INTO tally VALUES (@day, @office, @kind, @audience, @n) ON CONFLICT DO UPDATE SET n = n + excluded.n", place, transaction);
                // That there was one on that day is told by no row either.
                if (n < 0) writer.Execute("DELETE FROM tally WHERE day = @day AND office = @office AND kind = @kind AND audience = @audience AND n = 0", place, transaction);
            }
            writer.Execute("UPDATE built SET size = @Size, last = @Last", step, transaction);
            transaction.Commit();
        }
        log.CarryOver();
        return step.Size;
    });

    /// <summary>As of the store: pages of before an erasure lie in the log until then. One caller at a time, as <see cref="Add"/>. False: somebody searches; ask again.</summary>
    public bool TryEmptyLog() => Written(log.TryEmpty);

    static void Count(Dictionary<(long, string, EntryKind, long), long> counted, AboutRow row, long by)
    {
        foreach (var office in new[] { row.Sender, row.Office }.OfType<string>().DefaultIfEmpty("").Distinct())
        {
            var place = (row.Time / 86_400_000, office, row.Kind, row.Audience);
            counted[place] = counted.GetValueOrDefault(place) + by;
        }
    }

    /// <summary>Rows of these audiences in [from, end), in order: every one that one index gives, up to <paramref name="limit"/>. No row of another audience is looked at.</summary>
    /// <param name="column">An indexed column and its value; null: all rows.</param>
    public IReadOnlyList<AboutRow> Find(IReadOnlyCollection<long> audiences, long from, long end, (string Column, object Value)? column, int limit) => Read(connection =>
    {
        var (where, index) = column is { } c ? ($"{c.Column} = @value AND ", $"about_{c.Column}") : ("", "about_seen");
        var sql = $"SELECT {Columns} FROM about INDEXED BY {index} WHERE {where}audience = @audience AND seq >= @from AND seq < @end ORDER BY seq LIMIT @limit";
        List<AboutRow> found = [];
        foreach (var audience in audiences)
        {
            found.AddRange(connection.Query<AboutRow>(sql, new { audience, from, end, limit, value = column?.Value is Guid id ? id.ToByteArray(bigEndian: true) : column?.Value }));
            // What lies behind the last that can count need not be read of the others.
            if (found.Count < limit) continue;
            found.Sort((a, b) => a.Seq.CompareTo(b.Seq));
            found.RemoveRange(limit, found.Count - limit);
            end = found[^1].Seq + 1;
        }
        found.Sort((a, b) => a.Seq.CompareTo(b.Seq));
        return found;
    });

    /// <summary>Every entry in [from, end), of any audience: for a bundle, which says for each whether it is shown.</summary>
    public IReadOnlyList<AboutRow> All(long from, long end) => Read(c => c.Query<AboutRow>($"SELECT {Columns} FROM about WHERE seq >= @from AND seq < @end ORDER BY seq", new { from, end }).AsList());

    /// <summary>Counts of these audiences from one day to another, both included, by day and office: of the first so many entries, whatever was logged since.</summary>
    public IReadOnlyList<TallyRow> Tally(IReadOnlyCollection<long> audiences, long first, long last, long size) => Read(connection =>
    {
        // One view of both: between them more may be filled in.
        using var view = connection.BeginTransaction(deferred: true);
        var rows = connection.Query<TallyRow>("SELECT day, office, kind, audience, n FROM tally WHERE day >= @first AND day <= @last AND audience IN @audiences AND n > 0 ORDER BY day, office, kind", new { first, last, audiences }, view);
        var later = new Dictionary<(long, string, EntryKind, long), long>();
        foreach (var audience in audiences)
            foreach (var row in connection.Query<AboutRow>($"SELECT {Columns} FROM about INDEXED BY about_seen WHERE audience = @audience AND seq >= @size", new { audience, size }, view)) Count(later, row, 1);
        return rows.Select(r => r with { N = r.N - later.GetValueOrDefault((r.Day, r.Office, r.Kind, r.Audience)) }).Where(r => r.N > 0).ToList();
    });

    T Read<T>(Func<SqliteConnection, T> read)
    {
        if (!idle.TryTake(out var connection)) connection = SqliteSettings.OpenReader(file);
        try { return read(connection); }
        finally { idle.Add(connection); }
    }

    public void Dispose()
    {
        while (idle.TryTake(out var reader)) reader.Dispose();
        writer.Dispose();
    }
}
