using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

/// <summary>P13: one policy follows another without a lock, while decisions are being made.</summary>
public sealed class PolicySwapTests
{
    static readonly CompiledPolicy[] Loaded =
    [
        Policies.Vietnam, FactsGen.Strict,
        Policies.Compile(Policies.Edit(d => d.Level(1)["obsolete"] = true)),
        Policies.Compile(Policies.Edit(d => d.Handling(1)["release"] = System.Text.Json.Nodes.JsonNode.Parse("""{ "persons": 2, "roles": ["release-officer"] }"""))),
    ];

    [Fact]
    public Task Every_record_names_one_policy_that_was_loaded_and_replays_under_it() => SwapWhileDeciding(1_000);

    [Fact, Trait("tier", "long")]
    public Task Every_record_of_eight_thousand_names_one_policy_that_was_loaded_and_replays_under_it() => SwapWhileDeciding(8_000);

    static async Task SwapWhileDeciding(int decisions)
    {
        var byRef = Loaded.ToDictionary(p => p.Ref);
        DecisionFacts[] questions = [Cases.Mat(), Cases.Thuong(), .. FactsGen.Any.Array[60].Single().Select(d => d.Facts)];
        var current = Loaded[0];
        using var over = new CancellationTokenSource();
        var swapping = Task.Run(() =>
        {
            for (var i = 0u; !over.IsCancellationRequested; i++) Volatile.Write(ref current, Loaded[i % Loaded.Length]);
        });
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<(int Question, Digest Policy), Verdict>();
        await Parallel.ForAsync(0, decisions, (i, _) =>
        {
            var question = i % questions.Length;
            var decision = Decision.Decide(questions[question], Volatile.Read(ref current), Cases.Now);
            var named = byRef[Decision.PolicyOf(decision.Record)];
            Assert.Equal(named.Ref, decision.Policy);
            Assert.True(Decision.Replay(decision.Record, named));
            Assert.DoesNotContain(Loaded, other => other != named && Decision.Replay(decision.Record, other));
            Cases.Agree(ReferenceDecision.Judge(questions[question], named, Cases.Now), decision);
            seen[(question, named.Ref)] = decision.Verdict;
            return ValueTask.CompletedTask;
        });
        await over.CancelAsync();
        await swapping;
        // The swap was felt: each policy decided, and not alike.
        Assert.Equal(Loaded.Length, seen.Keys.Select(k => k.Policy).Distinct().Count());
        Assert.Equal(3, seen.Where(s => s.Key.Question == 0).Select(s => s.Value).Distinct().Count());
    }
}
