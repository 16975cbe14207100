using System.Security.Cryptography;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Trust;
using Exchange.Office.Client;
using Exchange.Office.Client.Exports;

namespace Exchange.Office;

/// <summary>An exported folder as the verifier wants it. What is not there is left to the findings; only pins must come from somewhere.</summary>
static class EvidenceFolder
{
    // An exported file is at most a manifest with its frame; more is not evidence but an attack on the verifier's memory.
    const long MaxFile = 8 << 20;

    /// <param name="pins">null: those that lie in the folder.</param>
    public static DispatchEvidenceInput Read(string folder, Pins? pins)
    {
        if (!Directory.Exists(folder)) throw new UsageException($"--dispatch: there is no folder {folder}", $"--dispatch: không có thư mục {folder}");
        var used = pins ?? PinsOf(Path.Combine(folder, "pins.json"));
        var trust = Path.Combine(folder, "trust");
        return new DispatchEvidenceInput
        {
            Header = One(folder, "header.p7s"),
            Dispatch = One(folder, "dispatch.p7s"),
            Documents = DocumentsBeside(folder),
            Approvals = Many(folder, "approvals", "*.p7s"),
            Manifest = One(folder, "manifest.p7m"),
            Receipts = Many(folder, "receipts", "*.p7s"),
            Statuses = Many(folder, "statuses", "*.p7s"),
            Recalls = Many(folder, "recalls", "*.p7s"),
            TimeStamps = Many(folder, "timestamps", "*.tst"),
            Proofs = Many(folder, "proofs", "*.json"),
            Checkpoint = One(folder, "checkpoint.txt"),
            Directory = One(folder, "directory.p7s"),
            Cards = Many(folder, "cards", "*.p7s"),
            Policy = One(folder, "policy.p7s"),
            Responses = Many(folder, Path.Combine("trust", StapleResponses.Folder), "*" + StapleResponses.Ending),
            Trust = Directory.Exists(trust) ? () => TrustStore.Load(trust) : null,
            Opened = One(folder, "opened"),
            Pins = new EvidencePins(used.DirectoryOfficers, used.PolicyOfficers, used.GatewayEvidence, used.Origin, used.CheckpointKey) { CheckpointKeys = used.CheckpointKeys },
        };
    }

    /// <exception cref="UsageException">Not a pins file.</exception>
    public static Pins PinsOf(string file)
    {
        var pins = PinsFileOf(file);
        return new Pins(pins.DirectoryOfficers, pins.PolicyOfficers, pins.GatewayEvidence, pins.Origin, pins.CheckpointKey) { CheckpointKeys = pins.CheckpointKeys ?? [] };
    }

    /// <exception cref="UsageException">Not a pins file.</exception>
    public static PinsFile PinsFileOf(string file)
    {
        try { return JsonSerializer.Deserialize(File.ReadAllBytes(file), ClientJson.Default.PinsFile) is { IsWhole: true } pins ? pins : throw new JsonException("members"); }
        catch (Exception e) when (e is IOException or JsonException)
        {
            throw new UsageException($"{file}: no pins can be read there; give --pins FILE", $"{file}: không đọc được khóa ghim; dùng --pins TỆP");
        }
    }

    /// <summary>An unpacked container has its documents beside the evidence (docs/export.md); null: this is none.</summary>
    static EvidenceDocument[]? DocumentsBeside(string folder)
    {
        if (Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))) is not { } container) return null;
        var (place, marked) = (Path.Combine(container, "documents"), File.Exists(Path.Combine(container, AsicContainer.ManifestName)));
        if (!Directory.Exists(place)) return marked ? [] : null;
        if (!marked && !File.Exists(Path.Combine(folder, "dispatch.p7s"))) return null;
        return [.. Directory.EnumerateFiles(place, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }).Order(StringComparer.Ordinal).Select(Document)];

        EvidenceDocument Document(string file)
        {
            using var stream = File.OpenRead(file);
            return new EvidenceDocument(Path.GetRelativePath(place, file).Normalize(), new Digest(SHA256.HashData(stream)));
        }
    }

    static EvidencePart? One(string folder, string name) => File.Exists(Path.Combine(folder, name)) ? Part(folder, name) : null;

    static EvidencePart[] Many(string folder, string sub, string pattern) => Directory.Exists(Path.Combine(folder, sub))
        ? [.. Directory.EnumerateFiles(Path.Combine(folder, sub), pattern).Order(StringComparer.Ordinal).Select(f => Part(folder, Path.Combine(sub, Path.GetFileName(f))))] : [];

    static EvidencePart Part(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        if (new FileInfo(path).Length > MaxFile) throw new RefusedException(Refusal.Size, name);
        return new EvidencePart(name, File.ReadAllBytes(path));
    }
}
