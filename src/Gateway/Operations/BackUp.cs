using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Operations;

/// <summary>A copy of a stopped gateway's data folder and guard, with everything in it that was promised, and no key: keys lie elsewhere.</summary>
static class BackUp
{
    /// <exception cref="CannotStartException">It runs, or its store cannot be used.</exception>
    /// <exception cref="CannotRestoreException">The target cannot take it, or the store does not keep its promises.</exception>
    public static BackupSummary Run(string data, string to, string program, TimeProvider clock, Action<string> say)
    {
        // 1. Nobody else is at it, from here to the end.
        var options = Configuration.Read(data);
        using var folder = DataFolder.Open(data);
        var target = new BackupFolder(to);
        Demand(folder.Root, options, target.Root);

        // 2. What is copied must be worth it: the ledger that its guard knows, with every promise kept. Reads only; a store of an older schema is taken as it is.
        BackupLedger ledger, signed;
        long schema;
        using (var engine = SqliteEngine.OpenReadOnly(folder.Database))
        using (var guard = Guard.Open(Guard.FileIn(options.Guard), options.Origin))
        {
            Checkpoints.DemandContinues(engine, guard);
            schema = engine.Schema;
            say("checking the store");
            if (schema == Migrations.Newest && StoreCheck.Run(engine, new BlobStore(folder.Blobs, clock), guard.Heads()) is [var finding, ..] all)
                throw new CannotRestoreException($"The store does not keep its promises: {finding}{(all.Count > 1 ? $" and {all.Count - 1} more" : "")}. Run `exchange-gateway check`; copy the folder by hand if it is to be kept as it is.");
            using var reader = engine.Reader();
            var head = HeadTable.Read(reader);
            (ledger, signed) = (new(head.Size, head.Root), new(guard.Head.Size, guard.Head.Root));
        }

        // 3. The files, each synced. A crash up to the last step leaves a folder without manifest: no backup, and no place for the next one.
        DurableFile.CreateFolder(target.Root);
        using var manifest = DurableFile.Create(target.At(BackupFolder.Manifest), replace: false);
        var copying = new ManyFiles("backup", clock, say);
        foreach (var (from, path) in Files(folder, options))
        {
            var (length, sha256) = copying.Copy(from, target.At(path));
            manifest.Stream.Write(BackupFolder.Line(new BackupFile(path, length, sha256)));
        }

        // 4. Every name, and only then what says that it is a backup.
        copying.Settle();
        var summary = new BackupSummary(1, options.Origin, program, schema, clock.GetUtcNow(), ledger, signed, copying.Files, copying.Bytes);
        manifest.Stream.Write(BackupFolder.Line(summary));
        manifest.Commit();
        return summary;
    }

    static void Demand(string data, Options options, string target)
    {
        if (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()) throw new CannotRestoreException($"{target} is not empty. Name a folder that is not there yet.");
        foreach (var own in new[] { data, Path.GetFullPath(options.Guard) })
            if (IsIn(own, target)) throw new CannotRestoreException($"{target} lies inside {own}. A backup belongs on another disk.");
        foreach (var key in new[] { options.Keys.Tls, options.Keys.Evidence, options.Keys.Checkpoint, options.Keys.PassphraseFile })
            if (Path.IsPathFullyQualified(key) && IsIn(data, key)) throw new CannotRestoreException($"{key} lies inside the data folder. Keys are never part of a backup: move it out and name its new place in {Options.FileName}.");
    }

    static bool IsIn(string folder, string path) => (Path.GetFullPath(path) + "/").StartsWith(Path.TrimEndingDirectorySeparator(folder) + "/", StringComparison.Ordinal);

    // Not: uploads (nothing was promised for them), incoming (what is in force stands in the store), lock and address (of a run).
    static IEnumerable<(string From, string Path)> Files(DataFolder folder, Options options)
    {
        var store = Path.GetRelativePath(folder.Root, folder.Database);
        string[] named = [Options.FileName, store, store + "-wal"];
        var trees = new[] { Path.Combine(folder.Root, Equipment.TrustFolder), folder.Blobs }.Where(Directory.Exists)
            .SelectMany(tree => Directory.EnumerateFiles(tree, "*", SearchOption.AllDirectories).Where(f => !Path.GetFileName(f).StartsWith(DurableFile.TempPrefix, StringComparison.Ordinal)))
            .Select(f => Path.GetRelativePath(folder.Root, f));
        foreach (var path in named.Where(f => File.Exists(Path.Combine(folder.Root, f))).Concat(trees)) yield return (Path.Combine(folder.Root, path), BackupFolder.Data + path);
        var guard = Guard.FileIn(options.Guard);
        yield return (guard, BackupFolder.Guard + Path.GetFileName(guard));
    }
}
