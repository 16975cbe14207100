using System.Data.Common;
using Dapper;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

internal static class HeadTable
{
    const string Columns = "size, root, frontier, time, world";

    /// <summary>Inside the write transaction: re-read at each begin.</summary>
    public static LedgerHead Read(DbConnection connection) => connection.QuerySingle<LedgerHead>($"SELECT {Columns} FROM head");

    public static LedgerHead Read(Source source) => source.One<LedgerHead>($"SELECT {Columns} FROM head")
        ?? throw new CannotStartException("The store has no head row. Restore it from a backup.");

    /// <exception cref="IoFailure">The head is not what this transaction read: somebody else wrote.</exception>
    public static void Move(IEngineTransaction transaction, LedgerHead from, LedgerHead to)
    {
        var moved = transaction.Execute(
            "UPDATE head SET size = @Size, root = @Root, frontier = @Frontier, time = @Time, world = @World WHERE one = 1 AND size = @Expected",
            new { to.Size, to.Root, to.Frontier, to.Time, to.World, Expected = from.Size });
        if (moved != 1) throw new IoFailure("The head of the ledger moved under the journal.");
    }
}
