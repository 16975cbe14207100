using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

public class TilesTests
{
    [Theory]
    [InlineData(0, 0, 256, "tile/0/000")]
    [InlineData(0, 1234067, 256, "tile/0/x001/x234/067")]
    [InlineData(3, 999, 1, "tile/3/999.p/1")]
    [InlineData(63, 1000, 255, "tile/63/x001/000.p/255")]
    [InlineData(TilePath.Entries, 5, 256, "tile/entries/005")]
    [InlineData(TilePath.Entries, 123456789, 17, "tile/entries/x123/x456/789.p/17")]
    public void Paths_are_those_of_tlog_tiles(int level, long index, int width, string text)
    {
        var path = new TilePath(level, index, width);
        Assert.Equal(text, path.ToString());
        Assert.True(TilePath.TryParse(text, out var read));
        Assert.Equal(path, read);
    }

    [Theory]
    [InlineData(""), InlineData("tile"), InlineData("tile/0"), InlineData("tile/0/"), InlineData("tile/0/00"), InlineData("tile/0/0000"), InlineData("tile/0/x000")]
    [InlineData("tile/0/x000/001"), InlineData("tile/0/001/001"), InlineData("tile/0/x01/001"), InlineData("tile/00/001"), InlineData("tile/64/001"), InlineData("tile/-1/001")]
    [InlineData("tile/0/001.p/0"), InlineData("tile/0/001.p/256"), InlineData("tile/0/001.p/01"), InlineData("tile/0/001.p"), InlineData("tile/0/001.p/"), InlineData("tile/0/001/1")]
    [InlineData("tile/entries"), InlineData("tile/Entries/001"), InlineData("/tile/0/001"), InlineData("tile/0/001/"), InlineData("tile/0/٠٠١"), InlineData("tile/0/x001.p/001")]
    [InlineData("tile/0/x999/x999/x999/x999/x999/x999/x999/999")]
    public void Other_spellings_are_no_paths(string text) => Assert.False(TilePath.TryParse(text, out _));

    [Fact]
    public void Widths_follow_the_size()
    {
        Assert.Equal(0, Tiles.WidthAt(0, 0, 0));
        Assert.Equal(255, Tiles.WidthAt(0, 0, 255));
        Assert.Equal(256, Tiles.WidthAt(0, 0, 256));
        Assert.Equal(0, Tiles.WidthAt(0, 1, 256));
        Assert.Equal(1, Tiles.WidthAt(0, 1, 257));
        Assert.Equal(0, Tiles.WidthAt(1, 0, 255));
        Assert.Equal(2, Tiles.WidthAt(1, 0, 600));
        Assert.Equal(127, Tiles.WidthAt(7, 0, (127L << 56) | 77));
        Assert.Equal(0, Tiles.WidthAt(0, long.MaxValue, long.MaxValue));
        Assert.Equal(0, Tiles.WidthAt(-1, 0, 600));
        Assert.Equal(0, Tiles.WidthAt(8, 0, long.MaxValue));
    }

    [Fact]
    public void Tiles_give_the_same_roots_and_proofs_as_the_leaves()
    {
        var store = new MemoryTiles();
        foreach (var step in new[] { 1, 2, 3, 100, 149, 1, 1, 200, 143 })
        {
            store.Append([.. TestTree.Leaves.Skip((int)store.Size).Take(step)]);
            Assert.Equal(MerkleTree.Root(store.Size, TestTree.Nodes), Tiles.Root(store.Size, store.Read));
            Assert.Equal(store.Frontier.Root(), Tiles.Root(store.Size, store.Read));
            for (long i = 0; i < store.Size; i += 1 + (store.Size / 23))
            {
                Assert.Equal(MerkleTree.InclusionProof(i, store.Size, TestTree.Nodes), Tiles.InclusionProof(i, store.Size, store.Read));
                Assert.Equal(MerkleTree.ConsistencyProof(i, store.Size, TestTree.Nodes), Tiles.ConsistencyProof(i, store.Size, store.Read));
            }
        }
        Assert.Equal(600, store.Size);
        Assert.Equal(2, store.Rows.Count);
    }

    [Theory]
    [InlineData(70_000, 1), InlineData(65_536, 65_536), InlineData(131_072, 777), InlineData(66_000, 66_000)]
    public void Tiles_of_a_tree_with_three_levels_are_complete_and_right(int size, int step)
    {
        var leaves = Enumerable.Range(0, size).Select(TestTree.Entry).ToArray();
        var store = new MemoryTiles();
        for (var done = 0; done < size; done += step) store.Append(leaves[done..Math.Min(size, done + step)]);

        Assert.Equal((size >> 8) + (size >> 16), store.Rows.Count);
        Assert.Equal(MerkleTree.Root(leaves), Tiles.Root(size, store.Read));
        Assert.Equal(MerkleTree.Root(leaves), store.Frontier.Root());
        foreach (var index in new long[] { 0, 255, 256, 65_535, size - 1 })
            Assert.True(MerkleTree.VerifyInclusion(leaves[index], index, size, Tiles.InclusionProof(index, size, store.Read), store.Frontier.Root()));
    }

    [Fact]
    public void A_short_tile_is_refused_not_misread()
    {
        var store = new MemoryTiles();
        store.Append([.. TestTree.Leaves.Take(300)]);
        var e = Assert.Throws<RefusedException>(() => Tiles.InclusionProof(5, 300, (l, i, w) => store.Read(l, i, w)[..^1]));
        Assert.Equal(Refusal.Proof, e.Refusal);
    }

    [Fact]
    public void Bundles_hold_entries_after_their_length()
    {
        var bytes = EntryBundle.Write([.. TestTree.Entries.Take(3)]);
        Assert.Equal(3 * 34, bytes.Length);
        Assert.Equal([0, 32], bytes[..2]);
        Assert.Equal(TestTree.Entries.Take(3), EntryBundle.Read(bytes, 3));
        Assert.Throws<RefusedException>(() => EntryBundle.Read(bytes, 2));
        Assert.Throws<RefusedException>(() => EntryBundle.Read(bytes, 4));
        bytes[35] = 31;
        Assert.Throws<RefusedException>(() => EntryBundle.Read(bytes, 3));
    }
}
