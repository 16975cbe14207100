using System.Text;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Evidence;

/// <summary>A receipt whose signatures hold, and what it must fulfil to count. Each Demand refuses with <see cref="Refusal.Receipt"/> or what the signer lacks.</summary>
sealed class ReceiptPart(string name, Statement statement)
{
    public string Name { get; } = name;
    public Statement Statement { get; } = statement;
    public Receipt Content { get; } = statement.As<Receipt>();
    /// <summary>SHA-256 of the DER: how a ledger entry names an office's receipt.</summary>
    public Digest Hash { get; } = Digest.Of(statement.Der.Span);
    public bool ByOffice => Content.Event is ReceiptEvent.ContentHandover or ReceiptEvent.ContentOpening or ReceiptEvent.ContentOpeningFailure;

    /// <summary>The office's receipt that this one of the gateway answers.</summary>
    public Digest? Acknowledges { get; private set; }

    /// <summary>What its entry says, once that is known to be what was promised.</summary>
    public LedgerDetail? Detail { get; private set; }

    /// <summary>Ref of the office's status that this one of the gateway records.</summary>
    public Digest? Records { get; private set; }

    public bool SignedBy(Digest key) => Statement.Signers is [var signer] && signer.Key == key;

    /// <exception cref="RefusedException">Not a time.</exception>
    public static DateTimeOffset TimeOf(Receipt receipt)
    {
        try { return DateTimeOffset.FromUnixTimeMilliseconds(receipt.Time); }
        catch (ArgumentOutOfRangeException) { throw new RefusedException(Refusal.Receipt, "time"); }
    }

    /// <summary>Names this envelope and, for a copy, one of its recipients; members that its event must not have are null.</summary>
    public void DemandSubject(Header header, Digest ctx, Digest manifest)
    {
        var r = Content;
        Demand(r.Sender == header.Sender && r.Envelope == header.Id && r.Ctx == ctx, "another envelope");
        Demand(r.ManifestDigest == manifest || (r.ManifestDigest is null && r.Event == ReceiptEvent.SubmissionRejection), "manifest");
        var submission = r.Event is ReceiptEvent.SubmissionAcceptance or ReceiptEvent.SubmissionRejection or ReceiptEvent.SubmissionHold or ReceiptEvent.HoldApproval;
        // Of the dispatch as a whole, but long after its submission.
        var label = r.Event == ReceiptEvent.LabelChange;
        Demand(submission || label ? r.Office is null && r.Key is null : header.Recipients.Any(to => to.Office == r.Office && to.Key == r.Key), "not a copy of this envelope");
        // This is what makes the receipt a time-stamp of the author's signatures, which are sealed.
        Demand(submission ? r.Signatures is { } s && s.AsSpan().SequenceEqual(header.Dispatch.Signatures) : r.Signatures is null, "signatures");
        Demand(r.Proof is not null == (r.Event == ReceiptEvent.ContentOpening), "proof");
        var failure = r.Event is ReceiptEvent.SubmissionHold or ReceiptEvent.SubmissionRejection or ReceiptEvent.ContentConsignmentFailure or ReceiptEvent.ContentConsignmentDelay or ReceiptEvent.ContentOpeningFailure;
        Demand(failure || (label && r.Code != "OK") ? Refusal.All.ContainsKey(r.Code) : r.Code == "OK", "code");
    }

    /// <summary>Signed by the pinned evidence key, valid then, in the name of the pinned ledger, with an entry.</summary>
    public void DemandGateway(EvidencePins pins, CertificateCheck trust)
    {
        Demand(Content.Event is ReceiptEvent.SubmissionAcceptance or ReceiptEvent.SubmissionRejection or ReceiptEvent.SubmissionHold or ReceiptEvent.HoldApproval
            or ReceiptEvent.LabelChange or ReceiptEvent.HandlingStatus or ReceiptEvent.ContentConsignment or ReceiptEvent.ContentConsignmentFailure or ReceiptEvent.ContentConsignmentDelay, "event");
        if (!SignedBy(pins.GatewayEvidence)) throw new RefusedException(Refusal.Receipt, "not signed by the gateway's pinned key");
        Demand(pins.IsOurs(Content.Issuer), "issuer");
        Demand(Content.Entry is not null && Content.Policy is not null, "no ledger entry or policy");
        trust.Demand(Statement.Signers[0], Purpose.GatewayEvidence, TimeOf(Content));
    }

    /// <summary>Signed by a signing key of the recipient's office, valid then.</summary>
    public void DemandOffice(OfficeDirectory directory, CertificateCheck trust)
    {
        Demand(Content.Issuer == Content.Office && Content.Entry is null && Content.Policy is null, "members");
        if (Statement.Signers is not [var signer] || directory.Find(Content.Issuer) is not { } office || !office.Signing.Contains(signer))
            throw new RefusedException(Refusal.SignerUnknown, "not a signing key of the office");
        trust.Demand(signer, Purpose.OfficeSigning, TimeOf(Content));
    }

    /// <summary>The leaf is that of the salted detail, and the detail says what the receipt says: else the ledger would hold something else than was promised.</summary>
    public void DemandEntry(Header header)
    {
        var (r, entry) = (Content, Content.Entry!);
        var bytes = Encoding.UTF8.GetBytes(entry.Detail);
        Demand(new LedgerEntry(entry.Salt.ToArray(), bytes).Leaf == entry.Leaf, "leaf is not that of the salted detail");
        var detail = EntryDetails.Read(bytes);
        Demand(detail.Time == r.Time, "time of the entry");
        Demand((r.Event, detail) switch
        {
            (ReceiptEvent.SubmissionAcceptance, SubmissionDetail d) => Same(d.Sender, d.Envelope, d.Ctx) && d.ManifestDigest == r.ManifestDigest && d.Policy == r.Policy
                && d.PolicyOid == header.Label.Policy && d.Class == header.Label.Class && d.Urgency == header.Urgency,
            (ReceiptEvent.SubmissionRejection, RejectionDetail d) => Same(d.Sender, d.Envelope, d.Ctx) && d.Code == r.Code,
            (ReceiptEvent.SubmissionHold, HoldDetail d) => Same(d.Sender, d.Envelope, d.Ctx) && d.ManifestDigest == r.ManifestDigest && d.Policy == r.Policy && d.Code == r.Code,
            (ReceiptEvent.HoldApproval, HoldApprovalDetail d) => Same(d.Sender, d.Envelope, d.Ctx),
            (ReceiptEvent.LabelChange, LabelDetail d) => Same(d.Sender, d.Envelope, d.Ctx) && d.Code == r.Code,
            (ReceiptEvent.HandlingStatus, StatusDetail d) => Same(d.Sender, d.Envelope, d.Ctx) && d.Office == r.Office && d.Key == r.Key,
            (ReceiptEvent.ContentConsignment, ConsignmentDetail d) => Same(d.Sender, d.Envelope, d.Ctx) && d.Office == r.Office && d.Key == r.Key,
            (ReceiptEvent.ContentConsignment, DeliveryDetail d) => Same(d.Sender, d.Envelope, d.Ctx) && d.Office == r.Office && d.Key == r.Key,
            (ReceiptEvent.ContentConsignmentDelay, DelayDetail d) => Same(d.Sender, d.Envelope, d.Ctx) && d.Office == r.Office && d.Key == r.Key && d.Code == r.Code,
            (ReceiptEvent.ContentConsignmentFailure, ConsignmentFailureDetail d) => Same(d.Sender, d.Envelope, d.Ctx) && d.Office == r.Office && d.Key == r.Key && d.Code == r.Code,
            _ => false,
        }, "the entry says something else");
        Detail = detail;
        Acknowledges = (detail as ConsignmentDetail)?.Receipt;
        Records = (detail as StatusDetail)?.Statement;

        bool Same(string sender, Guid? envelope, Digest? ctx) => sender == r.Sender && envelope == r.Envelope && ctx == r.Ctx;
    }

    static void Demand(bool holds, string what)
    {
        if (!holds) throw new RefusedException(Refusal.Receipt, what);
    }
}
