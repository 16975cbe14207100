using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>How one job stands after a pass.</summary>
abstract record IntakeVerdict(string Name)
{
    public sealed record Sent(string Name, OutboxEntry Entry, DeliveryVerdict.Accepted Verdict) : IntakeVerdict(Name);
    public sealed record Failed(string Name, Refusal Reason, string Detail) : IntakeVerdict(Name);
    /// <summary>Sealed, or not even that, and tried again at the next pass.</summary>
    /// <param name="Reason">null: files that the job names are not there yet.</param>
    public sealed record Waiting(string Name, Refusal? Reason, string Detail) : IntakeVerdict(Name);
}

/// <summary>
/// A folder into which other programs put dispatches to be sent: files, and last NAME.job.json, renamed into place. Each is sealed and sent once, whatever dies in between,
/// and ends with its files in sent/NAME/ or failed/NAME/. <paramref name="files"/> is rooted in that folder.
/// </summary>
sealed class Intake(OfficeClient client, OfficeFiles files, TimeProvider clock)
{
    const string JobEnding = ".job.json", IdEnding = ".job.id", ReasonFile = "reason.json";

    static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // About us or the moment, not about the job.
    static readonly HashSet<Refusal> Passing = [Refusal.Unreachable, Refusal.Busy, Refusal.Full, Refusal.RevocationUnknown, Refusal.Passphrase, Refusal.Profile, Refusal.ClockSkew, Refusal.TimeStampAway];

    public IReadOnlyList<string> Jobs() =>
        [.. Directory.EnumerateFiles(files.Root, "*" + JobEnding).Select(f => Path.GetFileName(f)[..^JobEnding.Length]).Where(n => n.Length > 0 && n[0] != '.').Order(StringComparer.Ordinal)];

    /// <summary>null: another process works on this folder.</summary>
    public FileStream? TryLock() => OfficeFiles.TryLock(files.At(".intake.lock"));

    /// <summary>One job as far as it gets now. Again is harmless at every step.</summary>
    public async Task<IntakeVerdict> RunAsync(string name, CancellationToken cancel)
    {
        // 1. What an earlier run had begun. An id whose job already lies in its place is left over: this job is another one of the same name.
        var id = IdOf(name);
        var place = id is null ? null : PlaceOf(name, id.Value);
        if (place is not null && File.Exists(Path.Combine(place, name + JobEnding)))
        {
            DurableFile.Delete(files.At(name + IdEnding));
            id = null;
        }
        // A verdict that was given stands: a job on its way to failed/ is not tried once more.
        else if (place is not null && File.Exists(Path.Combine(place, ReasonFile))) return FailedBefore(name, id!.Value, place);
        var entry = id is null ? null : client.Find(id.Value);
        IntakeJob? job = null;
        try
        {
            // 2. The job, whole. What is sealed already needs its files no more.
            job = IntakeJob.Read(files.At(name + JobEnding));
            if (entry is null && job.Files!.FirstOrDefault(f => !File.Exists(files.At(f))) is { } missing) return new IntakeVerdict.Waiting(name, null, missing);
            // 3. Its name, durable before anything is sealed under it. Crash before: nothing has happened. After: the outbox is asked for this name first.
            if (id is null) files.Write(files.At(name + IdEnding), Encoding.ASCII.GetBytes((id = Guid.CreateVersion7(clock.GetUtcNow())).ToString()!));
            // 4. Sealed once. Crash in between: half an entry has no name and is swept; a whole one is found by its name.
            entry ??= await client.SealAsync(id.Value, job.ToRequest(files.Root, clock), null, cancel).ConfigureAwait(false);
        }
        catch (RefusedException e) when (Passing.Contains(e.Refusal)) { return new IntakeVerdict.Waiting(name, e.Refusal, e.Detail); }
        catch (RefusedException e) { return Failed(name, id, job, e.Refusal, e.Detail); }
        catch (UsageException e) { return Failed(name, id, job, new Refusal(Refusal.Request.Code, e.En, e.Vi, "Correct the job file and put it there again.", "Sửa tệp công việc và đặt lại."), ""); }
        // 5. Sent, or asked what became of it; the same bytes each time.
        switch (await client.DeliverAsync(entry, null, cancel).ConfigureAwait(false))
        {
            case DeliveryVerdict.Accepted accepted:
                Finish(name, id.Value, job, "sent");
                return new IntakeVerdict.Sent(name, entry, accepted);
            // Not sent yet: the next pass asks what became of it.
            case DeliveryVerdict.Held: return new IntakeVerdict.Waiting(name, Refusal.AwaitingRelease, "");
            case DeliveryVerdict.Refused refused: return Failed(name, id, job, refused.Refusal, "");
            case DeliveryVerdict.Waiting waiting: return new IntakeVerdict.Waiting(name, waiting.Refusal, waiting.Detail);
            default: return new IntakeVerdict.Waiting(name, Refusal.Busy, "another process is sending it");
        }
    }

    /// <summary>Ids that a crash left behind their jobs.</summary>
    public void Sweep()
    {
        foreach (var file in Directory.EnumerateFiles(files.Root, "*" + IdEnding).Where(f => !File.Exists(f[..^IdEnding.Length] + JobEnding))) DurableFile.Delete(file);
    }

    IntakeVerdict.Failed Failed(string name, Guid? id, IntakeJob? job, Refusal reason, string detail)
    {
        // A job that cannot even be read gets its name here, so that a crash between the moves finds its place again.
        if (id is null) files.Write(files.At(name + IdEnding), Encoding.ASCII.GetBytes((id = Guid.CreateVersion7(clock.GetUtcNow())).ToString()!));
        Finish(name, id.Value, job, "failed", JsonSerializer.SerializeToUtf8Bytes(new { code = reason.Code, detail, en = reason.En, vi = reason.Vi, remedy = new { en = reason.RemedyEn, vi = reason.RemedyVi } }, Readable));
        return new IntakeVerdict.Failed(name, reason, detail);
    }

    IntakeVerdict.Failed FailedBefore(string name, Guid id, string place)
    {
        using var reason = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(place, ReasonFile)));
        IntakeJob? job = null;
        try { job = IntakeJob.Read(files.At(name + JobEnding)); }
        catch (UsageException) { }
        Finish(name, id, job, "failed");
        return new IntakeVerdict.Failed(name, Refusal.All.GetValueOrDefault(reason.RootElement.GetProperty("code").GetString()!, Refusal.Request), "");
    }

    // The place is marked with the id first, then the files go, the job last of them: while the job is here, the next pass comes this way again.
    void Finish(string name, Guid id, IntakeJob? job, string to, byte[]? reason = null)
    {
        var place = PlaceOf(name, id) ?? NewPlace(name, id, to);
        if (reason is not null) files.Write(Path.Combine(place, ReasonFile), reason);
        foreach (var file in job?.Files ?? [])
            if (File.Exists(files.At(file))) files.MoveFile(files.At(file), Path.Combine(place, file));
        files.MoveFile(files.At(name + JobEnding), Path.Combine(place, name + JobEnding));
        DurableFile.FsyncFolder(files.Root);
        files.Step("drop id");
        DurableFile.Delete(files.At(name + IdEnding));
    }

    string NewPlace(string name, Guid id, string to)
    {
        // An empty one is what a crash between its making and its mark left.
        var free = !Directory.Exists(files.At(to, name)) || !Directory.EnumerateFileSystemEntries(files.At(to, name)).Any(e => !Path.GetFileName(e).StartsWith(DurableFile.TempPrefix, StringComparison.Ordinal));
        var place = files.Folder(to, free ? name : $"{name}-{id}");
        files.Write(Path.Combine(place, name + IdEnding), Encoding.ASCII.GetBytes(id.ToString()));
        return place;
    }

    /// <returns>null: it has none yet.</returns>
    string? PlaceOf(string name, Guid id) => new[] { files.At("sent", name), files.At("failed", name), files.At("sent", $"{name}-{id}"), files.At("failed", $"{name}-{id}") }
        .FirstOrDefault(p => File.Exists(Path.Combine(p, name + IdEnding)) && Guid.TryParse(File.ReadAllText(Path.Combine(p, name + IdEnding)), out var there) && there == id);

    Guid? IdOf(string name) => File.Exists(files.At(name + IdEnding)) && Guid.TryParse(File.ReadAllText(files.At(name + IdEnding)), out var id) ? id : null;
}
