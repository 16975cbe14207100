using Exchange.Gateway.Store;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Queue;

/// <summary>
/// The first jobs of every lane, kept in memory: a choice costs no look at the store for lanes that nothing happened to. The journal tells which lanes a commit touched; those are read again,
/// each by one step of the index. Now and then all are, as a net.
/// </summary>
sealed class LaneHeads
{
    static readonly TimeSpan Net = TimeSpan.FromSeconds(30);
    readonly int depth;
    readonly Lock gate = new();
    readonly LaneOrders heads = new();
    readonly HashSet<(string Office, int Class)> touched = [];
    DateTimeOffset readAll = DateTimeOffset.MinValue;

    /// <param name="depth">Jobs kept of each lane: what an office's window takes at most.</param>
    public LaneHeads(Journal journal, int depth)
    {
        this.depth = depth;
        journal.LanesTouched = Touch;
    }

    /// <summary>On the writer thread, after the commit.</summary>
    void Touch(IReadOnlyCollection<(string Office, int Class)> lanes)
    {
        lock (gate) touched.UnionWith(lanes);
    }

    /// <summary>As the store has them now. One caller at a time.</summary>
    public LaneOrders Read(IEngine engine, DateTimeOffset now)
    {
        List<(string Office, int Class)> changed;
        lock (gate)
        {
            changed = [.. touched];
            touched.Clear();
        }
        var all = now - readAll >= Net || now < readAll;
        if (changed.Count > 0 || all)
        {
            using var reader = engine.Reader();
            if (all)
            {
                changed = [.. JobTable.Lanes(reader).Select(l => (l.Office, l.Class))];
                heads.Clear();
                readAll = now;
            }
            foreach (var (office, @class) in changed)
                if (JobTable.Dues(reader, office, @class, depth) is { Count: > 0 } due) heads.Put(new LaneHead(office, @class, due));
                else heads.Remove(office, @class);
        }
        return heads;
    }
}
