using System.Text.RegularExpressions;
using Xunit;

namespace Exchange.Tests;

/// <summary>docs/threats.md: what it names as the proof of a control is there.</summary>
public sealed partial class ThreatPageTests
{
    static readonly string[] Page = File.ReadAllLines(Repository.Path("docs/threats.md"));

    static IEnumerable<string> Rows => Page.Where(l => l.StartsWith("| ", StringComparison.Ordinal) && !l.StartsWith("| threat |", StringComparison.Ordinal));

    /// <summary>Class and method of every test of this repository, as "Class.Method".</summary>
    static HashSet<string> Tests() => [.. Repository.Files("tests/**/*.cs").Select(f => File.ReadAllText(Repository.Path(f)))
        .SelectMany(text => Class().Matches(text).SelectMany(c => Method().Matches(text).Select(m => $"{c.Groups[1].Value}.{m.Groups[1].Value}")))];

    [Fact]
    public void Each_threat_names_its_control_its_default_and_at_least_one_test()
    {
        Assert.True(Rows.Count() > 40);
        Rules.Empty(Rows.Where(r => r.Split(" | ").Length != 4 || r.Split(" | ").Any(c => c.Trim(' ', '|').Length == 0) || !Named().IsMatch(r.Split(" | ")[^1])));
    }

    [Fact]
    public void Each_test_that_it_names_is_there() => Rules.Empty(Rows.SelectMany(r => Named().Matches(r)).Select(m => m.Groups[1].Value).Except(Tests()));

    [GeneratedRegex(@"`(\w+Tests\.\w+)`")]
    private static partial Regex Named();

    [GeneratedRegex(@"\bclass (\w+Tests)\b")]
    private static partial Regex Class();

    // A fact or theory, its further attributes, and its name.
    [GeneratedRegex(@"\[(?:Fact|Theory)\b[^\n]*(?:\n\s*(?:\[|//)[^\n]*)*\s*public (?:static )?(?:async )?\w+(?:<[^\n(]*>)? (\w+)\(")]
    private static partial Regex Method();
}
