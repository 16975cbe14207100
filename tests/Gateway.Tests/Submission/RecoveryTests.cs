using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Tests.Http;
using Exchange.Tests.Recalling;

namespace Exchange.Tests.Submission;

/// <summary>The policy's recovery keys and the sender's own, through the door by which everything comes: all of them and no other (R18).</summary>
public sealed class RecoveryTests : IAsyncLifetime
{
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.Start();
        await gateway.Handle("thuong", h => h with { Recovery = [DevPkiFolder.Key("offices", "H37", "encrypt.p12").Certificate.Key] });
    }

    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    SealRecipient Of(string office, string role) => new(office, gateway.Host.Shared.Worlds.Current.Directory.Find(office)!.Encryption[0], role);

    async Task<(int, string?)> Submit(Func<SealRequest, SealRequest> change) => await gateway.Submit((await gateway.SealFile("H41", change: change)).File) is var answer ? (answer.Status, answer.Code) : default;

    [Fact]
    public async Task A_dispatch_that_lacks_one_has_one_more_or_one_of_somebody_else_is_refused()
    {
        var refused = (422, "E_RECIPIENT_KEYS");
        Assert.Equal(refused, await Submit(r => r));
        Assert.Equal(refused, await Submit(r => r with { Recipients = [.. r.Recipients, Of("H37", "recovery"), Of("H14", "recovery")] }));
        Assert.Equal(refused, await Submit(r => r with { Recipients = [.. r.Recipients, Of("H14", "recovery")] }));
        // The right key under the name of another office is nobody's current key.
        Assert.Equal((403, "E_NOT_RELEASABLE"), await Submit(r => r with { Recipients = [.. r.Recipients, Of("H37", "recovery") with { Office = "H14" }] }));
        Assert.Equal((201, null), await Submit(r => r with { Recipients = [.. r.Recipients, Of("H37", "recovery")] }));
        // Where the policy is silent about its own key, the sender may keep it or not.
        Assert.Equal((201, null), await Submit(r => r with { Recipients = [.. r.Recipients, Of("H37", "recovery"), Of("G22", "self")] }));
    }

    [Fact]
    public async Task An_office_that_is_to_recover_gets_no_copy_and_opens_what_it_is_handed()
    {
        var (envelope, file) = await gateway.SealFile("H41", change: r => r with { Recipients = [.. r.Recipients, Of("H37", "recovery")] });
        Assert.Equal(201, (await gateway.Submit(file)).Status);
        Assert.Null(await gateway.Parcel(envelope, "H37"));
        Assert.NotNull(await gateway.Parcel(envelope, "H41"));
        Assert.Equal("H41", (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{envelope.IdOf()}")).Json.GetProperty("copies").EnumerateArray().Single().GetProperty("office").GetString());
        var (world, folder) = (gateway.Host.Shared.Worlds.Current, Directory.CreateTempSubdirectory());
        using var payload = new MemoryStream(file[EnvelopeFile.Write(envelope.Parts).Length..]);
        var opened = await Envelope.OpenAsync(new OpenRequest
        {
            Parts = envelope.Parts, Payload = payload, Context = new EnvelopeContext(world.Directory, world.Trust, gateway.Clock.GetUtcNow()), Office = "H37", Key = DevPkiFolder.Key("offices", "H37", "encrypt.p12"),
            Folder = folder.FullName, OfficeSignsDispatch = false,
        }, default);
        Assert.Equal(1000, new FileInfo(Assert.Single(opened.Files)).Length);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Updates_recalls_and_replacements_are_sealed_to_them_as_well()
    {
        SealRequest With(SealRequest r) => r with { Recipients = [.. r.Recipients, Of("H37", "recovery")] };
        var (original, _) = await gateway.SendKept("H41", "H14", change: With);
        Assert.Equal("E_RECIPIENT_KEYS", (await gateway.Hand(gateway.Reseal(original, "H14"))).Code);
        var update = gateway.Reseal(original, "H14", besides: Of("H37", "recovery"));
        Assert.Equal(201, (await gateway.Hand(update)).Status);
        Assert.Null(await gateway.Parcel(update, "H37"));
        foreach (var (kind, revision) in new[] { ("recall", 2), ("replace", 3) })
        {
            SealRequest About(SealRequest r) => r with
            {
                Kind = kind, Documents = kind == "recall" ? [] : r.Documents, Revises = kind == "replace" ? original.DispatchRef : null, References = [new Reference(kind, original.IdOf(), original.Ctx, revision)],
            };
            Assert.Equal((422, "E_RECIPIENT_KEYS"), await Submit(About));
            Assert.Equal((201, null), await Submit(r => About(With(r))));
        }
    }

    [Fact]
    public async Task One_whose_office_is_not_cleared_keeps_everything_in_and_the_senders_own_goes_by_the_policy()
    {
        await gateway.Handle("thuong", h => h with { Recovery = [], Self = true });
        Assert.Equal((422, "E_RECIPIENT_KEYS"), await Submit(r => r));
        Assert.Equal((201, null), await Submit(r => r with { Recipients = [.. r.Recipients, Of("G22", "self")] }));
        await gateway.Handle("thuong", h => h with { Recovery = [], Self = false });
        Assert.Equal((422, "E_RECIPIENT_KEYS"), await Submit(r => r with { Recipients = [.. r.Recipients, Of("G22", "self")] }));
        await gateway.Handle("thuong", h => h with { Recovery = [DevPkiFolder.Key("offices", "H37", "encrypt.p12").Certificate.Key] });
        await gateway.TakeClearanceFrom("H37");
        Assert.Equal((403, "E_NOT_RELEASABLE"), await Submit(r => r with { Recipients = [.. r.Recipients, Of("H37", "recovery")] }));
    }
}
