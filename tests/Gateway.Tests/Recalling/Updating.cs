using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Tests.Http;

namespace Exchange.Tests.Recalling;

/// <summary>What G22 sends to some offices now and to others later, without its author.</summary>
static class Updating
{
    /// <summary>A dispatch that its author also wrote to others, who do not get it yet.</summary>
    /// <param name="later">Office codes, separated by commas.</param>
    public static Task<(SealedEnvelope Envelope, byte[] File)> SealKept(this TestGateway gateway, string to, string later, string level = "thuong", int size = 1000, Func<SealRequest, SealRequest>? change = null) =>
        gateway.SealFile(to, level, r =>
        {
            r = r with { To = [.. r.To, .. later.Split(',')], Keeper = DevPkiFolder.Key("offices", "G22", "encrypt.p12").Certificate };
            return change?.Invoke(r) ?? r;
        }, size);

    public static async Task<(SealedEnvelope Envelope, byte[] File)> SendKept(this TestGateway gateway, string to, string later, string level = "thuong", int size = 1000, Func<SealRequest, SealRequest>? change = null)
    {
        var (envelope, file) = await gateway.SealKept(to, later, level, size, change);
        var answer = await gateway.Submit(file);
        Assert.True(answer.Status == 201, answer.Text);
        return (envelope, file);
    }

    public static SealedEnvelope Reseal(this TestGateway gateway, SealedEnvelope original, string add, int revision = 1, params SealRecipient[] besides)
    {
        var (world, now, header) = (gateway.Host.Shared.Worlds.Current, gateway.Clock.GetUtcNow(), EnvelopeFile.PeekUnverified(original.Parts.Header));
        return Envelope.Reseal(new ResealRequest
        {
            Original = original.Parts, Kept = original.Kept, Keepers = [DevPkiFolder.Key("offices", "G22", "encrypt.p12")], Id = Guid.CreateVersion7(now), Revision = revision,
            Recipients = [.. add.Split(',').Select(o => new SealRecipient(o, world.Directory.Find(o)!.Encryption[0], "to")), .. besides], Urgency = header.Urgency,
            Times = new Times(null, now.AddDays(5).ToUnixTimeMilliseconds(), null), Policy = world.Policy.Ref, Directory = world.Directory.Ref, Seen = null, Office = DevPkiFolder.Sign("G22"),
            ManifestBucket = world.Policy.Level(header.Label.Class)!.ManifestBucket,
        }, gateway.Clock);
    }

    /// <summary>Header, approvals and manifest: all of an update that travels.</summary>
    public static Task<Answer> Hand(this TestGateway gateway, SealedEnvelope update) => gateway.Submit(EnvelopeFile.Write(update.Parts));

    public static async Task<SealedEnvelope> Update(this TestGateway gateway, SealedEnvelope original, string add, int revision = 1)
    {
        var update = gateway.Reseal(original, add, revision);
        var answer = await gateway.Hand(update);
        Assert.True(answer.Status == 201, answer.Text);
        return update;
    }

    public static Guid IdOf(this SealedEnvelope envelope) => EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;

    /// <summary>The copy of one office; null: it has none.</summary>
    public static async Task<Guid?> Parcel(this TestGateway gateway, SealedEnvelope envelope, string office) => (await TestGateway.Send(gateway.As(office), HttpMethod.Get, "/mailbox?all=true")).Json.GetProperty("parcels")
        .EnumerateArray().Where(p => p.GetProperty("envelope").GetGuid() == envelope.IdOf()).Select(p => (Guid?)p.GetProperty("parcel").GetGuid()).SingleOrDefault();

    public static async Task<Answer> Fetch(this TestGateway gateway, SealedEnvelope envelope, string office) =>
        await TestGateway.Send(gateway.As(office), HttpMethod.Get, $"/mailbox/{await gateway.Parcel(envelope, office)}");

    /// <summary>What the office has to get: the parts of the update, and the payload that came with the original.</summary>
    public static byte[] Whole(SealedEnvelope update, SealedEnvelope original, byte[] file) => [.. EnvelopeFile.Write(update.Parts), .. file[EnvelopeFile.Write(original.Parts).Length..]];
}
