using System.Diagnostics;
using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;

namespace Exchange.Benchmarks;

/// <summary>
/// The decision on one core, in memory: with trace, the verdict alone, with its record, a dispatch to thousands, a large policy compiled, and policies swapped under load.
/// Beside it, named peers on the same rules and the same questions. Rates are per second of processor time, so that other work on the machine moves them little; each is the
/// median of the rounds, with the slowest and the fastest.
/// </summary>
static class PolicyRates
{
    static readonly DateTimeOffset Now = new(2026, 11, 24, 0, 0, 0, TimeSpan.Zero);
    static readonly Digest[] Officers = [Digest.Of("policy officer 1"u8), Digest.Of("policy officer 2"u8)];

    public static int Run(string draft, int rounds)
    {
        var policy = Compile(File.ReadAllBytes(draft), 1);
        var (thuong, mat, toi) = (Question(policy, "thuong", 1), Question(policy, "mat", 1), Question(policy, "toi-mat", 1));
        DecisionFacts[] mixed = [thuong, mat, toi, mat with { Recipients = [mat.Recipients[0] with { Clearance = null }] }, mat with { Approvals = [] }];
        foreach (var facts in mixed) Demand(Decision.Decide(facts, policy, Now).Verdict == Decision.VerdictOf(facts, policy, Now), "the two entries differ");
        Demand(Decision.Decide(toi, policy, Now).Verdict == Verdict.Permit, "the question at Tối mật");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rounds} rounds, {Environment.ProcessorCount} cores, load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}"));

        Rate(rounds, "decisions with trace, five questions in turn", 1_000_000, i => Decision.Decide(mixed[i % mixed.Length], policy, Now));
        Rate(rounds, "decisions with trace, Mật to one office", 1_000_000, _ => Decision.Decide(mat, policy, Now));
        Rate(rounds, "verdicts alone, five questions in turn", 4_000_000, i => Decision.VerdictOf(mixed[i % mixed.Length], policy, Now));
        Rate(rounds, "verdicts alone, Thường to one office", 4_000_000, _ => Decision.VerdictOf(thuong, policy, Now));
        Rate(rounds, "verdicts alone, Mật to one office", 4_000_000, _ => Decision.VerdictOf(mat, policy, Now));
        Rate(rounds, "decisions with their record written", 20_000, _ => Decision.Decide(mat, policy, Now).Record);
        var record = Decision.Decide(mat, policy, Now).Record;
        Rate(rounds, "records replayed", 10_000, _ => Decision.Replay(record, policy));

        var (many, named) = (Question(policy, "mat", 10_000), Question(policy, "tuyet-mat", 10_000));
        Demand(Decision.Decide(named, policy, Now).Verdict == Verdict.Permit, "the question to thousands");
        Time(rounds, "Mật to 10,000 offices", () => Decision.Decide(many, policy, Now));
        Time(rounds, "Tuyệt mật to 10,000 offices, each by name", () => Decision.Decide(named, policy, Now));
        Time(rounds, "Mật to 10,000 offices, with its record", () => _ = Decision.Decide(many, policy, Now).Record);
        var large = Large(File.ReadAllBytes(draft), 200);
        Time(rounds, "a policy of 200 categories compiled", () => Compile(large, 1));
        SwapRates.Run(policy, Compile(File.ReadAllBytes(draft), 2), mixed, Now);
        XacmlPeer.Run(policy, rounds, Now);
        return 0;
    }

    static CompiledPolicy Compile(byte[] draft, long version) => CompiledPolicy.Compile(PolicyDraft.ToStatement(draft, Officers, version, Now.AddYears(-1), Now.AddYears(1)));

    /// <summary>A dispatch at this level that is permitted.</summary>
    public static DecisionFacts Question(CompiledPolicy policy, string code, int recipients)
    {
        var level = policy.Level(code)!;
        var all = new Clearance
        {
            Policy = policy.Content.Policy, Classes = [.. policy.Content.Levels.Select(l => l.Class).Order()],
            Categories = [.. policy.Content.TagSets.Where(t => t.Type != "informative").OrderBy(t => t.Type, StringComparer.Ordinal).Select(t => new Category { Type = t.Type, Tag = t.Tag, Values = [.. t.Values.Select(v => v.Value).Order()] })],
            ValidFrom = Now.AddYears(-1).ToUnixTimeMilliseconds(), ValidTo = Now.AddYears(1).ToUnixTimeMilliseconds(),
        };
        var restrictive = policy.Content.TagSets.First(t => t.Type == "restrictive");
        ApprovalFacts Approval(string act, string person, string role) => new(act, Digest.Of(System.Text.Encoding.UTF8.GetBytes(person)), [role], Now.AddHours(1));
        string[] offices = [.. Enumerable.Range(0, recipients).Select(i => $"H{i}")];
        return new DecisionFacts
        {
            Action = "submit", Label = policy.NewLabel(code, level.BasisRequired ? "117.2025.1" : null, [new Category { Type = "restrictive", Tag = restrictive.Tag, Values = [restrictive.Values[0].Value] }]), LabelVerified = true,
            Sender = "G22", SenderClearance = all, SenderHeldUntil = null, StoreCeiling = all, Directory = default, Standing = default, SenderPolicy = policy.Ref,
            Recipients = [.. offices.Select(o => new RecipientFacts(o, "to", Known: true, KeyCurrent: true, HeldUntil: null, all, all) { Key = Digest.Of(System.Text.Encoding.UTF8.GetBytes(o)), Channel = "mailbox" })],
            Approvals = level.Approvals.Length == 0 ? [] : [Approval("send", "signatory", "signatory"), Approval("release", "one", "release-officer"), Approval("release", "two", "release-officer")],
            ClockSure = true, DirectoryAsOf = Now.AddMinutes(-1), Revocation = new(true, Now.AddMinutes(-1).ToUnixTimeMilliseconds()), References = [], Sizes = new(level.ManifestBucket, level.PayloadBucket), Named = offices, Earlier = null,
        };
    }

    /// <summary>The draft with this many category values more.</summary>
    static byte[] Large(byte[] draft, int values)
    {
        var root = System.Text.Json.Nodes.JsonNode.Parse(draft)!.AsObject();
        var set = root["tagSets"]![0]!["values"]!.AsArray();
        for (var i = set.Count; i < values; i++)
            set.Add(System.Text.Json.Nodes.JsonNode.Parse(string.Create(CultureInfo.InvariantCulture, $$"""{ "value": {{i + 1}}, "code": "field-{{i}}", "name": { "vi": "Lĩnh vực {{i}}", "en": "Field {{i}}" }, "obsolete": false }""")));
        return System.Text.Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    public static void Rate<T>(int rounds, string what, int count, Func<int, T> one)
    {
        var rates = new List<double>();
        long bytes = 0;
        for (var round = -1; round < rounds; round++)
        {
            var (cpu, allocated) = (Environment.CpuUsage.TotalTime, GC.GetAllocatedBytesForCurrentThread());
            for (var i = 0; i < count; i++) one(i);
            bytes = (GC.GetAllocatedBytesForCurrentThread() - allocated) / count;
            if (round >= 0) rates.Add(count / (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);   // the first is for the JIT
        }
        rates.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-46} {rates[rates.Count / 2],11:0} per cpu second   {rates[0]:0} .. {rates[^1]:0}   {bytes} bytes each"));
    }

    static void Time(int rounds, string what, Action one)
    {
        var times = new List<double>();
        for (var round = -20; round < rounds * 4; round++)
        {
            var began = Stopwatch.GetTimestamp();
            one();
            if (round >= 0) times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        times.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-46} {times[times.Count / 2],11:0.00} ms               {times[0]:0.00} .. {times[^1]:0.00}"));
    }

    public static void Demand(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException(what);
    }
}
