using System.IO.Pipelines;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <summary>What the sender is answered when nothing was refused.</summary>
abstract record Submitted(Guid Envelope)
{
    /// <summary>Durable, in the ledger; the signed receipt says so.</summary>
    public sealed record Accepted(Guid Envelope, byte[] Receipt) : Submitted(Envelope);
    /// <summary>The same envelope came before: its first receipt.</summary>
    public sealed record Before(Guid Envelope, byte[] Receipt) : Submitted(Envelope);
    /// <summary>Durable and in the ledger, but not on its way: the signed receipt says what it waits for.</summary>
    public sealed record Held(Guid Envelope, byte[] Receipt) : Submitted(Envelope);
    /// <summary>Checked and not denied; nothing is promised until the payload has come.</summary>
    public sealed record Awaited(Guid Envelope) : Submitted(Envelope);
    /// <summary>A part of the payload has come; it goes on at this byte.</summary>
    public sealed record Partly(Guid Envelope, long Offset, long Length) : Submitted(Envelope);
    /// <summary>What was to follow does not begin where the payload goes on, which is here. Nothing was taken in.</summary>
    public sealed record Elsewhere(Guid Envelope, long Offset, long Length) : Submitted(Envelope);
}

/// <summary>
/// POST /dispatches: steps 1 to 5 of a dispatch's way. Whatever is refused is journalled first; whatever is answered with a receipt survives power loss.
/// </summary>
sealed class SubmitDispatch(Arrival arrival, AcceptDispatch accept, Rejections rejections, Quotas quotas, Shared shared)
{
    readonly (IEngine Engine, Journal Journal, BlobStore Blobs) store = (shared.Engine, shared.Journal, shared.Blobs);
    // The uploads under way take minutes, not seconds.
    static readonly TimeSpan QuotaRetry = TimeSpan.FromMinutes(1);
    readonly Limits limits = shared.Options.Limits;
    readonly TimeProvider clock = shared.Clock;
    readonly LinkPayload link = new(shared);
    readonly ILogger log = shared.Log<SubmitDispatch>();

    /// <param name="office">Signed in.</param>
    /// <param name="session">With this certificate.</param>
    /// <param name="body">File form.</param>
    /// <exception cref="RejectedException">Refused and journalled.</exception>
    /// <exception cref="RefusedException">Busy or full: nothing was journalled.</exception>
    /// <exception cref="LaterException">Over the office's share; likewise.</exception>
    public Task<Submitted> Submit(string office, Certificate session, PipeReader body, CancellationToken cancel) =>
        MeasureSubmission.Run(shared, "submit", () => Story(office, new Session.SignedIn(session), body, limits.InlinePayloadBytes, cancel));

    /// <summary>The same, of a file that a channel brought: it is whole here, so its payload may be as long as an upload.</summary>
    public Task<Submitted> SubmitBrought(string office, string channel, Stream file, CancellationToken cancel) => MeasureSubmission.Run(shared, "submit", async () =>
    {
        var body = PipeReader.Create(file, new StreamPipeReaderOptions(leaveOpen: true));
        try { return await Story(office, new Session.ByChannel(channel), body, limits.UploadQuotaBytes, cancel); }
        finally { await body.CompleteAsync(); }
    });

    async Task<Submitted> Story(string office, Session session, PipeReader body, long mostPayload, CancellationToken cancel)
    {
        if (store.Journal.RefusesFull || shared.Room.IsShort) throw new RefusedException(Refusal.Full);
        if (!store.Journal.HasRoom(EnvelopeParts.MaxHeader, urgent: true)) throw new RefusedException(Refusal.Busy);
        quotas.DemandSubmission(office, clock.GetUtcNow());
        EnvelopeParts? parts = null;
        try
        {
            // 1. Read header, approvals and manifest, each within its size. Memory only: a crash leaves nothing.
            (parts, var claimed) = await EnvelopeFile.ReadAsync(body.AsStream(leaveOpen: true), cancel);
            // A share of the journal is kept for flash, which only the header tells from the rest.
            if (!IsUrgent(claimed.Header) && !store.Journal.HasRoom(EnvelopeParts.MaxHeader)) throw new RefusedException(Refusal.Busy);

            // 2. Came before? The same (CTX, manifestDigest) gets its first receipt, however late it asks.
            var (before, used) = Earlier(office, parts, claimed);
            if (before is not null)
            {
                log.RepeatWasAnswered(office, before.Envelope);
                return before;
            }

            // 3. Check all that can be checked without a key, in the World of this moment. Anything else under an identifier that was used is refused; whoever uses it meanwhile, the commit finds.
            var arrived = arrival.Check(office, parts, session, claimed.Header);
            if (used) DemandUnused(arrived.Envelope);
            arrival.DemandFresh(arrived);

            // 4. Decide. A refusal is journalled and answered with the code that the sender may see; what is to be held is taken in whole.
            var decision = arrival.Decide(arrived);
            if (decision.Verdict == Verdict.Deny) throw await rejections.Reject(office, parts, decision.ForSender ?? Refusal.Internal, "", decision);

            // 5. Take the payload in: verified while it is written, durable before the commit. A crash leaves a temp file or an orphan, both swept.
            var (header, dispatch, empty) = (arrived.Envelope.Header, Guid.CreateVersion7(clock.GetUtcNow()), await IsEmpty(body, cancel));
            if ((header.Payload is null || header.Kind == "update") && !empty) throw new RefusedException(Refusal.PayloadLength, "bytes behind the parts");
            if (header.Payload is not { } payload) return await accept.Accept(office, arrived, new(dispatch, null), cancel);
            if (header.Kind == "update") return await accept.Accept(office, arrived, new(dispatch, link.Run(dispatch, header)), cancel);
            if (empty) return session is Session.SignedIn ? await Await(arrived, payload) : throw new RefusedException(Refusal.PayloadLength, "it came without its payload");
            if (Payload.WireLength(payload.Length) > mostPayload) throw new RefusedException(Refusal.TooLarge, "payload inside POST");
            var inline = await TakeIn(dispatch, body, payload, cancel);

            // 6. ONE commit: dispatch, parcels, decision, receipt, entry; or all that is held. Only now the answer. In AcceptDispatch.cs and HoldDispatch.cs.
            return await accept.Accept(office, arrived, new(dispatch, inline), cancel);
        }
        // That it was erased is answered without an entry, which would tell of it again.
        catch (RefusedException e) when (e.Refusal != Refusal.Busy && e.Refusal != Refusal.Full && !ErasureTable.IsRefused(e))
        {
            throw await rejections.Reject(office, parts, e.Refusal, e.Detail);
        }
    }

    /// <summary>Hỏa tốc: may use the share of the journal that other submissions may not.</summary>
    public static bool IsUrgent(Header header) => RetrySchedule.ClassOf(header.Urgency) == 0;

    (Submitted? Same, bool Used) Earlier(string office, EnvelopeParts parts, PeekedHeader claimed)
    {
        using var reader = store.Engine.Reader();
        return EarlierSubmission.FindSame(reader, office, parts, claimed);
    }

    void DemandUnused(VerifiedEnvelope envelope)
    {
        using var reader = store.Engine.Reader();
        EarlierSubmission.Find(reader, envelope.Header.Sender, envelope.Header.Id, (envelope.Ctx, envelope.ManifestDigest));
    }

    /// <returns>The payload when it is small enough for its row; null when it is in the blob store.</returns>
    async Task<byte[]?> TakeIn(Guid dispatch, PipeReader body, PayloadRef payload, CancellationToken cancel)
    {
        using var span = Spans.Start("store payload");
        span.Dispatch(dispatch);
        var wire = body.AsStream(leaveOpen: true);
        var length = Payload.WireLength(payload.Length);
        if (length <= BlobStore.InlineLimit)
        {
            using var row = new MemoryStream((int)length);
            await Payload.VerifyAsync(wire, payload, row, null, cancel);
            return row.ToArray();
        }
        await store.Blobs.PutAsync(dispatch, file => Payload.VerifyAsync(wire, payload, file, null, cancel), cancel);
        return null;
    }

    // Nothing is promised by this row, so it leaves no entry; a crash after it is a repeat of the request.
    async Task<Submitted> Await(Arrived arrived, PayloadRef payload)
    {
        var (header, now) = (arrived.Envelope.Header, clock.GetUtcNow());
        var row = new UploadRow
        {
            Id = Guid.CreateVersion7(now), Sender = header.Sender, Envelope = header.Id, Ctx = arrived.Envelope.Ctx, ManifestDigest = arrived.Envelope.ManifestDigest,
            PayloadBytes = Payload.WireLength(payload.Length), CreatedAt = now.ToUnixTimeMilliseconds(), ExpiresAt = now.AddHours(limits.UploadHours).ToUnixTimeMilliseconds(),
            Header = arrived.Parts.Header.ToArray(), Approvals = StoredEnvelope.Joined(arrived.Parts.Approvals), Manifest = arrived.Parts.Manifest.ToArray(),
        };
        if (row.PayloadBytes > limits.UploadQuotaBytes) throw new RefusedException(Refusal.TooLarge, "quota of an office");
        var outcome = await store.Journal.Commit(b =>
        {
            b.Quiet(QuietKind.UploadProgress);
            if (UploadTable.Find(b, row.Sender, row.Envelope) is { } awaited) return awaited.Ctx == row.Ctx && awaited.ManifestDigest == row.ManifestDigest ? null : Refusal.SameId;
            if (UploadTable.BytesAwaited(b, row.Sender) + row.PayloadBytes > limits.UploadQuotaBytes) return Refusal.Quota;
            UploadTable.TryAdd(b, row);
            return null;
        }, row.Header.Length + row.Manifest.Length, urgent: IsUrgent(header));
        if (outcome == Refusal.Quota) throw new LaterException(Refusal.Quota, QuotaRetry);
        if (outcome is not null) throw new RefusedException(outcome);
        log.PayloadIsAwaited(row.Id, row.Sender, row.PayloadBytes);
        return new Submitted.Awaited(header.Id);
    }

    static async Task<bool> IsEmpty(PipeReader body, CancellationToken cancel)
    {
        var read = await body.ReadAsync(cancel);
        var empty = read.Buffer.IsEmpty && read.IsCompleted;
        body.AdvanceTo(read.Buffer.Start);
        return empty;
    }
}
