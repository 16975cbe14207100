using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Xunit;

namespace Exchange.Tests.Evidence;

/// <summary>What the author signed and the documents, once they lie in clear beside the evidence.</summary>
public class ContentEvidenceTests
{
    const string Part = "dispatch.p7s";
    static readonly EvidenceCase Case = EvidenceCase.Shared;
    static readonly byte[] Der = Case.OpenedDispatch();
    static readonly Dispatch Content = Statement.Read(Der, StatementType.Dispatch).As<Dispatch>();
    static readonly EvidenceDocument Document = new(Content.Documents[0].Name, Content.Documents[0].Sha256);

    static Findings Check(byte[] dispatch, params EvidenceDocument[]? documents) => DispatchEvidence.Check(Case.Input with { Dispatch = new(Part, dispatch), Documents = documents });

    static (string Part, string Check, string Code)[] Wrong(Findings findings) =>
        [.. findings.All.Where(f => f.Kind != FindingKind.Good).Select(f => (f.Part, f.Check, f.Code))];

    static byte[] SignedBy(Func<Dispatch, Dispatch> change, params IPrivateKey[] signers) =>
        Statement.Sign(change(Content) with { Signers = [.. signers.Select(s => s.Certificate.Key)] }, signers, TestPki.Now, EssLabel.ToEss(Content.Label)).Der.ToArray();

    [Fact]
    public void Dispatch_and_documents_as_they_were_sent_are_good()
    {
        var findings = Check(Der, Document);
        Assert.Empty(Wrong(findings));
        Assert.Equal(["signature", "named by the header", "agrees with the header", "author of the sender"], findings.All.Where(f => f.Part == Part).Select(f => f.Check));
        Assert.Contains(findings.All, f => f is { Part: "documents/a.txt", Check: "as the author signed it" });
    }

    [Fact]
    public void A_changed_byte_anywhere_in_the_dispatch_is_found()
    {
        for (var i = 0; i < Der.Length; i += Der.Length / 15)
        {
            var changed = Der.ToArray();
            changed[i] ^= 0x20;
            Assert.Contains(Check(changed, Document).All, f => f is { Kind: FindingKind.Bad, Part: Part });
        }
    }

    [Fact]
    public void Another_dispatch_of_the_same_author_is_not_the_one_that_the_header_names()
    {
        var office = TestPki.Shared["G22"];
        Assert.Equal([(Part, "named by the header", Refusal.DispatchMismatch.Code)], Wrong(Check(SignedBy(d => d with { Sheet = d.Sheet with { Subject = "Khác" } }, office.Signatory, office.Sign), Document)));
        // The same words signed once more are not what was sent either.
        Assert.Equal([(Part, "named by the header", Refusal.DispatchMismatch.Code)], Wrong(Check(SignedBy(d => d, office.Signatory, office.Sign), Document)));
    }

    [Fact]
    public void A_document_changed_gone_or_added_is_named()
    {
        const string check = "as the author signed it";
        var other = Digest.Of("khác"u8);
        Assert.Equal([("documents/a.txt", check, Refusal.DocumentDigest.Code)], Wrong(Check(Der, Document with { Sha256 = other })));
        Assert.Equal([("documents/a.txt", "file", FindingCode.Missing)], Wrong(Check(Der, [])));
        Assert.Equal([("documents/b.txt", check, Refusal.DocumentDigest.Code)], Wrong(Check(Der, Document, new("b.txt", other))));
        // Two files that some system takes for one name.
        Assert.Equal([("documents/a.txt", check, Refusal.DocumentDigest.Code)], Wrong(Check(Der, Document, Document with { Sha256 = other })));
    }

    [Fact]
    public void Documents_without_what_the_author_signed_show_nothing()
    {
        Assert.Equal([(Part, "what the author signed", FindingCode.Missing)], Wrong(DispatchEvidence.Check(Case.Input with { Documents = [Document] })));
        Assert.Empty(Wrong(Check(Der, null)));
    }

    [Fact]
    public void Without_the_directory_of_the_sender_the_author_is_not_shown() =>
        Assert.Contains((Part, "author of the sender", FindingCode.Missing), Wrong(DispatchEvidence.Check(Case.Input with { Dispatch = new(Part, Der), Directory = null, Cards = [] })));
}
