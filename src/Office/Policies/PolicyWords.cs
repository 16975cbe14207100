using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Office.Join;

namespace Exchange.Office.Policies;

/// <summary>What an officer is shown before signing a policy: what lint says, and what it would decide otherwise than the one before.</summary>
static class PolicyWords
{
    /// <exception cref="RefusedException"><see cref="Refusal.PolicyInvalid"/>: lint has an error.</exception>
    public static IReadOnlyList<Words> Of(PolicyStatement policy, OfficerFolder known)
    {
        var draft = new PolicyDraft { Policy = policy.Policy, Levels = policy.Levels, TagSets = policy.TagSets };
        // Before the first office there is nothing to compare clearances and roles with.
        var standing = known.Standing is { Offices.Length: > 0 } s ? s : null;
        var found = PolicyLint.Run(draft, new LintContext { Standing = standing, Day = DateOnly.FromDateTime(DateTimeOffset.FromUnixTimeMilliseconds(policy.NotBefore).UtcDateTime) });
        if (found.FirstOrDefault(f => f.Level == LintLevel.Error) is { } error) throw new RefusedException(Refusal.PolicyInvalid, $"lint: {error.Code} {error.Place}");
        List<Words> lines = [.. found.Select(f => new Words($"  warning {f.Code}  {f.Place}: {f.En}", $"  lưu ý {f.Code}  {f.Place}: {f.Vi}"))];
        if (Diff(policy, known) is { } diff) lines.AddRange(DiffWords.Lines(diff));
        return lines;
    }

    /// <summary>Against the policy that it follows and the standing in force, as this officer knows them; null: it is the first.</summary>
    public static PolicyDiff? Diff(PolicyStatement policy, OfficerFolder known) =>
        known.PolicyBefore(policy.Version) is { } before ? PolicyDiff.Between(CompiledPolicy.Compile(before), CompiledPolicy.Compile(policy), known.Standing) : null;
}
