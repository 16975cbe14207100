using Exchange.Crypto.Ledger;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Journaling;

/// <summary>Gives a batch's entries their index, leaf and tiles, and the ledger its new head. Inside the transaction: an entry is in the tree when, and only when, it is in the store.</summary>
internal static class LedgerAppend
{
    public static LedgerHead Append(Batch b, IEngineTransaction transaction, IReadOnlyList<NewEntry> entries)
    {
        var head = b.Head;
        var time = b.Now.ToUnixTimeMilliseconds();
        if (entries.Count == 0) return head with { Time = time, World = b.World.Id };

        var rows = new EntryRow[entries.Count];
        var secrets = new EntrySecret[entries.Count];
        var leaves = new Crypto.Digest[entries.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            var (entry, kind, subject) = entries[i];
            var hash = entry.Hash;
            leaves[i] = LedgerEntry.LeafOf(hash);
            rows[i] = new EntryRow { Seq = head.Size + i, Hash = hash, Leaf = leaves[i], Kind = kind, Subject = subject, Time = time };
            secrets[i] = new EntrySecret { Seq = head.Size + i, Salt = entry.Salt, Detail = entry.Detail };
        }
        transaction.Insert(EntryTable.Shape, rows);
        transaction.Insert(EntryTable.SecretShape, secrets);
        transaction.Insert(TileTable.Shape, Tiles.Completed(head.Size, leaves, TileTable.ReaderOf(b)));

        var frontier = TreeFrontier.Read(head.Size, head.Frontier).Append(leaves);
        return new LedgerHead { Size = frontier.Size, Root = frontier.Root(), Frontier = frontier.ToArray(), Time = time, World = b.World.Id };
    }
}
