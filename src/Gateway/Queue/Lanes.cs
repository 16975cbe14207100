using Exchange.Gateway.Store;

namespace Exchange.Gateway.Queue;

/// <param name="Total">Attempts under way at once.</param>
/// <param name="PerOffice">Of them to one office; the last of these is for class 0 only.</param>
/// <param name="FlashOnly">Of Total, kept for class 0.</param>
sealed record Slots(int Total, int PerOffice, int FlashOnly);

/// <summary>So many jobs of this lane may start now.</summary>
sealed record LaneClaim(string Office, int Class, int Count);

/// <summary>
/// Which lanes go next; pure. A lane is (office, class). The most urgent class first, inside it the office that has the least under way, then what is due longest;
/// one job a lane and round, so that one office's backlog does not take all slots.
/// </summary>
static class Lanes
{
    public static IReadOnlyList<LaneClaim> Choose(IReadOnlyList<LaneHead> heads, IReadOnlyCollection<(string Office, int Class)> flying, Slots slots, long now)
    {
        var due = heads.Where(h => h.Due <= now).ToList();
        var ofOffice = flying.GroupBy(f => f.Office, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        var total = flying.Count;
        var chosen = new Dictionary<LaneHead, int>();
        while (true)
        {
            var before = total;
            foreach (var lane in due.OrderBy(l => l.Class).ThenBy(l => ofOffice.GetValueOrDefault(l.Office)).ThenBy(l => l.Due).ToList())
            {
                var flash = lane.Class == 0;
                var here = ofOffice.GetValueOrDefault(lane.Office);
                if (total >= slots.Total - (flash ? 0 : slots.FlashOnly) || here >= slots.PerOffice - (flash ? 0 : 1)) continue;
                chosen[lane] = chosen.GetValueOrDefault(lane) + 1;
                ofOffice[lane.Office] = here + 1;
                total++;
            }
            if (total == before) return [.. chosen.Select(c => new LaneClaim(c.Key.Office, c.Key.Class, c.Value))];
        }
    }
}
