using Exchange.Adapters;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Intake;

/// <summary>A carrier's word on a copy that it has on the way. It is written down and the copy's job is woken: the adapter, asked, then says what follows from it.</summary>
sealed class TakeReport(Shared shared)
{
    static readonly IntakeAnswer Aside = new(IntakeVerdict.Quarantine), Later = new(IntakeVerdict.Later), Taken = new(IntakeVerdict.Taken);
    readonly ILogger log = shared.Log<TakeReport>();

    public async Task<IntakeAnswer> Take(string channel, CarrierReport report)
    {
        // 1. A copy of ours, on this channel, at the address where it was sent? Whoever knows its id can have written this.
        ReportedParcel? copy;
        using (var reader = shared.Engine.Reader()) copy = ReportTable.About(reader, report.Parcel);
        if (copy is null || copy.Channel != channel) return Aside;
        if (report.To.Length > 0 && shared.Worlds.Current.Standing.Find(copy.Office)?.Channels.FirstOrDefault(c => c.Adapter == channel)?.Settings.GetValueOrDefault("address") is { } address && !address.Equals(report.To, StringComparison.OrdinalIgnoreCase)) return Aside;

        // 2. Late: the copy has ended, and its end stands.
        if (copy.State != ParcelState.Queued) return Taken;

        // 3. ONE commit: the report, its entry, and the job wants to be asked now. Before it: the mail is still there, and is brought again. After it: a repeat, which changes nothing.
        var now = shared.Clock.GetUtcNow();
        var entry = LedgerEntry.Create(new ReportDetail(copy.Sender, copy.Envelope, copy.Ctx, copy.Office, copy.Key, report.Action.ToString(), report.Code) { Time = now.ToUnixTimeMilliseconds() });
        var row = new ReportRow { Parcel = report.Parcel, Action = report.Action, Code = report.Code, At = now.ToUnixTimeMilliseconds(), Leaf = entry.Leaf };
        var done = await shared.Journal.Commit(b =>
        {
            var sent = AttemptTable.LastSent(b, row.Parcel)?.EndedAt ?? 0;
            if (ReportTable.Has(b, row, sent)) return true;
            // A worker has it in hand at this moment, and has not settled that it was sent: the report comes again when it has.
            if (!JobTable.Wake(b, row.Parcel, row.At)) return false;
            ReportTable.Add(b, row);
            b.Log(entry, EntryKind.Report, row.Parcel);
            return true;
        }, settle: true);
        if (!done) return Later;
        log.CarrierReported(report.Parcel, copy.Office, report.Action, report.Code);
        return Taken;
    }
}
