using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;

namespace Exchange.Adapters.Folder;

/// <summary>
/// The folder channel: {id}.envelope, {id}.receipt.p7s unless that is inside, and last {id}.ready, which holds the digests of what is there as `sha256sum -c` reads them. Whoever takes parcels
/// from the folder looks for .ready only; what has none is not there yet. The office moves them away, marker first; a parcel that was moved away
/// and is asked for afterwards is put there once more, under the same id. This process alone writes into the folder.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class FolderAdapter : IDeliveryAdapter
{
    const int Piece = 128 << 10;
    const long LeastFree = 256L << 20;
    readonly FolderOptions options;
    readonly HashSet<string> swept = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public FolderAdapter(FolderOptions options)
    {
        options.Demand();
        this.options = options;
    }

    public string Name => "folder";
    public bool EndsAtOffice => false;

    public async Task<DeliveryOutcome> DeliverAsync(Parcel parcel, Func<CancellationToken, Task<Stream>> open, CancellationToken cancel)
    {
        if (FolderOf(parcel) is not { } folder) return BadSettings;
        var placing = false;
        try
        {
            // 0. What an earlier run left half-written goes, before this run writes its first file here.
            Sweep(folder);
            // 1. With the marker there all is there, and the office may be reading: nothing is touched any more.
            if (IsThere(Marker(folder, parcel)))
            {
                DurableFile.FsyncFolder(folder);
                return new DeliveryOutcome.Delivered(null);
            }
            // 2. Both files, whole or not at all, over whatever a torn try left under their names. Crash here: no marker, nobody looks, the next try does it again.
            var envelope = await CopyAsync(parcel, open, Path.Combine(folder, $"{parcel.Id}.envelope"), cancel).ConfigureAwait(false);
            if (envelope is null) return new DeliveryOutcome.TryLater("the stored envelope has another length");
            cancel.ThrowIfCancellationRequested();
            if (!parcel.Receipt.IsEmpty) Place(Path.Combine(folder, $"{parcel.Id}.receipt.p7s"), parcel.Receipt.Span);
            cancel.ThrowIfCancellationRequested();
            // 3. The marker. From its rename on the parcel is delivered; whether a failure came before or after, only asking tells.
            placing = true;
            var digests = $"{envelope}  {parcel.Id}.envelope\n" + (parcel.Receipt.IsEmpty ? "" : $"{Convert.ToHexStringLower(SHA256.HashData(parcel.Receipt.Span))}  {parcel.Id}.receipt.p7s\n");
            Place(Marker(folder, parcel), Encoding.ASCII.GetBytes(digests));
            return new DeliveryOutcome.Delivered(null);
        }
        catch (Exception e) when (IsOutcome(e)) { return placing ? new DeliveryOutcome.Unknown(Reason(e)) : new DeliveryOutcome.TryLater(Reason(e)); }
    }

    public Task<DeliveryOutcome?> AskAsync(Parcel parcel, CancellationToken cancel) => Task.FromResult(Ask(parcel));

    /// <summary>Writes and syncs a file of no name that anybody looks for, and takes it away again.</summary>
    public Task<string?> ProbeAsync(Parcel nobody, CancellationToken cancel) => Task.FromResult(Probe(nobody));

    string? Probe(Parcel nobody)
    {
        if (FolderOf(nobody) is not { } folder) return BadSettings.Reason;
        try
        {
            if (!IsThere(folder)) return "folder: it is not there";
            using (var writer = DurableFile.Create(Path.Combine(folder, $"{nobody.Id}.probe"))) writer.Stream.Write(new byte[1]);
            return new DriveInfo(folder).AvailableFreeSpace is var free && free < LeastFree ? string.Create(CultureInfo.InvariantCulture, $"folder: only {free} bytes free") : null;
        }
        catch (Exception e) when (IsOutcome(e)) { return Reason(e); }
    }

    DeliveryOutcome? Ask(Parcel parcel)
    {
        if (FolderOf(parcel) is not { } folder) return BadSettings;
        try
        {
            // A folder that is not mounted holds nothing, and says nothing about what it would hold.
            if (!IsThere(folder)) return new DeliveryOutcome.Unknown("asked: the folder is not there");
            if (!IsThere(Marker(folder, parcel))) return null;
            // The marker may stem from a run that died before it had synced the folder.
            DurableFile.FsyncFolder(folder);
            return new DeliveryOutcome.Delivered(null);
        }
        catch (Exception e) when (IsOutcome(e)) { return new DeliveryOutcome.Unknown("asked: " + Reason(e)); }
    }

    void Sweep(string folder)
    {
        lock (swept)
        {
            if (swept.Contains(folder)) return;
            DurableFile.Sweep(folder);
            swept.Add(folder);
        }
    }

    /// <returns>Digest in hexadecimal; null: the source has another length than the parcel says, and nothing was placed.</returns>
    async Task<string?> CopyAsync(Parcel parcel, Func<CancellationToken, Task<Stream>> open, string path, CancellationToken cancel)
    {
        await using var source = await open(cancel).ConfigureAwait(false);
        using var writer = DurableFile.Create(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            long done = 0;
            for (int read; (read = await source.ReadAsync(buffer.AsMemory(0, Piece), cancel).ConfigureAwait(false)) > 0; done += read)
            {
                hash.AppendData(buffer, 0, read);
                await writer.Stream.WriteAsync(buffer.AsMemory(0, read), cancel).ConfigureAwait(false);
            }
            if (done != parcel.Length) return null;
        }
        finally { ArrayPool<byte>.Shared.Return(buffer); }
        Readable(writer);
        await writer.CommitAsync(cancel).ConfigureAwait(false);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    void Place(string path, ReadOnlySpan<byte> bytes)
    {
        using var writer = DurableFile.Create(path);
        writer.Stream.Write(bytes);
        Readable(writer);
        writer.Commit();
    }

    // DurableFile makes files for their owner alone; these are for the office as well.
    void Readable(DurableWriter writer) => File.SetUnixFileMode(((FileStream)writer.Stream).SafeFileHandle, options.Mode);

    static string Marker(string folder, Parcel parcel) => Path.Combine(folder, $"{parcel.Id}.ready");

    // File.Exists also says no when it could not look.
    static bool IsThere(string path)
    {
        try { return File.GetAttributes(path) != 0; }
        catch (FileNotFoundException) { return false; }
        catch (DirectoryNotFoundException) { return false; }
    }

    static readonly DeliveryOutcome.TryLater BadSettings = new("settings: folder must be a name of 1 to 64 letters, digits, '.', '-' or '_'");

    string? FolderOf(Parcel parcel) => parcel.Settings.TryGetValue("folder", out var name) && name.Length is > 0 and <= 64 && name[0] != '.'
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') ? Path.Combine(options.Root, name) : null;

    static bool IsOutcome(Exception e) => e is IOException or UnauthorizedAccessException or OperationCanceledException;

    // Words of the system alone: messages of .NET quote paths.
    static string Reason(Exception e) => e switch
    {
        OperationCanceledException => "cancelled",
        DirectoryNotFoundException or FileNotFoundException => "folder: it is not there",
        UnauthorizedAccessException => "folder: permission denied",
        _ => e.HResult is > 0 and < 4096 ? $"folder: {Marshal.GetPInvokeErrorMessage(e.HResult)}" : string.Create(CultureInfo.InvariantCulture, $"folder: I/O error {e.HResult:x8}"),
    };
}
