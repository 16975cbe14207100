using System.Diagnostics;
using System.Globalization;
using Exchange.Office.Dev;

namespace Exchange.Tests;

/// <summary>As many recipients as a dispatch may have, and as many documents as offices ever put into one, through the real programs. Times and memory are printed; memory has a bound.</summary>
public sealed class LimitsTests(DevelopmentPki pki, ITestOutputHelper output)
{
    const long MostKiB = 600 * 1024;

    async Task<Ran> Timed(string what, Task<Ran> run)
    {
        var clock = Stopwatch.StartNew();
        var ran = await run;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {clock.Elapsed.TotalSeconds:0.0} s, peak {ran.PeakKiB / 1024.0:0} MiB"));
        Assert.True(ran.Code == 0, ran.ToString());
        Assert.InRange(ran.PeakKiB, 1, MostKiB);
        return ran;
    }

    [Fact, Trait("tier", "long")]
    public async Task Ten_thousand_documents_go_in_one_dispatch_and_come_out_as_they_were()
    {
        await using var site = await Site.StartAsync(pki);
        var folder = Directory.CreateDirectory(site.At("d")).FullName;
        string[] names = [.. Enumerable.Range(0, 10_000).Select(i => string.Create(CultureInfo.InvariantCulture, $"hồ sơ {i:00000}.txt"))];
        foreach (var name in names) File.WriteAllText(Path.Combine(folder, name), name + string.Concat(Enumerable.Repeat(" nội dung", name.GetHashCode(StringComparison.Ordinal) & 31)));
        await Timed("send 10,000 documents", site.OfficeProgramAsync("G22", ["send", .. names.Select(n => Path.Combine(folder, n)), "--to", "H41,H37", "--level", "thuong", "--sheet", site.Sheet("7816", "Thử nghiệm")]));
        foreach (var office in new[] { "H41", "H37" })
        {
            await Timed($"open 10,000 documents at {office}", site.OfficeProgramAsync(office, "open", "--all", "--out", site.At(office, "received")));
            var received = Assert.Single(Directory.GetDirectories(site.At(office, "received")));
            Assert.Equal(names, Directory.GetFiles(received).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
            Assert.All(names, n => Assert.Equal(File.ReadAllText(Path.Combine(folder, n)), File.ReadAllText(Path.Combine(received, n))));
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"gateway: peak {Site.PeakKiB(site.Gateway.Id) / 1024.0:0} MiB"));
    }

    [Fact, Trait("tier", "long")]
    public async Task A_thousand_offices_get_one_dispatch_each_a_copy_and_the_first_and_last_of_them_open_it()
    {
        string[] codes = [.. Enumerable.Range(1, 997).Select(i => string.Create(CultureInfo.InvariantCulture, $"T{i:0000}"))];
        var clock = Stopwatch.StartNew();
        using var many = new DevelopmentPki([.. codes.Select(code => new DevOffice(code, new($"Cơ quan {code}", $"Office {code}"), [10], [2]))]);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"development PKI of 1,001 offices: {clock.Elapsed.TotalSeconds:0.0} s"));
        await using var site = await Site.StartAsync(many);
        string[] to = ["H14", "H37", "H41", .. codes];
        await Timed("send to 1,000 offices", site.OfficeProgramAsync("G22", "send", site.Document("a.bin", 1), "--to", string.Join(',', to), "--level", "thuong", "--sheet", site.Sheet("7816", "Thử nghiệm")));
        var status = await Timed("status of 1,000 copies", site.OfficeProgramAsync("G22", "status", "--json"));
        using var json = System.Text.Json.JsonDocument.Parse(status.Out);
        Assert.Equal(to.Order(StringComparer.Ordinal), json.RootElement[0].GetProperty("copies").EnumerateArray().Where(c => c.GetProperty("state").GetString() == "available").Select(c => c.GetProperty("office").GetString()!).Order(StringComparer.Ordinal));
        foreach (var office in new[] { "H14", "H37", codes[^1] })
        {
            site.Profile(office, site.Gateway.Address);
            await Timed($"open one of 1,000 copies at {office}", site.OfficeProgramAsync(office, "open", "--all", "--out", site.At(office, "received")));
            Assert.Equal(File.ReadAllBytes(site.At("a.bin")), File.ReadAllBytes(Assert.Single(Directory.GetFiles(site.At(office, "received"), "*", SearchOption.AllDirectories))));
        }
        // One more than a dispatch may have is refused before anything is sealed.
        var refused = await site.OfficeAsync("G22", "send", site.At("a.bin"), "--to", string.Join(',', to.Append("G22")), "--level", "thuong", "--sheet", site.Sheet("7817", "Thử nghiệm"));
        Assert.NotEqual(0, refused.Code);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"gateway: peak {Site.PeakKiB(site.Gateway.Id) / 1024.0:0} MiB"));
    }
}
