using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>kill -9 at the places where something could be lost or done twice.</summary>
public sealed class CrashTests(DevelopmentPki pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_sender_killed_before_the_gateway_hears_of_it_sends_the_same_bytes_once()
    {
        await using var site = await Site.StartAsync(pki);
        await site.OfficeAsync("G22", "directory", "update");
        // A wire on which nothing comes back: not even the handshake.
        using var dead = new Proxy(site.Gateway.Address.Port, silentAfter: 0);
        site.Profile("G22", dead.Address);
        using (var sender = site.StartOffice("G22", "send", site.Document("a.bin", 1), "--to", "H41", "--level", "thuong", "--sheet", site.Sheet("1", "A")))
        {
            using var client = site.Client("G22");
            await Site.UntilAsync(() => Task.FromResult(client.Outbox() is [{ State: OutboxState.Sending }]));
            sender.Kill();
            await sender.WaitForExitAsync(Cancel);
        }
        site.Profile("G22", site.Gateway.Address);
        await DeliveredOnceAsync(site, "a.bin");
    }

    [Fact]
    public async Task A_sender_killed_after_the_commit_and_before_the_receipt_gets_the_first_receipt()
    {
        await using var site = await Site.StartAsync(pki);
        await site.OfficeAsync("G22", "directory", "update");
        // Small enough for the receiver's first window: the whole request gets there although no answer comes back.
        File.WriteAllBytes(site.At("b.bin"), System.Security.Cryptography.RandomNumberGenerator.GetBytes(400_000));
        using (var lossy = new Proxy(site.Gateway.Address.Port, silentAfter: 100_000))
        {
            site.Profile("G22", lossy.Address);
            using var sender = site.StartOffice("G22", "send", site.At("b.bin"), "--to", "H41", "--level", "thuong", "--sheet", site.Sheet("2", "B"));
            using var recipient = site.Client("H41");
            await Site.UntilAsync(async () => (await recipient.InboxAsync(null, 0, all: false, Cancel)).Count == 1);
            sender.Kill();
            await sender.WaitForExitAsync(Cancel);
        }
        using (var client = site.Client("G22")) Assert.Equal(OutboxState.Sending, Assert.Single(client.Outbox()).State);
        site.Profile("G22", site.Gateway.Address);
        await DeliveredOnceAsync(site, "b.bin");
    }

    [Fact]
    public async Task A_gateway_killed_in_the_middle_of_an_upload_loses_nothing_it_gave_a_receipt_for_and_takes_the_rest_again()
    {
        await using var site = await Site.StartAsync(pki);
        var before = await site.SendAsync(site.Document("first.bin", 1), "H14", "3");
        Assert.True(before.Code == 0, before.ToString());
        using (var wire = new Proxy(site.Gateway.Address.Port, silentAfter: long.MaxValue))
        {
            site.Profile("G22", wire.Address);
            using var sender = site.StartOffice("G22", "send", site.Document("c.bin", 60), "--to", "H41", "--level", "thuong", "--sheet", site.Sheet("4", "C"));
            await Site.UntilAsync(() => Task.FromResult(wire.Sent > 4 << 20));
            await site.KillGatewayAsync();
            await sender.WaitForExitAsync(Cancel);
            Assert.Equal(2, sender.ExitCode);
        }
        await site.ServeAsync();
        await DeliveredOnceAsync(site, "c.bin");
        var opened = await site.OfficeAsync("H14", "open", "--all", "--out", site.At("H14", "received"));
        Assert.True(opened.Code == 0, opened.ToString());
        Assert.Contains("first.bin", opened.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_gateway_on_one_folder_refuses_to_start()
    {
        await using var site = await Site.StartAsync(pki);
        var second = await Site.RunAsync(Site.GatewayProgram, ["serve", "--data", site.Data]);
        Assert.NotEqual(0, second.Code);
        Assert.DoesNotContain("listening", second.Out, StringComparison.Ordinal);
        var sent = await site.SendAsync(site.Document("d.bin", 1), "H41");
        Assert.True(sent.Code == 0, sent.ToString());
    }

    static async Task DeliveredOnceAsync(Site site, string name)
    {
        var flushed = await site.OfficeAsync("G22", "outbox", "--send");
        Assert.True(flushed.Code == 0, flushed.ToString());
        using (var client = site.Client("G22"))
            Assert.All(client.Outbox(), e => { Assert.Equal(OutboxState.Accepted, e.State); Assert.False(File.Exists(e.PayloadFile)); });
        using (var recipient = site.Client("H41")) Assert.Single(await recipient.InboxAsync(null, 0, all: true, Cancel));
        var opened = await site.OfficeAsync("H41", "open", "--all", "--out", site.At("H41", "received"));
        Assert.True(opened.Code == 0, opened.ToString());
        var copy = Assert.Single(Directory.GetFiles(site.At("H41", "received"), name, SearchOption.AllDirectories));
        Assert.Equal(File.ReadAllBytes(site.At(name)), File.ReadAllBytes(copy));
        // Nothing is lost and nothing is there twice when everything is said again.
        var again = await site.OfficeAsync("G22", "outbox", "--send");
        Assert.Contains("nothing waits", again.Out, StringComparison.Ordinal);
    }
}
