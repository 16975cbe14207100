namespace Exchange.Crypto.Policy;

/// <summary>Runs the rules and folds what they found. The order of rules is visible here and nowhere else.</summary>
static class Evaluation
{
    public static readonly Rule[] Rules =
    [
        new() { Code = "R01", OfDispatch = DispatchRules.PolicyInForce },
        new() { Code = "R02", OfDispatch = DispatchRules.LabelChosen },
        new() { Code = "R03", OfDispatch = DispatchRules.LabelSigned },
        new() { Code = "R04", OfDispatch = DispatchRules.LevelKnown },
        new() { Code = "R05", OfDispatch = DispatchRules.CategoriesFit },
        new() { Code = "R06", OfDispatch = DispatchRules.Authority },
        new() { Code = "R07", OfRecipient = RecipientRules.Cleared },
        new() { Code = "R08", OfRecipient = RecipientRules.NeedsToKnow },
        new() { Code = "R09", OfRecipient = RecipientRules.ChannelCarries },
        new() { Code = "R10", OfDispatch = FlowRules.StoreHolds },
        new() { Code = "R11", OfDispatch = FlowRules.OriginatorReleased },
        new() { Code = "R12", OfDispatch = FlowRules.CoversReferences },
        new() { Code = "R13", OfDispatch = RelabelRules.Raised },
        new() { Code = "R14", OfDispatch = RelabelRules.Lowered },
        new() { Code = "R15", OfDispatch = RelabelRules.InTime },
        new() { Code = "R16", OfDispatch = FlowRules.EmbargoOver },
        new() { Code = "R17", OfDispatch = FlowRules.Fresh },
        new() { Code = "R18", OfDispatch = FlowRules.KeysAreTheRecipients },
        new() { Code = "R19", OfDispatch = FlowRules.SizesFilledUp },
        new() { Code = "R20", OfDispatch = FlowRules.AboveFloor },
        new() { Code = "R21", OfDispatch = AssuranceRules.EarlierAgrees },
        new() { Code = "R22", OfDispatch = AssuranceRules.SecondEngineAgrees, OfTheOthers = true },
        new() { Code = "R23", OfDispatch = AssuranceRules.ReaderCleared },
        new() { Code = "R24", OfDispatch = AssuranceRules.NothingFailed, OfTheOthers = true },
        new() { Code = "R25", OfDispatch = AssuranceRules.TranslatorListed },
    ];

    /// <summary>All but R01: for a policy that was in force when a dispatch was taken in, and has since been followed by another.</summary>
    public static readonly Rule[] AfterItsTime = [.. Rules.Where(r => r.Code != "R01")];

    /// <summary>For the next verdict of this thread; it holds no facts in between.</summary>
    [ThreadStatic] static RuleCase? spare;

    public static Decision Run(DecisionFacts given, CompiledPolicy policy, DateTimeOffset at, IReadOnlyList<Rule> rules)
    {
        // Milliseconds are what the record holds: a replay must see the same time.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(at.ToUnixTimeMilliseconds());
        try
        {
            // One snapshot: a list that changes or fails under the rules would be another question. What could not be written down is not decided on.
            var facts = given with { Recipients = [.. given.Recipients], Approvals = [.. given.Approvals] };
            FactsForm.Demand(facts, policy);
            return new Course(new RuleCase(facts, policy, now), rules).Decide();
        }
        catch (Exception e)
        {
            return NoFacts(policy, now, e);
        }
    }

    /// <summary>
    /// The verdict of <see cref="Run"/> and nothing else: the same rules, folded as they speak and left at the first denial, for nothing is stricter. A rule that fails denies,
    /// as there; so do facts that cannot be read.
    /// </summary>
    public static Verdict Say(DecisionFacts facts, CompiledPolicy policy, DateTimeOffset at, Rule[] rules)
    {
        var c = spare ??= new RuleCase();
        try
        {
            FactsForm.Demand(facts, policy);
            c.Begin(facts, policy, at);
            c.Others = Fold(c, rules, ofTheOthers: false, Verdict.Permit);
            return Fold(c, rules, ofTheOthers: true, c.Others);
        }
        catch (Exception)
        {
            return Verdict.Deny;
        }
        finally
        {
            c.End();
        }
    }

    static Verdict Fold(RuleCase c, Rule[] rules, bool ofTheOthers, Verdict found)
    {
        var recipients = c.Facts.Recipients;
        for (var i = 0; i < rules.Length && found != Verdict.Deny; i++)
        {
            var rule = rules[i];
            if (rule.OfTheOthers != ofTheOthers) continue;
            if (rule.OfDispatch is { } judge) found = Strictest(found, judge(c).Outcome);
            if (rule.OfRecipient is { } each)
                for (var r = 0; r < recipients.Count; r++) found = Strictest(found, each(c, recipients[r]).Outcome);
        }
        return found;
    }

    /// <summary>Facts that cannot be read, or not be written down: no, and a record of that.</summary>
    public static Decision NoFacts(CompiledPolicy policy, DateTimeOffset now, Exception? fault) => new(null, policy)
    {
        Verdict = Verdict.Deny, PerRecipient = [],
        Trace = [new RuleResult("R24", Verdict.Deny, Refusal.Internal.Code, Rule.Dispatch, AboutOther: false) { Reason = "facts" }],
        ForSender = Refusal.Internal, At = now, Faults = fault is null ? [] : [fault],
    };

    public static Verdict Strictest(Verdict a, Verdict b) => a < b ? a : b;

    /// <summary>One decision under way.</summary>
    readonly struct Course
    {
        readonly RuleCase c;
        readonly IReadOnlyList<Rule> rules;
        readonly RuleResult[] trace;
        readonly Verdict[] perRecipient;
        readonly List<Exception> faults = [];

        public Course(RuleCase c, IReadOnlyList<Rule> rules)
        {
            (this.c, this.rules) = (c, rules);
            var lines = 0;
            var spoken = false;
            for (var i = 0; i < rules.Count; i++)
            {
                lines += (rules[i].OfDispatch is null ? 0 : 1) + (rules[i].OfRecipient is null ? 0 : c.Facts.Recipients.Count);
                spoken |= rules[i].OfRecipient is not null;
            }
            trace = new RuleResult[lines];
            perRecipient = new Verdict[c.Facts.Recipients.Count];
            // What no rule spoke about is not permitted.
            Array.Fill(perRecipient, spoken ? Verdict.Permit : Verdict.Deny);
        }

        public Decision Decide()
        {
            var ofDispatch = Pass(ofTheOthers: false);
            c.Others = ofDispatch is null ? Verdict.Deny : perRecipient.Aggregate(ofDispatch.Value, Strictest);
            var whole = Pass(ofTheOthers: true) is { } late ? Strictest(ofDispatch ?? late, late) : ofDispatch ?? Verdict.Deny;
            for (var i = 0; i < perRecipient.Length; i++) perRecipient[i] = Strictest(perRecipient[i], whole);
            var verdict = perRecipient.Aggregate(whole, Strictest);
            return new Decision(c.Facts, c.Policy)
            {
                Verdict = verdict, PerRecipient = perRecipient, Trace = trace, ForSender = ForSender(trace, verdict), At = DateTimeOffset.FromUnixTimeMilliseconds(c.At), Faults = faults,
            };
        }

        /// <returns>What the rules about the dispatch found; null: there is none.</returns>
        Verdict? Pass(bool ofTheOthers)
        {
            Verdict? found = null;
            var line = 0;
            for (var i = 0; i < rules.Count; i++)
            {
                var rule = rules[i];
                var turn = rule.OfTheOthers == ofTheOthers;
                if (rule.OfDispatch is not null)
                {
                    if (turn)
                    {
                        trace[line] = Judge(rule, null);
                        found = Strictest(found ?? Verdict.Permit, trace[line].Outcome);
                    }
                    line++;
                }
                if (rule.OfRecipient is null) continue;
                for (var r = 0; r < perRecipient.Length; r++, line++)
                {
                    if (!turn) continue;
                    trace[line] = Judge(rule, c.Facts.Recipients[r]);
                    perRecipient[r] = Strictest(perRecipient[r], trace[line].Outcome);
                }
            }
            return found;
        }

        RuleResult Judge(Rule rule, RecipientFacts? recipient)
        {
            try
            {
                return recipient is null ? rule.Result(rule.OfDispatch!(c)) : rule.Result(rule.OfRecipient!(c, recipient), recipient.Office);
            }
            catch (Exception e)
            {
                // R24. What broke may itself be a fact about the other side, so the sender learns no more than from any other no.
                faults.Add(e);
                c.Failed ??= rule.Code;
                return new RuleResult(rule.Code, Verdict.Deny, Refusal.Internal.Code, recipient?.Office ?? Rule.Dispatch, recipient is not null) { Reason = "exception" };
            }
        }

        /// <summary>The refusal of the first rule that decided; of several recipients' results, the order of recipients must not show.</summary>
        static Refusal? ForSender(RuleResult[] trace, Verdict verdict)
        {
            if (verdict == Verdict.Permit) return null;
            if (Array.Find(trace, r => r.Outcome == verdict) is not { Rule: var rule }) return Refusal.Internal;
            var deciding = Array.FindAll(trace, r => r.Rule == rule && r.Outcome == verdict);
            if (Array.Exists(deciding, r => r.AboutOther)) return Refusal.NotReleasable;
            return Refusal.All[deciding[0].Refusal ?? Refusal.Internal.Code];
        }
    }
}
