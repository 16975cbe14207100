using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;

namespace Exchange.Tests.Policy;

/// <summary>Random questions of every action: good ones, in which up to three facts are spoilt.</summary>
static class FactsGen
{
    /// <summary>The policy that ships, with what it leaves out: recovery keys, a word about the sender's own key, a second opinion, a translator.</summary>
    public static readonly CompiledPolicy Strict = CompiledPolicy.Compile(Policies.Vietnam.Content with
    {
        Version = 2, Translators = [Key(200)],
        Levels = [.. Policies.Vietnam.Content.Levels.Select((l, rank) => l with
        {
            Handling = l.Handling with { SecondOpinion = rank > 1, Self = rank == 1 ? true : rank == 3 ? false : null, Revocation = new PolicyFreshness?[] { null, new(15, "hold"), new(15, "deny"), new(14, "deny") }[rank], Recovery = rank == 2 ? [.. new[] { Key(100), Key(101) }.OrderBy(k => k.ToString(), StringComparer.Ordinal)] : [] },
        })],
    });

    public static readonly string[] Actions = ["submit", "submit", "forward", "dry-run", "release", "retry", "download", "seal", "relabel", "relabel", "relabel", "read"];
    static readonly DateTimeOffset Now = Cases.Now;
    static readonly long Then = Now.AddYears(-9).ToUnixTimeMilliseconds();

    public static readonly Gen<(CompiledPolicy Policy, DecisionFacts Facts)> Any = Gen.Select(PolicyGen.Label, PolicyGen.Label, Gen.Int[0, 1 << 30], Gen.Int[0, 3]).Select((label, other, seed, spoilt) =>
    {
        var draw = new Random(seed);
        var policy = draw.Next(3) == 0 ? Strict : Policies.Vietnam;
        var facts = Good(Actions[draw.Next(Actions.Length)], Fit(label, policy), other, policy, draw);
        for (var i = 0; i < spoilt; i++) facts = Spoil(facts, other, policy, draw);
        return (policy, facts);
    });

    public static Digest Key(int n) => Digest.Of([(byte)n]);

    static Label Fit(Label label, CompiledPolicy policy) => label with { Basis = "1", Caveats = [.. label.Caveats.Union(policy.Level(label.Class)!.Handling.Caveats).Order(StringComparer.Ordinal)] };

    static DecisionFacts Good(string action, Label label, Label other, CompiledPolicy policy, Random draw)
    {
        var wide = Cases.All with { Classes = Cases.All.Classes[..draw.Next(2, 5)] };
        var level = policy.Level(label.Class)!;
        ApprovalFacts Release(int person) => new("release", Key(person), ["release-officer"], Now.AddMinutes(1));
        RecipientFacts[] to = [.. Enumerable.Range(0, draw.Next(1, 4)).Select(i => Cases.To($"H{i}", i == 2 ? "cc" : "to") with { Clearance = draw.Next(3) == 0 ? wide : Cases.All, ChannelCeiling = Cases.All })];
        RecipientFacts[] recovery = action is not ("submit" or "forward" or "dry-run") ? []
            : [.. level.Handling.Recovery.Select((k, i) => Cases.To($"R{i}", "recovery") with { Key = k, Clearance = Cases.All, ChannelCeiling = Cases.All })];
        RecipientFacts[] self = action is "submit" or "forward" or "dry-run" && level.Handling.Self == true ? [Cases.To("G22", "self") with { Clearance = Cases.All, ChannelCeiling = Cases.All }] : [];
        return Cases.Thuong() with
        {
            Action = action, Label = label, Earlier = new(policy.Ref, null),
            Approvals = [Cases.Signatory, Release(1), Release(draw.Next(4) == 0 ? 1 : 2)],
            Recipients = action is "seal" or "relabel" or "read" ? [] : [.. to, .. recovery, .. self],
            References = action == "forward" ? [new("forward", Key(9), Lower(label, policy), "H99", null)] : [],
            Reader = wide, Floor = new(new int?[] { null, 10, 20, 30 }[draw.Next(4)]), SecondOpinion = draw.Next(5) == 0 ? Verdict.Hold : Verdict.Permit,
            Relabel = action == "relabel" ? Change(other, draw) : null,
        };
    }

    static Label Lower(Label label, CompiledPolicy policy) => Lattice.Meet(policy, label with { Caveats = [] }, label);

    static RelabelFacts Change(Label old, Random draw)
    {
        RelabelPerson By(int person) => new(Key(person), draw.Next(2) == 0 ? "G22" : "H41", [draw.Next(4) == 0 ? "clerk" : "signatory"], draw.Next(5) == 0 ? Cases.ToMat : Cases.All);
        var end = Now.AddHours(draw.Next(-2, 3)).ToUnixTimeMilliseconds();
        return new(old with { Term = draw.Next(3) == 0 ? end : null }, draw.Next(9) == 0 ? null : Key(7), "G22", draw.Next(3) switch { 0 => "term", 1 => "succession", _ => "person" },
            [.. Enumerable.Range(0, draw.Next(0, 4)).Select(i => By(draw.Next(3)))], draw.Next(9) == 0 ? null : "reason",
            draw.Next(3) == 0 ? Now.AddYears(-10).AddMilliseconds(draw.Next(-1, 2)).ToUnixTimeMilliseconds() : Then,
            draw.Next(3) == 0 ? end + draw.Next(-1, 2) : null, draw.Next(3) == 0 ? null : end, draw.Next(9) == 0);
    }

    /// <summary>One fact is another: missing, too small, at its very edge, or somebody else's.</summary>
    public static DecisionFacts Spoil(DecisionFacts f, Label other, CompiledPolicy policy, Random draw)
    {
        var n = draw.Next(-1, 2);
        DateTimeOffset Edge() => Now.AddMilliseconds(n);
        DecisionFacts L(Func<Label, Label> change) => f.Label is null ? f : f with { Label = change(f.Label) };
        DecisionFacts To(Func<RecipientFacts, RecipientFacts> change) => f with { Recipients = [.. f.Recipients.Select((r, i) => i == 0 ? change(r) : r)] };
        var less = new[] { null, Cases.Ordinary, Cases.ToMat, Cases.All with { Policy = "2.25.9" }, Cases.All with { ValidTo = Edge().ToUnixTimeMilliseconds() }, Cases.All with { ValidFrom = Edge().ToUnixTimeMilliseconds() },
            Policies.Clearance([30]), Cases.All with { Categories = [] } }[draw.Next(8)];
        return draw.Next(47) switch
        {
            0 => f with { Label = null }, 1 => L(l => l with { Basis = null }), 2 => f with { LabelVerified = false }, 3 => L(l => l with { Mark = "MẬT" }), 4 => L(l => l with { Class = 25 }),
            5 => L(l => l with { Policy = "2.25.9" }), 6 => L(l => l with { Caveats = [] }), 7 => L(l => l with { Caveats = ["named-only", "originator-control"] }), 8 => L(l => l with { Caveats = ["x"] }),
            9 => L(l => l with { Categories = [Policies.Permissive()] }), 10 => L(l => l with { Categories = [Policies.Restrictive(3)] }), 11 => L(l => l with { Categories = [Policies.Restrictive(1) with { Type = "informative" }] }),
            12 => L(l => l with { Term = Edge().ToUnixTimeMilliseconds() }), 13 => L(l => l with { Term = Now.AddYears(10).AddMilliseconds(n).ToUnixTimeMilliseconds() }),
            14 => f with { SenderClearance = less }, 15 => f with { SenderHeldUntil = Edge() }, 16 => f with { Approvals = [] }, 17 => f with { Approvals = [.. f.Approvals.Select(a => a with { NotAfter = Edge() })] },
            18 => f with { Approvals = [.. f.Approvals, new("carries-nothing", Key(1), ["clerk"], Now), new("carries-nothing", Key(draw.Next(1, 3)), ["clerk"], Edge())] },
            19 => f with { Approvals = [.. f.Approvals, new("below-floor", Key(1), ["clerk"], Now), new("below-floor", Key(draw.Next(1, 3)), ["clerk"], Edge())] },
            20 => f with { Approvals = [.. f.Approvals.Select(a => a with { Roles = ["clerk"] })] }, 21 => To(r => r with { Role = new[] { "self", "recovery", "bcc", "cc" }[draw.Next(4)] }),
            22 => To(r => r with { Office = f.Sender, Role = "self" }), 23 => To(r => r with { Known = false }), 24 => To(r => r with { Clearance = less }), 25 => To(r => r with { ChannelCeiling = less }),
            26 => To(r => r with { Channel = new[] { null, "mail", "folder", "https", "gateway" }[draw.Next(5)] }), 27 => To(r => r with { HeldUntil = Edge() }), 28 => To(r => r with { KeyCurrent = false }),
            29 => To(r => r with { Key = draw.Next(2) == 0 ? null : Key(100), Groups = draw.Next(2) == 0 ? null : ["b"] }),
            30 => f with { NeedToKnow = new string[][] { [], ["a"], ["b", "a"] }[draw.Next(3)] }, 31 => f with { Named = draw.Next(2) == 0 ? null : ["H0", "H1"] }, 32 => f with { StoreCeiling = less },
            33 => f with { References = new IReadOnlyList<ReferenceFacts>?[] { null, [], [new("reply", Key(9), other, "H0", null)], [new("forward", Key(9), other, draw.Next(2) == 0 ? "G22" : "H5", null)],
                [new("forward", Key(9), other with { Class = 10, Mark = "KHÔNG MẬT", Categories = [], Caveats = ["originator-control"] }, "H0", draw.Next(2) == 0 ? null : ["H1", "H2"])], [new("forward", Key(9), null, null, null)],
                [new("quote", Key(9), other with { Policy = "2.25.9" }, "H0", null)] }[draw.Next(7)] },
            34 => f with { DirectoryAsOf = draw.Next(3) == 0 ? null : Now.AddMinutes(draw.Next(2) == 0 ? -15 : 0).AddMilliseconds(n) }, 35 => f with { NotBefore = Edge() },
            36 => f with { ClockSure = draw.Next(2) == 0 ? null : false }, 37 => f with { Sizes = new[] { null, new SizeFacts(4096, 4096), new(16384, 65535), new(16385, 65536), new(0, 0) }[draw.Next(5)] },
            38 => f with { Earlier = draw.Next(4) switch { 0 => null, 1 => new(Key(3), null), 2 => new(Key(3), Verdict.Hold), _ => new(Key(3), (Verdict)draw.Next(3)) } },
            39 => f with { SecondOpinion = draw.Next(4) == 0 ? null : (Verdict)draw.Next(3) }, 40 => f with { Reader = less }, 41 => f with { Relabel = draw.Next(2) == 0 ? null : Change(f.Label ?? other, draw) },
            42 => f with { Floor = draw.Next(3) == 0 ? null : new(new[] { 20, 30, 40, 99 }[draw.Next(4)]) }, 43 => f with { Translation = new(Key(draw.Next(199, 201)), "2.25.9") },
            44 => f with { Recipients = [] }, 45 => f with { Revocation = draw.Next(6) switch { 0 => null, 1 => new(false, Now.ToUnixTimeMilliseconds()), 2 => new(true, null), _ => new(true, Now.AddMinutes(-new[] { 0, 14, 15, 10080, 20160, 43200 }[draw.Next(6)]).ToUnixTimeMilliseconds() + n) } }, _ => f with { Action = draw.Next(2) == 0 ? "print" : Actions[draw.Next(Actions.Length)] },
        };
    }
}
