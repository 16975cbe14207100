using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Evidence;

/// <summary>
/// Checks what one dispatch left behind: offline, without keys, without trusting the gateway. Pure. Reports everything it finds; a file that is wrong is named,
/// and what cannot be said from what is here is incomplete, not good. It does not say whether the pins are the right ones: those come from people.
/// </summary>
public static class DispatchEvidence
{
    public static Findings Check(DispatchEvidenceInput input) => Read(input).Findings;

    /// <summary>As <see cref="Check"/>, and what was read on the way.</summary>
    public static DispatchFacts Read(DispatchEvidenceInput input)
    {
        var run = new Run(input);
        // 1 What stands by itself: anchors, and every statement's form and signatures.
        run.ReadTrust();
        run.ReadStatements();
        // 2 The ledger: its head by the pinned key, and every proof into it.
        run.ReadLedger();
        // 3 When it counted: T, the time of the gateway's receipt for the submission.
        run.FindTime();
        // 4 Who was who, and which rules held, at T.
        run.OpenDirectory();
        run.OpenPolicy();
        // 5 The envelope as a whole, at T.
        run.CheckEnvelope();
        // 6 What the author signed. Sealed as a rule, but the header names the signatures, and a time-stamp is about one of them.
        run.CheckTimeStamps();
        run.CheckContent();
        // 7 Each receipt: issuer, subject, entry, inclusion, proof of opening.
        run.CheckReceipts();
        // 8 Each addressee: what became of its copy, and what its office says it does with it.
        run.CheckCopies();
        run.CheckStatuses();
        return run.Facts();
    }

    sealed class Run(DispatchEvidenceInput input)
    {
        const string Envelope = "envelope", Submission = "receipts";
        CertificateCheck? trust;
        Statement? header, acceptance, rejection;
        Header? content;
        DateTimeOffset? at;
        OfficeDirectory? directory;
        PolicyLevel? level;
        LedgerEvidence? ledger;
        bool wholeParts;
        List<ReceiptPart> receipts = [];
        CompiledPolicy? decidedBy;
        VerifiedEnvelope? envelope;
        IReadOnlyList<TimeStampFact> stamps = [];
        IReadOnlyList<Certificate> authors = [];
        StatusEvidence? statuses;

        public Findings Findings { get; } = new();

        public void ReadTrust()
        {
            if (input.Trust is not { } load) { Findings.Incomplete("trust", "anchors", FindingCode.Missing); return; }
            if (Findings.Try("trust", "anchors", load) is not { } store) return;
            var stapled = new StapledResponses();
            stapled.Add(input.Responses.Select(part => Findings.Try(part.Name, "signed for its CA", () => OcspResponse.Read(part.Bytes, store))).OfType<OcspResponse>());
            trust = new CertificateCheck(store, stapled);
        }

        public void ReadStatements()
        {
            header = Statement(input.Header, "header.p7s", StatementType.Header);
            content = header?.As<Header>();
            wholeParts = header is not null;
            foreach (var approval in input.Approvals)
            {
                var read = Statement(approval, approval.Name, StatementType.Approval);
                wholeParts &= read is not null;
                if (read is not null && content is not null)
                    wholeParts &= Findings.Judge(content.Approvals.Contains(read.Ref), approval.Name, "named by the header", Refusal.Approval);
            }
            if (content is not null && input.Approvals.Count < content.Approvals.Length)
            {
                Findings.Incomplete("approvals", "all that the header names", FindingCode.Missing);
                wholeParts = false;
            }
            if (input.Manifest is not { } manifest) { Findings.Incomplete("manifest.p7m", "file", FindingCode.Missing); wholeParts = false; }
            else if (header is not null)
                wholeParts &= Findings.Judge(header.ManifestDigest == Digest.Of(manifest.Bytes.Span), manifest.Name, "signed with the header", Refusal.Manifest);
            receipts = [.. input.Receipts.Select(p => Statement(p, p.Name, StatementType.Receipt) is { } s ? new ReceiptPart(p.Name, s) : null).OfType<ReceiptPart>()];
        }

        Statement? Statement(EvidencePart? part, string name, StatementType type)
        {
            if (part is not null) return Findings.Try(part.Name, "signature", () => Statements.Statement.Read(part.Bytes, type));
            Findings.Incomplete(name, "file", FindingCode.Missing);
            return null;
        }

        public void ReadLedger()
        {
            ledger = LedgerEvidence.Read(input.Checkpoint, input.Proofs, input.Pins, Findings);
            if (content is null) return;
            Findings.Judge(input.Pins.IsOurs(content.Gateway), input.Header!.Name, "sealed for this gateway", Refusal.OtherGateway);
            if (content.Seen is { } seen) ledger?.CheckSeen(input.Header!.Name, seen, Findings);
        }

        public void FindTime()
        {
            // Only the pinned key may say when. Whether its certificate was good then is checked with the receipt.
            var mine = receipts.Where(r => r.SignedBy(input.Pins.GatewayEvidence) && header is not null && r.Content.Ctx == header.Ref).ToArray();
            acceptance = mine.FirstOrDefault(r => r.Content.Event == ReceiptEvent.SubmissionAcceptance)?.Statement;
            rejection = mine.LastOrDefault(r => r.Content.Event == ReceiptEvent.SubmissionRejection)?.Statement;
            if ((acceptance ?? rejection)?.As<Receipt>() is { } receipt) Findings.Try(Submission, "time of submission", () => { at = ReceiptPart.TimeOf(receipt); });
            if (at is null) Findings.Incomplete(Submission, "time of submission", FindingCode.Missing, "no receipt of the gateway for this header");
            else if (acceptance is not null && content is not null)
                Findings.Judge(at.Value.ToUnixTimeMilliseconds() <= content.Times.Expires, input.Header!.Name, "accepted in time", Refusal.Expired);
        }

        public void OpenDirectory()
        {
            if (input.Directory is not { } part) { Findings.Incomplete("directory.p7s", "file", FindingCode.Missing); return; }
            if (trust is null || at is null) { Findings.Incomplete(part.Name, "officers", FindingCode.Missing, "needs anchors and the time of submission"); return; }
            directory = Findings.Try(part.Name, "officers and cards", () =>
                OfficeDirectory.Open(part.Bytes, input.Cards.Select(c => c.Bytes), input.Pins.DirectoryOfficers, trust, at.Value));
        }

        public void OpenPolicy()
        {
            if (input.Policy is not { } part) { Findings.Incomplete("policy.p7s", "file", FindingCode.Missing); return; }
            if (trust is null || at is null) { Findings.Incomplete(part.Name, "officers", FindingCode.Missing, "needs anchors and the time of submission"); return; }
            var policy = Findings.Try(part.Name, "officers", () => CompiledPolicy.Open(part.Bytes, input.Pins.PolicyOfficers, trust, at.Value));
            if (policy is null || acceptance?.As<Receipt>() is not { } accepted || content is null) return;
            if (policy.Ref != accepted.Policy)
            {
                Findings.Incomplete(part.Name, "decided by this policy", FindingCode.Missing, "another version decided");
                return;
            }
            Findings.Good(part.Name, "decided by this policy");
            decidedBy = policy;
            var named = policy.Content.Policy == content.Label.Policy ? policy.Level(content.Label.Class) : null;
            if (Findings.Judge(named is not null && named.Mark == content.Label.Mark, input.Header!.Name, "level of the policy", Refusal.LabelClass)) level = named;
        }

        public void CheckEnvelope()
        {
            if (!wholeParts || directory is null || trust is null || at is null)
            {
                Findings.Incomplete(Envelope, "as a whole", FindingCode.Missing, "a part, the directory or the time is not usable");
                return;
            }
            var parts = new EnvelopeParts(input.Header!.Bytes, [.. input.Approvals.Select(a => a.Bytes)], input.Manifest!.Bytes);
            try
            {
                var verified = envelope = Crypto.Envelope.Envelope.Verify(parts, new EnvelopeContext(directory, trust, at.Value));
                Findings.Good(Envelope, "as a whole", $"{verified.Header.Sender}, {verified.Header.Recipients.Length} recipients, {verified.Approvals.Count} approvals");
                foreach (var role in level?.Approvals ?? [])
                    Findings.Judge(verified.Approvals.Any(a => a.Roles.Contains(role)), Envelope, $"approved by a {role}", Refusal.ApprovalMissing);
            }
            catch (RefusedException e) when (acceptance is null && rejection?.As<Receipt>().Code == e.Refusal.Code)
            {
                Findings.Good(Envelope, "refused for what the gateway said", e.Refusal.Code);
            }
            catch (RefusedException e) { Unknown(Envelope, "as a whole", e); }
        }

        // A key that is not in another version of the directory may have been in the one of that day.
        void Unknown(string part, string check, RefusedException e)
        {
            if (e.Refusal == Refusal.SignerUnknown && content is not null && directory!.Ref != content.Directory)
                Findings.Incomplete(part, check, FindingCode.Missing, "the directory here is not the one that the sender used");
            else Findings.Bad(part, check, e.Refusal, e.Detail);
        }

        public void CheckTimeStamps()
        {
            if (content is null) return;
            stamps = new TimeStampEvidence(content, Findings).Check(input.TimeStamps, trust, at, level is null ? TimeStampNeed.None : TimeStampRule.Of(level.Handling));
        }

        public void CheckContent()
        {
            if (content is null) return;
            var context = directory is null || trust is null || at is null ? null : new EnvelopeContext(directory, trust, at.Value);
            authors = new ContentEvidence(content, Findings).Check(input.Dispatch, input.Documents, context, level);
        }

        public void CheckReceipts()
        {
            if (input.Opened is { } opened && content is not null)
                Findings.Judge(opened.Bytes.Length == Digest.Size && KeySchedule.Commitment(opened.Bytes.Span) == content.Commitment, opened.Name, "commitment", Refusal.Receipt);
            if (header is null || content is null) return;
            foreach (var receipt in receipts)
            {
                Findings.Try(receipt.Name, "about this envelope", () => receipt.DemandSubject(content, header.Ref, header.ManifestDigest!.Value));
                CheckIssuer(receipt);
                if (receipt.Content.Entry is not null) CheckEntry(receipt);
                if (receipt.Content.Event == ReceiptEvent.ContentOpening) CheckOpening(receipt);
            }
        }

        void CheckIssuer(ReceiptPart receipt)
        {
            const string check = "issuer";
            if (trust is null || (receipt.ByOffice && directory is null)) { Findings.Incomplete(receipt.Name, check, FindingCode.Missing, "needs anchors and directory"); return; }
            try
            {
                if (receipt.ByOffice) receipt.DemandOffice(directory!, trust);
                else receipt.DemandGateway(input.Pins, trust);
                Findings.Good(receipt.Name, check, receipt.Content.Issuer);
            }
            catch (RefusedException e) { Unknown(receipt.Name, check, e); }
        }

        void CheckEntry(ReceiptPart receipt)
        {
            if (!Findings.Try(receipt.Name, "entry", () => receipt.DemandEntry(content!))) return;
            if (receipt.Acknowledges is { } office)
            {
                var given = receipts.FirstOrDefault(r => r.Hash == office);
                if (given is null) Findings.Incomplete(receipt.Name, "the office's own receipt", FindingCode.Missing);
                else Findings.Judge(given.Content.Event == ReceiptEvent.ContentHandover && given.Content.Office == receipt.Content.Office, receipt.Name, "the office's own receipt", Refusal.Receipt);
            }
            ledger?.CheckInclusion(receipt, receipts, Findings);
        }

        void CheckOpening(ReceiptPart receipt)
        {
            const string check = "proof of opening";
            if (input.Opened is not { } opened) Findings.Incomplete(receipt.Name, check, FindingCode.SenderHoldsR);
            else Findings.Judge(receipt.Content is { Key: { } key, Proof: { } proof } && KeySchedule.Proof(opened.Bytes.Span, header!.Ref, key) == proof, receipt.Name, check, Refusal.Receipt);
        }

        public DispatchFacts Facts() => new(Findings)
        {
            Ctx = header?.Ref, Header = content, Envelope = envelope, Authors = authors, Receipts = [.. receipts.Select(r => new ReceiptFact(r.Name, r.Content, r.Statement.Signers[0], r.Detail))],
            Statuses = statuses?.Statuses ?? [], Recalls = statuses?.Recalls ?? [], TimeStamps = stamps, Directory = directory, Policy = decidedBy, Trust = trust, Level = level,
            Checkpoint = ledger?.Checkpoint, Proven = ledger?.Proven ?? new Dictionary<Digest, long>(),
        };

        static bool IsRedrivable(string code) => code == Refusal.ChannelRefused.Code || code == Refusal.Undelivered.Code || code == Refusal.Poison.Code;

        public void CheckStatuses()
        {
            if (header is null || content is null) return;
            statuses = new StatusEvidence(header, content, Findings);
            statuses.Check(input, receipts, directory, trust, Unknown);
        }

        public void CheckCopies()
        {
            if (content is null || acceptance is null) return;
            foreach (var recipient in content.Recipients.Where(r => r.Role is "to" or "cc"))
            {
                var part = $"copy {recipient.Office}";
                var mine = receipts.Where(r => r.Content.Office == recipient.Office && r.Content.Key == recipient.Key).Select(r => r.Content).ToList();
                // What was given up may have been sent again by an operator, and then delivered: the later word counts.
                var consigned = mine.Where(r => r.Event == ReceiptEvent.ContentConsignment).Select(r => (long?)r.Time).Max();
                var events = mine.Where(r => r.Event != ReceiptEvent.ContentConsignmentFailure || !IsRedrivable(r.Code) || !(r.Time <= consigned)).Select(r => r.Event).ToHashSet();
                string[] ends = [.. new[] { ReceiptEvent.ContentConsignment, ReceiptEvent.ContentConsignmentFailure }.Where(events.Contains)];
                if (ends.Length == 0) Findings.Incomplete(part, "end", FindingCode.Pending);
                else Findings.Judge(ends.Length == 1, part, "end", Refusal.Receipt, "both delivered and not delivered");
                if (ends is not [ReceiptEvent.ContentConsignment]) continue;
                if (events.Contains(ReceiptEvent.ContentOpening)) Findings.Good(part, "opened");
                else if (events.Contains(ReceiptEvent.ContentOpeningFailure)) Findings.Good(part, "reported as not openable");
                else Findings.Incomplete(part, "opened", FindingCode.Pending);
            }
        }
    }
}
