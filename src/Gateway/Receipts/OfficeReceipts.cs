using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Receipts;

/// <summary>Whether a receipt is what an office may say of its copy. It comes by the office's own request, or in the answer of its endpoint.</summary>
static class OfficeReceipts
{
    /// <summary>An office receipt with its certificate; ours are about 3 KiB.</summary>
    public const int MaxBytes = 64 << 10;

    /// <summary>The office's, by a key of now, about exactly this copy.</summary>
    /// <param name="skewSeconds">By which its clock may be ahead.</param>
    /// <exception cref="RefusedException">SignerUnknown, Receipt, or what the certificate is refused for.</exception>
    public static Receipt Verify(ParcelRow row, DispatchRow dispatch, ReadOnlyMemory<byte> der, World world, DateTimeOffset now, long skewSeconds)
    {
        var office = row.Office;
        var statement = Statement.Read(der, StatementType.Receipt);
        var receipt = statement.As<Receipt>();
        if (statement.Signers is not [var signer] || world.Directory.Find(office) is not { } entry || !entry.Signing.Contains(signer)) throw new RefusedException(Refusal.SignerUnknown);
        world.Trust.Demand(signer, Purpose.OfficeSigning, now);

        Demand(receipt.Event is ReceiptEvent.ContentHandover or ReceiptEvent.ContentOpening or ReceiptEvent.ContentOpeningFailure, "event");
        Demand(receipt.Event == ReceiptEvent.ContentOpeningFailure ? Refusal.All.ContainsKey(receipt.Code) : receipt.Code == "OK", "code");
        Demand(receipt.Issuer == office && receipt.Office == office && receipt.Key == row.Key, "copy");
        Demand(receipt.Sender == dispatch.Sender && receipt.Envelope == dispatch.Envelope && receipt.Ctx == dispatch.Ctx && receipt.ManifestDigest == dispatch.ManifestDigest, "envelope");
        Demand(receipt.Signatures is null && receipt.Policy is null && receipt.Entry is null, "members of a gateway's receipt");
        // What the proof is worth only the sender can tell: it needs R. Here it is only there or not.
        Demand(receipt.Proof is not null == (receipt.Event == ReceiptEvent.ContentOpening), "proof");
        Demand(receipt.Time <= now.AddSeconds(skewSeconds).ToUnixTimeMilliseconds(), "time in the future");
        return receipt;
    }

    static void Demand(bool holds, string what)
    {
        if (!holds) throw new RefusedException(Refusal.Receipt, what);
    }
}
