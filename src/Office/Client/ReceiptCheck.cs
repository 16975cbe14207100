using System.Security.Cryptography;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client;

/// <summary>What a receipt must be about.</summary>
sealed record ReceiptSubject(string Sender, Guid Envelope, Digest Ctx, Digest ManifestDigest, IReadOnlyList<Recipient> Recipients);

/// <summary>Receipts are believed only through here: signer, subject, ledger entry, proof of opening.</summary>
static class ReceiptCheck
{
    /// <summary>A receipt of the gateway: signed by the pinned evidence key, about this envelope, with the ledger entry it promises.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Receipt"/>, or what the signature lacks.</exception>
    public static Receipt Gateway(ReadOnlyMemory<byte> der, ReceiptSubject subject, Pins pins, CertificateCheck trust)
    {
        var statement = Statement.Read(der, StatementType.Receipt);
        var receipt = statement.As<Receipt>();
        if (statement.Signers.Count != 1 || statement.Signers[0].Key != pins.GatewayEvidence) throw new RefusedException(Refusal.SignerUnknown, "receipt of the gateway");
        trust.Demand(statement.Signers[0], Purpose.GatewayEvidence, At(receipt));
        Require(pins.IsOurs(receipt.Issuer), "issuer");
        About(receipt, subject);
        Require(receipt.Proof is null, "proof in a receipt of the gateway");
        Require(receipt.Entry is not null, "no ledger entry");
        var entry = receipt.Entry!;
        var detail = Encoding.UTF8.GetBytes(entry.Detail);
        Require(new LedgerEntry(entry.Salt.ToArray(), detail).Leaf == entry.Leaf, "leaf is not the salted detail");
        DetailAgrees(detail, receipt);
        return receipt;
    }

    /// <summary>A receipt of a recipient: signed by a key of that office, about its copy; an opening carries the proof that only R's holder can check.</summary>
    public static Receipt Office(ReadOnlyMemory<byte> der, ReceiptSubject subject, OfficeDirectory directory, CertificateCheck trust, ReadOnlySpan<byte> opened)
    {
        var statement = Statement.Read(der, StatementType.Receipt);
        var receipt = statement.As<Receipt>();
        About(receipt, subject);
        Require(receipt.Event is ReceiptEvent.ContentHandover or ReceiptEvent.ContentOpening or ReceiptEvent.ContentOpeningFailure, "event");
        Require(receipt.Office is not null && receipt.Issuer == receipt.Office, "issuer");
        Require(receipt.ManifestDigest is not null && receipt.Key is not null && receipt.Entry is null, "members");
        Require(subject.Recipients.Any(r => r.Office == receipt.Office && r.Key == receipt.Key), "not a recipient of this envelope");
        var office = directory.Find(receipt.Office!);
        if (office is null || statement.Signers.Count != 1 || !office.Signing.Contains(statement.Signers[0])) throw new RefusedException(Refusal.SignerUnknown, "receipt of an office");
        trust.Demand(statement.Signers[0], Purpose.OfficeSigning, At(receipt));
        if (receipt.Event == ReceiptEvent.ContentOpening)
            Require(receipt.Code == "OK" && receipt.Proof is { } proof && CryptographicOperations.FixedTimeEquals(proof.ToArray(), Proof(opened, receipt.Ctx, receipt.Key!.Value)), "proof of opening");
        else
            Require(receipt.Proof is null, "proof without opening");
        return receipt;
    }

    /// <summary>HMAC-SHA256(R, CTX ‖ key).</summary>
    static byte[] Proof(ReadOnlySpan<byte> opened, Digest ctx, Digest key) => HMACSHA256.HashData(opened, [.. ctx.ToArray(), .. key.ToArray()]);

    static void About(Receipt receipt, ReceiptSubject subject)
    {
        Require(receipt.Sender == subject.Sender && receipt.Envelope == subject.Envelope, "another envelope");
        Require(receipt.Ctx == subject.Ctx, "CTX");
        // A submission rejected before its manifest was read names none; everything else must name ours.
        Require(receipt.ManifestDigest == subject.ManifestDigest || (receipt.ManifestDigest is null && receipt.Event == ReceiptEvent.SubmissionRejection), "manifest digest");
    }

    // The leaf commits to the detail; the detail must then say what the receipt says, or the ledger would hold something else than was promised.
    static void DetailAgrees(byte[] detail, Receipt receipt)
    {
        var (sender, envelope, ctx) = (receipt.Event, EntryDetails.Read(detail)) switch
        {
            (ReceiptEvent.SubmissionAcceptance, SubmissionDetail d) when d.ManifestDigest == receipt.ManifestDigest => (d.Sender, d.Envelope, d.Ctx),
            (ReceiptEvent.SubmissionRejection, RejectionDetail d) when d.Code == receipt.Code => (d.Sender, d.Envelope ?? receipt.Envelope, d.Ctx ?? receipt.Ctx),
            (ReceiptEvent.SubmissionHold, HoldDetail d) when d.ManifestDigest == receipt.ManifestDigest && d.Code == receipt.Code => (d.Sender, d.Envelope, d.Ctx),
            (ReceiptEvent.HoldApproval, HoldApprovalDetail d) => (d.Sender, d.Envelope, d.Ctx),
            (ReceiptEvent.LabelChange, LabelDetail d) when d.Code == receipt.Code => (d.Sender, d.Envelope, d.Ctx),
            (ReceiptEvent.HandlingStatus, StatusDetail d) when d.Office == receipt.Office && d.Key == receipt.Key => (d.Sender, d.Envelope, d.Ctx),
            (ReceiptEvent.ContentConsignment, ConsignmentDetail d) when d.Office == receipt.Office && d.Key == receipt.Key => (d.Sender, d.Envelope, d.Ctx),
            (ReceiptEvent.ContentConsignment, DeliveryDetail d) when d.Office == receipt.Office && d.Key == receipt.Key => (d.Sender, d.Envelope, d.Ctx),
            (ReceiptEvent.ContentConsignmentDelay, DelayDetail d) when d.Office == receipt.Office && d.Key == receipt.Key && d.Code == receipt.Code => (d.Sender, d.Envelope, d.Ctx),
            (ReceiptEvent.ContentConsignmentFailure, ConsignmentFailureDetail d) when d.Office == receipt.Office && d.Key == receipt.Key && d.Code == receipt.Code => (d.Sender, d.Envelope, d.Ctx),
            _ => throw new RefusedException(Refusal.Receipt, "the ledger entry is of another kind"),
        };
        Require(sender == receipt.Sender && envelope == receipt.Envelope && ctx == receipt.Ctx, "the ledger entry is about another envelope");
    }

    static DateTimeOffset At(Receipt receipt)
    {
        try { return DateTimeOffset.FromUnixTimeMilliseconds(receipt.Time); }
        catch (ArgumentOutOfRangeException) { throw new RefusedException(Refusal.Receipt, "time"); }
    }

    static void Require(bool holds, string what)
    {
        if (!holds) throw new RefusedException(Refusal.Receipt, what);
    }
}
