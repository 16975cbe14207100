using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Xunit;

namespace Exchange.Tests.Evidence;

public class DispatchEvidenceTests
{
    static readonly EvidenceCase Case = EvidenceCase.Shared;
    static readonly DispatchEvidenceInput Good = Case.Input;

    static Findings Check(DispatchEvidenceInput input) => DispatchEvidence.Check(input);

    static Finding Bad(DispatchEvidenceInput input, string part, Refusal refusal)
    {
        var findings = Check(input);
        Assert.Equal(1, findings.ExitCode);
        return findings.All.FirstOrDefault(f => f.Kind == FindingKind.Bad && f.Part.EndsWith(part, StringComparison.Ordinal) && f.Code == refusal.Code)
            ?? throw new Xunit.Sdk.XunitException($"no {refusal.Code} at {part} in:\n{string.Join('\n', findings.All.Where(f => f.Kind != FindingKind.Good))}");
    }

    static Finding Incomplete(DispatchEvidenceInput input, string part, string code)
    {
        var findings = Check(input);
        Assert.DoesNotContain(findings.All, f => f.Kind == FindingKind.Bad);
        Assert.Equal(2, findings.ExitCode);
        return Assert.Single(findings.All, f => f.Kind == FindingKind.Incomplete && f.Part.EndsWith(part, StringComparison.Ordinal) && f.Code == code);
    }

    [Fact]
    public void Healthy_evidence_is_good_in_every_finding()
    {
        var findings = Check(Good);
        Assert.True(findings.ExitCode == 0, string.Join('\n', findings.All.Where(f => f.Kind != FindingKind.Good)));
        Assert.Contains(findings.All, f => f is { Part: "envelope", Check: "approved by a signatory" });
        Assert.Contains(findings.All, f => f is { Part: "copy H41", Check: "opened" });
        Assert.Contains(findings.All, f => f is { Part: "copy H37", Check: "reported as not openable" });
        Assert.Contains(findings.All, f => f is { Part: "copy H41", Check: "handling", Detail: "01 03" });
        Assert.Equal(5, findings.All.Count(f => f.Check == "in the ledger"));
        Assert.All(findings.All, f => Assert.True(f.Part.Length > 0 && f.Check.Length > 0 && f.Code == FindingCode.Ok));
    }

    [Fact]
    public void Evidence_of_before_a_succession_is_good_by_the_pins_of_after_it()
    {
        using var next = CheckpointKey.Create("gateway.test/ledger-2");
        var after = Good.Pins with { Origin = next.Origin, CheckpointKey = next.VerifierKey.ToString(), CheckpointKeys = [Good.Pins.CheckpointKey] };
        var findings = Check(Good with { Pins = after });
        Assert.True(findings.ExitCode == 0, string.Join('\n', findings.All.Where(f => f.Kind != FindingKind.Good)));
        // Whoever does not pin the old keys, or pins them as those of the new name, knows nothing of that ledger.
        Bad(Good with { Pins = after with { CheckpointKeys = [] } }, "header.p7s", Refusal.OtherGateway);
        Bad(Good with { Pins = after with { CheckpointKey = Good.Pins.CheckpointKey } }, "checkpoint.txt", Refusal.Note);
    }

    [Fact]
    public void Evidence_of_an_update_is_good_like_any_other()
    {
        var made = EvidenceCase.OfUpdate();
        Assert.Equal("update", made.Header.Kind);
        var findings = Check(made.Input);
        Assert.True(findings.ExitCode == 0, string.Join('\n', findings.All.Where(f => f.Kind != FindingKind.Good)));
        Assert.Contains(findings.All, f => f is { Part: "copy H41", Check: "opened" });
    }

    [Fact]
    public void Without_R_an_opening_is_incomplete_and_a_wrong_R_is_bad()
    {
        Incomplete(Good with { Opened = null }, "ContentOpening-H41.p7s", FindingCode.SenderHoldsR);
        var wrong = Good with { Opened = new("opened", new byte[32]) };
        Bad(wrong, "opened", Refusal.Receipt);
        Bad(wrong, "ContentOpening-H41.p7s", Refusal.Receipt);
    }

    [Fact]
    public void A_flipped_byte_in_any_file_is_found_and_that_file_is_named()
    {
        Flip(Good.Header!, p => Good with { Header = p });
        Flip(Good.Approvals[0], p => Good with { Approvals = [p] });
        Flip(Good.Manifest!, p => Good with { Manifest = p });
        Flip(Good.Policy!, p => Good with { Policy = p });
        Flip(Good.Checkpoint!, p => Good with { Checkpoint = p });
        Flip(Good.Opened!, p => Good with { Opened = p });
        for (var i = 0; i < Good.Receipts.Count; i++) Flip(Good.Receipts[i], p => Good with { Receipts = [.. Good.Receipts.Take(i), p, .. Good.Receipts.Skip(i + 1)] });
        for (var i = 0; i < Good.Statuses.Count; i++) Flip(Good.Statuses[i], p => Good with { Statuses = [.. Good.Statuses.Take(i), p, .. Good.Statuses.Skip(i + 1)] });
        for (var i = 0; i < Good.Proofs.Count; i++) Flip(Good.Proofs[i], p => Good with { Proofs = [.. Good.Proofs.Take(i), p, .. Good.Proofs.Skip(i + 1)] });
        Flip(Good.Directory!, p => Good with { Directory = p });
        // A card has no name of its own in the directory's verdict: it is the directory that does not hold.
        Flip(Good.Cards[0], p => Good with { Cards = [p, .. Good.Cards.Skip(1)] }, named: Good.Directory!.Name);
    }

    static void Flip(EvidencePart part, Func<EvidencePart, DispatchEvidenceInput> replace, string? named = null)
    {
        for (var i = 0; i < part.Bytes.Length; i += 1 + (part.Bytes.Length / 3))
        {
            var bytes = part.Bytes.ToArray();
            bytes[i] ^= 4;
            var findings = Check(replace(part with { Bytes = bytes }));
            Assert.Contains(findings.All, f => f.Kind == FindingKind.Bad && f.Part == (named ?? part.Name));
        }
    }

    [Fact]
    public void What_is_missing_is_incomplete_and_named()
    {
        Incomplete(Good with { Header = null }, "header.p7s", FindingCode.Missing);
        Incomplete(Good with { Manifest = null }, "manifest.p7m", FindingCode.Missing);
        Incomplete(Good with { Approvals = [] }, "approvals", FindingCode.Missing);
        Incomplete(Good with { Checkpoint = null }, "checkpoint.txt", FindingCode.Missing);
        Incomplete(Good with { Directory = null }, "directory.p7s", FindingCode.Missing);
        Incomplete(Good with { Policy = null }, "policy.p7s", FindingCode.Missing);
        Incomplete(Good with { Trust = null }, "trust", FindingCode.Missing);
        Incomplete(Good with { Proofs = [] }, "SubmissionAcceptance.p7s", FindingCode.Missing);
        Incomplete(Good with { Receipts = [] }, "receipts", FindingCode.Missing);
        Assert.Equal(2, Check(new DispatchEvidenceInput
        {
            Header = null, Approvals = [], Manifest = null, Receipts = [], Proofs = [], Checkpoint = null, Directory = null, Cards = [], Policy = null, Trust = null,
            Pins = Good.Pins, Opened = null,
        }).ExitCode);
    }

    [Fact]
    public void A_copy_without_receipts_is_pending_and_a_consignment_without_the_offices_receipt_is_incomplete()
    {
        Incomplete(Good with { Receipts = [.. Good.Receipts.Where(r => !r.Name.Contains("H37", StringComparison.Ordinal))] }, "copy H37", FindingCode.Pending);
        Incomplete(Good with { Receipts = [.. Good.Receipts.Where(r => !r.Name.Contains("Handover-H37", StringComparison.Ordinal))] }, "ContentConsignment-H37.p7s", FindingCode.Missing);
        Incomplete(Good with { Receipts = [.. Good.Receipts.Where(r => !r.Name.Contains("OpeningFailure", StringComparison.Ordinal))] }, "copy H37", FindingCode.Pending);
    }

    [Fact]
    public void A_status_of_another_copy_or_key_or_out_of_form_is_refused()
    {
        var other = Digest.Of("other"u8);
        Bad(Case.WithStatus("0002.p7s", s => s with { Ctx = other }), "0002.p7s", Refusal.Status);
        Bad(Case.WithStatus("0002.p7s", s => s with { ManifestDigest = other }), "0002.p7s", Refusal.Status);
        Bad(Case.WithStatus("0002.p7s", s => s with { Key = other }), "0002.p7s", Refusal.Status);
        Bad(Case.WithStatus("0002.p7s", s => s with { Sender = "H14" }), "0002.p7s", Refusal.Status);
        Bad(Case.WithStatus("0002.p7s", s => s with { Code = "07" }), "0002.p7s", Refusal.Status);
        Bad(Case.WithStatus("0002.p7s", s => s, TestPki.Shared["H37"].Sign), "0002.p7s", Refusal.SignerUnknown);
        Bad(Case.WithStatus("0002.p7s", s => s with { Office = "H37" }, TestPki.Shared["H37"].Sign), "0002.p7s", Refusal.Status);
    }

    [Fact]
    public void A_status_that_is_missing_not_recorded_or_twice_under_one_number_is_found()
    {
        Incomplete(Good with { Statuses = [Good.Statuses[0]] }, "HandlingStatus-H41.p7s", FindingCode.Missing);
        Incomplete(Good with { Receipts = [.. Good.Receipts.Where(r => !(r.Name.EndsWith("HandlingStatus-H41.p7s", StringComparison.Ordinal) && r.Name.StartsWith("receipts/04", StringComparison.Ordinal)))] }, "H41-0001.p7s", FindingCode.Missing);
        // What the gateway says it recorded and the office's own word differ: neither stands for the other.
        var changed = Check(Case.WithStatus("0002.p7s", s => s with { Code = "06" }));
        Assert.Equal(["receipts/05-HandlingStatus-H41.p7s", "statuses/H41-0002.p7s"], changed.All.Where(f => f.Kind == FindingKind.Incomplete).Select(f => f.Part));
        // 1 and 3 without 2; and two of one number.
        Assert.Contains(Check(Case.WithStatus("0002.p7s", s => s with { Sequence = 3 })).All, f => f is { Part: "copy H41", Check: "handling", Code: FindingCode.Pending });
        Bad(Case.WithStatus("0002.p7s", s => s with { Sequence = 1 }), "copy H41", Refusal.StatusSequence);
    }

    [Fact]
    public void An_answer_is_about_a_recall_of_this_envelope_by_its_sender()
    {
        var target = new Reference("recall", Case.Header.Id, Case.Sealed.Ctx, 1);
        EvidencePart Recall(Func<Header, Header>? change = null, IPrivateKey? signer = null)
        {
            var by = signer ?? TestPki.Shared["G22"].Sign;
            var header = Case.Header with { Id = Guid.CreateVersion7(TestPki.Now), Kind = "recall", Payload = null, References = [target], Signers = [by.Certificate.Key] };
            var content = change is null ? header : change(header);
            return new("recalls/01.p7s", Statement.Sign(content, [by], TestPki.Now, EssLabel.ToEss(content.Label), Case.Sealed.ManifestDigest).Der);
        }
        Finding[] About(EvidencePart recall) => [.. Check(Good with { Recalls = [recall] }).All.Where(f => f.Part == recall.Name)];

        Assert.All(About(Recall()), f => Assert.Equal(FindingKind.Good, f.Kind));
        foreach (var other in new Func<Header, Header>[] { h => h with { References = [target with { Ref = Digest.Of([1]) }] }, h => h with { References = [target with { Id = Guid.CreateVersion7(TestPki.Now) }] },
            h => h with { Sender = "H14", Recipients = [.. h.Recipients.Where(r => r.Role != "self")] } })
            Assert.Equal([Refusal.RecallTarget.Code], About(Recall(other)).Select(f => f.Code));
        Assert.Equal([FindingCode.Ok, Refusal.SignerUnknown.Code], About(Recall(signer: TestPki.Shared["H14"].Sign)).Select(f => f.Code));

        // What H41 answers is found only where it is the same in each of its members.
        var asked = Recall();
        var answered = new AnsweredEnvelope(Statement.Read(asked.Bytes, StatementType.Header).As<Header>().Id, Statement.Read(asked.Bytes, StatementType.Header).Ref, 1);
        foreach (var (answers, there) in new[] { (answered, true), (answered with { Revision = 2 }, false), (answered with { Ref = Digest.Of([1]) }, false), (answered with { Id = Guid.CreateVersion7(TestPki.Now) }, false) })
            Assert.Contains(Check(Case.WithStatus("0002.p7s", s => s with { Code = HandlingCode.Agreed, Answers = answers }) with { Recalls = [asked] }).All,
                f => f.Check == "answers what was asked" && f.Kind == (there ? FindingKind.Good : FindingKind.Incomplete));
    }

    [Fact]
    public void A_receipt_by_another_key_or_of_another_name_is_refused()
    {
        Bad(Case.WithReceipt("ContentConsignment-H41.p7s", r => r, TestPki.Shared["H41"].Sign), "ContentConsignment-H41.p7s", Refusal.Receipt);
        // Signed by anyone but the gateway, a submission receipt is no time either.
        Bad(Case.WithReceipt("SubmissionAcceptance.p7s", r => r, TestPki.Shared["H41"].Sign), "SubmissionAcceptance.p7s", Refusal.Receipt);
        Bad(Case.WithReceipt("ContentHandover-H41.p7s", r => r, TestPki.Shared["H37"].Sign), "ContentHandover-H41.p7s", Refusal.SignerUnknown);
        Bad(Case.WithReceipt("ContentHandover-H41.p7s", r => r, TestPki.Shared["H41"].Clerk), "ContentHandover-H41.p7s", Refusal.SignerUnknown);
        Bad(Case.WithReceipt("SubmissionAcceptance.p7s", r => r with { Issuer = "other/ledger" }), "SubmissionAcceptance.p7s", Refusal.Receipt);
    }

    [Fact]
    public void A_receipt_about_something_else_is_refused()
    {
        var other = Digest.Of("other"u8);
        Bad(Case.WithReceipt("ContentHandover-H41.p7s", r => r with { Ctx = other }), "ContentHandover-H41.p7s", Refusal.Receipt);
        Bad(Case.WithReceipt("ContentHandover-H41.p7s", r => r with { ManifestDigest = other }), "ContentHandover-H41.p7s", Refusal.Receipt);
        Bad(Case.WithReceipt("ContentHandover-H41.p7s", r => r with { Key = other }), "ContentHandover-H41.p7s", Refusal.Receipt);
        Bad(Case.WithReceipt("ContentHandover-H41.p7s", r => r with { Sender = "H14" }), "ContentHandover-H41.p7s", Refusal.Receipt);
        Bad(Case.WithReceipt("ContentHandover-H41.p7s", r => r with { Code = "E_CANNOT_OPEN" }), "ContentHandover-H41.p7s", Refusal.Receipt);
        Bad(Case.WithReceipt("ContentOpening-H41.p7s", r => r with { Proof = other }), "ContentOpening-H41.p7s", Refusal.Receipt);
        Bad(Case.WithReceipt("SubmissionAcceptance.p7s", r => r with { Signatures = [other] }), "SubmissionAcceptance.p7s", Refusal.Receipt);
    }

    [Fact]
    public void An_entry_that_says_something_else_than_its_receipt_is_found()
    {
        Bad(Entry(d => ((SubmissionDetail)d) with { Class = 10 }), "SubmissionAcceptance.p7s", Refusal.Receipt);
        Bad(Entry(d => ((SubmissionDetail)d) with { Sender = "H14" }), "SubmissionAcceptance.p7s", Refusal.Receipt);
        Bad(Entry(d => ((SubmissionDetail)d) with { Ctx = Digest.Of([1]) }), "SubmissionAcceptance.p7s", Refusal.Receipt);
        Bad(Entry(d => ((SubmissionDetail)d) with { Time = d.Time + 1 }), "SubmissionAcceptance.p7s", Refusal.Receipt);
        Bad(Entry(_ => new StopDetail { Time = 1 }), "SubmissionAcceptance.p7s", Refusal.Receipt);
        Bad(Case.WithReceipt("SubmissionAcceptance.p7s", r => r with { Entry = r.Entry! with { Salt = Digest.Of([1]) } }), "SubmissionAcceptance.p7s", Refusal.Receipt);
        Bad(Case.WithReceipt("SubmissionAcceptance.p7s", r => r with { Entry = r.Entry! with { Detail = "{}" } }), "SubmissionAcceptance.p7s", Refusal.Receipt);
    }

    // The leaf is right for the changed detail, so that only the comparison can find it.
    static DispatchEvidenceInput Entry(Func<LedgerDetail, LedgerDetail> change) => Case.WithReceipt("SubmissionAcceptance.p7s", r =>
    {
        var entry = LedgerEntry.Create(EntryDetails.Write(change(EntryDetails.Read(System.Text.Encoding.UTF8.GetBytes(r.Entry!.Detail)))));
        return r with { Entry = r.Entry with { Leaf = entry.Leaf, Salt = new Digest(entry.Salt), Detail = System.Text.Encoding.UTF8.GetString(entry.Detail) } };
    });

    [Fact]
    public void An_entry_promised_before_a_later_one_that_is_there_is_a_broken_promise()
    {
        var without = Good with { Proofs = [.. Good.Proofs.Skip(1)] };
        var finding = Bad(without, "SubmissionAcceptance.p7s", Refusal.Proof);
        Assert.Contains("promised", finding.Detail, StringComparison.Ordinal);
        // The newest entry may not be in the checkpoint yet.
        Incomplete(Good with { Checkpoint = Case.Note(Case.Size - 1), Proofs = Case.Proofs(Case.Size - 1) }, "ContentConsignment-H37.p7s", FindingCode.Missing);
    }

    [Fact]
    public void A_proof_for_another_size_or_under_another_name_is_refused()
    {
        Bad(Good with { Proofs = Case.Proofs(Case.Size - 1) }, ".json", Refusal.Proof);
        Bad(Good with { Proofs = [Good.Proofs[0] with { Name = Good.Proofs[1].Name }, .. Good.Proofs] }, ".json", Refusal.Proof);
        Bad(Good with { Proofs = [.. Good.Proofs, new EvidencePart("proofs/x.json", Good.Proofs[0].Bytes)] }, "x.json", Refusal.Proof);
        Bad(Good with { Proofs = [Good.Proofs[0] with { Bytes = "null"u8.ToArray() }, .. Good.Proofs.Skip(1)] }, ".json", Refusal.Proof);
    }

    [Fact]
    public void A_checkpoint_by_another_key_or_shorter_than_the_sender_had_seen_is_refused()
    {
        using var other = CheckpointKey.Create(EvidenceCase.Origin);
        Bad(Good with { Checkpoint = Case.Note(Case.Size, other) }, "checkpoint.txt", Refusal.Note);
        Bad(Good with { Checkpoint = Case.Note(4), Proofs = [] }, "header.p7s", Refusal.Fork);
        Bad(Good with { Checkpoint = Case.Note(5), Proofs = [] }, "header.p7s", Refusal.Fork);
        Bad(Good with { Pins = Good.Pins with { Origin = "other/ledger" } }, "header.p7s", Refusal.OtherGateway);
    }

    [Fact]
    public void Officers_that_are_not_pinned_do_not_count()
    {
        Bad(Good with { Pins = Good.Pins with { DirectoryOfficers = TestPki.Shared.PolicyOfficerKeys } }, "directory.p7s", Refusal.Officers);
        Bad(Good with { Pins = Good.Pins with { PolicyOfficers = TestPki.Shared.DirectoryOfficerKeys } }, "policy.p7s", Refusal.Officers);
    }

    [Fact]
    public void A_copy_both_delivered_and_not_delivered_is_a_contradiction()
    {
        var consigned = Statement.Read(Good.Receipts.Single(r => r.Name.EndsWith("ContentConsignment-H41.p7s", StringComparison.Ordinal)).Bytes, StatementType.Receipt).As<Receipt>();
        var failed = EvidenceCase.Sign("receipts/09.p7s", consigned with { Event = ReceiptEvent.ContentConsignmentFailure, Code = "E_EXPIRED" }, TestPki.Shared.Gateway);
        Bad(Good with { Receipts = [.. Good.Receipts, failed] }, "copy H41", Refusal.Receipt);
    }

    [Fact]
    public void A_copy_given_up_and_sent_again_by_an_operator_ended_as_its_later_receipt_says()
    {
        var consigned = Statement.Read(Good.Receipts.Single(r => r.Name.EndsWith("ContentConsignment-H41.p7s", StringComparison.Ordinal)).Bytes, StatementType.Receipt).As<Receipt>();
        bool Contradicts(long later) => Check(Good with { Receipts = [.. Good.Receipts, EvidenceCase.Sign("receipts/09.p7s",
            consigned with { Event = ReceiptEvent.ContentConsignmentFailure, Code = "E_UNDELIVERED", Time = consigned.Time + later }, TestPki.Shared.Gateway)] })
            .All.Any(f => f.Kind == FindingKind.Bad && f.Part == "copy H41");
        Assert.False(Contradicts(-1));
        Assert.True(Contradicts(1));
    }

    [Fact]
    public void A_submission_after_its_expiry_is_refused() =>
        Bad(Case.WithReceipt("SubmissionAcceptance.p7s", r => r with { Time = Case.Header.Times.Expires + 1 }), "header.p7s", Refusal.Expired);

    [Fact]
    public void Unreadable_anchors_and_impossible_times_are_findings_not_exceptions()
    {
        Bad(Good with { Trust = () => throw new RefusedException(Refusal.CertificateUntrusted, "crl") }, "trust", Refusal.CertificateUntrusted);
        Bad(Case.WithReceipt("SubmissionAcceptance.p7s", r => r with { Time = StrictJson.MaxInteger }), "receipts", Refusal.Receipt);
        Bad(Case.WithReceipt("ContentHandover-H41.p7s", r => r with { Time = StrictJson.MaxInteger }), "ContentHandover-H41.p7s", Refusal.Receipt);
    }
}
