using Exchange.Crypto.Ledger;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Journaling;

/// <summary>On the writer thread, maybe twice: touches only the batch; no I/O, clock or cryptography. What it returns is the answer once the batch is durable.</summary>
internal delegate T Change<out T>(Batch b);

/// <summary>
/// One transaction of the journal as its changes see it. Every change that writes logs at least one entry, or says that it is one of the quiet kinds;
/// a change that only reads (a repeat, a stale world) needs neither.
/// </summary>
internal sealed class Batch : Source
{
    readonly IEngineTransaction transaction;
    readonly List<NewEntry> entries = [];
    readonly List<ParcelRow> parcels = [];
    readonly List<ReceiptRow> receipts = [];
    readonly List<DecisionRow> decisions = [];
    readonly List<DocumentRow> documents = [];
    (long Written, int Rows, int Entries) before;
    QuietKind? quiet;

    internal Batch(IEngineTransaction transaction, World world, DateTimeOffset clock) : base(transaction.Connection)
    {
        this.transaction = transaction;
        World = world;
        // The clock may step back; the ledger's time does not.
        Now = DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(clock.ToUnixTimeMilliseconds(), transaction.Head.Time));
    }

    /// <summary>In force for this change. A change prepared against another id answers Stale.</summary>
    public World World { get; private set; }

    /// <summary>Never earlier than in any batch before.</summary>
    public DateTimeOffset Now { get; }

    internal LedgerHead Head => transaction.Head;
    internal bool Activated { get; private set; }
    int Rows => parcels.Count + receipts.Count + decisions.Count + documents.Count;

    /// <summary>Appends an entry; it gets its index when the batch is flushed.</summary>
    /// <param name="subject">Which row it is about: see <see cref="StoreCheck"/> for what each kind promises.</param>
    public Batch Log(LedgerEntry entry, EntryKind kind, Guid? subject = null)
    {
        entries.Add(new NewEntry(entry, kind, subject));
        return this;
    }

    /// <summary>Declares that this change leaves no entry. It may then add no permanent rows.</summary>
    public Batch Quiet(QuietKind kind)
    {
        quiet = kind;
        return this;
    }

    /// <summary>Rows that no change of the batch reads: written set-wise at the end.</summary>
    public Batch Add(IEnumerable<ParcelRow> rows)
    {
        parcels.AddRange(rows);
        return this;
    }

    public Batch Add(ReceiptRow receipt)
    {
        receipts.Add(receipt);
        return this;
    }

    public Batch Add(DecisionRow decision)
    {
        decisions.Add(decision);
        return this;
    }

    /// <summary>
    /// Puts a prepared world in force for the changes that follow, and for everyone once the batch is durable; logs the activations.
    /// False: it was prepared against another world; nothing was done.
    /// </summary>
    public bool Activate(PreparedWorld prepared)
    {
        if (prepared.BasedOn != World.Id) return false;
        foreach (var (row, entry) in prepared.Documents)
        {
            documents.Add(row);
            if (entry is not null) Log(entry, EntryKind.Activation);
        }
        World = prepared.Next;
        Activated = true;
        return true;
    }

    /// <summary>Writes at once: for statements whose result the change needs. Expected conflicts are ON CONFLICT DO NOTHING, never an exception.</summary>
    internal int Execute(string sql, object? args = null) => transaction.Execute(sql, args);

    /// <summary>As <see cref="Execute"/>, for one wide row.</summary>
    internal void Insert<T>(RowShape<T> shape, T row) => transaction.Insert(shape, [row]);

    protected override T Guarded<T>(Func<T> read) => StoreErrors.Guard(read);

    /// <summary>Between these two a change runs.</summary>
    internal void Enter()
    {
        before = (transaction.Written, Rows, entries.Count);
        quiet = null;
    }

    /// <exception cref="InvalidOperationException">It wrote and did not log.</exception>
    internal void Leave()
    {
        var logged = entries.Count > before.Entries;
        var added = Rows > before.Rows;
        if (quiet is not null && (logged || added)) throw new InvalidOperationException($"A change declared {quiet} adds no permanent rows and no entries.");
        if (quiet is null && !logged && (added || transaction.Written != before.Written)) throw new InvalidOperationException("A change wrote without logging an entry.");
    }

    /// <summary>Rows set-wise; entries with their place in the tree before what points to them; the head last. Null: nothing was written.</summary>
    internal LedgerHead? Flush(long written)
    {
        if (entries.Count == 0 && Rows == 0 && transaction.Written == written) return null;
        var head = LedgerAppend.Append(this, transaction, entries);
        transaction.Insert(DocumentTable.Shape, documents);
        transaction.Insert(DecisionTable.Shape, decisions);
        transaction.Insert(ParcelTable.Shape, parcels);
        transaction.Insert(ReceiptTable.Shape, receipts);
        HeadTable.Move(transaction, Head, head);
        return head;
    }
}

internal sealed record NewEntry(LedgerEntry Entry, EntryKind Kind, Guid? Subject);
