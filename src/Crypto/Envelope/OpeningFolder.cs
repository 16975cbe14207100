using System.Security.Cryptography;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Envelope;

/// <summary>
/// Documents that are being opened: temp files of mode 0600 in the target folder, which get their names only after everything held. Disposing removes what
/// was not released; after a crash <see cref="Sweep"/> does. Files are fsynced before they are renamed; the folder is the caller's to fsync.
/// </summary>
sealed class OpeningFolder : IPlaintextSink, IDisposable
{
    /// <summary>The prefix that every unfinished file of the product has.</summary>
    const string TempPrefix = ".tmp-";

    readonly string folder;
    readonly Document[] documents;
    readonly List<string> temps = [];
    readonly DocumentDigests digests;
    FileStream? current;
    long left;
    bool paddingHolds = true;

    public OpeningFolder(string folder, Document[] documents)
    {
        this.folder = Path.GetFullPath(folder);
        this.documents = documents;
        digests = new([.. documents.Select(d => d.Length)]);
        if (!Directory.Exists(this.folder)) throw new DirectoryNotFoundException("The folder for the documents does not exist.");
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> plaintext, CancellationToken cancel)
    {
        // Beside each other, and both done before the buffer goes back.
        var digested = Task.Run(() => digests.Append(plaintext.Span), CancellationToken.None);
        try { await PutAsync(plaintext, cancel); }
        finally { await digested; }
    }

    async ValueTask PutAsync(ReadOnlyMemory<byte> plaintext, CancellationToken cancel)
    {
        while (plaintext.Length > 0)
        {
            if (!NextDocument())
            {
                paddingHolds &= !plaintext.Span.ContainsAnyExcept((byte)0);
                return;
            }
            var piece = plaintext[..(int)Math.Min(plaintext.Length, left)];
            await current!.WriteSegmentAsync(piece, cancel);
            left -= piece.Length;
            plaintext = plaintext[piece.Length..];
        }
    }

    /// <summary>Makes a document current that still wants bytes; false when there is none.</summary>
    bool NextDocument()
    {
        while (current is null || left == 0)
        {
            Finish();
            if (temps.Count == documents.Length) return false;
            left = documents[temps.Count].Length;
            current = Create();
        }
        return true;
    }

    FileStream Create()
    {
        var path = Path.Combine(folder, TempPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        temps.Add(path);
        return file;
    }

    void Finish()
    {
        if (current is null) return;
        // Before the rename: a name never stands for bytes that a power loss can take away.
        current.Flush(flushToDisk: true);
        current.Dispose();
        current = null;
    }

    /// <summary>Checks what was written against the dispatch, then renames. A file that is already there with the same content stays; any other stops it.</summary>
    /// <returns>Full paths in dispatch order.</returns>
    /// <exception cref="RefusedException">DocumentDigest, PayloadPadding.</exception>
    /// <exception cref="IOException">Another file has the name of a document.</exception>
    public IReadOnlyList<string> Release()
    {
        // Documents of length 0 at the end have had no byte to start them.
        if (NextDocument()) throw new RefusedException(Refusal.PayloadLength, "documents exceed it");
        if (!digests.Finish().SequenceEqual(documents.Select(d => d.Sha256))) throw new RefusedException(Refusal.DocumentDigest);
        if (!paddingHolds) throw new RefusedException(Refusal.PayloadPadding);
        var targets = documents.Select(d => Path.Combine(folder, d.Name)).ToList();
        for (var i = 0; i < targets.Count; i++)
            if (Path.Exists(targets[i]) && !IsSame(targets[i], documents[i]))
                throw new IOException($"Document {i + 1} would replace another file of that name in the folder.");
        for (var i = 0; i < targets.Count; i++)
        {
            if (Path.Exists(targets[i])) File.Delete(temps[i]);
            else File.Move(temps[i], targets[i], overwrite: false);
        }
        temps.Clear();
        return targets;
    }

    static bool IsSame(string path, Document document)
    {
        if (!File.Exists(path) || new FileInfo(path).Length != document.Length) return false;
        using var file = File.OpenRead(path);
        return new Digest(SHA256.HashData(file)) == document.Sha256;
    }

    public static int Sweep(string folder)
    {
        var left = Directory.GetFiles(folder, TempPrefix + "*");
        foreach (var file in left) File.Delete(file);
        return left.Length;
    }

    public void Dispose()
    {
        digests.Dispose();
        current?.Dispose();
        foreach (var temp in temps) File.Delete(temp);
    }
}
