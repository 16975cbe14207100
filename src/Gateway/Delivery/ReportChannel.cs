using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Delivery;

/// <summary>What an attempt says of the channel that it used, made ready for the commit that settles it: both entries are, for only the store knows whether one is due.</summary>
sealed record ChannelReport(string Office, string Channel, ChannelSign Sign, string Error, bool IsProbe, DateTimeOffset At, double Chance, LedgerEntry Opened, LedgerEntry Closed);

/// <summary>Keeps window and breaker of an office's channel: in the commit that settles an attempt, then in memory, the log and the alarms.</summary>
sealed class ReportChannel(Shared shared, OfficeStates states)
{
    readonly ILogger log = shared.Log<ReportChannel>();

    public ChannelReport Prepare(ClaimedJob job, ChannelSign sign, string error)
    {
        var now = shared.Clock.GetUtcNow();
        LedgerEntry Entry(string state) => LedgerEntry.Create(new BreakerDetail(job.Office, job.Channel, state) { Time = now.ToUnixTimeMilliseconds() });
        return new(job.Office, job.Channel, sign, error, job.IsProbe, now, shared.Chance(), Entry(BreakerDetail.Open), Entry(BreakerDetail.Closed));
    }

    /// <summary>In the commit. null: it says nothing.</summary>
    public (OfficeState State, BreakerMove Move)? Write(Batch b, ChannelReport report)
    {
        if (report.Sign == ChannelSign.None) return null;
        var options = shared.Options;
        var before = OfficeStateTable.Find(b, report.Office, report.Channel) ?? Breaker.New(report.Office, report.Channel, options.Queue);
        var (next, move) = Breaker.After(before, report.Sign, report.Error, report.IsProbe, report.At, report.Chance, options.Queue, options.Limits.DeliveriesPerOffice);
        OfficeStateTable.Put(b, next);
        if (move != BreakerMove.None) b.Log(move == BreakerMove.Opened ? report.Opened : report.Closed, EntryKind.Breaker);
        return (next, move);
    }

    /// <summary>After the commit.</summary>
    public void Tell((OfficeState State, BreakerMove Move)? written)
    {
        if (written is not var (state, move)) return;
        states.Tell(state);
        if (move == BreakerMove.None) return;
        var opened = move == BreakerMove.Opened;
        if (opened) log.BreakerOpened(state.Channel, state.Office, state.Failures, state.LastError);
        else log.BreakerClosed(state.Channel, state.Office);
        shared.Alarms.Raise(new(opened ? AlarmCode.BreakerOpened : AlarmCode.BreakerClosed, state.Office, opened ? $"channel {state.Channel}: {state.LastError}" : $"channel {state.Channel}"));
    }
}
