using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Tests.Evidence;
using Xunit;

namespace Exchange.Tests.Envelope;

/// <summary>What header, approval and status may say: a good one, then one change at a time, each with its one fault and no other.</summary>
public sealed class FormTests
{
    static readonly Header Header = EvidenceCase.Shared.Header;
    static readonly Guid Other = Guid.CreateVersion7(TestPki.Now);
    static readonly Digest Digest = Digest.Of("x"u8);
    static readonly long Now = TestPki.Now.ToUnixTimeMilliseconds();

    static void OneFault<T>(T good, Func<T, IEnumerable<Fault>> faults, Dictionary<string, (Fault Fault, Func<T, T> Change)> cases)
    {
        Assert.Empty(faults(good));
        foreach (var (name, (fault, change)) in cases) Assert.True(faults(change(good)).SequenceEqual([fault]), $"{name}: {string.Join(", ", faults(change(good)))} in place of {fault}");
    }

    static Header With(Header header, string role, Digest? key = null, string? office = null) =>
        header with { Recipients = [.. header.Recipients.Append(new Recipient(office ?? header.Sender, key ?? Digest, role)).Order(Comparer<Recipient>.Create(HeaderRules.Order))] };

    static (Fault, Func<Header, Header>) Wrong(string detail, Func<Header, Header> change) => (new Fault(Refusal.Header, detail), change);

    static Header About(string kind, params Reference[] references) => Header with { Kind = kind, Payload = kind == "recall" ? null : Header.Payload, References = references };

    static readonly Reference Target = new("recall", Other, Digest, 1);

    [Fact]
    public void A_header_says_what_its_rules_allow() => OneFault(Header, HeaderRules.Faults, new()
    {
        ["suite"] = (new Fault(Refusal.Suite, ""), h => h with { Suite = "classic-2" }),
        ["identifier of another version"] = Wrong("id", h => h with { Id = Guid.Parse("0190163d-8694-4b07-9b3a-08a3b8a4e2b1") }),
        ["gateway with a plus"] = Wrong("gateway", h => h with { Gateway = "a+b" }),
        ["gateway without a name"] = Wrong("gateway", h => h with { Gateway = "" }),
        ["sender in small letters"] = Wrong("sender", h => h with { Sender = "g22", Recipients = [.. h.Recipients.Where(r => r.Role != "self")] }),
        ["recipient in small letters"] = Wrong("recipient office", h => With(h, "to", office: "z9")),
        ["unknown role"] = Wrong("role", h => With(h, "zz", office: "Z9")),
        ["recipients in another order"] = Wrong("order of recipients", h => h with { Recipients = [h.Recipients[1], h.Recipients[0], .. h.Recipients[2..]] }),
        ["a copy for oneself of somebody else"] = Wrong("self is not the sender", h => With(h, "self", office: "H41")),
        ["one key for two offices"] = Wrong("one key twice", h => With(h, "to", h.Recipients[0].Key, "Z9")),
        ["nobody addressed"] = Wrong("nobody addressed", h => h with { Recipients = [.. h.Recipients.Select(r => r with { Role = r.Role == "to" ? "cc" : r.Role })] }),
        ["urgency below all"] = Wrong("urgency", h => h with { Urgency = -1 }),
        ["urgency above all"] = Wrong("urgency", h => h with { Urgency = 5 }),
        ["no end"] = Wrong("times", h => h with { Times = h.Times with { Expires = 0 } }),
        ["a beginning before time"] = Wrong("times", h => h with { Times = h.Times with { NotBefore = -1 } }),
        ["an answer before time"] = Wrong("times", h => h with { Times = h.Times with { RespondBy = 0 } }),
        ["an end before the beginning"] = Wrong("expires before notBefore", h => h with { Times = h.Times with { NotBefore = h.Times.Expires } }),
        ["an answer before the beginning"] = Wrong("respondBy before notBefore", h => h with { Times = h.Times with { NotBefore = Now, RespondBy = Now } }),
        ["a reference twice"] = Wrong("references", h => h with { References = [Target with { Relation = "reply" }, Target with { Relation = "reply" }] }),
        ["a reference of another version"] = Wrong("reference", h => h with { References = [Target with { Relation = "reply", Id = Guid.NewGuid() }] }),
        ["a reference below all revisions"] = Wrong("reference", h => h with { References = [Target with { Relation = "reply", Revision = -1 }] }),
        ["a new one that names a target"] = (new Fault(Refusal.Header, "relation"), h => h with { References = [new("other", Other, Digest, 0)] }),
        ["no signature of the dispatch"] = Wrong("dispatch signatures", h => h with { Dispatch = h.Dispatch with { Signatures = [] } }),
        ["a signature of the dispatch twice"] = Wrong("dispatch signatures", h => h with { Dispatch = h.Dispatch with { Signatures = [Digest, Digest] } }),
        ["three signatures of the dispatch"] = Wrong("dispatch signatures", h => h with { Dispatch = h.Dispatch with { Signatures = [Digest, Digest.Of([1]), Digest.Of([2])] } }),
        ["an approval twice"] = Wrong("approvals", h => h with { Approvals = [Digest, Digest] }),
        ["a head of no ledger"] = Wrong("seen", h => h with { Seen = new Seen("a b", 1, Digest) }),
        ["a head below all"] = Wrong("seen", h => h with { Seen = new Seen("a", -1, Digest) }),
        ["no payload"] = Wrong("payload", h => h with { Payload = null }),
        ["a payload below all"] = Wrong("payload", h => h with { Payload = h.Payload! with { Length = -1 } }),
        ["a payload above all"] = Wrong("payload", h => h with { Payload = h.Payload! with { Length = Payload.MaxLength + 1 } }),
    });

    [Fact]
    public void What_is_about_another_envelope_names_exactly_one_earlier_one()
    {
        OneFault(About("recall", Target), HeaderRules.Faults, new()
        {
            ["a payload of a recall"] = Wrong("payload", h => h with { Payload = Header.Payload }),
            ["revision nought"] = Wrong("revision", h => h with { References = [Target with { Revision = 0 }] }),
            ["about itself"] = Wrong("revision", h => h with { References = [Target with { Id = h.Id }] }),
            ["about two"] = Wrong("relation", h => h with { References = [Target, Target with { Ref = Digest.Of([1]) }] }),
            ["about nothing"] = Wrong("relation", h => h with { References = [] }),
            ["a recall that answers"] = Wrong("relation", h => h with { References = [Target, new("reply", Other, Digest, 0)] }),
        });
        foreach (var kind in new[] { "update", "replace" })
            OneFault(About(kind, Target with { Relation = kind }), HeaderRules.Faults, new()
            {
                ["of another kind"] = Wrong("relation", h => h with { References = [.. h.References, Target] }),
                ["no payload"] = Wrong("payload", h => h with { Payload = null }),
            });
    }

    static readonly Approval Approval = new()
    {
        V = 1, Type = "approval", Signers = [Digest], Act = "send", Dispatch = Header.Dispatch.Ref, Label = Header.Label, From = Header.Sender, To = ["H37", "H41", "Z9"], NotAfter = Now,
    };

    static (Fault, Func<Approval, Approval>) Refused(string detail, Func<Approval, Approval> change) => (new Fault(Refusal.Approval, detail), change);

    [Fact]
    public void An_approval_is_of_this_dispatch_label_and_addressees_and_has_not_lapsed() => OneFault(Approval, a => EnvelopeCheck.ApprovalFaults(a, Header, TestPki.Now), new()
    {
        ["another label"] = (new Fault(Refusal.LabelMismatch, "approval"), a => a with { Label = a.Label with { Basis = "1.3" } }),
        ["another dispatch"] = Refused("another dispatch", a => a with { Dispatch = Digest }),
        ["another sender"] = Refused("another sender", a => a with { From = "H14" }),
        ["lapsed"] = Refused("lapsed", a => a with { NotAfter = Now - 1 }),
        ["never"] = Refused("lapsed", a => a with { NotAfter = LabelForm.MaxTime + 1 }),
        ["an office that is none"] = Refused("to", a => a with { To = [.. a.To, "z"] }),
        ["an office twice"] = Refused("to", a => a with { To = [.. a.To, "Z9"] }),
        ["one addressee less"] = Refused("an addressee was not approved", a => a with { To = ["H37", "Z9"] }),
    });

    static readonly HandlingStatus Status = new()
    {
        V = 1, Type = HandlingStatus.TypeName, Signers = [Digest], Sender = Header.Sender, Envelope = Header.Id, Ctx = Digest, ManifestDigest = Digest, Office = "H41", Key = Digest,
        Sequence = 1, Code = HandlingCode.Arrived, Reason = null, Answers = null, Time = Now,
    };

    static readonly HandlingStatus Answer = Status with { Code = HandlingCode.Declined, Reason = "acted-on", Answers = new(Other, Digest, 1) };

    static IEnumerable<Fault> Faults(HandlingStatus status) => Fault.Of(() => HandlingStatusCheck.Check(status));

    static (Fault, Func<HandlingStatus, HandlingStatus>) Bad(string detail, Func<HandlingStatus, HandlingStatus> change) => (new Fault(Refusal.Status, detail), change);

    [Fact]
    public void A_status_has_a_code_of_the_list_and_exactly_its_members()
    {
        OneFault(Status, Faults, new()
        {
            ["sender that is none"] = Bad("envelope", s => s with { Sender = "g" }),
            ["identifier of another version"] = Bad("envelope", s => s with { Envelope = Guid.NewGuid() }),
            ["office that is none"] = Bad("office", s => s with { Office = "" }),
            ["number nought"] = Bad("sequence", s => s with { Sequence = 0 }),
            ["number above all"] = Bad("sequence", s => s with { Sequence = HandlingStatusCheck.MaxSequence + 1 }),
            ["unknown code"] = Bad("code", s => s with { Code = "07" }),
            ["a reason that nobody asks for"] = Bad("reason", s => s with { Reason = "incomplete" }),
            ["a refusal without one"] = Bad("reason", s => s with { Code = HandlingCode.Refused }),
            ["a refusal with that of another code"] = Bad("reason", s => s with { Code = HandlingCode.Refused, Reason = "acted-on" }),
            ["an answer to nothing"] = Bad("answers", s => s with { Code = HandlingCode.Agreed }),
            ["something answered by what is no answer"] = Bad("answers", s => s with { Answers = Answer.Answers }),
            ["no time"] = Bad("time", s => s with { Time = 0 }),
        });
        OneFault(Answer, Faults, new()
        {
            ["revision nought"] = Bad("answers", s => s with { Answers = s.Answers! with { Revision = 0 } }),
            ["identifier of another version"] = Bad("answers", s => s with { Answers = s.Answers! with { Id = Guid.NewGuid() } }),
            ["declined without a reason"] = Bad("reason", s => s with { Reason = null }),
            ["agreed with a reason"] = Bad("reason", s => s with { Code = HandlingCode.Agreed }),
        });
        foreach (var sequence in new[] { 1, HandlingStatusCheck.MaxSequence }) Assert.Empty(Faults(Status with { Sequence = sequence }));
    }
}
