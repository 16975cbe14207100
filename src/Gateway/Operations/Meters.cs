using System.Diagnostics.Metrics;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Operations;

/// <summary>
/// Numbers of the gateway: counts, times and sizes, with tags from closed lists. No office, label, name or subject: an operator sees how it goes, not who writes
/// to whom. docs/metrics.md lists them as Prometheus shows them.
/// </summary>
sealed class Meters : IDisposable
{
    public const string Name = "Exchange.Gateway";
    static readonly double[] Fast = [.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60], Slow = [.01, .05, .1, .5, 1, 5, 10, 30, 60, 300, 900, 3600];
    static readonly long[] Batches = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
    readonly Meter meter;
    readonly Histogram<long> batch;
    readonly Histogram<double> commit;

    public Meters()
    {
        // The scope tells the numbers of this gateway from those of another one in the same process.
        meter = new Meter(new MeterOptions(Name) { Scope = this });
        SignInFailures = meter.CreateCounter<long>("exchange.sign_in.failures", "{connection}", "Connections and requests refused at the door, by reason");
        Submissions = meter.CreateCounter<long>("exchange.submissions", "{dispatch}", "Dispatches accepted (code OK) or refused, by code");
        SubmissionDuration = Times("exchange.submission.duration", Fast, "From the head of a POST (step submit) or a piece of payload (step upload) to the answer, by step and answer");
        Attempts = meter.CreateCounter<long>("exchange.delivery.attempts", "{attempt}", "Attempts of channels that ended, by adapter and outcome; LeaseLost and Late are those that nobody settled in time");
        AttemptDuration = Times("exchange.delivery.attempt.duration", Slow, "From claim to settled, by adapter");
        Parcels = meter.CreateCounter<long>("exchange.parcels.ended", "{parcel}", "Copies that reached a final state, by state");
        Brought = meter.CreateCounter<long>("exchange.intake.brought", "{item}", "What channels brought in, by channel, kind (Envelope, Receipt, Report) and verdict (Taken, Quarantine, Later)");
        Quarantined = meter.CreateCounter<long>("exchange.intake.quarantined", "{item}", "Mails and files put into quarantine, by channel: nothing of ours, or refused");
        Fetches = meter.CreateCounter<long>("exchange.revocation.fetches", "{fetch}", "Revocation lists and answers about certificates asked for, by source (crl, ocsp) and outcome (new, unchanged, failed)");
        Witnessed = meter.CreateCounter<long>("exchange.witness.requests", "{request}", "Checkpoints sent to witnesses, by outcome (cosigned, refused, contradicted, failed)");
        TimeStamped = meter.CreateCounter<long>("exchange.timestamp.requests", "{request}", "Time-stamps of checkpoints asked for, by outcome (stamped, refused, failed)");
        FailedSteps = meter.CreateCounter<long>("exchange.steps.failed", "{step}", "Rounds of what happens by itself that failed and are tried again, by step; the log says why");
        batch = meter.CreateHistogram("exchange.journal.batch.size", "{change}", "Changes written by one commit", advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = Batches });
        commit = Times("exchange.journal.commit.duration", Fast, "From the beginning of a commit until it is durable");
    }

    public Counter<long> SignInFailures { get; }
    public Counter<long> Submissions { get; }
    public Histogram<double> SubmissionDuration { get; }
    public Counter<long> Attempts { get; }
    public Histogram<double> AttemptDuration { get; }
    public Counter<long> Parcels { get; }
    public Counter<long> Brought { get; }
    public Counter<long> Quarantined { get; }
    public Counter<long> Fetches { get; }
    public Counter<long> Witnessed { get; }
    public Counter<long> TimeStamped { get; }
    public Counter<long> FailedSteps { get; }

    /// <summary>For <see cref="JournalOptions.Committed"/>.</summary>
    public void Committed(int changes, TimeSpan took)
    {
        batch.Record(changes);
        commit.Record(took.TotalSeconds);
    }

    // What is watched is read whenever somebody collects, and costs nothing otherwise.

    public void Watch(Room room, Journal journal)
    {
        meter.CreateObservableGauge("exchange.disk.free", () => room.Free, "By", "Free bytes of the data folder's file system");
        meter.CreateObservableGauge("exchange.full", () => room.IsShort || journal.Full ? 1 : 0, description: "1 while submissions are refused for want of room");
        meter.CreateObservableGauge("exchange.journal.waiting", () => journal.Depth, "{change}", "Changes that wait for the journal");
    }

    public void WatchClock(Func<bool> isSure) =>
        meter.CreateObservableGauge("exchange.clock.sure", () => isSure() ? 1 : 0, description: "0 after the clock was set by more than a minute while the gateway ran: embargoes wait until it is started again");

    public void Watch(Backlog backlog)
    {
        meter.CreateObservableGauge("exchange.ledger.size", () => backlog.Now.Entries, "{entry}", "Entries of the ledger");
        meter.CreateObservableGauge("exchange.checkpoint.size", () => backlog.Now.Signed, "{entry}", "Entries that the newest checkpoint holds");
        meter.CreateObservableGauge("exchange.checkpoint.lag", () => backlog.Now.Lag.TotalSeconds, "s", "Age of the oldest entry that no checkpoint holds, 0: none; receipts promise less than promiseSeconds");
        meter.CreateObservableGauge("exchange.checkpoint.age", () => backlog.Now.SignedAge is { } age ? [new Measurement<double>(age.TotalSeconds)] : Array.Empty<Measurement<double>>(), "s",
            "Since this run signed its last checkpoint; grows while nothing happens, so alarm on the lag");
        meter.CreateObservableGauge("exchange.delivery.waiting", () => backlog.Now.Classes.Select(c => new Measurement<long>(c.Waiting, Class(c.Class))), "{parcel}",
            "Copies that wait for their channel, by class (0 is the most urgent); counted up to 100000");
        meter.CreateObservableGauge("exchange.delivery.waiting.age", () => backlog.Now.Classes.Select(c => new Measurement<double>(c.Age.TotalSeconds, Class(c.Class))), "s",
            "Age of the oldest copy that waits for its channel, by class");
        meter.CreateObservableGauge("exchange.delivery.underway", () => backlog.Now.UnderWay, "{parcel}", "Copies that a worker carries now");
        meter.CreateObservableGauge("exchange.held", () => backlog.Now.Held, "{dispatch}", "Dispatches held for those who must release them; counted up to 100000");
        meter.CreateObservableGauge("exchange.uploads.awaited", () => backlog.Now.Uploads, "{payload}", "Announced payloads still to come; counted up to 100000");
    }

    public void Watch(PendingWitnesses witnesses)
    {
        meter.CreateObservableGauge("exchange.witness.pending", () => witnesses.For.TotalSeconds, "s", "Since when the newest checkpoints lack the cosignatures of enough witnesses, 0: they do not, or none is asked");
        meter.CreateObservableGauge("exchange.witness.missing", () => witnesses.Missing, "{witness}", "Witnesses that have not cosigned the newest checkpoint");
    }

    public void Watch(PendingTimeStamps stamps) =>
        meter.CreateObservableGauge("exchange.timestamp.pending", () => stamps.For.TotalSeconds, "s", "Since when a head waits for its time-stamp, 0: none does, or no authority is asked");

    public void Watch(OldPages pages) =>
        meter.CreateObservableGauge("exchange.erasure.pending", () => pages.For.TotalSeconds, "s", "Since when an erasure waits for its end, because pages of before may still lie in a log, 0: none does");

    public void Watch(Equipment keys, Worlds worlds, TimeProvider clock, TimeSpan notice)
    {
        double Left(DateTimeOffset until) => (until - clock.GetUtcNow()).TotalSeconds;
        IEnumerable<(string Use, IReadOnlyList<DateTimeOffset> Ends)> Offices() =>
            KeyEnds.Uses.Select(use => (use, (IReadOnlyList<DateTimeOffset>)[.. (worlds.Current.DirectoryOrNone?.Offices ?? []).Select(o => KeyEnds.Of(o).Where(e => e.Use == use).Select(e => (DateTimeOffset?)e.Until).Min()).OfType<DateTimeOffset>()]));
        KeyValuePair<string, object?> Use(string use) => new("use", use);
        meter.CreateObservableGauge("exchange.office.certificate.remaining", () => Offices().Where(u => u.Ends.Count > 0).Select(u => new Measurement<double>(Left(u.Ends.Min()), Use(u.Use))), "s",
            "Until the first office is without a certificate for a use (sign, encrypt, tls; person: in one of its roles), if none follows");
        meter.CreateObservableGauge("exchange.office.certificates.ending", () => Offices().Select(u => new Measurement<long>(u.Ends.Count(e => Left(e) < notice.TotalSeconds), Use(u.Use))), "{office}",
            "Offices whose last certificate for a use ends within certificateAlarmDays; the log and an alarm say which");
        meter.CreateObservableGauge("exchange.certificate.remaining", () => new[]
        {
            new Measurement<double>(Left(keys.Tls.NotAfter), new KeyValuePair<string, object?>("key", "tls")),
            new Measurement<double>(Left(keys.Evidence.Certificate.NotAfter), new KeyValuePair<string, object?>("key", "evidence")),
        }, "s", "Until a certificate of the gateway's own expires, by key (tls, evidence)");
        meter.CreateObservableGauge("exchange.crl.remaining", () => worlds.Current.Trust.Store.CrlsUntil is { } until ? [new Measurement<double>(Left(until))] : Array.Empty<Measurement<double>>(), "s",
            "Until the first revocation list in use says nothing any more; from then on certificates of its CA are refused");
        meter.CreateObservableGauge("exchange.crl.age", () => worlds.Current.Trust.Store.CrlsSince is { } since ? [new Measurement<double>(-Left(since))] : Array.Empty<Measurement<double>>(), "s",
            "Since the oldest revocation list in use was issued; a level may ask for less (handling.revocation)");
        meter.CreateObservableGauge("exchange.clock", () => clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0, "s", "The gateway's clock, Unix time; headers are refused beyond clockSkewSeconds");
    }

    Histogram<double> Times(string name, double[] buckets, string description) =>
        meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = buckets });

    static KeyValuePair<string, object?> Class(int @class) => new("class", @class);

    public void Dispose() => meter.Dispose();
}
