namespace Exchange.Crypto.Policy;

/// <summary>Runs the rules, folds what they found, and writes the record. The order of rules is visible here and nowhere else.</summary>
static class Evaluation
{
    /// <summary>R01 to R06, R07 and R09 per recipient, R18, R24.</summary>
    public static readonly Rule[] Rules = [.. DispatchRules.Opening, .. RecipientRules.All, .. DispatchRules.Closing];

    const string Dispatch = "dispatch";

    public static Decision Run(DecisionFacts given, CompiledPolicy policy, DateTimeOffset at, IReadOnlyList<Rule> rules)
    {
        // Milliseconds are what the record holds: a replay must see the same time.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(at.ToUnixTimeMilliseconds());
        try
        {
            // One snapshot: a list that changes or fails under the rules would be another question.
            var facts = given with { Recipients = [.. given.Recipients], Approvals = [.. given.Approvals] };
            var faults = new List<Exception>();
            var trace = Trace(new RuleCase(facts, policy, now), rules, faults);
            return Fold(facts, policy, now, trace, faults);
        }
        catch (Exception e)
        {
            return NoFacts(policy, now, e);
        }
    }

    public static bool Replay(ReadOnlySpan<byte> record, CompiledPolicy policy)
    {
        try
        {
            var read = StrictJson.Read(record, DecisionJson.Default.DecisionRecord);
            if (read.Policy != policy.Ref) return false;
            var at = DateTimeOffset.FromUnixTimeMilliseconds(read.At);
            var again = read.Facts is null ? NoFacts(policy, at, null) : Run(read.Facts.ToFacts(), policy, at, Rules);
            return record.SequenceEqual(again.Record);
        }
        catch (Exception e) when (e is RefusedException or ArgumentException or NullReferenceException)
        {
            return false;   // not a record
        }
    }

    public static DecisionFacts? FactsOf(ReadOnlySpan<byte> record) => StrictJson.Read(record, DecisionJson.Default.DecisionRecord).Facts?.ToFacts();

    public static byte[] View(Decision decision) => StrictJson.Write(new DecisionView
    {
        V = 1, Type = DecisionView.TypeName, Verdict = Name(decision.Verdict), Code = decision.ForSender?.Code,
        Policy = decision.Policy, At = decision.At.ToUnixTimeMilliseconds(),
    }, DecisionJson.Default.DecisionView);

    static List<RuleResult> Trace(RuleCase c, IReadOnlyList<Rule> rules, List<Exception> faults)
    {
        var trace = new List<RuleResult>(rules.Count + 2 * c.Facts.Recipients.Count);
        foreach (var rule in rules)
        {
            if (rule.OfDispatch is { } ofDispatch)
                trace.Add(Judge(c, rule.Code, Dispatch, () => ofDispatch(c), aboutOther: false, faults));
            if (rule.OfRecipient is { } ofRecipient)
                foreach (var recipient in c.Facts.Recipients)
                    trace.Add(Judge(c, rule.Code, recipient.Office, () => ofRecipient(c, recipient), aboutOther: true, faults));
        }
        return trace;
    }

    static RuleResult Judge(RuleCase c, string code, string subject, Func<Finding> judge, bool aboutOther, List<Exception> faults)
    {
        try
        {
            var found = judge();
            return new RuleResult(code, found.Outcome, found.Refusal?.Code, subject, found.AboutOther) { Reason = found.Reason };
        }
        catch (Exception e)
        {
            // R24. What broke may itself be a fact about the other side, so the sender learns no more than from any other no.
            faults.Add(e);
            c.Failed ??= code;
            return new RuleResult(code, Verdict.Deny, Refusal.Internal.Code, subject, aboutOther) { Reason = "exception" };
        }
    }

    static Decision Fold(DecisionFacts facts, CompiledPolicy policy, DateTimeOffset now, List<RuleResult> trace, List<Exception> faults)
    {
        var bySubject = new Dictionary<string, Verdict>(StringComparer.Ordinal);
        foreach (var result in trace)
            bySubject[result.Subject] = Strictest(bySubject.GetValueOrDefault(result.Subject, Verdict.Permit), result.Outcome);
        // What no rule spoke about is not permitted.
        var ofDispatch = bySubject.GetValueOrDefault(Dispatch, Verdict.Deny);
        Verdict[] perRecipient = [.. facts.Recipients.Select(r => Strictest(ofDispatch, bySubject.GetValueOrDefault(r.Office, Verdict.Deny)))];
        var verdict = perRecipient.Aggregate(ofDispatch, Strictest);
        var decision = new Decision
        {
            Verdict = verdict, PerRecipient = perRecipient, Trace = trace, ForSender = ForSender(trace, verdict), Policy = policy.Ref, At = now, Record = [],
            Faults = faults,
        };
        return decision with { Record = Write(decision, FactsRecord.Of(facts)) };
    }

    /// <summary>The refusal of the first rule that decided; of several recipients' results, the order of recipients must not show.</summary>
    static Refusal? ForSender(List<RuleResult> trace, Verdict verdict)
    {
        if (verdict == Verdict.Permit) return null;
        if (trace.Find(r => r.Outcome == verdict) is not { Rule: var rule }) return Refusal.Internal;
        var deciding = trace.FindAll(r => r.Rule == rule && r.Outcome == verdict);
        if (deciding.Exists(r => r.AboutOther)) return Refusal.NotReleasable;
        return Refusal.All[deciding[0].Refusal ?? Refusal.Internal.Code];
    }

    /// <summary>Facts that cannot be read, or not be written down: no, and a record of that.</summary>
    static Decision NoFacts(CompiledPolicy policy, DateTimeOffset now, Exception? fault)
    {
        var decision = new Decision
        {
            Verdict = Verdict.Deny, PerRecipient = [],
            Trace = [new RuleResult("R24", Verdict.Deny, Refusal.Internal.Code, Dispatch, AboutOther: false) { Reason = "facts" }],
            ForSender = Refusal.Internal, Policy = policy.Ref, At = now, Record = [], Faults = fault is null ? [] : [fault],
        };
        return decision with { Record = Write(decision, facts: null) };
    }

    static byte[] Write(Decision decision, FactsRecord? facts) => StrictJson.Write(new DecisionRecord
    {
        V = 1,
        Type = DecisionRecord.TypeName,
        Policy = decision.Policy,
        At = decision.At.ToUnixTimeMilliseconds(),
        Facts = facts,
        Trace = [.. decision.Trace.Select(t => new TraceRecord(t.Rule, Name(t.Outcome), t.Refusal, t.Subject, t.AboutOther, t.Reason))],
        PerRecipient = [.. decision.PerRecipient.Select(Name)],
        Verdict = Name(decision.Verdict),
        ForSender = decision.ForSender?.Code,
    }, DecisionJson.Default.DecisionRecord);

    static Verdict Strictest(Verdict a, Verdict b) => a < b ? a : b;

    static string Name(Verdict verdict) => verdict switch { Verdict.Permit => "permit", Verdict.Hold => "hold", _ => "deny" };
}
