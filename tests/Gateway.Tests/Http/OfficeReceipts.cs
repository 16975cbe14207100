using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;

namespace Exchange.Tests.Http;

/// <summary>What an office signs about its copy.</summary>
static class OfficeReceipts
{
    public static byte[] Sign(SealedEnvelope envelope, string @event, string office = "H41", string code = "OK", FileKey? signer = null, Func<Receipt, Receipt>? change = null)
    {
        var header = EnvelopeFile.PeekUnverified(envelope.Parts.Header);
        var key = signer ?? DevPkiFolder.Sign(office);
        var now = TimeProvider.System.GetUtcNow();
        var receipt = new Receipt
        {
            V = 1, Type = Receipt.TypeName, Signers = [key.Certificate.Key], Id = Guid.CreateVersion7(now), Event = @event, Code = code, Time = now.ToUnixTimeMilliseconds(), Issuer = office,
            Sender = header.Sender, Envelope = header.Id, Ctx = envelope.Ctx, ManifestDigest = envelope.ManifestDigest, Office = office, Key = header.Recipients.First(r => r.Office == office).Key,
            Signatures = null, Policy = null, Seen = null, Entry = null, Proof = @event == ReceiptEvent.ContentOpening ? Digest.Of("proof"u8) : null,
        };
        if (change is not null) receipt = change(receipt);
        return Statement.Sign(StatementType.Receipt, StrictJson.Write(receipt, StatementJson.Default.Receipt), [key], now).Der.ToArray();
    }
}
