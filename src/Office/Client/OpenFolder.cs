using System.Text;
using Exchange.Crypto;

namespace Exchange.Office.Client;

/// <summary>What became of one parcel of a folder.</summary>
/// <param name="Opened">null: it did not come to an opening.</param>
/// <param name="Refusal">Why not; null: opened.</param>
/// <param name="IsMoved">False: it stays where it is and is tried again.</param>
public sealed record FolderResult(Guid Parcel, OpenResult? Opened, Refusal? Refusal, string Detail, bool IsMoved);

/// <summary>
/// From what a channel puts into a folder ({id}.envelope, sealed once more or with {id}.receipt.p7s beside it, and last {id}.ready) to documents on disk and receipts at the gateway; then the
/// files move to opened/ or failed/, marker first, so that nobody takes what is left for a parcel. Again is harmless at every step.
/// </summary>
sealed class OpenFolder(OfficeContext office, string folder)
{
    static readonly string[] Destinations = ["opened", "failed"], Files = ["envelope", "receipt.p7s"];
    readonly string folder = Path.GetFullPath(folder);

    /// <summary>Parcels that are whole here.</summary>
    public IReadOnlyList<Guid> Ready() => Ids(folder, "*.ready");

    public async Task<FolderResult> RunAsync(Guid parcel, string outFolder, IProgress<long>? progress, CancellationToken cancel)
    {
        if (!File.Exists(At(parcel, "envelope"))) return new FolderResult(parcel, null, Refusal.NotFound, "the envelope is missing beside the marker", false);
        // 1. As if the gateway had brought it: verified, durable here, our handover signed once.
        switch (await HoldAsync(parcel, progress, cancel).ConfigureAwait(false))
        {
            case HoldVerdict.Later later: return new FolderResult(parcel, null, later.Refusal, later.Detail, false);
            case HoldVerdict.Conflict conflict: return Failed(parcel, null, conflict.Refusal, conflict.Detail);
            case HoldVerdict.Refused refused: return Failed(parcel, null, refused.Refusal, refused.Detail);
        }
        // 2. Opened, or the sender is told why not. A repeat of what was opened long ago only says so again.
        try
        {
            var opened = await new OpenParcel(office).RunAsync(parcel, outFolder, progress, cancel).ConfigureAwait(false);
            // 3. Crash before or between the moves: the next pass finds it opened already, or finishes what it left.
            return opened.Failure is { } failure ? Failed(parcel, opened, failure, "") : Moved(parcel, "opened", new FolderResult(parcel, opened, null, "", true));
        }
        catch (RefusedException e) { return new FolderResult(parcel, null, e.Refusal, e.Detail, false); }
    }

    async Task<HoldVerdict> HoldAsync(Guid parcel, IProgress<long>? progress, CancellationToken cancel)
    {
        try
        {
            await using var brought = await UnsealParcel.RunAsync(office, new FileStream(At(parcel, "envelope"), FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, useAsync: false), cancel).ConfigureAwait(false);
            if (brought.Parcel is { } inside && inside != parcel) return new HoldVerdict.Refused(Refusal.Replay, "sealed as another parcel");
            if (brought.Receipt is null && !File.Exists(At(parcel, "receipt.p7s"))) return new HoldVerdict.Later(Refusal.NotFound, "the receipt is missing beside the marker");
            using var hold = new HoldParcel(office);
            var receipt = brought.Receipt ?? await File.ReadAllBytesAsync(At(parcel, "receipt.p7s"), cancel).ConfigureAwait(false);
            return await hold.RunAsync(parcel, brought.Envelope.Length, receipt, brought.Envelope, progress, cancel).ConfigureAwait(false);
        }
        catch (RefusedException e) when (e.Refusal == Refusal.Passphrase || e.Refusal == Refusal.Profile || e.Refusal == Refusal.NotForThisKey) { return new HoldVerdict.Later(e.Refusal, e.Detail); }
        catch (RefusedException e) { return new HoldVerdict.Refused(e.Refusal, e.Detail); }
        catch (IOException e) when (DurableFile.IsFull(e)) { return new HoldVerdict.Later(Refusal.Full, "disk"); }
    }

    /// <summary>Finishes moves that a crash cut short.</summary>
    public void Sweep()
    {
        foreach (var to in Destinations.Where(t => Directory.Exists(Path.Combine(folder, t))))
            foreach (var parcel in Ids(Path.Combine(folder, to), "*.ready").Where(p => !File.Exists(At(p, "ready")))) Move(parcel, to);
    }

    FolderResult Failed(Guid parcel, OpenResult? opened, Refusal refusal, string detail)
    {
        DurableFile.CreateFolder(Path.Combine(folder, "failed"));
        office.Files.Write(Path.Combine(folder, "failed", $"{parcel}.reason.txt"),
            Encoding.UTF8.GetBytes($"{refusal.Code}{(detail.Length > 0 ? $" ({detail})" : "")}\n{refusal.En}\n{refusal.Vi}\n{Remedy(parcel, refusal)}\n"));
        return Moved(parcel, "failed", new FolderResult(parcel, opened, refusal, detail, true));
    }

    // Bytes that changed between the gateway and here: its own copy is whole, and the sender need not be troubled.
    static string Remedy(Guid parcel, Refusal refusal) => refusal == Refusal.PayloadRoot || refusal == Refusal.PayloadLength || refusal == Refusal.Der || refusal == Refusal.CannotOpen || refusal == Refusal.ParcelDamaged
        ? $"The gateway still has this copy: exchange open {parcel} --out DIR\nTrục vẫn còn bản này: exchange open {parcel} --out THƯ-MỤC" : $"{refusal.RemedyEn}\n{refusal.RemedyVi}";

    FolderResult Moved(Guid parcel, string to, FolderResult result)
    {
        DurableFile.CreateFolder(Path.Combine(folder, to));
        office.Files.MoveFile(At(parcel, "ready"), Path.Combine(folder, to, $"{parcel}.ready"));
        Move(parcel, to);
        return result;
    }

    void Move(Guid parcel, string to)
    {
        foreach (var kind in Files)
            if (File.Exists(At(parcel, kind))) office.Files.MoveFile(At(parcel, kind), Path.Combine(folder, to, $"{parcel}.{kind}"));
        DurableFile.FsyncFolder(folder);
    }

    string At(Guid parcel, string kind) => Path.Combine(folder, $"{parcel}.{kind}");

    static List<Guid> Ids(string folder, string pattern) =>
        [.. Directory.EnumerateFiles(folder, pattern).Select(f => Guid.TryParseExact(Path.GetFileNameWithoutExtension(f), "D", out var id) ? id : default).Where(id => id != default).Order()];
}
