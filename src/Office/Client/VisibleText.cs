using System.Globalization;
using System.Text;

namespace Exchange.Office.Client;

/// <summary>Text of others, showing as what it is: what would control a terminal, turn text around or be invisible stands there by its number.</summary>
static class VisibleText
{
    public static string Of(string text) => Escaped(text, c => "\\u{" + ((int)c).ToString("x", CultureInfo.InvariantCulture) + "}");

    /// <param name="keep">Characters that are left as they are.</param>
    public static string Escaped(string text, Func<char, string> escape, string keep = "")
    {
        if (!text.Any(c => IsUnsafe(c) && !keep.Contains(c))) return text;
        var safe = new StringBuilder(text.Length + 16);
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) && Rune.GetUnicodeCategory(new Rune(text[i], text[i + 1])) is not (UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned))
                safe.Append(text, i++, 2);
            else if (IsUnsafe(text[i]) && !keep.Contains(text[i])) safe.Append(escape(text[i]));
            else safe.Append(text[i]);
        }
        return safe.ToString();
    }

    static bool IsUnsafe(char c) => char.IsSurrogate(c) || char.GetUnicodeCategory(c) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
