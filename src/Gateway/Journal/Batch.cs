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
    readonly List<BroughtRow> brought = [];
    readonly List<DecisionRow> decisions = [];
    readonly List<DocumentRow> documents = [];
    readonly List<JobRow> jobs = [];
    readonly List<AttemptRow> attempts = [];
    readonly HashSet<(string Office, int Class)> lanes = [];
    (long Written, int Added, int Entries) before;
    int added;
    QuietKind? quiet;
    // Asked once: most gateways were never brought anything.
    bool? owes;

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

    /// <summary>Entries of the ledger with those that were logged here so far.</summary>
    internal long Size => Head.Size + entries.Count;

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

    /// <summary>Rows that are rarely read in the batch that adds them: written set-wise, at the end or before the next read of such tables.</summary>
    public Batch Add(IEnumerable<ParcelRow> rows)
    {
        parcels.AddRange(rows);
        added++;
        return this;
    }

    public Batch Add(IEnumerable<JobRow> rows)
    {
        foreach (var job in rows)
        {
            jobs.Add(job);
            Touch(job.Office, job.Class);
        }
        added++;
        return this;
    }

    /// <summary>The jobs of this lane are not what they were.</summary>
    internal void Touch(string office, int @class) => lanes.Add((office, @class));

    internal IReadOnlyCollection<(string Office, int Class)> Lanes => lanes;

    public Batch Add(AttemptRow attempt)
    {
        attempts.Add(attempt);
        added++;
        return this;
    }

    public Batch Add(ReceiptRow receipt)
    {
        receipts.Add(receipt);
        added++;
        return this;
    }

    /// <summary>Every receipt about it but its answer goes back by that channel.</summary>
    public Batch Add(BroughtRow submission)
    {
        brought.Add(submission);
        added++;
        owes = true;
        return this;
    }

    public Batch Add(DecisionRow decision)
    {
        decisions.Add(decision);
        added++;
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
            added++;
            if (entry is not null) Log(entry, EntryKind.Activation);
        }
        World = prepared.Next;
        Activated = true;
        return true;
    }

    /// <summary>Writes at once: for statements whose result the change needs. Expected conflicts are ON CONFLICT DO NOTHING, never an exception.</summary>
    internal int Execute(string sql, object? args = null)
    {
        WriteRows();
        return transaction.Execute(sql, args);
    }

    /// <summary>As <see cref="Execute"/>, for one wide row.</summary>
    internal void Insert<T>(RowShape<T> shape, T row) => transaction.Insert(shape, [row]);

    // What a change of this batch added is there for the next one: two requests that race may be neighbours in one batch.
    protected override T Read<T>(Func<T> read)
    {
        WriteRows();
        return StoreErrors.Guard(read);
    }

    protected override T Guarded<T>(Func<T> read) => StoreErrors.Guard(read);

    /// <summary>Between these two a change runs.</summary>
    internal void Enter()
    {
        before = (transaction.Written, added, entries.Count);
        quiet = null;
    }

    /// <exception cref="InvalidOperationException">It wrote and did not log.</exception>
    internal void Leave()
    {
        var logged = entries.Count > before.Entries;
        var promised = added > before.Added;
        if (quiet is not null && (logged || promised)) throw new InvalidOperationException($"A change declared {quiet} adds no permanent rows and no entries.");
        if (quiet is null && !logged && (promised || transaction.Written != before.Written)) throw new InvalidOperationException("A change wrote without logging an entry.");
    }

    /// <summary>Rows set-wise; entries with their place in the tree; the head last. Null: nothing was written.</summary>
    internal LedgerHead? Flush(long written)
    {
        if (entries.Count == 0 && added == 0 && transaction.Written == written) return null;
        WriteRows();
        var head = LedgerAppend.Append(this, transaction, entries);
        HeadTable.Move(transaction, Head, head);
        return head;
    }

    // Entries come later than the rows that point to them: those references are checked at commit.
    void WriteRows()
    {
        Write(DocumentTable.Shape, documents);
        Write(DecisionTable.Shape, decisions);
        Write(ParcelTable.Shape, parcels);
        Write(JobTable.Shape, jobs);
        Write(AttemptTable.Shape, attempts);
        Write(ReplyTable.Brought, brought);
        if (receipts.Count == 0) return;
        ReceiptRow[] signed = [.. receipts];
        Write(ReceiptTable.Shape, receipts);
        if (owes ??= ReplyTable.HasAny(this))
            foreach (var receipt in signed) ReplyTable.Owe(this, receipt);
    }

    void Write<T>(RowShape<T> shape, List<T> rows)
    {
        if (rows.Count == 0) return;
        transaction.Insert(shape, rows);
        rows.Clear();
    }
}

internal sealed record NewEntry(LedgerEntry Entry, EntryKind Kind, Guid? Subject);
