using System.Globalization;
using System.Text;

namespace Exchange.Crypto.Envelope;

/// <summary>
/// Names that can be put on any disk as they are: no path, nothing hidden, nothing that shows as something else, nothing that a system reserves.
/// A sender's software refuses what a recipient's would.
/// </summary>
static class DocumentName
{
    const int MaxCharacters = 200;
    /// <summary>Common file systems take 255 bytes of UTF-8.</summary>
    const int MaxBytes = 255;
    static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
        "COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9", "COM¹", "COM²", "COM³",
        "LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9", "LPT¹", "LPT²", "LPT³",
    };

    /// <exception cref="RefusedException"><see cref="Refusal.DocumentName"/>: one is unsafe, or two would be one file where case does not count.</exception>
    public static void CheckAll(IEnumerable<string> names)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in names)
        {
            if (!IsSafe(name)) throw new RefusedException(Refusal.DocumentName, "unsafe");
            if (!seen.Add(name)) throw new RefusedException(Refusal.DocumentName, "twice");
        }
    }

    public static bool IsSafe(string name)
    {
        if (name.Length is 0 or > MaxCharacters || name[0] is '.' or ' ' || name[^1] is '.' or ' ') return false;
        foreach (var rune in name.EnumerateRunes())
            // A lone surrogate enumerates as U+FFFD, which no honest name holds.
            if (rune.Value is 0xFFFD || rune.Value is '/' or '\\' or ':' or '*' or '?' or '"' or '<' or '>' or '|' || Rune.GetUnicodeCategory(rune) is
                UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or
                UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                return false;
        return name.IsNormalized(NormalizationForm.FormC) && Encoding.UTF8.GetByteCount(name) <= MaxBytes && !Reserved.Contains(name.Split('.')[0].TrimEnd(' '));
    }
}
