using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Release;
using Exchange.Office.Join;
using Exchange.Tests.Http;
using Exchange.Tests.Recalling;

namespace Exchange.Tests.Release;

/// <summary>Two keys for each purpose while one follows the other: both are good, the newer is used for what is new, and the one that went ends what still waits for it.</summary>
public sealed class RollOverTests : IAsyncLifetime
{
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start();
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    async Task<int> Opens(SealedEnvelope envelope, FileKey key, string office = "H41")
    {
        var (world, folder) = (gateway.Host.Shared.Worlds.Current, Directory.CreateTempSubdirectory());
        try
        {
            var got = (await gateway.Fetch(envelope, office)).Body;
            var opened = await Envelope.OpenAsync(new OpenRequest
            {
                Parts = envelope.Parts, Payload = new MemoryStream(got[EnvelopeFile.Write(envelope.Parts).Length..]), Context = new EnvelopeContext(world.Directory, world.Trust, gateway.Clock.GetUtcNow()), Office = office, Key = key,
                Folder = folder.FullName, OfficeSignsDispatch = false,
            }, default);
            return opened.Files.Count;
        }
        finally { folder.Delete(recursive: true); }
    }

    static FileKey New(KeyUse use, string office = "H41") => FileKey.Of(NewKeys.Issue(office, use));

    [Fact]
    public async Task What_is_under_way_to_the_old_key_opens_and_what_is_new_goes_to_the_new_one()
    {
        var (before, file) = await gateway.SealFile("H41");
        Assert.Equal(201, (await gateway.Submit(file)).Status);
        // One that was sealed before and comes after.
        var (between, late) = await gateway.SealFile("H41");
        var key = New(KeyUse.Encrypt);
        await gateway.Roll("H41", [("encrypt", key.Certificate)], []);
        Assert.Equal(201, (await gateway.Submit(late)).Status);
        var (after, fresh) = await gateway.SealFile("H41");
        Assert.Equal(201, (await gateway.Submit(fresh)).Status);
        Assert.Equal(key.Certificate.Key, EnvelopeFile.PeekUnverified(after.Parts.Header).Recipients.Single().Key);
        var old = DevPkiFolder.Key("offices", "H41", "encrypt.p12");
        Assert.Equal((1, 1, 1), (await Opens(before, old), await Opens(between, old), await Opens(after, key)));
        await Assert.ThrowsAsync<RefusedException>(() => Opens(after, old));
        // Nothing is ended while both stand in the card.
        Assert.Equal(0, await Retire());
    }

    [Fact]
    public async Task Headers_receipts_and_connections_are_good_by_either_key_and_by_the_old_one_only_while_the_card_names_it()
    {
        var sign = New(KeyUse.Sign, "G22");
        await gateway.Roll("G22", [("sign", sign.Certificate)], []);
        foreach (var key in new[] { sign, DevPkiFolder.Sign("G22") }) Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41", change: r => r with { Office = key })).File)).Status);

        var (theirs, tls) = (New(KeyUse.Sign), NewKeys.Issue("H41", KeyUse.Tls));
        await gateway.Roll("H41", [("sign", theirs.Certificate), ("tls", new Certificate(tls.RawData))], []);
        foreach (var (signer, client) in new[] { (theirs, gateway.As(tls)), (DevPkiFolder.Sign("H41"), gateway.As("H41")) })
        {
            var (envelope, file) = await gateway.SealFile("H41");
            Assert.Equal(201, (await gateway.Submit(file)).Status);
            Assert.Equal(201, (await TestGateway.Send(client, HttpMethod.Post, $"/mailbox/{await gateway.Parcel(envelope, "H41")}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover, "H41", signer: signer))).Status);
        }
        // The card after that drops the old ones, signed by a key of this one.
        await gateway.Roll("G22", [], [], sign);
        await gateway.Roll("G22", [("sign", sign.Certificate)], ["sign"], sign);
        Assert.Equal("E_SIGNER_UNKNOWN", (await gateway.Submit((await gateway.SealFile("H41")).File)).Code);
        await gateway.Roll("H41", [("tls", new Certificate(tls.RawData))], ["tls"], theirs);
        Assert.Equal(200, (await TestGateway.Send(gateway.As(tls), HttpMethod.Get, "/mailbox")).Status);
        // The old one does not get through the handshake.
        await Assert.ThrowsAsync<HttpRequestException>(() => TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox"));
    }

    Task<int> Retire() => new EndRetired(gateway.Host.Shared, new EndParcel(gateway.Host.Shared)).Step(gateway.Clock.GetUtcNow());

    async Task<string> Copy(SealedEnvelope envelope) =>
        (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{envelope.IdOf()}")).Json.GetProperty("copies")[0] is var copy ? $"{copy.GetProperty("state").GetString()} {copy.GetProperty("code").GetString()}".TrimEnd() : "";

    [Fact]
    public async Task A_key_that_left_the_card_ends_what_waits_for_it_and_the_sender_is_told_why()
    {
        var (waits, file) = await gateway.SealFile("H41");
        Assert.Equal(201, (await gateway.Submit(file)).Status);
        var (fetched, second) = await gateway.SealFile("H41");
        Assert.Equal(201, (await gateway.Submit(second)).Status);
        var (other, third) = await gateway.SealFile("H14");
        Assert.Equal(201, (await gateway.Submit(third)).Status);
        await gateway.Roll("H41", [("encrypt", New(KeyUse.Encrypt).Certificate)], ["encrypt"]);
        // Whoever asks first is told so, and at the next beat all of them have ended.
        Assert.Equal((410, "E_KEY_RETIRED"), await gateway.Fetch(fetched, "H41") is var answer ? (answer.Status, answer.Code) : default);
        Assert.Equal("refused E_KEY_RETIRED", await Copy(fetched));
        Assert.Equal(1, await Retire());
        Assert.Equal(("refused E_KEY_RETIRED", "available"), (await Copy(waits), await Copy(other)));
        Assert.Equal((410, "E_KEY_RETIRED"), await gateway.Fetch(waits, "H41") is var late ? (late.Status, late.Code) : default);
        var receipts = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{waits.IdOf()}/receipts")).Json.GetProperty("receipts").EnumerateArray().Select(r => $"{r.GetProperty("event").GetString()} {r.GetProperty("code").GetString()}");
        Assert.Contains("ContentConsignmentFailure E_KEY_RETIRED", receipts);
        Assert.Contains("exchange resend", Refusal.KeyRetired.RemedyEn, StringComparison.Ordinal);
    }
}
