using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

public sealed class LabelWordsTests(DevPkiFixture pki)
{
    [Fact]
    public async Task Who_signs_a_change_sees_all_of_a_label_that_protects()
    {
        using var bench = new Bench(pki.Folder);
        using var client = new OfficeClient(bench.Start("G22"));
        await client.RefreshAsync(TestContext.Current.CancellationToken);
        var say = new Output(TextWriter.Null, TextWriter.Null, vietnamese: true, json: false, TimeProvider.System);
        var label = client.Policy.NewLabel("mat", "KT-7", client.Policy.CategoriesOf(["co-yeu", "ubnd-tinh", "trung-uong"]), ["no-forward"]);
        Assert.Equal("Mật, Nơi nhận: trung-uong/ubnd-tinh, Lĩnh vực: co-yeu, no-forward, KT-7", LabelWords.Text(label, client, say));
        // Nobody is not the same as no limit, nor as nothing to say.
        var nobody = label with { Categories = [label.Categories[0] with { Values = [] }], Caveats = [] };
        Assert.Equal("Mật, Nơi nhận: không ai, KT-7", LabelWords.Text(nobody, client, say));
    }

    [Theory, InlineData("9999-12-31"), InlineData("2026-02-30"), InlineData("mai")]
    public void A_day_that_is_none_or_has_no_end_is_not_taken(string text) => Assert.Throws<UsageException>(() => SendForm.Midnight(text, "--term"));
}
