namespace Exchange.Gateway.Store;

/// <summary>
/// Sealed payloads above <see cref="InlineLimit"/>: one file each, named by the gateway's dispatch id (never by content: a name that a sender can choose is a name he can take away from another).
/// blobs/ab/cd/&lt;id, 32 hex&gt;; ab and cd are the last two bytes of the id, and all 65,536 folders are made at init.
/// </summary>
internal sealed class BlobStore(string folder, TimeProvider clock)
{
    /// <summary>Up to this many bytes a payload stands in its row.</summary>
    public const int InlineLimit = 16 * 1024;

    readonly string folder = folder;
    readonly TimeProvider clock = clock;

    /// <summary>Makes the folders, durably.</summary>
    public static void Create(string folder) => throw new NotImplementedException();

    /// <summary>Writes through a temp file beside the target; durable on return. When the writer throws nothing is left. A crash leaves a temp file or an orphan, both swept.</summary>
    public Task PutAsync(Guid dispatch, Func<Stream, Task> write, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>For reading, seekable.</summary>
    /// <exception cref="FileNotFoundException">It is gone: a finding for the check.</exception>
    public Stream Open(Guid dispatch) => throw new NotImplementedException();

    /// <summary>null: there is none.</summary>
    public long? Length(Guid dispatch) => throw new NotImplementedException();

    /// <summary>After a refusal, when nothing was promised.</summary>
    public void Remove(Guid dispatch) => throw new NotImplementedException();

    /// <summary>Removes up to a few temp files and blobs that no row names and that are older than 24 h. Returns how many.</summary>
    public int Step(Journaling.IEngine engine, DateTimeOffset now) => throw new NotImplementedException();
}
