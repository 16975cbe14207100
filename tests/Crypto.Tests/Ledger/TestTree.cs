using System.Buffers.Binary;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;

namespace Exchange.Tests.Ledger;

/// <summary>Entries 0, 1, 2 … of a test ledger, and every complete node over the first 1,024 of them, computed apart from the code under test.</summary>
static class TestTree
{
    public static readonly Digest[] Entries = [.. Enumerable.Range(0, 1024).Select(Entry)];
    public static readonly Digest[] Leaves = [.. Entries.Select(LedgerEntry.LeafOf)];
    static readonly Digest[][] Levels = Build();

    /// <summary>All small sizes, and those around the width of a tile.</summary>
    public static readonly int[] SomeSizes = [.. Enumerable.Range(1, 130), 255, 256, 257, 511, 512, 513, 599, 600];

    public static Digest Nodes(int level, long index) => Levels[level][index];

    public static Digest Entry(int i)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, i);
        return Digest.Of(bytes);
    }

    static Digest[][] Build()
    {
        var levels = new List<Digest[]> { Leaves };
        while (levels[^1].Length > 1)
            levels.Add([.. levels[^1].Chunk(2).Select(pair => Digest.Of([1, .. pair[0].ToArray(), .. pair[1].ToArray()]))]);
        return [.. levels];
    }
}
