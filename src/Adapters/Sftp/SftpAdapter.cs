using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Renci.SshNet.Common;
using Renci.SshNet.Sftp;

namespace Exchange.Adapters.Sftp;

/// <summary>
/// The sftp channel: into a folder of a server that the office uses, as <see cref="Folder.FolderAdapter"/> fills a folder here: {id}.envelope, {id}.receipt.p7s unless that is inside, and last
/// {id}.ready with the digests of what is there. Until then their names begin with a dot. A broken upload is gone on with, however large. The gateway's account alone writes there; the
/// office takes the files away, marker first.
/// Delivered means: synced on the server's disk, file by file and the folder, where the server has fsync@openssh.com. Where it has not, it has taken all bytes and names, and its own
/// system decides when they are on the disk.
/// </summary>
public sealed class SftpAdapter : IDeliveryAdapter, IDisposable
{
    const ulong LeastFree = 256UL << 20;
    readonly SftpLines lines;

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public SftpAdapter(SftpOptions options, TimeProvider clock)
    {
        options.Demand();
        lines = new SftpLines(options, clock);
    }

    public string Name => "sftp";
    public bool EndsAtOffice => false;

    public async Task<DeliveryOutcome> DeliverAsync(Parcel parcel, Func<CancellationToken, Task<Stream>> open, CancellationToken cancel)
    {
        if (SftpTarget.Read(parcel.Settings, out var wrong) is not { } target) return new DeliveryOutcome.TryLater(wrong);
        var marker = new MarkerStage();
        try { return await lines.RunAsync(parcel.Office, target, (line, stop) => DeliverAsync(line, target, parcel, open, marker, stop), cancel).ConfigureAwait(false); }
        catch (BusyException) { return new DeliveryOutcome.Busy(null); }
        catch (Exception e) when (SftpReason.IsTheirs(e))
        {
            // A no of the server is a no; without its answer to the marker's rename only asking tells.
            return marker.MayBeThere(e is SftpException or NoRoomException) ? new DeliveryOutcome.Unknown(SftpReason.Of(e)) : new DeliveryOutcome.TryLater(SftpReason.Of(e));
        }
    }

    public async Task<DeliveryOutcome?> AskAsync(Parcel parcel, CancellationToken cancel)
    {
        if (SftpTarget.Read(parcel.Settings, out var wrong) is not { } target) return new DeliveryOutcome.TryLater(wrong);
        try { return await lines.RunAsync(parcel.Office, target, (line, stop) => AskAsync(line, target, parcel, stop), cancel).ConfigureAwait(false); }
        catch (BusyException) { return new DeliveryOutcome.Busy(null); }
        catch (Exception e) when (SftpReason.IsTheirs(e)) { return new DeliveryOutcome.Unknown("asked: " + SftpReason.Of(e)); }
    }

    /// <summary>Goes in, writes and syncs a file of no name that anybody looks for, and takes it away again.</summary>
    public async Task<string?> ProbeAsync(Parcel nobody, CancellationToken cancel)
    {
        if (SftpTarget.Read(nobody.Settings, out var wrong) is not { } target) return wrong;
        try { return await lines.RunAsync(nobody.Office, target, (line, stop) => ProbeAsync(line, target, nobody, stop), cancel).ConfigureAwait(false); }
        catch (Exception e) when (SftpReason.IsTheirs(e)) { return SftpReason.Of(e); }
    }

    public void Dispose() => lines.Dispose();

    static async Task<DeliveryOutcome> DeliverAsync(SftpLine line, SftpTarget target, Parcel parcel, Func<CancellationToken, Task<Stream>> open, MarkerStage marker, CancellationToken cancel)
    {
        string At(string kind) => target.At($"{parcel.Id}.{kind}");
        string Hidden(string kind) => target.At($".{parcel.Id}.{kind}");
        try
        {
            // 1. With the marker there all is there, and the office may be reading: nothing is touched any more.
            if (await line.LengthOfAsync(At("ready"), cancel).ConfigureAwait(false) is not null) return await KeptAsync(line, target, cancel).ConfigureAwait(false);
            // 2. An envelope without its marker is of a try that died between the two renames. It hides again, and is judged like any other that was left.
            if (await line.LengthOfAsync(At("envelope"), cancel).ConfigureAwait(false) is not null) await line.RenameAsync(At("envelope"), Hidden("envelope"), cancel).ConfigureAwait(false);
            // 3. All under hidden names, synced. Crash here: nobody looks, the next try goes on with the envelope and writes the small ones again.
            var digest = await new SftpUpload(line, Hidden("envelope"), parcel.Length).RunAsync(open, cancel).ConfigureAwait(false);
            if (digest is null) return new DeliveryOutcome.TryLater("the stored envelope has another length");
            var digests = $"{Convert.ToHexStringLower(digest)}  {parcel.Id}.envelope\n";
            if (!parcel.Receipt.IsEmpty)
            {
                await line.PutAsync(Hidden("receipt.p7s"), parcel.Receipt, cancel).ConfigureAwait(false);
                digests += $"{Convert.ToHexStringLower(SHA256.HashData(parcel.Receipt.Span))}  {parcel.Id}.receipt.p7s\n";
            }
            await line.PutAsync(Hidden("ready"), Encoding.ASCII.GetBytes(digests), cancel).ConfigureAwait(false);
            // 4. Names, and these synced too before the marker's.
            await line.RenameAsync(Hidden("envelope"), At("envelope"), cancel).ConfigureAwait(false);
            if (!parcel.Receipt.IsEmpty) await line.RenameAsync(Hidden("receipt.p7s"), At("receipt.p7s"), cancel).ConfigureAwait(false);
            await line.SyncFolderAsync(target.Folder, cancel).ConfigureAwait(false);
            // 5. The marker. From its rename on the parcel is delivered. Whoever was told to end before this point ends without it.
            if (!marker.TryBegin()) throw new OperationCanceledException(cancel);
            await line.RenameAsync(Hidden("ready"), At("ready"), cancel).ConfigureAwait(false);
            marker.IsThere();
            return await KeptAsync(line, target, cancel).ConfigureAwait(false);
        }
        catch (SftpException e) when (e.StatusCode == StatusCode.Failure && !cancel.IsCancellationRequested)
        {
            throw new NoRoomException(await WhyAsync(line, target, parcel.Length, cancel).ConfigureAwait(false), e);
        }
    }

    // The marker may stem from a run that died before it had synced the folder.
    static async Task<DeliveryOutcome> KeptAsync(SftpLine line, SftpTarget target, CancellationToken cancel)
    {
        await line.SyncFolderAsync(target.Folder, cancel).ConfigureAwait(false);
        return new DeliveryOutcome.Delivered(null);
    }

    static async Task<DeliveryOutcome?> AskAsync(SftpLine line, SftpTarget target, Parcel parcel, CancellationToken cancel)
    {
        // A folder that is not there holds nothing, and says nothing about what it would hold.
        if (!await line.HasFolderAsync(target.Folder, cancel).ConfigureAwait(false)) return new DeliveryOutcome.Unknown("asked: the folder is not there");
        return await line.LengthOfAsync(target.At($"{parcel.Id}.ready"), cancel).ConfigureAwait(false) is null ? null : await KeptAsync(line, target, cancel).ConfigureAwait(false);
    }

    static async Task<string?> ProbeAsync(SftpLine line, SftpTarget target, Parcel nobody, CancellationToken cancel)
    {
        if (!await line.HasFolderAsync(target.Folder, cancel).ConfigureAwait(false)) return SftpReason.NotThere;
        if (target.Inbound is { } inbound && !await line.HasFolderAsync(inbound, cancel).ConfigureAwait(false)) return "sftp: the inbound folder is not there";
        if (await line.RoomAsync(target.Folder, cancel).ConfigureAwait(false) is { IsReadOnly: false } room && room.AvailableBlocks * room.BlockSize is var free && free < LeastFree)
            return string.Create(CultureInfo.InvariantCulture, $"sftp: only {free} bytes free");
        var probe = target.At($".{nobody.Id}.probe");
        try { await line.PutAsync(probe, new byte[1], cancel).ConfigureAwait(false); }
        catch (SftpException e) when (e.StatusCode == StatusCode.Failure) { return await WhyAsync(line, target, 1, cancel).ConfigureAwait(false); }
        await line.RemoveAsync(probe, cancel).ConfigureAwait(false);
        return null;
    }

    // SFTP has one word for all errors of a disk. What the file system says of itself tells them apart, except a quota.
    static async Task<string> WhyAsync(SftpLine line, SftpTarget target, long length, CancellationToken cancel) => await line.RoomAsync(target.Folder, cancel).ConfigureAwait(false) switch
    {
        { IsReadOnly: true } => "sftp: read-only file system",
        { } room when room.AvailableBlocks * room.BlockSize < (ulong)length => "sftp: no space left",
        _ => "sftp: the server failed: a quota, or its disk",
    };

    /// <summary>How far the marker is, seen from the work and from whoever left it.</summary>
    sealed class MarkerStage
    {
        const int Open = 0, Begun = 1, There = 2, Left = 3;
        int stage;

        /// <returns>False: nobody waits for it any more, and it was told that the marker is not there.</returns>
        public bool TryBegin() => Interlocked.CompareExchange(ref stage, Begun, Open) == Open;

        public void IsThere() => Volatile.Write(ref stage, There);

        /// <param name="answered">The server refused the last request.</param>
        public bool MayBeThere(bool answered) => Interlocked.CompareExchange(ref stage, Left, Open) switch { Open or Left => false, Begun => !answered, _ => true };
    }
}

/// <summary>The server failed to write, and this is why.</summary>
sealed class NoRoomException(string message, Exception inner) : Exception(message, inner);
