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
}

/// <summary>The first job of a lane that nobody holds.</summary>
internal sealed record LaneHead
{
    public required string Office { get; init; }
    public required int Class { get; init; }
    public required long Due { get; init; }
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
}

/// <summary>A claim whose lease ran out, with what an entry about it says.</summary>
internal sealed record LostJob
{
    public required Guid Parcel { get; init; }
    public required string Office { get; init; }
    public required Digest Key { get; init; }
    public required string Sender { get; init; }
    public required Guid Envelope { get; init; }
    public required Digest Ctx { get; init; }
    public required string Channel { get; init; }
    public required long Fence { get; init; }
}

/// <summary>Jobs of one class that nobody holds.</summary>
internal sealed record WaitingClass
{
    public required int Class { get; init; }
    public required long Waiting { get; init; }
    /// <summary>Parcel; their ids rise with the time of acceptance.</summary>
    public required Guid Oldest { get; init; }
}

/// <summary>Claim and Extend are the quiet changes of the queue; everything else here happens beside an entry.</summary>
internal static class JobTable
{
    internal static readonly RowShape<JobRow> Shape = new("job", ["parcel", "office", "class", "state", "due", "attempt", "fence", "ask"],
        j => [j.Parcel, j.Office, j.Class, 0, j.Due, 0, 0, 0]);

    /// <summary>Heads of all lanes, one step of the index for each.</summary>
    public static IReadOnlyList<LaneHead> Heads(Source source) => source.Query<LaneHead>(
        """
        WITH RECURSIVE lane (office, class) AS (
            SELECT (SELECT office FROM job WHERE state = 0 ORDER BY office, class LIMIT 1), (SELECT class FROM job WHERE state = 0 ORDER BY office, class LIMIT 1)
            UNION ALL
            SELECT (SELECT j.office FROM job j WHERE j.state = 0 AND (j.office, j.class) > (lane.office, lane.class) ORDER BY j.office, j.class LIMIT 1),
                   (SELECT j.class FROM job j WHERE j.state = 0 AND (j.office, j.class) > (lane.office, lane.class) ORDER BY j.office, j.class LIMIT 1)
            FROM lane WHERE lane.office IS NOT NULL
        )
        SELECT office, class, (SELECT due FROM job j WHERE j.state = 0 AND j.office = lane.office AND j.class = lane.class ORDER BY j.due, j.parcel LIMIT 1) AS due
        FROM lane WHERE office IS NOT NULL
        """);

    /// <summary>Takes up to so many due jobs of a lane. A crash after it: the lease runs out, and they are free again.</summary>
    public static IReadOnlyList<ClaimedJob> Claim(Batch b, string office, int @class, int count, long now, long until) => b.Query<ClaimedJob>(
        """
        UPDATE job SET state = 1, attempt = attempt + 1, fence = fence + 1, lease_until = @until
        WHERE parcel IN (SELECT parcel FROM job WHERE state = 0 AND office = @office AND class = @class AND due <= @now ORDER BY due, parcel LIMIT @count)
        RETURNING parcel, office, class, attempt, fence, ask
        """, new { office, @class, count, now, until });

    /// <summary>Keeps a claim. False: it is lost.</summary>
    public static bool Extend(Batch b, Guid parcel, long fence, long until) =>
        b.Execute("UPDATE job SET lease_until = @until WHERE parcel = @parcel AND fence = @fence AND state = 1", new { parcel, fence, until }) == 1;

    /// <summary>The copy ends: the job goes, if the claim still holds. False: it is lost; nothing was changed.</summary>
    public static bool End(Batch b, Guid parcel, long fence) =>
        b.Execute("DELETE FROM job WHERE parcel = @parcel AND fence = @fence AND state = 1", new { parcel, fence }) == 1;

    /// <summary>Free again from <paramref name="due"/> on, if the claim still holds. False: it is lost; nothing was changed.</summary>
    public static bool PutBack(Batch b, Guid parcel, long fence, long due, bool ask) =>
        b.Execute("UPDATE job SET state = 0, lease_until = NULL, due = @due, ask = @ask WHERE parcel = @parcel AND fence = @fence AND state = 1", new { parcel, fence, due, ask }) == 1;

    /// <summary>The copy ended without a worker. False: one holds it, or there is none; nothing was changed.</summary>
    public static bool Drop(Batch b, Guid parcel) => b.Execute("DELETE FROM job WHERE parcel = @parcel AND state = 0", new { parcel }) == 1;

    /// <summary>Something was heard of the copy: it is asked about now. False: a worker holds it, or there is no job; nothing was changed.</summary>
    public static bool Wake(Batch b, Guid parcel, long now) =>
        b.Execute("UPDATE job SET due = @now, ask = 1 WHERE parcel = @parcel AND state = 0", new { parcel, now }) == 1;

    /// <summary>Claims whose lease ended by then, oldest first.</summary>
    public static IReadOnlyList<LostJob> Lost(Source source, long now, int limit) => source.Query<LostJob>(
        """
        SELECT j.parcel, j.office, p.key, d.sender, d.envelope, d.ctx, p.channel, j.fence
        FROM job j JOIN parcel p ON p.id = j.parcel JOIN dispatch d ON d.id = p.dispatch
        WHERE j.state = 1 AND j.lease_until <= @now ORDER BY j.lease_until LIMIT @limit
        """, new { now, limit });

    /// <summary>What nobody holds, by class; stops counting at so many. All of it stands in the index of the lanes.</summary>
    public static IReadOnlyList<WaitingClass> Waiting(Source source, int limit) => source.Query<WaitingClass>(
        "SELECT class, count(*) AS waiting, min(parcel) AS oldest FROM (SELECT class, parcel FROM job WHERE state = 0 LIMIT @limit) GROUP BY class", new { limit });

    /// <summary>What workers hold: never more than there are slots.</summary>
    public static long UnderWay(Source source) => source.One<long>("SELECT count(*) FROM job WHERE state = 1");

    /// <summary>When each copy of the sender's own dispatch is tried next; none: nothing is planned, or a worker has it now (null).</summary>
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
