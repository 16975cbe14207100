using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <param name="Length">Content-Length.</param>
/// <param name="From">Byte of the payload at which it goes on; null: it begins anew, and comes whole.</param>
sealed record UploadBody(Stream Bytes, long? Length, long? From);

/// <summary>PUT, PATCH and HEAD /dispatches/{id}/payload: the bytes that an accepted header announced, in as many goes as the line needs.</summary>
sealed class UploadPayload(Arrival arrival, AcceptDispatch accept, Rejections rejections, Shared shared)
{
    readonly (IEngine Engine, Journal Journal, UploadFolder Files) store = (shared.Engine, shared.Journal, shared.Uploads);
    readonly ILogger log = shared.Log<UploadPayload>();
    // Two transfers of one payload would write one file: the second waits for its turn by trying again. Its row is read, and its files touched, only under this.
    readonly ConcurrentDictionary<(string Office, Guid Envelope), bool> running = [];

    /// <summary>How much of an awaited payload is here for good.</summary>
    /// <exception cref="RefusedException">NothingToUpload: submit again, the answer says why.</exception>
    public Submitted Ask(string office, Guid envelope)
    {
        using var reader = store.Engine.Reader();
        var awaited = Awaited(reader, office, envelope) ?? throw new RefusedException(Refusal.NothingToUpload);
        return new Submitted.Partly(envelope, store.Files.Durable(awaited.Id, PayloadOf(awaited).Length), awaited.PayloadBytes);
    }

    public Task<Submitted> TakeIn(string office, Certificate session, Guid envelope, UploadBody body, CancellationToken cancel) => MeasureSubmission.Run(shared, "upload", () => Story(office, session, envelope, body, cancel));

    async Task<Submitted> Story(string office, Certificate session, Guid envelope, UploadBody body, CancellationToken cancel)
    {
        DemandRoom();

        if (!running.TryAdd((office, envelope), true)) throw new RefusedException(Refusal.Busy, "the same upload is running");
        try
        {
            // 1. What is awaited? An envelope that is already accepted answers with its receipt: the first answer was lost on the way.
            UploadRow? awaited;
            using (var reader = store.Engine.Reader())
            {
                awaited = Awaited(reader, office, envelope);
                if (awaited is null)
                {
                    return EarlierSubmission.Find(reader, office, envelope, null) ?? throw new RefusedException(Refusal.NothingToUpload);
                }
            }
            if (body.From is null && body.Length != awaited.PayloadBytes) throw new RefusedException(Refusal.PayloadLength, "Content-Length");
            return await Continue(office, session, awaited, body, cancel);
        }
        finally { running.TryRemove((office, envelope), out _); }
    }

    async Task<Submitted> Continue(string office, Certificate session, UploadRow awaited, UploadBody body, CancellationToken cancel)
    {
        var payload = PayloadOf(awaited);
        // 2. Go on where it broke off, or begin anew. A payload that a crash left in its place, whole, only wants its commit.
        if (body.From is null && !store.Files.IsPlaced(awaited.Id, payload.Length)) store.Files.Drop(awaited.Id);
        using (var span = Spans.Start("store payload"))
        using (var upload = store.Files.Open(awaited.Id, payload.Length))
        {
            span.Dispatch(awaited.Id);
            if (body.From is { } from && from != upload.Offset) return new Submitted.Elsewhere(awaited.Envelope, upload.Offset, awaited.PayloadBytes);
            if (body.From is not null && (body.Length ?? long.MaxValue) > awaited.PayloadBytes - upload.Offset) throw new RefusedException(Refusal.PayloadLength, "Content-Length");

            // 3. Whole segments, hashed on the way to the disk, durable on return. A crash costs 64 MiB at most; the sender asks and goes on.
            if (!upload.IsWhole && await upload.TakeIn(body.Bytes, DemandRoom, cancel) is { } broken) ExceptionDispatchInfo.Throw(broken);
            if (!upload.IsWhole) return new Submitted.Partly(awaited.Envelope, upload.Offset, awaited.PayloadBytes);
            if (upload.Root() == payload.Root) upload.Place();
            else payload = null;
        }
        return await Finish(office, session, awaited, payload is not null, cancel);
    }

    async Task<Submitted> Finish(string office, Certificate session, UploadRow awaited, bool rootHolds, CancellationToken cancel)
    {
        var parts = await StoredEnvelope.Read(awaited.Header, awaited.Approvals, awaited.Manifest);
        if (!rootHolds)
        {
            // Damaged on the way: the sealed bytes of the sender may still be whole, so the upload stays awaited and begins anew.
            store.Files.Drop(awaited.Id);
            throw await rejections.Reject(office, parts, Refusal.PayloadRoot, "");
        }
        try
        {
            // 4. Everything again in the World of now: it may be days later. A refusal ends the upload.
            var arrived = arrival.Check(office, parts, new Session.SignedIn(session));

            // 5. The decision again, and ONE commit that also settles the awaited row. In AcceptDispatch.cs and HoldDispatch.cs.
            store.Files.Step("commit");
            var submitted = await accept.Accept(office, arrived, new(awaited.Id, null) { OfUpload = true }, cancel);
            store.Files.Drop(awaited.Id, accepted: true);
            return submitted;
        }
        catch (RefusedException e) when (e.Refusal != Refusal.Busy && e.Refusal != Refusal.Full && !ErasureTable.IsRefused(e))
        {
            var rejected = await rejections.Reject(office, parts, e.Refusal, e.Detail, giveUpUpload: awaited.Id);
            store.Files.Drop(awaited.Id);
            throw rejected;
        }
        catch (RejectedException)
        {
            // The decision made again said no, and the row is gone with it.
            store.Files.Drop(awaited.Id);
            throw;
        }
    }

    /// <summary>Gives up uploads that did not come in time. Nothing was promised, so nothing is logged; the sender may submit again.</summary>
    public async Task<int> Step(DateTimeOffset now)
    {
        IReadOnlyList<UploadRow> late;
        using (var reader = store.Engine.Reader()) late = UploadTable.Expired(reader, now.ToUnixTimeMilliseconds(), 100);
        foreach (var row in late)
        {
            if (!running.TryAdd((row.Sender, row.Envelope), true)) continue;
            try
            {
                // False: it was accepted just now, and its files are the dispatch's.
                if (!await store.Journal.Commit(b => UploadTable.Remove(b.Quiet(QuietKind.UploadProgress), row.Id), settle: true)) continue;
                // A crash here leaves files that no row names: swept at the next start.
                store.Files.Drop(row.Id);
                log.UploadWasGivenUp(row.Id, row.Sender);
            }
            finally { running.TryRemove((row.Sender, row.Envelope), out _); }
        }
        return late.Count;
    }

    void DemandRoom()
    {
        if (store.Journal.RefusesFull || shared.Room.IsShort) throw new RefusedException(Refusal.Full);
    }

    // One whose time ran out is not awaited any more, also before the step has come to it.
    UploadRow? Awaited(Source source, string office, Guid envelope) =>
        UploadTable.Find(source, office, envelope) is { } row && row.ExpiresAt > shared.Clock.GetUtcNow().ToUnixTimeMilliseconds() ? row : null;

    static PayloadRef PayloadOf(UploadRow awaited) => EnvelopeFile.PeekUnverified(awaited.Header).Payload!;
}
