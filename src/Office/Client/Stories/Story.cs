using System.Globalization;
using System.Text.Json.Serialization;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;

namespace Exchange.Office.Client.Stories;

/// <summary>One thing told, in both languages. What others wrote stands between <see cref="Begin"/> and <see cref="End"/>, made visible, so that it can neither turn text around nor pass for ours.</summary>
sealed record Told(string En, string Vi)
{
    /// <summary>U+2068, U+2069 (UAX 9): no text of others holds them, see <see cref="Of(string)"/>.</summary>
    public const char Begin = '\u2068', End = '\u2069';

    /// <summary>Text of others.</summary>
    public static string Of(string text) => $"{Begin}{VisibleText.Of(text)}{End}";

    /// <summary>A time as it stands in evidence, Unix milliseconds, in UTC: the same on every machine.</summary>
    public static string Time(long milliseconds) => milliseconds is > -62_135_596_800_000 and < 253_402_300_800_000
        ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture) : milliseconds.ToString(CultureInfo.InvariantCulture);

    /// <summary>For a terminal: without the marks.</summary>
    public static string Plain(string text) => text.Replace($"{Begin}", "", StringComparison.Ordinal).Replace($"{End}", "", StringComparison.Ordinal);
}

/// <param name="Kind">How far it is proven.</param>
/// <param name="Part">The file that says it, or what the check called it.</param>
/// <param name="Time">When, Unix milliseconds; null: it is no event.</param>
sealed record StoryLine(FindingKind Kind, string Part, Told Text, long? Time = null);

sealed record StorySection(Told Title, IReadOnlyList<StoryLine> Lines);

/// <summary>What became of one dispatch, as far as its evidence shows, and what was found of that evidence.</summary>
sealed record Story(IReadOnlyList<StorySection> Sections, IReadOnlyList<Finding> Findings)
{
    [JsonIgnore] public FindingKind Verdict => Findings.Count == 0 ? FindingKind.Incomplete : Findings.Max(f => f.Kind);
    [JsonIgnore] public int ExitCode => Verdict switch { FindingKind.Good => 0, FindingKind.Bad => 1, _ => 2 };
}
