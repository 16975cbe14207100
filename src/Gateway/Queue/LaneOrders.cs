namespace Exchange.Gateway.Queue;

/// <summary>
/// The first jobs of every lane, in the orders that a choice asks for: by class those that are due, by office and by age, and apart from them those that are not due yet. A choice looks at the
/// lanes that it takes and at those that it has to pass over, whatever else waits. Not for several threads.
/// </summary>
sealed class LaneOrders
{
    const int Classes = RetrySchedule.Bulk + 1;
    static readonly IComparer<LaneHead> Office = Comparer<LaneHead>.Create((a, b) => string.CompareOrdinal(a.Office, b.Office));
    static readonly IComparer<LaneHead> Age = Comparer<LaneHead>.Create((a, b) =>
        a.Due[0] != b.Due[0] ? a.Due[0].CompareTo(b.Due[0]) : a.Class != b.Class ? a.Class.CompareTo(b.Class) : string.CompareOrdinal(a.Office, b.Office));

    readonly Dictionary<(string Office, int Class), LaneHead> lanes = [];
    readonly List<LaneHead>[] byOffice = [.. Enumerable.Range(0, Classes).Select(_ => new List<LaneHead>())];
    readonly List<LaneHead>[] byAge = [.. Enumerable.Range(0, Classes).Select(_ => new List<LaneHead>())];
    readonly List<LaneHead> later = [];
    long promoted = long.MinValue;

    public static LaneOrders Of(IEnumerable<LaneHead> heads)
    {
        var orders = new LaneOrders();
        foreach (var head in heads) orders.Put(head);
        return orders;
    }

    /// <summary>In place of what was known of this lane.</summary>
    public void Put(LaneHead head)
    {
        Remove(head.Office, head.Class);
        lanes[(head.Office, head.Class)] = head;
        if (head.Due[0] > promoted) Insert(later, head, Age);
        else Ready(head);
    }

    public void Remove(string office, int @class)
    {
        if (!lanes.Remove((office, @class), out var old)) return;
        if (Take(later, old, Age)) return;
        Take(byOffice[@class], old, Office);
        Take(byAge[@class], old, Age);
    }

    public void Clear()
    {
        lanes.Clear();
        later.Clear();
        promoted = long.MinValue;
        foreach (var list in byOffice.Concat(byAge)) list.Clear();
    }

    /// <summary>From now on these lanes are due. A clock that steps back leaves them where they are; whoever chooses looks at each lane's time.</summary>
    public void Promote(long now)
    {
        promoted = Math.Max(promoted, now);
        var due = 0;
        while (due < later.Count && later[due].Due[0] <= promoted) Ready(later[due++]);
        later.RemoveRange(0, due);
    }

    /// <summary>When the next lane becomes due; null: none waits for its time.</summary>
    public long? NextDue => later.Count > 0 ? later[0].Due[0] : null;

    public LaneHead? Find(string office, int @class) => lanes.GetValueOrDefault((office, @class));

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<LaneHead> Oldest(int @class) => byAge[@class];

    /// <summary>Each once, in turn: the first office after this one, and so on around.</summary>
    public IEnumerable<LaneHead> After(int @class, string office)
    {
        var list = byOffice[@class];
        var at = list.BinarySearch(new LaneHead(office, @class, []), Office);
        var first = at >= 0 ? at + 1 : ~at;
        for (var i = 0; i < list.Count; i++) yield return list[(first + i) % list.Count];
    }

    void Ready(LaneHead head)
    {
        Insert(byOffice[head.Class], head, Office);
        Insert(byAge[head.Class], head, Age);
    }

    // A few thousand lanes at most: moving the rest of a list up by one costs less than a tree.
    static void Insert(List<LaneHead> list, LaneHead head, IComparer<LaneHead> order) => list.Insert(~list.BinarySearch(head, order), head);

    static bool Take(List<LaneHead> list, LaneHead head, IComparer<LaneHead> order)
    {
        var at = list.BinarySearch(head, order);
        if (at >= 0) list.RemoveAt(at);
        return at >= 0;
    }
}
