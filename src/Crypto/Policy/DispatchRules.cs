using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>Rules about the dispatch as a whole (facts in docs: R01 to R06, R18, R24). Each denies for its own facts only, so that a reason is a cause.</summary>
static class DispatchRules
{
    /// <summary>Before the recipients are looked at, in this order.</summary>
    public static readonly Rule[] Opening =
    [
        new() { Code = "R01", OfDispatch = PolicyInForce },
        new() { Code = "R02", OfDispatch = LabelChosen },
        new() { Code = "R03", OfDispatch = LabelSigned },
        new() { Code = "R04", OfDispatch = LevelKnown },
        new() { Code = "R05", OfDispatch = CategoriesFit },
        new() { Code = "R06", OfDispatch = Authority },
    ];

    /// <summary>After the recipients, in this order. R24 is last: it speaks for every rule that failed.</summary>
    public static readonly Rule[] Closing =
    [
        new() { Code = "R18", OfDispatch = KeysAreTheRecipients },
        new() { Code = "R24", OfDispatch = NothingFailed },
    ];

    /// <summary>What a decision may be asked about.</summary>
    static readonly string[] Actions = ["submit", "release", "retry", "forward", "download", "dry-run"];

    // R01: the label's policy is the active one, and in force. Signatures were checked when it was opened.
    static Finding PolicyInForce(RuleCase c)
    {
        var now = c.Now.ToUnixTimeMilliseconds();
        if (now < c.Policy.Content.NotBefore) return Finding.Deny(Refusal.PolicyUnknown, "policy-not-yet");
        if (now >= c.Policy.Content.NotAfter) return Finding.Deny(Refusal.PolicyUnknown, "policy-expired");
        if (c.Facts.Label is null) return Finding.NotEvaluated("R02");
        return c.Label is null ? Finding.Deny(Refusal.PolicyUnknown, "policy-of-label") : Finding.Permit;
    }

    // R02: a level was chosen, and justified where it must be. There is no default label: over-classifying is forbidden too.
    static Finding LabelChosen(RuleCase c)
    {
        if (c.Facts.Label is null) return Finding.Deny(Refusal.LabelMissing, "label");
        return c.Level is { BasisRequired: true } && c.Label!.Basis is null ? Finding.Deny(Refusal.LabelBasis, "basis") : Finding.Permit;
    }

    // R03: one label, in form, in every signature. RFC 2634 3.1.1 only warns when signers differ; here it is the end.
    static Finding LabelSigned(RuleCase c)
    {
        if (c.Facts.Label is null) return Finding.NotEvaluated("R02");
        try { LabelForm.Check(c.Facts.Label); }
        catch (RefusedException e) { return Finding.Deny(e.Refusal, "form: " + e.Detail); }
        if (c.Facts.LabelVerified) return Finding.Permit;
        return c.IsDryRun ? Finding.NotEvaluated("dry-run") : Finding.Deny(Refusal.LabelMismatch, "not-verified");
    }

    // R04: the level exists, may still be chosen, and its marking is the policy's.
    static Finding LevelKnown(RuleCase c)
    {
        if (c.Label is null) return Finding.NotEvaluated("R01, R02");
        if (c.Level is null) return Finding.Deny(Refusal.LabelClass, "class");
        if (c.Level.Obsolete && c.IsNew) return Finding.Deny(Refusal.LabelClass, "obsolete");
        return c.Level.Mark == c.Label.Mark ? Finding.Permit : Finding.Deny(Refusal.LabelClass, "mark");
    }

    // R05: every category is one of the policy's, of the policy's type, with the policy's values, and the mandatory ones are there.
    static Finding CategoriesFit(RuleCase c)
    {
        if (c.Label is null) return Finding.NotEvaluated("R01, R02");
        foreach (var category in c.Label.Categories)
        {
            if (c.Policy.TagSet(category.Tag) is not { } set) return Finding.Deny(Refusal.LabelCategory, "tag-set");
            if (set.Type != category.Type) return Finding.Deny(Refusal.LabelCategory, "type");
            foreach (var value in category.Values)
            {
                var tag = Array.Find(set.Values, t => t.Value == value);
                if (tag is null) return Finding.Deny(Refusal.LabelCategory, "value");
                if (tag.Obsolete && c.IsNew) return Finding.Deny(Refusal.LabelCategory, "obsolete");
            }
        }
        foreach (var set in c.Policy.Content.TagSets)
            if (set.RequiredOn.Contains(c.Label.Class) && !c.Label.Categories.Any(k => k.Tag == set.Tag && k.Values.Length > 0))
                return Finding.Deny(Refusal.LabelCategory, "required");
        return Finding.Permit;
    }

    // R06: the sender may itself hold what it sends, its keys are not held back, and each role that the level asks for has approved.
    // That an approval is of this dispatch and label and covers every recipient was checked with its signature (Envelope.Verify).
    static Finding Authority(RuleCase c)
    {
        if (c.Level is null) return Finding.NotEvaluated("R01, R02, R04");
        if (c.Lacks(c.Facts.SenderClearance) is { } missing) return Finding.Deny(Refusal.SenderNotCleared, missing);
        if (c.IsHeld(c.Facts.SenderHeldUntil)) return Finding.Deny(Refusal.CardHeld, "card-held");
        if (!Approved(c, role: 0, [])) return Finding.Deny(Refusal.ApprovalMissing, "approval");
        return Released(c) ? Finding.Permit : Finding.Hold(Refusal.AwaitingRelease, "release");
    }

    /// <summary>Dual control: as many distinct persons as the level asks for, each in one of its roles, have released the dispatch.</summary>
    static bool Released(RuleCase c)
    {
        var (persons, roles) = c.Level!.Handling.Release;
        if (c.IsDryRun) return persons == 0 || c.Facts.Approvals.Count(a => a.Act == "release" && a.Roles.Any(roles.Contains)) >= persons;
        return c.Facts.Approvals.Where(a => a.Act == "release" && a.Roles.Any(roles.Contains) && !(c.IsNew && a.NotAfter.ToUnixTimeMilliseconds() < c.Now.ToUnixTimeMilliseconds()))
            .Select(a => a.Person).Distinct().Count() >= persons;
    }

    /// <summary>Whether the roles from this one on each find an approval, every one by another person. A dry run knows roles but not yet persons.</summary>
    static bool Approved(RuleCase c, int role, Digest[] spent)
    {
        if (role == c.Level!.Approvals.Length) return true;
        foreach (var approval in c.Facts.Approvals)
        {
            if (approval.Act != "send" || !approval.Roles.Contains(c.Level.Approvals[role])) continue;
            // An approval is used when the dispatch is taken in; a lapse later takes nothing back.
            if (c.IsNew && approval.NotAfter.ToUnixTimeMilliseconds() < c.Now.ToUnixTimeMilliseconds()) continue;
            if (!c.IsDryRun && spent.Contains(approval.Person)) continue;
            if (Approved(c, role + 1, [.. spent, approval.Person])) return true;
        }
        return false;
    }

    // R18: the keys that can open the envelope are current keys of its recipients. The manifest names no other (Envelope.Verify). No policy
    // names recovery keys yet. What a lying sender wraps besides, the recipients find and report.
    static Finding KeysAreTheRecipients(RuleCase c)
    {
        if (c.Facts.Recipients.Any(r => r.Role == "recovery")) return Finding.Deny(Refusal.RecipientKeys, "recovery");
        if (c.IsDryRun) return Finding.NotEvaluated("dry-run");
        return c.Facts.Recipients.All(r => r.KeyCurrent) ? Finding.Permit : Finding.Deny(Refusal.RecipientKeys, "key-not-current");
    }

    // R24: an error or a missing fact is a no.
    static Finding NothingFailed(RuleCase c)
    {
        if (c.Failed is { } rule) return Finding.Deny(Refusal.Internal, rule);
        if (!Actions.Contains(c.Facts.Action)) return Finding.Deny(Refusal.Internal, "action");
        return c.Facts.Recipients.Any(r => r.Role is "to" or "cc") ? Finding.Permit : Finding.Deny(Refusal.Internal, "recipients");
    }
}
