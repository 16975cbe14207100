using System.Text.Json;

namespace Exchange.Tests;

/// <summary>A label changed with the commands of two offices, each on its own machine.</summary>
public sealed class LabelTests(DevelopmentPki pki)
{
    static JsonElement Json(Ran ran) => JsonDocument.Parse(ran.Out).RootElement;

    [Fact]
    public async Task Two_offices_lower_a_label_one_raises_it_again_and_all_of_it_is_proven_offline()
    {
        await using var site = await Site.StartAsync(pki);
        var id = "";
        async Task<Ran> Do(int exit, string office, params string[] arguments)
        {
            var ran = await site.OfficeAsync(office, arguments);
            Assert.True(ran.Code == exit, ran.Code == exit ? "" : $"{string.Join(' ', arguments)}\n{ran}\n{(id.Length > 0 ? await site.WhyAsync(id) : "")}");
            return ran;
        }
        id = Json(await Do(0, "G22", "send", site.Document("a.pdf", 1), "--to", "H41", "--level", "mat", "--basis", "K1", "--approve", "signatory", "--sheet", site.Sheet("7816", "Thử"), "--json")).GetProperty("id").GetString()!;
        await Do(0, "H41", "open", "--all", "--out", site.At("received"));

        // The recipient proposes, its sender agrees.
        var shown = Json(await Do(0, "H41", "label", "show", id[..8], "--json"));
        Assert.Equal(("mat", 0), (shown.GetProperty("level").GetString(), shown.GetProperty("changes").GetArrayLength()));
        Assert.Contains("exchange label agree", (await Do(3, "H41", "label", "declassify", id[..8], "--reason", "made-public", "--as", "signatory")).Error, StringComparison.Ordinal);
        Assert.Equal("mat", Json(await Do(0, "G22", "label", "show", id, "--json")).GetProperty("level").GetString());
        Assert.Contains("counts from now on", (await Do(0, "G22", "label", "agree", id, "--as", "signatory")).Out, StringComparison.Ordinal);
        Assert.Equal("thuong", Json(await Do(0, "H41", "label", "show", id, "--json")).GetProperty("level").GetString());
        Assert.Equal("thuong", Json(await Do(0, "G22", "status", id, "--json"))[0].GetProperty("inForce").GetString());

        // One verb never does the work of the other.
        Assert.Contains("exchange label raise", (await Do(64, "G22", "label", "lower", id, "--level", "mat", "--basis", "K1", "--reason", "error", "--as", "signatory")).Error, StringComparison.Ordinal);
        await Do(1, "G22", "label", "raise", id, "--level", "mat", "--basis", "K1", "--as", "clerk");
        await Do(0, "G22", "label", "raise", id, "--level", "mat", "--basis", "K1", "--as", "signatory");
        Assert.Contains("exchange label lower", (await Do(64, "H41", "label", "raise", id, "--level", "thuong", "--as", "signatory")).Error, StringComparison.Ordinal);
        await Do(0, "H41", "label", "extend", id, "--until", "2045-12-31", "--reason", "still-sensitive", "--as", "signatory");
        await Do(0, "G22", "label", "stop", id, "--as", "signatory");
        await Do(1, "G22", "label", "agree", id, "--as", "signatory");
        var last = Json(await Do(0, "G22", "label", "show", id, "--json"));
        Assert.Equal(("mat", true, 4), (last.GetProperty("level").GetString(), last.GetProperty("stopped").GetBoolean(), last.GetProperty("changes").GetArrayLength()));

        // Receipts of it all are in the ledger, and hold for somebody who asks nobody.
        await Do(0, "G22", "receipts", id, "--export", site.At("evidence"));
        await Do(0, "G22", "verify", "--dispatch", site.At("evidence"));
    }
}
