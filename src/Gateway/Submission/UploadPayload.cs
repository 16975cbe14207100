using System.Collections.Concurrent;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <summary>PUT /dispatches/{id}/payload: the bytes that an accepted header announced, whole.</summary>
sealed class UploadPayload(Arrival arrival, AcceptDispatch accept, Rejections rejections, Shared shared)
{
    readonly (IEngine Engine, Journal Journal, BlobStore Blobs) store = (shared.Engine, shared.Journal, shared.Blobs);
    readonly ILogger log = shared.Log<UploadPayload>();
    // Two transfers of one payload would write one file: the second waits for its turn by trying again.
    readonly ConcurrentDictionary<Guid, bool> running = [];

    /// <param name="length">Content-Length.</param>
    public async Task<Submitted> Upload(string office, Guid envelope, Stream body, long? length, CancellationToken cancel)
    {
        if (store.Journal.Full || shared.Room.IsShort) throw new RefusedException(Refusal.Full);

        // 1. What is awaited? An envelope that is already accepted answers with its receipt: the first answer was lost on the way.
        UploadRow? awaited;
        using (var reader = store.Engine.Reader())
        {
            awaited = UploadTable.Find(reader, office, envelope);
            if (awaited is null)
            {
                if (ReceiptTable.Acceptance(reader, office, envelope) is { } first) return new Submitted.Before(envelope, first.Der);
                throw new RefusedException(Refusal.NothingToUpload);
            }
        }
        if (length != awaited.PayloadBytes) throw new RefusedException(Refusal.PayloadLength, "Content-Length");
        if (!running.TryAdd(awaited.Id, true)) throw new RefusedException(Refusal.Busy, "the same upload is running");
        try
        {
            var parts = await StoredEnvelope.Read(awaited.Header, awaited.Approvals, awaited.Manifest);
            try
            {
                // 2. Verified while it is written, durable before the commit. A crash leaves a temp file or an orphan and the awaited row: the sender puts again.
                var payload = EnvelopeFile.PeekUnverified(parts.Header).Payload!;
                // A blob of this name is what an earlier try left between here and the commit: nothing was promised for it, so it makes way.
                if (store.Blobs.Length(awaited.Id) is not null) store.Blobs.Remove(awaited.Id);
                await store.Blobs.PutAsync(awaited.Id, file => Payload.VerifyAsync(body, payload, file, null, cancel), cancel);

                // 3. Everything again in the World of now: it may be days later. A refusal ends the upload.
                var arrived = arrival.Check(office, parts);

                // 4. The decision again, and ONE commit that also settles the awaited row. In AcceptDispatch.cs.
                return await accept.Accept(office, arrived, awaited.Id, null, cancel, upload: true);
            }
            catch (RefusedException e) when (e.Refusal == Refusal.PayloadLength || e.Refusal == Refusal.PayloadRoot)
            {
                // Damaged on the way: the sealed bytes of the sender may still be whole, so the upload stays awaited.
                throw await rejections.Reject(office, parts, e.Refusal, e.Detail);
            }
            catch (RefusedException e) when (e.Refusal != Refusal.Busy && e.Refusal != Refusal.Full)
            {
                var rejected = await rejections.Reject(office, parts, e.Refusal, e.Detail, giveUpUpload: awaited.Id);
                store.Blobs.Remove(awaited.Id);
                throw rejected;
            }
        }
        finally { running.TryRemove(awaited.Id, out _); }
    }

    /// <summary>Gives up uploads that did not come in time. Nothing was promised, so nothing is logged; the sender may submit again.</summary>
    public async Task<int> Step(DateTimeOffset now)
    {
        IReadOnlyList<UploadRow> late;
        using (var reader = store.Engine.Reader()) late = UploadTable.Expired(reader, now.ToUnixTimeMilliseconds(), 100);
        foreach (var row in late.Where(r => !running.ContainsKey(r.Id)))
        {
            await store.Journal.Commit(b =>
            {
                b.Quiet(QuietKind.UploadProgress);
                UploadTable.Remove(b, row.Id);
                return true;
            }, settle: true);
            log.UploadWasGivenUp(row.Id, row.Sender);
        }
        return late.Count;
    }
}
