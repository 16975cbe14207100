using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Audit;

/// <summary>What one auditor may see at this moment: rule R23 on each label that entries are filed under. Whatever he asks is asked of these audiences alone, so nothing else can leave a mark in an answer.</summary>
/// <param name="Audiences">Rows of the index, ascending.</param>
/// <param name="Classes">Of those that have a label.</param>
sealed record AuditSight(IReadOnlyList<long> Audiences, IReadOnlyDictionary<long, int> Classes)
{
    const string Read = "read";

    public static AuditSight Of(StandingAuditor auditor, AuditIndex index, World world, DateTimeOffset now)
    {
        var (policy, clearance) = (world.Policy, auditor.Clearance);
        SortedSet<long> seen = [];
        Dictionary<long, int> classes = [];
        var lowest = policy.Content.Levels[0];
        if (Permits(policy.NewLabel(lowest.Code, lowest.BasisRequired ? AuditLabel.AnyBasis : null))) seen.Add(AuditIndex.Everybody);
        var all = HoldsAll(policy, clearance) && seen.Count > 0;
        if (all) seen.Add(AuditIndex.Top);
        foreach (var (id, text) in index.Audiences())
        {
            var label = AuditLabel.Read(text);
            classes[id] = label.Class;
            // A label that this policy does not know protects from everybody but who may see everything.
            if (Permits(label) || (all && (label.Policy != policy.Content.Policy || policy.Rank(label.Class) < 0))) seen.Add(id);
        }
        return new([.. seen], classes);

        bool Permits(Label label) => Decision.VerdictOf(new DecisionFacts
        {
            Action = Read, Label = label, LabelVerified = true, Sender = "", SenderClearance = null, Recipients = [], Approvals = [], SenderHeldUntil = null,
            Directory = world.Directory.Ref, Standing = world.Standing.Ref, SenderPolicy = policy.Ref, Reader = clearance,
        }, policy, now) == Verdict.Permit;
    }

    /// <summary>The narrower sight of those whose label is of this class.</summary>
    public AuditSight OfLevel(int @class) => this with { Audiences = [.. Audiences.Where(a => Classes.TryGetValue(a, out var its) && its == @class)] };

    // Every level and every value of every category that limits.
    static bool HoldsAll(CompiledPolicy policy, Clearance clearance) => clearance.Policy == policy.Content.Policy
        && policy.Content.Levels.All(l => clearance.Classes.Contains(l.Class))
        && policy.Content.TagSets.Where(t => t.Type != "informative").All(t => clearance.Categories.Any(c => c.Type == t.Type && c.Tag == t.Tag && t.Values.All(v => c.Values.Contains(v.Value))));
}
