using Exchange.Crypto.Ledger;

namespace Exchange.Crypto.Evidence;

/// <summary>
/// Checks a whole ledger from its files alone: checkpoint, entry bundles and tiles (C2SP tlog-tiles), every byte of them. Needs the pinned key and no network.
/// A wrong file is named: the tree is computed twice, from the bundles and from the tiles of level 0, and what differs from the one that leads to the
/// signed root is wrong. Memory: 1/128 of the leaf hashes.
/// </summary>
public static class LedgerCheck
{
    /// <param name="note">The checkpoint, as published.</param>
    /// <param name="read">Bytes of a tile or bundle by its path; null: not there.</param>
    public static Findings Check(ReadOnlySpan<byte> note, VerifierKey key, Func<TilePath, byte[]?> read)
    {
        var findings = new Findings();
        Checkpoint checkpoint;
        try { checkpoint = Checkpoint.Open(note, key); }
        catch (RefusedException e)
        {
            findings.Bad("checkpoint", "signature", e.Refusal, e.Detail);
            return findings;
        }
        findings.Good("checkpoint", "signature");
        new Run(checkpoint, read, findings).All();
        return findings;
    }

    sealed class Run(Checkpoint checkpoint, Func<TilePath, byte[]?> read, Findings findings)
    {
        readonly Tree fromEntries = new(checkpoint.Size), fromTiles = new(checkpoint.Size);
        readonly List<TilePath> missing = [], differing = [];
        bool gap;

        public void All()
        {
            for (long index = 0; index * Tiles.Width < checkpoint.Size; index++) Lowest(index);
            if (gap)
            {
                Missing();
                findings.Incomplete("checkpoint", "root", FindingCode.Missing, "entries are missing");
                return;
            }
            var right = fromEntries.Root() == checkpoint.Root ? fromEntries : fromTiles.Root() == checkpoint.Root ? fromTiles : null;
            Upper(right ?? fromTiles);
            Missing();
            findings.Judge(right is not null, "checkpoint", "root", Refusal.Proof, "neither entries nor tiles lead to the signed root");
            foreach (var tile in differing)
            {
                if (tile.Level != 0 || right is null) Wrong(tile);
                else Wrong(right == fromEntries ? tile : tile with { Level = TilePath.Entries });
            }
            if (findings.Verdict == FindingKind.Good) findings.Good("tile", "all files", $"{checkpoint.Size} entries");
        }

        // A bundle and the tile over it. One of the two is enough to go on.
        void Lowest(long index)
        {
            var path = new TilePath(0, index, Tiles.WidthAt(0, index, checkpoint.Size));
            var tile = Hashes(path, Tile);
            var leaves = Hashes(path with { Level = TilePath.Entries }, bytes => [.. EntryBundle.Read(bytes, path.Width).Select(LedgerEntry.LeafOf)]);
            if (tile is null && leaves is null) { gap = true; return; }
            if (tile is not null && leaves is not null && !tile.AsSpan().SequenceEqual(leaves)) differing.Add(path);
            fromEntries.Add(leaves ?? tile!);
            fromTiles.Add(tile ?? leaves!);

            Digest[] Tile(byte[] bytes) => bytes.Length == path.Width * Digest.Size
                ? Tiles.Hashes(bytes) : throw new RefusedException(Refusal.Proof, "length of the tile");
        }

        void Upper(Tree right)
        {
            for (var level = 1; level < Tiles.Levels; level++)
                for (long index = 0; Tiles.WidthAt(level, index, checkpoint.Size) is > 0 and var width; index++)
                {
                    var path = new TilePath(level, index, width);
                    if (read(path) is not { } bytes) missing.Add(path);
                    else if (!bytes.AsSpan().SequenceEqual(right.Tile(path))) differing.Add(path);
                }
        }

        Digest[]? Hashes(TilePath path, Func<byte[], Digest[]> parse)
        {
            if (read(path) is not { } bytes) { missing.Add(path); return null; }
            try { return parse(bytes); }
            catch (RefusedException e)
            {
                findings.Bad(path.ToString(), "form", e.Refusal, e.Detail);
                return null;
            }
        }

        void Wrong(TilePath path) => findings.Bad(path.ToString(), "hashes", Refusal.Proof, "does not lead to the checkpoint");

        void Missing()
        {
            foreach (var path in missing) findings.Incomplete(path.ToString(), "file", FindingCode.Missing);
        }
    }

    /// <summary>All nodes at heights 8, 16 … and the leaves of the last, partial tile.</summary>
    sealed class Tree(long size)
    {
        readonly List<Digest>[] heights = [.. Enumerable.Range(0, Tiles.Levels).Select(_ => new List<Digest>())];
        long tiles;

        public void Add(Digest[] leaves)
        {
            if (leaves.Length < Tiles.Width) { heights[0].AddRange(leaves); return; }
            tiles++;
            heights[1].Add(Tiles.Fold(leaves));
            for (var level = 1; level + 1 < Tiles.Levels && heights[level].Count % Tiles.Width == 0 && heights[level].Count >> Tiles.Height > heights[level + 1].Count; level++)
                heights[level + 1].Add(Tiles.Fold([.. heights[level][^Tiles.Width..]]));
        }

        public Digest Root() => Tiles.Root(size, (level, index, width) => Tile(new TilePath(level, index, width)));

        /// <summary>Bytes that this tile must have; at level 0 only the last one.</summary>
        public byte[] Tile(TilePath path)
        {
            var first = (path.Index * Tiles.Width) - (path.Level == 0 ? tiles * Tiles.Width : 0);
            var bytes = new byte[path.Width * Digest.Size];
            for (var i = 0; i < path.Width; i++) heights[path.Level][(int)first + i].CopyTo(bytes.AsSpan(i * Digest.Size));
            return bytes;
        }
    }
}
