using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Evidence;

/// <summary>What receiving offices said about their copies: each statement by itself, what the gateway recorded of it, and that none is missing in between.</summary>
sealed class StatusEvidence(Statement header, Header content, Findings findings)
{
    readonly List<StatusFact> statuses = [];
    readonly List<RecallFact> recalls = [];

    sealed record Said(string Part, Digest Ref, HandlingStatus Status);

    /// <summary>Those that could be read.</summary>
    public IReadOnlyList<StatusFact> Statuses => statuses;
    public IReadOnlyList<RecallFact> Recalls => recalls;

    /// <param name="refused">What is found where a signer is not known or not good.</param>
    public void Check(DispatchEvidenceInput input, IReadOnlyList<ReceiptPart> receipts, OfficeDirectory? directory, CertificateCheck? trust, Action<string, string, RefusedException> refused)
    {
        List<Said> said = [.. input.Statuses.Select(p => Read(p, directory, trust, refused)).OfType<Said>()];
        foreach (var receipt in receipts.Where(r => r.Records is not null)) CheckRecorded(receipt, said);
        foreach (var one in said.Where(s => !receipts.Any(r => r.Records == s.Ref))) findings.Incomplete(one.Part, "recorded by the gateway", FindingCode.Missing);
        CheckAnswers(said, [.. input.Recalls.Select(p => ReadRecall(p, directory, trust, refused)).OfType<AnsweredEnvelope>()]);
        foreach (var copy in said.GroupBy(s => s.Status.Office)) CheckOrder($"copy {copy.Key}", [.. copy.OrderBy(s => s.Status.Sequence)]);
    }

    Said? Read(EvidencePart part, OfficeDirectory? directory, CertificateCheck? trust, Action<string, string, RefusedException> refused)
    {
        Said? said = null;
        Statement? statement = null;
        if (!findings.Try(part.Name, "signature", () =>
        {
            (statement, var status) = HandlingStatusCheck.Read(part.Bytes);
            said = new(part.Name, statement.Ref, status);
        })) return null;
        statuses.Add(new(part.Name, said!.Status, statement!.Signers[0]));
        findings.Try(part.Name, "about this envelope", () =>
        {
            var (office, key) = (said!.Status.Office, said.Status.Key);
            HandlingStatusCheck.DemandAbout(said.Status, new(content.Sender, content.Id, header.Ref, header.ManifestDigest!.Value, office, key));
            if (!content.Recipients.Any(r => r.Office == office && r.Key == key)) throw new RefusedException(Refusal.Status, "not a copy of this envelope");
        });
        if (directory is null || trust is null) findings.Incomplete(part.Name, "issuer", FindingCode.Missing, "needs anchors and directory");
        else
        {
            try
            {
                HandlingStatusCheck.DemandSigner(statement!, directory, trust);
                findings.Good(part.Name, "issuer", said!.Status.Office);
            }
            catch (RefusedException e) { refused(part.Name, "issuer", e); }
        }
        return said;
    }

    // What asks this dispatch back is as good as its sender's signature under it; that it was accepted shows its own evidence.
    AnsweredEnvelope? ReadRecall(EvidencePart part, OfficeDirectory? directory, CertificateCheck? trust, Action<string, string, RefusedException> refused)
    {
        AnsweredEnvelope? named = null;
        Statement? statement = null;
        if (!findings.Try(part.Name, "about this envelope", () =>
        {
            statement = Statement.Read(part.Bytes, StatementType.Header);
            var recall = statement.As<Header>();
            HeaderRules.Check(recall);
            if (recall.Sender != content.Sender || recall.Target is not { } target || target.Id != content.Id || target.Ref != header.Ref) throw new RefusedException(Refusal.RecallTarget, "another envelope");
            named = new(recall.Id, statement.Ref, target.Revision);
        })) return null;
        recalls.Add(new(part.Name, statement!.As<Header>(), statement.Signers[0], statement.SigningTimes[0]));
        if (directory is null || trust is null) findings.Incomplete(part.Name, "issuer", FindingCode.Missing, "needs anchors and directory");
        else
        {
            try
            {
                if (statement!.Signers is not [var signer] || directory.Find(content.Sender) is not { } sender || !sender.Signing.Contains(signer)) throw new RefusedException(Refusal.SignerUnknown, "not a signing key of the sender");
                trust.Demand(signer, Purpose.OfficeSigning, statement.SigningTimes[0]);
                findings.Good(part.Name, "issuer", content.Sender);
            }
            catch (RefusedException e) { refused(part.Name, "issuer", e); }
        }
        return named;
    }

    void CheckAnswers(List<Said> said, List<AnsweredEnvelope> asked)
    {
        foreach (var one in said.Where(s => s.Status.Answers is not null))
            if (asked.Contains(one.Status.Answers!)) findings.Good(one.Part, "answers what was asked", one.Status.Code);
            else findings.Incomplete(one.Part, "answers what was asked", FindingCode.Missing, "what it answers is not here");
    }

    void CheckRecorded(ReceiptPart receipt, List<Said> said)
    {
        const string check = "the office's own statement";
        if (said.FirstOrDefault(s => s.Ref == receipt.Records) is not { } one) findings.Incomplete(receipt.Name, check, FindingCode.Missing);
        else findings.Judge(one.Status.Office == receipt.Content.Office && one.Status.Key == receipt.Content.Key, receipt.Name, check, Refusal.Status);
    }

    // One statement a number: two with one number contradict each other. A number that is not here is a statement that is still under way, or was held back.
    void CheckOrder(string part, IReadOnlyList<Said> copy)
    {
        if (copy.Select(s => s.Status.Sequence).Distinct().Count() < copy.Select(s => s.Ref).Distinct().Count()) findings.Bad(part, "handling", Refusal.StatusSequence, "two statements have one number");
        else if (copy[^1].Status.Sequence > copy.Select(s => s.Ref).Distinct().Count()) findings.Incomplete(part, "handling", FindingCode.Pending, "a statement in between is not here");
        else findings.Good(part, "handling", string.Join(" ", copy.Select(s => s.Status.Code)));
    }
}
