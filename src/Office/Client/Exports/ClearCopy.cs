using Exchange.Crypto;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client.Exports;

/// <summary>Which copy of a dispatch is exported.</summary>
public abstract record ExportSource
{
    ExportSource() { }

    /// <summary>By the archive's key.</summary>
    public sealed record Archived(ArchivedDispatch Item) : ExportSource;
    /// <summary>What this office sent and sealed to itself too.</summary>
    public sealed record Sent(OutboxEntry Entry) : ExportSource;
    /// <summary>An envelope in one file, opened as its sender or by a recovery key.</summary>
    /// <param name="Receipt">The gateway's acceptance, DER.</param>
    public sealed record Brought(string File, byte[] Receipt) : ExportSource;
}

/// <param name="Content">At its start, seekable; the file has no name any more.</param>
sealed record ClearDocument(Document Document, FileStream Content);

/// <summary>
/// A dispatch in clear for as long as it takes to put it elsewhere: all was checked as always, the documents are open, and their names are gone from the disk before anything is written. Whatever
/// happens to this program then, nothing of them is left. A kill while it is still being opened leaves a folder of mode 0700, which the next export to the same place removes.
/// </summary>
sealed class ClearCopy : IDisposable
{
    /// <summary>Of the folder beside the output, followed by 32 hexadecimal digits.</summary>
    public const string Opening = ".exporting-";

    ClearCopy(AsideResult opened, EvidenceSource evidence, IReadOnlyList<ClearDocument> documents) => (Opened, Evidence, Documents) = (opened, evidence, documents);

    public AsideResult Opened { get; }
    public EvidenceSource Evidence { get; }
    /// <summary>In the author's order.</summary>
    public IReadOnlyList<ClearDocument> Documents { get; }

    /// <param name="target">What will be written; its folder is there.</param>
    /// <exception cref="RefusedException">Whatever does not hold. Nothing is left.</exception>
    public static async Task<ClearCopy> OpenAsync(OfficeContext office, ExportSource source, string target, IProgress<long>? progress, CancellationToken cancel)
    {
        var beside = Path.GetDirectoryName(Path.GetFullPath(target))!;
        Sweep(beside);
        var folder = Path.Combine(beside, $"{Opening}{Guid.CreateVersion7(office.Now):N}");
        DurableFile.CreateFolder(folder);
        var documents = new List<ClearDocument>();
        try
        {
            using var mine = OfficeFiles.TryLock(Path.Combine(folder, "lock"));
            var opened = source switch
            {
                ExportSource.Archived { Item: var item } => await new Archive(office).OpenAsync(item, folder, progress, cancel).ConfigureAwait(false),
                ExportSource.Sent { Entry: var entry } => await new OpenAside(office).OfOutboxAsync(entry, folder, progress, cancel).ConfigureAwait(false),
                ExportSource.Brought brought => await BroughtAsync(office, brought, folder, progress, cancel).ConfigureAwait(false),
                _ => throw new InvalidOperationException("No such source."),
            };
            foreach (var document in opened.Inside.Dispatch.Documents)
                documents.Add(new ClearDocument(document, new FileStream(Path.Combine(opened.Folder, document.Name), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16)));
            var evidence = source is ExportSource.Sent sent ? EvidenceSource.OfSent(office, sent.Entry) with { Dispatch = opened.Inside.DispatchDer } : EvidenceSource.OfCopy(office, opened);
            return new ClearCopy(opened, evidence, documents);
        }
        catch
        {
            foreach (var document in documents) document.Content.Dispose();
            throw;
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    static async Task<AsideResult> BroughtAsync(OfficeContext office, ExportSource.Brought brought, string folder, IProgress<long>? progress, CancellationToken cancel)
    {
        await using var envelope = File.OpenRead(brought.File);
        return await new OpenAside(office).RunAsync(envelope, brought.Receipt, folder, progress, cancel).ConfigureAwait(false);
    }

    /// <summary>Of what begins so: what was archived or sent from here and opens again.</summary>
    /// <exception cref="RefusedException">NotFound: nothing here begins so. ExportCopy: it is known here, and no copy of it opens again; the detail says why.</exception>
    /// <returns>null: more than one dispatch begins so.</returns>
    public static ExportSource? Find(OfficeContext office, string prefix)
    {
        bool Begins(Guid id) => id.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase);
        var sent = office.Outbox.List().Where(e => Begins(e.Id)).ToList();
        var archived = new Archive(office).List().Where(a => Begins(a.Envelope)).ToList();
        var received = office.Received.List().Where(r => Begins(r.Id)).ToList();
        var ids = sent.Select(e => e.Id).Concat(archived.Select(a => a.Envelope)).Concat(received.Select(r => r.Id)).Distinct().ToList();
        if (ids.Count == 0) throw new RefusedException(Refusal.NotFound, prefix);
        if (ids.Count > 1) return null;
        // What is sealed to the sender too has more evidence beside it than a copy that he sent to himself.
        if (sent is [var entry] && entry.Besides().Any(r => r.Role == "self") && entry.State == OutboxState.Accepted) return new ExportSource.Sent(entry);
        if (archived is [var item, ..]) return new ExportSource.Archived(item);
        throw new RefusedException(Refusal.ExportCopy, sent switch
        {
            [{ State: not OutboxState.Accepted }] => "it was sealed here and the gateway has not accepted it",
            [_] => "it was sent without --keep, so it is sealed to its addressees alone",
            _ => "it was opened here without an archive key",
        });
    }

    // Of exports that were killed; one that still runs holds its lock.
    static void Sweep(string folder)
    {
        foreach (var left in Directory.EnumerateDirectories(folder, Opening + "*").Where(d => Guid.TryParseExact(Path.GetFileName(d)[Opening.Length..], "N", out _)))
        {
            using var abandoned = OfficeFiles.TryLock(Path.Combine(left, "lock"));
            if (abandoned is not null) Directory.Delete(left, recursive: true);
        }
    }

    public void Dispose()
    {
        foreach (var document in Documents) document.Content.Dispose();
    }
}
