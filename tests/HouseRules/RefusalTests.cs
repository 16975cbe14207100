using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Exchange.Crypto;
using Xunit;

namespace Exchange.Tests;

public sealed partial class RefusalTests
{
    static readonly IReadOnlyList<Refusal> Refusals = [.. typeof(Refusal).GetFields().Where(f => f.IsStatic && f.FieldType == typeof(Refusal)).Select(f => (Refusal)f.GetValue(null)!)];

    [Fact]
    public void Codes_are_unique_and_of_one_form()
    {
        Assert.True(Refusals.Count > 50);
        Assert.Equal(Refusals.Count, Refusals.Select(r => r.Code).Distinct().Count());
        Assert.Equal(Refusals.Count, Refusal.All.Count);
        Rules.Empty(Refusals.Where(r => !Code().IsMatch(r.Code)));
    }

    [Fact]
    public void Every_refusal_speaks_both_languages_in_NFC() => Rules.Empty(Refusals.SelectMany(Faults));

    [Fact]
    public void Every_refusal_is_given_somewhere()
    {
        var named = Il.Source.SelectMany(Il.Uses).Where(u => u.Type == typeof(Refusal).FullName && u.From.FullName != u.Type).Select(u => u.Member).ToHashSet();
        Rules.Empty(typeof(Refusal).GetFields().Where(f => f.IsStatic && f.FieldType == typeof(Refusal) && !named.Contains(f.Name)).Select(f => f.Name));
    }

    /// <summary>docs/codes.md is these texts and no others, in the order of the codes: two files have none. What it should be is written beside the test when it is not.</summary>
    [Fact]
    public void The_page_of_codes_says_what_the_program_says()
    {
        var page = new StringBuilder("""
            # Codes

            Every refusal has one of these codes, whoever says it: gateway, office, command line. A code never changes its meaning. Mỗi lần từ chối mang một trong các mã sau; nghĩa của mã không bao giờ đổi.

            | code | what it means | what to do | ý nghĩa | cách xử lý |
            |---|---|---|---|---|

            """);
        foreach (var r in Refusals.OrderBy(r => r.Code, StringComparer.Ordinal)) page.Append(CultureInfo.InvariantCulture, $"| `{r.Code}` | {r.En} | {r.RemedyEn} | {r.Vi} | {r.RemedyVi} |\n");
        var (written, expected) = (Repository.Path("docs/codes.md"), Path.Combine(AppContext.BaseDirectory, "codes.md"));
        File.WriteAllText(expected, page.ToString());
        Assert.True(File.Exists(written) && File.ReadAllText(written) == page.ToString(), $"docs/codes.md is not {expected}");
    }

    [Fact]
    public void A_faulty_refusal_is_found()
    {
        Assert.Empty(Faults(new Refusal("E_X", "No.", "Không.", "Ask.", "Hỏi.")));
        Assert.NotEmpty(Faults(new Refusal("E_X", "No.", "", "Ask.", "Hỏi.")));
        Assert.NotEmpty(Faults(new Refusal("E_X", "No.", "Không được.".Normalize(NormalizationForm.FormD), "Ask.", "Hỏi.")));
        Assert.NotEmpty(Faults(new Refusal("E_X", "No", "Không.", "Ask.", "Hỏi.")));
    }

    static IEnumerable<string> Faults(Refusal refusal)
    {
        foreach (var text in new[] { refusal.En, refusal.Vi, refusal.RemedyEn, refusal.RemedyVi })
            if (string.IsNullOrWhiteSpace(text) || !text.IsNormalized(NormalizationForm.FormC) || text != text.Trim() || !text.EndsWith('.'))
                yield return $"{refusal.Code}: \"{text}\"";
    }

    [GeneratedRegex("^E_[A-Z]+(_[A-Z]+)*\\z")]
    private static partial Regex Code();
}
