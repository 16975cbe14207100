using System.IO.Compression;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Tests;

public sealed class WordListTests : IDisposable
{
    static readonly CompiledPolicy Policy = CompiledPolicy.Compile(PolicyLint.Provisional(PolicyDraft.Read(File.ReadAllBytes(PolicyCommandTests.Sample("policies/vietnam-state.json")))));
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-words-");

    public void Dispose() => folder.Delete(recursive: true);

    internal static byte[] Json(params (string Words, string Level)[] entries) => Encoding.UTF8.GetBytes(
        $$"""{ "policy": "{{Policy.Content.Policy}}", "version": 1, "entries": [ {{string.Join(", ", entries.Select(e => $$"""{ "words": "{{e.Words}}", "level": "{{e.Level}}" }"""))}} ] }""");

    static readonly WordList List = new(Json(("mật mã", "mat"), ("kế hoạch tác chiến", "toi-mat")), Policy);

    string Text(string name, string text)
    {
        File.WriteAllText(Path.Combine(folder.FullName, name), text);
        return Path.Combine(folder.FullName, name);
    }

    string Docx(string name, string xml)
    {
        using var zip = ZipFile.Open(Path.Combine(folder.FullName, name), ZipArchiveMode.Create);
        using var part = new StreamWriter(zip.CreateEntry("word/document.xml").Open());
        part.Write(xml);
        return Path.Combine(folder.FullName, name);
    }

    static string Body(string inner) => $"""<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{inner}</w:body></w:document>""";

    [Theory]
    [InlineData("về MẬT MÃ của ngành", "mat")]
    [InlineData("mật\r\n   mã", "mat")]
    [InlineData("mật-mã", "mat")]
    [InlineData("mật\u00admã", null)]
    [InlineData("mậ\u200bt mã", "mat")]
    [InlineData("bí mật mãi mãi", null)]
    [InlineData("mật, rồi Kế Hoạch Tác Chiến.", "toi-mat")]
    [InlineData("không có gì", null)]
    public void Whole_words_are_found_however_they_are_typed(string text, string? level)
    {
        foreach (var form in new[] { NormalizationForm.FormC, NormalizationForm.FormD })
            Assert.Equal(level, List.Floor([Text("a.txt", text.Normalize(form))]).Level?.Code);
    }

    [Fact]
    public void The_highest_level_found_counts_over_all_documents_and_entries_are_named_by_number()
    {
        var floor = List.Floor([Text("a.txt", "mật mã"), Text("b.md", "kế hoạch tác chiến"), Text("c.pdf", "mật mã")]);
        Assert.Equal(("toi-mat", 1), (floor.Level!.Code, floor.NotRead));
        Assert.Equal([1, 2], floor.Found);
    }

    [Fact]
    public void A_docx_is_read_across_runs_and_not_across_paragraphs()
    {
        Assert.Equal("mat", List.Floor([Docx("a.docx", Body("<w:p><w:r><w:t>mậ</w:t></w:r><w:r><w:t xml:space=\"preserve\">t mã</w:t></w:r></w:p>"))]).Level?.Code);
        Assert.Null(List.Floor([Docx("b.docx", Body("<w:p><w:r><w:t>bímật</w:t></w:r></w:p><w:p><w:r><w:t>mã</w:t></w:r></w:p>"))]).Level);
        Assert.Equal("mat", List.Floor([Docx("c.docx", Body("<w:p><w:r><w:t>mật</w:t><w:tab/><w:t>mã</w:t></w:r></w:p>"))]).Level?.Code);
    }

    [Fact]
    public void What_cannot_be_read_safely_is_not_read_and_counted()
    {
        var dtd = Docx("dtd.docx", "<!DOCTYPE w [<!ENTITY a \"mật mã\">]>" + Body("<w:p><w:r><w:t>&a;</w:t></w:r></w:p>"));
        var bomb = Path.Combine(folder.FullName, "bomb.docx");
        using (var zip = ZipFile.Open(bomb, ZipArchiveMode.Create))
        using (var part = zip.CreateEntry("word/document.xml").Open())
        {
            part.Write(Encoding.UTF8.GetBytes(Body("<w:p><w:r><w:t>mật mã")[..^"</w:body></w:document>".Length]));
            var block = new byte[1 << 20];
            Array.Fill(block, (byte)'x');
            for (var i = 0; i < 80; i++) part.Write(block);
        }
        var binary = Path.Combine(folder.FullName, "binary.txt");
        File.WriteAllBytes(binary, [0xff, 0x00, 0x80, 0xc3, 0x28]);
        Assert.Equal((null, 4), List.Floor([dtd, bomb, binary, Text("not.docx", "mật mã")]) is var floor ? (floor.Level, floor.NotRead) : default);
    }

    [Theory]
    [InlineData("""{ "policy": "2.25.1", "version": 1, "entries": [] }""")]
    [InlineData("""{ "policy": "2.25.108316152551476243687665024293336149417.3.1", "version": 0, "entries": [] }""")]
    [InlineData("""{ "policy": "2.25.108316152551476243687665024293336149417.3.1", "version": 1, "entries": [ { "words": "x", "level": "secret" } ] }""")]
    [InlineData("""{ "policy": "2.25.108316152551476243687665024293336149417.3.1", "version": 1, "entries": [ { "words": " - ", "level": "mat" } ] }""")]
    [InlineData("""{ "policy": "2.25.108316152551476243687665024293336149417.3.1", "version": 1, "entries": [ { "words": "x", "level": "mat", "note": "" } ] }""")]
    public void A_list_that_is_not_what_it_must_be_is_refused(string json) =>
        Assert.Equal(Refusal.WordList, Assert.Throws<RefusedException>(() => new WordList(Encoding.UTF8.GetBytes(json), Policy)).Refusal);

    [Fact]
    public async Task Nothing_is_sealed_below_what_the_words_propose_and_the_message_does_not_say_them()
    {
        using var pki = new DevPkiFixture();
        using var bench = new Bench(pki.Folder);
        using var plain = bench.Start("G22");
        File.WriteAllBytes(bench.At("G22", "words.json"), Json(("mật mã", "mat")));
        var settings = System.Text.Json.Nodes.JsonNode.Parse(await File.ReadAllTextAsync(bench.At("G22", "profile.json"), TestContext.Current.CancellationToken))!;
        settings["words"] = "words.json";
        await File.WriteAllTextAsync(bench.At("G22", "worded.json"), settings.ToJsonString(), TestContext.Current.CancellationToken);
        var profile = Profile.Load(bench.At("G22", "worded.json"));
        using var client = new OfficeClient(new OfficeContext(profile, plain.Keys, plain.Files, bench.Clock, plain.Options, () => new HttpClient(bench.Gateway, disposeHandler: false) { BaseAddress = profile.Gateway }));
        var cancel = TestContext.Current.CancellationToken;
        Assert.Null(await client.RefreshAsync(cancel));
        var request = bench.Request() with { Files = [Text("công văn.txt", "Về mật mã.")] };
        var refused = await Assert.ThrowsAsync<RefusedException>(() => client.SealAsync(request, null, cancel));
        Assert.Equal(Refusal.WordFloor, refused.Refusal);
        Assert.Contains("at least mat, by entries 1", refused.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("mã", refused.ToString(), StringComparison.Ordinal);
        Assert.Empty(client.Outbox());
        Assert.Equal(0, client.Floor(request)!.NotRead);
        await client.SealAsync(request with { Files = [Text("khác.txt", "Về việc khác.")] }, null, cancel);
        Assert.Single(client.Outbox());

        // One person does not overrule it, nor one under two names; two do, and their words travel with it.
        Assert.Equal(Refusal.WordFloor, (await Assert.ThrowsAsync<RefusedException>(() => client.SealAsync(request with { BelowFloor = ["signatory", "signatory"] }, null, cancel))).Refusal);
        var overruled = await client.SealAsync(request with { BelowFloor = ["signatory", "clerk"] }, null, cancel);
        Assert.Equal([ApprovalAct.BelowFloor, ApprovalAct.BelowFloor], overruled.Parts().Approvals.Select(a => Statement.Read(a, StatementType.Approval).As<Approval>().Act));
    }
}
