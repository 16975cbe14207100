using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Evidence;

/// <summary>What the author signed and the documents themselves, where the evidence came with them: they are what the header speaks of, and nothing else lies beside them.</summary>
sealed class ContentEvidence(Header header, Findings findings)
{
    /// <param name="context">At the time of the submission; null: directory, anchors or time are not usable.</param>
    /// <param name="level">Of the label; null: the policy that decided is not here.</param>
    /// <returns>Who signed it; none: it is not here, or not the one that the header names.</returns>
    public IReadOnlyList<Certificate> Check(EvidencePart? part, IReadOnlyList<EvidenceDocument>? documents, EnvelopeContext? context, PolicyLevel? level)
    {
        const string file = "dispatch.p7s";
        if (part is null)
        {
            // Sealed as a rule; only with documents in clear it is asked for.
            if (documents is not null) findings.Incomplete(file, "what the author signed", FindingCode.Missing);
            return [];
        }
        if (findings.Try(part.Name, "signature", () => Statement.Read(part.Bytes, StatementType.Dispatch)) is not { } dispatch) return [];
        var named = dispatch.Ref == header.Dispatch.Ref && dispatch.SignatureDigests.SequenceEqual(header.Dispatch.Signatures);
        if (!findings.Judge(named, part.Name, "named by the header", Refusal.DispatchMismatch)) return [];
        var content = dispatch.As<Dispatch>();
        findings.Try(part.Name, "agrees with the header", () => Envelope.DispatchRules.CheckSigned(dispatch, content, header));
        CheckAuthors(part.Name, dispatch, context, level);
        if (documents is not null) CheckDocuments(content, documents);
        return dispatch.Signers;
    }

    void CheckAuthors(string part, Statement dispatch, EnvelopeContext? context, PolicyLevel? level)
    {
        const string check = "author of the sender";
        if (context?.Directory.Find(header.Sender) is not { } sender) findings.Incomplete(part, check, FindingCode.Missing, "needs anchors, directory and the time of submission");
        else if (context.Directory.Ref != header.Directory) findings.Incomplete(part, check, FindingCode.Missing, "the directory here is not the one that the sender used");
        else findings.Try(part, check, () => DispatchAuthors.Check(dispatch, sender, context, TimeStampCheck.OfDispatch(dispatch, context.Trust), level?.AuthorRoles, level?.Authors.Contains("office") ?? false));
    }

    void CheckDocuments(Dispatch content, IReadOnlyList<EvidenceDocument> documents)
    {
        const string check = "as the author signed it";
        foreach (var signed in content.Documents)
        {
            var held = documents.Where(d => d.Name == signed.Name).ToList();
            var part = "documents/" + signed.Name;
            if (held.Count == 0) findings.Incomplete(part, "file", FindingCode.Missing);
            else findings.Judge(held.All(d => d.Sha256 == signed.Sha256), part, check, Refusal.DocumentDigest);
        }
        foreach (var other in documents.Where(d => content.Documents.All(signed => signed.Name != d.Name)))
            findings.Bad("documents/" + other.Name, check, Refusal.DocumentDigest, "the author signed no document of this name");
    }
}
