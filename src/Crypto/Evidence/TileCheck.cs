using System.Globalization;
using System.Numerics;
using Exchange.Crypto.Ledger;

namespace Exchange.Crypto.Evidence;

/// <summary>
/// Reads tiles and bundles, and finds out what the hashes of a tile are when the file may be wrong: as they are stored, as they follow from what lies below, or a mixture
/// of the two, whichever leads to the hash that is known from above. Findings name the files that differ from it. One thread.
/// </summary>
sealed class TileCheck(ILedgerFiles files, Action<Finding> report)
{
    /// <summary>So many places may be wrong in both a tile and what lies below it, and each is still told from the other.</summary>
    const int MaxMixed = 4, MaxMixedAtEdge = 12;

    /// <summary>Hashes of a complete or partial tile; null: neither it nor what lies below is there.</summary>
    /// <param name="expected">Hash over its hashes, from above; null: not known. Only complete tiles have one.</param>
    /// <param name="below">At level 0 the leaves of its bundle; null: no good bundle.</param>
    /// <param name="holds">The result leads to what was expected.</param>
    public Digest[]? Resolve(TilePath path, Digest? expected, Digest[]? below, out bool holds)
    {
        var stored = Stored(path, report);
        holds = stored is not null && expected is not null && Tiles.Fold(stored) == expected;
        if (holds) return stored;
        var (other, deeper) = path.Level == 0 ? (Known(below, path.Width), []) : Below(path, stored);
        var isWhole = other.All(d => d is not null);
        if (expected is null)
        {
            if (stored is not null && Differences(stored, other) is { Count: > 0 } places) Bad(path, places, "is not what lies below");
            return stored ?? Whole(other);
        }
        if (isWhole && Tiles.Fold(Whole(other)!) == expected)
        {
            holds = true;
            if (stored is not null) Bad(path, Differences(stored, other), "does not lead to the checkpoint");
            return Whole(other);
        }
        bool IsRight(Digest[][] choice) => Tiles.Fold(choice[0]) == expected;
        if (stored is not null && (Mix([stored], [other], IsRight) ?? (deeper.Length > 0 ? Mix([stored], [deeper], IsRight) : null)) is { } mixed)
        {
            holds = true;
            Bad(path, Differences(stored, Known(mixed[0], path.Width)), "does not lead to the checkpoint");
            return mixed[0];
        }
        // With the tile gone, what lies below is all there is to blame.
        var wrong = stored is not null || path.Level > 0 ? path : path with { Level = TilePath.Entries };
        if (stored is not null || isWhole) report(new Finding(FindingKind.Bad, wrong.ToString(), "hashes", Refusal.Proof.Code, "does not lead to the checkpoint"));
        return stored ?? Whole(other);
    }

    /// <summary>The partial tiles at the right edge, highest level first, that together lead to the signed root.</summary>
    /// <param name="holds">They do. If not, what is returned is what is stored, or lies below; null where nothing is.</param>
    public Digest[]?[] ResolveEdge(TilePath[] edge, Digest root, Digest[]? lowest, out bool holds)
    {
        var stored = edge.Select(p => Stored(p, report)).ToArray();
        holds = stored.All(s => s is not null) && EdgeRoot(edge, stored) == root;
        if (holds) return stored;
        var below = edge.Select((p, i) => p.Level == 0 ? Known(lowest, p.Width) : Below(p, stored[i]).Stored).ToArray();
        // What is not stored can only be what lies below.
        var start = stored.Select((s, i) => s ?? Whole(below[i])).ToArray();
        if (start.All(s => s is not null))
        {
            Digest[][]? right = null;
            if (EdgeRoot(edge, start) == root) right = start!;
            else if (below.All(b => b.All(d => d is not null)) && EdgeRoot(edge, [.. below.Select(b => Whole(b)!)]) == root) right = [.. below.Select(b => Whole(b)!)];
            right ??= Mix(start!, below, choice => EdgeRoot(edge, choice) == root);
            if (right is not null)
            {
                holds = true;
                for (var i = 0; i < edge.Length; i++)
                    if (stored[i] is { } was && Differences(was, Known(right[i], edge[i].Width)) is { Count: > 0 } places) Bad(edge[i], places, "does not lead to the checkpoint");
                return right;
            }
            report(new Finding(FindingKind.Bad, LedgerCheck.Newest, "root", Refusal.Proof.Code, "neither entries nor tiles lead to the signed root"));
        }
        else report(new Finding(FindingKind.Incomplete, LedgerCheck.Newest, "root", FindingCode.Missing, "entries are missing"));
        for (var i = 0; i < edge.Length; i++)
            if (stored[i] is { } was && Differences(was, below[i]) is { Count: > 0 } places) Bad(edge[i], places, "is not what lies below");
        return start;
    }

    static Digest EdgeRoot(TilePath[] edge, Digest[]?[] hashes)
    {
        var tree = new SubtreeEdge();
        for (var i = 0; i < edge.Length; i++)
            foreach (var hash in hashes[i]!) tree.Add(edge[i].Level * Tiles.Height, hash);
        return tree.Root();
    }

    /// <summary>Hashes of a stored tile; null: not there or not a tile, which is reported.</summary>
    Digest[]? Stored(TilePath path, Action<Finding>? to)
    {
        if (files.Read(path.ToString(), path.Width * Digest.Size) is not { } bytes)
        {
            to?.Invoke(new Finding(FindingKind.Incomplete, path.ToString(), "file", FindingCode.Missing));
            return null;
        }
        if (bytes.Length == path.Width * Digest.Size) return Tiles.Hashes(bytes);
        to?.Invoke(new Finding(FindingKind.Bad, path.ToString(), "form", Refusal.Proof.Code, "length of the tile"));
        return null;
    }

    /// <summary>Entries of a bundle; null: not there or not a bundle, which is reported.</summary>
    public Digest[]? Entries(TilePath tile)
    {
        var path = tile with { Level = TilePath.Entries };
        if (files.Read(path.ToString(), path.Width * EntryBundle.Step) is not { } bytes)
        {
            report(new Finding(FindingKind.Incomplete, path.ToString(), "file", FindingCode.Missing));
            return null;
        }
        try { return EntryBundle.Read(bytes, path.Width); }
        catch (RefusedException e)
        {
            report(new Finding(FindingKind.Bad, path.ToString(), "form", e.Refusal.Code, e.Detail));
            return null;
        }
    }

    /// <summary>A bundle's entries against the leaves of its tile.</summary>
    public void Compare(TilePath tile, Digest[] leaves, Digest[]? ofEntries)
    {
        if (ofEntries is null || ofEntries.AsSpan().SequenceEqual(leaves)) return;
        if (Differences(ofEntries, Known(leaves, tile.Width)) is { Count: > 0 } places)
            Bad(tile with { Level = TilePath.Entries }, places, "does not lead to the checkpoint");
    }

    /// <summary>The hash of each tile below: by the tile as it is stored, and by what lies still further below. Where either says what the upper tile says, so do both: the fault is not there.</summary>
    (Digest?[] Stored, Digest?[] Deeper) Below(TilePath path, Digest[]? above)
    {
        Digest?[] first = new Digest?[path.Width], second = new Digest?[path.Width];
        for (var i = 0; i < path.Width; i++)
        {
            var child = new TilePath(path.Level - 1, (path.Index * Tiles.Width) + i, Tiles.Width);
            var known = Stored(child, null);
            first[i] = second[i] = known is null ? null : Tiles.Fold(known);
            if (first[i] is { } stored && (above is null || stored == above[i])) continue;
            if ((child.Level == 0 ? Leaves(child) : Whole(Below(child, known).Stored)) is not { } lower) continue;
            second[i] = Tiles.Fold(lower);
            if (first[i] is null || second[i] == above?[i]) first[i] = second[i];
        }
        return (first, second);
    }

    Digest[]? Leaves(TilePath tile)
    {
        var bytes = files.Read((tile with { Level = TilePath.Entries }).ToString(), tile.Width * EntryBundle.Step);
        try { return bytes is null ? null : [.. EntryBundle.Read(bytes, tile.Width).Select(LedgerEntry.LeafOf)]; }
        catch (RefusedException) { return null; }
    }

    // Every choice between the two where both are known and differ, as long as there are few such places.
    static Digest[][]? Mix(Digest[][] first, Digest?[][] second, Func<Digest[][], bool> isRight)
    {
        List<(int Tile, int At)> places = [];
        for (var t = 0; t < first.Length; t++) places.AddRange(Differences(first[t], second[t]).Select(at => (t, at)));
        if (places.Count == 0 || places.Count > Math.Min(MaxMixed * first.Length, MaxMixedAtEdge)) return null;
        for (var choice = 1; choice < 1 << places.Count; choice++)
        {
            Digest[][] mixed = [.. first.Select(d => (Digest[])d.Clone())];
            for (var bits = choice; bits != 0; bits &= bits - 1)
            {
                var (tile, at) = places[BitOperations.TrailingZeroCount(bits)];
                mixed[tile][at] = second[tile][at]!.Value;
            }
            if (isRight(mixed)) return mixed;
        }
        return null;
    }

    static List<int> Differences(Digest[] a, Digest?[] b) => [.. Enumerable.Range(0, a.Length).Where(i => b[i] is { } other && other != a[i])];

    static Digest?[] Known(Digest[]? all, int width) => all is null ? new Digest?[width] : [.. all.Select(d => (Digest?)d)];

    static Digest[]? Whole(Digest?[] hashes) => hashes.All(h => h is not null) ? [.. hashes.Select(h => h!.Value)] : null;

    void Bad(TilePath path, List<int> places, string what)
    {
        const int named = 8;
        var first = path.Index * Tiles.Width;
        var list = string.Join(", ", places.Take(named).Select(p => (first + p).ToString(CultureInfo.InvariantCulture))) + (places.Count > named ? " …" : "");
        report(new Finding(FindingKind.Bad, path.ToString(), "hashes", Refusal.Proof.Code, $"{what}: {(path.Level is 0 or TilePath.Entries ? "entry" : "node")} {list}"));
    }
}
