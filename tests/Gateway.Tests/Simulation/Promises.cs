using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Store;

namespace Exchange.Tests.Simulation;

/// <summary>
/// What the gateway promised, kept apart from it, and held against its store: each simulated second what the ledger says since the last look, after each start that nothing seen is gone, and at the end everything.
/// </summary>
sealed class Promises(SimulatedOffices offices, Pump pump, SimulatedRandom random)
{
    /// <summary>How long a copy may wait for its first attempt at an office that can be reached, by class, while nothing is wrong.</summary>
    static readonly TimeSpan[] Longest = [TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(20)];
    /// <summary>And at one whose breaker is still open: until the next probe, or the one after it.</summary>
    static readonly TimeSpan LongestProbe = TimeSpan.FromMinutes(40);
    const int Flash = 0, Sampled = 3, Again = 200;

    readonly Dictionary<Guid, Copy> copies = [];
    readonly List<Guid> ended = [];
    readonly Dictionary<Guid, Sent> sent = [];
    readonly List<Sent> answered = [];
    readonly HashSet<Guid> waiting = [];
    /// <summary>When an office's breaker was last seen open: what waited for its probe goes out only after that.</summary>
    readonly Dictionary<string, TimeSpan> opened = [];
    TreeFrontier frontier = TreeFrontier.Empty;
    int confirmed;

    sealed class Sent(Submission submission)
    {
        public Guid Envelope { get; } = submission.Id;
        public string Sender { get; } = submission.Sender;
        public Digest File { get; } = submission.File;
        public int Copies { get; } = submission.Copies;
        public int Class { get; } = RetrySchedule.ClassOf(submission.Envelope.Header.Urgency);
        public long NotBefore { get; } = submission.Envelope.Header.Times.NotBefore ?? 0;
        public Digest Receipt { get; set; }
        public Guid Dispatch { get; set; }
    }

    sealed class Copy(Sent sent, string office, TimeSpan accepted)
    {
        public Sent Sent { get; } = sent;
        public string Office { get; } = office;
        /// <summary>From when it may leave.</summary>
        public TimeSpan Due { get; set; } = accepted;
        public ParcelState? End { get; set; }
        public int Attempts { get; set; }
        public bool Taken { get; set; }
    }

    public long Created => copies.Count;
    public long Ended => ended.Count;
    public long Answered => answered.Count;
    public long Attempts { get; private set; }
    public long LostLeases { get; private set; }
    public long Late { get; private set; }
    public long Looks { get; private set; }
    public Dictionary<ParcelState, long> Ends { get; } = [];
    public Digest Root => frontier.Root();
    public long Entries => frontier.Size;
    /// <summary>Nobody may expect to be served before.</summary>
    public TimeSpan Disturbed { get; set; }
    public TimeSpan LongestFlash { get; private set; }

    public void Sends(Submission submission) => sent.TryAdd(submission.Id, new Sent(submission));

    public void IsAnswered(Submission submission, byte[] receipt)
    {
        var one = sent[submission.Id];
        if (one.Receipt != default) return;
        one.Receipt = Digest.Of(receipt);
        answered.Add(one);
    }

    /// <summary>After a start: all that was ever seen is still there. The next look asks for the newest receipts again.</summary>
    public void Started(IEngine engine)
    {
        using var reader = engine.Reader();
        var head = HeadTable.Read(reader);
        Demand(head.Size >= frontier.Size, $"the ledger had {frontier.Size} entries and has {head.Size} after a start");
        Demand(Tiles.Root(frontier.Size, TileTable.ReaderOf(reader)) == frontier.Root(), $"the first {frontier.Size} entries of the ledger are others after a start");
        confirmed = Math.Max(0, Math.Min(confirmed, answered.Count - Again));
    }

    /// <summary>Each second.</summary>
    public void Look(IEngine engine)
    {
        Looks++;
        using var reader = engine.Reader();
        var head = HeadTable.Read(reader);
        Walk(reader);
        Demand(frontier.Size == head.Size && frontier.Root() == head.Root, $"head and tree differ at {head.Size} entries");
        var live = reader.One<long>("SELECT count(*) FROM job");
        Demand(Created == live + Ended, $"{Created} copies were made, {Ended} have ended, and {live} are under way");
        for (; confirmed < answered.Count; confirmed++) DemandReceipt(reader, answered[confirmed]);
        foreach (var effect in offices.Effects) Take(effect);
        offices.Effects.Clear();
        for (var n = 0; n < Sampled && ended.Count > 0; n++) DemandEnded(reader, ended[random.Below(ended.Count)]);
        Waits(reader);
    }

    /// <summary>Everything, when all is over.</summary>
    /// <param name="drained">Nothing may be under way any more.</param>
    public void Finish(IEngine engine, bool drained)
    {
        using var reader = engine.Reader();
        var rows = 0L;
        foreach (var row in reader.Walk<ParcelNow>("SELECT id, state FROM parcel"))
        {
            rows++;
            Demand(copies.TryGetValue(row.Id, out var copy), $"the copy {row.Id} came from nowhere");
            Demand(copy!.End is { } end ? row.State == end : row.State == ParcelState.Queued, $"the copy {row.Id} is {row.State}, and was {copy.End}");
            Demand(row.State != ParcelState.Delivered || copy.Taken, $"the copy {row.Id} is delivered, and its office never got it");
        }
        Demand(rows == Created, $"{Created} copies were made and {rows} are there");
        Demand(!drained || Created == Ended, $"{Created - Ended} copies never ended");
        foreach (var one in answered) Demand(one.Dispatch != default, $"the dispatch {one.Envelope} has a receipt and no entry");
    }

    void Walk(Reader reader)
    {
        List<Digest> leaves = [];
        foreach (var entry in reader.Query<EntryRow>("SELECT seq, hash, leaf, kind, subject, time FROM entry WHERE seq >= @first ORDER BY seq", new { first = frontier.Size }))
        {
            Demand(entry.Seq == frontier.Size + leaves.Count, $"entry {frontier.Size + leaves.Count} is missing");
            Demand(LedgerEntry.LeafOf(entry.Hash) == entry.Leaf, $"entry {entry.Seq} has another leaf");
            leaves.Add(entry.Leaf);
            switch (entry.Kind)
            {
                case EntryKind.Submission: Accepted(reader, entry.Subject!.Value); break;
                case EntryKind.Attempt: Attempted(reader, entry.Subject!.Value); break;
                case EntryKind.Delivery or EntryKind.Consignment: HasEnded(reader, entry.Subject!.Value, delivered: true); break;
                case EntryKind.ConsignmentFailure: HasEnded(reader, entry.Subject!.Value, delivered: false); break;
                default: break;
            }
        }
        frontier = frontier.Append(leaves);
    }

    void Accepted(Reader reader, Guid dispatch)
    {
        var envelope = DispatchTable.EnvelopeOf(reader, dispatch);
        Demand(envelope is not null && sent.ContainsKey(envelope.Value), $"the dispatch {dispatch} was sent by nobody");
        var one = sent[envelope!.Value];
        Demand(one.Dispatch == default, $"the envelope {envelope} became two dispatches");
        one.Dispatch = dispatch;
        var parcels = ParcelTable.OfDispatch(reader, one.Sender, dispatch);
        Demand(parcels.Count == one.Copies, $"the dispatch {dispatch} has {parcels.Count} copies in place of {one.Copies}");
        foreach (var parcel in parcels)
        {
            copies.Add(parcel.Id, new Copy(one, parcel.Office, pump.Elapsed));
            waiting.Add(parcel.Id);
        }
    }

    void Attempted(Reader reader, Guid parcel)
    {
        Attempts++;
        if (++copies[parcel].Attempts > 1) DemandFence(reader, parcel);
    }

    // A claim that was declared lost settles nothing: whoever held it is late.
    void DemandFence(Reader reader, Guid parcel)
    {
        var attempts = reader.Query<AttemptNow>("SELECT fence, outcome FROM attempt WHERE parcel = @parcel", new { parcel });
        foreach (var lost in attempts.Where(a => a.Outcome == AttemptOutcome.LeaseLost))
            Demand(attempts.All(a => a.Fence != lost.Fence || a.Outcome is AttemptOutcome.LeaseLost or AttemptOutcome.Late), $"a worker whose lease was lost (fence {lost.Fence}) settled the copy {parcel}");
    }

    void HasEnded(Reader reader, Guid parcel, bool delivered)
    {
        var copy = copies[parcel];
        Demand(copy.End is null, $"the copy {parcel} ended as {copy.End} and then again");
        var state = reader.One<ParcelNow>("SELECT id, state FROM parcel WHERE id = @parcel", new { parcel })!.State;
        Demand(delivered ? state == ParcelState.Delivered : state is ParcelState.Dead or ParcelState.Expired or ParcelState.Refused, $"the copy {parcel} is {state}, and its entry says {(delivered ? "delivered" : "not delivered")}");
        Demand(!delivered || offices[copy.Office].Holds.Contains(parcel), $"the copy {parcel} is delivered, and {copy.Office} does not hold it");
        if (copy.Attempts > 0) DemandFence(reader, parcel);
        copy.End = state;
        ended.Add(parcel);
        waiting.Remove(parcel);
        Ends[state] = Ends.GetValueOrDefault(state) + 1;
    }

    void DemandEnded(Reader reader, Guid parcel)
    {
        var (now, then) = (reader.One<ParcelNow>("SELECT id, state FROM parcel WHERE id = @parcel", new { parcel })?.State, copies[parcel].End);
        Demand(now == then, $"the copy {parcel} had ended as {then} and is {now}");
    }

    static void DemandReceipt(Reader reader, Sent one)
    {
        Demand(one.Dispatch != default, $"the envelope {one.Envelope} was acknowledged and is not in the ledger");
        var there = reader.One<long>(
            $"""
            SELECT count(*) FROM receipt r JOIN entry e ON e.leaf = r.leaf AND e.subject = r.dispatch JOIN dispatch d ON d.id = r.dispatch
            WHERE r.dispatch = @dispatch AND r.event = '{ReceiptEvent.SubmissionAcceptance}' AND r.sha256 = @receipt
            """, new { dispatch = one.Dispatch, receipt = one.Receipt });
        Demand(there == 1, $"the receipt that {one.Sender} holds of {one.Envelope} is not in the store");
        Demand(ParcelTable.OfDispatch(reader, one.Sender, one.Dispatch).Count == one.Copies, $"copies of {one.Envelope} are gone");
    }

    void Take(SimulatedOffices.Effect effect)
    {
        Demand(copies.TryGetValue(effect.Parcel, out var copy) && copy.Office == effect.Office, $"{effect.Office} got {effect.Parcel}, which is not its copy of anything");
        Demand(copy!.Sent.File == effect.File, $"{effect.Office} got other bytes than {copy.Sent.Sender} had sent");
        Demand(!copy.Taken, $"{effect.Office} took {effect.Parcel} twice");
        copy.Taken = true;
    }

    void Waits(Reader reader)
    {
        foreach (var office in reader.Query<string>("SELECT office FROM office_state WHERE open_until IS NOT NULL")) opened[office] = pump.Elapsed;
        foreach (var parcel in waiting.ToList())
        {
            var copy = copies[parcel];
            if (copy.Sent.NotBefore > pump.Now.ToUnixTimeMilliseconds()) copy.Due = pump.Elapsed;
            var since = Last(copy.Due, Last(Disturbed, offices[copy.Office].Disturbed));
            if (offices.Tried.TryGetValue(parcel, out var tried))
            {
                waiting.Remove(parcel);
                if (copy.Sent.Class == Flash && tried - since > LongestFlash) LongestFlash = tried - since;
            }
            else if (pump.Elapsed - since >= Longest[copy.Sent.Class])
                Demand(pump.Elapsed - Last(since, opened.GetValueOrDefault(copy.Office)) < Longest[copy.Sent.Class] && pump.Elapsed - since < LongestProbe + Longest[copy.Sent.Class],
                    $"the copy {parcel} of class {copy.Sent.Class} for {copy.Office} has waited {pump.Elapsed - since} for its first attempt, and nothing is in its way: {Situation(reader, parcel, copy)}");
        }
    }

    static TimeSpan Last(TimeSpan a, TimeSpan b) => a > b ? a : b;

    // What whoever looks for the reason wants to see first.
    string Situation(Reader reader, Guid parcel, Copy copy)
    {
        string All(string what, string sql) => $"{what} [{string.Join("; ", reader.Query<Line>(sql, new { parcel, office = copy.Office }).Select(l => l.Text))}]";
        return string.Join(", ",
            $"accepted or due {copy.Due}, all disturbed until {Disturbed}, office until {offices[copy.Office].Disturbed}, now {pump.Now.ToUnixTimeMilliseconds()}",
            All("job", "SELECT 'state ' || state || ' due ' || due || ' attempt ' || attempt || ' fence ' || fence || ' lease ' || ifnull(lease_until, '-') || ' lost ' || lost || ' after ' || ifnull(hex(after), '-') AS text FROM job WHERE parcel = @parcel"),
            All("attempts", "SELECT outcome || ' ' || started_at || '..' || ended_at || ' ' || detail AS text FROM attempt WHERE parcel = @parcel"),
            All("office", "SELECT 'at once ' || at_once || ' run ' || run || ' failures ' || failures || ' open until ' || ifnull(open_until, '-') || ' for ' || open_for || ' last ' || last_error AS text FROM office_state WHERE office = @office"),
            All("its jobs by class, state", "SELECT class || '/' || state || ': ' || count(*) || ' due from ' || min(due) || ' lease ' || ifnull(max(lease_until), '-') AS text FROM job WHERE office = @office GROUP BY class, state"),
            All("all jobs by class, state", "SELECT class || '/' || state || ': ' || count(*) AS text FROM job GROUP BY class, state"));
    }

    /// <summary>For the report.</summary>
    public void Count(IEngine engine)
    {
        using var reader = engine.Reader();
        LostLeases = reader.One<long>("SELECT count(*) FROM attempt WHERE outcome = @outcome", new { outcome = AttemptOutcome.LeaseLost });
        Late = reader.One<long>("SELECT count(*) FROM attempt WHERE outcome = @outcome", new { outcome = AttemptOutcome.Late });
    }

    static void Demand(bool holds, string otherwise)
    {
        if (!holds) throw new BrokenPromise(otherwise);
    }

    sealed record Line
    {
        public required string Text { get; init; }
    }

    sealed record ParcelNow
    {
        public required Guid Id { get; init; }
        public required ParcelState State { get; init; }
    }

    sealed record AttemptNow
    {
        public required long Fence { get; init; }
        public required AttemptOutcome Outcome { get; init; }
    }
}
