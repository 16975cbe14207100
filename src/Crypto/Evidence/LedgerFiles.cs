using System.Collections.Concurrent;
using System.Globalization;

namespace Exchange.Crypto.Evidence;

/// <summary>Files of an exported ledger, paths with "/" between the parts. Called from several threads at once.</summary>
public interface ILedgerFiles
{
    /// <summary>The file's bytes, at most one more than the limit: who gets more than he allowed knows that it is too long. Null: no such file.</summary>
    byte[]? Read(string path, int limit);

    /// <summary>Names directly in a folder, in any order; those of folders end in "/". None if there is no such folder.</summary>
    IEnumerable<string> List(string folder);
}

/// <summary>An export on disk. Links in it are not followed, to files or to folders: what is not in the folder is not of it.</summary>
public sealed class LedgerFolder(string root) : ILedgerFiles
{
    // An export has few folders and many files.
    readonly ConcurrentDictionary<string, bool> real = new() { [""] = true };

    public byte[]? Read(string path, int limit)
    {
        var file = new FileInfo(Path.Combine(root, path));
        if (!file.Exists || file.LinkTarget is not null || !IsReal(Path.GetDirectoryName(path)!)) return null;
        using var handle = File.OpenHandle(file.FullName);
        var bytes = new byte[Math.Min(RandomAccess.GetLength(handle), limit + 1L)];
        var read = 0;
        while (read < bytes.Length && RandomAccess.Read(handle, bytes.AsSpan(read), read) is > 0 and var more) read += more;
        return read == bytes.Length ? bytes : bytes[..read];
    }

    public IEnumerable<string> List(string folder)
    {
        var place = new DirectoryInfo(Path.Combine(root, folder));
        return place.Exists && IsReal(folder) ? place.EnumerateFileSystemInfos().Select(i => i is DirectoryInfo ? i.Name + "/" : i.Name) : [];
    }

    bool IsReal(string folder) =>
        real.GetOrAdd(folder, f => new DirectoryInfo(Path.Combine(root, f)).LinkTarget is null && IsReal(Path.GetDirectoryName(f)!));
}

/// <summary>A file or a ".p" folder that C2SP's numbering ("x001/x234/067") puts at an index.</summary>
/// <param name="Path">With the folder in front.</param>
readonly record struct NumberedFile(long Index, string Path, bool IsPartial)
{
    /// <summary>It bears the number and an ending: it belongs to the file of that number.</summary>
    public bool IsBeside { get; init; }
}

/// <summary>The files of a folder that are named by numbers, in the order of the numbers, holding one folder's names at a time.</summary>
static class NumberedFiles
{
    /// <summary>Groups of three digits that a size below 2^62 has.</summary>
    const int MaxGroups = 7;

    /// <param name="surplus">Told every path that is no number's, once, folders ending in "/".</param>
    /// <param name="beside">Ending of files that may lie beside one of a number, right behind it; null: none may.</param>
    public static IEnumerable<NumberedFile> Walk(ILedgerFiles files, string folder, Action<string> surplus, string? beside = null)
    {
        // Fewer digits come first: all of one depth, then all of the next.
        for (var groups = 1; groups <= MaxGroups; groups++)
        {
            var any = false;
            foreach (var file in Walk(files, folder, 0, groups, groups, () => any = true, surplus, beside)) yield return file;
            if (!any) yield break;
        }
    }

    static IEnumerable<NumberedFile> Walk(ILedgerFiles files, string folder, long prefix, int groups, int depth, Action deeper, Action<string> surplus, string? beside)
    {
        foreach (var name in files.List(folder).Order(StringComparer.Ordinal))
        {
            var path = $"{folder}/{name}";
            if (name.EndsWith('/') && name.Length == 5 && name[0] == 'x' && Number(name.AsSpan(1, 3)) is { } group && (prefix > 0 || group > 0))
            {
                if (groups > 1)
                {
                    foreach (var file in Walk(files, path[..^1], (prefix * 1000) + group, groups - 1, depth, deeper, surplus, beside)) yield return file;
                }
                else if (depth == MaxGroups) surplus(path);
                else deeper();
            }
            else if (groups > 1) continue;
            else if (name.Length == 3 && Number(name) is { } last) yield return new NumberedFile((prefix * 1000) + last, path, false);
            else if (name.Length == 6 && name.EndsWith(".p/", StringComparison.Ordinal) && Number(name.AsSpan(0, 3)) is { } part) yield return new NumberedFile((prefix * 1000) + part, path[..^1], true);
            else if (beside is not null && name.Length == 3 + beside.Length && name.EndsWith(beside, StringComparison.Ordinal) && Number(name.AsSpan(0, 3)) is { } of) yield return new NumberedFile((prefix * 1000) + of, path, false) { IsBeside = true };
            else surplus(path);
        }
    }

    static int? Number(ReadOnlySpan<char> digits) =>
        !digits.ContainsAnyExceptInRange('0', '9') ? int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture) : null;
}
