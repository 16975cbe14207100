using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>Live work to get one copy to its office; there is one as long as the parcel is Queued, and none after.</summary>
internal sealed record JobRow
{
    public required Guid Parcel { get; init; }
    public required string Office { get; init; }
    /// <summary>0 is the most urgent: see RetrySchedule.</summary>
    public required int Class { get; init; }
    /// <summary>Not before, Unix milliseconds.</summary>
    public required long Due { get; init; }
    /// <summary>Highest fence under which the copy was ever claimed; 0: never.</summary>
    public long Fence { get; init; }
    /// <summary>An earlier attempt may have arrived: ask before sending.</summary>
    public bool Ask { get; init; }
    /// <summary>Waits until this copy has ended: see <see cref="JobOrder"/>; null: for none.</summary>
    public Guid? After { get; init; }
}

/// <summary>A lane: one office's jobs of one class.</summary>
internal sealed record Lane
{
    public required string Office { get; init; }
    public required int Class { get; init; }
}

/// <summary>A job that this process holds until its lease ends, under its fence.</summary>
internal sealed record ClaimedJob
{
    public required Guid Parcel { get; init; }
    public required string Office { get; init; }
    public required int Class { get; init; }
    /// <summary>1 for the first.</summary>
    public required int Attempt { get; init; }
    /// <summary>Rises with each claim: whoever holds an older one cannot settle any more.</summary>
    public required long Fence { get; init; }
    /// <summary>An earlier attempt may have arrived: ask before sending.</summary>
    public required bool Ask { get; init; }
    /// <summary>The channel of the office that carries it this time; chosen with the lane, not stored with the job.</summary>
    public string Channel { get; init; } = "";
    /// <summary>It goes out to see whether the office is back: the breaker was open when it was claimed.</summary>
    public bool IsProbe { get; init; }
}

/// <summary>A claim whose lease ran out, with what an entry about it says.</summary>
internal sealed record LostJob : EndingParcel
{
    public required string Channel { get; init; }
    public required long Fence { get; init; }
    /// <summary>Leases lost in a row before this one.</summary>
    public required int Before { get; init; }
}

/// <summary>Jobs of one class that nobody holds.</summary>
internal sealed record WaitingClass
{
    public required int Class { get; init; }
    public required long Waiting { get; init; }
    /// <summary>Parcel; their ids rise with the time of acceptance.</summary>
    public required Guid Oldest { get; init; }
}

internal sealed record LaneBacklog
{
    public required string Office { get; init; }
    public required int Class { get; init; }
    public required long Waiting { get; init; }
    public required Guid Oldest { get; init; }
    public required long Due { get; init; }
}

internal sealed record OfficeJobs
{
    public required string Office { get; init; }
    public required long Held { get; init; }
    public required long Behind { get; init; }
}

/// <summary>Claim and Extend are the quiet changes of the queue; everything else here happens beside an entry.</summary>
internal static class JobTable
{
    internal static readonly RowShape<JobRow> Shape = new("job", ["parcel", "office", "class", "state", "due", "attempt", "fence", "ask", "lost", "after"],
        j => [j.Parcel, j.Office, j.Class, j.After is null ? 0 : 2, j.Due, 0, j.Fence, j.Ask ? 1 : 0, 0, j.After]);

    /// <summary>All lanes in which something waits to be claimed, by one step of the index for each.</summary>
    public static IReadOnlyList<Lane> Lanes(Source source) => source.Query<Lane>(
        """
        WITH RECURSIVE lane (office, class) AS (
            SELECT (SELECT office FROM job WHERE state = 0 ORDER BY office, class LIMIT 1), (SELECT class FROM job WHERE state = 0 ORDER BY office, class LIMIT 1)
            UNION ALL
            SELECT (SELECT j.office FROM job j WHERE j.state = 0 AND (j.office, j.class) > (lane.office, lane.class) ORDER BY j.office, j.class LIMIT 1),
                   (SELECT j.class FROM job j WHERE j.state = 0 AND (j.office, j.class) > (lane.office, lane.class) ORDER BY j.office, j.class LIMIT 1)
            FROM lane WHERE lane.office IS NOT NULL
        )
        SELECT office, class FROM lane WHERE office IS NOT NULL
        """);

    /// <summary>When the first jobs of a lane are due, soonest first.</summary>
    public static IReadOnlyList<long> Dues(Source source, string office, int @class, int limit) => source.Query<long>(
        "SELECT due FROM job WHERE state = 0 AND office = @office AND class = @class ORDER BY due, parcel LIMIT @limit", new { office, @class, limit });

    /// <summary>Takes up to so many due jobs of a lane. A crash after it: the lease runs out, and they are free again.</summary>
    public static IReadOnlyList<ClaimedJob> Claim(Batch b, string office, int @class, int count, long now, long until)
    {
        b.Touch(office, @class);
        return b.Query<ClaimedJob>(
            """
            UPDATE job SET state = 1, attempt = attempt + 1, fence = fence + 1, lease_until = @until
            WHERE parcel IN (SELECT parcel FROM job WHERE state = 0 AND office = @office AND class = @class AND due <= @now ORDER BY due, parcel LIMIT @count)
            RETURNING parcel, office, class, attempt, fence, ask
            """, new { office, @class, count, now, until });
    }

    /// <summary>Keeps a claim. False: it is lost.</summary>
    public static bool Extend(Batch b, Guid parcel, long fence, long until) =>
        b.Execute("UPDATE job SET lease_until = @until WHERE parcel = @parcel AND fence = @fence AND state = 1", new { parcel, fence, until }) == 1;

    /// <summary>The copy ends: the job goes, if the claim still holds. False: it is lost; nothing was changed.</summary>
    /// <param name="blocks">What waits for this copy waits on: it is dead, and may come back.</param>
    public static bool End(Batch b, Guid parcel, long fence, bool blocks = false) =>
        Gone(b, parcel, b.Execute("DELETE FROM job WHERE parcel = @parcel AND fence = @fence AND state = 1", new { parcel, fence }) == 1, blocks);

    /// <summary>Free again from <paramref name="due"/> on, if the claim still holds. False: it is lost; nothing was changed.</summary>
    /// <param name="counts">False: this attempt is not one that makes the next wait longer.</param>
    /// <param name="lost">The lease ran out.</param>
    public static bool PutBack(Batch b, Guid parcel, long fence, long due, bool ask, bool counts = true, bool lost = false) => Touched(b, b.Query<Lane>(
        """
        UPDATE job SET state = 0, lease_until = NULL, due = @due, ask = @ask, attempt = attempt - @uncounted, lost = CASE WHEN @lost THEN lost + 1 ELSE 0 END
        WHERE parcel = @parcel AND fence = @fence AND state = 1 RETURNING office, class
        """, new { parcel, fence, due, ask, uncounted = counts ? 0 : 1, lost }));

    /// <summary>The copy ended without a worker. False: one holds it, or there is none; nothing was changed.</summary>
    /// <param name="blocks">As for <see cref="End"/>.</param>
    public static bool Drop(Batch b, Guid parcel, bool blocks = false)
    {
        var dropped = b.Query<Lane>("DELETE FROM job WHERE parcel = @parcel AND state IN (0, 2) RETURNING office, class", new { parcel });
        return Gone(b, parcel, Touched(b, dropped), blocks);
    }

    /// <summary>Highest fence under which it was claimed; null: there is no job.</summary>
    public static long? FenceOf(Batch b, Guid parcel) => b.One<long?>("SELECT fence FROM job WHERE parcel = @parcel", new { parcel });

    // Whoever waited for it may go, unless it may come back.
    static bool Gone(Batch b, Guid parcel, bool gone, bool blocks)
    {
        if (gone && !blocks) JobOrder.Promote(b, parcel);
        return gone;
    }

    internal static bool Touched(Batch b, IReadOnlyList<Lane> lanes)
    {
        foreach (var lane in lanes) b.Touch(lane.Office, lane.Class);
        return lanes.Count > 0;
    }

    /// <summary>Something was heard of the copy: it is asked about now. False: a worker holds it, or there is no job; nothing was changed.</summary>
    public static bool Wake(Batch b, Guid parcel, long now) =>
        Touched(b, b.Query<Lane>("UPDATE job SET due = @now, ask = 1 WHERE parcel = @parcel AND state = 0 RETURNING office, class", new { parcel, now }));

    /// <summary>There is another way: it is due now. False: a worker holds it, or there is no job.</summary>
    public static bool Hurry(Batch b, Guid parcel, long now) =>
        Touched(b, b.Query<Lane>("UPDATE job SET due = @now WHERE parcel = @parcel AND state = 0 RETURNING office, class", new { parcel, now }));

    /// <summary>Claims whose lease ended by then, oldest first.</summary>
    public static IReadOnlyList<LostJob> Lost(Source source, long now, int limit) => source.Query<LostJob>(
        """
        SELECT j.parcel, j.office, p.key, d.sender, d.envelope, d.ctx, p.channel, j.fence, j.lost AS before, p.dispatch, d.manifest_digest
        FROM job j JOIN parcel p ON p.id = j.parcel JOIN dispatch d ON d.id = p.dispatch
        WHERE j.state = 1 AND j.lease_until <= @now ORDER BY j.lease_until LIMIT @limit
        """, new { now, limit });

    /// <summary>What nobody holds, by class; stops counting at so many. All of it stands in the index of the lanes.</summary>
    public static IReadOnlyList<WaitingClass> Waiting(Source source, int limit) => source.Query<WaitingClass>(
        "SELECT class, count(*) AS waiting, min(parcel) AS oldest FROM (SELECT class, parcel FROM job WHERE state = 0 LIMIT @limit) GROUP BY class", new { limit });

    /// <summary>By lane: how many, the oldest (parcel ids rise with time) and the soonest due; stops counting at so many.</summary>
    public static IReadOnlyList<LaneBacklog> Backlog(Source source, int limit) => source.Query<LaneBacklog>(
        "SELECT office, class, count(*) AS waiting, min(parcel) AS oldest, min(due) AS due FROM (SELECT office, class, due, parcel FROM job WHERE state = 0 ORDER BY office, class, due LIMIT @limit) GROUP BY office, class", new { limit });

    /// <summary>What workers hold, and what waits for another copy of its conversation, by office.</summary>
    public static IReadOnlyList<OfficeJobs> Others(Source source) => source.Query<OfficeJobs>(
        """
        SELECT office, sum(held) AS held, sum(behind) AS behind FROM (
            SELECT office, 1 AS held, 0 AS behind FROM job WHERE state = 1
            UNION ALL SELECT office, 0, 1 FROM job WHERE after IS NOT NULL AND state = 2) GROUP BY office
        """);

    /// <summary>What workers hold: never more than there are slots.</summary>
    public static long UnderWay(Source source) => source.One<long>("SELECT count(*) FROM job WHERE state = 1");

    /// <summary>When each copy of the sender's own dispatch is tried next; none: nothing is planned, or a worker has it now, or it waits for another (null).</summary>
    public static IReadOnlyList<(Guid Parcel, long? Due)> NextOf(Source source, string sender, Guid dispatch) =>
        [.. source.Query<PlannedJob>(
            """
            SELECT j.parcel, CASE j.state WHEN 0 THEN j.due END AS due FROM job j JOIN parcel p ON p.id = j.parcel
            WHERE p.dispatch = @dispatch AND EXISTS (SELECT 1 FROM dispatch WHERE id = @dispatch AND sender = @sender)
            """, new { sender, dispatch }).Select(j => (j.Parcel, j.Due))];

    sealed record PlannedJob
    {
        public required Guid Parcel { get; init; }
        public required long? Due { get; init; }
    }
}
