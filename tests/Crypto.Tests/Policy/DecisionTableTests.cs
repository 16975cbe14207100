using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

/// <summary>
/// Cases that an officer can read: who asks for what, what is answered, and the code that the sender is told. T1 to T12 are the tricky ones of the specification, the others
/// are named after the rule that decides. Each is judged by both engines and replays.
/// </summary>
public sealed class DecisionTableTests
{
    /// <param name="Facts">Good ones, but for what the words say.</param>
    /// <param name="Code">What the sender is told; "-" when permitted.</param>
    sealed record Row(string Id, string Words, Asked Facts, Verdict Verdict, string Code);

    const Verdict Permit = Verdict.Permit, Hold = Verdict.Hold, Deny = Verdict.Deny;
    static readonly CompiledPolicy Vietnam = Policies.Vietnam;
    static readonly DateTimeOffset Now = Cases.Now;
    static readonly Clearance All = Cases.All, ToMat = Cases.ToMat, Ordinary = Cases.Ordinary, Later = All with { ValidFrom = Ms(Now) + 1 }, Over = All with { ValidTo = Ms(Now) };

    static readonly DecisionFacts Thuong = Level("thuong"), Mat = Level("mat"), Toi = Level("toi-mat"), Tuyet = Level("tuyet-mat");
    static readonly DecisionFacts Raise = Change("mat", "toi-mat"), Lower = Change("mat", "thuong", By(1), By(2)), Ended = Change("mat", "thuong") with { Relabel = Old("mat", "term") with { Old = Of("mat") with { Term = Ms(Now) } } };
    static readonly DecisionFacts Followed = Ended with { Relabel = Old("mat", "succession") with { SuccessionAt = Ms(Now) } };
    static readonly DecisionFacts Read = Mat with { Action = "read", Recipients = [], Reader = ToMat }, Seal = Mat with { Action = "seal", Recipients = [], LabelVerified = false, Floor = new(null) };

    static readonly CompiledPolicy Recovering = Edited(d => d.Handling(1)["recovery"] = new JsonArray(Key(100).ToString()));
    static readonly CompiledPolicy Keeping = Edited(d => d.Handling(1)["self"] = true), NotKeeping = Edited(d => d.Handling(1)["self"] = false);
    static readonly CompiledPolicy RecoveringTwo = CompiledPolicy.Compile(Vietnam.Content with { Levels = [.. Vietnam.Content.Levels.Select(l => l.Code != "mat" ? l : l with { Handling = l.Handling with { Recovery = FactsGen.Strict.Level("toi-mat")!.Handling.Recovery } })] });
    static readonly CompiledPolicy Doubting = Edited(d => { foreach (var rank in new[] { 1, 2, 3 }) d.Handling(rank)["secondOpinion"] = true; });
    static readonly CompiledPolicy Retired = Edited(d => (d.Level(1)["obsolete"], d.TagSet(2)["values"]![0]!["obsolete"]) = (true, true));
    static readonly CompiledPolicy Swapped = Edited(d => (d.Level(0)["class"], d.Level(1)["class"]) = (11, 5));
    static readonly CompiledPolicy Translating = CompiledPolicy.Compile(Vietnam.Content with { Version = 2, Translators = [Key(200)] });

    static readonly CompiledPolicy Unasking = CompiledPolicy.Compile(Vietnam.Content with { Version = 2, Levels = [.. Vietnam.Content.Levels.Select(l => l with { Handling = l.Handling with { Revocation = null } })] });

    static readonly Row[] Table =
    [
        new("T1", "parts for A alone and for B alone, joined, to an office of A", Mat.To(r => r with { Clearance = All }).With(l => Lattice.Join(Vietnam, Of("mat", Policies.Permissive(1)), Of("mat", Policies.Permissive(2))) with { Basis = l.Basis }), Deny, "E_SENDER_NOT_CLEARED"),
        new("T1 apart", "the part for A alone, sent by itself", Toi.Bear(Policies.Permissive(1)), Permit, "-"),
        new("T2", "class 11 stands below class 5, and the office holds 11", (Mat.All(Policies.Clearance([5, 11])).To(r => r with { Clearance = Policies.Clearance([11]) }) with { Label = Swapped.NewLabel("mat", "1") }).Under(Swapped), Deny, "E_NOT_RELEASABLE"),
        new("T3", "Mật for an office that holds Tối mật and not Mật", Mat.To(r => r with { Clearance = Policies.Clearance([30]) }), Deny, "E_NOT_RELEASABLE"),
        new("T4", "one category known and one of an unknown type", Mat.Bear(Policies.Restrictive(1), Policies.Restrictive(2) with { Type = "restrictve" }), Deny, "E_LABEL_FORM"),
        new("T4 tag set", "one category known and one of an unknown tag set", Mat.Bear(new Category { Type = "informative", Tag = "2.25.9", Values = [1] }, Policies.Permissive(2)), Deny, "E_LABEL_CATEGORY"),
        new("T5", "two signers bear labels that differ, so neither is verified", Mat with { LabelVerified = false }, Deny, "E_LABEL_MISMATCH"),
        new("T6", "no label in the signed attributes, whatever stands in the others", Mat with { Label = null, LabelVerified = false }, Deny, "E_LABEL_MISSING"),
        new("T7", "a CA names our policy and no category; the office's certificate holds the field", Toi.To(r => r with { Clearance = Lattice.Intersect(All with { Categories = [] }, All) }).Bear(Policies.Restrictive(1)), Deny, "E_NOT_RELEASABLE"),
        new("T8", "nine cleared offices, and the tenth lost its clearance in the queue", Out(Mat with { Recipients = [.. Enumerable.Range(1, 9).Select(i => Cases.To($"H{i}")), Cases.To("H10") with { Clearance = null }] }), Deny, "E_NOT_RELEASABLE"),
        new("T9", "an answer at Thường to a dispatch at Mật", Thuong.Refer("reply", Of("mat")), Hold, "E_LABEL_BELOW"),
        new("T9 at Mật", "an answer at Mật to it", Mat.Refer("reply", Of("mat")), Permit, "-"),
        new("T9 two say", "an answer at Thường, of which two persons say that it carries nothing over", Thuong.Refer("reply", Of("mat")).Say("carries-nothing", 1, 2), Permit, "-"),
        new("T9 one says", "the same, said twice by one person", Thuong.Refer("reply", Of("mat")).Say("carries-nothing", 1, 1), Hold, "E_LABEL_BELOW"),
        new("T10", "the term is over, and an extension was signed", Ended.Changed(c => c with { Extension = Ms(Now.AddDays(1)) }), Deny, "E_LABEL_TERM"),
        new("T10 clock", "the term is over, and the clock is not sure", Ended with { ClockSure = false }, Deny, "E_LABEL_TERM"),
        new("T10 over", "the term is over", Ended, Permit, "-"),
        new("T11", "an envelope sealed to a key that is no recipient's", Mat.To(r => r with { KeyCurrent = false }), Deny, "E_RECIPIENT_KEYS"),
        new("T12", "an auditor cleared for Mật reads of Tuyệt mật", Read with { Label = Of("tuyet-mat") }, Deny, "E_NOT_RELEASABLE"),
        new("T12 at Mật", "he reads of Mật", Read, Permit, "-"),

        new("R01", "the policy is not in force any more", Thuong.All(All with { ValidTo = Ms(Policies.End) + 1 }).At(Policies.End), Deny, "E_POLICY_UNKNOWN"),
        new("R01 early", "the policy is not in force yet", Thuong.All(All with { ValidFrom = 0 }).At(Policies.Start.AddMilliseconds(-1)), Deny, "E_POLICY_UNKNOWN"),
        new("R01 other", "a label of another policy, before sealing", Seal.With(l => l with { Policy = "2.25.9" }), Deny, "E_POLICY_UNKNOWN"),
        new("R01 first", "the first moment of the policy", Thuong.All(All).At(Policies.Start), Permit, "-"),
        new("R02", "nobody chose a level", Thuong with { Label = null }, Deny, "E_LABEL_MISSING"),
        new("R02 basis", "Mật without an entry of the official list", Mat.With(l => l with { Basis = null }), Deny, "E_LABEL_BASIS"),
        new("R02 ordinary", "Thường without a basis", Thuong, Permit, "-"),
        new("R03", "a caveat that is none", Mat.With(l => l with { Caveats = ["eyes-only"] }), Deny, "E_LABEL_FORM"),
        new("R03 order", "categories out of order", Mat.With(l => l with { Categories = [Policies.Permissive(2), Policies.Informative(1)] }), Deny, "E_LABEL_FORM"),
        new("R03 dry", "a dry run, when nothing is signed yet", Mat with { Action = "dry-run", LabelVerified = false }, Permit, "-"),
        new("R04", "a class between two levels", Mat.With(l => l with { Class = 25 }), Deny, "E_LABEL_CLASS"),
        new("R04 mark", "Mật under the mark of Thường", Mat.With(l => l with { Mark = "KHÔNG MẬT" }), Deny, "E_LABEL_CLASS"),
        new("R04 old", "a level that may not be chosen any more", Mat.Under(Retired), Deny, "E_LABEL_CLASS"),
        new("R04 stands", "a copy goes out at a level that was chosen in time", Out(Mat).Under(Retired), Permit, "-"),
        new("R05", "a restrictive tag set declared informative", Mat.With(l => l with { Categories = [Policies.Restrictive(1) with { Type = "informative" }] }), Deny, "E_LABEL_CATEGORY"),
        new("R05 value", "a value that the tag set does not have", Mat.Bear(Policies.Informative(9)), Deny, "E_LABEL_CATEGORY"),
        new("R05 old", "a value that may not be chosen any more", Thuong.Bear(Policies.Informative(1)).Under(Retired), Deny, "E_LABEL_CATEGORY"),
        new("R05 required", "Mật without the urgency that the policy wants", Mat.Under(Edited(d => d.TagSet(2)["requiredOn"] = new JsonArray(20, 30, 40))), Deny, "E_LABEL_CATEGORY"),
        new("R05 caveat", "Tuyệt mật without its caveats", Tuyet.With(l => l with { Caveats = [] }), Deny, "E_LABEL_CAVEAT"),
        new("R06", "a sender that may not hold Mật", Mat with { SenderClearance = Ordinary }, Deny, "E_SENDER_NOT_CLEARED"),
        new("R06 over", "a sender whose clearance ended this moment", Mat with { SenderClearance = Over }, Deny, "E_SENDER_NOT_CLEARED"),
        new("R06 held", "a sender whose new card is still held", Mat with { SenderHeldUntil = Now.AddMilliseconds(1) }, Deny, "E_CARD_HELD"),
        new("R06 nobody", "Mật that nobody approved", Mat with { Approvals = [] }, Deny, "E_APPROVAL_MISSING"),
        new("R06 clerk", "Mật that a clerk approved", Mat with { Approvals = [Cases.Signatory with { Roles = ["clerk"] }] }, Deny, "E_APPROVAL_MISSING"),
        new("R06 lapsed", "Mật whose approval lapsed a moment ago", Mat with { Approvals = [Cases.Signatory with { NotAfter = Now.AddMilliseconds(-1) }] }, Deny, "E_APPROVAL_MISSING"),
        new("R06 dual", "Tối mật that one person released", Toi with { Approvals = [Cases.Signatory, Release(1), Release(1)] }, Hold, "E_AWAITING_RELEASE"),
        new("R06 two", "Tối mật that two persons released", Toi, Permit, "-"),
        new("R07", "an office without standing", Mat.To(r => r with { Known = false }), Deny, "E_NOT_RELEASABLE"),
        new("R07 below", "an office cleared for Thường", Mat.To(r => r with { Clearance = Ordinary }), Deny, "E_NOT_RELEASABLE"),
        new("R07 early", "an office whose clearance begins in a moment", Mat.To(r => r with { Clearance = Later }), Deny, "E_NOT_RELEASABLE"),
        new("R07 field", "an office that does not hold the field", Toi.To(r => r with { Clearance = Policies.Clearance([30], Policies.Restrictive(1)) }).Bear(Policies.Restrictive(1, 2)), Deny, "E_NOT_RELEASABLE"),
        new("R07 one", "an office in one of the two groups that it is releasable to", Toi.To(r => r with { Clearance = Policies.Clearance([30], Policies.Permissive(2)) }).Bear(Policies.Permissive(1, 2)), Permit, "-"),
        new("R07 role", "an office in a role that there is not", Mat.To(r => r with { Role = "bcc" }), Deny, "E_NOT_RELEASABLE"),
        new("R07 held", "an office whose new card is still held", Mat.To(r => r with { HeldUntil = Now.AddMilliseconds(1) }), Deny, "E_NOT_RELEASABLE"),
        new("R07 own", "the sender's own copy, when he may not hold it himself", Mat with { Recipients = [.. Mat.Recipients, Cases.To("G22", "self") with { Clearance = null }] }, Deny, "E_SENDER_NOT_CLEARED"),
        new("R07 other", "another office's copy called the sender's own", Mat.To(r => r with { Role = "self" }), Deny, "E_NOT_RELEASABLE"),
        new("R08", "an office outside the group that needs to know", Mat.To(r => r with { Groups = ["b"] }) with { NeedToKnow = ["a"] }, Deny, "E_NOT_RELEASABLE"),
        new("R08 nobody", "a group of nobody", Mat with { NeedToKnow = [] }, Deny, "E_NOT_RELEASABLE"),
        new("R08 named", "Tuyệt mật to an office that the approvals do not name", Tuyet with { Named = ["H37"] }, Deny, "E_NOT_RELEASABLE"),
        new("R08 by name", "Tuyệt mật to offices that they name", Tuyet with { Named = ["H37", "H41"] }, Permit, "-"),
        new("R08 many", "Tuyệt mật to an office that is not among the hundred that they name", Tuyet with { Named = [.. Enumerable.Range(100, 100).Select(i => $"H{i}"), "H37"] }, Deny, "E_NOT_RELEASABLE"),
        new("R09", "Mật over a channel that is approved for nothing", Mat.To(r => r with { ChannelCeiling = null }), Deny, "E_NOT_RELEASABLE"),
        new("R09 below", "Mật over a channel approved for Thường", Mat.To(r => r with { ChannelCeiling = Ordinary }), Deny, "E_NOT_RELEASABLE"),
        new("R09 kind", "Mật by mail, which its level does not allow", Mat.To(r => r with { Channel = "mail" }), Deny, "E_NOT_RELEASABLE"),
        new("R09 any", "Thường by mail, approved for nothing in particular", Thuong.To(r => r with { Channel = "mail", ChannelCeiling = null }), Permit, "-"),
        new("R09 field", "Thường of a field by mail, approved for nothing in particular", Thuong.All(All).To(r => r with { Channel = "mail", ChannelCeiling = null }).Bear(Policies.Restrictive(1)), Deny, "E_NOT_RELEASABLE"),
        new("R10", "a gateway whose store is approved for Thường", Mat with { StoreCeiling = Ordinary }, Deny, "E_STORE_CEILING"),
        new("R11", "a forward of what bears no-forward", Forward(Tuyet, Of("tuyet-mat")), Deny, "E_ORIGINATOR_CONTROL"),
        new("R11 control", "a forward of what its originator keeps control of", Forward(Mat, Controlled), Deny, "E_ORIGINATOR_CONTROL"),
        new("R11 released", "the same, released by him to these offices", Forward(Mat, Controlled, "H41", "H37"), Permit, "-"),
        new("R11 some", "the same, released by him to one of them", Forward(Mat, Controlled, "H41"), Deny, "E_ORIGINATOR_CONTROL"),
        new("R11 unknown", "a forward of something that the gateway does not know", Mat.Refer("forward", null) with { Action = "forward" }, Deny, "E_ORIGINATOR_CONTROL"),
        new("R11 own", "a forward of one's own dispatch that bears no-forward", Tuyet with { Action = "forward", References = [new("forward", Key(9), Of("tuyet-mat"), "G22", null)] }, Permit, "-"),
        new("R11 nothing", "a forward that refers to an answer only", Mat.Refer("reply", Of("mat")) with { Action = "forward" }, Deny, "E_ORIGINATOR_CONTROL"),
        new("R12", "an answer, when the gateway cannot say to what", Mat with { References = null }, Deny, "E_LABEL_BELOW"),
        new("R12 field", "a quote of a field that the label leaves out", Mat.Refer("quote", Of("thuong", Policies.Restrictive(1))), Hold, "E_LABEL_BELOW"),
        new("R12 lapsed", "the two persons' word lapsed", (Thuong.Refer("reply", Of("mat")) with { Approvals = [Said(1) with { NotAfter = Now.AddMilliseconds(-1) }, Said(2)] }), Hold, "E_LABEL_BELOW"),
        new("R13", "a clerk raises", Raise.By(By(1, "clerk")), Deny, "E_RELABEL_PERSONS"),
        new("R13 raised", "a signatory raises", Raise, Permit, "-"),
        new("R13 above", "a signatory raises to what he may not hold", Raise.By(By(1, held: ToMat)), Deny, "E_RELABEL_PERSONS"),
        new("R14", "one person lowers", Lower.By(By(1)), Hold, "E_RELABEL_PERSONS"),
        new("R14 twice", "one person lowers, for two offices", Lower.By(By(1), By(1, office: "H41")), Hold, "E_RELABEL_PERSONS"),
        new("R14 two", "two persons lower, one of them of the originating office", Lower.By(By(1), By(2, office: "H41")), Permit, "-"),
        new("R14 others", "two persons lower, neither of the originating office", Lower.By(By(1, office: "H37"), By(2, office: "H41")), Hold, "E_RELABEL_PERSONS"),
        new("R14 below", "two persons lower, one of whom may not read the old label", Lower.By(By(1), By(2, held: Ordinary)), Hold, "E_RELABEL_PERSONS"),
        new("R14 reason", "two persons lower without a reason", Lower.Changed(c => c with { Reason = " " }), Deny, "E_RELABEL_PERSONS"),
        new("R14 origin", "two persons lower, and the new label points at nothing", Lower.Changed(c => c with { Previous = null }), Deny, "E_RELABEL_PERSONS"),
        new("R14 sooner", "one person lets protection end sooner", Change("mat", "mat").With(l => l with { Term = Ms(Now) + 1 }), Hold, "E_RELABEL_PERSONS"),
        new("R15", "a term that is over when the label is chosen", Mat.With(l => l with { Term = Ms(Now) }), Deny, "E_LABEL_TERM"),
        new("R15 law", "a term a moment beyond the law's ten years", Mat.With(l => l with { Term = Ms(Now.AddYears(10)) + 1 }), Deny, "E_LABEL_TERM"),
        new("R15 whole", "a term of the law's ten years", Mat.With(l => l with { Term = Ms(Now.AddYears(10)) }), Permit, "-"),
        new("R15 early", "a succession a moment before its signed time", Followed.At(Now.AddMilliseconds(-1)), Deny, "E_LABEL_TERM"),
        new("R15 now", "a succession at its signed time", Followed, Permit, "-"),
        new("R15 stopped", "a succession with a signed stop on it", Followed.Changed(c => c with { Stopped = true }), Deny, "E_LABEL_TERM"),
        new("R15 part", "the term is over, and the new label is not the lowest", Change("toi-mat", "mat") with { Relabel = Old("toi-mat", "term") with { Old = Of("toi-mat") with { Term = Ms(Now) } } }, Deny, "E_LABEL_TERM"),
        new("R16", "a copy before its embargo is over", Out(Mat) with { NotBefore = Now.AddMilliseconds(1) }, Hold, "E_NOT_YET"),
        new("R16 clock", "a copy after it, by a clock that is not sure", Out(Mat) with { NotBefore = Now.AddDays(-1), ClockSure = false }, Hold, "E_NOT_YET"),
        new("R16 over", "a copy at the moment it is over", Out(Mat) with { NotBefore = Now }, Permit, "-"),
        new("R17", "Mật by a directory of 15 minutes and a moment ago", Mat with { DirectoryAsOf = Now.AddMinutes(-15).AddMilliseconds(-1) }, Hold, "E_DIRECTORY_LATE"),
        new("R17 above", "Tối mật by the same", Toi with { DirectoryAsOf = Now.AddMinutes(-15).AddMilliseconds(-1) }, Deny, "E_DIRECTORY_LATE"),
        new("R17 below", "Thường by the same", Thuong with { DirectoryAsOf = Now.AddMinutes(-15).AddMilliseconds(-1) }, Permit, "-"),
        new("R17 whole", "Mật by a directory of 15 minutes ago", Mat with { DirectoryAsOf = Now.AddMinutes(-15) }, Permit, "-"),
        new("R17 future", "Mật by a directory of tomorrow", Mat with { DirectoryAsOf = Now.AddDays(1) }, Hold, "E_DIRECTORY_LATE"),
        new("R17 lists", "Mật on revocation data of fourteen days and a moment ago", Mat.Said(-20160, -1), Hold, "E_REVOCATION_LATE"),
        new("R17 lists whole", "Mật on revocation data of fourteen days ago", Mat.Said(-20160), Permit, "-"),
        new("R17 lists above", "Tối mật on revocation data of a week and a moment ago", Toi.Said(-10080, -1), Deny, "E_REVOCATION_LATE"),
        new("R17 lists below", "Thường on revocation data of a year ago", Thuong.Said(-527040), Permit, "-"),
        new("R17 lists future", "Mật on revocation data of tomorrow", Mat.Said(1440), Hold, "E_REVOCATION_LATE"),
        new("R17 lists none", "Thường, and nobody asked for revocation data", Thuong with { Revocation = null }, Deny, "E_REVOCATION_LATE"),
        new("R17 lists ended", "Thường on revocation data that have ended", Thuong with { Revocation = new(false, Ms(Now) - 1) }, Deny, "E_REVOCATION_UNKNOWN"),
        new("R17 lists before", "nobody asked, under a policy that does not", (Toi with { Revocation = null }).Under(Unasking), Permit, "-"),
        new("R17 lists ended before", "revocation data have ended, under a policy that does not ask how old they are", (Thuong with { Revocation = new(false, null) }).Under(Unasking), Deny, "E_REVOCATION_UNKNOWN"),
        new("R17 both", "Mật on lists that are late and a directory that is not known", Mat.Said(-20161) with { DirectoryAsOf = null }, Deny, "E_DIRECTORY_LATE"),
        new("R17 both held", "Tối mật on lists that are late by a directory that is late too", Toi.Said(-10081) with { DirectoryAsOf = Now.AddMinutes(-16) }, Deny, "E_DIRECTORY_LATE"),
        new("R18", "a recovery key that the policy does not name", Mat with { Recipients = [.. Mat.Recipients, Cases.To("R", "recovery")] }, Deny, "E_RECIPIENT_KEYS"),
        new("R18 dry", "a dry run with a recovery key that the policy does not name", Mat with { Action = "dry-run", Recipients = [.. Mat.Recipients, Cases.To("R", "recovery")] }, Deny, "E_RECIPIENT_KEYS"),
        new("R18 missing", "an envelope without the policy's recovery key", Mat.Under(Recovering), Deny, "E_RECIPIENT_KEYS"),
        new("R18 there", "an envelope with it", (Mat with { Recipients = [.. Mat.Recipients, Cases.To("R", "recovery") with { Key = Key(100) }] }).Under(Recovering), Permit, "-"),
        new("R18 self", "an envelope sealed to its sender too, where the policy is silent", Mat with { Recipients = [.. Mat.Recipients, Cases.To("G22", "self")] }, Permit, "-"),
        new("R18 self missing", "one that its sender could not open, where the policy wants that", Mat.Under(Keeping), Deny, "E_RECIPIENT_KEYS"),
        new("R18 self there", "one that he can open there", (Mat with { Recipients = [.. Mat.Recipients, Cases.To("G22", "self")] }).Under(Keeping), Permit, "-"),
        new("R18 self barred", "one that he can open, where the policy bars that", (Mat with { Recipients = [.. Mat.Recipients, Cases.To("G22", "self")] }).Under(NotKeeping), Deny, "E_RECIPIENT_KEYS"),
        new("R18 twice", "an envelope with one of two recovery keys, twice", (Mat with { Recipients = [.. Mat.Recipients, .. new[] { "R", "S" }.Select(o => Cases.To(o, "recovery") with { Key = Key(100) })] }).Under(RecoveringTwo), Deny, "E_RECIPIENT_KEYS"),
        new("R18 unknown", "a recipient whose key nobody knows", Mat.To(r => r with { Key = null }), Deny, "E_RECIPIENT_KEYS"),
        new("R19", "a payload that is not filled up", Mat with { Sizes = new(16384, 65535) }, Deny, "E_BUCKET"),
        new("R19 manifest", "a manifest that is not filled up", Mat with { Sizes = new(4096, 65536) }, Deny, "E_BUCKET"),
        new("R20", "a label below what the word list proposes", Seal with { Floor = new(30) }, Hold, "E_LABEL_BELOW"),
        new("R20 asked", "the word list was not asked", Seal with { Floor = null }, Deny, "E_LABEL_BELOW"),
        new("R20 two say", "a label below it, of which two persons say that it is right", (Seal with { Floor = new(30) }).Say("below-floor", 1, 2), Permit, "-"),
        new("R20 equal", "a label as it proposes", Seal with { Floor = new(20) }, Permit, "-"),
        new("R21", "what the earlier policy would deny now", Out(Mat) with { Earlier = new(Key(3), Deny) }, Deny, "E_NOT_RELEASABLE"),
        new("R21 hold", "what the earlier policy would hold now", Out(Mat) with { Earlier = new(Key(3), Hold) }, Hold, "E_AWAITING_RELEASE"),
        new("R21 unknown", "when nobody knows the earlier policy", Out(Mat) with { Earlier = null }, Deny, "E_NOT_RELEASABLE"),
        new("R22", "a second engine that would deny what this one permits", (Mat with { SecondOpinion = Deny }).Under(Doubting), Deny, "E_INTERNAL"),
        new("R22 missing", "a second engine that was not asked", Mat.Under(Doubting), Deny, "E_INTERNAL"),
        new("R22 agrees", "a second engine that agrees", (Mat with { SecondOpinion = Permit }).Under(Doubting), Permit, "-"),
        new("R23", "an auditor without clearance reads of Thường", Read with { Label = Of("thuong"), Reader = null }, Deny, "E_NOT_RELEASABLE"),
        new("R24", "an action that nobody knows", Mat with { Action = "print" }, Deny, "E_INTERNAL"),
        new("R24 nobody", "a dispatch to nobody but the sender", Mat with { Recipients = [Cases.To("G22", "self")] }, Deny, "E_INTERNAL"),
        new("R25", "a label translated by someone whom the policy does not list", (Mat with { Translation = new(Key(199), "2.25.9") }).Under(Translating), Deny, "E_TRANSLATOR"),
        new("R25 listed", "a label translated by someone whom it lists", (Mat with { Translation = new(Key(200), "2.25.9") }).Under(Translating), Permit, "-"),
    ];

    public static TheoryData<string> Ids => [.. Table.Select(r => r.Id)];

    [Theory, MemberData(nameof(Ids))]
    public void Each_case_is_answered_as_the_table_says(string id)
    {
        var (_, words, (facts, policy, now), verdict, code) = Table.Single(r => r.Id == id);
        var decision = facts.Decide(policy, now);
        Assert.True((verdict, code) == (decision.Verdict, decision.ForSender?.Code ?? "-"), $"{words}: {decision.Verdict} {decision.ForSender?.Code} {string.Join(' ', decision.Deciding())}");
        if (id[0] == 'R' && verdict != Permit) Assert.Contains(decision.Trace, t => t.Rule == id[..3] && t.Outcome == verdict);
        Assert.True(Decision.Replay(decision.Record, policy), words);
    }

    [Fact]
    public void The_table_has_every_tricky_case_and_every_rule_at_its_work()
    {
        string[] wanted = [.. Enumerable.Range(1, 12).Select(n => $"T{n}"), .. Evaluation.Rules.Select(r => r.Code)];
        Assert.Empty(wanted.Except(Table.Where(r => r.Verdict != Permit).Select(r => r.Id.Split(' ')[0])));
        Assert.InRange(Table.Count(r => r.Id[0] == 'R'), 40, 200);
    }

    static DecisionFacts Level(string code) => Cases.Thuong() with
    {
        Label = Of(code), Approvals = code == "mat" ? [Cases.Signatory] : code == "thuong" ? [] : [Cases.Signatory, Release(1), Release(2)],
        Recipients = [.. Cases.Thuong().Recipients.Select(r => code is "thuong" or "mat" ? r : r with { Clearance = All, ChannelCeiling = All })],
    };

    static Label Of(string code, params Category[] categories) => Vietnam.NewLabel(code, code == "thuong" ? null : "117.1", categories);
    static Label Controlled => Vietnam.NewLabel("mat", "117.1", caveats: ["originator-control"]);
    static CompiledPolicy Edited(Action<JsonObject> change) => Policies.Compile(Policies.Edit(change));
    static DecisionFacts Out(DecisionFacts facts) => facts with { Action = "release", Earlier = new(Vietnam.Ref, null) };
    static DecisionFacts Forward(DecisionFacts facts, Label original, params string[] released) => facts.With(l => l with { Caveats = original.Caveats }) with { Action = "forward", References = [new("forward", Key(9), original, "H14", released)] };
    static RelabelFacts Old(string code, string cause, params RelabelPerson[] persons) => new(Of(code), Key(7), "G22", cause, persons, "reason", Ms(Now.AddYears(-2)), null, null, false);
    static DecisionFacts Change(string from, string to, params RelabelPerson[] persons) => Level(to) with { Action = "relabel", Recipients = [], Relabel = Old(from, "person", persons.Length > 0 ? persons : [By(1)]) };
    static RelabelPerson By(int person, string role = "signatory", string office = "G22", Clearance? held = null) => new(Key(person), office, [role], held ?? All);
    static ApprovalFacts Release(int person) => new("release", Key(person), ["release-officer"], Now.AddHours(1));
    static ApprovalFacts Said(int person) => new("carries-nothing", Key(person), ["clerk"], Now);
    static Digest Key(int n) => FactsGen.Key(n);
    static long Ms(DateTimeOffset time) => time.ToUnixTimeMilliseconds();
}

/// <summary>Facts, and under which policy and when they are asked about.</summary>
sealed record Asked(DecisionFacts Facts, CompiledPolicy Policy, DateTimeOffset Now)
{
    public static implicit operator Asked(DecisionFacts facts) => new(facts, Policies.Vietnam, Cases.Now);
}

/// <summary>Facts but for one thing, so that a case is one line.</summary>
static class CaseChanges
{
    public static DecisionFacts To(this DecisionFacts f, Func<RecipientFacts, RecipientFacts> change) => f with { Recipients = [change(f.Recipients[0]), .. f.Recipients.Skip(1)] };
    public static DecisionFacts Bear(this DecisionFacts f, params Category[] categories) => f.With(l => l with { Categories = categories });
    public static DecisionFacts Refer(this DecisionFacts f, string relation, Label? to) => f with { References = [new(relation, Digest.Of("earlier"u8), to, "H41", null)] };
    public static DecisionFacts Say(this DecisionFacts f, string act, params int[] persons) => f with { Approvals = [.. f.Approvals, .. persons.Select(p => new ApprovalFacts(act, FactsGen.Key(p), ["clerk"], Cases.Now))] };
    public static DecisionFacts Changed(this DecisionFacts f, Func<RelabelFacts, RelabelFacts> change) => f with { Relabel = change(f.Relabel!) };
    public static DecisionFacts By(this DecisionFacts f, params RelabelPerson[] persons) => f.Changed(c => c with { Persons = persons });

    /// <summary>Every party and place holds this.</summary>
    public static DecisionFacts All(this DecisionFacts f, Clearance all) => f with { SenderClearance = all, StoreCeiling = all, Recipients = [.. f.Recipients.Select(r => r with { Clearance = all, ChannelCeiling = all })] };

    public static Asked Under(this DecisionFacts f, CompiledPolicy policy) => new(f, policy, Cases.Now);

    /// <summary>Asked at another time, by a directory of that time.</summary>
    public static Asked At(this DecisionFacts f, DateTimeOffset time) => new(f with { DirectoryAsOf = time, Revocation = new(true, time.ToUnixTimeMilliseconds()) }, Policies.Vietnam, time);

    /// <summary>The CAs' newest word is from then.</summary>
    public static DecisionFacts Said(this DecisionFacts f, int minutes, int milliseconds = 0) => f with { Revocation = new(true, Cases.Now.AddMinutes(minutes).AddMilliseconds(milliseconds).ToUnixTimeMilliseconds()) };
}
