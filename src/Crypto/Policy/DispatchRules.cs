using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>Rules about policy, label and sender (R01 to R06). Each denies for its own facts only, so that a reason is a cause.</summary>
static class DispatchRules
{
    // R01: the label's policy is the active one, and in force. Signatures were checked when it was opened.
    public static Finding PolicyInForce(RuleCase c)
    {
        if (c.At < c.Policy.Content.NotBefore) return Finding.Deny(Refusal.PolicyUnknown, "policy-not-yet");
        if (c.At >= c.Policy.Content.NotAfter) return Finding.Deny(Refusal.PolicyUnknown, "policy-expired");
        if (c.Facts.Label is null) return Finding.NoLabel;
        return c.Label is null ? Finding.Deny(Refusal.PolicyUnknown, "policy-of-label") : Finding.Permit;
    }

    // R02: a level was chosen, and justified where it must be. There is no default label: over-classifying is forbidden too.
    public static Finding LabelChosen(RuleCase c)
    {
        if (c.Facts.Label is null) return Finding.Deny(Refusal.LabelMissing, "label");
        return c.Level is { BasisRequired: true } && c.Label!.Basis is null ? Finding.Deny(Refusal.LabelBasis, "basis") : Finding.Permit;
    }

    // R03: one label, in form, in every signature. RFC 2634 3.1.1 only warns when signers differ; here it is the end.
    public static Finding LabelSigned(RuleCase c)
    {
        if (c.Facts.Label is null) return Finding.NoLabel;
        if (!c.Policy.IsPlainForm(c.Facts.Label))
        {
            try { LabelForm.Check(c.Facts.Label); }
            catch (RefusedException e) { return Finding.Deny(e.Refusal, "form: " + e.Detail); }
        }
        if (c.Facts.LabelVerified) return Finding.Permit;
        return c.IsUnsigned ? Finding.NotInDryRun : Finding.Deny(Refusal.LabelMismatch, "not-verified");
    }

    // R04: the level exists, may still be chosen, and its marking is the policy's.
    public static Finding LevelKnown(RuleCase c)
    {
        if (c.Label is null) return Finding.NoLabelOfOurs;
        if (c.Level is null) return Finding.Deny(Refusal.LabelClass, "class");
        if (c.Level.Obsolete && c.ChoosesLabel) return Finding.Deny(Refusal.LabelClass, "obsolete");
        return c.Level.Mark == c.Label.Mark ? Finding.Permit : Finding.Deny(Refusal.LabelClass, "mark");
    }

    // R05: every category is one of the policy's, of the policy's type, with the policy's values, and the mandatory ones and the level's caveats are there.
    public static Finding CategoriesFit(RuleCase c)
    {
        if (c.Label is null) return Finding.NoLabelOfOurs;
        foreach (var category in c.Label.Categories)
        {
            if (c.Policy.TagSet(category.Tag, out var tags) is not { } set) return Finding.Deny(Refusal.LabelCategory, "tag-set");
            if (set.Type != category.Type) return Finding.Deny(Refusal.LabelCategory, "type");
            foreach (var value in category.Values)
            {
                if (!tags!.TryGetValue(value, out var tag)) return Finding.Deny(Refusal.LabelCategory, "value");
                if (tag.Obsolete && c.ChoosesLabel) return Finding.Deny(Refusal.LabelCategory, "obsolete");
            }
        }
        foreach (var set in c.Policy.Content.TagSets)
            if (Array.IndexOf(set.RequiredOn, c.Label.Class) >= 0 && !HasValueOf(c.Label, set.Tag))
                return Finding.Deny(Refusal.LabelCategory, "required");
        if (c.ChoosesLabel && c.Level is { } level)
            foreach (var caveat in level.Handling.Caveats)
                if (Array.IndexOf(c.Label.Caveats, caveat) < 0) return Finding.Deny(Refusal.LabelCaveat, "caveat");
        return Finding.Permit;
    }

    static bool HasValueOf(Label label, string tag)
    {
        foreach (var category in label.Categories)
            if (category.Tag == tag && category.Values.Length > 0) return true;
        return false;
    }

    // R06: the sender may itself hold what it sends, its keys are not held back, and each role that the level asks for has approved.
    // That an approval is of this dispatch and label and covers every recipient was checked with its signature (Envelope.Verify).
    public static Finding Authority(RuleCase c)
    {
        if (!c.IsDispatch) return Finding.NotThisAction;
        if (c.Level is null) return Finding.NoLevel;
        if (c.Lacks(c.Facts.SenderClearance) is { } missing) return Finding.Deny(Refusal.SenderNotCleared, missing);
        if (c.IsHeld(c.Facts.SenderHeldUntil)) return Finding.Deny(Refusal.CardHeld, "card-held");
        if (c.Level.Approvals.Length > 0 && !Approved(c, role: 0, [])) return Finding.Deny(Refusal.ApprovalMissing, "approval");
        return c.Level.Handling.Release.Persons == 0 || Released(c) ? Finding.Permit : Finding.Hold(Refusal.AwaitingRelease, "release");
    }

    /// <summary>Dual control: as many distinct persons as the level asks for, each in one of its roles, have released the dispatch.</summary>
    static bool Released(RuleCase c)
    {
        var (persons, roles) = c.Level!.Handling.Release;
        var (released, approvals) = (0, c.Facts.Approvals);
        for (var i = 0; i < approvals.Count; i++)
        {
            var again = false;
            // A dry run knows roles, not persons.
            for (var j = 0; j < i && !c.IsDryRun && !again; j++) again = approvals[j].Person == approvals[i].Person && Releases(c, approvals[j], roles);
            if (!again && Releases(c, approvals[i], roles)) released++;
        }
        return released >= persons;
    }

    static bool Releases(RuleCase c, ApprovalFacts approval, string[] roles)
    {
        if (approval.Act != "release" || (c.IsNew && !c.IsDryRun && approval.NotAfter.ToUnixTimeMilliseconds() < c.At)) return false;
        foreach (var role in roles)
            if (Has(approval.Roles, role)) return true;
        return false;
    }

    /// <summary>Whether the roles from this one on each find an approval, every one by another person. A dry run knows roles but not yet persons.</summary>
    static bool Approved(RuleCase c, int role, ReadOnlySpan<Digest> spent)
    {
        if (role == c.Level!.Approvals.Length) return true;
        var approvals = c.Facts.Approvals;
        for (var i = 0; i < approvals.Count; i++)
        {
            var approval = approvals[i];
            if (approval.Act != "send" || !Has(approval.Roles, c.Level.Approvals[role])) continue;
            // An approval is used when the dispatch is taken in; a lapse later takes nothing back.
            if (c.IsNew && approval.NotAfter.ToUnixTimeMilliseconds() < c.At) continue;
            if (!c.IsDryRun && spent.Contains(approval.Person)) continue;
            if (role + 1 == c.Level.Approvals.Length || Approved(c, role + 1, [.. spent, approval.Person])) return true;
        }
        return false;
    }

    static bool Has(IReadOnlyList<string> roles, string role)
    {
        for (var i = 0; i < roles.Count; i++)
            if (roles[i] == role) return true;
        return false;
    }
}
