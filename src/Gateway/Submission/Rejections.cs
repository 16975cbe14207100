using System.Collections.Concurrent;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <summary>A submission refused, after its refusal was journalled.</summary>
/// <param name="receipt">SubmissionRejection, DER; null when the header could not be read, so that there is nothing to name.</param>
sealed class RejectedException(Refusal refusal, byte[]? receipt) : Exception(refusal.Code)
{
    public Refusal Refusal { get; } = refusal;
    public byte[]? Receipt { get; } = receipt;
}

/// <summary>Journals refusals. The sender sees the code that he may see; the decision behind it is stored and only committed to.</summary>
sealed class Rejections(Shared shared, Quotas quotas)
{
    readonly (Journal Journal, Worlds Worlds, Evidence Evidence) store = (shared.Journal, shared.Worlds, shared.Evidence);
    readonly ILogger log = shared.Log<Rejections>();
    readonly ConcurrentDictionary<string, long> unjournalled = [];

    /// <returns>To be thrown: the refusal is durable.</returns>
    /// <exception cref="LaterException">This office was refused so often that it gets no more entries for now; nothing was changed.</exception>
    public async Task<RejectedException> Reject(string office, EnvelopeParts? parts, Refusal refusal, string detail, Decision? decision = null, Guid? giveUpUpload = null)
    {
        var now = shared.Clock.GetUtcNow();
        try { quotas.DemandRefusal(office, now); }
        catch (LaterException)
        {
            unjournalled.AddOrUpdate(office, 1, (_, count) => count + 1);
            throw;
        }
        var header = parts is null ? null : Readable(parts.Header);
        var record = decision is null ? null : DecisionRow.Of(decision.Record);
        var entry = LedgerEntry.Create(new RejectionDetail(office, header?.Content.Id, header?.Statement.Ref, refusal.Code, record?.Digest) { Time = now.ToUnixTimeMilliseconds() });
        var receipt = header is null ? null : store.Evidence.Sign(ReceiptEvent.SubmissionRejection, refusal.Code,
            new(office, header.Content.Id, header.Statement.Ref, header.Statement.ManifestDigest, null, null), entry, store.Worlds.Current.Policy.Ref, now, header.Content.Dispatch.Signatures);

        using var span = Spans.Start("commit");
        // ONE commit: entry, receipt, decision. A crash before it leaves nothing, and the sender has no answer; after it he may ask again and is refused again.
        await store.Journal.Commit(b =>
        {
            b.Log(entry, EntryKind.Rejection, receipt?.Content.Id);
            if (receipt is not null) b.Add(ReceiptRows.Rejection(receipt));
            if (record is not null) b.Add(record);
            if (giveUpUpload is { } upload) UploadTable.Remove(b, upload);
            return true;
        }, receipt?.Der.Length ?? 0);

        log.DispatchWasRefused(office, refusal.Code, detail);
        return new RejectedException(refusal, receipt?.Der);
    }

    /// <summary>What was refused without an entry since the last time, one line an office.</summary>
    public Task Step(DateTimeOffset now)
    {
        foreach (var office in unjournalled.Keys)
            if (unjournalled.TryRemove(office, out var count)) log.RefusalsWereNotJournalled(office, count);
        return Task.CompletedTask;
    }

    sealed record ReadableHeader(Statement Statement, Header Content);

    // A header whose own signature holds names an envelope, even when the rest does not fit it. One that does not, names nothing.
    static ReadableHeader? Readable(ReadOnlyMemory<byte> der)
    {
        try
        {
            var statement = Statement.Read(der, StatementType.Header);
            return new(statement, statement.As<Header>());
        }
        catch (RefusedException) { return null; }
    }
}
