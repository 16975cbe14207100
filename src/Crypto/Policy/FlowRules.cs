using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Policy;

/// <summary>Rules about where a dispatch comes from, when it goes and what it is sealed to (R10 to R12, R16 to R20).</summary>
static class FlowRules
{
    // R10: nothing is written to a store, queue, log or backup that is not approved for it.
    public static Finding StoreHolds(RuleCase c)
    {
        if (!c.IsDispatch) return Finding.NotThisAction;
        if (c.Level is null) return Finding.NoLevel;
        return c.Lacks(c.Facts.StoreCeiling) is { } missing ? Finding.Deny(Refusal.StoreCeiling, "store-" + missing) : Finding.Permit;
    }

    // R11: what another office sent is forwarded only if it may be, and where its sender keeps control, only to whom he released it.
    public static Finding OriginatorReleased(RuleCase c)
    {
        if (!c.IsNew) return Finding.NotThisAction;
        var references = c.Facts.References;
        var forwards = c.Doing == Doing.Forward;
        for (var i = 0; i < (references?.Count ?? 0); i++)
        {
            var original = references![i];
            if (original.Relation != "forward" || original.Originator == c.Facts.Sender) continue;
            if (original.Label is not { } label) return Finding.Deny(Refusal.OriginatorControl, "original-unknown");
            if (c.Bears(label, "no-forward")) return Finding.Deny(Refusal.OriginatorControl, "no-forward");
            if (c.Bears(label, "originator-control") && !ReleasedToAll(c, original)) return Finding.Deny(Refusal.OriginatorControl, "not-released");
            forwards = false;
        }
        if (!forwards) return references is { Count: > 0 } ? Finding.Permit : Finding.NothingReferredTo;
        return HasForward(references) ? Finding.Permit : Finding.Deny(Refusal.OriginatorControl, "original-unknown");
    }

    static bool HasForward(IReadOnlyList<ReferenceFacts>? references)
    {
        for (var i = 0; i < (references?.Count ?? 0); i++)
            if (references![i].Relation == "forward") return true;
        return false;
    }

    static bool ReleasedToAll(RuleCase c, ReferenceFacts original)
    {
        for (var i = 0; i < c.Facts.Recipients.Count; i++)
        {
            var recipient = c.Facts.Recipients[i];
            if (recipient.Role is not "self" && recipient.Office != original.Originator && !RecipientRules.Holds(original.Released, recipient.Office)) return false;
        }
        return true;
    }

    // R12: the label protects what it answers, forwards or quotes, or two persons say that nothing of that is in it. What the gateway does not know, it cannot compare.
    public static Finding CoversReferences(RuleCase c)
    {
        if (!c.IsNew) return Finding.NotThisAction;
        if (c.Facts.References is not { } references) return c.IsDryRun ? Finding.NotInDryRun : Finding.Deny(Refusal.LabelBelow, "references-unknown");
        if (references.Count == 0) return Finding.NothingReferredTo;
        if (c.Label is null) return Finding.NoLabelOfOurs;
        for (var i = 0; i < references.Count; i++)
            if (references[i].Label is { } part && !Lattice.Dominates(c.Policy, c.Label, part))
                return c.HaveTwo(ApprovalAct.CarriesNothing) ? Finding.Permit : Finding.Hold(Refusal.LabelBelow, "below-reference");
        return Finding.Permit;
    }

    // R16: nothing goes out before the time that the header names, nor while nobody can say what time it is.
    public static Finding EmbargoOver(RuleCase c)
    {
        if (!c.IsCopy) return Finding.NotThisAction;
        if (c.Facts.NotBefore is not { } start) return Finding.Permit;
        if (c.Facts.ClockSure != true) return Finding.Hold(Refusal.NotYet, "clock");
        return c.At < start.ToUnixTimeMilliseconds() ? Finding.Hold(Refusal.NotYet, "embargo") : Finding.Permit;
    }

    // R17: how old the directory and the CAs' word about the parties may be is the level's affair. One from the future is as good as none.
    public static Finding Fresh(RuleCase c)
    {
        if (!c.IsDispatch) return Finding.NotThisAction;
        if (c.Level is null) return Finding.NoLevel;
        var (directory, revocation) = (DirectoryFresh(c, c.Level.Handling.Directory), RevocationFresh(c, c.Level.Handling.Revocation));
        return revocation.Outcome < directory.Outcome ? revocation : directory;
    }

    static Finding DirectoryFresh(RuleCase c, PolicyFreshness asked)
    {
        if (c.Facts.DirectoryAsOf is not { } asOf) return Finding.Deny(Refusal.DirectoryLate, "directory-unknown");
        return IsWithin(c, asOf.ToUnixTimeMilliseconds(), asked.MaxMinutes) ? Finding.Permit : Late(asked, Refusal.DirectoryLate, "directory-late");
    }

    // What has ended by the CA's own word is unknown, at every level: "permit" is for what is old, and never for what nobody vouches for any more.
    static Finding RevocationFresh(RuleCase c, PolicyFreshness? asked)
    {
        if (c.Facts.Revocation is { Known: false }) return Finding.Deny(Refusal.RevocationUnknown, "revocation-unknown");
        if (asked is null) return Finding.Permit;
        if (c.Facts.Revocation?.AsOf is not { } asOf) return Finding.Deny(Refusal.RevocationLate, "revocation-unknown");
        return IsWithin(c, asOf, asked.MaxMinutes) ? Finding.Permit : Late(asked, Refusal.RevocationLate, "revocation-late");
    }

    static bool IsWithin(RuleCase c, long asOf, int minutes) => c.At - asOf is var age && age >= 0 && age <= minutes * 60_000L;

    static Finding Late(PolicyFreshness asked, Refusal refusal, string reason) => asked.Late switch
    {
        "permit" => Finding.Permit,
        "hold" => Finding.Hold(refusal, reason),
        _ => Finding.Deny(refusal, reason),
    };

    // R18: the keys that can open the envelope are current keys of its recipients, and the policy's recovery keys, all and no other; the sender's own as the policy says. The manifest names
    // no other than the header (Envelope.Verify). What a lying sender wraps besides, the recipients find and report.
    public static Finding KeysAreTheRecipients(RuleCase c)
    {
        if (!c.IsDispatch) return Finding.NotThisAction;
        var (recipients, policys) = (c.Facts.Recipients, c.Level?.Handling.Recovery ?? []);
        var recovery = 0;
        for (var i = 0; i < recipients.Count; i++)
            if (recipients[i].Role == "recovery")
            {
                if (recipients[i].Key is not { } key || Array.IndexOf(policys, key) < 0) return Finding.Deny(Refusal.RecipientKeys, "recovery");
                recovery++;
            }
        if (c.IsDryRun) return Finding.NotInDryRun;
        if (c.IsNew && !(recovery == policys.Length && AllAmong(recipients, policys))) return Finding.Deny(Refusal.RecipientKeys, "recovery-missing");
        if (c.IsNew && c.Level?.Handling.Self is { } keeps && keeps != HasSelf(recipients)) return Finding.Deny(Refusal.RecipientKeys, keeps ? "self-missing" : "self");
        for (var i = 0; i < recipients.Count; i++)
        {
            if (recipients[i].Key is null) return Finding.Deny(Refusal.RecipientKeys, "key-unknown");
            if (!recipients[i].KeyCurrent) return Finding.Deny(Refusal.RecipientKeys, "key-not-current");
        }
        return Finding.Permit;
    }

    static bool HasSelf(IReadOnlyList<RecipientFacts> recipients)
    {
        for (var i = 0; i < recipients.Count; i++)
            if (recipients[i].Role == "self") return true;
        return false;
    }

    /// <summary>Whether each of the policy's recovery keys has its own recipient; one of them twice does not stand for another.</summary>
    static bool AllAmong(IReadOnlyList<RecipientFacts> recipients, Digest[] recovery)
    {
        foreach (var key in recovery)
        {
            var found = false;
            for (var i = 0; i < recipients.Count && !found; i++) found = recipients[i].Role == "recovery" && recipients[i].Key == key;
            if (!found) return false;
        }
        return true;
    }

    // R19: sizes tell no more than the level's buckets. Subjects and file names of a dispatch are sealed at every level.
    public static Finding SizesFilledUp(RuleCase c)
    {
        if (!c.IsNew) return Finding.NotThisAction;
        if (c.IsDryRun) return Finding.NotInDryRun;
        if (c.Level is null) return Finding.NoLevel;
        if (c.Facts.Sizes is not { } sizes) return Finding.Deny(Refusal.Bucket, "sizes-unknown");
        if (sizes.Manifest % c.Level.ManifestBucket != 0) return Finding.Deny(Refusal.Bucket, "manifest");
        return sizes.Payload % c.Level.PayloadBucket == 0 ? Finding.Permit : Finding.Deny(Refusal.Bucket, "payload");
    }

    // R20: the sender's word list proposes a minimum before sealing. The gateway cannot read what it carries.
    public static Finding AboveFloor(RuleCase c)
    {
        if (c.Doing != Doing.Seal) return Finding.NotThisAction;
        if (c.Level is null) return Finding.NoLevel;
        if (c.Facts.Floor is not { } floor) return Finding.Deny(Refusal.LabelBelow, "floor-unknown");
        if (floor.Class is not { } proposed) return Finding.Permit;
        if (c.Policy.Rank(proposed) < 0) return Finding.Deny(Refusal.LabelBelow, "floor-unknown");
        if (c.Policy.Rank(c.Label!.Class) >= c.Policy.Rank(proposed) || c.HaveTwo(ApprovalAct.BelowFloor)) return Finding.Permit;
        return Finding.Hold(Refusal.LabelBelow, "below-floor");
    }
}
