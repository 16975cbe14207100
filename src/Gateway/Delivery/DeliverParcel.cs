using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Delivery;

/// <summary>Steps 6 and 7 of a dispatch's way: one attempt to get one copy to its office, from claim to settled.</summary>
sealed class DeliverParcel(Shared shared, Channels channels, ReleaseParcel release, SealedCopies copies, SettleAttempt settle)
{
    // Tells an answer to a question from an attempt that sent something: AttemptTable.LastSent reads it.
    const string Asked = "asked";
    readonly TimeProvider clock = shared.Clock;
    readonly ILogger log = shared.Log<DeliverParcel>();

    /// <param name="cut">The claim was lost, or the gateway stops: what the attempt brought says nothing of the channel.</param>
    public async Task Run(ClaimedJob job, CancellationToken cut)
    {
        using var span = Spans.Start("deliver");
        var started = clock.GetUtcNow();

        // 1. The copy as it stands. The claim is durable; a crash from here on: its lease runs out, and the office is asked before anything is sent again.
        var copy = release.Find(job.Office, job.Parcel) ?? throw new InvalidOperationException("A job without its parcel.");
        span.Dispatch(copy.Row.Dispatch);
        // Whose turn it was knows no labels: where this one may not go by the channel chosen, it is tried by the first that it may.
        var standing = shared.Worlds.Current.Standing.Find(job.Office);
        IReadOnlyList<StandingChannel> allowed = standing is null ? [] : Channels.For(standing, copy.Label.Label, shared.Worlds.Current.Policy);
        if (allowed.Count > 0 && allowed.All(c => c.Adapter != job.Channel)) job = job with { Channel = allowed[0].Adapter, IsProbe = false };
        span.Adapter(job.Channel);
        EndedAttempt Ended(AttemptOutcome outcome, string detail, ChannelSign sign = ChannelSign.None) =>
            new(job, copy, started, outcome, detail) { Sign = cut.IsCancellationRequested && sign == ChannelSign.Failed ? ChannelSign.None : sign, Counts = !job.IsProbe && !cut.IsCancellationRequested, HasOther = allowed.Any(c => c.Adapter != job.Channel) };

        // Its sender has taken it back, or sends it again to another key. What is surely not there ends here; what may be there is asked about, and never sent again.
        if (copy.StoppedFor is { } stopped)
        {
            switch (job.Ask ? await AskOnly(job, copy, cut) : null)
            {
                case null:
                    await settle.Ended(Ended(AttemptOutcome.Recalled, ""), ParcelState.Recalled, stopped, null);
                    copies.Drop(job.Parcel);
                    return;
                case DeliveryOutcome.Delivered { Receipt: { } signed }:
                    await DeliveredWith(Ended, job, copy, signed.ToArray());
                    return;
                case DeliveryOutcome.Delivered:
                    await settle.Delivered(Ended(AttemptOutcome.Delivered, ""), null);
                    return;
                default:
                    await settle.Again(Ended(AttemptOutcome.Unknown, "recalled, and not known whether it is there"), Later(job, null), ask: true);
                    return;
            }
        }

        // 2. Decide again, on the facts of now. A denial ends the copy, with a receipt to the sender; a hold waits, and so does what is denied for our own state only.
        var decision = release.Decide(copy, job.Attempt == 1 ? "release" : "retry", null, job.Channel);
        if (decision is { Verdict: Verdict.Deny, IsPassing: false })
        {
            var reason = release.EndedFor(copy);
            await settle.Ended(Ended(AttemptOutcome.Denied, reason.Code), ParcelState.Refused, reason, DecisionRow.Of(decision.Record));
            return;
        }
        if (decision.Verdict != Verdict.Permit)
        {
            await settle.Again(Ended(AttemptOutcome.TryLater, decision.IsPassing ? "this gateway cannot decide now" : "held by policy"), Later(job, null), job.Ask);
            return;
        }

        // 3. Its channel is what the standing of now says. An office that went back to its mailbox fetches for itself.
        if (!Channels.Carries(job.Channel))
        {
            await settle.ToMailbox(Ended(AttemptOutcome.ToMailbox, ""));
            return;
        }
        if (allowed.FirstOrDefault(c => c.Adapter == job.Channel) is not { } channel)
        {
            await settle.Again(Ended(AttemptOutcome.TryLater, "no channel may carry it now"), Later(job, null), job.Ask);
            return;
        }

        // 4. Carry it; after an attempt of unknown end ask first. Nothing of this is in a transaction.
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(shared.Options.Limits.AttemptMinutes), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cut, late.Token);
        var (outcome, ask, ours) = await Carry(job, copy, decision, channel, either.Token);
        var failed = ours ? ChannelSign.None : ChannelSign.Failed;

        // 5. ONE commit, by fence: job, parcel, attempt, receipts, entry, and what it says of the channel. In SettleAttempt.cs.
        switch (outcome)
        {
            case DeliveryOutcome.Delivered { Receipt: { } der }:
                await DeliveredWith(Ended, job, copy, der.ToArray());
                break;
            case DeliveryOutcome.Delivered:
                await settle.Delivered(Ended(AttemptOutcome.Delivered, "", ChannelSign.Good), null);
                copies.Drop(job.Parcel);
                break;
            case DeliveryOutcome.HandedOn on:
                await settle.Again(Ended(AttemptOutcome.HandedOn, ask ? Asked : "", ChannelSign.Good), clock.GetUtcNow() + on.AskIn, ask: true);
                break;
            case DeliveryOutcome.Refused refused:
                await settle.Ended(Ended(AttemptOutcome.Refused, refused.Code, ChannelSign.Good), ParcelState.Dead, Refusal.ChannelRefused, null);
                copies.Drop(job.Parcel);
                break;
            case DeliveryOutcome.Busy busy:
                await settle.Again(Ended(AttemptOutcome.Busy, "", ChannelSign.Busy), Later(job, busy.RetryAfter), ask);
                break;
            case DeliveryOutcome.TryLater later:
                await settle.Again(Ended(AttemptOutcome.TryLater, later.Reason, failed), Later(job, null), ask);
                break;
            case DeliveryOutcome.Unknown unknown:
                await settle.Again(Ended(AttemptOutcome.Unknown, unknown.Reason, ChannelSign.Failed), Later(job, null), ask: true);
                break;
        }
    }

    // What the endpoint answered counts only if it is that office's signature about exactly this copy.
    async Task DeliveredWith(Func<AttemptOutcome, string, ChannelSign, EndedAttempt> ended, ClaimedJob job, FoundParcel copy, byte[] der)
    {
        Receipt receipt;
        try
        {
            receipt = OfficeReceipts.Verify(copy.Row, copy.Dispatch, der, shared.Worlds.Current, clock.GetUtcNow(), shared.Options.Limits.ClockSkewSeconds);
            if (receipt.Event != ReceiptEvent.ContentHandover) throw new RefusedException(Refusal.Receipt, "not a handover");
        }
        catch (RefusedException e)
        {
            await settle.Again(ended(AttemptOutcome.TryLater, $"its receipt: {e.Message}", ChannelSign.Failed), Later(job, null), ask: true);
            return;
        }
        await settle.Delivered(ended(AttemptOutcome.Delivered, "", ChannelSign.Good), (receipt, der));
    }

    /// <returns>Ask: it was asked, so it may have arrived before. Ours: what failed is on this side, and says nothing of the channel.</returns>
    async Task<(DeliveryOutcome Outcome, bool Ask, bool Ours)> Carry(ClaimedJob job, FoundParcel copy, Decision decision, StandingChannel channel, CancellationToken cancel)
    {
        using var span = Spans.Start("carry");
        if (channels.Find(channel.Adapter) is not { } adapter) return (new DeliveryOutcome.TryLater($"settings: the channel {channel.Adapter} is not configured"), job.Ask, false);
        try
        {
            var parcel = new Parcel(job.Parcel, job.Office, copy.Dispatch.Size, adapter.EndsAtOffice ? Acceptance(copy) : default, channel.Settings);
            if (job.Ask && await adapter.AskAsync(parcel, cancel) is { } held) return (held, true, false);
            if (adapter.EndsAtOffice) return (await adapter.DeliverAsync(parcel, _ => Task.FromResult<Stream>(release.Open(copy, decision)), cancel), false, false);
            parcel = parcel with { Length = await copies.Make(copy, decision, Acceptance(copy), cancel) };
            return (await adapter.DeliverAsync(parcel, _ => Task.FromResult(copies.Open(copy, decision)), cancel), false, false);
        }
        catch (RefusedException e) { return (new DeliveryOutcome.TryLater($"{e.Refusal.Code}: {e.Detail}"), job.Ask, true); }
        catch (IOException e) when (DurableFile.IsFull(e)) { return (new DeliveryOutcome.TryLater("no room to seal it"), job.Ask, true); }
        catch (Exception e)
        {
            // An adapter's mistake: nobody knows how far it came.
            log.AttemptFailed(e, job.Parcel, job.Office);
            return (new DeliveryOutcome.Unknown("the adapter failed"), true, false);
        }
    }

    // null: it is not there, or there is nobody to ask any more.
    async Task<DeliveryOutcome?> AskOnly(ClaimedJob job, FoundParcel copy, CancellationToken cancel)
    {
        if (channels.Find(job.Channel) is not { } adapter || Channels.Of(shared.Worlds.Current.Standing.Find(job.Office)!).FirstOrDefault(c => c.Adapter == job.Channel) is not { } channel) return null;
        try { return await adapter.AskAsync(new Parcel(job.Parcel, job.Office, copy.Dispatch.Size, adapter.EndsAtOffice ? Acceptance(copy) : default, channel.Settings), cancel); }
        catch (Exception e)
        {
            log.AttemptFailed(e, job.Parcel, job.Office);
            return new DeliveryOutcome.Unknown("the adapter failed");
        }
    }

    byte[] Acceptance(FoundParcel copy)
    {
        using var reader = shared.Engine.Reader();
        return ReceiptTable.AcceptanceOfParcel(reader, copy.Row.Office, copy.Row.Id)!.Der;
    }

    // A probe does not count: it waits no longer than the attempt before it.
    DateTimeOffset Later(ClaimedJob job, TimeSpan? asked) =>
        clock.GetUtcNow() + RetrySchedule.Delay(shared.Options.Queue.Of(job.Class), job.Attempt - (job.IsProbe ? 1 : 0), shared.Chance(), asked);
}
