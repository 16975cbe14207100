using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Evidence;

/// <param name="Part">Its folder.</param>
/// <param name="Entry">The ledger entry that names it.</param>
/// <param name="Decision">Made again from its record by the policy that officers signed.</param>
public sealed record DecisionFact(string Part, LedgerDetail Entry, Decision Decision, CompiledPolicy Policy);

/// <summary>
/// What the gateway wrote about its decisions (exchange-gateway decision): the record is the one that a ledger entry about this envelope commits to, the gateway stands for that entry by a receipt
/// or by its ledger, and the policy of two pinned officers says the same of the same facts once more.
/// </summary>
public static class DecisionEvidence
{
    static readonly string[] Names = ["decision.json", "decision.salt", "entry.json", "entry.salt", "policy.p7s"];

    /// <summary>decisions/NAME/FILE with one of the five files.</summary>
    public static bool Belongs(string name) => name.StartsWith(EvidenceFiles.Decisions, StringComparison.Ordinal) && name.Split('/') is [_, _, var file] && Names.Contains(file);

    /// <param name="facts">Of the dispatch; findings go there.</param>
    /// <returns>Those in which everything holds.</returns>
    public static IReadOnlyList<DecisionFact> Check(IEnumerable<EvidencePart> parts, DispatchFacts facts, EvidencePins pins) =>
        [.. parts.Where(p => Belongs(p.Name)).GroupBy(p => p.Name[..p.Name.LastIndexOf('/')]).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => One(g.Key, g.ToDictionary(p => p.Name[(g.Key.Length + 1)..]), facts, pins)).OfType<DecisionFact>()];

    static DecisionFact? One(string folder, Dictionary<string, EvidencePart> files, DispatchFacts facts, EvidencePins pins)
    {
        var findings = facts.Findings;
        if (Names[..4].FirstOrDefault(n => !files.ContainsKey(n)) is { } missing) { findings.Incomplete(folder, "file", FindingCode.Missing, missing); return null; }
        if (facts.Header is not { } header) { findings.Incomplete(folder, "about this envelope", FindingCode.Missing, "needs the header"); return null; }
        var record = files["decision.json"].Bytes;
        // 1 The entry is about this envelope and names the record.
        LedgerDetail? detail = null;
        Digest leaf = default;
        if (!findings.Try(folder, "about this envelope", () =>
        {
            detail = EntryDetails.Read(files["entry.json"].Bytes.Span);
            leaf = Entry(files["entry.salt"], files["entry.json"]).Leaf;
            if (Subject(detail) is not var (sender, envelope, ctx, named) || sender != header.Sender || envelope != header.Id || ctx != facts.Ctx) throw new RefusedException(Refusal.DecisionRecord, "another envelope");
            if (Entry(files["decision.salt"], files["decision.json"]).Hash != named) throw new RefusedException(Refusal.DecisionRecord, "the entry names another record");
        })) return null;
        // 2 The gateway stands for the entry.
        if (facts.Proven.ContainsKey(leaf) || facts.Receipts.Any(r => r.Receipt.Entry?.Leaf == leaf && facts.Holds(r.Part, "issuer") && facts.Holds(r.Part, "entry"))) findings.Good(folder, "the gateway's own entry");
        else { findings.Incomplete(folder, "the gateway's own entry", FindingCode.Missing, "no receipt and no proof here names its entry"); return null; }
        // 3 The policy is one of the officers, and says so again.
        if (facts.Trust is not { } trust || files.GetValueOrDefault(Names[4]) is not { } statement) { findings.Incomplete(folder, "decided again", FindingCode.Missing, "needs anchors and the policy"); return null; }
        Decision? again = null;
        CompiledPolicy? policy = null;
        var holds = findings.Try(folder, "decided again", () =>
        {
            policy = CompiledPolicy.Open(statement.Bytes, pins.PolicyOfficers, trust, DateTimeOffset.FromUnixTimeMilliseconds(detail!.Time));
            again = Decision.Again(record.Span, policy) ?? throw new RefusedException(Refusal.DecisionRecord, "the policy does not decide so, or it is not the policy that decided");
        });
        return holds ? new DecisionFact(folder, detail!, again!, policy!) : null;
    }

    static LedgerEntry Entry(EvidencePart salt, EvidencePart detail) => salt.Bytes.Length == LedgerEntry.SaltSize ? new(salt.Bytes.ToArray(), detail.Bytes.ToArray()) : throw new RefusedException(Refusal.DecisionRecord, "salt");

    static (string Sender, Guid? Envelope, Digest? Ctx, Digest? Decision)? Subject(LedgerDetail detail) => detail switch
    {
        SubmissionDetail d => (d.Sender, d.Envelope, d.Ctx, d.Decision),
        RejectionDetail d => (d.Sender, d.Envelope, d.Ctx, d.Decision),
        HoldDetail d => (d.Sender, d.Envelope, d.Ctx, d.Decision),
        LabelDetail d => (d.Sender, d.Envelope, d.Ctx, d.Decision),
        ConsignmentFailureDetail d => (d.Sender, d.Envelope, d.Ctx, d.Decision),
        _ => null,
    };
}
