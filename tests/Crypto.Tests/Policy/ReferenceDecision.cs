using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;

namespace Exchange.Tests.Policy;

/// <summary>
/// The decision written a second time, from the facts alone and without looking at the engine: one slow boolean. Only for submissions by sets,
/// of the policy that ships.
/// </summary>
static class ReferenceDecision
{
    public static bool Permits(DecisionFacts f, PolicyStatement policy, DateTimeOffset now)
    {
        if (f.Label is not { } label || !f.LabelVerified || label.Policy != policy.Policy) return false;
        if (now.ToUnixTimeMilliseconds() < policy.NotBefore || now.ToUnixTimeMilliseconds() >= policy.NotAfter) return false;
        if (policy.Levels.SingleOrDefault(l => l.Class == label.Class) is not { } level || level.Mark != label.Mark || level.Obsolete) return false;
        if (level.BasisRequired && label.Basis is null) return false;
        foreach (var category in label.Categories)
        {
            if (policy.TagSets.SingleOrDefault(t => t.Tag == category.Tag && t.Type == category.Type) is not { } set) return false;
            if (category.Values.Any(v => set.Values.All(t => t.Value != v || t.Obsolete))) return false;
        }
        if (level.Approvals.Any(role => !f.Approvals.Any(a => a.Act == "send" && a.Roles.Contains(role) && a.NotAfter >= now))) return false;
        var releasers = f.Approvals.Where(a => a.Act == "release" && a.NotAfter >= now && level.Handling.Release.Roles.Intersect(a.Roles).Any()).Select(a => a.Person).ToHashSet();
        if (releasers.Count < level.Handling.Release.Persons) return false;
        if (!Reads(f.SenderClearance, label, now) || (level.HoldNewCards && f.SenderHeldUntil > now)) return false;
        if (f.Recipients.Count == 0) return false;
        var lowest = policy.Levels[0].Class;
        return f.Recipients.All(r => r.Known && r.KeyCurrent && r.Role is "to" or "cc"
            && Known(r, label, level, now)
            && (r.ChannelCeiling is null
                ? label.Class == lowest && label.Categories.All(c => c.Type == "informative")
                : Reads(r.ChannelCeiling, label, now)));
    }

    static bool Known(RecipientFacts r, Label label, PolicyLevel level, DateTimeOffset now) =>
        r.Known && r.KeyCurrent && Reads(r.Clearance, label, now) && !(level.HoldNewCards && r.HeldUntil > now);

    static bool Reads(Clearance? k, Label label, DateTimeOffset now)
    {
        if (k is null || k.Policy != label.Policy) return false;
        if (DateTimeOffset.FromUnixTimeMilliseconds(k.ValidFrom) > now || DateTimeOffset.FromUnixTimeMilliseconds(k.ValidTo) <= now) return false;
        if (!k.Classes.ToHashSet().Contains(label.Class)) return false;
        var held = k.Categories.SelectMany(c => c.Values.Select(v => (c.Type, c.Tag, v))).ToHashSet();
        return label.Categories.All(c => c.Type switch
        {
            "restrictive" => c.Values.All(v => held.Contains(("restrictive", c.Tag, v))),
            "permissive" => c.Values.Any(v => held.Contains(("permissive", c.Tag, v))),
            _ => true,
        });
    }
}
