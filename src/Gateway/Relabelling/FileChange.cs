using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Relabelling;

/// <summary>What was decided about a change of a label.</summary>
/// <param name="Row">As it is from now on; null: the change is not kept.</param>
/// <param name="Verdict">"permit", "hold" or "deny".</param>
/// <param name="Cause">"person", "term" or "succession".</param>
/// <param name="Decision">null: it ended without one.</param>
sealed record DecidedChange(LabelStanding Standing, LabelChange Change, LabelChangeRow? Row, World World, string Verdict, string Code, string Cause, DecisionRow? Decision)
{
    /// <summary>Who said it, with the ref of his statement; null: nobody, time did it.</summary>
    public (Digest Statement, Digest Person, string Office, byte[] Der)? Said { get; init; }
}

/// <summary>The one commit of every change of a label, and of every no to one.</summary>
sealed class FileChange(Shared shared)
{
    readonly ILogger log = shared.Log<FileChange>();

    /// <returns>Our receipt; null: the World or the label has moved on since it was read, or the dispatch was erased, nothing was changed, look and decide again.</returns>
    public async Task<byte[]?> Commit(DecidedChange decided)
    {
        var (standing, dispatch, now) = (decided.Standing, decided.Standing.Dispatch, shared.Clock.GetUtcNow());
        var time = now.ToUnixTimeMilliseconds();
        var entry = LedgerEntry.Create(new LabelDetail(dispatch.Sender, dispatch.Envelope, dispatch.Ctx, decided.Change.Ref, decided.Change.Act, decided.Cause, decided.Verdict, decided.Code,
            decided.Said?.Statement, decided.Decision?.Digest) { Time = time });
        var receipt = shared.Evidence.Sign(ReceiptEvent.LabelChange, decided.Code, new(dispatch.Sender, dispatch.Envelope, dispatch.Ctx, dispatch.ManifestDigest, null, null), entry, decided.World.Policy.Ref, now);
        var word = decided is { Row: { } row, Said: { } said } ? new LabelWordRow { Change = row.Id, Person = said.Person, Office = said.Office, Time = time, Leaf = entry.Leaf, Der = said.Der } : null;

        // ONE commit: the change, the person's statement, the decision, our receipt, the entry. Before it: no answer, and he says it again, or the next look finds its time again. After it: it
        // counts for every decision that is made from now on, or waits, whatever happens to us now.
        var filed = await shared.Journal.Commit(b =>
        {
            if (b.World.Id != decided.World.Id || LabelTable.Mark(b, dispatch.Id) != standing.Mark || ErasureTable.Has(b, dispatch.Id)) return false;
            if (decided.Row is { } change) LabelTable.Put(b, change);
            if (word is not null) LabelTable.Add(b, word);
            b.Log(entry, EntryKind.Label, dispatch.Id).Add(ReceiptRows.Of(receipt, dispatch.Id, null));
            if (decided.Decision is { } decision) b.Add(decision);
            return true;
        }, receipt.Der.Length + (decided.Row?.Change.Length ?? 0) + (decided.Said?.Der.Length ?? 0), settle: true);
        if (!filed) return null;
        log.LabelWasJudged(dispatch.Id, decided.Change.Act, decided.Cause, decided.Verdict, decided.Code);
        return receipt.Der;
    }
}

static partial class RelabellingLog
{
    [LoggerMessage(2201, LogLevel.Information, "A change of the label of dispatch {Dispatch} ({Act}, by {Cause}): {Verdict} ({Code})")]
    public static partial void LabelWasJudged(this ILogger log, Guid dispatch, string act, string cause, string verdict, string code);

    [LoggerMessage(2202, LogLevel.Warning, "A change of a label that {Office} sent was refused: {Code} ({Detail})")]
    public static partial void ChangeWasRefused(this ILogger log, string office, string code, string detail);
}
