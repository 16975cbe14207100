namespace Exchange.Crypto.Policy;

/// <summary>Rules about the decision itself, its readers and translators (R21 to R25).</summary>
static class AssuranceRules
{
    public const string EarlierUnknown = "earlier-unknown";

    // R21: what was taken in under one policy goes out under both: the stricter wins.
    public static Finding EarlierAgrees(RuleCase c)
    {
        if (!c.IsCopy) return Finding.NotThisAction;
        if (c.Facts.Earlier is not { } earlier) return Finding.DenyOther(EarlierUnknown);
        if (earlier.Policy == c.Policy.Ref) return Finding.Permit;
        return earlier.Verdict switch
        {
            Verdict.Permit => Finding.Permit,
            Verdict.Hold => Finding.Hold(Refusal.AwaitingRelease, "earlier-policy"),
            Verdict.Deny => Finding.DenyOther("earlier-policy"),
            _ => Finding.DenyOther(EarlierUnknown),
        };
    }

    // R22: where the policy asks for it, a second engine came to the same verdict as all the other rules here.
    public static Finding SecondEngineAgrees(RuleCase c)
    {
        if (!c.IsDispatch && c.Doing != Doing.Relabel) return Finding.NotThisAction;
        if (c.Level is not { } level) return Finding.NoLevel;
        if (!level.Handling.SecondOpinion) return Finding.NotAskedFor;
        if (c.Facts.SecondOpinion is not { } second) return Finding.Deny(Refusal.Internal, "second-opinion-missing");
        return second == c.Others ? Finding.Permit : Finding.Deny(Refusal.Internal, "second-opinion-differs");
    }

    // R23: an auditor reads what his own clearance covers; anything else is not there for him.
    public static Finding ReaderCleared(RuleCase c)
    {
        if (c.Doing != Doing.Read) return Finding.NotThisAction;
        return c.Lacks(c.Facts.Reader) is { } missing ? new Finding(Verdict.Deny, Refusal.NotFound, "reader-" + missing, AboutOther: true) : Finding.Permit;
    }

    // R24: an error or a missing fact is a no.
    public static Finding NothingFailed(RuleCase c)
    {
        if (c.Failed is { } rule) return Finding.Deny(Refusal.Internal, rule);
        if (c.Doing == Doing.Unknown) return Finding.Deny(Refusal.Internal, "action");
        if (!c.IsDispatch) return Finding.Permit;
        for (var i = 0; i < c.Facts.Recipients.Count; i++)
            if (c.Facts.Recipients[i].Role is "to" or "cc") return Finding.Permit;
        return Finding.Deny(Refusal.Internal, "recipients");
    }

    // R25: a label that somebody translated counts only when the policy lists him.
    public static Finding TranslatorListed(RuleCase c)
    {
        if (c.Facts.Translation is not { } translation) return Finding.NotTranslated;
        return Array.IndexOf(c.Policy.Content.Translators ?? [], translation.Translator) >= 0 ? Finding.Permit : Finding.Deny(Refusal.Translator, "translator");
    }
}
