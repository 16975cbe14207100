using Dapper;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Journaling;

/// <summary>On the writer thread, maybe twice: touches only the batch; no I/O, clock or cryptography. What it returns is the answer once the batch is durable.</summary>
internal delegate T Change<out T>(Batch b);

/// <summary>One transaction of the journal as its changes see it.</summary>
internal sealed class Batch : Source
{
    readonly IEngineTransaction transaction;

    internal Batch(IEngineTransaction transaction, World world, DateTimeOffset clock) : base(transaction.Connection, transaction.Transaction)
    {
        this.transaction = transaction;
        World = world;
        Now = DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(clock.ToUnixTimeMilliseconds(), transaction.Head.Time));
    }

    /// <summary>In force for this change. A change prepared against another id answers Stale.</summary>
    public World World { get; private set; }

    /// <summary>Never earlier than in any batch before.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>Appends an entry; it gets its index when the batch is flushed.</summary>
    public Batch Log(LedgerEntry entry, EntryKind kind, Guid? subject = null) => throw new NotImplementedException();

    /// <summary>Declares that this change leaves no entry. It may then add no permanent rows.</summary>
    public Batch Quiet(QuietKind kind) => throw new NotImplementedException();

    /// <summary>Rows that no change of the batch reads: written set-wise at the end.</summary>
    public Batch Add(IEnumerable<ParcelRow> parcels) => throw new NotImplementedException();
    public Batch Add(ReceiptRow receipt) => throw new NotImplementedException();
    public Batch Add(DecisionRow decision) => throw new NotImplementedException();

    /// <summary>Puts a prepared world in force for the changes that follow, and for everyone once the batch is durable. Logs the activation. False: prepared against another world; nothing done.</summary>
    public bool Activate(PreparedWorld prepared) => throw new NotImplementedException();

    /// <summary>Writes at once: for statements whose result the change needs. Expected conflicts are ON CONFLICT … RETURNING, never an exception.</summary>
    internal int Execute(string sql, object? args = null) => Connection.Execute(sql, args, Transaction);
}
