using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Operations;

/// <param name="Guard">null: where gateway.json says.</param>
/// <param name="GuardFromBackup">There is no guard any more: the backup's takes its place.</param>
/// <param name="BehindGuard">To look at: serve will refuse it.</param>
sealed record RestoreRequest(string From, string Data, string? Guard, bool GuardFromBackup, bool BehindGuard);

/// <summary>From a backup to a data folder that a gateway starts on. Nothing is written before every byte of the backup was read and found right.</summary>
static class Restore
{
    const int MaxNamed = 20;
    const string WayOn = "the only way on is a new origin that admits the gap, signed by two administrators: restore this one with --behind-guard (serve will refuse it), then exchange-gateway new-origin (docs/operations.md, \"The guard refuses\").";

    /// <summary>Whether the backup is whole.</summary>
    /// <exception cref="CannotRestoreException">Names the files that are not what the manifest says.</exception>
    public static BackupSummary Verify(BackupFolder backup, TimeProvider clock, Action<string> say)
    {
        var (files, summary) = backup.Read();
        var (reading, wrong) = (new ManyFiles("verifying", clock, say), new List<string>());
        foreach (var file in files)
            if (Fault(backup, file, reading) is { } fault && wrong.Count < MaxNamed) wrong.Add($"{file.Path} {fault}");
        if (wrong.Count > 0) throw new CannotRestoreException($"{backup.Root} is damaged: {string.Join("; ", wrong)}. Take another copy of this backup, or another backup.");
        if (reading.Files != summary.Files || reading.Bytes != summary.Bytes) throw new CannotRestoreException($"{backup.Root} is damaged: its manifest does not name {summary.Files} files of {summary.Bytes} bytes. Take another copy of this backup, or another backup.");
        return summary;
    }

    static string? Fault(BackupFolder backup, BackupFile file, ManyFiles reading)
    {
        if (!File.Exists(backup.At(file.Path))) return "is missing";
        return reading.Read(backup.At(file.Path)) == (file.Length, file.Sha256) ? null : "is not what was written";
    }

    /// <exception cref="CannotRestoreException">Nothing was written.</exception>
    /// <exception cref="CannotStartException">The target is not empty, or what was restored is not a store that serves; gateway.json was not written.</exception>
    public static BackupSummary Run(RestoreRequest request, TimeProvider clock, Action<string> say)
    {
        // 1. The whole backup, and whether its ledger may go on here. Nothing has been touched.
        var backup = new BackupFolder(request.From);
        var summary = Verify(backup, clock, say);
        var settings = File.ReadAllBytes(backup.At(BackupFolder.Data + Options.FileName));
        var options = Options.Read(settings);
        if (request.Guard is not null) settings = (options = options with { Guard = Path.GetFullPath(request.Guard) }).Write();
        var guardIsThere = File.Exists(Guard.FileIn(options.Guard));
        if (guardIsThere) DemandNotBehind(options, summary, request);
        else if (!request.GuardFromBackup) throw new CannotRestoreException(NoGuard(options.Guard, summary));

        // 2. The data, each file synced. A crash from here on leaves a folder without gateway.json: no gateway starts on it, and the next restore refuses it as not empty.
        using var folder = DataFolder.Create(request.Data);
        foreach (var place in new[] { IncomingFolder.Done, IncomingFolder.Refused }) DurableFile.CreateFolder(Path.Combine(folder.Incoming, place));
        var copying = new ManyFiles("restoring", clock, say);
        foreach (var file in backup.Read().Files.Where(f => f.Path.StartsWith(BackupFolder.Data, StringComparison.Ordinal) && f.Path != BackupFolder.Data + Options.FileName))
            if (copying.Copy(backup.At(file.Path), Path.Combine(folder.Root, file.Path[BackupFolder.Data.Length..])) != (file.Length, file.Sha256))
                throw new CannotRestoreException($"{file.Path} changed while it was restored. Remove {folder.Root} and begin again.");
        copying.Settle();
        if (!guardIsThere) PutGuard(backup, options.Guard);

        // 3. Opened and checked as a start would.
        say("checking the store");
        Check(folder, options, summary, request.BehindGuard, clock);

        // 4. The settings last: with them the folder is one that a gateway starts on.
        DurableFile.Write(Path.Combine(folder.Root, Options.FileName), settings);
        return summary;
    }

    /// <summary>The guard alone, when its disk is lost and the data folder is not.</summary>
    public static BackupSummary GuardAlone(RestoreRequest request, TimeProvider clock, Action<string> say)
    {
        var options = Configuration.Read(request.Data);
        using var folder = DataFolder.Open(request.Data);
        if (File.Exists(Guard.FileIn(options.Guard))) throw new CannotRestoreException($"There is a guard at {options.Guard}. It is kept: one that is there knows more than a backup.");
        var backup = new BackupFolder(request.From);
        var summary = Verify(backup, clock, say);
        if (summary.Origin != options.Origin) throw new CannotRestoreException($"{backup.Root} is of {summary.Origin}, the data folder of {options.Origin}. Name a backup of this gateway.");
        using (var engine = SqliteEngine.OpenReadOnly(folder.Database))
            Checkpoints.DemandContinues(engine, options.Origin, (summary.Guard.Size, summary.Guard.Root));
        PutGuard(backup, options.Guard);
        return summary;
    }

    static void DemandNotBehind(Options options, BackupSummary summary, RestoreRequest request)
    {
        using var guard = Guard.OpenAny(Guard.FileIn(options.Guard), options.Origin);
        var signed = guard.Head;
        if (guard.Ended is { } ended && !request.BehindGuard)
            throw new CannotRestoreException($"This backup is of the ledger {options.Origin}, which ended at {ended.Size} entries; {ended.Successor} follows it. Take a backup of {ended.Successor}. If there is none and its data is lost for good, {WayOn}");
        if (signed.Size > summary.Ledger.Size && !request.BehindGuard)
            throw new CannotRestoreException($"This backup holds {summary.Ledger.Size} entries of the ledger {options.Origin}, but its guard knows that a checkpoint over {signed.Size} was signed: the gateway went on after the backup, and offices hold receipts for what came later. "
                + $"A gateway that went on from here would contradict them, so none will. Find the newer data: the old disk, or a newer backup. If it is lost for good, {WayOn}");
        if (guard.Ended is null && signed.Size == summary.Ledger.Size && signed.Root != summary.Ledger.Root)
            throw new CannotRestoreException($"This backup is of another copy of the ledger {options.Origin} than the one its guard knows at size {signed.Size}. Find the backup of that one.");
    }

    static string NoGuard(string guard, BackupSummary summary) =>
        $"There is no guard at {guard}. It alone knows whether this gateway went on after this backup of {summary.Ledger.Size} entries. Bring it back, or name its place with --guard. If it is lost for good: --guard-from-backup puts the backup's in its place. "
        + "From then on it is your word that nothing newer was ever signed: if something was, offices will see that the ledger contradicts itself.";

    // The guard's file appears whole, as the last thing that its folder gets.
    static void PutGuard(BackupFolder backup, string guard)
    {
        DurableFile.CreateFolder(guard);
        DurableFile.Write(Guard.FileIn(guard), File.ReadAllBytes(backup.At(BackupFolder.Guard + Path.GetFileName(Guard.FileIn(guard)))), replace: false);
    }

    static void Check(DataFolder folder, Options options, BackupSummary summary, bool behind, TimeProvider clock)
    {
        using var engine = SqliteEngine.Open(folder.Database);
        using var guard = Guard.OpenAny(Guard.FileIn(options.Guard), options.Origin);
        if (!behind) Checkpoints.DemandContinues(engine, guard);
        var findings = StoreCheck.Run(engine, new BlobStore(folder.Blobs, clock), guard.Heads().Where(h => !behind || h.Size <= summary.Ledger.Size));
        if (findings.Count > 0) throw new CannotStartException($"What was restored does not keep its promises: {findings[0]}{(findings.Count > 1 ? $" and {findings.Count - 1} more" : "")}. No gateway starts on {folder.Root}; remove it and take another backup.");
        using var reader = engine.Reader();
        if (HeadTable.Read(reader) is var head && (head.Size, head.Root) != (summary.Ledger.Size, summary.Ledger.Root))
            throw new CannotStartException($"What was restored is not the ledger that the manifest names (size {head.Size}, not {summary.Ledger.Size}). Remove {folder.Root} and take another backup.");
    }
}
