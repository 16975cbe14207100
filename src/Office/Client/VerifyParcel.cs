using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>A parcel whose outside holds and whose key we have.</summary>
/// <param name="Role">As what: "to", "cc", or "self" and "recovery", which get no parcel.</param>
sealed record HeldParcel(Guid Parcel, EnvelopeParts Parts, VerifiedEnvelope Envelope, Receipt Submission, ReadOnlyMemory<byte> SubmissionDer, IPrivateKey Key, string Role);

/// <summary>Everything about a parcel that can be checked without touching a private key, and without trusting the gateway.</summary>
sealed class VerifyParcel(OfficeContext office)
{
    /// <param name="submission">The gateway's SubmissionAcceptance, DER.</param>
    /// <exception cref="RefusedException">What does not hold; nothing is changed. NotForThisKey: also where our key is there, but no copy is ours.</exception>
    public HeldParcel Run(Guid parcel, EnvelopeParts parts, byte[] submission) => Run(parcel, parts, submission, ["to", "cc"]);

    /// <param name="roles">In which our key must be among the recipients.</param>
    public HeldParcel Run(Guid parcel, EnvelopeParts parts, ReadOnlyMemory<byte> submission, string[] roles)
    {
        var (envelope, receipt) = Outside(parts, submission);
        var ours = envelope.Header.Recipients.Where(r => r.Office == office.Profile.Office && roles.Contains(r.Role)).ToDictionary(r => r.Key, r => r.Role);
        var key = office.Keys.Encrypt.FirstOrDefault(k => ours.ContainsKey(k.Certificate.Key)) ?? throw new RefusedException(Refusal.NotForThisKey);
        return new HeldParcel(parcel, parts, envelope, receipt, submission, key, ours[key.Certificate.Key]);
    }

    /// <summary>All that holds whoever's it is.</summary>
    public (VerifiedEnvelope Envelope, Receipt Receipt) Outside(EnvelopeParts parts, ReadOnlyMemory<byte> submission)
    {
        var statement = Statement.Read(parts.Header, StatementType.Header);
        var header = statement.As<Header>();
        var receipt = ReceiptCheck.Gateway(submission, new ReceiptSubject(header.Sender, header.Id, statement.Ref, Digest.Of(parts.Manifest.Span), header.Recipients), office.Profile.Pins, office.View.Trust);
        if (receipt.Event != ReceiptEvent.SubmissionAcceptance || receipt.Code != "OK") throw new RefusedException(Refusal.Receipt, "not an acceptance");
        if (receipt.Signatures is null || !receipt.Signatures.SequenceEqual(header.Dispatch.Signatures)) throw new RefusedException(Refusal.Receipt, "signatures of the dispatch");
        var envelope = Envelope.Verify(parts, Context(header, receipt));
        if (!office.Profile.Pins.IsOurs(header.Gateway)) throw new RefusedException(Refusal.OtherGateway, header.Gateway);
        if (office.View.Policy.Content.Policy != header.Label.Policy || office.View.Policy.Level(header.Label.Class) is null) throw new RefusedException(Refusal.PolicyUnknown);
        DemandNamed(header);
        office.OtherHeads.Note(header.Seen, parts.Header);
        return (envelope, receipt);
    }

    // No hidden escrow: the gateway was to let only the policy's recovery keys through, and is not trusted to have. Under a policy that is not here nobody can tell; who else can open it is shown then.
    void DemandNamed(Header header)
    {
        if (office.View.Policy.Ref != header.Policy) return;
        var named = office.View.Policy.Level(header.Label.Class)!.Handling.Recovery;
        if (header.Recipients.Any(r => r.Role == "recovery" && !named.Contains(r.Key))) throw new RefusedException(Refusal.RecipientKeys, "a recovery key that the policy does not name");
    }

    public EnvelopeContext Context(Header header, Receipt submission) =>
        new(office.View.DirectoryOf(header.Directory), office.View.Trust, DateTimeOffset.FromUnixTimeMilliseconds(submission.Time));
}
