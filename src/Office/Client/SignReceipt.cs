using Exchange.Crypto;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>Our signed word on one step of a parcel. Whoever calls it keeps the bytes before he shows them: a step is signed once.</summary>
sealed class SignReceipt(OfficeContext office)
{
    /// <param name="what">One of <see cref="ReceiptEvent"/>.</param>
    /// <param name="proof">Of an opening; else null.</param>
    /// <returns>DER.</returns>
    public byte[] Run(HeldParcel held, string what, string code, Digest? proof)
    {
        var now = office.Now;
        var header = held.Envelope.Header;
        var receipt = new Receipt
        {
            V = 1, Type = Receipt.TypeName, Signers = [office.Keys.Sign.Certificate.Key], Id = Guid.CreateVersion7(now), Event = what, Code = code,
            Time = now.ToUnixTimeMilliseconds(), Issuer = office.Profile.Office, Sender = header.Sender, Envelope = header.Id, Ctx = held.Envelope.Ctx,
            ManifestDigest = held.Envelope.ManifestDigest, Office = office.Profile.Office, Key = held.Key.Certificate.Key, Signatures = null, Policy = null,
            Seen = office.Checkpoints.Seen, Entry = null, Proof = proof,
        };
        return Statement.Sign(StatementType.Receipt, StrictJson.Write(receipt, StatementJson.Default.Receipt), [office.Keys.Sign], now).Der.ToArray();
    }
}
