using Exchange.Crypto.Evidence;
using Exchange.Office.Client.Stories;

namespace Exchange.Office.Client.Exports;

/// <param name="Folder">Where it was written: a folder, or one file.</param>
/// <param name="Complete">Every ledger entry that a receipt promises is proven to be in the exported checkpoint.</param>
public sealed record ExportResult(string Folder, int Receipts, int Proofs, bool Complete);

/// <summary>Everything that proves one sent dispatch, with a report and a list of it all, in a folder or as one evidence file. What the dispatch says is not in it.</summary>
sealed class ExportFolder(OfficeContext office)
{
    /// <summary>What the name of one file ends with; anything else is a folder.</summary>
    public const string FileEnding = ".zip";

    /// <param name="target">Must not be there, a folder may be empty. A file is whole and durable on return, mode 0600.</param>
    /// <param name="decisions">What the gateway wrote about its decisions, in names of an evidence file.</param>
    /// <exception cref="IOException">It is there already, or there is no room.</exception>
    public async Task<ExportResult> RunAsync(OutboxEntry entry, string target, IReadOnlyList<EvidencePart> decisions, CancellationToken cancel)
    {
        target = Path.GetFullPath(target);
        var asFile = target.EndsWith(FileEnding, StringComparison.OrdinalIgnoreCase);
        if (asFile ? Path.Exists(target) : Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()) throw new IOException(asFile ? $"{target} is there already" : $"{target} is not empty");
        var evidence = await new CollectEvidence(office).RunAsync(EvidenceSource.OfSent(office, entry), online: true, cancel).ConfigureAwait(false);
        var parts = EvidenceFile.Complete([.. evidence.Parts, .. decisions], PinsFile.Of(office.Profile.Pins));
        // Not replacing: what came to be there meanwhile stays.
        if (asFile) await DurableFile.WriteAsync(target, EvidenceZip.Write(parts), replace: false, cancel).ConfigureAwait(false);
        else await WriteFolderAsync(target, parts, cancel).ConfigureAwait(false);
        return new ExportResult(target, evidence.Receipts, evidence.Proofs, evidence.Complete);
    }

    static async Task WriteFolderAsync(string target, IReadOnlyList<EvidencePart> parts, CancellationToken cancel)
    {
        Directory.CreateDirectory(target);
        foreach (var part in parts)
        {
            var path = Path.Combine(target, part.Name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, part.Bytes, cancel).ConfigureAwait(false);
        }
    }
}
