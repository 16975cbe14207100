using Exchange.Crypto.Envelope;
using Exchange.Tests.Http;

namespace Exchange.Tests.Operations;

/// <summary>What must not be in anything that leaves for those who watch.</summary>
static class Canaries
{
    public static void NoneIn(string text, TestGateway gateway, SealedEnvelope envelope, params Guid[] ids)
    {
        var header = EnvelopeFile.PeekUnverified(envelope.Parts.Header);
        var world = gateway.Host.Shared.Worlds.Current;
        List<string> canaries = [TestGateway.SecretSubject, "a.txt", "PLANTED", DevPkiFolder.Passphrase, header.Id.ToString(), envelope.Ctx.ToString(), header.Label.Mark, "MẬT", gateway.Data, .. ids.Select(id => id.ToString())];
        foreach (var canary in canaries.Where(c => c.Length > 0)) Assert.DoesNotContain(canary, text, StringComparison.OrdinalIgnoreCase);
        // Codes are short: as words, so that no digits of a number are taken for one.
        foreach (var office in world.Directory.Offices) Assert.DoesNotMatch($@"\b{office.Code}\b", text);
    }
}
