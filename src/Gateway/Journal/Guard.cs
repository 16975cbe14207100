using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.TimeStamps;
using Exchange.Gateway.Store;
using Microsoft.Data.Sqlite;

namespace Exchange.Gateway.Journaling;

/// <summary>
/// The second, small store beside the ledger, on another path or host: it holds the newest head that may ever be signed, and every note that was. A head is
/// compared and swapped here before it is signed, so that a restored backup, a cloned folder or a double start refuses to run instead of forking the ledger.
/// Losing it means losing that protection: it is backed up apart from the store and never together with it.
/// </summary>
internal sealed class Guard : IDisposable
{
    readonly SqliteConnection connection;
    readonly WriteAheadLog log;

    readonly string file;

    // It is opened without an engine, too: by commands that look at it alone.
    static Guard() => ColumnTypes.Register();

    Guard(SqliteConnection connection, string file, string origin)
    {
        (this.connection, this.file) = (connection, file);
        log = new WriteAheadLog(connection);
        Origin = origin;
    }

    public string Origin { get; }

    /// <summary>The same guard, of another of its ledgers; see <see cref="OpenAny"/>.</summary>
    public Guard Of(string origin) => OpenAny(file, origin);

    /// <summary>The guard's file in its folder.</summary>
    public static string FileIn(string folder) => Path.Combine(folder, "guard.db");

    /// <summary>For a new ledger. The folder is made when it is not there.</summary>
    /// <exception cref="CannotStartException">There is a ledger of this name already.</exception>
    public static Guard Create(string file, string origin)
    {
        DurableFile.CreateFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);
        var connection = SqliteSettings.OpenWriter(file);
        CreateSchema(connection);
        var guard = new Guard(connection, file, origin);
        // One that never signed anything binds nobody: an init that failed half way may be repeated.
        if (CheckpointTable.TryAddOrigin(connection, origin) || (guard.Ended is null && guard.Head.Size == 0)) return guard;
        guard.Dispose();
        throw new CannotStartException($"{file} already guards a ledger named {origin}. A new ledger needs a new origin: two ledgers of one name contradict each other. Only if nobody keeps anything of the old one, remove the guard.");
    }

    /// <exception cref="CannotStartException">Missing, of another ledger, or that ledger has ended.</exception>
    public static Guard Open(string file, string origin)
    {
        var guard = OpenAny(file, origin);
        if (guard.Ended is not { } ended) return guard;
        guard.Dispose();
        throw new CannotStartException($"The ledger {origin} ended at {ended.Size} entries, and {ended.Successor} follows it: nothing is signed under the old name any more. Start the data folder of {ended.Successor}. "
            + $"If this is the folder that was to go on under that name and new-origin broke off, say the same new-origin again; if the data of {ended.Successor} is lost for good, go on from this folder with another new origin (docs/operations.md, \"The guard refuses\").");
    }

    /// <summary>As <see cref="Open"/>, also of a ledger that has ended: to restore, and to go on under a new name.</summary>
    /// <exception cref="CannotStartException">Missing, or of another ledger.</exception>
    public static Guard OpenAny(string file, string origin)
    {
        if (!File.Exists(file)) throw new CannotStartException($"The guard of the ledger is missing at {file}. Bring it back from where it is; without it nobody can tell whether the store was restored from a backup. If it is lost for good: exchange-gateway restore --guard-only.");
        Guard? guard = null;
        try
        {
            guard = new Guard(SqliteSettings.OpenWriter(file), file, origin);
            if (CheckpointTable.Newest(guard.connection, origin) is not null)
            {
                // One of an earlier version gets the tables that it lacks; that version goes on with it.
                CreateSchema(guard.connection);
                return guard;
            }
        }
        catch (SqliteException e)
        {
            guard?.Dispose();
            throw new CannotStartException($"{file} is not a guard ({e.Message}). Bring back the one that belongs to this data folder.", e);
        }
        guard.Dispose();
        throw new CannotStartException($"{file} does not guard a ledger named {origin}. Name the guard of this data folder, or start a new origin.");
    }

    static void CreateSchema(SqliteConnection connection)
    {
        CheckpointTable.CreateSchema(connection);
        TimeStampTable.CreateSchema(connection);
        SuccessionTable.CreateSchema(connection);
    }

    /// <summary>To look at, also beside the gateway that writes it.</summary>
    /// <exception cref="CannotStartException">Missing.</exception>
    public static Guard OpenReadOnly(string file, string origin) =>
        File.Exists(file) ? new Guard(SqliteSettings.OpenReader(file), file, origin) : throw new CannotStartException($"The guard of the ledger is missing at {file}.");

    /// <summary>Newest head that was swapped in; the beginning is size 0.</summary>
    public (long Size, Digest Root) Head => Ended is { } ended ? (ended.Size, ended.Root) : CheckpointTable.Newest(connection, Origin) ?? throw new IoFailure("The guard lost its row.");

    /// <summary>null: it signs still.</summary>
    public EndedRow? Ended => SuccessionTable.Ended(connection, Origin);

    /// <summary>Ledgers that this one follows, the last to end first.</summary>
    public IReadOnlyList<EndedRow> Follows => SuccessionTable.EndedBefore(connection, Origin);

    /// <summary>The entry with which it begins under its name; null: it follows no other.</summary>
    public SuccessionRow? Succession => SuccessionTable.Succession(connection, Origin);

    /// <summary>
    /// Ends this ledger, and those that it follows, in favour of another, which may sign from this head on. All or nothing, durable on return; after it no store, and no clone that runs, can have a head of
    /// the old name swapped in here.
    /// </summary>
    /// <param name="from">Its head, as the administrators signed it.</param>
    /// <param name="ended">This ledger and those that it follows.</param>
    /// <param name="next">The new ledger's first head, over its first entry.</param>
    /// <exception cref="CannotStartException">The head has moved, or there is a ledger of the new name.</exception>
    public void Succeed((long Size, Digest Root) from, IReadOnlyList<EndedRow> ended, SuccessionRow row, (long Size, Digest Root) next) => StoreErrors.Guard(() =>
    {
        using var transaction = connection.BeginTransaction();
        if (!SuccessionTable.Close(connection, transaction, Origin, from)) throw new CannotStartException($"The guard's head of {Origin} has moved: a gateway runs somewhere under this name. Stop it, and begin again with the head that is there then.");
        if (!SuccessionTable.TryBegin(connection, transaction, row.Origin, next)) throw new CannotStartException($"There is, or was, a ledger named {row.Origin} already. A new ledger needs a name that was never used.");
        SuccessionTable.Add(connection, transaction, row);
        foreach (var one in ended) SuccessionTable.End(connection, transaction, one);
        transaction.Commit();
        return Carried();
    });

    /// <summary>Heads that were signed of sizes up to this one, largest first.</summary>
    public IEnumerable<SignedHead> Below(long size) => CheckpointTable.Below(connection, Origin, size);

    /// <summary>Durable on return. False: the head is not <paramref name="old"/> any more, somebody else signed for this ledger.</summary>
    public bool CompareAndSwap((long Size, Digest Root) old, (long Size, Digest Root) next) =>
        next.Size > old.Size && StoreErrors.Guard(() => CheckpointTable.Swap(connection, Origin, old, next)) && Carried();

    /// <summary>Keeps a signed note, durable on return. One of this size that is kept stays: it may bear more lines.</summary>
    /// <returns>What is kept.</returns>
    public PublishedCheckpoint Keep(PublishedCheckpoint checkpoint) => StoreErrors.Guard(() =>
    {
        CheckpointTable.Add(connection, Origin, checkpoint);
        Carried();
        return CheckpointTable.Note(connection, Origin, checkpoint.Size)!;
    });

    /// <summary>null: none was signed yet.</summary>
    public PublishedCheckpoint? NewestNote => CheckpointTable.NewestNote(connection, Origin);

    /// <summary>Adds signature lines to the note of this head that is kept, durable on return; keys that signed already are passed over.</summary>
    /// <returns>What is kept now.</returns>
    public PublishedCheckpoint Add(PublishedCheckpoint head, IReadOnlyList<NoteSignature> lines) => StoreErrors.Guard(() =>
    {
        var kept = CheckpointTable.Note(connection, Origin, head.Size) is { } found && found.Root == head.Root ? found : throw new IoFailure("The guard lost a note that was published.");
        var (text, there) = SignedNote.Read(Encoding.UTF8.GetBytes(kept.Note));
        var added = lines.Where(l => !there.Any(t => t.Name == l.Name && t.KeyId == l.KeyId)).ToList();
        if (added.Count == 0) return kept;
        var note = $"{text}\n{string.Concat(there.Concat(added).Select(l => l.Line + "\n"))}";
        // Nobody could read it beyond these limits.
        SignedNote.Read(Encoding.UTF8.GetBytes(note));
        CheckpointTable.Replace(connection, Origin, kept, note);
        Carried();
        return kept with { Note = note };
    });

    /// <summary>Size that a witness was last known to have; 0: nothing is known.</summary>
    public long WitnessHas(string place) => CheckpointTable.WitnessHas(connection, Origin, place);

    /// <summary>Remembers it.</summary>
    public bool WitnessHas(string place, long size) => StoreErrors.Guard(() =>
    {
        CheckpointTable.WitnessHas(connection, Origin, place, size);
        return Carried();
    });

    /// <summary>Which head was to be time-stamped last; null: none yet.</summary>
    public StampTurn? LastTurn => TimeStampTable.Last(connection, Origin);

    /// <summary>The newest head that has a token; null: none has.</summary>
    public StampedHead? NewestStamp => TimeStampTable.Newest(connection, Origin);

    /// <summary>Heads that wait for a token, smallest first.</summary>
    public IReadOnlyList<WaitingHead> WaitingForTime(int limit) => TimeStampTable.Waiting(connection, Origin, limit);

    /// <summary>This head waits for a token from now on, and those before it that are no day's end do not, durable on return.</summary>
    /// <param name="day">Number of the day whose end it is; null: of none.</param>
    public bool QueueForTime(long size, DateTimeOffset due, long? day) => StoreErrors.Guard(() =>
    {
        TimeStampTable.Queue(connection, Origin, size, due.ToUnixTimeMilliseconds(), day);
        return Carried();
    });

    /// <summary>Keeps a verified token, durable on return; one that is kept stays.</summary>
    public bool KeepStamp(long size, ReadOnlyMemory<byte> token, StampTime time) => StoreErrors.Guard(() =>
    {
        var earliest = time.Earliest.ToUnixTimeMilliseconds();
        TimeStampTable.Keep(connection, Origin, size, token.ToArray(), time.At.ToUnixTimeMilliseconds(), Math.Max(earliest, NewestStamp?.Floor ?? earliest));
        return Carried();
    });

    bool Carried()
    {
        log.CarryOver();
        return true;
    }

    /// <summary>Every head ever signed, and those of ledgers that it follows as far as it continues them, smallest first, one at a time: they grow by thousands a day.</summary>
    public IEnumerable<SignedHead> Heads() => CheckpointTable.Heads(connection, Origin);

    /// <summary>Every note ever signed, smallest first, all of them at once: of a small ledger.</summary>
    public IReadOnlyList<PublishedCheckpoint> Notes() => CheckpointTable.All(connection, Origin);

    public void Dispose() => connection.Dispose();
}
