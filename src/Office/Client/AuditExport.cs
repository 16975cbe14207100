using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;

namespace Exchange.Office.Client;

/// <summary>
/// The ledger as files, all of one published size (docs/ledger.md, "An export"), in memory that does not grow with it. Each file is whole and durable, or not there; "checkpoint" comes last, so that
/// an export that broke off is seen to be none, and the next run of the same goes on where it stopped. A shard (<see cref="LedgerPins.Shard"/>) has what one ledger logged, and what leads from there to its root.
/// </summary>
sealed class AuditExport(AuditApi api, LedgerPins pins, string root)
{
    const string Head = "exporting";
    readonly Lock folders = new();
    // Of 256 entries each at their longest: less than the client takes in one answer.
    const int BundlesAtOnce = 12, AtOnce = 4;

    /// <summary>Whether this folder may be exported into: empty, absent, or one whose export broke off.</summary>
    public static bool IsFree(string folder) => !Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any() || File.Exists(Path.Combine(folder, Head));

    /// <returns>The head that the export is of.</returns>
    /// <param name="progress">Entries whose files are there.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>: not a head of this ledger; <see cref="Refusal.Proof"/>: a bundle of another form; the gateway's refusals.</exception>
    public async Task<Checkpoint> RunAsync(IProgress<long>? progress, CancellationToken cancel)
    {
        DurableFile.CreateFolder(root);
        DurableFile.Sweep(root);
        // What these say is believed by nobody: whoever checks the export finds the entry in it.
        var follows = await api.Gateway.SuccessionAsync(cancel).ConfigureAwait(false) is { } begun && EntryDetails.Read(begun.Entry.Detail) is SuccessionDetail succession ? succession.Follows : [];
        // 1. One head for all files. A crash after it: the next run goes on with this one, whatever was logged since.
        var note = File.Exists(At(Head)) ? File.ReadAllBytes(At(Head)) : await HeadAsync(follows, cancel).ConfigureAwait(false);
        var head = Checkpoint.OpenBoth(note, pins.Keys, pins.Shard ?? pins.Origin);
        if (!File.Exists(At(Head))) DurableFile.Write(At(Head), note);
        if (follows.Any(e => e.Origin == head.Origin))
        {
            await EndedAsync(head, cancel).ConfigureAwait(false);
            follows = [.. follows.SkipWhile(e => e.Origin != head.Origin).Skip(1)];
        }
        var first = pins.Shard is not null && follows is [var last, ..] ? last.Common / Tiles.Width : 0;
        // 2. The heads before it, and their time-stamps. Of ledgers that ended those that are beginnings of the tree; of a shard only the one by which it is chained.
        await KeepHeadsAsync(head.Origin, 0, head.Size, cancel).ConfigureAwait(false);
        foreach (var ended in follows.Take(pins.Shard is null ? follows.Length : 1).Where(e => e.Common > 0)) await KeepHeadsAsync(ended.Origin, pins.Shard is null ? 0 : ended.Common - 1, ended.Common, cancel).ConfigureAwait(false);
        // 3. Hashes and entries, as they are.
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel };
        await Parallel.ForEachAsync(Tree(first, head.Size).Where(t => !File.Exists(At(t.ToString()))), options, async (tile, stop) => Write(tile.ToString(), await api.TileAsync(tile, stop).ConfigureAwait(false))).ConfigureAwait(false);
        // 4. What may be seen of them.
        await DetailsAsync(first, head.Size, progress, cancel).ConfigureAwait(false);
        // 5. Now it is an export.
        Write(LedgerCheck.Newest, note);
        DurableFile.Delete(At(Head));
        return head;
    }

    // Of a ledger that ended the newest head that is a beginning of the tree: of one that ended with its year the last.
    async Task<byte[]> HeadAsync(IReadOnlyList<EndedLedger> follows, CancellationToken cancel) =>
        pins.Shard is null || pins.Shard == pins.Origin ? await api.CheckpointAsync(cancel).ConfigureAwait(false)
        : follows.FirstOrDefault(e => e.Origin == pins.Shard) is not { } ended ? throw new RefusedException(Refusal.NotFound, $"no ledger {pins.Shard} that {pins.Origin} follows")
        : (await api.CheckpointsAsync(ended.Origin, Math.Max(ended.Common - 1, 0), cancel).ConfigureAwait(false)).FirstOrDefault(n => n.Size == ended.Common) is { } kept ? Encoding.UTF8.GetBytes(kept.Note)
        : throw new RefusedException(Refusal.NotFound, $"nothing of {ended.Origin} is in the ledger that follows");

    async Task EndedAsync(Checkpoint head, CancellationToken cancel)
    {
        var note = await api.CheckpointAsync(cancel).ConfigureAwait(false);
        var newest = Checkpoint.OpenBoth(note, pins.Keys, pins.Origin);
        var followed = await FollowSuccession.RunAsync(api.Gateway, head, newest, Encoding.UTF8.GetString(note), cancel).ConfigureAwait(false);
        Write(LedgerCheck.Ended, Encoding.UTF8.GetBytes((followed.Proof ?? throw new RefusedException(Refusal.Fork, followed.Why)).Write()));
    }

    async Task KeepHeadsAsync(string origin, long after, long size, CancellationToken cancel)
    {
        for (; ; )
        {
            var notes = await api.CheckpointsAsync(origin, after, cancel).ConfigureAwait(false);
            foreach (var kept in notes.Where(n => n.Size <= size))
            {
                if (LedgerCheck.KeptPath(kept.Size) is var path && !File.Exists(At(path))) Write(path, Encoding.UTF8.GetBytes(kept.Note));
                if (kept.TimeStamped && LedgerCheck.StampPath(kept.Size) is var stamp && !File.Exists(At(stamp))) Write(stamp, await api.TimeStampAsync(origin, kept.Size, cancel).ConfigureAwait(false));
            }
            if (notes.Count == 0 || notes[^1].Size >= size) return;
            if (notes[^1].Size <= after) throw new RefusedException(Refusal.Note, "kept heads out of order");
            after = notes[^1].Size;
        }
    }

    // Of the levels above all: there are few, and nothing leads to the root without them.
    static IEnumerable<TilePath> Tree(long first, long size)
    {
        for (var level = 0; level < Tiles.Levels; level++)
            for (var index = level == 0 ? first : 0; Tiles.WidthAt(level, index, size) is > 0 and var width; index++)
            {
                yield return new TilePath(level, index, width);
                if (level == 0) yield return new TilePath(TilePath.Entries, index, width);
            }
    }

    async Task DetailsAsync(long from, long size, IProgress<long>? progress, CancellationToken cancel)
    {
        var bundles = (size + Tiles.Width - 1) / Tiles.Width;
        TilePath Of(long bundle) => new(TilePath.Entries, bundle, Tiles.WidthAt(0, bundle, size));
        for (var first = from; first < bundles;)
        {
            var count = (int)Math.Min(BundlesAtOnce, bundles - first);
            if (Enumerable.Range(0, count).Any(i => !File.Exists(At(DetailBundle.PathOf(Of(first + i))))))
            {
                ReadOnlyMemory<byte> bytes = await api.DetailsAsync(size, first, count, cancel).ConfigureAwait(false);
                for (var i = 0; i < count; i++)
                {
                    var bundle = Of(first + i);
                    var length = Lines(bytes.Span, bundle.Width);
                    DetailBundle.Read(bytes[..length], bundle.Width);
                    Write(DetailBundle.PathOf(bundle), bytes[..length].Span);
                    bytes = bytes[length..];
                }
                if (!bytes.IsEmpty) throw new RefusedException(Refusal.Proof, "more details than entries");
            }
            first += count;
            progress?.Report(Math.Min(first * Tiles.Width, size));
        }
    }

    // Length of so many lines.
    static int Lines(ReadOnlySpan<byte> bytes, int count)
    {
        var length = 0;
        for (var i = 0; i < count; i++)
        {
            if (bytes[length..].IndexOf((byte)'\n') is not (>= 0 and var end)) throw new RefusedException(Refusal.Proof, string.Create(CultureInfo.InvariantCulture, $"details end after {i} of {count} lines"));
            length += end + 1;
        }
        return length;
    }

    void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var full = At(path);
        if (Path.GetDirectoryName(full) is { } folder && !Directory.Exists(folder)) lock (folders) DurableFile.CreateFolder(folder);
        DurableFile.Write(full, bytes);
    }

    string At(string path) => Path.Combine(root, path);
}
