using System.Globalization;
using System.Text;
using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Crypto.Trust;

/// <summary>
/// Names that people read. RFC 5280 7.1 lets names match that differ in letter case or spaces; a CA must write its name into certificates exactly as it stands in its own (4.1.2.6), so here names
/// are equal byte for byte or not at all, and one that only looks like a CA's is called that.
/// </summary>
static class CertificateNames
{
    const int MostCompared = 1024;

    // Cyrillic and Greek letters that look like Latin ones in common fonts, each beside its double.
    const string Doubles = "АAВBЕEКKМMНHОOРPСCТTХXУYІIЈJЅSаaеeоoрpсcхxуyіiјjѕsԁdԛqԝwһhΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνvιiαaρpυu";
    static readonly Dictionary<char, char> Latin = Enumerable.Range(0, Doubles.Length / 2).ToDictionary(i => Doubles[2 * i], i => Doubles[2 * i + 1]);

    /// <summary>What no honest name has.</summary>
    public static IEnumerable<string> Faults(X509Name name)
    {
        var values = name.GetValueList();
        if (values.Any(v => v.Any(IsInvisible))) yield return "holds invisible characters";
        if (values.Any(v => !v.IsNormalized(NormalizationForm.FormC))) yield return "is not in Unicode NFC";
        if (values.Any(v => v.Split(' ').Any(MixesScripts))) yield return "mixes letters of two scripts in one word";
    }

    /// <summary>How a name differs from another that it looks like; null: it does not look like it, or is the same.</summary>
    public static string? Likeness(X509Name name, X509Name other)
    {
        byte[] one = name.GetDerEncoded(), two = other.GetDerEncoded();
        if (one.Length > MostCompared || one.AsSpan().SequenceEqual(two)) return null;
        string a = Text(name), b = Text(other);
        if (a == b) return "in another encoding";
        if (a.Normalize(NormalizationForm.FormKC) == b.Normalize(NormalizationForm.FormKC)) return "in another Unicode form";
        if (Spaced(a) == Spaced(b)) return "but for spaces";
        if (string.Equals(Spaced(a), Spaced(b), StringComparison.OrdinalIgnoreCase)) return "but for letter case";
        return Skeleton(a) == Skeleton(b) ? "in letters that only look alike" : null;
    }

    static string Text(X509Name name) => string.Join('\n', name.GetOidList().Zip(name.GetValueList(), (oid, value) => $"{oid.Id}={value}"));

    static string Spaced(string text) => string.Join('\n', text.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Replace("= ", "=", StringComparison.Ordinal)));

    static string Skeleton(string text) => string.Concat(Spaced(text).Normalize(NormalizationForm.FormKC).Where(c => !IsInvisible(c) || c == '\n')
        .Select(c => Latin.TryGetValue(c, out var latin) ? latin : c)).ToUpperInvariant().Replace('0', 'O').Replace('1', 'I').Replace('L', 'I');

    static bool IsInvisible(char c) => CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse;

    static bool MixesScripts(string word)
    {
        var scripts = word.Where(char.IsLetter).Select(Script).Where(s => s != 0).Distinct().Take(2).Count();
        return scripts > 1;
    }

    // Latin (with all that Vietnamese needs), Greek, Cyrillic: the three whose letters pass for each other.
    static int Script(char c) => c switch
    {
        < '\u0250' or >= '\u1e00' and <= '\u1eff' => 1,
        >= '\u0370' and <= '\u03ff' or >= '\u1f00' and <= '\u1fff' => 2,
        >= '\u0400' and <= '\u052f' => 3,
        _ => 0,
    };
}
