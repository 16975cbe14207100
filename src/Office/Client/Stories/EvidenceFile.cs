using Exchange.Crypto;
using Exchange.Crypto.Evidence;

namespace Exchange.Office.Client.Stories;

/// <summary>Evidence as files: one file, or a folder that holds the same. Made whole by <see cref="Complete"/>; reading bounds what it takes in before anything is believed.</summary>
static class EvidenceFile
{
    /// <summary>With what follows from it: how to check it without us, the report, and the list of all. In the order of a file.</summary>
    public static IReadOnlyList<EvidencePart> Complete(IReadOnlyList<EvidencePart> evidence, PinsFile pins)
    {
        var derived = StoryCheck.Derive(evidence, pins).ToList();
        List<EvidencePart> parts = [.. evidence.Where(p => p.Name != EvidenceFiles.Contents && derived.All(d => d.Name != p.Name)), .. derived];
        return EvidenceFiles.Ordered([.. parts, EvidenceFiles.List(parts)]);
    }

    /// <summary>Checks and tells what lies there. Reads nothing else.</summary>
    /// <param name="path">A file or a folder.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Size"/>: a folder with more, or longer files, than evidence has.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Story Tell(string path, PinsFile? given, LedgerPins? ledger)
    {
        var findings = new Findings();
        if (Directory.Exists(path)) return StoryCheck.Run(Folder(path), whole: false, findings, given, ledger);
        return StoryCheck.Run(EvidenceZip.Read(Bytes(path), findings), whole: true, findings, given, ledger);
    }

    // One byte more than there may be tells enough.
    static byte[] Bytes(string path)
    {
        using var file = File.OpenHandle(path);
        var bytes = new byte[Math.Min(RandomAccess.GetLength(file), EvidenceZip.MaxFile + 1L)];
        var read = 0;
        while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is > 0 and var more) read += more;
        return read == bytes.Length ? bytes : bytes[..read];
    }

    /// <summary>All files below, by their paths with "/". Links are not followed.</summary>
    static IReadOnlyList<EvidencePart> Folder(string root)
    {
        var files = new LedgerFolder(root);
        List<EvidencePart> parts = [];
        long total = 0;
        Walk("", depth: 0);
        return EvidenceFiles.Ordered(parts);

        void Walk(string folder, int depth)
        {
            foreach (var name in files.List(folder))
            {
                var path = folder.Length == 0 ? name : $"{folder}/{name}";
                if (depth > 4 || parts.Count == EvidenceZip.MaxParts) throw new RefusedException(Refusal.Size, "more than evidence has");
                if (name.EndsWith('/')) { Walk(path[..^1], depth + 1); continue; }
                // A link reads as nothing, and as a file that is not what is listed.
                var bytes = files.Read(path, EvidenceZip.MaxPart) ?? [];
                if (bytes.Length > EvidenceZip.MaxPart || (total += bytes.Length) > EvidenceZip.MaxFile) throw new RefusedException(Refusal.Size, path);
                parts.Add(new EvidencePart(path, bytes));
            }
        }
    }

    /// <summary>What exchange-gateway decision wrote, under the names that it has in an evidence file.</summary>
    /// <param name="folder">The folder with a folder for each decision, or one of these.</param>
    /// <returns>none: it holds no decision.</returns>
    public static IReadOnlyList<EvidencePart> Decisions(string folder)
    {
        string[] single = ["decision.json", "decision.salt", "entry.json", "entry.salt", "policy.p7s"];
        string[] each = File.Exists(Path.Combine(folder, single[0])) ? [folder] : [.. Directory.EnumerateDirectories(folder).Where(d => File.Exists(Path.Combine(d, single[0]))).Order(StringComparer.Ordinal)];
        return [.. each.SelectMany(d => single.Where(n => File.Exists(Path.Combine(d, n))).Select(n => new EvidencePart($"{EvidenceFiles.Decisions}{Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(d)))}/{n}", File.ReadAllBytes(Path.Combine(d, n)))))];
    }
}
