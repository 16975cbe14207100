using System.Globalization;
using Exchange.Crypto.Ledger;

namespace Exchange.Crypto.Evidence;

/// <summary>A checkpoint to compare with the tree at its size: one of the export's, or one that the auditor kept.</summary>
/// <param name="Own">Already read; null: a file of the export.</param>
readonly record struct KeptNote(long Size, string Path, HeadNote? Own);

/// <summary>Tiles of 256 entries that one thread checks, at most 256 of them.</summary>
/// <param name="Nodes">What is known from above of each tile's root; null: nothing.</param>
/// <param name="Holds">The nodes lead to the signed root, and so does everything before.</param>
/// <param name="Leaves">For the last, partial tile alone: its leaves, as the edge of the tree gave them.</param>
/// <param name="Before">Edge of the tree in front of the first of them. Null: something in front is not there at all.</param>
/// <param name="Notes">Checkpoints that end in here, by size.</param>
sealed record UnitWork(TilePath First, int Count, Digest[]? Nodes, bool Holds, Digest[]? Leaves, SubtreeEdge? Before, IReadOnlyList<KeptNote> Notes);

/// <param name="Former">Heads of ledgers that ended, and whether the tree continues them.</param>
/// <param name="Successions">Entries that say which ledgers ended.</param>
sealed record UnitResult(List<Finding> Findings, List<HeadNote> Notes, DetailCounts Details, long Entries, List<(HeadNote Head, bool Continues)> Former, IReadOnlyList<SuccessionDetail> Successions);

/// <summary>The part of the check that runs beside others: bundles, lowest tiles, details, and the checkpoints whose last entry is here.</summary>
sealed class LedgerUnit
{
    readonly ILedgerFiles files;
    readonly NoteCheck notes;
    readonly List<Finding> findings = [];
    readonly List<HeadNote> heads = [];
    readonly List<(HeadNote, bool)> former = [];
    readonly TileCheck tiles;
    readonly DetailCheck? details;
    readonly long minimum;

    /// <param name="minimum">Tiles below this one are not here: they are known from above alone.</param>
    public LedgerUnit(ILedgerFiles files, NoteCheck notes, long minimum, long size, bool hasDetails)
    {
        (this.files, this.notes, this.minimum) = (files, notes, minimum);
        tiles = new TileCheck(files, findings.Add);
        details = hasDetails ? new DetailCheck(files, minimum * Tiles.Width, size, findings.Add) : null;
    }

    public UnitResult Run(UnitWork work)
    {
        var edge = work.Before?.Copy();
        var next = 0;
        long entries = 0;
        for (var i = 0; i < work.Count; i++)
        {
            var tile = work.First with { Index = work.First.Index + i };
            Digest? node = work.Holds && work.Nodes is not null ? work.Nodes[i] : null;
            var holds = work.Leaves is not null && work.Holds;
            var leaves = work.Leaves;
            if (tile.Index >= minimum)
            {
                var known = tiles.Entries(tile);
                Digest[]? ofEntries = known is null ? null : [.. known.Select(LedgerEntry.LeafOf)];
                leaves ??= tiles.Resolve(tile, node, ofEntries, out holds);
                if (leaves is not null)
                {
                    tiles.Compare(tile, leaves, ofEntries);
                    details?.Check(tile, leaves);
                }
                entries += tile.Width;
            }
            next = Notes(work, next, tile, edge, node, holds ? leaves : null);
            if (node is { } whole) edge?.Add(Tiles.Height, whole);
            else if (leaves is not { Length: Tiles.Width }) edge = null;
            else edge?.Add(Tiles.Height, Tiles.Fold(leaves));
        }
        return new UnitResult(findings, heads, details?.Counts ?? default, entries, former, details?.Successions ?? []);
    }

    // By the leaves, as far as those are certain; at the end of a tile by the tile above as well.
    int Notes(UnitWork work, int next, TilePath tile, SubtreeEdge? edge, Digest? node, Digest[]? leaves)
    {
        var start = tile.Index * Tiles.Width;
        SubtreeEdge? inner = null;
        long at = start;
        for (; next < work.Notes.Count && work.Notes[next].Size <= start + tile.Width; next++)
        {
            var kept = work.Notes[next];
            if (Read(kept) is not { } head) continue;
            Digest root;
            if (leaves is not null && (inner ??= edge?.Copy()) is { } upTo)
            {
                for (; at < kept.Size; at++) upTo.Add(0, leaves[at - start]);
                root = upTo.Root();
            }
            else if (kept.Size == start + Tiles.Width && node is { } whole && edge?.Copy() is { } end)
            {
                end.Add(Tiles.Height, whole);
                root = end.Root();
            }
            else
            {
                findings.Add(new Finding(FindingKind.Incomplete, kept.Path, "beginning", FindingCode.Missing, tile.Index < minimum ? "lies below the minimum index" : "the entries before it are not certain"));
                continue;
            }
            var continues = root == head.Checkpoint.Root;
            if (notes.IsFormer(head) && (kept.Own is not null || !continues)) former.Add((head, continues));
            else if (!continues)
                findings.Add(new Finding(FindingKind.Bad, kept.Path, "beginning", Refusal.Fork.Code, string.Create(CultureInfo.InvariantCulture, $"the first {kept.Size} entries have another root")));
            else if (kept.Own is null) heads.Add(head);
        }
        return next;
    }

    HeadNote? Read(KeptNote kept)
    {
        if (kept.Own is not null) return kept.Own;
        if (files.Read(kept.Path, SignedNote.MaxBytes) is not { } bytes)
        {
            findings.Add(new Finding(FindingKind.Incomplete, kept.Path, "file", FindingCode.Missing));
            return null;
        }
        var head = notes.Open(kept.Path, bytes, findings.Add);
        if (head is null) return null;
        if (head.Checkpoint.Size == kept.Size) return notes.Stamps.Beside(files, head, findings.Add);
        findings.Add(new Finding(FindingKind.Bad, kept.Path, "name", Refusal.Note.Code, "is not the checkpoint of the size that it is named by"));
        return null;
    }
}
