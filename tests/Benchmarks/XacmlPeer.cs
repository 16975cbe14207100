using System.Globalization;
using System.Text;
using System.Xml;
using Altinn.Authorization.ABAC;
using Altinn.Authorization.ABAC.Utils;
using Altinn.Authorization.ABAC.Xacml;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;

namespace Exchange.Benchmarks;

/// <summary>
/// Altinn.Authorization.ABAC (XACML 3.0) on the part of the rules that its matches can say: level and fields held by sender, office, channel and store, approvals, release, and
/// denials for a label not verified, a key not current, an unknown office and a late directory; deny overrides. It says nothing of times, names, groups, references, sizes and
/// categories of other types, gives no trace, and its requests are made beforehand: all in its favour.
/// </summary>
static class XacmlPeer
{
    const string Subject = "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject", Resource = "urn:oasis:names:tc:xacml:3.0:attribute-category:resource", Action = "urn:oasis:names:tc:xacml:3.0:attribute-category:action";
    const string Text = "http://www.w3.org/2001/XMLSchema#string", Equal = "urn:oasis:names:tc:xacml:1.0:function:string-equal";
    static readonly string[] Holders = ["sender", "office", "channel", "store"];

    public static void Run(CompiledPolicy policy, int rounds, DateTimeOffset now)
    {
        var xacml = Parse(PolicyXml(policy), XacmlParser.ParseXacmlPolicy);
        var mat = PolicyRates.Question(policy, "mat", 1);
        var to = mat.Recipients[0];
        DecisionFacts[] questions =
        [
            mat, PolicyRates.Question(policy, "thuong", 1), PolicyRates.Question(policy, "toi-mat", 1), mat with { Approvals = [] }, mat with { LabelVerified = false },
            mat with { Recipients = [to with { Clearance = to.Clearance! with { Classes = [10] } }] }, mat with { Recipients = [to with { KeyCurrent = false }] }, mat with { StoreCeiling = to.Clearance! with { Categories = [] } },
        ];
        XacmlContextRequest[] requests = [.. questions.Select(q => Parse(RequestXml(policy, q, now), XacmlParser.ReadContextRequest))];
        var pdp = new PolicyDecisionPoint();
        for (var i = 0; i < questions.Length; i++)
            PolicyRates.Demand((Decision.Decide(questions[i], policy, now).Verdict == Verdict.Permit) == (pdp.Authorize(requests[i], xacml).Results.Single().Decision == XacmlContextDecision.Permit), $"the peer answers question {i} otherwise");
        Console.WriteLine($"the same {questions.Length} questions, all answered alike; of ours all 25 rules, of the peer's {xacml.Rules.Count} for a part of them:");
        PolicyRates.Rate(rounds, "exchange, with trace", 1_000_000, i => Decision.Decide(questions[i % questions.Length], policy, now));
        PolicyRates.Rate(rounds, "exchange, verdict alone", 4_000_000, i => Decision.VerdictOf(questions[i % questions.Length], policy, now));
        PolicyRates.Rate(rounds, "Altinn.Authorization.ABAC 0.3.0", 40_000, i => pdp.Authorize(requests[i % requests.Length], xacml));
    }

    static string PolicyXml(CompiledPolicy policy)
    {
        var rules = new StringBuilder();
        var fields = policy.Content.TagSets.First(t => t.Type == "restrictive").Values;
        foreach (var level in policy.Content.Levels)
            for (var mask = 0; mask < 1 << fields.Length; mask++)
            {
                var needed = fields.Where((_, i) => (mask >> i & 1) != 0).Select(f => f.Value).ToArray();
                var matches = Match(Resource, "level", Number(level.Class)) + Match(Resource, "fields", string.Join('-', needed)) + Match(Action, "action", "submit");
                foreach (var holder in Holders)
                    matches += Match(Subject, holder + "-class", Number(level.Class)) + string.Concat(needed.Select(n => Match(Subject, holder + "-field", Number(n))));
                matches += string.Concat(level.Approvals.Select(role => Match(Subject, "approved-by", role)));
                if (level.Handling.Release.Persons > 0) matches += Match(Subject, "released-by", Number(level.Handling.Release.Persons));
                rules.Append(CultureInfo.InvariantCulture, $"""<Rule RuleId="{level.Code}-{mask}" Effect="Permit"><Target><AnyOf><AllOf>{matches}</AllOf></AnyOf></Target></Rule>""");
            }
        foreach (var fault in new[] { "label-not-verified", "key-not-current", "office-unknown", "directory-late" })
            rules.Append(CultureInfo.InvariantCulture, $"""<Rule RuleId="{fault}" Effect="Deny"><Target><AnyOf><AllOf>{Match(Resource, "fault", fault)}</AllOf></AnyOf></Target></Rule>""");
        return $"""<Policy xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicyId="urn:exchange" Version="1.0" RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"><Target/>{rules}</Policy>""";
    }

    static string RequestXml(CompiledPolicy policy, DecisionFacts facts, DateTimeOffset now)
    {
        var to = facts.Recipients[0];
        var subject = new StringBuilder();
        foreach (var (holder, held) in Holders.Zip([facts.SenderClearance!, to.Clearance!, to.ChannelCeiling!, facts.StoreCeiling!]))
            subject.Append(Attribute(holder + "-class", held.Classes.Select(Number)) + Attribute(holder + "-field", held.Categories.Where(c => c.Type == "restrictive").SelectMany(c => c.Values).Select(Number)));
        subject.Append(Attribute("approved-by", facts.Approvals.Where(a => a.Act == "send").SelectMany(a => a.Roles)));
        subject.Append(Attribute("released-by", [Number(facts.Approvals.Where(a => a.Act == "release").Select(a => a.Person).Distinct().Count())]));
        var late = now - facts.DirectoryAsOf > TimeSpan.FromMinutes(policy.Level(facts.Label!.Class)!.Handling.Directory.MaxMinutes);
        (string Name, bool Is)[] faults = [("label-not-verified", !facts.LabelVerified), ("key-not-current", !to.KeyCurrent), ("office-unknown", !to.Known), ("directory-late", late)];
        var resource = Attribute("level", [Number(facts.Label.Class)]) + Attribute("fields", [string.Join('-', facts.Label.Categories.SelectMany(c => c.Values))])
            + Attribute("fault", faults.Select(f => f.Is ? f.Name : "none"));
        return $"""
            <Request xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" ReturnPolicyIdList="false" CombinedDecision="false"><Attributes Category="{Subject}">{subject}</Attributes><Attributes Category="{Resource}">{resource}</Attributes><Attributes Category="{Action}">{Attribute("action", [facts.Action])}</Attributes></Request>
            """;
    }

    static string Match(string category, string name, string value) =>
        $"""<Match MatchId="{Equal}"><AttributeValue DataType="{Text}">{value}</AttributeValue><AttributeDesignator Category="{category}" AttributeId="urn:exchange:{name}" DataType="{Text}" MustBePresent="false"/></Match>""";

    static string Attribute(string name, IEnumerable<string> values) =>
        string.Concat(values.Select(v => $"""<Attribute AttributeId="urn:exchange:{name}" IncludeInResult="false"><AttributeValue DataType="{Text}">{v}</AttributeValue></Attribute>"""));

    static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    static T Parse<T>(string xml, Func<XmlReader, T> read)
    {
        using var reader = XmlReader.Create(new StringReader(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
        reader.MoveToContent();
        return read(reader);
    }
}
