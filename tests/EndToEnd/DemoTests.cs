namespace Exchange.Tests;

/// <summary>What ./run tells, as ./run starts it.</summary>
public sealed class DemoTests(DevelopmentPki pki)
{
    [Fact]
    public async Task Two_demonstrations_at_once_both_come_out_as_told()
    {
        var folder = Directory.CreateTempSubdirectory("exchange-demo-");
        try
        {
            var large = Path.Combine(folder.FullName, "large.bin");
            File.WriteAllBytes(large, new byte[20 << 20]);
            Task<Ran> Demo(string name, string language) => Site.RunAsync(Site.Exchange, ["dev", "demo", "--gateway-program", Site.GatewayProgram, "--pki", pki.Folder.FullName,
                "--work", Path.Combine(folder.FullName, name), "--samples", Samples(), "--large", large, "--once", "--lang", language]);
            var ran = await Task.WhenAll(Demo("one", "en"), Demo("two", "vi"));
            Assert.All(ran, r => Assert.True(r.Code == 0, r.ToString()));
            Assert.All(["H41", "H14", "H37"], office => Assert.Contains($"{office}: 3 of 3 equal by SHA-256", ran[0].Out, StringComparison.Ordinal));
            Assert.Contains("it still waits for 1 of 2 persons: release-officer or signatory", ran[0].Out, StringComparison.Ordinal);
            Assert.Contains("văn bản đã được phép chuyển", ran[1].Out, StringComparison.Ordinal);
            Assert.Contains("E_NOT_RELEASABLE", ran[0].Out, StringComparison.Ordinal);
            Assert.Contains("E_PAYLOAD_ROOT", ran[0].Out, StringComparison.Ordinal);
            Assert.Contains("Tài liệu thu hồi", ran[1].Out, StringComparison.Ordinal);
            Assert.Contains("R07  từ chối    H14        class", ran[1].Out, StringComparison.Ordinal);
            Assert.Matches("H41 says: 01 arrived .*, 03 registered", ran[0].Out);
            Assert.Contains("H41: stopped before it was handed over", ran[0].Out, StringComparison.Ordinal);
            Assert.Contains("H37: 1 of 1 equal by SHA-256", ran[0].Out, StringComparison.Ordinal);
            Assert.Contains("opened, proven", ran[0].Out, StringComparison.Ordinal);
            Assert.Contains("Văn bản không được phép chuyển tới nơi nhận đã nêu.", ran[1].Out, StringComparison.Ordinal);
            Assert.Contains("Mọi việc đúng như đã kể", ran[1].Out, StringComparison.Ordinal);
        }
        finally { folder.Delete(recursive: true); }
    }

    internal static string Samples()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, "samples")) && File.Exists(Path.Combine(folder.FullName, "Exchange.sln"))) return Path.Combine(folder.FullName, "samples");
        throw new DirectoryNotFoundException("samples");
    }
}
