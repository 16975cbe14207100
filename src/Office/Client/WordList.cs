using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Crypto;
using Exchange.Crypto.Policy;

namespace Exchange.Office.Client;

/// <summary>Words that make a level likely (rule R20), as the office keeps them: strict JSON, text in Unicode NFC. It stays on this computer, and so does what it found.</summary>
/// <param name="Policy">OID of the policy whose levels are named.</param>
/// <param name="Entries">In any order.</param>
sealed record WordListFile(string Policy, int Version, WordEntry[] Entries);

/// <param name="Words">One word or several that follow one another; case, spaces and punctuation do not count.</param>
/// <param name="Level">Code of the level that they propose at least.</param>
sealed record WordEntry(string Words, string Level);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(WordListFile))]
sealed partial class WordListJson : JsonSerializerContext;

/// <param name="Level">The lowest level that the words found allow; null: none was found.</param>
/// <param name="Found">Numbers of the entries found, from 1; never the words.</param>
/// <param name="NotRead">How many documents are in a form that is not read here.</param>
public sealed record WordFloor(PolicyLevel? Level, IReadOnlyList<int> Found, int NotRead);

/// <summary>A word list made ready for one policy.</summary>
sealed class WordList
{
    const int MaxEntries = 10_000, MaxBytes = 4 << 20;

    readonly CompiledPolicy policy;
    readonly List<(string Words, PolicyLevel Level)> entries = [];

    /// <exception cref="RefusedException"><see cref="Refusal.WordList"/>, naming the entry's number.</exception>
    public WordList(ReadOnlySpan<byte> json, CompiledPolicy policy)
    {
        this.policy = policy;
        WordListFile file;
        try { file = json.Length <= MaxBytes ? JsonSerializer.Deserialize(json, WordListJson.Default.WordListFile) ?? throw new JsonException("null") : throw new JsonException("too long"); }
        catch (JsonException e) { throw new RefusedException(Refusal.WordList, $"{e.Path} line {e.LineNumber + 1}"); }
        if (file.Policy != policy.Content.Policy) throw new RefusedException(Refusal.WordList, "of another policy");
        if (file.Version < 1 || file.Entries.Length > MaxEntries) throw new RefusedException(Refusal.WordList, "version, or number of entries");
        foreach (var (entry, number) in file.Entries.Select((e, i) => (e, i + 1)))
        {
            if (entry is null || !entry.Words.IsNormalized(NormalizationForm.FormC) || Words(entry.Words) is not { Length: > 2 } words) throw new RefusedException(Refusal.WordList, $"entry {number}: words");
            entries.Add((words, policy.Level(entry.Level) ?? throw new RefusedException(Refusal.WordList, $"entry {number}: level")));
        }
    }

    /// <summary>Looks through the documents that can be read here.</summary>
    public WordFloor Floor(IEnumerable<string> files)
    {
        var (found, notRead) = (new SortedSet<int>(), 0);
        foreach (var file in files)
        {
            if (DocumentText.Read(file) is not { } text) { notRead++; continue; }
            var words = Words(text);
            for (var i = 0; i < entries.Count; i++)
                if (words.Contains(entries[i].Words, StringComparison.Ordinal)) found.Add(i + 1);
        }
        return new WordFloor(found.Select(n => entries[n - 1].Level).MaxBy(l => policy.Rank(l.Class)), [.. found], notRead);
    }

    /// <summary>" word word ": folded, in NFC, letters and digits only, so that a whole word is found and a part of one is not.</summary>
    internal static string Words(string text)
    {
        var words = new StringBuilder(" ", text.Length + 2);
        foreach (var c in text.Normalize().ToLowerInvariant())
        {
            var inside = char.IsLetterOrDigit(c) || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark || char.IsSurrogate(c);
            // A soft hyphen or a zero-width character inside a word does not hide it.
            if (!inside && CharUnicodeInfo.GetUnicodeCategory(c) == UnicodeCategory.Format) continue;
            if (inside) words.Append(c);
            else if (words[^1] != ' ') words.Append(' ');
        }
        if (words[^1] != ' ') words.Append(' ');
        return words.ToString();
    }
}
