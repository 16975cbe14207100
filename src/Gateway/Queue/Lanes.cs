using Exchange.Gateway.Store;

namespace Exchange.Gateway.Queue;

/// <param name="Total">Attempts under way at once.</param>
/// <param name="FlashOnly">Of Total: so many are never taken by any class but 0.</param>
/// <param name="AgingPick">Every so manieth pick is by age.</param>
/// <param name="Targets">How long each class should wait at most, milliseconds.</param>
sealed record Slots(int Total, int FlashOnly, int AgingPick, IReadOnlyList<long> Targets);

/// <summary>The first jobs of a lane that nobody holds.</summary>
/// <param name="Due">When each is due, soonest first; never empty.</param>
sealed record LaneHead(string Office, int Class, IReadOnlyList<long> Due);

/// <summary>By which of an office's channels it can be reached now.</summary>
/// <param name="Channel">The first whose breaker is closed; null: none.</param>
/// <param name="Window">Attempts that may be under way by it; the last of them is for class 0 only.</param>
/// <param name="Probe">A better one whose breaker is open, and which may be tried by one attempt now; null: none.</param>
sealed record OfficeGate(string? Channel, int Window, string? Probe);

/// <summary>An attempt under way.</summary>
sealed record Flying(string Office, int Class, string Channel);

/// <summary>So many jobs of this lane may start now, by this channel.</summary>
sealed record LaneClaim(string Office, int Class, string Channel, bool IsProbe, int Count);

/// <summary>
/// Which lanes go next. A lane is (office, class). Normally the most urgent class that may go; inside it the offices in turn, whoever used more time than the others waiting it out (deficit
/// round robin, charged by what deliveries took). Every fifth pick is by age: the lane that has waited longest for what its class is worth, of those that would not have gone. So the most
/// urgent class keeps four picks of five (it is slowed at most 1.25 times), and the others together get the fifth however much of it comes.
/// </summary>
static class Lanes
{
    /// <param name="lanes">Those that are due stand by class, by office and by age; this promotes what has become due.</param>
    /// <param name="turns">Whose turn it is; moved on by each pick.</param>
    public static IReadOnlyList<LaneClaim> Choose(LaneOrders lanes, IReadOnlyCollection<Flying> flying, Func<string, OfficeGate> gateOf, Slots slots, Turns turns, long now)
    {
        lanes.Promote(now);
        if (flying.Count >= slots.Total) return [];
        var round = new Round(lanes, flying, gateOf, slots, now);
        while (true)
        {
            if (round.MostUrgent() is not { } urgent) return round.Claims;
            // Whoever is due and only wants a common slot keeps the turn of age until one is free.
            turns.Picked(slots, round.AnyWaitsBehind(urgent));
            var aged = turns.Owed > 0 ? round.LongestWaiting(urgent) : null;
            if (aged is not null) turns.Owed--;
            round.Take(aged ?? turns.Next(urgent, after => round.Open(urgent, after)));
        }
    }

    /// <summary>One choice. Ways only close while it lasts: a class or lane that has none now has none until its end.</summary>
    sealed class Round
    {
        readonly LaneOrders lanes;
        readonly Func<string, OfficeGate> gateOf;
        readonly Slots slots;
        readonly long now;
        readonly Dictionary<string, OfficeGate> gates = new(StringComparer.Ordinal);
        readonly Dictionary<(string Office, string Channel), (int All, int Common)> underWay = [];
        readonly Dictionary<(string Office, int Class), int> taken = [];
        readonly Dictionary<(string Office, int Class, string Channel, bool IsProbe), int> claims = [];
        /// <summary>By class: lanes at the front of the oldest that have no way or were taken from.</summary>
        readonly int[] passed;
        int total, common;

        public Round(LaneOrders lanes, IReadOnlyCollection<Flying> flying, Func<string, OfficeGate> gateOf, Slots slots, long now)
        {
            (this.lanes, this.gateOf, this.slots, this.now) = (lanes, gateOf, slots, now);
            passed = new int[slots.Targets.Count];
            foreach (var f in flying) Count(f.Office, f.Channel, f.Class);
        }

        public IReadOnlyList<LaneClaim> Claims => [.. claims.Select(c => new LaneClaim(c.Key.Office, c.Key.Class, c.Key.Channel, c.Key.IsProbe, c.Value))];

        /// <summary>The most urgent class that may go; null: nothing may.</summary>
        public int? MostUrgent()
        {
            for (var c = 0; c < passed.Length; c++)
                if (HasSlot(c) && HasWay(c)) return c;
            return null;
        }

        public bool AnyWaitsBehind(int @class)
        {
            for (var c = 0; c < passed.Length; c++)
                if (c != @class && HasWay(c)) return true;
            return false;
        }

        /// <summary>Of the other classes the lane that has waited longest for what its class is worth; null: none may go.</summary>
        public LaneHead? LongestWaiting(int @class)
        {
            LaneHead? longest = null;
            var most = double.NegativeInfinity;
            for (var c = 0; c < passed.Length; c++)
                if (c != @class && HasSlot(c) && Oldest(c) is { } lane && Waits(lane) is var waits && waits > most) (longest, most) = (lane, waits);
            return longest;
        }

        /// <summary>Lanes of the class that may go, in turn from the first office after this one.</summary>
        public IEnumerable<LaneHead> Open(int @class, string after) => lanes.After(@class, after).Where(l => Way(l) is not null);

        public void Take(LaneHead chosen)
        {
            var (channel, isProbe) = Way(chosen)!.Value;
            var key = (chosen.Office, chosen.Class, channel, isProbe);
            claims[key] = claims.GetValueOrDefault(key) + 1;
            Count(chosen.Office, channel, chosen.Class);
            taken[(chosen.Office, chosen.Class)] = Taken(chosen) + 1;
        }

        int Taken(LaneHead lane) => taken.GetValueOrDefault((lane.Office, lane.Class));

        long Next(LaneHead lane) => lane.Due[Taken(lane)];

        double Waits(LaneHead lane) => (double)(now - Next(lane)) / slots.Targets[lane.Class];

        bool HasWay(int @class) => Untaken(@class) is not null || TakenFrom(@class).Any();

        // Whoever something was taken from may still be the oldest by its next job; there are no more of them than slots.
        LaneHead? Oldest(int @class)
        {
            var oldest = Untaken(@class);
            foreach (var lane in TakenFrom(@class))
                if (oldest is null || Next(lane) < Next(oldest) || (Next(lane) == Next(oldest) && string.CompareOrdinal(lane.Office, oldest.Office) < 0)) oldest = lane;
            return oldest;
        }

        LaneHead? Untaken(int @class)
        {
            var list = lanes.Oldest(@class);
            ref var at = ref passed[@class];
            while (at < list.Count && (Taken(list[at]) > 0 || Way(list[at]) is null)) at++;
            return at < list.Count ? list[at] : null;
        }

        IEnumerable<LaneHead> TakenFrom(int @class) => taken.Keys.Where(k => k.Class == @class).Select(k => lanes.Find(k.Office, k.Class)!).Where(l => Way(l) is not null);

        // What is kept for class 0 bounds the others; it does not let class 0 keep the others out of every slot that comes free.
        void Count(string office, string channel, int @class)
        {
            var (all, others) = underWay.GetValueOrDefault((office, channel));
            var one = @class == RetrySchedule.Flash ? 0 : 1;
            underWay[(office, channel)] = (all + 1, others + one);
            total++;
            common += one;
        }

        bool HasSlot(int @class) => total < slots.Total && (@class == RetrySchedule.Flash || common < slots.Total - slots.FlashOnly);

        // A probe is the office's most urgent job that is due longest, and alone on its channel.
        (string Channel, bool IsProbe)? Way(LaneHead lane)
        {
            var next = Taken(lane);
            if (next >= lane.Due.Count || lane.Due[next] > now) return null;
            if (!gates.TryGetValue(lane.Office, out var gate)) gates[lane.Office] = gate = gateOf(lane.Office);
            if (gate.Probe is { } probe && IsMostUrgent(lane) && underWay.GetValueOrDefault((lane.Office, probe)).All == 0) return (probe, true);
            if (gate.Channel is not { } channel) return null;
            var (all, others) = underWay.GetValueOrDefault((lane.Office, channel));
            return all < gate.Window && (lane.Class == RetrySchedule.Flash || others < gate.Window - 1) ? (channel, false) : null;
        }

        bool IsMostUrgent(LaneHead lane)
        {
            for (var c = 0; c < lane.Class; c++)
                if (lanes.Find(lane.Office, c) is { } other && other.Due[0] <= now) return false;
            return true;
        }
    }
}

/// <summary>Whose turn it is: kept by the worker from one choice to the next. Not for several threads.</summary>
sealed class Turns
{
    /// <summary>Milliseconds that each office gets in a round of the turns.</summary>
    const long Quantum = 1000;
    /// <summary>One slow delivery is not held against an office for longer than so much of the others' time.</summary>
    const long MostDebt = 60_000;
    /// <summary>Time used beyond what the rounds gave; below zero: not used up yet.</summary>
    readonly Dictionary<(int Class, string Office), long> debts = [];
    readonly Dictionary<int, string> last = [];
    int picks;

    /// <summary>Picks by age that are due.</summary>
    internal int Owed { get; set; }

    /// <summary>A delivery to this office took so long.</summary>
    public void Charge(string office, int @class, TimeSpan took) =>
        debts[(@class, office)] = Math.Min(MostDebt, debts.GetValueOrDefault((@class, office)) + Math.Max(1, (long)took.TotalMilliseconds));

    internal void Picked(Slots slots, bool othersWait)
    {
        if (!othersWait) Owed = 0;
        if (++picks < slots.AgingPick) return;
        picks = 0;
        if (othersWait) Owed = Math.Min(Owed + 1, slots.Total);
    }

    /// <param name="open">Lanes of the class that may go, one an office, from the first after this one on; not empty. Asked for as far as it takes.</param>
    internal LaneHead Next(int @class, Func<string, IEnumerable<LaneHead>> open)
    {
        var after = last.GetValueOrDefault(@class, "");
        if (open(after).FirstOrDefault(l => Rounds(@class, l.Office) == 0) is not { } next)
        {
            Pass(@class, [.. open(after)]);
            next = open(after).First(l => Rounds(@class, l.Office) == 0);
        }
        last[@class] = next.Office;
        return next;
    }

    // Rounds pass until somebody may go; each is worth a quantum to everybody. Whoever has nothing to send keeps no time for later. This walks through all of the class, but only when its
    // offices have used up a quantum.
    void Pass(int @class, List<LaneHead> open)
    {
        var rounds = open.Min(l => Rounds(@class, l.Office));
        var waiting = open.Select(l => l.Office).ToHashSet(StringComparer.Ordinal);
        foreach (var key in debts.Keys.Where(k => k.Class == @class).ToList())
        {
            var left = debts[key] - rounds * Quantum;
            if (left > 0 || waiting.Contains(key.Office)) debts[key] = left;
            else debts.Remove(key);
        }
    }

    // A debt of nothing, and time in hand, may go.
    long Rounds(int @class, string office) => (Math.Max(0, debts.GetValueOrDefault((@class, office))) + Quantum - 1) / Quantum;
}
