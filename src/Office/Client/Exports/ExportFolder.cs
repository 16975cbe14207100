namespace Exchange.Office.Client.Exports;

/// <param name="Complete">Every ledger entry that a receipt promises is proven to be in the exported checkpoint.</param>
public sealed record ExportResult(string Folder, int Receipts, int Proofs, bool Complete);

/// <summary>Everything that proves one sent dispatch, in a folder. What the dispatch says is not in it.</summary>
sealed class ExportFolder(OfficeContext office)
{
    public async Task<ExportResult> RunAsync(OutboxEntry entry, string folder, CancellationToken cancel)
    {
        var target = Path.GetFullPath(folder);
        if (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()) throw new IOException($"{target} is not empty");
        Directory.CreateDirectory(target);
        var evidence = await new CollectEvidence(office).RunAsync(EvidenceSource.OfSent(office, entry), online: true, cancel).ConfigureAwait(false);
        foreach (var part in evidence.Parts)
        {
            var path = Path.Combine(target, part.Name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, part.Bytes, cancel).ConfigureAwait(false);
        }
        return new ExportResult(target, evidence.Receipts, evidence.Proofs, evidence.Complete);
    }
}
