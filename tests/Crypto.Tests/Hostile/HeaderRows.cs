using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Tests.Envelope;
using static Exchange.Tests.Hostile.Read;

namespace Exchange.Tests.Hostile;

/// <summary>Values that a header may not have, signed by the sending office itself; labels that do not agree; approvals that are not of this dispatch.</summary>
static class HeaderRows
{
    static readonly Guid Other = Guid.Parse("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");

    static Row Says(string name, Refusal code, Func<Header, Header> change) =>
        new("header: " + name, code, () => Outside(new Forge { Header = change, HeaderEss = _ => EssLabel.ToEss(Forge.Thuong) }));
    static Row Says(string name, Func<Header, Header> change) => Says(name, Refusal.Header, change);
    // The attribute cannot follow: there is none for such a label.
    static Row Label(string name, Func<Label, Label> change) => new($"label: {name}", Refusal.LabelForm, () => Outside(new Forge
    {
        HeaderJson = j => StrictJson.Read(j, StatementJson.Default.Header) is var h ? StrictJson.Write(h with { Label = change(h.Label) }, StatementJson.Default.Header) : j,
    }));
    static Row Approved(string name, Refusal code, Func<Approval, Approval> change) => new("approval: " + name, code, () => Outside(new Forge { Approvers = [G22.Signatory], Approval = change }));

    public static readonly Row[] All =
    [
        Says("another suite", Refusal.Suite, h => h with { Suite = "hybrid-1" }),
        Says("another kind", Refusal.Kind, h => h with { Kind = "forward" }),
        Says("recall with documents", h => h with { Kind = "recall", References = [new Reference("recall", Other, Digest.Of([1]), 1)] }),
        Says("recall of nothing", h => h with { Kind = "recall", Payload = null }),
        Says("recall of two", h => h with { Kind = "recall", Payload = null, References = [new Reference("recall", Other, Digest.Of([1]), 1), new Reference("recall", Other, Digest.Of([2]), 1)] }),
        Says("recall that replies", h => h with { Kind = "recall", Payload = null, References = [new Reference("recall", Other, Digest.Of([1]), 1), new Reference("reply", Other, Digest.Of([2]), 0)] }),
        Says("recall of itself", h => h with { Kind = "recall", Payload = null, References = [new Reference("recall", h.Id, Digest.Of([1]), 1)] }),
        Says("recall without revision", h => h with { Kind = "recall", Payload = null, References = [new Reference("recall", Other, Digest.Of([1]), 0)] }),
        Says("update that recalls", h => h with { Kind = "update", References = [new Reference("recall", Other, Digest.Of([1]), 1)] }),
        Says("replacement of nothing", h => h with { Kind = "replace" }),
        Says("id of another version", h => h with { Id = new Guid("0192f7d2-0000-4000-8000-000000000000") }),
        Says("id of another variant", h => h with { Id = new Guid("0192f7d2-0000-7000-c000-000000000000") }),
        Says("no gateway", h => h with { Gateway = "" }),
        Says("gateway with a space", h => h with { Gateway = "a b" }),
        Says("gateway with a NUL", h => h with { Gateway = "a\0b" }),
        Says("gateway that shows from right to left", h => h with { Gateway = "a\u202Eb" }),
        Says("gateway of 201 characters", h => h with { Gateway = new string('a', 201) }),
        Says("office code in small letters", h => h with { Sender = "g22" }),
        Says("office code that is a path", h => h with { Sender = "../G22" }),
        Says("office code of 51 characters", h => h with { Sender = new string('A', 51) }),
        Says("office code with a Cyrillic letter", h => h with { Sender = "Н41" }),
        Says("no recipients", h => h with { Recipients = [] }),
        Says("1001 recipients", h => h with { Recipients = [.. Enumerable.Range(0, 1001).Select(i => new Recipient($"A{i:0000}", Digest.Of([(byte)i, (byte)(i >> 8)]), "to"))] }),
        Says("recipients in another order", h => h with { Recipients = [.. h.Recipients.Reverse()] }),
        Says("one key twice", h => h with { Recipients = [h.Recipients[0], h.Recipients[1] with { Key = h.Recipients[0].Key }] }),
        Says("one office and role twice", h => h with { Recipients = [h.Recipients[0], h.Recipients[0] with { Key = h.Recipients[1].Key }] }),
        Says("unknown role", h => h with { Recipients = [h.Recipients[0] with { Role = "bcc" }, h.Recipients[1]] }),
        Says("self of another", h => h with { Recipients = [h.Recipients[0] with { Role = "self" }, h.Recipients[1]] }),
        Says("nobody addressed", h => h with { Recipients = [.. h.Recipients.Select(r => r with { Role = "cc" })] }),
        Says("urgency below 0", h => h with { Urgency = -1 }),
        Says("urgency above 4", h => h with { Urgency = 5 }),
        Says("expires before it begins", h => h with { Times = new Times(h.Times.Expires, h.Times.Expires, null) }),
        Says("respond before it begins", h => h with { Times = new Times(5, h.Times.Expires, 5) }),
        Says("time 0", h => h with { Times = h.Times with { Expires = 0 } }),
        Says("time after 9999", h => h with { Times = h.Times with { Expires = 253402300800000 } }),
        Says("relation of another kind", h => h with { References = [new Reference("recall", h.Id, Digest.Of([1]), 1)] }),
        Says("one reference twice", h => h with { References = [new Reference("reply", h.Id, Digest.Of([1]), 1), new Reference("reply", h.Id, Digest.Of([1]), 1)] }),
        Says("65 references", h => h with { References = [.. Enumerable.Range(0, 65).Select(i => new Reference("reply", Other, Digest.Of([(byte)i]), 1))] }),
        Says("negative revision", h => h with { References = [new Reference("reply", h.Id, Digest.Of([1]), -1)] }),
        Says("no dispatch signature", h => h with { Dispatch = h.Dispatch with { Signatures = [] } }),
        Says("three dispatch signatures", h => h with { Dispatch = h.Dispatch with { Signatures = [Digest.Of([1]), Digest.Of([2]), Digest.Of([3])] } }),
        Says("one approval twice", h => h with { Approvals = [Digest.Of([1]), Digest.Of([1])] }),
        Says("17 approvals", h => h with { Approvals = [.. Enumerable.Range(0, 17).Select(i => Digest.Of([(byte)i]))] }),
        Says("seen nothing", h => h with { Seen = new Seen("", 1, Digest.Of([1])) }),
        Says("seen less than nothing", h => h with { Seen = new Seen("a", -1, Digest.Of([1])) }),
        Says("no payload", h => h with { Payload = null }),
        Says("payload too long", h => h with { Payload = h.Payload! with { Length = (1L << 40) + 1 } }),
        Says("negative payload", h => h with { Payload = h.Payload! with { Length = -1 } }),
        Says("type in words", Refusal.StatementType, h => h with { Type = "approval" }),
        Says("version 2", Refusal.StatementType, h => h with { V = 2 }),
        Says("another signer", Refusal.StatementSigners, h => h with { Signers = [Digest.Of([1])] }),
        Says("no signer", Refusal.StatementSigners, h => h with { Signers = [] }),
        Says("its signer twice", Refusal.StatementSigners, h => h with { Signers = [h.Signers[0], h.Signers[0]] }),

        Label("without a policy", l => l with { Policy = "" }),
        Label("whose policy has a second spelling", l => l with { Policy = "2.025.1" }),
        Label("of class 257", l => l with { Class = 257 }),
        Label("of class -1", l => l with { Class = -1 }),
        Label("without a mark", l => l with { Mark = "" }),
        Label("with a mark of 129 characters", l => l with { Mark = new string('M', 129) }),
        Label("with a NUL in its mark", l => l with { Mark = "M\0T" }),
        Label("with a line end in its mark", l => l with { Mark = "MẬT\n" }),
        Label("with a category that is not one", l => l with { Categories = [new() { Type = "optional", Tag = "2.25.1", Values = [1] }] }),
        Label("with a category without values", l => l with { Categories = [new() { Type = "restrictive", Tag = "2.25.1", Values = [] }] }),
        Label("with a value of 65536", l => l with { Categories = [new() { Type = "restrictive", Tag = "2.25.1", Values = [65536] }] }),
        Label("with one value twice", l => l with { Categories = [new() { Type = "restrictive", Tag = "2.25.1", Values = [1, 1] }] }),
        Label("with 65 categories", l => l with { Categories = [.. Enumerable.Range(1000, 65).Select(i => new Category { Type = "restrictive", Tag = $"2.25.{i}", Values = [1] })] }),
        Label("with an unknown caveat", l => l with { Caveats = ["eyes-only"] }),
        Label("with a term after 9999", l => l with { Term = 253402300800000 }),
        new("label: another one in the attribute than in the header", Refusal.LabelForm, () => Outside(new Forge { HeaderEss = _ => EssLabel.ToEss(Forge.Mat) })),
        new("label: a lower one in the header than in the attribute", Refusal.LabelForm, () => Outside(new Forge { Header = h => h with { Label = Forge.Thuong }, Dispatch = d => d with { Label = Forge.Mat }, HeaderEss = _ => EssLabel.ToEss(Forge.Mat) })),
        new("label: another one in an approval", Refusal.LabelMismatch, () => Outside(new Forge { Approvers = [G22.Signatory], Approval = a => a with { Label = Forge.Mat } })),
        new("label: the attribute in another order", Refusal.LabelForm, () => Outside(new Forge { HeaderEss = e => [.. e[..2], .. e[5..], .. e[2..5]] })),

        Approved("of forwarding", Refusal.Approval, a => a with { Act = "forward" }),
        Approved("of another dispatch", Refusal.Approval, a => a with { Dispatch = Digest.Of([1]) }),
        Approved("of another office", Refusal.Approval, a => a with { From = "H14" }),
        Approved("for fewer addressees", Refusal.Approval, a => a with { To = ["H41"] }),
        Approved("that has lapsed", Refusal.Approval, a => a with { NotAfter = TestPki.Now.ToUnixTimeMilliseconds() - 1 }),
        Approved("that lapses before all time", Refusal.Approval, a => a with { NotAfter = -StrictJson.MaxInteger }),
        new("approval: by a person of another office", Refusal.Approval, () => Outside(new Forge { Approvers = [Pki["H41"].Signatory] })),
        new("approval: by the office itself", Refusal.Approval, () => Outside(new Forge { Approvers = [G22.Sign] })),
        new("approval: by one person twice", Refusal.Approval, () =>
        {
            var nth = 0;
            return Outside(new Forge { Approvers = [G22.Signatory, G22.Signatory], Approval = a => a with { NotAfter = a.NotAfter + nth++ } });
        }),
        new("approval: left out", Refusal.Approval, () => Outside(Two() with { Approvals = [] })),
        new("approval: one of two left out", Refusal.Approval, () => Outside(Two() is var p ? p with { Approvals = [p.Approvals[0]] } : null!)),
        new("approval: exchanged", Refusal.Approval, () => Outside(Two() is var p ? p with { Approvals = [p.Approvals[1], p.Approvals[0]] } : null!)),
        new("approval: one too many", Refusal.Approval, () => Outside(Two() is var p ? p with { Approvals = [.. p.Approvals, p.Approvals[0]] } : null!)),
        new("approval: 17 of them", Refusal.Size, () => Outside(Two() is var p ? p with { Approvals = [.. Enumerable.Repeat(p.Approvals[0], 17)] } : null!)),
    ];

    static Crypto.Envelope.EnvelopeParts Two()
    {
        var (parts, _) = new Forge { Approvers = [G22.Signatory, G22.Clerk] }.Make();
        Crypto.Envelope.Envelope.Verify(parts, Forge.Context);
        return parts;
    }
}
