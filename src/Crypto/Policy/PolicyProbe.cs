using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>Asks the engine about cases that nobody has sent, for lint, diff and mappings. What it answers is the decision's own word; nothing is judged here.</summary>
static class PolicyProbe
{
    public const string Sender = "SENDER";

    static readonly Digest Nothing = Digest.Of([]);

    /// <summary>Facts that are good but for what is given: the sender may hold everything, keys are current, the label was verified.</summary>
    public static DecisionFacts Facts(CompiledPolicy policy, Label label, IReadOnlyList<RecipientFacts> recipients, DateTimeOffset at)
    {
        var level = policy.Level(label.Class);
        return new()
        {
            Action = "submit", Label = label, LabelVerified = true, Sender = Sender, SenderClearance = Everything(policy), Approvals = [],
            // After those asked about, whom the policy itself wants besides.
            Recipients = [.. recipients, .. (level?.Handling.Recovery ?? []).Select(key => Anybody(policy, "RECOVERY", "recovery", level!.Handling.Channels[0]) with { Key = key }),
                .. level is { Handling.Self: true } ? [Anybody(policy, Sender, "self", level.Handling.Channels[0])] : Array.Empty<RecipientFacts>()],
            SenderHeldUntil = null, Directory = Nothing, Standing = Nothing, SenderPolicy = policy.Ref,
            ClockSure = true, DirectoryAsOf = at, Revocation = new(true, at.ToUnixTimeMilliseconds()), StoreCeiling = Everything(policy), References = [], Earlier = new(policy.Ref, null),
            Named = [.. recipients.Select(r => r.Office)], Sizes = level is null ? null : new(level.ManifestBucket, level.PayloadBucket),
        };
    }

    static RecipientFacts Anybody(CompiledPolicy policy, string office, string role, string channel) =>
        Recipient(office, role, channel, Everything(policy), Everything(policy));

    /// <summary>An office in the directory with a current key.</summary>
    public static RecipientFacts Recipient(string office, string role, string channel, Clearance clearance, Clearance? ceiling) =>
        new(office, role, Known: true, KeyCurrent: true, HeldUntil: null, clearance, ceiling) { Key = Nothing, Channel = channel };

    /// <summary>When a policy is asked: at its beginning, or at a later beginning of another as far as it lasts.</summary>
    public static DateTimeOffset TimeFor(CompiledPolicy policy, long other) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(other, policy.Content.NotBefore, policy.Content.NotAfter - 1));

    /// <summary>The first of R01 to R05, the rules about the label alone, that does not let a new label pass; null: it is valid.</summary>
    public static RuleResult? Fault(CompiledPolicy policy, Label label)
    {
        var at = TimeFor(policy, policy.Content.NotBefore);
        return Decision.Decide(Facts(policy, label, [Anybody(policy, "ANYBODY", "to", "mailbox")], at), policy, at).Trace
            .FirstOrDefault(r => r is { Rule: "R01" or "R02" or "R03" or "R04" or "R05", Outcome: not Verdict.Permit });
    }

    /// <summary>Every level and every value that the policy has.</summary>
    public static Clearance Everything(CompiledPolicy policy) => UpTo(policy, policy.Content.Levels.Length - 1);

    /// <summary>The levels up to a rank, with every value.</summary>
    public static Clearance UpTo(CompiledPolicy policy, int rank) => new()
    {
        Policy = policy.Content.Policy,
        Classes = [.. policy.Content.Levels.Take(rank + 1).Select(l => l.Class).Order()],
        Categories = [.. policy.Content.TagSets.Where(t => t.Type != "informative").Select(t => new Category { Type = t.Type, Tag = t.Tag, Values = [.. t.Values.Select(v => v.Value).Order()] })
            .Order(Comparer<Category>.Create(LabelForm.Order))],
        ValidFrom = 0, ValidTo = LabelForm.MaxTime,
    };
}
