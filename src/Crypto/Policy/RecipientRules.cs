using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>Rules about each recipient (R07 to R09). One that fails denies the whole dispatch; which one and why stays in the trace.</summary>
static class RecipientRules
{
    // R07: a known office in a known role, whose clearance covers the label now and whose keys are not held back.
    public static Finding Cleared(RuleCase c, RecipientFacts recipient)
    {
        if (!c.IsDispatch) return Finding.NotThisAction;
        if (recipient.Role is not ("to" or "cc" or "self" or "recovery")) return Deny(c, recipient, "role");
        if (recipient.Role == "self" && recipient.Office != c.Facts.Sender) return Deny(c, recipient, "role");
        if (!recipient.Known) return Deny(c, recipient, "office");
        if (c.Lacks(recipient.Clearance) is { } missing) return Deny(c, recipient, missing);
        return c.IsHeld(recipient.HeldUntil) ? Deny(c, recipient, "card-held") : Finding.Permit;
    }

    // R08: need to know by group, and by name where a caveat says so. The sender's own copy and the policy's recovery keys are nobody's besides.
    public static Finding NeedsToKnow(RuleCase c, RecipientFacts recipient)
    {
        if (!c.IsDispatch) return Finding.NotThisAction;
        if (recipient.Role is "self" or "recovery") return Finding.Permit;
        if (c.Facts.NeedToKnow is { } groups && !Share(groups, recipient.Groups)) return Finding.DenyOther("need-to-know");
        if (c.Label is { } label && c.Bears(label, "named-only") && !c.IsNamed(recipient.Office)) return Finding.DenyOther("not-named");
        return Finding.Permit;
    }

    // R09: the channel may carry the level at all, and is approved for the label. Without a ceiling it carries the policy's lowest level and no category.
    public static Finding ChannelCarries(RuleCase c, RecipientFacts recipient)
    {
        if (!c.IsDispatch) return Finding.NotThisAction;
        if (recipient.Channel is null) return Deny(c, recipient, "channel-unknown");
        if (c.Level is { } level && Array.IndexOf(level.Handling.Channels, recipient.Channel) < 0) return Deny(c, recipient, "channel-kind");
        if (recipient.ChannelCeiling is { } ceiling)
            return c.Lacks(ceiling) is { } missing ? Deny(c, recipient, "channel-" + missing) : Finding.Permit;
        return c.Label is not null && c.Policy.Rank(c.Label.Class) == 0 && IsOpen(c.Label) ? Finding.Permit : Deny(c, recipient, "channel");
    }

    static bool IsOpen(Label label)
    {
        foreach (var category in label.Categories)
            if (category.Type != "informative") return false;
        return true;
    }

    static bool Share(IReadOnlyList<string> groups, IReadOnlyList<string>? held)
    {
        for (var i = 0; i < groups.Count; i++)
            if (Holds(held, groups[i])) return true;
        return false;
    }

    internal static bool Holds(IReadOnlyList<string>? list, string wanted)
    {
        for (var i = 0; i < (list?.Count ?? 0); i++)
            if (list![i] == wanted) return true;
        return false;
    }

    /// <summary>The sender's own copy is his own affair; all else is about the other side.</summary>
    static Finding Deny(RuleCase c, RecipientFacts recipient, string reason) =>
        recipient.Role == "self" && recipient.Office == c.Facts.Sender ? Finding.Deny(Refusal.SenderNotCleared, reason) : Finding.DenyOther(reason);
}
