using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;

namespace Exchange.Gateway.Receipts;

/// <summary>Which copy of which envelope a receipt is about. Office and key are null for the submission itself.</summary>
sealed record ReceiptSubject(string Sender, Guid Envelope, Digest Ctx, Digest? ManifestDigest, string? Office, Digest? Key);

/// <summary>A receipt, signed, with the entry it promises: both go into one commit.</summary>
sealed record SignedReceipt(Receipt Content, byte[] Der, LedgerEntry Entry)
{
    public Digest Hash { get; } = Digest.Of(Der);
}

/// <summary>Signs the gateway's receipts, always before the writer: the receipt names the leaf, and the writer only gives the leaf its place.</summary>
sealed class Evidence(IPrivateKey key, string origin, TimeSpan promise)
{
    /// <summary>Ids of receipts: UUIDv7 of a time.</summary>
    public Func<DateTimeOffset, Guid> NewId { get; init; } = Guid.CreateVersion7;

    public SignedReceipt Sign(string @event, string code, ReceiptSubject subject, LedgerEntry entry, Digest policy, DateTimeOffset now, Digest[]? signatures = null)
    {
        var time = now.ToUnixTimeMilliseconds();
        var content = new Receipt
        {
            V = 1, Type = Receipt.TypeName, Signers = [key.Certificate.Key],
            Id = NewId(now), Event = @event, Code = code, Time = time, Issuer = origin,
            Sender = subject.Sender, Envelope = subject.Envelope, Ctx = subject.Ctx, ManifestDigest = subject.ManifestDigest,
            Office = subject.Office, Key = subject.Key, Signatures = signatures, Policy = policy, Seen = null,
            // Salt and detail are what the holder needs to demand inclusion of the leaf.
            Entry = new(entry.Leaf, new Digest(entry.Salt), Encoding.UTF8.GetString(entry.Detail), time + (long)promise.TotalMilliseconds), Proof = null,
        };
        var json = StrictJson.Write(content, StatementJson.Default.Receipt);
        return new SignedReceipt(content, Statement.Sign(StatementType.Receipt, json, [key], now).Der.ToArray(), entry);
    }
}
