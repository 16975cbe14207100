namespace Exchange.Tests;

/// <summary>Memory does not grow with the payload: VmHWM of every process, from the kernel.</summary>
public sealed class MemoryTests(DevelopmentPki pki, ITestOutputHelper output)
{
    [Fact, Trait("tier", "long")]
    public async Task Peak_memory_with_1_GB_is_within_20_MB_of_that_with_30_MB_in_every_process()
    {
        var small = await PeaksAsync(30);
        var large = await PeaksAsync(1000);
        foreach (var name in small.Keys) output.WriteLine($"{name}: {small[name] / 1024.0:0.0} MiB with 30 MB, {large[name] / 1024.0:0.0} MiB with 1 GB");
        Assert.All(small.Keys, name => Assert.True(large[name] - small[name] < 20 * 1024, $"{name}: {small[name]} KiB, then {large[name]} KiB"));
    }

    async Task<Dictionary<string, long>> PeaksAsync(int megabytes)
    {
        await using var site = await Site.StartAsync(pki);
        var sent = await site.OfficeProgramAsync("G22", "send", site.Document("large.bin", megabytes), "--to", "H41", "--level", "thuong", "--sheet", site.Sheet("7816", "Thử nghiệm"));
        Assert.True(sent.Code == 0, sent.ToString());
        var opened = await site.OfficeProgramAsync("H41", "open", "--all", "--out", site.At("H41", "received"));
        Assert.True(opened.Code == 0, opened.ToString());
        return new() { ["send"] = sent.PeakKiB, ["open"] = opened.PeakKiB, ["gateway"] = Site.PeakKiB(site.Gateway.Id) };
    }
}
