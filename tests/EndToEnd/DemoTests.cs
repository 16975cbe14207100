namespace Exchange.Tests;

/// <summary>What ./run tells, as ./run starts it.</summary>
public sealed class DemoTests(DevelopmentPki pki)
{
    [Fact]
    public Task A_demonstration_comes_out_as_told() => ComesOut("vi");

    [Fact, Trait("tier", "long")]
    public Task Two_demonstrations_at_once_both_come_out_as_told() => ComesOut("en", "vi");

    async Task ComesOut(params string[] languages)
    {
        var folder = Directory.CreateTempSubdirectory("exchange-demo-");
        try
        {
            var large = Path.Combine(folder.FullName, "large.bin");
            File.WriteAllBytes(large, new byte[20 << 20]);
            Task<Ran> Demo(string name, string language) => Site.RunAsync(Site.Exchange, ["dev", "demo", "--gateway-program", Site.GatewayProgram, "--pki", pki.Folder.FullName,
                "--work", Path.Combine(folder.FullName, name), "--samples", Samples(), "--large", large, "--once", "--lang", language]);
            var ran = await Task.WhenAll(languages.Select((language, n) => Demo($"{n}", language)));
            Assert.All(ran, r => Assert.True(r.Code == 0, r.ToString()));
            foreach (var (said, language) in ran.Select(r => r.Out).Zip(languages))
            {
                Assert.All(["E_NOT_RELEASABLE", "E_PAYLOAD_ROOT", "Văn bản không được phép chuyển tới nơi nhận đã nêu."], word => Assert.Contains(word, said, StringComparison.Ordinal));
                Assert.All(language == "en" ? English : Vietnamese, word => Assert.Contains(word, said, StringComparison.Ordinal));
                Assert.Matches(language == "en" ? "H41 says: 01 arrived .*, 03 registered" : "H41 báo: 01 .*, 03 ", said);
            }
        }
        finally { folder.Delete(recursive: true); }
    }

    static readonly string[] English =
    [
        "H41: 3 of 3 equal by SHA-256", "H14: 3 of 3 equal by SHA-256", "H37: 3 of 3 equal by SHA-256", "it still waits for 1 of 2 persons: release-officer or signatory",
        "H41: stopped before it was handed over", "H37: 1 of 1 equal by SHA-256", "opened, proven", "time-stamped  ", "there by ",
    ];
    static readonly string[] Vietnamese = ["H41: 3/3 tài liệu trùng SHA-256", "H14: 3/3 tài liệu trùng SHA-256", "H37: 3/3 tài liệu trùng SHA-256", "H37: 1/1 tài liệu trùng SHA-256", "đã dừng trước khi giao", "đã mở, có bằng chứng", "văn bản đã được phép chuyển", "Tài liệu thu hồi", "đã có dấu thời gian", "there by ", "R07  từ chối    H14        class", "Mọi việc đúng như đã kể"];

    internal static string Samples()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, "samples")) && File.Exists(Path.Combine(folder.FullName, "Exchange.sln"))) return Path.Combine(folder.FullName, "samples");
        throw new DirectoryNotFoundException("samples");
    }
}
