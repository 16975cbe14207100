using System.Text.Json;
using Exchange.Crypto.Policy;
using Exchange.Tests.Policy;

namespace Exchange.Fuzz;

static class PolicyTargets
{
    static readonly DateTimeOffset Now = Policies.Now;
    static readonly Lazy<CompiledPolicy> Other = new(() => Policies.Compile(Policies.Resource("nato-like.json")));

    /// <summary>As people write it, with the lint that looks at it before anyone signs.</summary>
    public static void Draft(byte[] json)
    {
        var statement = PolicyDraft.ToStatement(json, Policies.Officers, 1, Policies.Start, Policies.End);
        _ = CompiledPolicy.Compile(statement).Ref;
        PolicyLint.Run(PolicyDraft.Read(json), new LintContext());
    }

    /// <summary>A mapping, and every level translated by it.</summary>
    public static void Mapping(byte[] json)
    {
        var mapping = PolicyMapping.Read(json, Policies.Vietnam, Other.Value);
        foreach (var level in Policies.Vietnam.Content.Levels)
            Targets.Try(() => mapping.Translate(Policies.Vietnam.NewLabel(level.Code, "1.2"), Now));
    }

    /// <summary>A decision on record: what replays is the same bytes.</summary>
    public static void Decision(byte[] json)
    {
        Targets.Try(() => DecisionRecord.FactsOf(json));
        Targets.Try(() => DecisionRecord.PolicyOf(json));
        if (DecisionRecord.Again(json, Policies.Vietnam) is { } again) Targets.Equal(json, again.Record);
    }
}
