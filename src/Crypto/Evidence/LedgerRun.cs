using System.Globalization;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.TimeStamps;

namespace Exchange.Crypto.Evidence;

/// <summary>One check of one export: walks the tree from its root down and its leaves from left to right, and hands units of 256 tiles to other threads, a few at a time.</summary>
sealed class LedgerRun
{
    readonly ILedgerFiles files;
    readonly NoteCheck notes;
    readonly HeadNote newest;
    readonly Findings findings;
    readonly IProgress<long>? progress;
    readonly int threads;
    readonly long size;
    // Number of the first tile of entries that is here; C2SP's minimum index is its first entry.
    readonly long minimum;
    readonly bool hasDetails;
    readonly TileCheck tiles;
    readonly Queue<Task<UnitResult>> running = new();
    readonly IEnumerator<KeptNote> kept;
    bool more;
    CancellationToken stop;
    SubtreeEdge? edge = new();
    DetailCounts details;
    long entries, heads, unlisted;
    FindingKind unlistedWorst;
    readonly List<(HeadNote Head, bool Continues)> former = [];
    readonly List<SuccessionDetail> successions = [];
    // The newest head of each ledger that ended, of those that are beginnings of this one.
    readonly Dictionary<string, Checkpoint> beginnings = [];

    public LedgerRun(ILedgerFiles files, NoteCheck notes, HeadNote newest, Findings findings, IProgress<long>? progress, int threads)
    {
        (this.files, this.notes, this.newest, this.findings, this.progress, this.threads) = (files, notes, newest, findings, progress, threads);
        size = newest.Checkpoint.Size;
        tiles = new TileCheck(files, Report);
        minimum = Math.Min(new[] { "tile/0", "tile/entries", LedgerCheck.Details }.Min(f => NumberedFiles.Walk(files, f, _ => { }).Where(n => !n.IsPartial || files.List(n.Path).Any()).Select(n => (long?)n.Index).FirstOrDefault()) ?? 0, size / Tiles.Width);
        hasDetails = files.List(LedgerCheck.Details).Any();
        kept = AllNotes().GetEnumerator();
    }

    public void All(CancellationToken cancel)
    {
        stop = cancel;
        more = kept.MoveNext();
        Empty();
        TilePath[] last = [.. Enumerable.Range(0, Tiles.Levels).Reverse().Select(Last).Where(p => p.Width > 0)];
        if (size > 0)
        {
            // Its unit will say what is wrong with this bundle.
            var lowest = last is [.., { Level: 0 } partial] ? new TileCheck(files, _ => { }).Entries(partial)?.Select(LedgerEntry.LeafOf).ToArray() : null;
            var known = tiles.ResolveEdge(last, newest.Checkpoint.Root, lowest, out var holds);
            for (var i = 0; i < last.Length; i++) Below(last[i], known[i], holds);
        }
        else if (newest.Checkpoint.Root != MerkleTree.EmptyRoot) Report(new Finding(FindingKind.Bad, LedgerCheck.Newest, "root", Refusal.Proof.Code, "root of the empty ledger"));
        while (running.Count > 0) Finish(running.Dequeue().GetAwaiter().GetResult());
        Later();
        Former();
        Chain();
        notes.Next(newest, Report);
        new SurplusCheck(files, size, hasDetails, Report).All();
        End();
    }

    TilePath Last(int level)
    {
        var nodes = size >> (Tiles.Height * level);
        return new TilePath(level, nodes / Tiles.Width, (int)(nodes % Tiles.Width));
    }

    // What stands below the hashes of a tile: complete tiles at level 1 and above, or the leaves themselves.
    void Below(TilePath path, Digest[]? hashes, bool holds)
    {
        if (path.Level == 0) { Unit(new UnitWork(path, 1, null, holds, hashes, edge?.Copy(), NotesUpTo(size))); return; }
        if (path.Level == 1) { Unit(path, hashes, holds); return; }
        for (var i = 0; i < path.Width; i++)
        {
            var child = new TilePath(path.Level - 1, (path.Index * Tiles.Width) + i, Tiles.Width);
            var known = tiles.Resolve(child, holds ? hashes![i] : null, null, out var childHolds);
            Below(child, known, childHolds);
        }
    }

    void Unit(TilePath path, Digest[]? nodes, bool holds)
    {
        var first = new TilePath(0, path.Index * Tiles.Width, Tiles.Width);
        Unit(new UnitWork(first, path.Width, nodes, holds, null, edge?.Copy(), NotesUpTo((first.Index + path.Width) * Tiles.Width)));
        if (nodes is null || !holds) edge = null;
        foreach (var node in nodes ?? []) edge?.Add(Tiles.Height, node);
    }

    void Unit(UnitWork work)
    {
        stop.ThrowIfCancellationRequested();
        var unit = new LedgerUnit(files, notes, minimum, size, hasDetails);
        if (threads < 2 || size <= Tiles.Width * Tiles.Width) { Finish(unit.Run(work)); return; }
        while (running.Count >= threads) Finish(running.Dequeue().GetAwaiter().GetResult());
        // A thread of its own: whoever called may sit on the last one of the pool.
        running.Enqueue(Task.Factory.StartNew(() => unit.Run(work), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default));
    }

    void Finish(UnitResult unit)
    {
        foreach (var finding in unit.Findings) Report(finding);
        foreach (var head in unit.Notes) Accept(head);
        former.AddRange(unit.Former);
        successions.AddRange(unit.Successions);
        details += unit.Details;
        entries += unit.Entries;
        progress?.Report(entries);
    }

    void Accept(HeadNote head)
    {
        // The newest is compared once, as itself: its kept copy may lack cosignatures that came later.
        heads++;
        if (head.Stamp is { } stamp) notes.Stamps.Next(stamp, Report);
        if (notes.IsFormer(head)) beginnings[head.Checkpoint.Origin] = head.Checkpoint;
        if (head.Checkpoint.Size < size) notes.Next(head, Report);
    }

    List<KeptNote> NotesUpTo(long end)
    {
        List<KeptNote> taken = [];
        for (; more && kept.Current.Size <= end; more = kept.MoveNext()) taken.Add(kept.Current);
        return taken;
    }

    // Checkpoints of the empty ledger, before any entry.
    void Empty()
    {
        foreach (var note in NotesUpTo(0))
        {
            var head = note.Own ?? (files.Read(note.Path, SignedNote.MaxBytes) is { } bytes ? notes.Open(note.Path, bytes, Report) : null);
            if (head is null) continue;
            if (head.Checkpoint is { Size: 0 } empty && empty.Root == MerkleTree.EmptyRoot) { if (note.Own is null) Accept(notes.Stamps.Beside(files, head, Report)); }
            else Report(new Finding(FindingKind.Bad, note.Path, "beginning", Refusal.Fork.Code, "not the checkpoint of the empty ledger"));
        }
    }

    // Nothing may be newer than the newest: that is what a shortened ledger looks like.
    void Later()
    {
        foreach (var note in NotesUpTo(long.MaxValue))
            if (note.Own is { } own && notes.IsFormer(own)) former.Add((own, false));
            else Report(new Finding(FindingKind.Bad, note.Path, "beginning", Refusal.Fork.Code, string.Create(CultureInfo.InvariantCulture, $"has {note.Size} entries, the newest checkpoint {size}")));
    }

    // What was kept of a ledger that ended goes on in this one, or this one admits that it does not.
    void Former()
    {
        foreach (var (head, continues) in former)
        {
            if (head.Checkpoint.Origin == notes.Pins.Origin)
            {
                Report(new Finding(FindingKind.Incomplete, head.Part, "succession", FindingCode.Missing, "of the ledger that follows the one of this export"));
                continue;
            }
            var (verdict, why) = successions.LastOrDefault(s => s.Follows.Any(e => e.Origin == head.Checkpoint.Origin)) is { } admission ? Succession.Judge(admission, head.Checkpoint, continues)
                : continues ? (SuccessionVerdict.Continues, "") : (SuccessionVerdict.Fork, "no entry that is shown here admits that it was lost");
            var of = string.Create(CultureInfo.InvariantCulture, $"{head.Checkpoint.Origin}, {head.Checkpoint.Size} entries");
            Report(verdict switch
            {
                SuccessionVerdict.Continues => new Finding(FindingKind.Good, head.Part, "succession", FindingCode.Ok, of),
                SuccessionVerdict.AdmittedLost => new Finding(FindingKind.Incomplete, head.Part, "succession", FindingCode.Missing, $"{of}: admitted to be lost"),
                _ => new Finding(FindingKind.Bad, head.Part, "succession", Refusal.Fork.Code, $"{of}: {why}"),
            });
        }
    }

    // Where this ledger begins in the tree, and by which head of the one before it is chained. What is not here for that reason is one finding: good for who asked for this shard by its name, for nobody else.
    void Chain()
    {
        const string check = "minimum index";
        var begun = successions.LastOrDefault(s => s.Origin == notes.Current);
        var first = minimum * Tiles.Width;
        if (minimum > 0)
        {
            var gone = string.Create(CultureInfo.InvariantCulture, $"entries 0 to {first - 1} are not here");
            Report(begun is null ? new Finding(FindingKind.Incomplete, "tile/entries", check, FindingCode.Missing, $"{gone}, and nothing that is here shows that {notes.Current} begins behind them")
                : notes.Pins.Shard != notes.Current ? new Finding(FindingKind.Incomplete, "tile/entries", check, FindingCode.Missing, string.Create(CultureInfo.InvariantCulture, $"{gone}, but in the export of {begun.Follows[0].Origin}: {notes.Current} begins at entry {begun.Had}; good for --shard {notes.Current} alone"))
                : new Finding(FindingKind.Good, "tile/entries", check, FindingCode.Ok, string.Create(CultureInfo.InvariantCulture, $"{first}; {gone}, but in the export of {begun.Follows[0].Origin}: {notes.Current} begins at entry {begun.Had}")));
        }
        if (begun?.Follows[0] is not { Common: > 0 } before) return;
        var path = LedgerCheck.KeptPath(before.Common);
        if (beginnings.GetValueOrDefault(before.Origin) is not { } head || head.Size != before.Common)
        {
            if (minimum > 0) Report(new Finding(FindingKind.Incomplete, path, "succession", FindingCode.Missing, $"head of {before.Origin} by which this ledger is chained to it"));
        }
        else if (!before.HasGap && head.Root != before.Root) Report(new Finding(FindingKind.Bad, path, "succession", Refusal.Fork.Code, $"not the last head of {before.Origin} that {notes.Current} names"));
        else Report(new Finding(FindingKind.Good, path, "succession", FindingCode.Ok, Succession.Told(begun, before)));
    }

    // The export's and the auditor's own, by size.
    IEnumerable<KeptNote> AllNotes()
    {
        var own = new Queue<KeptNote>(notes.Pins.Known.Select(k => (k.Name, Head: notes.Open(k.Name, k.Bytes.Span, Report)))
            .Where(k => k.Head is not null).Select(k => new KeptNote(k.Head!.Checkpoint.Size, k.Name, k.Head)).OrderBy(k => k.Size));
        long? note = null;
        foreach (var file in NumberedFiles.Walk(files, LedgerCheck.Kept, path => SurplusCheck.Surplus(path, Report), CheckpointStamp.Ending))
        {
            if (file.IsBeside)
            {
                // It comes right behind its checkpoint, which looks for it.
                if (note != file.Index) SurplusCheck.Surplus(file.Path, Report);
                continue;
            }
            while (own.TryPeek(out var known) && known.Size <= file.Index) yield return own.Dequeue();
            if (file.IsPartial) { SurplusCheck.Surplus(file.Path + "/", Report); continue; }
            note = file.Index;
            yield return new KeptNote(file.Index, file.Path, null);
        }
        while (own.TryDequeue(out var rest)) yield return rest;
    }

    void Report(Finding finding)
    {
        if (findings.All.Count < LedgerCheck.MaxListed) { findings.Add(finding); return; }
        unlisted++;
        if (finding.Kind > unlistedWorst) unlistedWorst = finding.Kind;
    }

    void End()
    {
        if (unlisted > 0)
        {
            var (kind, code) = unlistedWorst == FindingKind.Bad ? (FindingKind.Bad, Refusal.Proof.Code) : (FindingKind.Incomplete, FindingCode.Missing);
            findings.Add(new Finding(kind, "tile", "more", code, string.Create(CultureInfo.InvariantCulture, $"{unlisted} more findings")));
        }
        notes.End(heads, findings);
        if (details.Withheld > 0) findings.Incomplete(LedgerCheck.Details, "entries", FindingCode.Withheld, string.Create(CultureInfo.InvariantCulture, $"{details.Withheld} of {size - (minimum * Tiles.Width)} are not for whom this export was made"));
        if (findings.Verdict != FindingKind.Good) return;
        findings.Good("tile", "all files", string.Create(CultureInfo.InvariantCulture, $"{size} entries{(minimum > 0 ? $", from {minimum * Tiles.Width} on" : "")}"));
        if (hasDetails) findings.Good(LedgerCheck.Details, "entries", string.Create(CultureInfo.InvariantCulture, $"{details.Open} open, {details.Erased} erased and said so{(details.Before > 0 ? $"; {details.Before} say so of entries below the minimum index" : "")}"));
    }
}
