using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Gateway.Store;
using Exchange.Office.Dev;
using Exchange.Tests.Delivery;
using Exchange.Tests.Http;

namespace Exchange.Tests.Revocation;

/// <summary>CAs, or the way to them, fail: levels stop one after the other, and nothing that was acknowledged ends on it.</summary>
public sealed class OutageTests : IAsyncLifetime
{
    readonly ScriptedAdapter h41 = new();
    TestGateway gateway = null!;
    int number = 1;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start(adapters: h41);
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    Task List(TimeSpan age, TimeSpan life)
    {
        using var issuing = DevAuthority.Of(X509CertificateLoader.LoadPkcs12FromFile(DevPkiFolder.At("ca", "issuing.p12"), DevPkiFolder.Passphrase, X509KeyStorageFlags.Exportable));
        var now = gateway.Clock.GetUtcNow();
        return gateway.Activate(issuing.Crl(++number, now - age, now + life));
    }

    async Task<(int, string?)> Submit(string level)
    {
        var answer = await gateway.Submit((await gateway.SealFile("H41", level)).File);
        return (answer.Status, answer.Status == 202 ? answer.Receipt.Code : answer.Code);
    }

    ParcelState State(SealedEnvelope envelope)
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        var dispatch = DispatchTable.Find(reader, "G22", EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id)!;
        return ParcelTable.OfDispatch(reader, "G22", dispatch.Id).Single().State;
    }

    [Fact]
    public async Task Old_lists_are_permitted_held_or_denied_as_the_level_says()
    {
        var asked = new Dictionary<string, PolicyFreshness> { ["thuong"] = new(60, "permit"), ["mat"] = new(30, "hold"), ["toi-mat"] = new(30, "deny"), ["tuyet-mat"] = new(30, "deny") };
        await gateway.Govern(p => p with { Levels = [.. p.Levels.Select(l => l with { Handling = l.Handling with { Revocation = asked[l.Code] } })] });
        await List(TimeSpan.FromMinutes(29), TimeSpan.FromDays(9));
        Assert.Equal((201, null), await Submit("mat"));
        await List(TimeSpan.FromMinutes(31), TimeSpan.FromDays(9));
        Assert.Equal((202, "E_REVOCATION_LATE"), await Submit("mat"));
        await List(TimeSpan.FromDays(300), TimeSpan.FromDays(9));
        Assert.Equal((201, null), await Submit("thuong"));
        Assert.Equal((403, "E_REVOCATION_LATE"), await Submit("toi-mat"));
        // What was held goes on by itself when a list comes.
        await List(TimeSpan.Zero, TimeSpan.FromDays(9));
        await gateway.Host.Loops.StepAll();
        using var reader = gateway.Host.Shared.Engine.Reader();
        Assert.Equal(3, reader.One<long>("SELECT count(*) FROM dispatch"));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Copies_wait_while_nobody_speaks_about_certificates_also_over_a_restart(bool restart)
    {
        await gateway.Reach("H41", "https");
        await List(TimeSpan.Zero, TimeSpan.FromHours(1));
        var (envelope, file) = await gateway.SealFile("H41");
        Assert.Equal(201, (await gateway.Submit(file)).Status);
        gateway.Clock.Advance(TimeSpan.FromHours(2));
        if (restart) await gateway.Restart();
        await gateway.Deliver();
        Assert.Empty(h41.Received);
        Assert.Equal(ParcelState.Queued, State(envelope));
        await List(TimeSpan.Zero, TimeSpan.FromHours(9));
        gateway.Clock.Advance(TimeSpan.FromHours(2));
        await gateway.Host.Loops.StepAll();
        await gateway.Deliver();
        Assert.Equal(file, Assert.Single(h41.Received));
    }

    [Fact]
    public async Task No_level_is_so_low_that_what_is_revoked_is_taken()
    {
        await gateway.Handle("thuong", h => h with { Revocation = new(60, "permit") });
        var (_, file) = await gateway.SealFile("H41");
        // The key's own, which other tests use too.
        var sign = DevPkiFolder.Sign("G22").ForTls;
        using var issuing = DevAuthority.Of(X509CertificateLoader.LoadPkcs12FromFile(DevPkiFolder.At("ca", "issuing.p12"), DevPkiFolder.Passphrase, X509KeyStorageFlags.Exportable));
        var now = gateway.Clock.GetUtcNow();
        await gateway.Activate(issuing.Crl(2, now.AddDays(-300), now.AddDays(9), (sign, now.AddDays(-299))));
        Assert.Equal("E_SIGNER_UNKNOWN", (await gateway.Submit(file)).Code);
    }
}
