using Exchange.Crypto;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>How one outbox entry ended, for now.</summary>
public abstract record DeliveryVerdict
{
    /// <summary>The gateway has it and its receipt is verified and kept.</summary>
    public sealed record Accepted(Receipt Receipt) : DeliveryVerdict;
    /// <summary>The gateway has it and holds it until persons release it; its receipt is verified and kept.</summary>
    public sealed record Held(Receipt Receipt) : DeliveryVerdict;
    /// <param name="Receipt">The signed rejection; null when the gateway gave none.</param>
    public sealed record Refused(Refusal Refusal, Receipt? Receipt) : DeliveryVerdict;
    /// <summary>Stays in the outbox; the same bytes go again.</summary>
    public sealed record Waiting(Refusal Refusal, string Detail) : DeliveryVerdict;
    /// <summary>Another process is sending it.</summary>
    public sealed record Elsewhere : DeliveryVerdict;
}

/// <summary>From a sealed entry to the gateway's receipt. First run, retry and recovery after a crash are this same method.</summary>
sealed class DeliverOutbox(OfficeContext office)
{
    const long InlineLimit = 16 << 20;
    // The gateway wants a signing time within ten minutes of arrival; half of that leaves room for clocks and a slow line.
    static readonly TimeSpan FreshSignature = TimeSpan.FromMinutes(5);

    public async Task<DeliveryVerdict> RunAsync(OutboxEntry found, IProgress<long>? progress, CancellationToken cancel)
    {
        using var alone = Outbox.TryLock(found);
        if (alone is null) return new DeliveryVerdict.Elsewhere();
        // 1. Read again under the lock: another process may have finished it. What has its answer is not sent again.
        var entry = office.Outbox.Find(found.Id)!;
        found.Record = entry.Record;
        if (entry.State == OutboxState.Accepted) return Known(entry);
        if (entry.State == OutboxState.Refused) return new DeliveryVerdict.Refused(RefusalOf(entry.Record.Code), null);
        // 2. "Sending" is durable before byte one. Crash after: the same bytes go again, the gateway recognises (CTX, manifest digest).
        Refreshed(entry);
        if (entry.State != OutboxState.Held) office.Outbox.Save(entry, entry.Record with { State = nameof(OutboxState.Sending), Attempts = entry.Record.Attempts + 1 });
        found.Record = entry.Record;
        // 3. Parts, and the payload with them or after them.
        var verdict = await SubmitAsync(entry, progress, cancel).ConfigureAwait(false);
        // 4. The answer is believed only with a receipt that verifies; until then nothing sealed is given up.
        DeliveryVerdict outcome = verdict switch
        {
            SubmitVerdict.Accepted accepted => Accept(entry, accepted.Receipt),
            SubmitVerdict.Held held => Hold(entry, held.Receipt),
            SubmitVerdict.Refused refused => Refuse(entry, refused),
            SubmitVerdict.Later later => Wait(entry, later),
            _ => throw new InvalidOperationException("the gateway waits for a payload that was sent"),
        };
        found.Record = entry.Record;
        return outcome;
    }

    async Task<SubmitVerdict> SubmitAsync(OutboxEntry entry, IProgress<long>? progress, CancellationToken cancel)
    {
        var api = office.Api;
        Func<Stream> payload = () => new FileStream(entry.PayloadFile, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        // What the gateway holds it has whole: the parts alone ask what became of it.
        if (entry.State == OutboxState.Held) return await api.SubmitAsync(entry.Parts(), null, 0, null, cancel).ConfigureAwait(false);
        var inline = entry.WireLength <= InlineLimit;
        SubmitVerdict verdict;
        var reached = 0L;
        for (var attempt = 0; ; attempt++)
        {
            office.Files.Step("send parts");
            verdict = await api.SubmitAsync(entry.Parts(), inline ? payload : null, entry.WireLength, progress, cancel).ConfigureAwait(false);
            if (verdict is SubmitVerdict.PayloadAwaited)
            {
                long held;
                (verdict, held) = await UploadAsync(entry, payload, ask: attempt > 0 || entry.Record.Attempts > 1, progress, cancel).ConfigureAwait(false);
                // What came further than the last time is not a failed attempt, only a bad line.
                if (held > reached) (reached, attempt) = (held, 0);
            }
            if (verdict is not SubmitVerdict.Later || attempt >= office.Options.Retries.Count) return verdict;
            await Task.Delay(office.Options.Retries[attempt], office.Clock, cancel).ConfigureAwait(false);
        }
    }

    // Goes on where the gateway's durable bytes end; begins anew where it has none. While it cannot be asked nothing goes: beginning anew would drop what it has.
    async Task<(SubmitVerdict Verdict, long Held)> UploadAsync(OutboxEntry entry, Func<Stream> payload, bool ask, IProgress<long>? progress, CancellationToken cancel)
    {
        long held = 0;
        try { if (ask) held = await office.Api.UploadedAsync(entry.Id, cancel).ConfigureAwait(false); }
        catch (RefusedException e) { return (new SubmitVerdict.Later(e.Refusal, e.Detail), 0); }
        office.Files.Step("send payload");
        var verdict = await office.Api.UploadAsync(entry.Id, payload, held, entry.WireLength, progress, cancel).ConfigureAwait(false);
        // Somebody else finished, moved or lost the upload between the requests: submitting again tells which. A payload that was put together from pieces and
        // is not whole after all goes once more in one.
        var again = verdict is SubmitVerdict.Refused r && (r.Refusal == Refusal.NothingToUpload || r.Refusal == Refusal.UploadOffset || (r.Refusal == Refusal.PayloadRoot && held > 0));
        return (again ? new SubmitVerdict.Later(((SubmitVerdict.Refused)verdict).Refusal, "the upload is not where it was") : verdict, held);
    }

    // The header's signature says when the office let it go. A header that waited is signed again over the same JSON: CTX and every sealed byte stay,
    // and the gateway knows a repeat by (CTX, manifest digest), never by signature bytes.
    void Refreshed(OutboxEntry entry)
    {
        var header = Statement.Read(entry.Parts().Header, StatementType.Header);
        if (office.Now - header.SigningTimes[0] < FreshSignature || header.Signers[0].Key != office.Keys.Sign.Certificate.Key) return;
        var again = Statement.Sign(StatementType.Header, header.Json.ToArray(), [office.Keys.Sign], office.Now, header.Label?.ToArray(), header.ManifestDigest);
        office.Outbox.SaveHeader(entry, again.Der.Span);
    }

    DeliveryVerdict.Accepted Accept(OutboxEntry entry, byte[] der)
    {
        office.Files.Step("receipt");
        var receipt = ReceiptCheck.Gateway(der, Subject(entry), office.Profile.Pins, office.View.Trust);
        if (receipt.Event != ReceiptEvent.SubmissionAcceptance || receipt.Code != "OK") throw new RefusedException(Refusal.Receipt, "not an acceptance");
        // The receipt first, then the state, then the payload: a crash between any two repeats the rest.
        office.Outbox.SaveReceipt(entry, receipt, der);
        office.Outbox.Save(entry, entry.Record with { State = nameof(OutboxState.Accepted), Code = null, AcceptedAt = receipt.Time });
        office.Outbox.DropPayload(entry);
        return new DeliveryVerdict.Accepted(receipt);
    }

    DeliveryVerdict.Held Hold(OutboxEntry entry, byte[] der)
    {
        office.Files.Step("receipt");
        var receipt = ReceiptCheck.Gateway(der, Subject(entry), office.Profile.Pins, office.View.Trust);
        if (receipt.Event != ReceiptEvent.SubmissionHold) throw new RefusedException(Refusal.Receipt, "not a hold");
        office.Outbox.SaveReceipt(entry, receipt, der);
        office.Outbox.Save(entry, entry.Record with { State = nameof(OutboxState.Held), Code = receipt.Code });
        return new DeliveryVerdict.Held(receipt);
    }

    DeliveryVerdict.Refused Refuse(OutboxEntry entry, SubmitVerdict.Refused refused)
    {
        Receipt? receipt = null;
        if (refused.Receipt is { } der)
        {
            receipt = ReceiptCheck.Gateway(der, Subject(entry), office.Profile.Pins, office.View.Trust);
            if (receipt.Event != ReceiptEvent.SubmissionRejection || receipt.Code != refused.Refusal.Code) throw new RefusedException(Refusal.Receipt, "not the rejection that was answered");
            office.Outbox.SaveReceipt(entry, receipt, der);
        }
        office.Outbox.Save(entry, entry.Record with { State = nameof(OutboxState.Refused), Code = refused.Refusal.Code });
        return new DeliveryVerdict.Refused(refused.Refusal, receipt);
    }

    DeliveryVerdict.Waiting Wait(OutboxEntry entry, SubmitVerdict.Later later)
    {
        office.Outbox.Save(entry, entry.Record with { Code = later.Refusal.Code });
        return new DeliveryVerdict.Waiting(later.Refusal, later.Detail);
    }

    DeliveryVerdict.Accepted Known(OutboxEntry entry)
    {
        if (File.Exists(entry.PayloadFile)) office.Outbox.DropPayload(entry);
        return new DeliveryVerdict.Accepted(entry.Receipts().Select(r => Statement.Read(r, StatementType.Receipt).As<Receipt>()).First(r => r.Event == ReceiptEvent.SubmissionAcceptance));
    }

    static ReceiptSubject Subject(OutboxEntry entry) => OfficeContext.Subject(entry, Statement.Read(entry.Parts().Header, StatementType.Header).As<Header>());

    static Refusal RefusalOf(string? code) => code is not null && Refusal.All.TryGetValue(code, out var known) ? known : Refusal.Request;
}
