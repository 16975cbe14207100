using System.Globalization;
using Exchange.Crypto.Ledger;

namespace Exchange.Crypto.Evidence;

/// <param name="Before">Admissions of erasures below the minimum index: whether they are true, another export shows.</param>
readonly record struct DetailCounts(long Open, long Erased, long Withheld, long Before)
{
    public static DetailCounts operator +(DetailCounts a, DetailCounts b) => new(a.Open + b.Open, a.Erased + b.Erased, a.Withheld + b.Withheld, a.Before + b.Before);
}

/// <summary>Salts and details of an export against the entries: each that is shown opens its entry; each that is gone is admitted by one later entry, and each admission is true. One thread.</summary>
/// <param name="minimum">No entry below this index is here.</param>
sealed class DetailCheck(ILedgerFiles files, long minimum, long size, Action<Finding> report)
{
    (long Tile, DetailLine[]? Lines) last = (-1, null);

    public DetailCounts Counts { get; private set; }
    /// <summary>What says that another ledger ended.</summary>
    public List<SuccessionDetail> Successions { get; } = [];

    public void Check(TilePath tile, Digest[] leaves)
    {
        var path = DetailBundle.PathOf(tile);
        if (files.Read(path, DetailBundle.MaxBytes) is not { } bytes)
        {
            report(new Finding(FindingKind.Incomplete, path, "file", FindingCode.Missing));
            return;
        }
        DetailLine[] lines;
        try { lines = DetailBundle.Read(bytes, tile.Width); }
        catch (RefusedException e) { report(new Finding(FindingKind.Bad, path, "form", e.Refusal.Code, e.Detail)); return; }
        long open = 0, erased = 0, withheld = 0, before = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            var index = (tile.Index * Tiles.Width) + i;
            switch (lines[i].State)
            {
                case DetailState.Open:
                    open++;
                    if (LedgerEntry.LeafOf(lines[i].Hash) != leaves[i]) Bad(path, index, "salt and detail do not open the entry");
                    else if (SuccessionOf(lines[i]) is { } succession)
                    {
                        if (Succession.Fault(succession, index) is { } fault) Bad(path, index, $"succession: {fault}");
                        else Successions.Add(succession);
                    }
                    else if (Admits(lines[i]) is not { } admitted) break;
                    else if (admitted >= 0 && admitted < minimum) before++;
                    else if (!(Line(admitted) is { State: DetailState.Erased } gone && gone.ErasedBy == index))
                        Bad(path, index, string.Create(CultureInfo.InvariantCulture, $"says that entry {admitted} was erased, and it was not, or by another"));
                    break;
                case DetailState.Erased:
                    erased++;
                    if (lines[i].ErasedBy <= index || Line(lines[i].ErasedBy) is not { State: DetailState.Open } by || Admits(by) != index)
                        Bad(path, index, string.Create(CultureInfo.InvariantCulture, $"is erased, and entry {lines[i].ErasedBy} does not say so"));
                    break;
                default: withheld++; break;
            }
        }
        Counts += new DetailCounts(open, erased, withheld, before);
    }

    /// <summary>The entry that a detail of kind erased names; null: of another kind.</summary>
    static long? Admits(DetailLine line)
    {
        if (line.Detail.Span.IndexOf("\"erased\""u8) < 0) return null;
        try { return (EntryDetails.Read(line.Detail.Span) as ErasedDetail)?.Entry; }
        catch (RefusedException) { return null; }
    }

    static SuccessionDetail? SuccessionOf(DetailLine line)
    {
        if (line.Detail.Span.IndexOf("\"succession\""u8) < 0) return null;
        try { return EntryDetails.Read(line.Detail.Span) as SuccessionDetail; }
        catch (RefusedException) { return null; }
    }

    DetailLine? Line(long index)
    {
        if (index < 0 || index >= size) return null;
        var tile = index / Tiles.Width;
        if (last.Tile != tile)
        {
            var path = new TilePath(TilePath.Entries, tile, Tiles.WidthAt(0, tile, size));
            last = (tile, null);
            try
            {
                if (files.Read(DetailBundle.PathOf(path), DetailBundle.MaxBytes) is { } bytes) last = (tile, DetailBundle.Read(bytes, path.Width));
            }
            catch (RefusedException) { /* named when its own turn comes */ }
        }
        return last.Lines?[index % Tiles.Width];
    }

    void Bad(string path, long index, string what) =>
        report(new Finding(FindingKind.Bad, path, "details", Refusal.Proof.Code, string.Create(CultureInfo.InvariantCulture, $"entry {index}: {what}")));
}
