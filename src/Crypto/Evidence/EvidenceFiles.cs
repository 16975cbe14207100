using System.Globalization;
using System.Text;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Evidence;

/// <summary>What lies in an evidence file or folder, by its names; nothing else belongs there. And the list of all of it, in the form of sha256sum, so that a loss can be named.</summary>
public static class EvidenceFiles
{
    public const string Contents = "contents.txt", Report = "report.html", Readme = "README.txt", Pins = "pins.json", Chain = "trust/chain.pem", Checkpoint = "checkpoint.txt";
    /// <summary>What the gateway wrote about its decisions, a folder each.</summary>
    public const string Decisions = "decisions/";
    static readonly string[] Single = [Contents, Report, Readme, Pins, Chain, Checkpoint, "header.p7s", "manifest.p7m", "dispatch.p7s", "opened", "directory.p7s", "policy.p7s"];
    static readonly string[] Always = [Contents, Report, Readme, Pins, Chain];
    static readonly (string Folder, string Ending)[] Many =
    [
        ("approvals/", ".p7s"), ("receipts/", ".p7s"), ("statuses/", ".p7s"), ("recalls/", ".p7s"), ("timestamps/", ".tst"), ("proofs/", ".json"), ("cards/", ".p7s"),
        ("trust/roots/", ".pem"), ("trust/intermediates/", ".pem"), ("trust/crls/", ".crl"), ("trust/ocsp/", ".ors"),
    ];

    /// <summary>The list over these files, itself excepted: SHA-256 in hexadecimal, two spaces, name.</summary>
    public static EvidencePart List(IEnumerable<EvidencePart> parts) => new(Contents, Encoding.ASCII.GetBytes(string.Concat(Listed(parts).Select(Line))));

    static IEnumerable<EvidencePart> Listed(IEnumerable<EvidencePart> parts) => parts.Where(p => p.Name != Contents).OrderBy(p => p.Name, StringComparer.Ordinal);

    static string Line(EvidencePart part) => $"{Hex(part)}  {part.Name}\n";

    static string Hex(EvidencePart part) => Convert.ToHexStringLower(Digest.Of(part.Bytes.Span).ToArray());

    /// <summary>In the order in which they stand in a file: the list first, then by name.</summary>
    public static IReadOnlyList<EvidencePart> Ordered(IEnumerable<EvidencePart> parts) => [.. parts.OrderBy(p => p.Name != Contents).ThenBy(p => p.Name, StringComparer.Ordinal)];

    /// <summary>Names, order and list.</summary>
    /// <param name="whole">They come out of one file, which has an order and always a list.</param>
    public static void Check(IReadOnlyList<EvidencePart> parts, bool whole, Findings findings)
    {
        foreach (var part in parts.Where(p => !Belongs(p.Name))) findings.Bad(part.Name, "belongs here", Refusal.EvidenceDamaged, "evidence has no file of this name");
        foreach (var name in Always.Where(n => whole && parts.All(p => p.Name != n))) findings.Bad(name, "file", Refusal.EvidenceDamaged, "each evidence file has it");
        if (whole && !parts.SequenceEqual(Ordered(parts))) findings.Bad(EvidenceZip.Whole, "order", Refusal.EvidenceDamaged, "its members are not in their order");
        if (parts.FirstOrDefault(p => p.Name == Contents) is not { } list)
        {
            if (!whole) findings.Incomplete(Contents, "file", FindingCode.Missing, "whether anything was lost cannot be said");
            return;
        }
        if (list.Bytes.Span.SequenceEqual(List(parts).Bytes.Span)) findings.Good(Contents, "all files", string.Create(CultureInfo.InvariantCulture, $"{parts.Count - 1} files"));
        else Differences(parts, list, findings);
    }

    static void Differences(IReadOnlyList<EvidencePart> parts, EvidencePart list, Findings findings)
    {
        var lines = Encoding.Latin1.GetString(list.Bytes.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var here = parts.ToDictionary(p => p.Name);
        var named = new HashSet<string>();
        var faults = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            var (hex, name) = lines[i].Length > 66 ? (lines[i][..64], lines[i][66..]) : ("", "");
            if (!EvidenceZip.IsName(name) || lines[i][64..66] != "  " || !named.Add(name)) Fault(Contents, "form", string.Create(CultureInfo.InvariantCulture, $"line {i + 1}"));
            else if (!here.TryGetValue(name, out var part)) Fault(name, "listed", "it is listed and not here");
            else if (hex != Hex(part)) Fault(name, "listed", "it is not the file that is listed");
        }
        foreach (var part in parts.Where(p => p.Name != Contents && !named.Contains(p.Name))) Fault(part.Name, "listed", "it is here and not listed");
        if (faults == 0) Fault(Contents, "form", "order or line ends");

        void Fault(string part, string check, string detail)
        {
            faults++;
            findings.Bad(part, check, Refusal.EvidenceDamaged, detail);
        }
    }

    static bool Belongs(string name) => Single.Contains(name) || Many.Any(m => name.StartsWith(m.Folder, StringComparison.Ordinal) && name.EndsWith(m.Ending, StringComparison.Ordinal) && !name[m.Folder.Length..].Contains('/', StringComparison.Ordinal))
        || DecisionEvidence.Belongs(name);

    /// <summary>The files as the verifier wants them.</summary>
    public static DispatchEvidenceInput Input(IReadOnlyList<EvidencePart> parts, EvidencePins pins)
    {
        var here = parts.ToDictionary(p => p.Name);
        EvidencePart[] trust = [.. parts.Where(p => p.Name.StartsWith("trust/", StringComparison.Ordinal) && p.Name != Chain)];
        return new DispatchEvidenceInput
        {
            Header = here.GetValueOrDefault("header.p7s"), Dispatch = here.GetValueOrDefault("dispatch.p7s"), Manifest = here.GetValueOrDefault("manifest.p7m"), Checkpoint = here.GetValueOrDefault(Checkpoint),
            Directory = here.GetValueOrDefault("directory.p7s"), Policy = here.GetValueOrDefault("policy.p7s"), Opened = here.GetValueOrDefault("opened"),
            Approvals = In("approvals/"), Receipts = In("receipts/"), Statuses = In("statuses/"), Recalls = In("recalls/"), TimeStamps = In("timestamps/"), Proofs = In("proofs/"), Cards = In("cards/"), Responses = In("trust/ocsp/"),
            Trust = trust.Length == 0 ? null : () => TrustStore.Of(trust.Select(p => (p.Name["trust/".Length..], p.Bytes))), Pins = pins,
        };

        EvidencePart[] In(string folder) => [.. parts.Where(p => p.Name.StartsWith(folder, StringComparison.Ordinal)).OrderBy(p => p.Name, StringComparer.Ordinal)];
    }
}
