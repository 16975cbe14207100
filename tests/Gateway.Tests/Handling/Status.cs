using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Tests.Http;

namespace Exchange.Tests.Handling;

/// <summary>What an office says about its copy, signed as its own software would.</summary>
static class Status
{
    public static byte[] Sign(SealedEnvelope envelope, long sequence, string code, string office = "H41", string? reason = null, Func<HandlingStatus, HandlingStatus>? change = null, FileKey? signer = null)
    {
        var header = EnvelopeFile.PeekUnverified(envelope.Parts.Header);
        var key = signer ?? DevPkiFolder.Sign(office);
        var status = new HandlingStatus
        {
            V = 1, Type = HandlingStatus.TypeName, Signers = [key.Certificate.Key], Sender = header.Sender, Envelope = header.Id, Ctx = envelope.Ctx, ManifestDigest = envelope.ManifestDigest,
            Office = office, Key = header.Recipients.Single(r => r.Office == office).Key, Sequence = sequence, Code = code, Reason = reason, Answers = null, Time = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        return Statement.Sign(change?.Invoke(status) ?? status, [key], TimeProvider.System.GetUtcNow()).Der.ToArray();
    }
}
