using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Erasing;

/// <summary>
/// Carries erasures on to their end, whoever began them and whatever died meanwhile: it knows them from the store. Files go after the commit that says so, the last entry after the files, and the pages of
/// before that lie in the logs of both databases last of all. Two of them at once do no harm: each entry is erased by one commit.
/// </summary>
sealed class FinishErasures(Shared shared)
{
    /// <summary>Entries read at once; erasures looked at in one round; rounds for which an order waits, each with a moment for whoever reads.</summary>
    const int Read = 2000, Looked = 1000, Rounds = 25;
    readonly OldPages pages = shared.OldPages;
    readonly ILogger log = shared.Log<FinishErasures>();

    /// <summary>Entries in one commit.</summary>
    public int AtOnce { get; init; } = 200;
    /// <summary>Called with a step's name before it is taken: a test that throws there has killed the process at that place.</summary>
    public Action<string>? At { get; init; }

    public Task Step(DateTimeOffset now) => Go();

    /// <returns>Nothing is left to do. False: somebody reads for long; <see cref="Step"/> goes on.</returns>
    public async Task<bool> Run()
    {
        for (var round = 0; round < Rounds; round++)
            if (await Go()) return true;
        return false;
    }

    /// <summary>Begins one. ONE commit: before it nothing has happened; after it the dispatch is gone for whoever asks, whatever happens to us now.</summary>
    /// <returns>False: it is still owed to somebody by now; nothing was changed.</returns>
    public async Task<bool> Begin(ErasableDispatch dispatch, Digest operation, string basis, byte[] statement)
    {
        var told = Told(dispatch.Id, dispatch.Sender, dispatch.Envelope, AtOnce + 1);
        // One entry is left for the commit that ends it, after the files.
        var first = Prepare(told.Count > 1 ? told.Take(told.Count - 1) : told, basis, operation);
        At?.Invoke("begin");
        var begun = await shared.Journal.Commit(b =>
        {
            if (ErasureTable.Find(b, dispatch.Sender, dispatch.Envelope) is not { } now || (now.BegunAt is null && now.Owed is not null)) return false;
            if (now.BegunAt is not null) return true;
            ErasureTable.Begin(b, now, operation, basis, statement);
            Erase(b, first);
            EndIfLast(b, dispatch.Id, dispatch.Sender, dispatch.Envelope);
            return true;
        }, settle: true);
        if (!begun) return false;
        pages.More();
        At?.Invoke("files");
        RemoveFiles(dispatch.Id);
        return true;
    }

    /// <returns>Nothing is left to do.</returns>
    async Task<bool> Go()
    {
        if (!pages.AreKnown) Begins();
        IReadOnlyList<ErasureRow> open;
        using (var reader = shared.Engine.Reader()) open = ErasureTable.Open(reader, Looked);
        foreach (var erasure in open) await Finish(erasure);
        if (open.Count == Looked) return false;
        var erased = pages.Erased;
        if (pages.AreAllGone) return true;
        if (!await Emptied()) return false;
        pages.AreGone(erased);
        return true;
    }

    // A store of which nothing was ever erased has nothing to forget. The run before may have died between a commit that ended one and its files: of the newest it is asked again.
    void Begins()
    {
        IReadOnlyList<ErasureRow> newest;
        using (var reader = shared.Engine.Reader()) newest = ErasureTable.Newest(reader, Looked);
        if (newest.Count == 0) pages.AreGone(pages.Erased);
        foreach (var erasure in newest) RemoveFiles(erasure.Id);
    }

    async Task<bool> Emptied()
    {
        // The index first: to take in what is erased it reads the store, whose log is emptied when nobody does.
        At?.Invoke("logs");
        try { return (shared.AuditIndex?.Forget() ?? true) && await shared.Journal.EmptyLog(); }
        catch (RefusedException e) when (e.Refusal == Refusal.Full || e.Refusal == Refusal.Busy) { return false; }
    }

    async Task Finish(ErasureRow erasure)
    {
        // 1. Files. Again is harmless; a crash before: they are there, no row wants them, and the next look is here again.
        RemoveFiles(erasure.Id);

        // 2. What is still told, in commits of some, each with an entry for each that went. The last one ends it. A crash between two: the next look goes on.
        while (Prepare(Told(erasure.Id, erasure.Sender, erasure.Envelope, Read), erasure.Basis, erasure.Operation) is { Count: > 0 } told)
            foreach (var some in told.Chunk(AtOnce))
            {
                At?.Invoke("entries");
                var ended = await shared.Journal.Commit(b => Erase(b, some) > 0 && EndIfLast(b, erasure.Id, erasure.Sender, erasure.Envelope), settle: true);
                pages.More();
                if (ended) log.DispatchWasErased(erasure.Id, erasure.Basis);
            }
    }

    sealed record Going(ToldEntry Entry, LedgerEntry Says, Digest? Decision);

    // Drawn and hashed before the writer. Some decisions only an entry names.
    List<Going> Prepare(IEnumerable<ToldEntry> told, string basis, Digest operation)
    {
        var time = shared.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        return [.. told.Select(t => new Going(t, LedgerEntry.Create(new ErasedDetail(t.Seq, basis, operation) { Time = time }), EntryDetails.Read(t.Detail) switch
        {
            RejectionDetail d => d.Decision,
            LabelDetail d => d.Decision,
            ConsignmentFailureDetail d => d.Decision,
            _ => null,
        }))];
    }

    static int Erase(Batch b, IEnumerable<Going> going)
    {
        var erased = 0;
        foreach (var (entry, says, decision) in going)
        {
            if (!ErasureTable.Erase(b, entry)) continue;
            if (decision is { } digest) ErasureTable.Erase(b, digest);
            b.Log(says, EntryKind.Erased);
            erased++;
        }
        return erased;
    }

    static bool EndIfLast(Batch b, Guid id, string sender, Guid envelope)
    {
        if (ErasureTable.IsTold(b, id, sender, envelope)) return false;
        ErasureTable.End(b, id);
        return true;
    }

    IReadOnlyList<ToldEntry> Told(Guid id, string sender, Guid envelope, int limit)
    {
        using var reader = shared.Engine.Reader();
        return ErasureTable.Told(reader, id, sender, envelope, limit);
    }

    void RemoveFiles(Guid dispatch)
    {
        if (shared.Blobs.Length(dispatch) is not null) shared.Blobs.Remove(dispatch);
        IReadOnlyList<Guid> copies;
        using (var reader = shared.Engine.Reader()) copies = ParcelTable.IdsOf(reader, dispatch);
        foreach (var copy in copies)
            if (shared.Sealed.Length(copy) is not null) shared.Sealed.Remove(copy);
    }
}

static partial class ErasingLog
{
    [LoggerMessage(3301, LogLevel.Information, "The erasure of dispatch {Dispatch} has begun: {Basis}")]
    public static partial void ErasureHasBegun(this ILogger log, Guid dispatch, string basis);

    [LoggerMessage(3302, LogLevel.Information, "Dispatch {Dispatch} was erased: {Basis}")]
    public static partial void DispatchWasErased(this ILogger log, Guid dispatch, string basis);
}
