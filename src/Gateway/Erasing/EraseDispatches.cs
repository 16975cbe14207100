using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Erasing;

/// <summary>
/// What two administrators signed: dispatches go, with payload, manifest, header, receipts, decisions and every salt and detail about them. Leaves, ids, digests, parties, states and times stay, so that
/// proofs hold, no envelope comes twice, and the ledger says what is gone and who wanted it.
/// </summary>
sealed class EraseDispatches(FinishErasures finish, Shared shared)
{
    readonly ILogger log = shared.Log<EraseDispatches>();

    /// <param name="statement">Verified: of two administrators, for this gateway.</param>
    /// <returns>What was done, in a line.</returns>
    /// <exception cref="RefusedException">NotFound: one is not here. Request: one is still owed to somebody. Then nothing was erased, unless it became so meanwhile; the same order goes on where it ended.</exception>
    public async Task<string> Run(Statement statement)
    {
        var operation = statement.As<OperationStatement>();

        // 1. All or none: an order that cannot be carried out whole is refused before anything has gone.
        var named = operation.Dispatches!.ToHashSet();
        var found = Find(named);
        if (found.FirstOrDefault(f => f.BegunAt is null && f.Owed is not null && !IsOnlyUpdated(f, named)) is { } owed) throw Refused(owed);

        // 2. Updates before what they update, whose label is theirs. For each ONE commit begins: from it on nobody is told anything of the dispatch. A crash anywhere: what has begun goes on by itself, and
        // the order, which still lies there, begins the rest.
        var (begun, der) = (0, statement.Der.ToArray());
        foreach (var dispatch in found.OrderByDescending(f => f.IsUpdate).Where(f => f.BegunAt is null))
        {
            if (!await finish.Begin(dispatch, statement.Ref, operation.Code, der)) throw Refused(Find([new(dispatch.Sender, dispatch.Envelope)])[0]);
            log.ErasureHasBegun(dispatch.Id, operation.Code);
            begun++;
        }

        // 3. To the end: files, the other entries, the auditors' index, and the logs of both databases.
        var done = await finish.Run();
        var before = found.Count - begun;
        return $"{begun} erased, {operation.Code}{(before > 0 ? $"; {before} had been before" : "")}{(done ? "; nothing of them is left in this data folder" : "; pending: somebody reads from the store's log, which is emptied as soon as he has done")}. "
            + "Backups, receipts, evidence files and exports that were given out still hold them.";
    }

    List<ErasableDispatch> Find(IEnumerable<OperatedDispatch> named)
    {
        using var reader = shared.Engine.Reader();
        return [.. named.Select(n => ErasureTable.Find(reader, n.Sender, n.Envelope) ?? throw new RefusedException(Refusal.NotFound, $"{n.Sender} {n.Envelope}"))];
    }

    // What still updates it is erased by the same order, before it.
    bool IsOnlyUpdated(ErasableDispatch dispatch, HashSet<OperatedDispatch> named)
    {
        using var reader = shared.Engine.Reader();
        return dispatch.Owed == ErasureTable.Updated && ErasureTable.UpdatesKept(reader, dispatch.Sender, dispatch.Envelope).All(u => named.Contains(new(dispatch.Sender, u)));
    }

    static RefusedException Refused(ErasableDispatch dispatch) => new(Refusal.Request, $"{dispatch.Sender} {dispatch.Envelope}: {dispatch.Owed}");
}
