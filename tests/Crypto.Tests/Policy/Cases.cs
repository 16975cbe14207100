using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

/// <summary>Facts of a dispatch that is permitted; each test spoils one of them.</summary>
static class Cases
{
    public static readonly DateTimeOffset Now = Policies.Now;
    public static readonly Clearance All = Policies.Clearance([10, 20, 30, 40], Policies.Permissive(1, 2), Policies.Restrictive(1, 2));
    public static readonly Clearance ToMat = Policies.Clearance([10, 20], Policies.Permissive(2));
    public static readonly Clearance Ordinary = Policies.Clearance([10]);

    public static readonly ApprovalFacts Signatory = new("send", Digest.Of("signatory"u8), ["signatory"], Now.AddHours(1));

    public static RecipientFacts To(string office, string role = "to") => new(office, role, Known: true, KeyCurrent: true, HeldUntil: null, Clearance: ToMat, ChannelCeiling: ToMat)
    {
        Key = Digest.Of(System.Text.Encoding.UTF8.GetBytes(office)), Channel = "mailbox", Groups = ["a"],
    };

    public static DecisionFacts Thuong(params RecipientFacts[] recipients) => new()
    {
        Action = "submit",
        Label = Policies.Vietnam.NewLabel("thuong"),
        LabelVerified = true,
        Sender = "G22",
        SenderClearance = All,
        SenderHeldUntil = null,
        Recipients = recipients.Length > 0 ? recipients : [To("H41"), To("H37", "cc")],
        Approvals = [],
        Directory = Digest.Of("directory"u8),
        Standing = Digest.Of("standing"u8),
        SenderPolicy = Policies.Vietnam.Ref,
        ClockSure = true, DirectoryAsOf = Now.AddMinutes(-1), Revocation = new(true, Now.AddMinutes(-1).ToUnixTimeMilliseconds()), StoreCeiling = All, Sizes = new(16384, 65536), References = [], Named = [.. Enumerable.Range(0, 100).Select(i => $"H{i:00}"), .. Enumerable.Range(0, 10).Select(i => $"H{i}")],
        Earlier = new(Policies.Vietnam.Ref, null),
    };

    public static DecisionFacts Mat(params RecipientFacts[] recipients) => Thuong(recipients) with
    {
        Label = Policies.Vietnam.NewLabel("mat", "117.2025.1"),
        Approvals = [Signatory],
    };

    /// <summary>As the engine decides, with trace and without, once the second engine has said the same of the whole, of each recipient and of every rule.</summary>
    public static Decision Decide(this DecisionFacts facts, CompiledPolicy? policy = null, DateTimeOffset? now = null)
    {
        var (under, at) = (policy ?? Policies.Vietnam, now ?? Now);
        var asked = facts.Earlier is { Verdict: null } ? facts with { Earlier = new(under.Ref, null) } : facts;
        var decision = Decision.Decide(asked, under, at);
        Assert.Equal(decision.Verdict, Decision.VerdictOf(asked, under, at));
        if (decision.Faults.Count == 0) Agree(ReferenceDecision.Judge(asked, under, at), decision);
        return decision;
    }

    public static void Agree(Judgement second, Decision decision)
    {
        Assert.Equal(second.Rules, decision.Trace.Select(t => $"{t.Rule} {t.Outcome}"));
        Assert.Equal(second.PerRecipient, decision.PerRecipient);
        Assert.Equal(second.Verdict, decision.Verdict);
    }

    public static DecisionFacts With(this DecisionFacts facts, Func<Label, Label> change) => facts with { Label = change(facts.Label!) };

    /// <summary>Rules that did not permit, with their reasons: "R07:class".</summary>
    public static string[] Deciding(this Decision decision) =>
        [.. decision.Trace.Where(t => t.Outcome != Verdict.Permit).Select(t => $"{t.Rule}:{t.Reason}").Distinct()];
}
