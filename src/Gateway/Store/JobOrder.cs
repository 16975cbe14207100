using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>
/// Conversation order, where it is asked for: an envelope that recalls or replaces an earlier one of the same sender goes to an office after what it refers to. A job names the
/// one copy that it waits for, and keeps the name when it may go, so that the next one of the conversation queues behind it.
/// </summary>
internal static class JobOrder
{
    /// <summary>Longest conversation that is followed: what comes after that goes at once.</summary>
    const int Longest = 100;

    /// <summary>The copy to wait for: the last of its conversation for this office that is still under way, or dead and not yet decided about; null: none.</summary>
    /// <param name="envelope">What the header refers to.</param>
    public static Guid? Predecessor(Source source, string sender, Guid envelope, string office)
    {
        var last = source.One<Copy>(
            "SELECT p.id, p.state FROM dispatch d JOIN parcel p ON p.dispatch = d.id AND p.office = @office WHERE d.sender = @sender AND d.envelope = @envelope ORDER BY p.id LIMIT 1", new { sender, envelope, office });
        for (var followed = 0; last is not null && followed < Longest; followed++)
        {
            var next = source.One<Copy>("SELECT p.id, p.state FROM job j JOIN parcel p ON p.id = j.parcel WHERE j.after = @id AND j.office = @office ORDER BY j.parcel LIMIT 1", new { id = last.Id, office });
            if (next is null) return last.State is ParcelState.Queued || (last.State == ParcelState.Dead && DeadTable.Find(source, last.Id) is not null) ? last.Id : null;
            last = next;
        }
        return null;
    }

    /// <summary>Whoever waited for this copy may go.</summary>
    public static void Promote(Batch b, Guid parcel) =>
        JobTable.Touched(b, b.Query<Lane>("UPDATE job SET state = 0 WHERE after = @parcel AND state = 2 RETURNING office, class", new { parcel }));

    sealed record Copy
    {
        public required Guid Id { get; init; }
        public required ParcelState State { get; init; }
    }
}
