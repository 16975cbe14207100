using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>A parcel whose outside holds and whose key we have.</summary>
sealed record HeldParcel(Guid Parcel, EnvelopeParts Parts, VerifiedEnvelope Envelope, Receipt Submission, ReadOnlyMemory<byte> SubmissionDer, IPrivateKey Key);

/// <summary>Everything about a parcel that can be checked without touching a private key, and without trusting the gateway.</summary>
sealed class VerifyParcel(OfficeContext office)
{
    /// <param name="submission">The gateway's SubmissionAcceptance, DER.</param>
    /// <exception cref="RefusedException">What does not hold; nothing is changed.</exception>
    public HeldParcel Run(Guid parcel, EnvelopeParts parts, byte[] submission)
    {
        var statement = Statement.Read(parts.Header, StatementType.Header);
        var header = statement.As<Header>();
        var receipt = ReceiptCheck.Gateway(submission, new ReceiptSubject(header.Sender, header.Id, statement.Ref, Digest.Of(parts.Manifest.Span), header.Recipients), office.Profile.Pins, office.View.Trust);
        if (receipt.Event != ReceiptEvent.SubmissionAcceptance || receipt.Code != "OK") throw new RefusedException(Refusal.Receipt, "not an acceptance");
        if (receipt.Signatures is null || !receipt.Signatures.SequenceEqual(header.Dispatch.Signatures)) throw new RefusedException(Refusal.Receipt, "signatures of the dispatch");
        var envelope = Envelope.Verify(parts, Context(header, receipt));
        if (header.Gateway != office.Profile.Pins.Origin) throw new RefusedException(Refusal.OtherGateway, header.Gateway);
        if (office.View.Policy.Content.Policy != header.Label.Policy || office.View.Policy.Level(header.Label.Class) is null) throw new RefusedException(Refusal.PolicyUnknown);
        var key = office.Keys.Encrypt.FirstOrDefault(k => header.Recipients.Any(r => r.Office == office.Profile.Office && r.Key == k.Certificate.Key));
        return new HeldParcel(parcel, parts, envelope, receipt, submission, key ?? throw new RefusedException(Refusal.NotForThisKey));
    }

    public EnvelopeContext Context(Header header, Receipt submission) =>
        new(office.View.DirectoryOf(header.Directory), office.View.Trust, DateTimeOffset.FromUnixTimeMilliseconds(submission.Time));
}
