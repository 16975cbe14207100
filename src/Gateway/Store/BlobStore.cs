using System.Collections.Concurrent;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>
/// Sealed payloads above <see cref="InlineLimit"/>: one file each, durable before the commit that names it. The name is the gateway's dispatch id, never the
/// content: a name that a sender can choose is a name he can take away from another. blobs/ab/cd/&lt;id, 32 hex&gt;, ab and cd the last two bytes of the id (the first ones are a clock).
/// </summary>
internal sealed class BlobStore(string folder, TimeProvider clock)
{
    /// <summary>Up to this many bytes a payload stands in its row.</summary>
    public const int InlineLimit = 16 * 1024;
    /// <summary>A blob that no row names is kept so long: its upload may still be running.</summary>
    public static readonly TimeSpan OrphanAge = TimeSpan.FromHours(24);

    /// <summary>Whether a row still wants it: unless told otherwise, a dispatch, or one to come.</summary>
    public Func<Source, Guid, bool> IsNamed { get; init; } = DispatchTable.IsNamed;

    // Folders this process has made durable; one that exists may stem from a run that died before its fsync.
    readonly ConcurrentDictionary<string, bool> folders = [];

    /// <summary>Removes what a crash left half written. At start, before anything is written.</summary>
    public int SweepTemporary()
    {
        var swept = 0;
        foreach (var inner in Inner()) swept += DurableFile.Sweep(inner);
        return swept;
    }

    /// <summary>
    /// Writes through a temp file beside the target; durable on return, and only whole. When the writer throws nothing is left.
    /// A crash leaves a temp file, or a blob that no row names: both are swept.
    /// </summary>
    public async Task PutAsync(Guid dispatch, Func<Stream, Task> write, CancellationToken cancel)
    {
        var path = MadePathOf(dispatch);
        using var writer = DurableFile.Create(path, replace: false);
        await write(writer.Stream);
        await writer.CommitAsync(cancel);
    }

    /// <summary>Takes over a file of this file system whose bytes are durable; durable on return. A crash leaves it in either place or in both. Again is harmless, and needed: a run that died here may not have synced the name.</summary>
    public void Adopt(Guid dispatch, string file)
    {
        var path = MadePathOf(dispatch);
        if (File.Exists(path)) DurableFile.FsyncFolder(Path.GetDirectoryName(path)!);
        else DurableFile.Move(file, path);
    }

    /// <summary>
    /// Gives a payload that is here a second name, for another dispatch; durable on return. Each goes without the other. A crash leaves a name that no row has: swept like any other.
    /// </summary>
    /// <exception cref="IOException">It is not here any more.</exception>
    public void Link(Guid from, Guid to)
    {
        // Both names show one time. An old one would let the sweep take the new name before the commit that wants it.
        File.SetLastWriteTimeUtc(PathOf(from), clock.GetUtcNow().UtcDateTime);
        DurableFile.AddName(PathOf(from), MadePathOf(to));
    }

    /// <summary>For reading, seekable.</summary>
    /// <exception cref="IOException">It is gone or cannot be read: a finding for the check.</exception>
    public Stream Open(Guid dispatch) => new FileStream(PathOf(dispatch), new FileStreamOptions
    {
        Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, Options = FileOptions.Asynchronous | FileOptions.SequentialScan, BufferSize = 0,
    });

    /// <summary>null: there is none.</summary>
    public long? Length(Guid dispatch)
    {
        var file = new FileInfo(PathOf(dispatch));
        return file.Exists ? file.Length : null;
    }

    /// <summary>After a refusal, when nothing was promised.</summary>
    public void Remove(Guid dispatch)
    {
        var path = PathOf(dispatch);
        if (Directory.Exists(Path.GetDirectoryName(path))) DurableFile.Delete(path);
    }

    /// <summary>Removes blobs that no row names and that are older than <see cref="OrphanAge"/>: left by a crash between their naming and the commit. Returns which.</summary>
    public IReadOnlyList<Guid> Step(IEngine engine)
    {
        var old = clock.GetUtcNow() - OrphanAge;
        List<Guid> candidates = [.. All().Where(b => b.Written < old).Select(b => b.Dispatch)];
        if (candidates.Count == 0) return [];
        List<Guid> orphans;
        using (var reader = engine.Reader()) orphans = candidates.FindAll(id => !IsNamed(reader, id));
        foreach (var id in orphans) Remove(id);
        return orphans;
    }

    /// <summary>Every blob there is, and when it was written.</summary>
    public IEnumerable<(Guid Dispatch, DateTimeOffset Written)> All() =>
        from inner in Inner()
        from file in new DirectoryInfo(inner).EnumerateFiles()
        where Guid.TryParseExact(file.Name, "N", out _)
        select (Guid.ParseExact(file.Name, "N"), new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero));

    IEnumerable<string> Inner() => Directory.Exists(folder) ? Directory.EnumerateDirectories(folder).SelectMany(Directory.EnumerateDirectories) : [];

    string MadePathOf(Guid dispatch)
    {
        var path = PathOf(dispatch);
        var inner = Path.GetDirectoryName(path)!;
        if (!folders.ContainsKey(inner))
        {
            DurableFile.CreateFolder(inner, below: Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
            folders[inner] = true;
        }
        return path;
    }

    string PathOf(Guid dispatch)
    {
        var name = dispatch.ToString("N");
        return Path.Combine(folder, name[^4..^2], name[^2..], name);
    }
}
