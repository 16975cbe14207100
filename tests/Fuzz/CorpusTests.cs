using Exchange.Crypto;
using Exchange.Crypto.Envelope;

namespace Exchange.Fuzz;

/// <summary>What fuzzing kept, through the same targets: ./fuzz looks for more.</summary>
public class CorpusTests
{
    static string Corpus => Path.Combine(AppContext.BaseDirectory, "corpus");

    public static TheoryData<string> Names => [.. Targets.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Everything_kept_is_accepted_as_it_is_or_refused(string target)
    {
        var files = Directory.GetFiles(Path.Combine(Corpus, target));
        Assert.NotEmpty(files);
        var accepted = 0;
        foreach (var file in files)
        {
            try { accepted += Targets.Run(target, File.ReadAllBytes(file)) is null ? 1 : 0; }
            catch (Exception e) { Assert.Fail($"{Path.GetFileName(file)}: {e}"); }
        }
        // A corpus of nothing but refusals would test the first check of each reader and no other.
        Assert.True(accepted > 0, "none of them is good");
    }

    [Fact]
    public void A_target_tells_what_is_found()
    {
        Assert.Throws<FindingException>(() => Targets.Equal([1], [2]));
        Assert.Equal(Refusal.Der, Targets.Run("statement", [0x30]));
        Assert.Throws<KeyNotFoundException>(() => Targets.Run("nothing", []));
    }

    [Fact]
    public void The_corpus_stays_small()
    {
        var files = new DirectoryInfo(Corpus).GetFiles("*", SearchOption.AllDirectories);
        Assert.InRange(files.Length, Targets.All.Count, 900);
        Assert.True(files.Sum(f => f.Length) < 4 << 20);
        Assert.Equal(Targets.All.Keys, new DirectoryInfo(Corpus).GetDirectories().Select(d => d.Name).Order(StringComparer.Ordinal));
    }
}
