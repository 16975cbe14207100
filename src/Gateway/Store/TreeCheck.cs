using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>Reads every entry once, in order, and builds the ledger again from them: leaves, tiles, head, and the root of every checkpoint ever signed.</summary>
internal sealed class TreeCheck
{
    const int Together = 4096;

    readonly Source source;
    readonly List<Finding> findings;
    readonly IEnumerator<SignedHead> signed;
    readonly List<Digest> waiting = [];
    readonly List<List<Digest>> tiles = [];
    readonly long[] complete = new long[Tiles.Levels];
    TreeFrontier frontier = TreeFrontier.Empty;
    long next;
    bool gap;

    // The next one that was not compared yet; null: no more.
    SignedHead? due;

    TreeCheck(Source source, IEnumerator<SignedHead> signed, List<Finding> findings)
    {
        this.source = source;
        this.findings = findings;
        this.signed = signed;
        Next();
    }

    public static void Run(Source source, IEnumerable<SignedHead> signed, List<Finding> findings)
    {
        using var heads = signed.GetEnumerator();
        var check = new TreeCheck(source, heads, findings);
        foreach (var (entry, secret) in EntryTable.Walk(source)) check.Take(entry, secret);
        check.End(HeadTable.Read(source));
        foreach (var seq in EntryTable.SecretsWithoutEntry(source)) findings.Add(new Finding("entry_secret", $"{seq}", "its entry is missing"));
    }

    void Next()
    {
        do due = signed.MoveNext() ? signed.Current : null;
        while (due is { Size: 0 });
    }

    void Take(EntryRow entry, EntrySecret? secret)
    {
        if (entry.Seq != next) Missing(next, entry.Seq);
        next = entry.Seq + 1;
        if (LedgerEntry.LeafOf(entry.Hash) != entry.Leaf) findings.Add(new Finding("entry", $"{entry.Seq}", "its leaf is not the hash of the entry"));
        if (secret is not null && new LedgerEntry(secret.Salt, secret.Detail).Hash != entry.Hash)
            findings.Add(new Finding("entry_secret", $"{entry.Seq}", "salt and detail do not hash to the entry"));
        // Behind a gap every hash would differ: one finding says it.
        if (gap) return;

        var leaf = LedgerEntry.LeafOf(entry.Hash);
        waiting.Add(leaf);
        Place(0, leaf);
        if (waiting.Count == Together || due?.Size == next) Fold();
    }

    void Fold()
    {
        frontier = frontier.Append(waiting);
        waiting.Clear();
        for (; due?.Size == frontier.Size; Next())
            if (due.Root != frontier.Root()) findings.Add(new Finding("checkpoint", $"{due.Size}", "signed over another tree than this store has"));
    }

    // A hash of a level completes a tile now and then; its root is a hash of the level above.
    void Place(int level, Digest hash)
    {
        if (tiles.Count == level) tiles.Add(new List<Digest>(Tiles.Width));
        tiles[level].Add(hash);
        if (tiles[level].Count < Tiles.Width) return;

        var data = new byte[Tiles.Width * Digest.Size];
        for (var i = 0; i < Tiles.Width; i++) tiles[level][i].CopyTo(data.AsSpan(i * Digest.Size));
        var root = Tiles.Fold([.. tiles[level]]);
        var index = complete[level]++;
        var stored = TileTable.Find(source, level, index);
        if (stored is null) findings.Add(new Finding("tile", $"{level}/{index}", "missing"));
        else if (!stored.Data.AsSpan().SequenceEqual(data) || stored.Root != root) findings.Add(new Finding("tile", $"{level}/{index}", "not the tile of these entries"));
        tiles[level].Clear();
        Place(level + 1, root);
    }

    void End(LedgerHead head)
    {
        if (head.Size > next) Missing(next, head.Size);
        if (head.Size < next) findings.Add(new Finding("entry", $"{head.Size}", "beyond the head of the ledger"));
        if (gap) return;
        Fold();
        if (head.Size == frontier.Size && (head.Root != frontier.Root() || !head.Frontier.AsSpan().SequenceEqual(frontier.ToArray())))
            findings.Add(new Finding("head", $"{head.Size}", "not the root of these entries"));
        for (; due is not null; Next()) findings.Add(new Finding("checkpoint", $"{due.Size}", "signed over more entries than this store has"));
        foreach (var (level, index) in TileTable.Beyond(source, complete)) findings.Add(new Finding("tile", $"{level}/{index}", "beyond the head of the ledger"));
    }

    void Missing(long first, long end)
    {
        gap = true;
        var last = end - 1;
        findings.Add(new Finding("entry", first == last ? $"{first}" : $"{first}..{last}", "missing"));
    }
}
