using System.Globalization;

namespace Exchange.Tests;

/// <summary>A line that breaks in the middle of a large payload costs what was on the line, not what had come.</summary>
public sealed class ResumeTests(DevelopmentPki pki, ITestOutputHelper output)
{
    const int Megabytes = 110;
    const long Allowed = (2L << 20) + (64L << 20);

    [Fact]
    public async Task An_upload_cut_in_the_middle_goes_on_where_it_was()
    {
        await using var site = await Site.StartAsync(pki);
        var file = site.Document("large.bin", Megabytes);
        await site.OfficeAsync("G22", "directory", "update");
        using var wire = new Proxy(site.Gateway.Address.Port, cutAfter: 80L << 20);
        site.Profile("G22", wire.Address);
        var sent = await site.SendAsync(file, "H41");
        Assert.True(sent.Code == 0, sent.ToString());
        Assert.True(wire.WasCut);
        await Whole(site, file, wire.Sent);
    }

    [Fact]
    public async Task A_sender_started_again_goes_on_where_the_one_that_was_killed_had_come()
    {
        await using var site = await Site.StartAsync(pki);
        var file = site.Document("large.bin", Megabytes);
        await site.OfficeAsync("G22", "directory", "update");
        using var wire = new Proxy(site.Gateway.Address.Port);
        site.Profile("G22", wire.Address);
        using (var sender = site.StartOffice("G22", "send", file, "--to", "H41", "--level", "thuong", "--sheet", site.Sheet("1", "A")))
        {
            await Site.UntilAsync(() => Task.FromResult(wire.Sent > 80L << 20));
            sender.Kill();
            await sender.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        // The gateway may still be making the last segments durable: then it says so and the sender asks again.
        var flushed = await site.OfficeAsync("G22", "outbox", "--send");
        Assert.True(flushed.Code == 0, flushed.ToString());
        await Whole(site, file, wire.Sent);
    }

    async Task Whole(Site site, string file, long sent)
    {
        var again = sent - new FileInfo(file).Length;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"sent again, with all that is not payload: {again / 1048576.0:0.0} MiB"));
        Assert.InRange(again, 0, Allowed);
        var opened = await site.OfficeAsync("H41", "open", "--all", "--out", site.At("H41", "received"));
        Assert.True(opened.Code == 0, opened.ToString());
        var copy = Assert.Single(Directory.GetFiles(site.At("H41", "received"), "large.bin", SearchOption.AllDirectories));
        Assert.True(File.ReadAllBytes(file).AsSpan().SequenceEqual(File.ReadAllBytes(copy)));
    }
}
