using System.Diagnostics;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Delivery;

/// <summary>What an attempt on one copy ended with, until it is settled.</summary>
/// <param name="Detail">Codes and system errors, never content.</param>
sealed record EndedAttempt(ClaimedJob Job, FoundParcel Copy, DateTimeOffset Started, AttemptOutcome Outcome, string Detail)
{
    /// <summary>What it says of the channel.</summary>
    public ChannelSign Sign { get; init; }
    /// <summary>False: the next wait is not longer for it. Attempts against an open breaker do not count, nor what we broke off ourselves.</summary>
    public bool Counts { get; init; } = true;
    /// <summary>Another channel of the office may carry it as well: when this one's breaker is open, it does not wait for the next try.</summary>
    public bool HasOther { get; init; }
}

/// <summary>
/// The end of an attempt, in one commit each: job, parcel, attempt, receipts and entry settle together, and only if the claim still holds. A worker that comes
/// too late leaves one Late attempt and changes nothing else.
/// </summary>
sealed class SettleAttempt(Shared shared, EndParcel end, ReportChannel channel)
{
    const int MaxDetail = 200;
    readonly ILogger log = shared.Log<SettleAttempt>();

    /// <summary>The other side has it.</summary>
    /// <param name="handover">The office's receipt, verified, with its DER; null: the channel cannot sign.</param>
    public Task Delivered(EndedAttempt ended, (Receipt Content, byte[] Der)? handover)
    {
        var (copy, now) = (ended.Copy, shared.Clock.GetUtcNow());
        var (row, d, time) = (copy.Row, copy.Dispatch, now.ToUnixTimeMilliseconds());
        var (kind, entry) = handover is { } h
            ? (EntryKind.Consignment, LedgerEntry.Create(new ConsignmentDetail(d.Sender, d.Envelope, d.Ctx, row.Office, row.Key, Digest.Of(h.Der)) { Time = time }))
            : (EntryKind.Delivery, LedgerEntry.Create(new DeliveryDetail(d.Sender, d.Envelope, d.Ctx, row.Office, row.Key, row.Channel) { Time = time }));
        var ours = shared.Evidence.Sign(ReceiptEvent.ContentConsignment, "OK", new(d.Sender, d.Envelope, d.Ctx, d.ManifestDigest, row.Office, row.Key), entry, shared.Worlds.Current.Policy.Ref, now);

        // ONE commit. A crash before it: the lease runs out, the office is asked and says that it has the copy. After it: delivered, once.
        return Settle(ended, entry.Leaf, next: null, b =>
        {
            if (!JobTable.End(b, row.Id, ended.Job.Fence)) return false;
            if (!ParcelTable.Move(b, row.Id, ParcelState.Queued, ParcelState.Delivered)) throw new InvalidOperationException("A job of a parcel that is not queued.");
            b.Log(entry, kind, row.Id).Add(ReceiptRows.Of(ours, row.Dispatch, row.Id));
            if (handover is { } signed) b.Add(ReceiptRows.Of(signed.Content, signed.Der, entry.Leaf, row.Dispatch, row.Id));
            return true;
        });
    }

    /// <summary>Not there yet: tried again at <paramref name="due"/>.</summary>
    /// <param name="ask">It may have arrived: ask before sending.</param>
    public Task Again(EndedAttempt ended, DateTimeOffset due, bool ask)
    {
        var entry = EntryOf(ended, ended.Outcome);
        var next = due.ToUnixTimeMilliseconds();
        return Settle(ended, entry.Leaf, next, b =>
        {
            if (!JobTable.PutBack(b, ended.Job.Parcel, ended.Job.Fence, next, ask, ended.Counts)) return false;
            b.Log(entry, EntryKind.Attempt, ended.Job.Parcel);
            return true;
        });
    }

    /// <summary>The office now fetches for itself.</summary>
    public Task ToMailbox(EndedAttempt ended)
    {
        var entry = EntryOf(ended, AttemptOutcome.ToMailbox);
        return Settle(ended, entry.Leaf, next: null, b =>
        {
            if (!JobTable.End(b, ended.Job.Parcel, ended.Job.Fence)) return false;
            if (!ParcelTable.Move(b, ended.Job.Parcel, ParcelState.Queued, ParcelState.Available)) throw new InvalidOperationException("A job of a parcel that is not queued.");
            ParcelExpiry.ToMailbox(b, ended.Job.Parcel);
            b.Log(entry, EntryKind.Attempt, ended.Job.Parcel);
            return true;
        });
    }

    /// <summary>It ends here, undelivered: denied when decided again, or refused for good by the other side.</summary>
    public async Task Ended(EndedAttempt ended, ParcelState state, Refusal reason, DecisionRow? decision)
    {
        var report = channel.Prepare(ended.Job, ended.Sign, ended.Detail);
        (OfficeState, BreakerMove)? written = null;
        if (!await end.End(ended.Copy.Ending, state, reason, decision, Row(ended, ended.Outcome, default, null), b => written = channel.Write(b, report)))
        {
            await Settle(ended, default, null, _ => false);
            return;
        }
        channel.Tell(written);
        Count(ended, ended.Outcome);
    }

    /// <summary>A claim that nobody settled within its lease: free again, and asked about before it is sent again. The third in a row ends the copy: it may be what brings the program down.</summary>
    public async Task<bool> Lost(LostJob lost, DateTimeOffset now)
    {
        var time = now.ToUnixTimeMilliseconds();
        var entry = LedgerEntry.Create(new AttemptDetail(lost.Sender, lost.Envelope, lost.Ctx, lost.Office, lost.Key, lost.Fence, nameof(AttemptOutcome.LeaseLost)) { Time = time });
        var row = new AttemptRow { Parcel = lost.Parcel, Fence = lost.Fence, Outcome = AttemptOutcome.LeaseLost, StartedAt = time, EndedAt = time, NextAt = time, Detail = "", Leaf = entry.Leaf, Channel = lost.Channel };
        var freed = lost.Before + 1 >= shared.Options.Queue.LostLeases
            ? await end.End(lost, ParcelState.Dead, Refusal.Poison, null, row with { NextAt = null })
            : await shared.Journal.Commit(b =>
            {
                if (!JobTable.PutBack(b, lost.Parcel, lost.Fence, time, ask: true, lost: true)) return false;
                b.Log(entry, EntryKind.Attempt, lost.Parcel).Add(row);
                return true;
            }, settle: true);
        if (!freed) return false;
        log.LeaseWasLost(lost.Parcel, lost.Office, lost.Fence);
        Count(AttemptOutcome.LeaseLost, lost.Channel);
        return true;
    }

    async Task Settle(EndedAttempt ended, Digest leaf, long? next, Change<bool> ifStillOurs)
    {
        var row = Row(ended, ended.Outcome, leaf, next);
        var lateEntry = EntryOf(ended, AttemptOutcome.Late);
        var late = Row(ended, AttemptOutcome.Late, lateEntry.Leaf, null);
        var report = channel.Prepare(ended.Job, ended.Sign, ended.Detail);
        var (settled, written) = await shared.Journal.Commit(b =>
        {
            if (ifStillOurs(b))
            {
                var told = channel.Write(b, report);
                var hurries = next is not null && ended.HasOther && report.Sign == ChannelSign.Failed && told is ({ OpenUntil: not null }, _) && JobTable.Hurry(b, row.Parcel, row.EndedAt);
                b.Add(hurries ? row with { NextAt = row.EndedAt } : row);
                return (true, told);
            }
            // Of what was erased meanwhile nothing is written down any more.
            if (!ErasureTable.Has(b, ended.Copy.Dispatch.Id)) b.Log(lateEntry, EntryKind.Attempt, late.Parcel).Add(late);
            return (false, null);
        }, settle: true);
        channel.Tell(written);
        Count(ended, settled ? ended.Outcome : AttemptOutcome.Late);
    }

    void Count(EndedAttempt ended, AttemptOutcome outcome)
    {
        log.AttemptEnded(ended.Job.Parcel, ended.Job.Office, ended.Job.Attempt, outcome, ended.Detail);
        Activity.Current.Outcome(outcome);
        Count(outcome, ended.Copy.Row.Channel);
        shared.Meters.AttemptDuration.Record((shared.Clock.GetUtcNow() - ended.Started).TotalSeconds, new KeyValuePair<string, object?>("adapter", ended.Copy.Row.Channel));
        if (outcome == AttemptOutcome.Delivered) shared.Meters.Parcels.Add(1, new KeyValuePair<string, object?>("state", nameof(ParcelState.Delivered)));
    }

    void Count(AttemptOutcome outcome, string adapter) => shared.Meters.Attempts.Add(1, new("outcome", outcome.ToString()), new("adapter", adapter));

    LedgerEntry EntryOf(EndedAttempt ended, AttemptOutcome outcome)
    {
        var d = ended.Copy.Dispatch;
        return LedgerEntry.Create(new AttemptDetail(d.Sender, d.Envelope, d.Ctx, ended.Job.Office, ended.Copy.Row.Key, ended.Job.Fence, outcome.ToString()) { Time = shared.Clock.GetUtcNow().ToUnixTimeMilliseconds() });
    }

    AttemptRow Row(EndedAttempt ended, AttemptOutcome outcome, Digest leaf, long? next) => new()
    {
        Parcel = ended.Job.Parcel, Fence = ended.Job.Fence, Outcome = outcome, StartedAt = ended.Started.ToUnixTimeMilliseconds(), EndedAt = shared.Clock.GetUtcNow().ToUnixTimeMilliseconds(),
        NextAt = next, Detail = ended.Detail.Length > MaxDetail ? ended.Detail[..MaxDetail] : ended.Detail, Leaf = leaf, Channel = ended.Job.Channel,
    };
}

static partial class DeliveryLog
{
    [LoggerMessage(4001, LogLevel.Information, "Attempt {Attempt} on parcel {Parcel} for {Office} ended: {Outcome} ({Detail})")]
    public static partial void AttemptEnded(this ILogger log, Guid parcel, string office, int attempt, AttemptOutcome outcome, string detail);

    [LoggerMessage(4002, LogLevel.Warning, "Nobody reported on parcel {Parcel} for {Office} under fence {Fence} in time; it is tried again, or given up after some")]
    public static partial void LeaseWasLost(this ILogger log, Guid parcel, string office, long fence);

    [LoggerMessage(4003, LogLevel.Error, "An attempt on parcel {Parcel} for {Office} failed in this program; its lease runs out and it is tried again")]
    public static partial void AttemptFailed(this ILogger log, Exception failure, Guid parcel, string office);

    [LoggerMessage(4004, LogLevel.Warning, "The channel {Channel} of {Office} is closed to copies after {Failures} failures ({Error}); one is tried now and then. Ask the office; exchange-gateway ping {Office} says more")]
    public static partial void BreakerOpened(this ILogger log, string channel, string office, int failures, string error);

    [LoggerMessage(4005, LogLevel.Warning, "The channel {Channel} of {Office} works again; what waited goes out now. Nothing to do")]
    public static partial void BreakerClosed(this ILogger log, string channel, string office);
}
