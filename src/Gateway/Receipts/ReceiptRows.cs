using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Receipts;

/// <summary>Receipts as rows.</summary>
static class ReceiptRows
{
    public static ReceiptRow Rejection(SignedReceipt receipt) => Of(receipt, dispatch: null, parcel: null);

    public static ReceiptRow Of(SignedReceipt receipt, Guid? dispatch, Guid? parcel) =>
        Of(receipt.Content, receipt.Der, receipt.Entry.Leaf, dispatch, parcel);

    /// <param name="leaf">The entry that records this receipt's step.</param>
    public static ReceiptRow Of(Receipt content, byte[] der, Digest leaf, Guid? dispatch, Guid? parcel) => new()
    {
        Id = content.Id, Dispatch = dispatch, Parcel = parcel, Sender = content.Sender, Envelope = content.Envelope, Office = content.Office,
        Event = content.Event, Code = content.Code, Issuer = content.Issuer, Time = content.Time, Leaf = leaf, Sha256 = Digest.Of(der), Der = der,
    };
}
