using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>Rules about each recipient. One that fails denies the whole dispatch; which one and why stays in the trace (facts in docs: R07, R09).</summary>
static class RecipientRules
{
    /// <summary>In this order.</summary>
    public static readonly Rule[] All =
    [
        new() { Code = "R07", OfRecipient = Cleared },
        new() { Code = "R09", OfRecipient = ChannelCarries },
    ];

    // R07: a known office in a known role, whose clearance covers the label now and whose keys are not held back.
    static Finding Cleared(RuleCase c, RecipientFacts recipient)
    {
        if (recipient.Role is not ("to" or "cc" or "self" or "recovery")) return Deny(c, recipient, "role");
        if (recipient.Role == "self" && recipient.Office != c.Facts.Sender) return Deny(c, recipient, "role");
        if (!recipient.Known) return Deny(c, recipient, "office");
        if (c.Lacks(recipient.Clearance) is { } missing) return Deny(c, recipient, missing);
        return c.IsHeld(recipient.HeldUntil) ? Deny(c, recipient, "card-held") : Finding.Permit;
    }

    // R09: the channel is approved for the label. Without a ceiling it carries the policy's lowest level and no category.
    static Finding ChannelCarries(RuleCase c, RecipientFacts recipient)
    {
        if (recipient.ChannelCeiling is { } ceiling)
            return c.Lacks(ceiling) is { } missing ? Deny(c, recipient, "channel-" + missing) : Finding.Permit;
        var plain = c.Label is not null && c.Policy.Rank(c.Label.Class) == 0 && c.Label.Categories.All(k => k.Type == "informative");
        return plain ? Finding.Permit : Deny(c, recipient, "channel");
    }

    /// <summary>The sender's own copy is his own affair; all else is about the other side.</summary>
    static Finding Deny(RuleCase c, RecipientFacts recipient, string reason) =>
        recipient.Role == "self" && recipient.Office == c.Facts.Sender ? Finding.Deny(Refusal.SenderNotCleared, reason) : Finding.DenyOther(reason);
}
