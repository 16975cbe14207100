using Exchange.Gateway.Queue;

namespace Exchange.Tests.Queue;

/// <summary>What Lanes decides, said by walking through every lane at each pick: slow, and without an order to keep.</summary>
static class ReferenceLanes
{
    /// <param name="turns">Whose turn it is; moved on by each pick.</param>
    public static IReadOnlyList<LaneClaim> Choose(IReadOnlyList<LaneHead> heads, IReadOnlyCollection<Flying> flying, Func<string, OfficeGate> gateOf, Slots slots, ReferenceTurns turns, long now)
    {
        if (flying.Count >= slots.Total) return [];
        var round = new Round(heads, flying, gateOf, slots, now);
        while (true)
        {
            var open = round.Open();
            if (open.Count == 0) return round.Claims;
            var urgent = open.Min(o => o.Lane.Class);
            // Whoever is due and only wants a common slot keeps the turn of age until one is free.
            turns.Picked(slots, round.AnyWaitsBehind(urgent));
            var aged = turns.Owed > 0 ? open.Where(o => o.Lane.Class != urgent).OrderBy(o => o.Lane.Class).ThenBy(o => o.Lane.Office, StringComparer.Ordinal).MaxBy(o => (double)(now - o.Lane.Due[o.Taken]) / slots.Targets[o.Lane.Class]) : null;
            if (aged is not null) turns.Owed--;
            round.Take(aged ?? turns.Next(urgent, [.. open.Where(o => o.Lane.Class == urgent)]));
        }
    }

    /// <summary>A lane in this choice.</summary>
    internal sealed class Candidate(LaneHead lane, OfficeGate gate)
    {
        public LaneHead Lane { get; } = lane;
        public OfficeGate Gate { get; } = gate;
        /// <summary>Of its jobs, chosen so far.</summary>
        public int Taken { get; set; }
    }

    sealed class Round
    {
        readonly List<Candidate> candidates = [];
        readonly Dictionary<(string Office, string Channel), (int All, int Common)> underWay = [];
        readonly Dictionary<string, int> mostUrgent = new(StringComparer.Ordinal);
        readonly Dictionary<(string Office, int Class, string Channel, bool IsProbe), int> claims = [];
        readonly Slots slots;
        readonly long now;
        int total, common;

        public Round(IReadOnlyList<LaneHead> heads, IReadOnlyCollection<Flying> flying, Func<string, OfficeGate> gateOf, Slots slots, long now)
        {
            (this.slots, this.now) = (slots, now);
            foreach (var f in flying) Count(f.Office, f.Channel, f.Class);
            var gates = new Dictionary<string, OfficeGate>(StringComparer.Ordinal);
            foreach (var head in heads)
            {
                if (head.Due[0] > now) continue;
                if (!gates.TryGetValue(head.Office, out var gate)) gates[head.Office] = gate = gateOf(head.Office);
                if (gate is { Channel: null, Probe: null }) continue;
                candidates.Add(new Candidate(head, gate));
                mostUrgent[head.Office] = Math.Min(head.Class, mostUrgent.GetValueOrDefault(head.Office, int.MaxValue));
            }
        }

        public IReadOnlyList<LaneClaim> Claims => [.. claims.Select(c => new LaneClaim(c.Key.Office, c.Key.Class, c.Key.Channel, c.Key.IsProbe, c.Value))];

        public List<Candidate> Open() => [.. candidates.Where(c => HasSlot(c.Lane.Class) && Way(c) is not null)];

        public bool AnyWaitsBehind(int @class) => candidates.Exists(c => c.Lane.Class != @class && Way(c) is not null);

        public void Take(Candidate chosen)
        {
            var (channel, isProbe) = Way(chosen)!.Value;
            var key = (chosen.Lane.Office, chosen.Lane.Class, channel, isProbe);
            claims[key] = claims.GetValueOrDefault(key) + 1;
            Count(chosen.Lane.Office, channel, chosen.Lane.Class);
            chosen.Taken++;
        }

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
        (string Channel, bool IsProbe)? Way(Candidate c)
        {
            if (c.Taken >= c.Lane.Due.Count || c.Lane.Due[c.Taken] > now) return null;
            if (c.Gate.Probe is { } probe && c.Lane.Class == mostUrgent[c.Lane.Office] && underWay.GetValueOrDefault((c.Lane.Office, probe)).All == 0) return (probe, true);
            if (c.Gate.Channel is not { } channel) return null;
            var (all, others) = underWay.GetValueOrDefault((c.Lane.Office, channel));
            return all < c.Gate.Window && (c.Lane.Class == RetrySchedule.Flash || others < c.Gate.Window - 1) ? (channel, false) : null;
        }
    }
}

sealed class ReferenceTurns
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

    /// <param name="lanes">Of one class, one an office; not empty.</param>
    internal ReferenceLanes.Candidate Next(int @class, List<ReferenceLanes.Candidate> lanes)
    {
        // Rounds pass until somebody may go; each is worth a quantum to everybody. Whoever has nothing to send keeps no time for later.
        var rounds = lanes.Min(l => Rounds(@class, l.Lane.Office));
        if (rounds > 0)
        {
            var waiting = lanes.Select(l => l.Lane.Office).ToHashSet(StringComparer.Ordinal);
            foreach (var key in debts.Keys.Where(k => k.Class == @class).ToList())
            {
                var left = debts[key] - rounds * Quantum;
                if (left > 0 || waiting.Contains(key.Office)) debts[key] = left;
                else debts.Remove(key);
            }
        }
        var after = last.GetValueOrDefault(@class, "");
        var next = lanes.Where(l => Rounds(@class, l.Lane.Office) == 0).OrderBy(l => string.CompareOrdinal(l.Lane.Office, after) <= 0).ThenBy(l => l.Lane.Office, StringComparer.Ordinal).First();
        last[@class] = next.Lane.Office;
        return next;
    }

    // A debt of nothing, and time in hand, may go.
    long Rounds(int @class, string office) => (Math.Max(0, debts.GetValueOrDefault((@class, office))) + Quantum - 1) / Quantum;
}
